"""z = W x + b by its entries: the derivatives by W, by x and by b, starting from the sum."""

from __future__ import annotations

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, sized
from symbackprop.core.matrix import UNIT, Given, Identity, Leaf, Plus, Product
from symbackprop.core.terms import Array, Delta, Diff, Entry, mul

from ..derivation import At, Derivation, Draft, definition
from ..rules import constants_out, first_of, independence, linearity, repeated, unfolding

N, M = sized("n"), sized("m")
W = Leaf(Array("w"), "matrix", (N, M))
X = Leaf(Array("x"), "column", (M, UNIT))
B, Z = (Leaf(Array(x), "column", (N, UNIT)) for x in "bz")
FORWARD = Plus((Product(W, X), B))
CONTEXT = Context(dict([definition(Z, FORWARD)]))
I, J, K = Index("i", N), Index("j", N), Index("k", M)
SETTING = ((Z, FORWARD),)


def by_weight() -> Derivation:
    """∂z_i/∂w_jk = δ_ij x_k."""
    start = Diff(Entry(Z.array, (I,)), Entry(W.array, (J, K)))
    return (
        Draft(start, CONTEXT)
        .rewrite(unfolding(Z.array), "the definition of `z`")
        .rewrite(linearity, "the derivative of a sum is the sum of the derivatives, and `b` does not depend on `w`")
        .rewrite(constants_out, "`x` does not depend on `w`")
        .rewrite(independence, "the entries of `w` are independent of each other")
        .equal(mul(Delta(I, J), Entry(X.array, (K,))), "the second delta picks the term of the sum with index `k`")
        .finished("linear-weight", "The derivative of `z = w x + b` by a weight", SENTENCE, SETTING)
    )


def by_input() -> Derivation:
    """∂z_i/∂x_k = w_ik: the Jacobian of a linear map is its matrix."""
    start = Diff(Entry(Z.array, (I,)), Entry(X.array, (K,)))
    return (
        Draft(start, CONTEXT)
        .rewrite(unfolding(Z.array), "the definition of `z`")
        .rewrite(linearity, "the derivative of a sum is the sum of the derivatives, and `b` does not depend on `x`")
        .rewrite(constants_out, "`w` does not depend on `x`")
        .rewrite(independence, "the entries of `x` are independent of each other")
        .equal(At(W, I, K), "the delta picks the term of the sum with index `k`")
        .finished("linear-input", "The derivative of `z = w x + b` by an input", SENTENCE, SETTING,
                  (Given(I, K, start), W))
    )  # fmt: skip


def by_bias() -> Derivation:
    """∂z_i/∂b_j = δ_ij."""
    start = Diff(Entry(Z.array, (I,)), Entry(B.array, (J,)))
    return (
        Draft(start, CONTEXT)
        .rewrite(unfolding(Z.array), "the definition of `z`")
        .rewrite(repeated(first_of(linearity, independence)),
                 "`w` and `x` do not depend on `b`, whose entries are independent")
        .equal(At(Identity(N), I, J), "the entries of the identity matrix")
        .finished("linear-bias", "The derivative of `z = w x + b` by a bias", SENTENCE, SETTING,
                  (Given(I, J, start), Identity(N)))
    )  # fmt: skip


SENTENCE = "The weights `w` are an `n × m` matrix, `x` is a column of `m` inputs, `b` and `z` are columns of `n`."


FACTS = (by_weight, by_input, by_bias)
