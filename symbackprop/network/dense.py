"""Dense networks: Z^l = A^{l-1} W^l + b^l, A^l = f(Z^l), and the compact forms of their gradients.

Two conventions: "column" (z = W a + b, one sample per column of a batch) and "row" (z = a W + b, one sample per
row).  Gradients have the shape of what they differentiate by.  The small functions at the top are the equations
themselves, for any layer; `DenseNetwork` writes them down for each layer of one network.  `Layers` is a network of any
depth: layers are symbols l, l+1, L, and layer l has n_l units.  Distinct labels name distinct arrays only where that
is plain (l and l+1), so nothing here can confuse two layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias, TypeVar

from symbackprop.core.indices import Index
from symbackprop.core.matrix import UNIT, Given, Leaf, Matrix, Ones, Plus, Product, Transpose
from symbackprop.core.terms import (
    ONE, Array, Entry, Power, Size, SymbackpropError, Term, Whole, at_least_zero, mul, sized, whole,
)  # fmt: skip
from symbackprop.network.activations import (
    Activation, AnyActivation, Loss, PulledBack, Softmax, activation, applied, cost_form, cost_term, loss,
    needs_targets_sum_one, output_delta, pulled_back,
)  # fmt: skip

T = TypeVar("T")
Convention: TypeAlias = Literal["column", "row"]
Definition: TypeAlias = tuple[Leaf, Matrix]  # the array on the left, what it is on the right

# --- the equations -----------------------------------------------------------------------------


def weighted_input(w: Matrix, a: Matrix, b: Matrix, batch: Size | None, convention: Convention) -> Matrix:
    """Z = W A + b 1^T in columns, Z = A W + 1 b in rows (without the ones for a single sample)."""
    if convention == "column":
        return Plus((Product(w, a), b if batch is None else Product(b, Ones((UNIT, batch)))))
    return Plus((Product(a, w), b if batch is None else Product(Ones((batch, UNIT)), b)))


def signal_before(w_next: Matrix, delta_next: Matrix, convention: Convention) -> Matrix:
    """∂C/∂A^l from layer l+1: (W^{l+1})^T δ^{l+1} in columns, δ^{l+1} (W^{l+1})^T in rows."""
    w = Transpose(w_next)
    return Product(w, delta_next) if convention == "column" else Product(delta_next, w)


def weight_gradient(a_before: Matrix, delta: Matrix, convention: Convention) -> Matrix:
    """∂C/∂W^l: δ^l (A^{l-1})^T in columns, (A^{l-1})^T δ^l in rows."""
    a = Transpose(a_before)
    return Product(delta, a) if convention == "column" else Product(a, delta)


def bias_gradient(delta: Matrix, batch: Size | None, convention: Convention) -> Matrix:
    """∂C/∂b^l: δ^l 1 in columns, 1^T δ^l in rows, δ^l itself for a single sample."""
    if batch is None:
        return delta
    return Product(delta, Ones((batch, UNIT))) if convention == "column" else Product(Ones((UNIT, batch)), delta)


# --- a network ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DenseNetwork:
    """widths[0] inputs, then one width and one activation for each layer; build it with `dense`.

    `batch` is the number of samples, None for a single sample (then inputs and targets are vectors).  The cost is
    the mean over the batch, or with `mean=False` the sum, times `factor`: a learning rate put there comes out of
    every gradient.
    """

    widths: tuple[Size, ...]
    activations: tuple[AnyActivation, ...]
    loss: Loss
    convention: Convention = "row"
    batch: Size | None = None
    mean: bool = True
    factor: Term = ONE

    def __post_init__(self) -> None:
        if len(self.widths) < 2:
            raise SymbackpropError("a network needs at least two widths: inputs and outputs")
        for n in (*self.widths, *(() if self.batch is None else (self.batch,))):
            if not at_least_zero(n - 1):
                raise SymbackpropError(f"a width and a batch size are at least 1, not {n}")
        layers = len(self.widths) - 1
        if len(self.activations) != layers:
            raise SymbackpropError(f"{layers} layers need as many activations, not {len(self.activations)}")
        if self.convention not in ("column", "row"):
            raise SymbackpropError(f"unknown convention {self.convention!r}: column or row")

    @property
    def depth(self) -> int:
        """The number of layers L."""
        return len(self.activations)

    @property
    def sample_axis(self) -> int:
        """The axis along which one sample lies."""
        return 0 if self.convention == "column" else 1

    @property
    def weight(self) -> Term:
        """The factor of the cost before the sum over samples."""
        if self.batch is None or not self.mean:
            return self.factor
        share = Power(self.batch, Fraction(-1))
        return share if self.factor == ONE else mul(self.factor, share)

    # the arrays

    def w(self, l: int) -> Leaf:
        before, here = self.widths[l - 1], self.widths[l]
        return Leaf(Array("W", sized(l)), "matrix", (here, before) if self.convention == "column" else (before, here))

    def b(self, l: int) -> Leaf:
        n = self.widths[l]
        return Leaf(Array("b", sized(l)), self.convention, (n, UNIT) if self.convention == "column" else (UNIT, n))

    def z(self, l: int) -> Leaf:
        return self._samples("z" if self.batch is None else "Z", l, self.widths[l])

    def a(self, l: int) -> Leaf:
        """A^l; A^0 is the input X."""
        return self.x if l == 0 else self._samples("a" if self.batch is None else "A", l, self.widths[l])

    def delta(self, l: int) -> Leaf:
        """δ^l = ∂C/∂Z^l"""
        return self._samples("δ", l, self.widths[l])

    @property
    def x(self) -> Leaf:
        return self._samples("x" if self.batch is None else "X", None, self.widths[0])

    @property
    def t(self) -> Leaf:
        return self._samples("t" if self.batch is None else "T", None, self.widths[-1])

    @property
    def parameters(self) -> tuple[Leaf, ...]:
        """W^1, b^1, W^2, b^2, ..."""
        return tuple(p for l in range(1, self.depth + 1) for p in (self.w(l), self.b(l)))

    # the equations

    def forward(self) -> tuple[Definition, ...]:
        """Z^1, A^1, ..., Z^L, A^L."""
        lines: list[Definition] = []
        for l in range(1, self.depth + 1):
            lines.append((self.z(l), weighted_input(self.w(l), self.a(l - 1), self.b(l), self.batch, self.convention)))
            lines.append((self.a(l), applied(self.activations[l - 1], self.z(l), self.sample_axis)))
        return tuple(lines)

    def deltas(self, back: PulledBack = pulled_back) -> tuple[Definition, ...]:
        """δ^L, ..., δ^1, each from the one before, with `back` from ∂C/∂A to ∂C/∂Z."""
        last, axis = self.depth, self.sample_axis
        z, a, f = self.z(last), self.a(last), self.activations[-1]
        lines = [(self.delta(last), output_delta(self.loss, f, z, a, self.t, self.weight, axis, back))]
        for l in range(last - 1, 0, -1):
            arriving = signal_before(self.w(l + 1), self.delta(l + 1), self.convention)
            lines.append((self.delta(l), back(self.activations[l - 1], self.z(l), self.a(l), arriving, axis)))
        return tuple(lines)

    def gradients(self) -> tuple[Definition, ...]:
        """(W^1, ∂C/∂W^1), (b^1, ∂C/∂b^1), ...: each parameter with the gradient by it."""
        lines: list[Definition] = []
        for l in range(1, self.depth + 1):
            lines.append((self.w(l), weight_gradient(self.a(l - 1), self.delta(l), self.convention)))
            lines.append((self.b(l), bias_gradient(self.delta(l), self.batch, self.convention)))
        return tuple(lines)

    def cost(self) -> Term:
        """C as an index term in the entries of A^L and T."""
        return cost_term(self.loss, self.a(self.depth), self.t, self.weight)

    def cost_form(self) -> Matrix:
        """C as a 1×1 matrix form in A^L and T."""
        return cost_form(self.loss, self.a(self.depth), self.t, self.weight)

    @property
    def needs_targets_sum_one(self) -> bool:
        """Whether δ^L holds only under Σ_k t_k = 1 for each sample."""
        return needs_targets_sum_one(self.loss, self.activations[-1])

    def _samples(self, name: str, label: int | None, n: Size) -> Leaf:
        kind = self.convention if self.batch is None else "matrix"
        size = UNIT if self.batch is None else self.batch
        shape = (n, size) if self.convention == "column" else (size, n)
        return Leaf(Array(name, None if label is None else sized(label)), kind, shape)


def dense(
    widths: Sequence[Size | int | str],
    activations: Sequence[AnyActivation | str],
    loss_function: Loss | str,
    convention: Convention = "row",
    batch: Size | int | str | None = None,
    mean: bool = True,
) -> DenseNetwork:
    """A network from names: dense(("n_0", "n_1", 10), ("tanh", "softmax"), "cross-entropy", batch="N").

    Raises SymbackpropError for an unknown name, a width below 1, or too few or too many activations.
    """
    return DenseNetwork(
        tuple(sized(n) for n in widths),
        tuple(f if isinstance(f, Activation | Softmax) else activation(f) for f in activations),
        loss(loss_function) if isinstance(loss_function, str) else loss_function,
        convention,
        None if batch is None else sized(batch),
        mean,
    )


HERE, LAST = sized("l"), sized("L")  # the layers l and L
SAMPLES = sized("N")
ABOVE, BELOW, BEFORE_LAST = HERE + 1, HERE - 1, LAST - 1

COST = "ℒ"


def width(label: Size) -> Size:
    """n_l, the number of units of layer l: one size symbol for each label."""
    text = str(label)
    return sized(f"n_{text}" if len(text) == 1 else f"n_{{{text}}}")


@dataclass(frozen=True, slots=True)
class Layers:
    convention: Convention
    batch: Size | None = None

    @property
    def columns(self) -> bool:
        return self.convention == "column"

    def w(self, label: Size, before: Size | None = None) -> Leaf:
        here, below = width(label), width(label - 1) if before is None else before
        return Leaf(Array("W", label), "matrix", (here, below) if self.columns else (below, here))

    def b(self, label: Size) -> Leaf:
        n = width(label)
        return Leaf(Array("b", label), self.convention, (n, UNIT) if self.columns else (UNIT, n))

    def z(self, label: Size) -> Leaf:
        return self.samples("z", label, width(label))

    def a(self, label: Size) -> Leaf:
        return self.samples("a", label, width(label))

    def delta(self, label: Size) -> Leaf:
        return self.samples("δ", label, width(label))

    def samples(self, name: str, label: Size | None, n: Size) -> Leaf:
        """One value for each unit, and for each sample of a batch (then with a capital letter)."""
        if self.batch is None:
            return Leaf(Array(name, label), self.convention, (n, UNIT) if self.columns else (UNIT, n))
        name = name.upper() if name.isascii() else name
        return Leaf(Array(name, label), "matrix", (n, self.batch) if self.columns else (self.batch, n))

    def forward(self, label: Size) -> Matrix:
        """Z^l in terms of layer l-1."""
        return weighted_input(self.w(label), self.a(label - 1), self.b(label), self.batch, self.convention)


# --- losses and their derivatives as forms -----------------------------------------------------


def axes_of(leaf: Leaf) -> tuple[Index, ...]:
    """Letters for the axes: m for samples, i for units."""
    return at_axes(leaf, *rows_and_columns(leaf))


def rows_and_columns(leaf: Leaf) -> tuple[Index, Index]:
    rows, columns = (Index("m" if n == SAMPLES else "i", n) for n in leaf.shape)
    return (rows, columns) if rows.name != columns.name else (rows, Index("k", columns.size))


def at_axes(leaf: Leaf, row: T, column: T) -> tuple[T, ...]:
    """What belongs to the axes that the array has, of what belongs to rows and columns."""
    return {"matrix": (row, column), "column": (row,), "row": (column,), "scalar": ()}[leaf.kind]


def loss_of(leaf: Leaf, name: str = COST) -> Whole:
    """The rest of the network as an abstract differentiable function of all entries of an array."""
    axes = axes_of(leaf)
    return whole(name, 0, axes, Entry(leaf.array, axes), ())


def slope_form(leaf: Leaf, name: str = COST) -> Given:
    """The matrix of ∂ℒ/∂A_ij, shaped as A."""
    rows, columns = rows_and_columns(leaf)
    axes = axes_of(leaf)
    return Given(rows, columns, whole(name, 1, axes, Entry(leaf.array, axes), axes))
