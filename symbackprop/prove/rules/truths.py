"""[m > 0] = m for a number m that is 0 or 1, since m m = m; and so for k (m - c) and k (1 - m - c), with 0 <= c < 1."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from symbackprop.core.context import Same
from symbackprop.core.kernel import By, Chain, Inside, Linear, Proof
from symbackprop.core.signs import instance
from symbackprop.core.sums import Monomial
from symbackprop.core.functions import step
from symbackprop.core.terms import ONE, ZERO, Add, Entry, Mul, Num, Power, Term, mul, neg, sub
from symbackprop.prove.normal_form.session import Session, joined


class Truth(NamedTuple):
    """A term z with the proof that z z = z."""

    z: Term
    square: Proof

    @property
    def other(self) -> Truth:
        """1 - z"""
        w = sub(ONE, self.z)
        return Truth(w, Linear(Mul((w, w)), w, (((), ONE, self.square),)))


def step_of_truth(normal: Session, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """[u > 0] for u = k (z - c) with a number k > 0 and a truth z, where 0 <= c <= 1."""
    proper = [m for m in monomials if m.factors or m.dummies]
    if len(proper) != 1 or proper[0].dummies or len(proper[0].factors) != 1:
        return None
    ((e, exponent),), b = proper[0].factors, proper[0].coefficient
    truth = known(normal, e) if isinstance(e, Entry) and exponent == 1 else None
    if truth is None:
        return None
    a, k = sum((m.coefficient for m in monomials if not m.factors), Fraction(0)), abs(b)
    truth, c = (truth, -a / k) if b > 0 else (truth.other, 1 - a / k)
    if not 0 <= c <= 1:
        return None
    t = neg(sub(ONE, truth.z)) if c == 1 else truth.z if c == 0 else sub(truth.z, Num(c))
    scaled = joined(rewritten(u, Mul((Num(k), t))), By("step_scaled", (Num(k), t)))
    if c == 1:
        return ZERO, joined(scaled, not_negative(truth.other))
    return truth.z, joined(scaled, above(truth, c) if c else positive(truth))


def known(normal: Session, e: Entry) -> Truth | None:
    """An entry of which a hypothesis says e e = e."""
    for name, h in normal.context.hypotheses.items():
        sides = ((h.lhs, h.rhs, ONE), (h.rhs, h.lhs, Num(Fraction(-1)))) if isinstance(h, Same) else ()
        for square, one, sign in sides:
            if isinstance(one, Entry) and square in (Mul((one, one)), Power(one, Fraction(2))):
                values = instance(one, e, normal.context.least)
                if values is not None:
                    law = By("assume", (name, tuple(values.items())))
                    return Truth(e, Linear(Mul((e, e)), e, (((), sign, law),)))
    return None


def rewritten(u: Term, other: Term, *equations: tuple[Term, Proof]) -> Proof:
    """[u > 0] = [other > 0], where the terms are equal by multiples of these equations."""
    return Inside(step(u), ((0, Linear(u, other, tuple(((), factor, p) for factor, p in equations))),))


def combined(lhs: Term, rhs: Term, *equations: tuple[Term, Proof]) -> Proof:
    return Linear(lhs, rhs, tuple(((), factor, p) for factor, p in equations))


MINUS = Num(Fraction(-1))


def not_negative(x: Truth) -> Proof:
    """[-z > 0] = 0, for [z > 0] = [z z > 0] = [z > 0] + [-z > 0]"""
    square = Mul((x.z, x.z))
    return combined(
        step(neg(x.z)), ZERO, (ONE, rewritten(square, x.z, (ONE, x.square))), (MINUS, By("step_of_product", (x.z, x.z)))
    )


def positive(x: Truth) -> Proof:
    """[z > 0] = z, from what z G = z (1 - H) and w W = w (1 - K) say of the signs of z and w = 1 - z"""
    z, w = x.z, x.other.z
    product, nothing = Mul((z, w)), neg(ZERO)
    vanishes = Chain(rewritten(product, nothing, (MINUS, x.square)), (By("step_of_negative", (ZERO,)),))
    return combined(
        step(z), z, (neg(w), By("step_covering", (z, ONE))), (neg(w), By("step_of_product", (z, w))), (w, vanishes),
        (neg(Add((mul(w, step(neg(w))), z))), not_negative(x)), (ONE, By("step_beside", (z,))),
        (w, not_negative(x.other)), (MINUS, By("step_beside", (w,))),
    )  # fmt: skip


def above(x: Truth, c: Fraction) -> Proof:
    """[z - c > 0] = z for 0 < c < 1, since z (z - c) = (1 - c) z"""
    z, u, left = x.z, sub(x.z, Num(c)), Num(1 - c)
    back, product, scaled = Add((u, Num(c))), Mul((z, u)), Mul((left, z))
    same = Chain(rewritten(product, scaled, (ONE, x.square)), (By("step_scaled", (left, z)),))
    return combined(
        step(u), z, (step(u), rewritten(back, z)), (MINUS, By("step_ordered", (u, Num(c)))), (ONE, same),
        (ONE, positive(x)), (neg(step(neg(u))), not_negative(x)), (MINUS, By("step_of_product", (z, u))),
    )  # fmt: skip
