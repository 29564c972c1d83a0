"""What a training step computes otherwise than the equations say, each proved.

Slopes come from outputs, the penalty is squared, biases are one more row of the weights, and Adam has slots over 1 - β.

The table of slopes is only a proposal: `prove_from_output` proves each line of it, and the tests all of them.

A W + b is [A 1] [W; b], and the gradients come from one product likewise.  A matrix with a column of ones is written
with brackets of Iverson: its entry in column k is A_ik where k <= n - 1, and 1 where k = n.

With M = m / (1 - β1), V = v / (1 - β2) and ρ = √((1 - β2^t) / (1 - β2)) a step of Adam (Kingma and Ba 2015) is
M ← β1 M + g, V ← β2 V + g² and w ← w - r M / (√V + ε ρ), where r = lr (1 - β1) ρ / (1 - β1^t): two products less for
each parameter.
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Equation
from symbackprop.core.indices import Index, IndexExpr, affine, sized
from symbackprop.core.kernel import Proof
from symbackprop.core.laws.functions import minus_one
from symbackprop.core.matrix import Hadamard, Leaf, Matrix, Plus, Scale, entry
from symbackprop.core.terms import (
    ONE, Apply, Array, Diff, Entry, Holds, NonNegative, Positive, Power, SymbackpropError, Term, add, mul, num,
    over, replaced, sub,
)  # fmt: skip
from symbackprop.network.activations import ACTIVATIONS, Activation, AnyActivation, Z, at_entries, pulled_back
from symbackprop.network.dense import Definition, DenseNetwork
from symbackprop.prove.equality import prove_equal

# In the variable Z, which here stands for a = f(z).
SLOPES: dict[str, Term] = {
    "tanh": sub(ONE, mul(Z, Z)),
    "sigmoid": mul(Z, sub(ONE, Z)),
    "relu": Holds(Positive(Z)),
    "softplus": sub(ONE, Apply("exp", mul(num(-1), Z))),
}


def slope_from_output(f: AnyActivation) -> Term | None:
    """f'(z) as a term in a, or None where the table has none."""
    return SLOPES.get(f.name) if isinstance(f, Activation) and ACTIVATIONS.get(f.name) == f else None


def prove_from_output(f: Activation) -> tuple[Proof, Equation]:
    """f'(z) = its line of the table at a = f(z).  Raises SymbackpropError where there is none, or no proof."""
    slope = slope_from_output(f)
    found = None if slope is None else prove_equal(f.slope, replaced(slope, Z, f.value))
    if found is None:
        raise SymbackpropError(f"the derivative of {f.name} is not proved in terms of its value")
    return found


def deltas_from_outputs(net: DenseNetwork) -> tuple[Definition, ...]:
    """δ^L, ..., δ^1 as `net.deltas()`, with the slopes in terms of outputs."""
    return net.deltas(_back)


def _back(f: AnyActivation, z: Matrix, a: Matrix, arriving: Matrix, axis: int) -> Matrix:
    slope = slope_from_output(f)
    return pulled_back(f, z, a, arriving, axis) if slope is None else Hadamard(arriving, at_entries(slope, a))


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
    return proved(
        Diff(penalty_term(w), Entry(w.array, (p, q))), entry(claimed, p, q), f"the gradient of the penalty on W^{l}"
    )


def proved(lhs: Term, rhs: Term, what: str) -> tuple[Proof, Equation]:
    """Raises SymbackpropError, naming what it is, for an equation that is not proved."""
    found = prove_equal(lhs, rhs)
    if found is None:
        raise SymbackpropError(f"{what} is not proved")
    return found


A, W, B, D = (Array(name) for name in ("A", "W", "b", "δ"))
BIAS_ROW = "the bias as a row of ones"
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


def prove_bias_row() -> tuple[Proof, Equation]:
    """Σ_{k<n+1} [A 1]_ik [W; b]_kj  =  Σ_k A_ik W_kj + b_j"""
    i, j, k, q = Index("i", SAMPLES), Index("j", OUTPUTS), Index("k", INPUTS + 1), Index("q", INPUTS)
    product = over(q, mul(Entry(A, (i, q)), Entry(W, (q, j))))
    return proved(over(k, mul(with_ones(i, k), with_bias(k, j))), add(product, Entry(B, (j,))), BIAS_ROW)


def prove_bias_gradients() -> tuple[tuple[Proof, Equation], tuple[Proof, Equation]]:
    """([A 1]^T δ)_kj is (A^T δ)_kj in the rows k < n, and Σ_i δ_ij in the last."""
    i, j, k = Index("i", SAMPLES), Index("j", OUTPUTS), Index("k", INPUTS)
    delta = Entry(D, (i, j))
    rows = over(i, mul(with_ones(i, k), delta)), over(i, mul(Entry(A, (i, k)), delta))
    end = affine(INPUTS, ())
    bias = over(i, mul(with_ones(i, end), delta)), over(i, delta)
    return proved(*rows, BIAS_ROW), proved(*bias, BIAS_ROW)


def _scalar(name: str) -> Entry:
    return Entry(Array(name), ())


M, GRADIENT, BETA, RATE, EPSILON = map(_scalar, ("m", "g", "β", "lr", "ε"))
ROOT, ROOT_OF_V, CORRECTION = map(_scalar, ("ρ", "s", "c"))  # ρ, √V, 1 - β1^t


def prove_adam_slot() -> tuple[Proof, Equation]:
    """(β m + (1 - β) g) / (1 - β)  =  β (m / (1 - β)) + g,  where β is not 1"""
    rest = sub(ONE, BETA)
    paper = mul(add(mul(BETA, M), mul(rest, GRADIENT)), minus_one(rest))
    return proved(paper, add(mul(BETA, mul(M, minus_one(rest))), GRADIENT), "the step of Adam")


def prove_adam_change() -> tuple[Proof, Equation]:
    """lr / c (1 - β) M / (s/ρ + ε)  =  (lr (1 - β) ρ / c) M / (s + ε ρ),  with √(v / (1 - β2^t)) = √V / ρ = s / ρ"""
    mean = mul(sub(ONE, BETA), M)
    paper = mul(RATE, minus_one(CORRECTION), mean, minus_one(add(mul(ROOT_OF_V, minus_one(ROOT)), EPSILON)))
    rate = mul(RATE, sub(ONE, BETA), ROOT, minus_one(CORRECTION))
    return proved(paper, mul(rate, M, minus_one(add(ROOT_OF_V, mul(EPSILON, ROOT)))), "the step of Adam")
