"""The arrays of a dense network of any depth: layers are symbols l, l+1, L, and layer l has n_l units.

`Layers` is the notation of one convention: column (z^l = W^l a^{l-1} + b^l) or row (z^l = a^{l-1} W^l + b^l), for a
single sample or a batch of N.  Distinct labels name distinct arrays only where that is plain (l and l+1), so nothing
here can confuse two layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from symbackprop.core.context import Context
from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.matrix import UNIT, Given, Hadamard, Leaf, Matrix, Ones, Plus, Product, Scale, Transpose
from symbackprop.core.terms import Array, Diff, Entry, Term, Whole, num, whole

from .dense import Convention, weighted_input
from .derivation import At, definition

Layout: TypeAlias = Literal["gradient", "numerator"]

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

    # entries

    def at(self, leaf: Leaf, unit: Index, sample: Index | None = None) -> Entry:
        """The value of a unit (and sample)."""
        if leaf.kind != "matrix":
            return Entry(leaf.array, (unit,))
        assert sample is not None
        return Entry(leaf.array, (unit, sample) if self.columns else (sample, unit))

    def weight(self, leaf: Leaf, to: Index, source: Index) -> Entry:
        """The weight from a unit of the layer before to a unit of this one."""
        return Entry(leaf.array, (to, source) if self.columns else (source, to))

    def slope(self, leaf: Leaf, unit: Index, sample: Index | None = None) -> Term:
        """∂ℒ/∂a of a unit (and sample)."""
        axes = axes_of(leaf)
        at = self.at(leaf, unit, sample).at
        return whole(COST, 1, axes, Entry(leaf.array, axes), at)

    def place(self, form: Matrix, unit: Index, other: Index | None, layout: Layout) -> At:
        """The entry of a form for a unit and the other axis: a sample, a unit of the layer before, or none."""
        other = Index("u", UNIT) if other is None else other
        straight = self.columns == (layout == "gradient")
        return At(form, unit, other) if straight else At(form, other, unit)


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


def derivative_form(cost: Term, leaf: Leaf, layout: Layout = "gradient") -> Given:
    """The matrix of ∂C/∂W_jk: shaped as W in gradient layout, as its transpose in numerator layout."""
    rows, columns = Index("j", leaf.shape[0]), Index("k", leaf.shape[1])
    body = Diff(cost, Entry(leaf.array, at_axes(leaf, rows, columns)))
    return Given(rows, columns, body) if layout == "gradient" else Given(columns, rows, body)


def context(*pairs: tuple[Leaf, Matrix]) -> Context:
    """The context in which each leaf is defined by its form."""
    return Context(dict(definition(leaf, form) for leaf, form in pairs))


def minus(m: Matrix) -> Matrix:
    return Scale(num(-1), m)


def transposed(m: Matrix) -> Matrix:
    """The transpose with (AB)^T = B^T A^T and the like carried out."""
    match m:
        case Transpose(of):
            return of
        case Product(a, b):
            return Product(transposed(b), transposed(a))
        case Hadamard(a, b):
            return Hadamard(transposed(a), transposed(b))
        case Plus(args):
            return Plus(tuple(map(transposed, args)))
        case Scale(factor, of):
            return Scale(factor, transposed(of))
        case Given(row, column, body, name):
            return Given(column, row, body, name)
        case Ones((n, k)):
            return Ones((k, n))
        case _:
            return Transpose(m)
