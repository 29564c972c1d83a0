"""From columns to rows: the equations of the column convention, transposed.

In the row convention a batch has a sample in each row, Z = A W + 1 b.  Nothing new is differentiated here: row arrays
are defined as the transposes of column arrays (marked with an index r), and the column theorems are carried over.
The entries of W_r are those of W, so the derivatives by them are the same numbers, arranged as the transpose.
"""

from __future__ import annotations

from symbackprop.core.context import Context
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Proof
from symbackprop.core.matrix import Elementwise, Given, Hadamard, Leaf, Matrix, Transpose
from symbackprop.core.terms import Array, Diff
from symbackprop.prove.normal_form.session import joined

from ..dense import Definition, bias_gradient, signal_before, weight_gradient, weighted_input
from ..derivation import At, Derivation, Draft
from ..layers import ABOVE, BELOW, HERE, SAMPLES, Layers, context, derivative_form, transposed, width
from . import layer

COLUMNS = Layers("column", SAMPLES)
ROWS = Layers("row", SAMPLES)
ABOUT = (
    "A batch of `N` samples. Arrays marked `r` belong to the row convention: they are the transposes of those of the "
    "column convention, and a derivative by an array is shaped as the array."
)
SWAPPED = "a transposed product is the product of the transposes, swapped"


def row_of(leaf: Leaf) -> Leaf:
    """The array of the row convention: its name marked, its shape turned."""
    kind = "row" if leaf.kind == "column" else leaf.kind
    return Leaf(Array(f"{leaf.array.name}_r", leaf.array.label), kind, (leaf.shape[1], leaf.shape[0]))


def marked(*leaves: Leaf) -> tuple[Definition, ...]:
    return tuple((row_of(leaf), Transpose(leaf)) for leaf in leaves)


def forward() -> Derivation:
    """Z_r = A_r W_r + 1 b_r is the transpose of Z = W A + b 1^T."""
    z, w, a, b = COLUMNS.z(HERE), COLUMNS.w(HERE), COLUMNS.a(BELOW), COLUMNS.b(HERE)
    rows = marked(z, w, a, b)
    setting = ((z, COLUMNS.forward(HERE)), *rows)
    form = weighted_input(row_of(w), row_of(a), row_of(b), SAMPLES, "row")
    n, j = Index("n", SAMPLES), Index("j", width(HERE))
    return (
        Draft(At(row_of(z), n, j), context(*setting))
        .equal(At(Transpose(z), n, j), "the row array is the transpose")
        .equal(At(Transpose(COLUMNS.forward(HERE)), n, j), "the forward pass in columns")
        .equal(At(transposed(COLUMNS.forward(HERE)), n, j), SWAPPED)
        .equal(At(form, n, j), "the row arrays are the transposes")
        .finished("transpose-forward", "The forward pass carried from columns to rows", ABOUT, setting,
                  (row_of(z), form))
    )  # fmt: skip


def signal_step() -> Derivation:
    """δ_r^l = δ_r^{l+1} (W_r^{l+1})^T ∘ f'(Z_r^l)."""
    known = layer.signal_step(COLUMNS)
    z, delta, w = COLUMNS.z(HERE), COLUMNS.delta(ABOVE), COLUMNS.w(ABOVE)
    form = Hadamard(signal_before(row_of(w), row_of(delta), "row"), Elementwise("f", row_of(z), 1))
    return carried(known, "transpose-signal-step", "The signals carried from columns to rows",
                   marked(z, delta, w), form, Index("k", width(HERE)), Index("n", SAMPLES))  # fmt: skip


def weights() -> Derivation:
    """∂ℒ/∂W_r = A_r^T δ_r."""
    known = layer.weights(COLUMNS)
    a, delta, w = COLUMNS.a(BELOW), COLUMNS.delta(HERE), COLUMNS.w(HERE)
    form = weight_gradient(row_of(a), row_of(delta), "row")
    return carried(known, "transpose-weights", "The gradient by the weights carried from columns to rows",
                   marked(a, delta, w), form, Index("j", width(HERE)), Index("k", width(BELOW)))  # fmt: skip


def biases() -> Derivation:
    """∂ℒ/∂b_r = 1^T δ_r."""
    known = layer.biases(COLUMNS)
    delta, b = COLUMNS.delta(HERE), COLUMNS.b(HERE)
    form = bias_gradient(row_of(delta), SAMPLES, "row")
    claimed = derivative_form(known.lines[0].term.body, b)  # type: ignore[union-attr]
    return carried(known, "transpose-biases", "The gradient by the biases carried from columns to rows",
                   marked(delta, b), form, Index("j", width(HERE)), claimed.column)  # fmt: skip


# --- pieces ------------------------------------------------------------------------------------


def carried(
    known: Derivation, name: str, title: str, rows: tuple[Definition, ...], form: Matrix, unit: Index, other: Index
) -> Derivation:
    """The claim of a column theorem transposed: Given^T = form^T = the form of the row convention."""
    assert known.claim is not None
    lhs, rhs = known.claim.lhs, known.claim.rhs
    assert isinstance(lhs, Given) and isinstance(lhs.body, Diff)
    here = Context({**known.context.definitions, **context(*rows).definitions})
    turned = Given(lhs.column, lhs.row, lhs.body)
    proofs: list[Proof] = [line.proof for line in known.lines if line.proof is not None]
    draft = Draft(known.lines[0].term, here)
    draft.add(At(Transpose(rhs), other, unit), joined(*proofs), "the theorem of the column convention, transposed")
    draft.equal(At(transposed(rhs), other, unit), SWAPPED)
    draft.equal(At(form, other, unit), "the row arrays are the transposes")
    setting = (*known.setting, *rows)
    return draft.finished(name, title, ABOUT, setting, (turned, form))


FACTS = (forward, signal_step, weights, biases)
