"""The laws of the kernel as lemmas of Coq.  A law that is missing here is not exported."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ...core.laws.functions import EVEN
from ...core.terms import (
    Apply,
    AtLeastZero,
    Holds,
    Index,
    IndexExpr,
    Nonzero,
    Positive,
    Power,
    Predicate,
    Term,
    Whole,
    add,
    affine,
    as_affine,
    opened_whole,
    substitute,
)  # fmt: skip
from .canonical import listed
from .linear import Linear
from .signs import GOALS
from .vocabulary import NotExported, Vocabulary, outer

Law = Callable[..., str]
LAWS: dict[str, Law] = {}
OVER_INDICES = frozenset({
    "by_radix", "reindex", "maximum_picks", "one_argmax", "argmax_products", "step_above_max", "step_below_max",
    "inverse_times", "times_inverse", "inverse_of_transpose", "of_product", "inverse_scaled", "inverse_of_inverse",
})  # fmt: skip
INDEX, SAME_AT = "ltac:(index)", "ltac:(intros; reindexed)"


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

    def texts(self, args: tuple[Term, ...]) -> str:
        return listed([self.words.text(a) for a in args])


def whole_number(q: Fraction) -> bool:
    return q.denominator == 1


def integer(q: Fraction) -> str:
    return f"({q.numerator})%Z"


@law
def power_add(g: Given, base: Term, p: Fraction, q: Fraction) -> str:
    if whole_number(p) and whole_number(q):
        return f"(pw_addz {g.holds(Nonzero(base))} erefl)"
    return f"(pw_add {g.holds(Positive(base))} erefl)"


@law
def power_of_product(g: Given, args: tuple[Term, ...], q: Fraction) -> str:
    if whole_number(q):
        return f"(pw_factors {integer(q)} {g.texts(args)})"
    return f"(pw_factors_root {g.words.rational(q)} {g.all(Positive, args)})"


@law
def root_of_product(g: Given, args: tuple[Term, ...], q: Fraction) -> str:
    return f"(pw_factors_ge0 {g.words.rational(q)} {g.all(AtLeastZero, args)})"


@law
def root_of_square(g: Given, b: Term, q: Fraction) -> str:
    r = g.words.rational
    return f"(@pw_square R {g.words.text(b)} {r(q)} {r(2 * q)} {INDEX} {INDEX} erefl)"


@law
def power_of_power(g: Given, base: Term, p: Fraction, q: Fraction) -> str:
    if whole_number(p) and whole_number(q):
        return f"(pw_powz {g.words.text(base)} erefl)"
    return f"(pw_pow {g.holds(Positive(base))} erefl)"


@law
def log_of_product(g: Given, args: tuple[Term, ...]) -> str:
    return f"(ln_mulf {g.all(Positive, args)})"


@law
def log_of_power(g: Given, base: Term, q: Fraction) -> str:
    return f"(ln_pw {g.words.rational(q)} {g.holds(Positive(base))})"


@law
def log_of_exp(g: Given, u: Term) -> str:
    return f"(expK {g.words.text(u)})"


@law
def exp_of_log(g: Given, u: Term) -> str:
    return f"(exp_ln {g.holds(Positive(u))})"


@law
def in_exponentials(g: Given, fn: str, u: Term) -> str:
    return "erefl"


@law
def sine_squared(g: Given, u: Term) -> str:
    return f"(sin_squared {g.words.text(u)})"


@law
def step_scaled(g: Given, c: Term, u: Term) -> str:
    return f"(step_scaled {g.words.text(u)} {g.holds(Positive(c))})"


@law
def step_negated(g: Given, u: Term) -> str:
    return f"(step_negated {g.holds(Nonzero(u))})"


@law
def step_of_positive(g: Given, u: Term) -> str:
    return f"(step_positive {g.holds(Positive(u))})"


@law
def step_of_negative(g: Given, u: Term) -> str:
    return f"(step_negative {g.holds(Positive(u))})"


@law
def step_of_zero(g: Given) -> str:
    return "(step_zero R)"


@law
def step_ordered(g: Given, u: Term, c: Term) -> str:
    return f"(step_ordered {g.words.text(u)} {g.holds(Positive(c))})"


@law
def step_excluded(g: Given, u: Term, c: Term) -> str:
    return f"(step_excluded {g.words.text(u)} {g.holds(Positive(c))})"


@law
def step_covering(g: Given, u: Term, c: Term) -> str:
    return f"(step_covering {g.words.text(u)} {g.holds(Positive(c))})"


@law
def step_of_product(g: Given, a: Term, b: Term) -> str:
    return f"(step_of_product {g.words.text(a)} {g.words.text(b)})"


@law
def step_of_reciprocal(g: Given, a: Term) -> str:
    return f"(step_of_reciprocal {g.words.text(a)})"


@law
def step_of_exponentials(g: Given, a: Term, b: Term) -> str:
    return f"(step_of_exponentials {g.words.text(a)} {g.words.text(b)})"


@law
def step_negated_outside(g: Given, h: Term, u: Term) -> str:
    return f"(step_negated_outside ({zero_or_one(h)}) {g.holds(Nonzero(add(u, h)))})"


@law
def by_cases(g: Given, like: Term, h: Term, a: Term, b: Term) -> str:
    match like:
        case Power(_, q):
            f = f"(fun x => pw x {g.words.rational(q)})"
        case Apply(fn, _, order):
            f = g.words.function(fn, order)
        case _:
            f = "(@step R)"
    return f"(by_cases {f} {g.words.text(a)} {g.words.text(b)} ({zero_or_one(h)}))"


def zero_or_one(h: Term) -> str:
    if isinstance(h, Holds):
        return "step_01 _" if isinstance(h.predicate, Positive) else "ge0_01 R _"
    return "delta_01 R _ _"


@law
def no_room(g: Given, each: tuple[IndexExpr, ...]) -> str:
    if len(each) > 3:
        raise NotExported("more than three conditions that exclude each other")
    return f"(@no_room{len(each)} R {' '.join(map(g.words.at, each))} ltac:(index))"


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


@law
def parity(g: Given, fn: str, u: Term) -> str:
    return f"({fn}_{'even' if fn in EVEN else 'odd'} {g.words.text(u)})"


@law
def at_zero(g: Given, fn: str) -> str:
    return f"({fn}_zero R)"


@law
def sum_of_angles(g: Given, fn: str, a: Term, b: Term) -> str:
    return f"({fn}_of_sum {g.words.text(a)} {g.words.text(b)})"


def applied(name: str, words: Vocabulary, axes: list[Index], values: dict[Index, IndexExpr]) -> str:
    """A hypothesis or a lemma at values of its indices."""
    given = [f"{words.at(values.get(i, i))} ltac:(index)" for i in axes]
    return f"({' '.join([name, *given])})" if axes else name


def of(name: str, given: Given, args: tuple[Any, ...]) -> str:
    if name not in LAWS:
        raise NotExported(f"the law {name}")
    return LAWS[name](given, *args)


__all__ = ["Given", "applied", "of"]
