"""Adam with slots over 1 - β: what its step computes is what Kingma and Ba (2015) wrote.

With M = m / (1 - β1), V = v / (1 - β2) and ρ = √((1 - β2^t) / (1 - β2)) a step is M ← β1 M + g, V ← β2 V + g² and
w ← w - r M / (√V + ε ρ), where r = lr (1 - β1) ρ / (1 - β1^t): two products less for each parameter.
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Equation
from symbackprop.core.kernel import Proof
from symbackprop.core.terms import ONE, Array, Entry, Power, SymbackpropError, Term, add, mul, sub
from symbackprop.prove.equality import prove_equal


def _scalar(name: str) -> Entry:
    return Entry(Array(name), ())


def _inverse(t: Term) -> Term:
    return Power(t, Fraction(-1))


M, GRADIENT, BETA, RATE, EPSILON = map(_scalar, ("m", "g", "β", "lr", "ε"))
ROOT, ROOT_OF_V, CORRECTION = map(_scalar, ("ρ", "s", "c"))  # ρ, √V, 1 - β1^t


def prove_slot() -> tuple[Proof, Equation]:
    """(β m + (1 - β) g) / (1 - β)  =  β (m / (1 - β)) + g,  where β is not 1"""
    rest = sub(ONE, BETA)
    paper = mul(add(mul(BETA, M), mul(rest, GRADIENT)), _inverse(rest))
    return _proved(paper, add(mul(BETA, mul(M, _inverse(rest))), GRADIENT))


def prove_change() -> tuple[Proof, Equation]:
    """lr / c (1 - β) M / (s/ρ + ε)  =  (lr (1 - β) ρ / c) M / (s + ε ρ),  with √(v / (1 - β2^t)) = √V / ρ = s / ρ"""
    mean = mul(sub(ONE, BETA), M)
    paper = mul(RATE, _inverse(CORRECTION), mean, _inverse(add(mul(ROOT_OF_V, _inverse(ROOT)), EPSILON)))
    rate = mul(RATE, sub(ONE, BETA), ROOT, _inverse(CORRECTION))
    return _proved(paper, mul(rate, M, _inverse(add(ROOT_OF_V, mul(EPSILON, ROOT)))))


def _proved(lhs: Term, rhs: Term) -> tuple[Proof, Equation]:
    found = prove_equal(lhs, rhs)
    if found is None:
        raise SymbackpropError("the step of Adam is not proved")
    return found
