"""The equations of one layer, for a layer anywhere in a network of any depth.

What comes after a layer is an abstract differentiable function: ℒ(y) after the last layer L, ℒ(z^{l+1}) after a layer
l < L, ℒ(z^l) for the parameters of layer l.  The signals are δ^l = ∂ℒ/∂z^l.  So the equation for δ^L (the base) and
the one from δ^{l+1} to δ^l (the step) together give the signals of every layer, for every depth L and all widths n_l,
as long as the loss depends on layer l only through z^{l+1} and no two layers share a weight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from symbackprop.core.indices import Index
from symbackprop.core.matrix import Diagonal, Elementwise, Given, Hadamard, Leaf, Matrix, Transpose
from symbackprop.core.terms import Apply, Delta, Diff, Entry, Term, mul, over

from ..dense import bias_gradient, signal_before, weight_gradient
from ..derivation import At, Derivation, Draft, Setting
from ..layers import (
    ABOVE,
    BEFORE_LAST,
    BELOW,
    HERE,
    LAST,
    SAMPLES,
    Layers,
    Layout,
    context,
    derivative_form,
    loss_of,
    slope_form,
    transposed,
    width,
)
from ..rules import (
    chain_rule,
    constants_out,
    first_of,
    folding,
    independence,
    linearity,
    repeated,
    through_definition,
)

THROUGH = repeated(first_of(through_definition, linearity, constants_out))


@cache
def signal(layers: Layers, layout: Layout = "gradient") -> Derivation:
    """The base: δ^L = ∂ℒ/∂y ∘ f'(z^L)."""
    y, z = layers.samples("y", None, width(LAST)), layers.z(LAST)
    activation = Elementwise("f", z)
    unit, sample = Index("j", width(LAST)), sample_of(layers)
    form = Hadamard(slope_form(y), Elementwise("f", z, 1))
    draft = (
        Draft(Diff(loss_of(y), layers.at(z, unit, sample)), context((y, activation)))
        .rewrite(chain_rule, "the chain rule: the loss depends on `z` through all outputs `y`")
        .rewrite(repeated(through_definition), "`y = f(z)`, entry by entry")
        .rewrite(independence, "the entries of `z` are independent of each other")
        .equal(mul(layers.slope(y, unit, sample), Apply("f", layers.at(z, unit, sample), 1)),
               "the delta picks the term of unit `j`" if sample is None else "the deltas pick unit `j` of sample `n`")
    )  # fmt: skip
    setting = ((y, activation), named_signal(layers.delta(LAST), derivative_form(loss_of(y), z, layout), layout))
    return concluded(draft, layers, layout, "signal-last", "The signal of the last layer", setting,
                     (loss_of(y), z, form), (unit, sample), "the same, entry by entry of arrays")  # fmt: skip


@cache
def activation_jacobian() -> Derivation:
    """∂y_i/∂z_a = δ_ia f'(z_a): the Jacobian of an activation that acts entry by entry is diagonal."""
    layers = Layers("column")
    y, z = layers.samples("y", None, width(LAST)), layers.z(LAST)
    i, a = Index("i", width(LAST)), Index("a", width(LAST))
    start = Diff(layers.at(y, i), layers.at(z, a))
    slope = Elementwise("f", z, 1)
    return (
        Draft(start, context((y, Elementwise("f", z))))
        .rewrite(through_definition, "`y = f(z)`, entry by entry, and the chain rule")
        .rewrite(independence, "the entries of `z` are independent of each other")
        .equal(At(Diagonal(slope), i, a), "the same, entry by entry of a diagonal matrix")
        .finished("activation-jacobian", "The Jacobian of an activation", "One sample, its values in a column.",
                  ((y, Elementwise("f", z)),), (Given(i, a, start), Diagonal(slope)))
    )  # fmt: skip


