"""Softmax, whose Jacobian is not diagonal, and the negative log likelihood on top of it."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from symbackprop.core.context import Context, Same
from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.matrix import UNIT, Diagonal, Given, Leaf, Matrix, Ones, Plus, Product, Scale, Transpose
from symbackprop.core.matrix import Softmax as SoftmaxForm
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Power,
    Term,
    div,
    mul,
    neg,
    num,
    over,
    sub,
    substitute,
)

from ..derivation import At, Derivation, Draft, definition, lemma
from ..layers import derivative_form, loss_of, minus, slope_form
from ..rules import Rule, assuming, chain_rule, constants_out, first_of, independence, linearity, repeated, unfolding

N = sized("n")
Z, S, T = (Leaf(Array(x), "column", (N, UNIT)) for x in "zst")
FORM = SoftmaxForm(Z, 0)
I, J, K = Index("i", N), Index("j", N), Index("k", N)
COST = Entry(Array("C"), ())
TARGETS = "targets sum to one"
JACOBIAN_LINES = 8  # of the derivation, up to s_i (δ_ij - s_j)
ABOUT = "One sample, in a column."


def z(i: Index) -> Entry:
    return Entry(Z.array, (i,))


def s(i: Index) -> Term:
    return Entry(S.array, (i,))


def t(i: Index) -> Term:
    return Entry(T.array, (i,))


CONTEXT = Context(dict([definition(S, FORM)]), {TARGETS: Same(over(K, t(K)), ONE)})
FREE_TARGETS = Context(CONTEXT.definitions)
SETTING = ((At(S, I, I), At(FORM, I, I)),)


def with_cost(context: Context, cost: Term) -> Context:
    return Context({**context.definitions, COST.array: Tensor((), cost)}, context.hypotheses)


@cache
def jacobian() -> Derivation:
    """∂s_i/∂z_j = s_i (δ_ij - s_j), which is diag(s) - s s^T."""
    start = Diff(s(I), z(J))
    total = over(K, Apply("exp", z(K)))
    quotients = sub(mul(div(Apply("exp", z(I)), total), Delta(I, J)),
                    mul(Apply("exp", z(I)), Apply("exp", z(J)), Power(total, Fraction(-2))))  # fmt: skip
    form = Plus((Diagonal(S), minus(Product(S, Transpose(S)))))
    return (
        Draft(start, FREE_TARGETS)
        .rewrite(unfolding(S.array), "the definition of softmax")
        .rewrite(constants_out, "the product rule: numerator and denominator both depend on `z`")
        .rewrite(repeated(first_of(chain_rule, linearity)), "the chain rule for `e^z` and for the reciprocal sum")
        .rewrite(independence, "the entries of `z` are independent of each other")
        .equal(quotients, "the deltas pick their terms")
        .equal(sub(mul(s(I), Delta(I, J)), mul(s(I), s(J))), "the definition of softmax, read backwards")
        .equal(mul(s(I), sub(Delta(I, J), s(J))), "`s_i` taken out")
        .equal(At(form, I, J), "the same, entry by entry: a diagonal matrix and an outer product")
        .finished("softmax-jacobian", "The Jacobian of softmax", ABOUT, SETTING, (Given(I, J, start), form))
    )


@cache
def jacobian_rule() -> Rule:
    """∂s_i/∂z_j = s_i (δ_ij - s_j) as a rule for derivations that go on from there."""
    return lemma(jacobian(), JACOBIAN_LINES)


def any_loss() -> Derivation:
    """∂ℒ/∂z = (diag(s) - s s^T) ∂ℒ/∂s for any differentiable loss."""
    cost = loss_of(S)
    start = Diff(cost, z(J))
    jacobi = Plus((Diagonal(S), minus(Product(S, Transpose(S)))))
    form = Product(jacobi, slope_form(S))
    slope = slope_form(S).body

    def at(i: Index) -> Term:
        return substitute(slope, {slope_form(S).row: i})

    return (
        Draft(start, FREE_TARGETS)
        .rewrite(chain_rule, "the chain rule: the loss depends on `z` through all of `s`")
        .rewrite(jacobian_rule(), "the Jacobian of softmax")
        .equal(mul(s(J), sub(at(J), over(I, mul(s(I), at(I))))), "the delta picks unit `j`; `s_j` taken out")
        .equal(At(form, J, derivative_form(cost, Z).column), "the same, entry by entry")
        .finished("softmax-any-loss", "Any loss on softmax", ABOUT, SETTING, (derivative_form(cost, Z), form))
    )


def likelihood() -> Derivation:
    """∂C/∂z = s - t for C = -Σ_k t_k log s_k, if the targets sum to one."""
    return on_softmax("softmax-likelihood", CONTEXT)


def likelihood_any_targets() -> Derivation:
    """∂C/∂z = s Σ_k t_k - t, whatever the targets sum to."""
    return on_softmax("softmax-likelihood-any-targets", FREE_TARGETS)


def on_softmax(name: str, context: Context) -> Derivation:
    cost = neg(over(K, mul(t(K), Apply("log", s(K)))))
    context = with_cost(context, cost)
    start = Diff(COST, z(J))
    total = over(K, t(K))
    draft = (
        Draft(start, context)
        .rewrite(unfolding(COST.array), "the definition of the cost")
        .rewrite(repeated(first_of(constants_out, linearity)), "the targets do not depend on `z`")
        .rewrite(chain_rule, "the derivative of the logarithm")
        .rewrite(jacobian_rule(), "the Jacobian of softmax")
        .equal(neg(over(K, mul(t(K), sub(Delta(K, J), s(J))))), "`s_k` cancels: it is positive")
        .equal(sub(mul(s(J), total), t(J)), "the delta picks `t_j`; `s_j` does not depend on `k`")
    )
    lhs = derivative_form(COST, Z)
    if context.hypotheses:
        draft.rewrite(assuming(TARGETS), "the targets sum to one")
        form: Matrix = Plus((S, minus(T)))
    else:
        every = Product(Ones((UNIT, N)), T)
        form = Plus((Product(S, every), minus(T)))
    draft.equal(At(form, J, lhs.column), "the same, entry by entry")
    title = "Negative log likelihood on softmax" + ("" if context.hypotheses else ", for any targets")
    setting = (*SETTING, (COST, cost))
    return draft.finished(name, title, ABOUT, setting, (lhs, form))


# --- batches -----------------------------------------------------------------------------------


def mean_likelihood() -> Derivation:
    """∂C/∂Z = (S - T)/N for the mean over N samples, one in each row, whose targets each sum to one."""
    samples = sized("N")
    zs, ss, ts = (Leaf(Array(x), "matrix", (samples, N)) for x in "ZST")
    n, m = Index("n", samples), Index("m", samples)

    def at(leaf: Leaf, row: Index, column: Index) -> Entry:
        return Entry(leaf.array, (row, column))

    each = Same(over(K, at(ts, n, K)), ONE)
    form = SoftmaxForm(zs, 1)
    share = Power(samples, Fraction(-1))
    cost = mul(num(-1), share, over(m, over(K, mul(at(ts, m, K), Apply("log", at(ss, m, K))))))
    context = with_cost(Context(dict([definition(ss, form)]), {TARGETS: each}), cost)
    known = batch_jacobian(context, zs, ss, samples)
    start = Diff(COST, at(zs, n, J))
    result = mul(share, sub(mul(at(ss, n, J), over(K, at(ts, n, K))), at(ts, n, J)))
    claim = Scale(share, Plus((ss, minus(ts))))
    lhs = derivative_form(COST, zs)
    return (
        Draft(start, context)
        .rewrite(unfolding(COST.array), "the definition of the cost")
        .rewrite(repeated(first_of(constants_out, linearity)), "neither `N` nor the targets depend on `Z`")
        .rewrite(chain_rule, "the derivative of the logarithm")
        .rewrite(lemma(known), "the Jacobian of softmax, sample by sample")
        .equal(result, "`S_mk` cancels, for it is positive; the deltas pick sample `n` and unit `j`")
        .rewrite(assuming(TARGETS), "the targets of each sample sum to one")
        .equal(At(claim, n, J), "the same, entry by entry")
        .finished(
            "softmax-mean-likelihood",
            "The mean negative log likelihood of a batch",
            "A batch of `N` samples, one in each row.",
            ((At(ss, n, J), At(form, n, J)), (COST, cost)),
            (lhs, claim),
        )
    )


def batch_jacobian(context: Context, zs: Leaf, ss: Leaf, samples: Size) -> Derivation:
    """∂S_mi/∂Z_nj = δ_mn S_mi (δ_ij - S_mj): samples do not see each other."""
    m, n = Index("m", samples), Index("n", samples)

    def value(row: Index, column: Index) -> Term:
        return Entry(ss.array, (row, column))

    start = Diff(value(m, I), Entry(zs.array, (n, J)))
    return (
        Draft(start, context)
        .rewrite(unfolding(ss.array), "the definition of softmax")
        .rewrite(constants_out, "the product rule: numerator and denominator both depend on `Z`")
        .rewrite(repeated(first_of(chain_rule, linearity)), "the chain rule for `e^z` and for the reciprocal sum")
        .rewrite(independence, "the entries of `Z` are independent of each other")
        .equal(mul(Delta(m, n), value(m, I), sub(Delta(I, J), value(m, J))), "the definition of softmax")
        .finished("softmax-batch-jacobian", "The Jacobian of softmax for a batch",
                  "A batch of `N` samples, one in each row.", ((At(ss, m, I), At(SoftmaxForm(zs, 1), m, I)),))
    )  # fmt: skip


FACTS = (jacobian, any_loss, likelihood, likelihood_any_targets, mean_likelihood)
