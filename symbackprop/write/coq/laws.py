"""The laws of the kernel as lemmas of Coq.  A law that is missing here is not exported."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ...core.terms import Apply, Holds, Index, IndexExpr, Nonzero, Positive, Power, Predicate, Term
from .canonical import listed
from .linear import Linear
from .vocabulary import NotExported, Vocabulary

Law = Callable[..., str]
LAWS: dict[str, Law] = {}


def law(f: Law) -> Law:
    LAWS[f.__name__] = f
    return f


class Given:
    """What a law may use: the text of terms, proofs of conditions."""

    def __init__(self, words: Vocabulary, linear: Linear) -> None:
        self.words, self.linear = words, linear
        self.holds: Callable[[Predicate], str] = linear.holds

    def texts(self, args: tuple[Term, ...]) -> str:
        return listed([self.words.text(a) for a in args])


def fold(lemma: str, proofs: list[str]) -> str:
    out = proofs[0]
    for p in proofs[1:]:
        out = f"({lemma} {out} {p})"
    return out


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
    positive = "erefl"
    for a in reversed(args):
        positive = f"(@all_cons R (fun x => 0 < x) _ _ {g.holds(Positive(a))} {positive})"
    return f"(pw_factors_root {g.words.rational(q)} {positive})"


@law
def power_of_power(g: Given, base: Term, p: Fraction, q: Fraction) -> str:
    if whole_number(p) and whole_number(q):
        return f"(pw_powz {g.words.text(base)} erefl)"
    return f"(pw_pow {g.holds(Positive(base))} erefl)"


@law
def log_of_product(g: Given, args: tuple[Term, ...]) -> str:
    positive = "erefl"
    for a in reversed(args):
        positive = f"(@all_cons R (fun x => 0 < x) _ _ {g.holds(Positive(a))} {positive})"
    return f"(ln_mulf {positive})"


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
def step_times_argument(g: Given, u: Term) -> str:
    return f"(step_excluded_zero {g.words.text(u)})"


@law
def by_cases(g: Given, like: Term, h: Term, a: Term, b: Term) -> str:
    match like:
        case Power(_, q):
            f = f"(fun x => pw x {g.words.rational(q)})"
        case Apply(fn, _, order):
            f = g.words.function(fn, order)
        case _:
            f = "(@step R)"
    kind = "delta_01 R _ _"
    if isinstance(h, Holds):
        kind = "step_01 _" if isinstance(h.predicate, Positive) else "ge0_01 R _"
    return f"(by_cases {f} {g.words.text(a)} {g.words.text(b)} ({kind}))"


def applied(name: str, words: Vocabulary, axes: list[Index], values: dict[Index, IndexExpr]) -> str:
    """A hypothesis or a lemma at values of its indices."""
    given = [f"{words.at(values.get(i, i))} ltac:(index)" for i in axes]
    return f"({' '.join([name, *given])})" if axes else name


def of(name: str, given: Given, args: tuple[Any, ...]) -> str:
    if name not in LAWS:
        raise NotExported(f"the law {name}")
    return LAWS[name](given, *args)


__all__ = ["Given", "applied", "of"]
