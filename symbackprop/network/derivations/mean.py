"""Costs that are a mean over N samples: the factor 1/N goes through to every gradient.

Rows: Z = A W + 1 b, one sample in each row.  ℓ is the loss of one sample, any differentiable function.
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, sized
from symbackprop.core.matrix import UNIT, Elementwise, Given, Hadamard, Leaf, Matrix, Plus, Scale
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Apply, Array, Diff, Entry, Power, Term, mul, num, over, sub, whole

from ..dense import bias_gradient, weight_gradient, weighted_input
from ..derivation import At, Derivation, Draft, definition
from ..layers import SAMPLES, derivative_form, minus
from ..rules import (
    Rule,
    chain_rule,
    constants_out,
    first_of,
    folding,
    independence,
    linearity,
    repeated,
    through_definition,
    unfolding,
)

INPUTS, OUTPUTS = sized("m"), sized("n")
W, B = Leaf(Array("W"), "matrix", (INPUTS, OUTPUTS)), Leaf(Array("b"), "row", (UNIT, OUTPUTS))
A, Z = Leaf(Array("A"), "matrix", (SAMPLES, INPUTS)), Leaf(Array("Z"), "matrix", (SAMPLES, OUTPUTS))
DELTA, Y, T = (Leaf(Array(x), "matrix", (SAMPLES, OUTPUTS)) for x in "ΔYT")
COST = Entry(Array("C"), ())
SHARE = Power(SAMPLES, Fraction(-1))
R, S = Index("r", SAMPLES), Index("n", SAMPLES)
I, J, K = Index("i", OUTPUTS), Index("j", OUTPUTS), Index("k", INPUTS)
ABOUT = "A batch of `N` samples, one in each row; the cost is the mean of the losses of the samples."


def of_sample(order: int, sample: Index, *at: Index) -> Term:
    """ℓ of one row of Z, or its derivative by one entry of that row."""
    return whole("ℓ", order, (I,), Entry(Z.array, (sample, I)), at)


FORWARD = weighted_input(W, A, B, SAMPLES, "row")
MEAN = mul(SHARE, over(R, of_sample(0, R)))
CONTEXT = Context({
    **dict([definition(Z, FORWARD)]),
    COST.array: Tensor((), MEAN),
    DELTA.array: Tensor((S, J), of_sample(1, S, J)),
})  # fmt: skip
SETTING = ((Z, FORWARD), (COST, MEAN), (Entry(DELTA.array, (S, J)), of_sample(1, S, J)))
THROUGH: Rule = repeated(first_of(through_definition, linearity, constants_out))


def weights() -> Derivation:
    """∂C/∂W = (1/N) A^T Δ."""
    start = Diff(COST, Entry(W.array, (K, J)))
    product = mul(SHARE, over(S, mul(Entry(A.array, (S, K)), Entry(DELTA.array, (S, J)))))
    draft = opening(start).equal(product, "the delta picks the weight from unit `k` to unit `j`")
    form = Scale(SHARE, weight_gradient(A, DELTA, "row"))
    return ended(draft, "mean-weights", "The gradient by the weights, for a mean over the batch", W, form, (K, J))


def biases() -> Derivation:
    """∂C/∂b = (1/N) 1^T Δ."""
    start = Diff(COST, Entry(B.array, (J,)))
    draft = opening(start).equal(mul(SHARE, over(S, Entry(DELTA.array, (S, J)))),
                                 "the delta picks unit `j`; every sample adds its part")  # fmt: skip
    form = Scale(SHARE, bias_gradient(DELTA, SAMPLES, "row"))
    unit = derivative_form(COST, B).row
    return ended(draft, "mean-biases", "The gradient by the biases, for a mean over the batch", B, form, (unit, J))


def opening(start: Diff) -> Draft:
    return (
        Draft(start, CONTEXT)
        .rewrite(unfolding(COST.array), "the definition of the cost")
        .rewrite(repeated(first_of(constants_out, linearity)), "the derivative of a mean is a mean of derivatives")
        .rewrite(chain_rule, "the chain rule, sample by sample")
        .rewrite(folding(DELTA.array), "the definition of `Δ`")
        .rewrite(THROUGH, "`z` of a sample is a sum; one part of it depends on the variable")
        .rewrite(independence, "the entries of the variable are independent of each other")
    )


def ended(draft: Draft, name: str, title: str, by: Leaf, form: Matrix, place: tuple[Index, Index]) -> Derivation:
    draft.equal(At(form, *place), "the same, entry by entry")
    return draft.finished(name, title, ABOUT, SETTING, (derivative_form(COST, by), form))


def squared_error() -> Derivation:
    """∂C/∂Z = (1/N) (Y - T) ∘ f'(Z) for C = 1/(2N) Σ (y - t)²."""

    def y(r: Index, i: Index) -> Term:
        return Entry(Y.array, (r, i))

    def t(r: Index, i: Index) -> Term:
        return Entry(T.array, (r, i))

    activation = Elementwise("f", Z)
    half = num(Fraction(1, 2))
    cost = mul(half, SHARE, over(R, over(I, Power(sub(y(R, I), t(R, I)), Fraction(2)))))
    context = Context({**dict([definition(Y, activation)]), COST.array: Tensor((), cost)})
    start = Diff(COST, Entry(Z.array, (S, J)))
    form = Scale(SHARE, Hadamard(Plus((Y, minus(T))), Elementwise("f", Z, 1)))
    lhs = derivative_form(COST, Z)
    assert isinstance(lhs, Given)
    return (
        Draft(start, context)
        .rewrite(unfolding(COST.array), "the definition of the cost")
        .rewrite(repeated(first_of(constants_out, linearity)), "the derivative of a sum")
        .rewrite(chain_rule, "the derivative of a square")
        .rewrite(repeated(first_of(linearity, through_definition)),
                 "the targets are constant; `y = f(z)`, entry by entry")
        .rewrite(independence, "the entries of `Z` are independent of each other")
        .equal(mul(SHARE, sub(y(S, J), t(S, J)), Apply("f", Entry(Z.array, (S, J)), 1)),
               "the deltas pick sample `n` and unit `j`; 2 times one half is 1")
        .equal(At(form, S, J), "the same, entry by entry")
        .finished("mean-squared-error", "The mean squared error of a batch", ABOUT,
                  ((Y, activation), (COST, cost)), (lhs, form))
    )  # fmt: skip


FACTS = (weights, biases, squared_error)
