"""The laws of the kernel as lemmas of Coq.  A law that is missing here is not exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbackprop.core.laws.functions import EVEN
from symbackprop.core.terms import (
    Apply, AtLeastZero, Index, IndexExpr, Nonzero, Positive, Power, Predicate, Term, Whole, add, affine, as_affine,
    of_same, opened_whole, substitute, whole,
)  # fmt: skip
from symbackprop.write.coq.monomials import listed
from symbackprop.write.coq.linear import Linear
from symbackprop.write.coq.signs import GOALS
from symbackprop.write.coq.tidying import zero_or_one
from symbackprop.write.coq.vocabulary import NotExported, Vocabulary, outer

Law = Callable[..., str]
LAWS: dict[str, Law] = {}
OVER_INDICES = frozenset({
    "by_radix", "reindex", "maximum_picks", "one_argmax", "argmax_products", "step_above_max", "step_below_max",
    "inverse_times", "times_inverse", "inverse_of_transpose", "of_product", "inverse_scaled", "inverse_of_inverse",
})  # fmt: skip
INDEX, SAME_AT = "ltac:(index)", "ltac:(intros; reindexed)"

# The laws that need no more than their arguments, by place: {0:positive} is a proof that the first is positive.
TEMPLATES = {
    "power_add": "(pw_add {0:positive} erefl)",
    "power_add of wholes": "(pw_addz {0:nonzero} erefl)",
    "power_of_power": "(pw_pow {0:positive} erefl)",
    "power_of_power of wholes": "(pw_powz {0:text} erefl)",
    "power_of_product": "(pw_factors_root {1:rational} {0:positives})",
    "power_of_product of wholes": "(pw_factors {1:whole} {0:texts})",
    "root_of_square": "(@pw_square R {0:text} {1:rational} {1:doubled} {INDEX} {INDEX} erefl)",
    "root_of_product": "(pw_factors_ge0 {1:rational} {0:not_negatives})",
    "log_of_product": "(ln_mulf {0:positives})",
    "log_of_power": "(ln_pw {1:rational} {0:positive})",
    "log_of_exp": "(expK {0:text})",
    "exp_of_log": "(exp_ln {0:positive})",
    "in_exponentials": "erefl",
    "sine_squared": "(sin_squared {0:text})",
    "step_scaled": "(step_scaled {1:text} {0:positive})",
    "step_negated": "(step_negated {0:nonzero})",
    "step_beside": "(step_beside {0:text})",
    "step_of_positive": "(step_positive {0:positive})",
    "step_of_negative": "(step_negative {0:not_negative})",
    "step_ordered": "(step_ordered {0:text} {1:positive})",
    "step_excluded": "(step_excluded {0:text} {1:positive})",
    "step_covering": "(step_covering {0:text} {1:positive})",
    "step_of_product": "(step_of_product {0:text} {1:text})",
    "step_of_reciprocal": "(step_of_reciprocal {0:text})",
    "step_of_exponentials": "(step_of_exponentials {0:text} {1:text})",
    "at_zero": "({0}_zero R)",
    "parity": "({0}_{0:parity} {1:text})",
    "of_identity": "(@inverse_of_identity R {0:size} {1:places} {INDEX} {INDEX})",
    "of_identity of nothing": "(determinant_of_identity R {0:size})",
    "sum_of_angles": "({0}_of_sum {1:text} {2:text})",
    "maximum_picks": "(@maximum_picks R {0:array} {INDEX})",
    "one_argmax": "(@one_argmax R {0:array} {INDEX})",
    "argmax_products": "(@argmax_products R {0:array} {1:places} {2:places})",
    "step_above_max": "(@step_above_max R {0:array} {1:places} {INDEX})",
    "step_below_max": "(@step_below_max R {0:array} {1:places} {0:gap} {INDEX})",
    "inverse_times": "(@inverse_times R {0:array} {0:at} {0:regular} {INDEX} {INDEX})",
    "times_inverse": "(@times_inverse R {0:array} {0:at} {0:regular} {INDEX} {INDEX})",
    "inverse_of_transpose": "(@inverse_of_transpose R {0:array} {0:at})",
    "inverse_of_transpose of det": "(@determinant_of_transpose R {0:array})",
    "inverse_of_inverse": "(@inverse_of_inverse R {0:array} {0:at} {0:regular} {INDEX} {INDEX})",
    "inverse_of_inverse of det": "(@determinant_of_inverse R {0:array} {0:regular})",
}


def law(f: Law) -> Law:
    LAWS[f.__name__] = f
    return f


class Given:
    """What a law may use: the text of terms, proofs of conditions."""

    def __init__(self, words: Vocabulary, linear: Linear) -> None:
        self.words, self.linear = words, linear
        self.holds: Callable[[Predicate], str] = linear.holds

    def function(self, i: Index, t: Term) -> str:
        return self.function_of((i,), t)

    def function_of(self, axes: tuple[Index, ...], t: Term) -> str:
        return f"(fun {' '.join(map(self.words.index, axes))} => {self.words.text(t)})"

    def array(self, w: Whole) -> str:
        """The size of an array, and its entries as a function."""
        self.words.of_array(w)
        axes = tuple(outer(400 + k, n) for k, n in enumerate(w.sizes))
        return f"{self.words.size(w.sizes[0])} {self.function_of(axes, opened_whole(w, axes))}"

    def all(self, kind: type[Positive] | type[AtLeastZero], args: tuple[Term, ...]) -> str:
        """A proof that all of them are positive, or not negative."""
        goal = f"(fun x : R => {GOALS[kind].format('x')})"
        proof = f"(erefl : is_true (all {goal} (@nil R)))"
        for k in reversed(range(len(args))):
            rest = listed([self.words.text(a) for a in args[k + 1 :]])
            proof = f"(@all_cons R {goal} {self.words.text(args[k])} {rest} {self.holds(kind(args[k]))} {proof})"
        return proof

    def places(self, at: tuple[IndexExpr, ...]) -> str:
        return " ".join(map(self.words.at, at))


# How an argument is written where a template says so.
WRITTEN: dict[str, Callable[[Given, Any], str]] = {
    "text": lambda g, t: g.words.text(t),
    "texts": lambda g, args: listed(list(map(g.words.text, args))),
    "rational": lambda g, q: g.words.rational(q),
    "doubled": lambda g, q: g.words.rational(2 * q),
    "whole": lambda g, q: f"({q.numerator})%Z",
    "parity": lambda g, fn: "even" if fn in EVEN else "odd",
    "size": lambda g, axes: g.words.size(axes[0].size),
    "places": lambda g, at: g.places(at),
    "at": lambda g, w: g.places(w.at),
    "array": lambda g, w: g.array(w),
    "gap": lambda g, w: g.holds(Positive(of_same("gap", w))),
    "regular": lambda g, w: g.holds(Nonzero(of_same("det", w))),
    "positive": lambda g, t: g.holds(Positive(t)),
    "nonzero": lambda g, t: g.holds(Nonzero(t)),
    "not_negative": lambda g, t: g.holds(AtLeastZero(t)),
    "positives": lambda g, args: g.all(Positive, args),
    "not_negatives": lambda g, args: g.all(AtLeastZero, args),
}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a law, written as its place in a template says."""

    given: Given
    value: Any

    def __format__(self, how: str) -> str:
        return WRITTEN[how](self.given, self.value) if how else str(self.value)


