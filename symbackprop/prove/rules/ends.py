"""Conditions that hold at one end of an axis only: [i <= 0] = δ_{i,0}, and [i <= n-1] = 1 - δ_{i,n} for i <= n."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Affine, Index, Size, affine, sized
from symbackprop.core.kernel import By, Linear
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import ONE, Delta, Holds, NonNegative, Num, Term, sub

from ..normal_form.reduce import Move, product_of
from ..normal_form.session import Session


class Ends:
    def __init__(self, normal: Session) -> None:
        self.normal = normal

    def rule(self, m: Monomial) -> Move | None:
        for b, _ in m.factors:
            found = end(b)
            if found is None:
                continue
            i, place, value = found
            if place.monomials and i in m.dummies:
                continue  # the sum is cut: shifts.py
            n = self.normal.names
            one, k = n.new(sized(1)), n.new(i.size)
            there = affine(place, ((one, 1),))
            law = By("reindex", (one, k, there, Delta(i, there)))  # Σ of one value is δ, Σ of all is the condition
            sign = -1 if isinstance(value, Delta) else 1
            proof = Linear(b, value, (((), Num(Fraction(sign)), law),))
            left = tuple(f for f in m.factors if f[0] != b)
            return Move(m.dummies, product_of(m.coefficient, left), b, value, proof)
        return None


def end(b: Term) -> tuple[Index, Size, Term] | None:
    """The index, the place at its end that decides, and what the condition is."""
    match b:
        case Holds(NonNegative(Affine(constant, ((Index() as i, k),)))) if k.constant == -1:
            if constant == sized(0):
                return i, constant, Delta(i, affine(0, ()))
            if constant == i.size - 2:
                last = i.size - 1
                return i, last, sub(ONE, Delta(i, affine(last, ())))
    return None
