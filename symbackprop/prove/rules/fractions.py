"""Common denominators: a sum of products as one quotient, with the proof.

Two denominators that share terms (r = √v and r + ε, or Σ_k e^{z_k} and Σ_k e^{z_k} - e^{z_j}) have relations that
no rewriting of one of them finds.  Over a common denominator the numerator decides.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.ordering import Key, key
from symbackprop.core.sums import Expansion, Monomial
from symbackprop.core.terms import Mul, Num, Power, Term, add, free, mul

from ..normal_form.reduce import product_of, summed
from ..normal_form.session import Session

Denominator = tuple[tuple[Term, Fraction], ...]
F0, F1 = Fraction(0), Fraction(1)


def common_denominator(monomials: list[Monomial], normal: Session, roots: bool = False) -> Denominator:
    """For each compound base under a fraction, free of the dummies: the integer power that clears it.

    With `roots` the least power that does: 1 - c/√s is (√s - c)/√s.
    """
    needed: dict[Key, tuple[Term, Fraction]] = {}
    for m in monomials:
        for b, e in m.factors:
            if e < 0 and normal.meaning(b) is not None and free(b).isdisjoint(m.dummies):
                k = key(b)
                power = -e if roots else Fraction(-floor(e))
                needed[k] = (needed[k][0] if k in needed else b, max(power, needed.get(k, (b, F0))[1]))
    return tuple(needed[k] for k in sorted(needed))


def over_common_denominator(
    monomials: list[Monomial], denominator: Denominator, run: Expansion
) -> tuple[Term, Term, Proof]:
    """(1/D, numerator, proof of  Σ monomials = 1/D * numerator).  The numerator is not reduced."""
    keys = {key(b): n for n, (b, _) in enumerate(denominator)}
    inverse = mul(*(Power(b, -k) for b, k in denominator))
    steps: list[tuple[tuple[Index, ...], Term, Proof]] = []
    numerator: list[Term] = []
    for m in monomials:
        powers = [F0] * len(denominator)
        rest = []
        for b, e in m.factors:
            n = keys.get(key(b))
            if n is None:
                rest.append((b, e))
            else:
                powers[n] += e
        pairs, laws, raised = [], [], []
        for n, (b, k) in enumerate(denominator):
            p = k + powers[n]  # b^{powers} = b^{-k} b^{p}
            pairs.append(Mul((Power(b, -k), Power(b, p))))
            laws.append((n, By("power_add", (b, -k, p))))
            raised.append(Power(b, p))
        keep = product_of(m.coefficient, tuple(rest))
        steps.append((m.dummies, mul(Num(-F1), keep), Inside(Mul(tuple(pairs)), tuple(laws))))
        numerator.append(summed(m.dummies, mul(keep, *raised)))
    total = Mul((inverse, add(*numerator)))
    start = add(*[m.term() for m in monomials])
    return inverse, add(*numerator), Linear(start, total, tuple(steps))
