"""Sums over an axis that was joined of two: Σ_{i < n+m} f(i) = Σ_{i < n} f(i) + Σ_{j < m} f(n + j).

Where conditions such as i < n stand in the summand, each part is without them.
"""

from __future__ import annotations

from symbackprop.core.context import Context
from symbackprop.core.indices import Affine, Index, Size, affine, at_least_zero, sized
from symbackprop.core.kernel import By, Chain, Inside, Linear, Proof, check
from symbackprop.core.laws.sums import inside
from symbackprop.core.terms import Holds, Mul, NonNegative, Term, add, over, subterms

from ..differentiate import Names


def split(i: Index, body: Term, names: Names, context: Context) -> tuple[Term, Proof] | None:
    """Σ_i body in two sums, and the proof; None where nothing in the body says where the axis was joined."""
    cut = joint(i, body)
    if cut is None:
        return None
    halves, laws = [], []
    for start, size in ((sized(0), cut), (cut, i.size - cut)):
        e, k = affine(-start, ((i, 1),)), names.new(size)
        law = By("reindex", (i, k, e, body))
        laws.append(law)
        halves.append(over(i, Mul((*inside(e, k), body))))
    both = add(*halves)
    values = [check(law, context).rhs for law in laws]
    return add(*values), Chain(Linear(over(i, body), both), (Inside(both, tuple(enumerate(laws))),))


def joint(i: Index, body: Term) -> Size | None:
    """The least size c with a condition i < c or i >= c in the body, 0 < c < size."""
    if len(i.size.monomials) < 2:
        return None
    found = set[Size]()
    for s in subterms(body):
        match s:
            case Holds(NonNegative(Affine(constant, ((atom, k),)))) if atom == i and k.constant in (1, -1):
                found.add(-constant if k.constant == 1 else constant + 1)
            case _:
                pass
    cuts = [c for c in found if c.symbols and at_least_zero(c - 1) and at_least_zero(i.size - c - 1)]
    return min(cuts, key=str, default=None)
