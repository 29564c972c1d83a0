"""The squared penalty: ½ λ Σ W² over the weights of every layer (not the biases) in the cost, and its gradient λ W."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Proof
from symbackprop.core.matrix import Leaf, Matrix, Plus, Scale, entry
from symbackprop.core.terms import Array, Diff, Entry, Power, SymbackpropError, Term, mul, num, over
from symbackprop.prove.equality import prove_equal

from .dense import Definition, DenseNetwork

FACTOR = Entry(Array("λ"), ())


def penalty_term(w: Leaf, factor: Term = FACTOR) -> Term:
    """½ λ Σ_jk W_jk²"""
    j, k = (Index(letter, n) for letter, n in zip("jk", w.shape, strict=True))
    return mul(num(Fraction(1, 2)), factor, over(j, over(k, Power(entry(w, j, k), Fraction(2)))))


def with_penalty(net: DenseNetwork, factor: Term | None) -> tuple[Definition, ...]:
    """The gradients of the cost with the penalty: ∂C/∂W + λ W, and ∂C/∂b."""
    if factor is None:
        return net.gradients()
    return tuple((p, Plus((form, Scale(factor, p))) if p.kind == "matrix" else form) for p, form in net.gradients())


def prove_penalty(net: DenseNetwork, l: int) -> tuple[Proof, Equation]:
    """∂(½ λ Σ W²)/∂W_pq = λ W_pq for the weights of layer l.  Raises SymbackpropError where it is not proved."""
    w = net.w(l)
    p, q = (Index(letter, n) for letter, n in zip("pq", w.shape, strict=True))
    claimed: Matrix = Scale(FACTOR, w)
    found = prove_equal(Diff(penalty_term(w), Entry(w.array, (p, q))), entry(claimed, p, q), Context())
    if found is None:
        raise SymbackpropError(f"the gradient of the penalty on W^{l} is not proved")
    return found
