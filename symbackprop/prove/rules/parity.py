"""Odd and even functions, and the sine and cosine of sums."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.laws.functions import EVEN, ODD
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import ZERO, Add, Apply, Num, Term, add, mul, neg, sub

from ..normal_form.content import leading, total
from ..normal_form.joined import joined

FEW_ANGLES = 8


def parity(fn: str, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    if not monomials:
        t = Apply(fn, arg)
        return Num(Fraction(fn in EVEN)), joined(Inside(t, ((0, Linear(arg, ZERO)),)), By("at_zero", (fn,)))
    if leading(monomials).coefficient > 0:
        return None
    u = total([m._replace(coefficient=-m.coefficient) for m in monomials])
    proof = joined(Inside(Apply(fn, arg), ((0, Linear(arg, neg(u))),)), By("parity", (fn, u)))
    value = Apply(fn, u)
    return (neg(value) if fn in ODD else value), proof


def sum_of_angles(fn: str, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof]:
    """sin and cos of a sum, one term split off; of 2u, 3u, ... one u."""
    first = leading(monomials)
    rest = [m for m in monomials if m is not first]
    if not rest:
        sign = 1 if first.coefficient > 0 else -1
        rest = [first._replace(coefficient=first.coefficient - sign)]
        first = first._replace(coefficient=Fraction(sign))
    a, b = first.term(), total(rest)
    split = Add((a, b))
    law = By("sum_of_angles", (fn, a, b))
    sa, sb, ca, cb = Apply("sin", a), Apply("sin", b), Apply("cos", a), Apply("cos", b)
    value = add(mul(sa, cb), mul(ca, sb)) if fn == "sin" else sub(mul(ca, cb), mul(sa, sb))
    return value, joined(Inside(Apply(fn, arg), ((0, Linear(arg, split)),)), law)


def few_angles(monomials: list[Monomial]) -> bool:
    """a + b, 2a, 3a - b, ...: so few that the products of their sines and cosines do not run away."""
    counts = [abs(m.coefficient) if m.coefficient.denominator == 1 else 1 for m in monomials]
    return 2 <= sum(counts) <= FEW_ANGLES
