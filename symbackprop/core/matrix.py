"""Matrix forms, and what they mean: `entry(m, i, j)` is the index term of an entry.

A closed union of the operations that backpropagation is written in.  Every form has a shape
(rows, columns); constructors through the small functions below check that shapes conform.
`entry` is the definition of the notation, so it is trusted.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias, assert_never

from .indices import Index, IndexExpr, Node, ProofError, Size, affine, node, sized
from .terms import (
    Add, Apply, Array, Delta, Entry, Mul, Ordinal, Power, Term, dummy, free, keep_apart, num, over, substitute, whole,
)  # fmt: skip


@node
class Leaf(Node):
    """A declared array.  A vector stands as a column (n x 1) or as a row (1 x n), a scalar as 1 x 1.

    `kind` is "matrix" (two axes), "column", "row" (one axis) or "scalar" (none).
    """

    array: Array
    kind: str
    shape: tuple[Size, Size]


@node
class Given(Node):
    """A matrix by its entries: (row, column) -> body.  How gradients and Jacobians enter."""

    row: Index
    column: Index
    body: Term
    name: str = ""

    @property
    def shape(self) -> tuple[Size, Size]:
        return (self.row.size, self.column.size)


@node
class Product(Node):
    left: Matrix
    right: Matrix


@node
class Hadamard(Node):
    left: Matrix
    right: Matrix


@node
class Plus(Node):
    args: tuple[Matrix, ...]


@node
class Scale(Node):
    """A number, a size power or a scalar term times a matrix."""

    factor: Term
    of: Matrix


@node
class Transpose(Node):
    of: Matrix


@node
class Elementwise(Node):
    """fn, or its derivative of some order, at each entry."""

    fn: str
    of: Matrix
    order: int = 0


@node
class ElementPower(Node):
    """Each entry to a rational power (Hadamard power)."""

    of: Matrix
    exponent: Fraction


@node
class Diagonal(Node):
    """diag of a column or a row: the square matrix with it on the diagonal."""

    of: Matrix


@node
class DiagonalOf(Node):
    """The diagonal of a square matrix, as a column."""

    of: Matrix


@node
class Trace(Node):
    of: Matrix


@node
class Inverse(Node):
    of: Matrix


@node
class Determinant(Node):
    of: Matrix


@node
class Ones(Node):
    shape: tuple[Size, Size]


@node
class Zeros(Node):
    shape: tuple[Size, Size]


@node
class Identity(Node):
    size: Size


@node
class Softmax(Node):
    """e^{z} over its sum: along each column (axis 0, column convention) or each row (axis 1)."""

    of: Matrix
    axis: int


Matrix: TypeAlias = (
    Leaf | Given | Product | Hadamard | Plus | Scale | Transpose | Elementwise | ElementPower | Diagonal | DiagonalOf
    | Trace | Inverse | Determinant | Ones | Zeros | Identity | Softmax
)  # fmt: skip

UNIT = sized(1)
ZERO_INDEX: IndexExpr = affine(0, ())  # the only index of an axis of size 1


class ShapeError(ProofError):
    """Shapes that do not conform."""


def shape(m: Matrix) -> tuple[Size, Size]:
    """(rows, columns).  Raises ShapeError, naming the operation, where operands do not conform."""
    match m:
        case Leaf(array, kind, (n, k)):
            fits = {"matrix": True, "column": k == UNIT, "row": n == UNIT, "scalar": (n, k) == (UNIT, UNIT)}
            conform(fits.get(kind, False), f"{array} of {n}×{k} is no {kind}")
            return (n, k)
        case Ones(s) | Zeros(s):
            return s
        case Given():
            return m.shape
        case Product(a, b):
            (n, k), (r, p) = shape(a), shape(b)
            conform(k == r, f"product of {n}×{k} and {r}×{p}")
            return (n, p)
        case Hadamard(a, b):
            s, t = shape(a), shape(b)
            conform(s == t, f"Hadamard product of {s[0]}×{s[1]} and {t[0]}×{t[1]}")
            return s
        case Plus(args):
            conform(bool(args), "a sum of no matrices")
            first = shape(args[0])
            for other in map(shape, args[1:]):
                conform(first == other, f"sum of {first[0]}×{first[1]} and {other[0]}×{other[1]}")
            return first
        case Softmax(of, axis):
            conform(axis in (0, 1), f"softmax along axis {axis} of a matrix")
            return shape(of)
        case Scale(_, of) | Elementwise(_, of) | ElementPower(of):
            return shape(of)
        case Transpose(of):
            n, k = shape(of)
            return (k, n)
        case Diagonal(of):
            n, k = shape(of)
            conform(UNIT in (n, k), f"diag of {n}×{k}: a column or a row is needed")
            return (n, n) if k == UNIT else (k, k)
        case DiagonalOf(of) | Trace(of) | Inverse(of) | Determinant(of):
            n, k = shape(of)
            conform(n == k, f"{type(m).__name__.lower()} of {n}×{k}: a square matrix is needed")
            return {DiagonalOf: (n, UNIT), Inverse: (n, n)}.get(type(m), (UNIT, UNIT))
        case Identity(n):
            return (n, n)
        case _:
            assert_never(m)


def conform(condition: bool, what: str) -> None:
    if not condition:
        raise ShapeError(f"shapes do not conform: {what}")


def times(a: Term, b: Term) -> Term:
    """a b as one product, so that A B C reads as a row of factors."""
    left = a.args if isinstance(a, Mul) else (a,)
    right = b.args if isinstance(b, Mul) else (b,)
    return Mul((*left, *right))


def entry(m: Matrix, i: IndexExpr, j: IndexExpr) -> Term:
    """The entry in row i and column j, as an index term.  Raises ShapeError where operands do not conform."""
    shape(m)
    keep_apart(k.name for t in (Ordinal(i), Ordinal(j), *scalars(m)) for k in free(t))
    return meaning(m, i, j)


def scalars(m: Matrix) -> list[Term]:
    """The index terms in a matrix, whose free indices no dummy may be called like."""
    match m:
        case Given(_, _, body):
            return [body]
        case Scale(factor, of):
            return [factor, *scalars(of)]
        case Product(a, b) | Hadamard(a, b):
            return scalars(a) + scalars(b)
        case Plus(args):
            return [t for a in args for t in scalars(a)]
        case Leaf() | Ones() | Zeros() | Identity():
            return []
        case _:
            return scalars(m.of)


def meaning(m: Matrix, i: IndexExpr, j: IndexExpr) -> Term:
    """The entry of a matrix whose shapes conform."""
    match m:
        case Leaf(array, kind, _):
            at: dict[str, tuple[IndexExpr, ...]] = {"matrix": (i, j), "column": (i,), "row": (j,), "scalar": ()}
            return Entry(array, at[kind])
        case Given(row, column, body):
            return substitute(body, {row: i, column: j})
        case Product(a, b):
            inner = shape(a)[1]
            if inner == UNIT:  # an outer product: no sum to show
                zero = ZERO_INDEX
                return times(meaning(a, i, zero), meaning(b, zero, j))
            k = dummy(inner)
            return over(k, times(meaning(a, i, k), meaning(b, k, j)))
        case Hadamard(a, b):
            return times(meaning(a, i, j), meaning(b, i, j))
        case Plus(args):
            return Add(tuple(meaning(a, i, j) for a in args))
        case Scale(factor, of):
            return times(factor, meaning(of, i, j))
        case Transpose(of):
            return meaning(of, j, i)
        case Elementwise(fn, of, order):
            return Apply(fn, meaning(of, i, j), order)
        case ElementPower(of, exponent):
            return Power(meaning(of, i, j), exponent)
        case Diagonal(of):
            value = meaning(of, i, ZERO_INDEX) if shape(of)[1] == UNIT else meaning(of, ZERO_INDEX, i)
            return times(value, Delta(i, j))
        case DiagonalOf(of):
            return meaning(of, i, i)
        case Trace(of):
            k = dummy(shape(of)[0])
            return over(k, meaning(of, k, k))
        case Inverse(of):
            p, q = dummy(shape(of)[0], "p"), dummy(shape(of)[1], "q")
            return whole("inv", 0, (p, q), meaning(of, p, q), (i, j))
        case Determinant(of):
            p, q = dummy(shape(of)[0], "p"), dummy(shape(of)[1], "q")
            return whole("det", 0, (p, q), meaning(of, p, q), ())
        case Ones():
            return num(1)
        case Zeros():
            return num(0)
        case Identity():
            return Delta(i, j)
        case Softmax(of, axis):
            k = dummy(shape(of)[axis])
            total = over(k, Apply("exp", meaning(of, k, j) if axis == 0 else meaning(of, i, k)))
            return Mul((Apply("exp", meaning(of, i, j)), Power(total, Fraction(-1))))
        case _:
            assert_never(m)
