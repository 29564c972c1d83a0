"""The shared content of monomials: what comes out of a function of their sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from symbackprop.core.kernel import Inside, Linear
from symbackprop.core.sums import Factors, Monomial, monomial_key
from symbackprop.core.terms import Mul, Power, Term, add, free, key

from .session import Session, joined, ordered


def shared_content(
    monomials: list[Monomial], movable: Callable[[Term], bool], unit: Callable[[Term], bool], *, signed: bool
) -> tuple[Monomial, list[Monomial]]:
    """What all monomials share, so that the first by key has coefficient 1; and what is left.

    A unit, which is not zero, is shared with its least power: s^{-2} + 1 = s^{-2} (1 + s^2).
    """
    first = leading(monomials)
    c = first.coefficient if signed else abs(first.coefficient)
    shared: list[tuple[Term, Fraction]] = []
    for b, _ in {f[0]: f for m in monomials for f in m.factors}.values():
        if any(i in free(b) for m in monomials for i in m.dummies) or not movable(b):
            continue
        least = min(exponent(m, b) for m in monomials)
        if least and (unit(b) or all(has(m, b) for m in monomials)):
            shared.append((b, least))
    content = Monomial(c, (), tuple(shared))
    rest = []
    for m in monomials:
        factors = dict(m.factors)
        for b, e in shared:
            factors[b] = factors.get(b, Fraction(0)) - e
        kept: Factors = tuple((b, e) for b, e in factors.items() if e)
        rest.append(Monomial(m.coefficient / c, m.dummies, kept))
    return content, rest


def carry_sign(normal: Session, base: Term, left: Term, content: Monomial) -> None:
    """left = base / content is positive when both are."""
    if key(left) in normal.known or not normal.positive(base):
        return
    base, shown, equal = normal.known.get(key(base), (base, base, None))
    inverse = Power(content.term(), Fraction(-1))
    whole = Mul((inverse, shown))
    first = Inside(whole, ((1, equal),)) if equal is not None else None
    normal.note_sign(left, whole, joined(first, Linear(Mul((inverse, base)), left)))


def leading(monomials: Iterable[Monomial]) -> Monomial:
    return min(monomials, key=monomial_key)


def total(monomials: list[Monomial]) -> Term:
    """The sum as a term, in the order of the keys."""
    return add(*(ordered(m) for m in sorted(monomials, key=monomial_key)))


def has(m: Monomial, b: Term) -> bool:
    return any(f == b for f, _ in m.factors)


def exponent(m: Monomial, b: Term) -> Fraction:
    return next((e for f, e in m.factors if f == b), Fraction(0))
