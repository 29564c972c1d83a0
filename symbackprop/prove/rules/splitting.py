"""Functions of sums of fractions, and of what is chosen by a step or a delta."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.deltas import solutions
from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import (
    ONE,
    Apply,
    Delta,
    Holds,
    Mul,
    Positive,
    Power,
    Term,
    add,
    free,
    mul,
    neg,
    rebuilt,
    sub,
    substitute,
)

from ..normal_form.content import has, total
from ..normal_form.joined import joined
from ..normal_form.session import Session
from .fractions import common_denominator, over_common_denominator

F1 = Fraction(1)


def of_fraction(normal: Session, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """f of a sum of fractions: f of one fraction."""
    denominator = common_denominator(monomials, normal, roots=isinstance(t, Holds))
    if not denominator or len(monomials) < 2:
        return None
    if not (isinstance(t, Power) and t.exponent.denominator == 1) and not all(
        normal.positive(b) for b, _ in denominator
    ):
        return None
    inverse, numerator, proof = over_common_denominator(monomials, denominator, normal.run(arg))
    reduced, by = normal.of(numerator)
    inside = None if by is None else Inside(Mul((inverse, numerator)), ((1, by),))
    into = joined(
        Linear(arg, total(monomials)), Linear(total(monomials), add(*(m.term() for m in monomials))), proof, inside
    )
    if isinstance(t, Power):
        law: Proof = By("power_of_product", ((inverse, reduced), t.exponent))
        return Mul((Power(inverse, t.exponent), Power(reduced, t.exponent))), joined(Inside(t, ((0, into),)), law)
    if isinstance(t, Holds):
        return Holds(Positive(reduced)), joined(Inside(t, ((0, into),)), By("step_scaled", (inverse, reduced)))
    law = By("log_of_product", ((inverse, reduced),))
    return add(Apply("log", inverse), Apply("log", reduced)), joined(Inside(t, ((0, into),)), law)


def by_cases(t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """f(h a + (1-h) b) = h f(a) + (1-h) f(b) for a step or delta h."""
    h = next(
        (b for m in monomials for b, _ in m.factors if isinstance(b, Delta | Holds) and free(b).isdisjoint(m.dummies)),
        None,
    )
    if h is None or (len(monomials) == 1 and monomials[0].factors == ((h, F1),) and isinstance(t, Power)):
        return None
    with_h = [m._replace(factors=tuple(f for f in m.factors if f[0] != h)) for m in monomials if has(m, h)]
    without = [m for m in monomials if not has(m, h)]
    a, b = total([*with_h, *without]), total(without)
    split = add(mul(h, a), mul(sub(ONE, h), b))
    law = By("by_cases", (t, h, a, b))
    there, elsewhere = rebuilt(t, (a,)), rebuilt(t, (b,))
    value = add(mul(h, there), mul(sub(ONE, h), elsewhere))
    proof = joined(Inside(t, ((0, Linear(arg, split)),)), law)
    solved = solutions(h) if isinstance(h, Delta) else ()
    if not solved:
        return value, proof
    one = dict(solved[:1])  # where δ_ij = 1 the functions are those of i alone
    decided = add(mul(h, substitute(there, one)), elsewhere, neg(mul(h, substitute(elsewhere, one))))
    return decided, joined(proof, Linear(value, decided))
