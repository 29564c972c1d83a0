"""The arrays of a dense network of any depth: layers are symbols l, l+1, L, and layer l has n_l units.

`Layers` is the notation of one convention: column (z^l = W^l a^{l-1} + b^l) or row (z^l = a^{l-1} W^l + b^l), for a
single sample or a batch of N.  Distinct labels name distinct arrays only where that is plain (l and l+1), so nothing
here can confuse two layers.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.matrix import UNIT, Given, Leaf, Matrix
from symbackprop.core.terms import Array, Entry, Whole, whole

from .dense import Convention, weighted_input

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


def at_axes(leaf: Leaf, row: Index, column: Index) -> tuple[Index, ...]:
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
