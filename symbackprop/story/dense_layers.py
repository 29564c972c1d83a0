"""The equations of one layer, for a layer anywhere in a network of any depth.

What comes after a layer is an abstract differentiable function: ℒ(y) after the last layer L, ℒ(z^{l+1}) after a layer
l < L, ℒ(z^l) for the parameters of layer l.  The signals are δ^l = ∂ℒ/∂z^l.  So the equation for δ^L (the base) and
the one from δ^{l+1} to δ^l (the step) together give the signals of every layer, for every depth L and all widths n_l,
as long as the loss depends on layer l only through z^{l+1} and no two layers share a weight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.core.matrix import Elementwise, Leaf
from symbackprop.network.dense import ABOVE, BEFORE_LAST, BELOW, HERE, LAST, SAMPLES, Layers, width
from symbackprop.write.program.notation import Standing

from .told import COLUMNS, NUMERATOR, ROWS, Question

GRADIENT = "A derivative by an array is shaped as the array."
NUMERATORS = "Numerator layout: a derivative by an array is shaped as its transpose."
INDUCTION = (
    "Everything above layer `l+1` is one differentiable function of `z^{l+1}`, so with the equation of the last "
    "layer this one holds for every layer of a network of any depth."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One sample or a batch, columns or rows, gradient or numerator layout."""

    layers: Layers
    standing: Standing

    @property
    def name(self) -> str:
        parts = (self.layers.convention, "batch" * self.batch, "numerator" * self.standing.numerator)
        return "-".join(p for p in parts if p)

    @property
    def said(self) -> str:
        parts = (f"{self.layers.convention}s", "batch" * self.batch, "numerator layout" * self.standing.numerator)
        return ", ".join(p for p in parts if p)

    @property
    def about(self) -> str:
        sample = "A batch of `N` samples, one in each" if self.batch else "One sample, its values in a"
        return f"{sample} {self.layers.convention}. {NUMERATORS if self.standing.numerator else GRADIENT}"

    @property
    def batch(self) -> bool:
        return self.layers.batch is not None


LETTERS = {str(width(LAST)): "ji", str(width(HERE)): "ji", "N": "nm", "": "kpqrs"}  # a unit, one of the layer before
LETTERS_ABOVE = {str(width(ABOVE)): "ij", "N": "nm", "": "kpqrs"}

KINDS = (
    Kind(Layers("column"), COLUMNS),
    Kind(Layers("column"), NUMERATOR),
    Kind(Layers("row"), ROWS),
    Kind(Layers("column", SAMPLES), COLUMNS),
    Kind(Layers("row", SAMPLES), ROWS),
)  # one sample and batches, columns and rows; columns also in the layout of the notes


def activation_jacobian() -> Question:
    """∂y_i/∂z_a = δ_ia f'(z_a): the Jacobian of an activation that acts entry by entry is diagonal."""
    layers = Layers("column")
    y, z = layers.samples("y", None, width(LAST)), layers.z(LAST)
    return Question(
        "activation-jacobian", "The Jacobian of an activation", "One sample, its values in a column.", y, (z,), (z,),
        ((y, Elementwise("f", z)),), letters={"": "iakpq"}, jacobians=True,
    )  # fmt: skip


def last_layer(kind: Kind) -> Question:
    """δ^L = ∂ℒ/∂y ∘ f'(z^L), and from it the gradient by the weights."""
    layers = kind.layers
    y, z, w, a = layers.samples("y", None, width(LAST)), layers.z(LAST), layers.w(LAST), layers.a(BEFORE_LAST)
    return Question(
        f"last-layer-{kind.name}", f"The last layer ({kind.said})", kind.about, y, (w,), (w, a, layers.b(LAST)),
        ((z, layers.forward(LAST)), (y, Elementwise("f", z))), kind.said, {z: layers.delta(LAST)}, (),
        LETTERS, kind.standing,
    )  # fmt: skip


def signal_step(kind: Kind) -> Question:
    """δ^l = (W^{l+1})^T δ^{l+1} ∘ f'(z^l) in columns, δ^l = δ^{l+1} (W^{l+1})^T ∘ f'(z^l) in rows."""
    layers = kind.layers
    z, a, above, w = layers.z(HERE), layers.a(HERE), layers.z(ABOVE), layers.w(ABOVE)
    signals: dict[Leaf, Leaf] = {above: layers.delta(ABOVE), z: layers.delta(HERE)}
    return Question(
        f"signal-step-{kind.name}", f"From the signal of one layer to that of the layer before ({kind.said})",
        f"{kind.about} {INDUCTION}", above, (z,), (w, z, layers.b(ABOVE)),
        ((a, Elementwise("f", z)), (above, layers.forward(ABOVE))), kind.said, signals, (),
        LETTERS_ABOVE, kind.standing,
    )  # fmt: skip


def weights(kind: Kind) -> Question:
    """∂ℒ/∂W^l = δ^l (a^{l-1})^T in columns, (a^{l-1})^T δ^l in rows."""
    return parameter(kind, "weights", kind.layers.w(HERE))


def biases(kind: Kind) -> Question:
    """∂ℒ/∂b^l = δ^l; for a batch its sum over the samples: δ^l 1 in columns, 1^T δ^l in rows."""
    return parameter(kind, "biases", kind.layers.b(HERE))


def parameter(kind: Kind, name: str, variable: Leaf) -> Question:
    layers = kind.layers
    z = layers.z(HERE)
    return Question(
        f"{name}-{kind.name}", f"The gradient by the {name} of a layer ({kind.said})", kind.about, z, (variable,),
        (layers.w(HERE), layers.a(BELOW), layers.b(HERE)), ((z, layers.forward(HERE)),), kind.said,
        {z: layers.delta(HERE)}, (), LETTERS, kind.standing,
    )  # fmt: skip


def of_each_kind(question: Callable[[Kind], Question]) -> tuple[Question, ...]:
    return tuple(map(question, KINDS))
