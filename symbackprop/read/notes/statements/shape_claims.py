"""Statements about shapes: a ~ n × 1, (1 × n)(n × m) = 1 × m, ∂L/∂W ~ W^T, b ~ row vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbackprop.core.indices import affine
from symbackprop.core.matrix import UNIT, entry
from symbackprop.core.terms import Size, Term, sized

from ..declared.sizes import Dims, Match, shown_dims
from ..files.place import ReadError, Unsettled
from ..grammar.tree import Dots, Expr, Hadamard, Matrix, Product, Quotient, Reals, Shape, ShapeWord, Symbol, Transpose
from ..grammar.walking import walk
from ..meaning.ranges import constant
from ..meaning.values import Mat, Tensor3, Value, as_scalar

if TYPE_CHECKING:
    from ..meaning.elaborate import Elaborator
    from .statements import Reading


@dataclass(frozen=True, slots=True)
class ShapeJudgement:
    """Whether a statement about shapes holds; what the shape is; under which conditions."""

    holds: bool
    message: str
    conditions: tuple[str, ...] = ()


def judge(reading: Reading, e: Elaborator) -> ShapeJudgement:
    assert reading.lhs is not None
    match = Match(e.sizes)
    if reading.rhs is None:
        found = dims_of(reading.lhs, e, match)
        return ShapeJudgement(True, f"this is {shown_dims(found)}", (*match.conditions, *e.algebra.readings))
    if isinstance(reading.rhs, Matrix):
        return picture(reading.lhs, reading.rhs, e)
    actual = dims_of(reading.lhs, e, match)
    if isinstance(reading.rhs, ShapeWord):
        word = reading.rhs.word
        fits = fits_word(actual, word)
        return ShapeJudgement(
            fits, f"this is {shown_dims(actual)}" + ("" if fits else f", no {word}"), tuple(e.algebra.readings)
        )
    claimed = dims_of(reading.rhs, e, match)
    if len(claimed) == 1 and len(actual) == 2 and UNIT in actual:  # y ~ n: a vector of n
        actual = tuple(a for a in actual if a != UNIT) or (UNIT,)
    fits = match.same(actual, claimed) or match.same(claimed, actual)
    table = reading.declarations
    names = {n for d in (*actual, *claimed) if isinstance(d, Size) for n in d.symbols}
    vague = sorted(names & {*table.fresh, *table.arrays}) if table.inferred and not fits else []
    if vague:
        raise Unsettled(f"this is {shown_dims(actual)}, and how large {vague[0]} is stands nowhere", reading.span)
    message = f"this is {shown_dims(actual)}" + ("" if fits else f", not {shown_dims(claimed)}")
    if not fits and actual == claimed[::-1]:
        message += ": transposed?"
    conditions = (*match.conditions, *e.algebra.readings) if fits else ()
    return ShapeJudgement(fits, message, conditions)


def fits_word(actual: Dims, word: str) -> bool:
    if word == "scalar":
        return actual in ((), (UNIT, UNIT))
    if len(actual) != 2:
        return word == "vector" and len(actual) == 1
    row, column = actual[0] == UNIT, actual[1] == UNIT
    return {"row": row, "column": column, "vector": row or column, "matrix": True}[word]


def dims_of(node: Expr, e: Elaborator, match: Match) -> Dims:
    """The shape that is written, or the shape of a value."""
    match node:
        case Shape():
            return e.sizes.dims(node)
        case Reals(shape):
            return () if shape is None else e.sizes.dims(shape)
        case ShapeWord("scalar"):
            return ()
        case Matrix(rows) if any(isinstance(c, Dots) for row in rows for c in row):
            return picture_dims(node, e)
        case Transpose(arg) if is_shape(arg):
            return dims_of(arg, e, match)[::-1]
        case Product(args) if any(is_shape(a) for a in args) and not all(size_only(a, e) for a in args):
            return product([(dims_of(a, e, match), a) for a in args], match)
        case Hadamard(args) if any(is_shape(a) for a in args):
            first = dims_of(args[0], e, match)
            for a in args[1:]:
                other = dims_of(a, e, match)
                if not (match.same(first, other) or match.same(other, first)):
                    raise ReadError(f"Hadamard of {shown_dims(first)} and {shown_dims(other)}", a.span)
            return first
        case Quotient(_, bottom) if is_shape(bottom):
            raise ReadError("a quotient of shapes is no shape", node.span)
        case _ if size_only(node, e):
            return (e.sizes.size(node),)
        case _:
            return shape_of(e.together(node)[0])


def shape_of(v: Value) -> Dims:
    match v:
        case Mat():
            return v.shape
        case Tensor3(out, row, column, _):
            return (out.size, (row.size, column.size))
        case _:
            return ()


def is_shape(node: Expr) -> bool:
    match node:
        case Shape() | Reals() | Matrix():
            return True
        case Transpose(arg):
            return is_shape(arg)
        case Product(args) | Hadamard(args):
            return any(is_shape(a) for a in args)
        case _:
            return False


def size_only(node: Expr, e: Elaborator) -> bool:
    return constant(node, e.decl) and not any(isinstance(n, Quotient) for n in walk(node))


def product(parts: list[tuple[Dims, Expr]], match: Match) -> Dims:
    """(a × b)(b × c) … from left to right."""
    first, _ = parts[0]
    for other, node in parts[1:]:
        if len(first) == 1 and len(other) == 1:  # (n) × (m)
            first = (*first, *other)
            continue
        if len(first) != 2 or len(other) != 2:
            raise ReadError(f"product of {shown_dims(first)} and {shown_dims(other)}", node.span)
        if not match.one(first[1], other[0]) and not match.one(other[0], first[1]):
            raise ReadError(f"product of {shown_dims(first)} and {shown_dims(other)}", node.span)
        first = (first[0], other[1])
    return first


# --- a picture of a matrix -------------------------------------------------------------------


def picture(lhs: Expr, rows: Matrix, e: Elaborator) -> ShapeJudgement:
    """∂y/∂x ~ (∂y_1/∂x_1 … ∂y_1/∂x_m; …): the entries shown stand where the array has them."""
    cells = rows.rows
    if any(len(r) != len(cells[0]) for r in cells):
        raise ReadError("the rows of this matrix have different lengths", rows.span)
    (value,) = e.together(lhs)
    if not isinstance(value, Mat):
        raise ReadError("a matrix is set beside something that is none", rows.span)
    n, m = value.shape
    height, width = len(cells), len(cells[0])
    for r, row in enumerate(cells):
        for c, cell in enumerate(row):
            if isinstance(cell, Dots):
                continue
            i, j = place(r, height, n, dotted_rows(cells)), place(c, width, m, dotted_columns(cells))
            if i is None or j is None:
                raise Unsettled("which entry this is cannot be told among the dots", cell.span)
            if entry(value.form, affine(i, ()), affine(j, ())) != cell_term(cell, e):
                return ShapeJudgement(False, "the entries shown stand elsewhere in this array: the other layout?")
    return ShapeJudgement(True, f"this is {shown_dims(value.shape)}", tuple(e.algebra.readings))


def picture_dims(rows: Matrix, e: Elaborator) -> Dims:
    """The shape of a picture with dots: behind the dots the last entry's subscript says how far they go."""
    cells = rows.rows

    def count(shown: int, dotted: bool, last: list[Expr]) -> Size:
        if not dotted:
            return sized(shown)
        found = {e.sizes.size(s) for c in last for s in walk(c) if isinstance(s, Symbol) and size_only(s, e)}
        if len(found) != 1:
            raise Unsettled("how far the dots go cannot be told", rows.span)
        return next(iter(found))

    height = count(len(cells), dotted_rows(cells), list(cells[-1]))
    return height, count(len(cells[0]), dotted_columns(cells), [row[-1] for row in cells])


def cell_term(cell: Expr, e: Elaborator) -> Term:
    term = as_scalar(e.together(cell)[0])
    if term is None:
        raise ReadError("an entry of a matrix that is no number", cell.span)
    return term


def place(k: int, count: int, size: Size, dotted: bool) -> Size | int | None:
    """The position of the k-th row shown: from the front, or, last of all behind dots, from the back."""
    if not dotted:
        return k
    if k == count - 1:
        return size - 1
    return k if k < count - 2 else None


def dotted_rows(cells: tuple[tuple[Expr, ...], ...]) -> bool:
    return any(all(isinstance(c, Dots) for c in row) for row in cells)


def dotted_columns(cells: tuple[tuple[Expr, ...], ...]) -> bool:
    return any(all(isinstance(row[c], Dots) for row in cells) for c in range(len(cells[0])))
