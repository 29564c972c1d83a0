"""Biases as one more row of the weights: A W + b is [A 1] [W; b], and the gradients come from one product likewise.

A matrix with a column of ones is written with brackets of Iverson: its entry in column k is A_ik where k <= n - 1, and
1 where k = n.  The sums over n + 1 values are split by the kernel's law `reindex`.
"""

from __future__ import annotations

from symbackprop.core.context import EMPTY, Equation
from symbackprop.core.indices import Index, IndexExpr, SymbackpropError, affine, sized
from symbackprop.core.kernel import By, Inside, Proof, check
from symbackprop.core.terms import Add, Array, Entry, Holds, NonNegative, Term, add, mul, over
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined

A, W, B, D = (Array(name) for name in ("A", "W", "b", "δ"))
INPUTS, SAMPLES, OUTPUTS = sized("n"), sized("N"), sized("m")


def below(k: IndexExpr) -> Holds:
    """[k <= n - 1]"""
    return Holds(NonNegative(affine(INPUTS - 1, ((k, -1),))))


def last(k: IndexExpr) -> Holds:
    """[k >= n]"""
    return Holds(NonNegative(affine(-INPUTS, ((k, 1),))))


def with_ones(i: Index, k: IndexExpr) -> Term:
    """[A 1]_ik"""
    return add(mul(below(k), Entry(A, (i, k))), last(k))


def with_bias(k: IndexExpr, j: Index) -> Term:
    """[W; b]_kj"""
    return add(mul(below(k), Entry(W, (k, j))), mul(last(k), Entry(B, (j,))))


def prove_forward() -> tuple[Proof, Equation]:
    """Σ_{k<n+1} [A 1]_ik [W; b]_kj  =  Σ_k A_ik W_kj + b_j"""
    i, j, k, q = Index("i", SAMPLES), Index("j", OUTPUTS), Index("k", INPUTS + 1), Index("q", INPUTS)
    whole = over(k, mul(with_ones(i, k), with_bias(k, j)))
    body = mul(Entry(A, (i, k)), Entry(W, (k, j)))
    inner = over(q, mul(Entry(A, (i, q)), Entry(W, (q, j))))
    split = By("reindex", (k, q, affine(0, ((k, 1),)), body))
    there = check(split, EMPTY)
    rest = over(k, mul(last(k), Entry(B, (j,))))
    return _chained(whole, Add((there.lhs, rest)), split, Add((there.rhs, rest)), add(inner, Entry(B, (j,))))


def prove_gradients() -> tuple[tuple[Proof, Equation], tuple[Proof, Equation]]:
    """([A 1]^T δ)_kj is (A^T δ)_kj in the rows k < n, and Σ_i δ_ij in the last."""
    i, j, k = Index("i", SAMPLES), Index("j", OUTPUTS), Index("k", INPUTS)
    delta = Entry(D, (i, j))
    rows = over(i, mul(with_ones(i, k), delta)), over(i, mul(Entry(A, (i, k)), delta))
    end = affine(INPUTS, ())
    bias = over(i, mul(with_ones(i, end), delta)), over(i, delta)
    return _proved(*rows), _proved(*bias)


def _proved(lhs: Term, rhs: Term) -> tuple[Proof, Equation]:
    found = prove_equal(lhs, rhs)
    if found is None:
        raise SymbackpropError("the bias as a row of ones is not proved")
    return found


def _chained(start: Term, split: Term, law: Proof, joined_again: Term, end: Term) -> tuple[Proof, Equation]:
    first, _ = _proved(start, split)
    last_, _ = _proved(joined_again, end)
    proof = joined(first, Inside(split, ((0, law),)), last_)
    return proof, check(proof, EMPTY)