def is_zero_or_one(h: Term) -> str:
    kind, blanks = zero_or_one(h)
    return f"{kind}_01 {blanks}"


@law
def step_negated_outside(g: Given, h: Term, u: Term) -> str:
    return f"(step_negated_outside ({is_zero_or_one(h)}) {g.holds(Nonzero(add(u, h)))})"


@law
def by_cases(g: Given, like: Term, h: Term, a: Term, b: Term) -> str:
    match like:
        case Power(_, q):
            f = f"(fun x => pw x {g.words.rational(q)})"
        case Apply(fn, _, order):
            f = g.words.function(fn, order)
        case _:
            f = "(@step R)"
    return f"(by_cases {f} {g.words.text(a)} {g.words.text(b)} ({is_zero_or_one(h)}))"


@law
def no_room(g: Given, each: tuple[IndexExpr, ...]) -> str:
    if len(each) > 3:
        raise NotExported("more than three conditions that exclude each other")
    return f"(@no_room{len(each)} R {g.places(each)} ltac:(index))"


@law
def by_radix(g: Given, i: Index, q: Index, r: Index, body: Term) -> str:
    words = g.words
    there = words.text(substitute(body, {i: affine(0, ((q, r.size), (r, 1)))}))
    digits = f"(fun {words.index(q)} {words.index(r)} => {there})"
    sizes = " ".join(words.size(x.size) for x in (i, q, r))
    return f"(@Sum_radix R {sizes} {g.function(i, body)} {digits} {INDEX} {INDEX} {INDEX} {SAME_AT})"