@cache
def weights_last(layers: Layers, layout: Layout = "gradient") -> Derivation:
    """∂ℒ/∂W^L = (∂ℒ/∂y ∘ f'(z^L)) (a^{L-1})^T in columns, from Σ_i ∂ℒ/∂y_i ∂y_i/∂z_j a_k."""
    y, z, w, a = layers.samples("y", None, width(LAST)), layers.z(LAST), layers.w(LAST), layers.a(BEFORE_LAST)
    setting = ((z, layers.forward(LAST)), (y, Elementwise("f", z)))
    to, source, sample = Index("j", width(LAST)), Index("k", width(BEFORE_LAST)), sample_of(layers)
    i, m = Index("i", width(LAST)), sample
    chain: Term = mul(layers.slope(y, i, m), Apply("f", layers.at(z, i, m), 1), Delta(i, to), layers.at(a, source, m))
    picked: Term = mul(layers.slope(y, to, m), Apply("f", layers.at(z, to, m), 1), layers.at(a, source, m))
    draft = (
        Draft(Diff(loss_of(y), layers.weight(w, to, source)), context(*setting))
        .rewrite(chain_rule, "the chain rule: the loss depends on the weights through all outputs `y`")
        .rewrite(through_definition, "`y = f(z)`, entry by entry")
        .rewrite(THROUGH, "`z` is a sum; neither `a` nor `b` depends on the weights")
        .rewrite(independence, "the weights are independent of each other")
        .equal(summed(chain, i, m), "the delta picks `a_k`; what is left of `y` is `∂y_i/∂z_j`, which is diagonal")
        .equal(summed(picked, m), "the delta picks unit `j`")
    )
    form = weight_gradient(a, Hadamard(slope_form(y), Elementwise("f", z, 1)), layers.convention)
    return concluded(draft, layers, layout, "weights-last", "The gradient by the weights of the last layer", setting,
                     (loss_of(y), w, form), (to, source), "the same, entry by entry of a product")  # fmt: skip


@cache
def signal_step(layers: Layers, layout: Layout = "gradient") -> Derivation:
    """The step: δ^l = (W^{l+1})^T δ^{l+1} ∘ f'(z^l) in columns, δ^l = δ^{l+1} (W^{l+1})^T ∘ f'(z^l) in rows."""
    z, a, above = layers.z(HERE), layers.a(HERE), layers.z(ABOVE)
    delta, w = layers.delta(ABOVE), layers.w(ABOVE)
    setting = ((above, layers.forward(ABOVE)), (a, Elementwise("f", z)), (delta, slope_form(above)))
    unit, sample = Index("k", width(HERE)), sample_of(layers)
    i = Index("i", width(ABOVE))
    picked = mul(layers.at(delta, i, sample), layers.weight(w, i, unit), Apply("f", layers.at(z, unit, sample), 1))
    form = Hadamard(signal_before(w, delta, layers.convention), Elementwise("f", z, 1))
    draft = (
        Draft(Diff(loss_of(above), layers.at(z, unit, sample)), context(*setting))
        .rewrite(chain_rule, "the chain rule: every `z` of the next layer depends on this one")
        .rewrite(folding(delta.array), "the definition of the signal of the next layer")
        .rewrite(THROUGH, "`z = W a + b` with `a = f(z)`: of these only `a` depends on `z`" if layers.columns
                 else "`z = a W + b` with `a = f(z)`: of these only `a` depends on `z`")
        .rewrite(independence, "the entries of `z` are independent of each other")
        .equal(over(i, picked),
               "the delta picks unit `k`" if sample is None else "the deltas pick unit `k` of sample `n`")
    )  # fmt: skip
    claimed = derivative_form(loss_of(above), z, layout)
    shown = (*setting, named_signal(layers.delta(HERE), claimed, layout))
    return concluded(draft, layers, layout, "signal-step", "From the signal of one layer to that of the layer before",
                     shown, (loss_of(above), z, form), (unit, sample),
                     "the same, entry by entry of a matrix product and a Hadamard product", INDUCTION)  # fmt: skip


@cache
def weights(layers: Layers, layout: Layout = "gradient") -> Derivation:
    """∂ℒ/∂W^l = δ^l (a^{l-1})^T in columns, (a^{l-1})^T δ^l in rows."""
    z, w, a, delta = layers.z(HERE), layers.w(HERE), layers.a(BELOW), layers.delta(HERE)
    setting = ((z, layers.forward(HERE)), (delta, slope_form(z)))
    to, source, sample = Index("j", width(HERE)), Index("k", width(BELOW)), sample_of(layers)
    product: Term = mul(layers.at(delta, to, sample), layers.at(a, source, sample))
    draft = (
        Draft(Diff(loss_of(z), layers.weight(w, to, source)), context(*setting))
        .rewrite(chain_rule, "the chain rule: the loss depends on the weights through `z`")
        .rewrite(folding(delta.array), "the definition of the signal")
        .rewrite(THROUGH, "`z` is a sum; neither `a` nor `b` depends on the weights")
        .rewrite(independence, "the weights are independent of each other")
        .equal(summed(product, sample),
               "the deltas pick the weight from unit `k` to unit `j`")
    )  # fmt: skip
    form = weight_gradient(a, delta, layers.convention)
    reason = "an outer product" if sample is None else "a matrix product, which sums over the samples"
    return concluded(draft, layers, layout, "weights", "The gradient by the weights of a layer", setting,
                     (loss_of(z), w, form), (to, source), reason)  # fmt: skip


