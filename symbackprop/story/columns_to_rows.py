"""From columns to rows: the equations of the column convention, transposed.

In the row convention a batch has a sample in each row, Z = A W + 1 b.  Nothing new is differentiated here: row arrays
are defined as the transposes of column arrays (marked with an index r), and the column theorems are carried over.
The entries of W_r are those of W, so the derivatives by them are the same numbers, arranged as the transpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.kernel import Proof
from symbackprop.core.matrix import Elementwise, Hadamard, Leaf, Matrix, Transpose, entry
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Term
from symbackprop.network.dense import (
    ABOVE, BELOW, HERE, SAMPLES, Layers, bias_gradient, signal_before, weight_gradient, weighted_input, width,
)  # fmt: skip
from symbackprop.network.theorems import Theorem, definition, settled
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined
from symbackprop.write.program.notation import flipped

from .questions import KINDS
from .questions import biases as columns_of_biases
from .questions import signal_step as columns_of_signals
from .questions import weights as columns_of_weights
from .told import Both, Question, Told, both, matrices, of_forms, partials, told

COLUMNS = Layers("column", SAMPLES)
OF_COLUMNS = KINDS[3]
ABOUT = (
    "A batch of `N` samples. Arrays marked `r` belong to the row convention: they are the transposes of those of the "
    "column convention, and a derivative by an array is shaped as the array."
)
SWAPPED = "a transposed product is the product of the transposes, swapped"
MARKED = "the row arrays are the transposes"
THEOREM = "the theorem of the column convention, transposed"


def row_of(leaf: Leaf) -> Leaf:
    """The array of the row convention: its name marked, its shape turned."""
    kind = "row" if leaf.kind == "column" else leaf.kind
    return Leaf(Array(f"{leaf.array.name}_r", leaf.array.label), kind, (leaf.shape[1], leaf.shape[0]))


def forward() -> Told:
    """Z_r = A_r W_r + 1 b_r is the transpose of Z = W A + b 1^T."""
    z, w, a, b = COLUMNS.z(HERE), COLUMNS.w(HERE), COLUMNS.a(BELOW), COLUMNS.b(HERE)
    meant, form = COLUMNS.forward(HERE), weighted_input(row_of(w), row_of(a), row_of(b), SAMPLES, "row")
    forms = [(Transpose(z), "the row array is the transpose"), (Transpose(meant), "the forward pass in columns"),
             (flipped(meant), SWAPPED), (form, MARKED)]  # fmt: skip
    n, j = Index("n", SAMPLES), Index("j", width(HERE))
    context = Context(dict([definition(z, meant), *rows(z, w, a, b)]))
    start = entry(row_of(z), n, j)
    theorem = Theorem("forward", context, *settled(chained(start, forms, (n, j), context), context))
    setting = ((matrices(z), matrices(meant)), *shown(z, w, a, b))
    return carried("forward", "The forward pass", both(row_of(z).array), matrices(row_of(z)), forms, setting, theorem)


def signal_step() -> Told:
    """δ_r^l = δ_r^{l+1} (W_r^{l+1})^T ∘ f'(Z_r^l)."""
    z, delta, w = COLUMNS.z(HERE), COLUMNS.delta(ABOVE), COLUMNS.w(ABOVE)
    known = Hadamard(signal_before(w, delta, "column"), Elementwise("f", z, 1))
    form = Hadamard(signal_before(row_of(w), row_of(delta), "row"), Elementwise("f", row_of(z), 1))
    return of_theorem("signal-step", "The signals", columns_of_signals(OF_COLUMNS), z, known, form, (z, delta, w))


def weights() -> Told:
    """∂ℒ/∂W_r = A_r^T δ_r."""
    a, delta, w = COLUMNS.a(BELOW), COLUMNS.delta(HERE), COLUMNS.w(HERE)
    known, form = weight_gradient(a, delta, "column"), weight_gradient(row_of(a), row_of(delta), "row")
    title = "The gradient by the weights"
    return of_theorem("weights", title, columns_of_weights(OF_COLUMNS), w, known, form, (a, delta, w))


def biases() -> Told:
    """∂ℒ/∂b_r = 1^T δ_r."""
    delta, b = COLUMNS.delta(HERE), COLUMNS.b(HERE)
    known, form = bias_gradient(delta, SAMPLES, "column"), bias_gradient(row_of(delta), SAMPLES, "row")
    return of_theorem("biases", "The gradient by the biases", columns_of_biases(OF_COLUMNS), b, known, form, (delta, b))


# --- pieces ------------------------------------------------------------------------------------


def of_theorem(
    name: str, title: str, question: Question, by: Leaf, known: Matrix, form: Matrix, turned: Sequence[Leaf]
) -> Told:
    """The theorem of the column convention, its form transposed to that of the row convention."""
    columns = told(question)
    (theorem,) = columns.theorems
    forms = [(Transpose(known), THEOREM), (flipped(known), SWAPPED), (form, MARKED)]
    start = theorem.equation.lhs
    assert isinstance(start, Diff)
    at = tuple(i for i in start.wrt.at if isinstance(i, Index))
    row, column = at if len(at) == 2 else (at[0], Index("u", by.shape[1]))
    context = Context({**theorem.context.definitions, **dict(rows(*turned))})
    rest = chained(theorem.equation.rhs, forms, (column, row), context)
    carrying = Theorem(name, context, *settled(joined(theorem.proof, rest), context))
    gradient = partials(both(by.array))
    return carried(name, title, both(by.array), (f"({gradient[0]})^T", rf"\left({gradient[1]}\right)^{{\mathsf{{T}}}}"),
                   forms, (*columns.setting, *shown(*turned)), carrying)  # fmt: skip


def chained(start: Term, forms: Sequence[tuple[Matrix, str]], at: tuple[Index, Index], context: Context) -> Proof:
    """start = the entry of each form in turn."""
    proofs, before = [], start
    for form, reason in forms:
        found = prove_equal(before, entry(form, *at), context)
        if found is None:
            raise SymbackpropError(f"not proved: {reason}")
        proofs.append(found[0])
        before = entry(form, *at)
    return joined(*proofs)


def carried(
    name: str, title: str, by: Both, left: Both, forms: Sequence[tuple[Matrix, str]],
    setting: tuple[tuple[Both, Both], ...], theorem: Theorem,
) -> Told:  # fmt: skip
    passage = of_forms(by, left, forms)
    last = passage.lines[-1]
    said = f"{left[0]} = {last.right}", f"{left[1]} = {last.latex_right}"
    return Told(f"transpose-{name}", f"{title} carried from columns to rows", ABOUT, "", setting, (passage,), (said,),
                (theorem,))  # fmt: skip


def rows(*leaves: Leaf) -> list[tuple[Array, Tensor]]:
    return [definition(row_of(leaf), Transpose(leaf)) for leaf in leaves]


def shown(*leaves: Leaf) -> list[tuple[Both, Both]]:
    return [(matrices(row_of(leaf)), matrices(Transpose(leaf))) for leaf in leaves]