@law
def reindex(g: Given, i: Index, k: Index, e: IndexExpr, body: Term) -> str:
    """The other index is ± the one, shifted."""
    words = g.words
    constant, parts = as_affine(e)
    sign = next(c for a, c in parts if a == i)
    rest = affine(constant, [(a, c) for a, c in parts if a != i])
    back = affine(0, ((k, sign), (rest, -sign)))
    edges = [(i, e), (i, affine(k.size - 1, ((e, -1),))), (k, back), (k, affine(i.size - 1, ((back, -1),)))]
    maps = " ".join(f"(fun {words.index(x)} => {words.at(there)})" for x, there in edges)
    bodies = f"{g.function(i, body)} {g.function(k, substitute(body, {i: back}))}"
    sizes = f"{words.size(i.size)} {words.size(k.size)}"
    return f"(@Sum_reindex R {sizes} {maps} {bodies} {INDEX} {INDEX} {INDEX} {INDEX} {SAME_AT})"


def kind(args: tuple[Any, ...]) -> str:
    """Of what a law speaks, where that has a template of its own."""
    match args:
        case (Whole(fn), *_):
            return fn
        case (_, ()):
            return "nothing"
        case (_, *exponents) if exponents and all(isinstance(q, Fraction) and q.denominator == 1 for q in exponents):
            return "wholes"
        case _:
            return ""


def of(name: str, given: Given, args: tuple[Any, ...]) -> str:
    template = TEMPLATES.get(f"{name} of {kind(args)}") or TEMPLATES.get(name)
    if template is not None:
        return template.format(*(Argument(given, a) for a in args), INDEX=INDEX)
    if name not in LAWS:
        raise NotExported(f"the law {name}")
    return LAWS[name](given, *args)


@law
def of_product(g: Given, w: Whole, axes: tuple[Index, Index], k: Index, left: Term, right: Term) -> str:
    p, q = axes
    a, b = whole("det", 0, (p, k), left, ()), whole("det", 0, (k, q), right, ())
    factors = f"{g.array(a)} {g.function_of((k, q), right)}"
    if w.fn == "det":
        return f"(@determinant_of_product R {factors})"
    regular_ones = f"{g.holds(Nonzero(a))} {g.holds(Nonzero(b))}"
    return f"(@inverse_of_product R {factors} {g.places(w.at)} {regular_ones} {INDEX} {INDEX})"


@law
def inverse_scaled(g: Given, axes: tuple[Index, Index], c: Term, body: Term, at: tuple[IndexExpr, ...]) -> str:
    scaled, plain = f"{g.words.size(axes[0].size)} {g.words.text(c)}", whole("det", 0, axes, body, ())
    conditions = f"{g.holds(Nonzero(c))} {g.holds(Nonzero(plain))}"
    return f"(@inverse_scaled R {scaled} {g.function_of(axes, body)} {g.places(at)} {conditions} {INDEX} {INDEX})"
