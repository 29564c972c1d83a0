"""How vectors and gradients stand in an author's formulas: columns or rows, gradient or numerator layout.

A compact form is found for columns and the gradient layout; here it is turned to how the author writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.matrix import (
    UNIT,
    Determinant,
    Diagonal,
    DiagonalOf,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Identity,
    Inverse,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Trace,
    Transpose,
    Zeros,
)
from symbackprop.write.code.contraction import transposed

GRADIENT = "∇"  # begins the name of an array that is the gradient by another


@dataclass(frozen=True, slots=True)
class Standing:
    """`rows`: vectors are rows; `numerator`: ∂s/∂W has the shape of Wᵀ; `paper`: axes of length 1 matter, as on paper.

    `chained`: a Jacobian stands so that the chain rule reads from left to right where gradients are rows, from right
    to left where they are columns; else its rows are those of what is differentiated.
    """

    rows: bool = False
    numerator: bool = False
    paper: bool = False
    chained: bool = False

    @property
    def usual(self) -> bool:
        return not self.rows and not self.numerator

    def is_row(self, gradient: bool) -> bool:
        """A vector, or the gradient by one, stands as a row."""
        return self.rows != (gradient and self.numerator)


@dataclass(frozen=True, slots=True)
class Author:
    """How an author writes.

    `written` has text and LaTeX of names that are not written as they are called, `letters` those of indices by the
    size that they range over ("" for any other), `signals` the names of gradients, by variable.  `jacobians`: of one
    output its Jacobians are asked for, not the gradient that comes from an upstream gradient.  `closed`: gradients of
    inner names that have no signal are put in at the end.  `folds` are names of terms, both as on the page, `cited`
    compact forms whose Jacobian is not worked out again.
    """

    written: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    letters: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, str] = field(default_factory=dict)
    jacobians: bool = False
    closed: bool = False
    folds: Context = EMPTY
    cited: tuple[str, ...] = ()

    def gradient(self, variable: str) -> str:
        """The name of the array that is the gradient by the variable."""
        return self.signals.get(variable, GRADIENT + variable)


def stood(form: Matrix, axes: int, s: Standing) -> Matrix:
    """The form of a gradient by an array of so many axes, as the author writes it."""
    found = turned(form, s)
    flips = s.is_row(True) if axes == 1 else s.numerator
    return flipped(found) if flips else found


def flipped(m: Matrix) -> Matrix:
    """The transpose, part by part."""
    match m:
        case Plus(args):
            return Plus(tuple(map(flipped, args)))
        case Scale(factor, of):
            return Scale(factor, flipped(of))
        case Hadamard(left, right):
            return Hadamard(flipped(left), flipped(right))
        case _:
            return transposed(m)


def jacobian(form: Matrix, s: Standing) -> Matrix:
    """The same for a Jacobian with a row for each entry of what is differentiated."""
    found = turned(form, s)
    return flipped(found) if s.chained and not s.is_row(True) else found


def turned(m: Matrix, s: Standing) -> Matrix:
    """The same value, in arrays that stand as the author's."""
    match m:
        case Leaf(array, "column", (n, _)):
            return Transpose(Leaf(array, "row", (UNIT, n))) if s.is_row(array.name.startswith(GRADIENT)) else m
        case Leaf(array, "matrix", (n, k)) if s.numerator and array.name.startswith(GRADIENT):
            return Transpose(Leaf(array, "matrix", (k, n)))
        case Given() | Leaf():
            return m
        case Scale(factor, of):
            return scaled(factor, turned(of, s))
        case Plus(args):
            return in_front(Plus, [turned(a, s) for a in args])
        case Hadamard(left, right):
            return in_front(lambda x: Hadamard(*x), [turned(left, s), turned(right, s)])
        case Transpose(of):
            return transposed(turned(of, s))
        case Elementwise() | ElementPower():
            return outside(m, turned(m.of, s))
        case Softmax(of, axis):
            inner = turned(of, s)
            return Transpose(Softmax(inner.of, 1 - axis)) if isinstance(inner, Transpose) else Softmax(inner, axis)
        case Diagonal(of):
            inner = turned(of, s)
            return Diagonal(inner.of if isinstance(inner, Transpose) else inner)
        case Product(left, right):
            return Product(turned(left, s), turned(right, s))
        case DiagonalOf(of) | Trace(of) | Inverse(of) | Determinant(of):
            return type(m)(turned(of, s))
        case Ones() | Zeros() | Identity():
            return m
        case _:
            assert_never(m)


def in_front(make: Any, parts: list[Matrix]) -> Matrix:
    """One transpose in front of a sum or a Hadamard product where each part, or all but what has none, is one."""
    if all(isinstance(p, Transpose) or is_transpose(p) for p in parts):
        return Transpose(make(tuple(map(transposed, parts))))
    return make(tuple(parts))  # type: ignore[no-any-return]


def is_transpose(m: Matrix) -> bool:
    return isinstance(m, Scale) and isinstance(m.of, Transpose)


def scaled(factor: Any, of: Matrix) -> Matrix:
    return Transpose(Scale(factor, of.of)) if isinstance(of, Transpose) else Scale(factor, of)


def outside(m: Elementwise | ElementPower, inner: Matrix) -> Matrix:
    """f(zᵀ) as f(z)ᵀ."""
    of = inner.of if isinstance(inner, Transpose) else inner
    made = Elementwise(m.fn, of, m.order) if isinstance(m, Elementwise) else ElementPower(of, m.exponent)
    return Transpose(made) if isinstance(inner, Transpose) else made