@cache
def biases(layers: Layers, layout: Layout = "gradient") -> Derivation:
    """∂ℒ/∂b^l = δ^l; for a batch its sum over the samples: δ^l 1 in columns, 1^T δ^l in rows."""
    z, b, delta = layers.z(HERE), layers.b(HERE), layers.delta(HERE)
    setting = ((z, layers.forward(HERE)), (delta, slope_form(z)))
    unit, sample = Index("j", width(HERE)), sample_of(layers)
    value: Term = layers.at(delta, unit, sample)
    picks = "the delta picks unit `j`"
    draft = (
        Draft(Diff(loss_of(z), Entry(b.array, (unit,))), context(*setting))
        .rewrite(chain_rule, "the chain rule: the loss depends on `b` through `z`")
        .rewrite(folding(delta.array), "the definition of the signal")
        .rewrite(THROUGH, "neither `W` nor `a` depends on `b`")
        .rewrite(independence, "the entries of `b` are independent of each other")
        .equal(summed(value, sample),
               picks if sample is None else picks + "; every sample adds its part")
    )  # fmt: skip
    form = bias_gradient(delta, layers.batch, layers.convention)
    reason = "the signal itself" if sample is None else "ones sum over the samples"
    return concluded(draft, layers, layout, "biases", "The gradient by the biases of a layer", setting,
                     (loss_of(z), b, form), (unit, None), reason)  # fmt: skip


# --- pieces ------------------------------------------------------------------------------------

GRADIENT = "A derivative by an array is shaped as the array."
NUMERATOR = "Numerator layout: a derivative by an array is shaped as its transpose."
INDUCTION = (
    "Everything above layer `l+1` is one differentiable function of `z^{l+1}`, so with the equation of the last "
    "layer this one holds for every layer of a network of any depth."
)


def concluded(
    draft: Draft,
    layers: Layers,
    layout: Layout,
    name: str,
    title: str,
    setting: Setting,
    conclusion: tuple[Term, Leaf, Matrix],
    indices: tuple[Index, Index | None],
    reason: str,
    remark: str = "",
) -> Derivation:
    """The last line, an entry of the compact form, and the claim that ∂cost/∂leaf is this form, in either layout."""
    cost, leaf, form = conclusion
    if layout == "numerator":
        form = transposed(form)
    draft.equal(layers.place(form, *indices, layout), reason)
    parts = [name, layers.convention, "batch" if layers.batch else "", "" if layout == "gradient" else "numerator"]
    sample = "One sample, its values in a" if layers.batch is None else "A batch of `N` samples, one in each"
    kind = ", ".join([f"{layers.convention}s", *(["batch"] if layers.batch else []),
                      *(["numerator layout"] if layout == "numerator" else [])])  # fmt: skip
    about = f"{sample} {layers.convention}. {GRADIENT if layout == 'gradient' else NUMERATOR} {remark}".strip()
    return draft.finished("-".join(p for p in parts if p), f"{title} ({kind})", about, setting,
                          (derivative_form(cost, leaf, layout), form), layout, kind)  # fmt: skip


def summed(t: Term, *over_these: Index | None) -> Term:
    for i in reversed([i for i in over_these if i is not None]):
        t = over(i, t)
    return t


def named_signal(delta: Leaf, form: Matrix, layout: Layout) -> tuple[Matrix, Matrix]:
    """δ is shaped as z, so in numerator layout its transpose is the derivative."""
    return (delta if layout == "gradient" else Transpose(delta)), form


def sample_of(layers: Layers) -> Index | None:
    return None if layers.batch is None else Index("n", layers.batch)


# One sample and batches, columns and rows; columns also in the layout of the notes.
KINDS: tuple[tuple[Layers, Layout], ...] = (
    (Layers("column"), "gradient"),
    (Layers("column"), "numerator"),
    (Layers("row"), "gradient"),
    (Layers("column", SAMPLES), "gradient"),
    (Layers("row", SAMPLES), "gradient"),
)


def facts(
    fact: Callable[[Layers, Layout], Derivation], kinds: tuple[tuple[Layers, Layout], ...] = KINDS
) -> tuple[Callable[[], Derivation], ...]:
    """The fact for each kind."""
    return tuple(partial(fact, layers, layout) for layers, layout in kinds)
