"""Derivatives of numbers and arrays by numbers and arrays, laid out as the section says (see `elaborate`)."""

from __future__ import annotations

from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.matrix import UNIT, Given, entry
from symbackprop.core.terms import Diff, Entry, Size, Term, dummy

from ..files.place import ReadError, Span, Unsettled
from ..grammar.tree import Entry as EntryExpr
from ..grammar.tree import Expr, Symbol
from ..grammar.walking import walk
from .definitions import array_of, plain
from .meaning import Meaning
from .values import ONE_ENTRY, Mat, Scalar, Tensor3, Value, as_scalar, dummies, vector_entry


class ManyAxes(Unsettled):
    """A derivative with more indices than a matrix has."""


def derivative(e: Meaning, body: Expr, wrt: tuple[Expr, ...], span: Span, layout: str) -> Value:
    for v in wrt:
        variable = v.base if isinstance(v, EntryExpr) else v
        if not isinstance(variable, Symbol):
            raise e.fail("the derivative is by something that is no variable", v.span)
        symbol = array_of(variable, e.decl)
        if symbol is None:
            raise e.fail("the derivative is by a size", v.span)
        if e.model.inlined(variable) is not None:
            raise Unsettled(f"a derivative by {variable.name}, which is a derivative itself, is not supported", v.span)
        if not e.only_shapes:
            connected(e, body, variable, span)
    of = e.value(body)
    by = [e.value(v) for v in wrt]
    if len(by) == 1:
        return first(e, of, by[0], span, layout)
    if len(by) == 2 and isinstance(of, Mat) and as_scalar(of) is None and all(isinstance(v, Scalar) for v in by):
        return first(e, first(e, of, by[0], span, layout), by[1], span, layout)
    if len(by) == 2:
        return second(of, by, span)
    raise Unsettled(f"a derivative of order {len(by)} is not supported", span)


def connected(e: Meaning, body: Expr, variable: Symbol, span: Span) -> None:
    """Refuse ∂y/∂z where no definition says how y depends on z: it would silently be 0."""
    key = plain(variable)
    found = False
    for s in {plain(n) for n in walk(body) if isinstance(n, Symbol) and array_of(n, e.decl) is not None}:
        if s.name == key.name or e.model.depends(s, key) or e.model.inlined(s) is not None:
            found = True
        elif s.label is not None and e.model.behind(s):
            before = key.label is not None and s.label.base == key.label.base and s.label.shift < key.label.shift
            if not before:
                raise Unsettled(
                    f"how {s.name} at {s.label} depends on {variable.name} is not settled by the definitions", span
                )
    if not found:
        of = body.base if isinstance(body, EntryExpr) else body
        shown = f"{of.name} depends" if isinstance(of, Symbol) else "this depends"
        raise Unsettled(f"nothing says how {shown} on {variable.name}: is a definition missing?", span)


def entry_of(v: Value, i: IndexExpr, j: IndexExpr, span: Span) -> Entry:
    term = v.term if isinstance(v, Scalar) else entry(v.form, i, j) if isinstance(v, Mat) else None
    if not isinstance(term, Entry):
        raise ReadError("the derivative is by something that is no variable", span)
    return term


def first(e: Meaning, of: Value, by: Value, span: Span, layout: str) -> Value:
    body = as_scalar(of)
    if isinstance(by, Scalar):
        variable = entry_of(by, *ONE_ENTRY, span)
        if body is not None:
            return Scalar(Diff(body, variable))
        if isinstance(of, Mat):
            if layout != "numerator" and not e.decl.inferred:
                raise Unsettled(
                    "the derivative of an array by a number: its layout is not settled here, use entries", span
                )
            i, j, term = dummies(of)
            return Mat(Given(i, j, Diff(term, variable)))
        raise Unsettled("a derivative of this is not supported", span)
    assert isinstance(by, Mat)
    rows, columns = by.shape
    r, c = dummy(rows, "r"), dummy(columns, "c")
    variable = entry_of(by, r, c, span)
    if not layout:
        raise Unsettled("a derivative by an array: declare the layout, numerator or gradient", span)
    if body is not None:
        slope = Diff(body, variable)
        return Mat(Given(c, r, slope) if layout == "numerator" else Given(r, c, slope))
    if not isinstance(of, Mat) or UNIT not in of.shape:
        raise ManyAxes("the derivative of a matrix by an array has four indices: use entries", span)
    out = dummy(length(of.shape), "o")
    slope = Diff(vector_entry(of.form, out), variable)
    if UNIT not in by.shape:
        return Tensor3(out, r, c, slope)
    along = r if columns == UNIT else c
    stands_as_row = (columns == UNIT) == (layout in ("numerator", "mixed"))
    return Mat(Given(out, along, slope) if stands_as_row else Given(along, out, slope))


def second(of: Value, by: list[Value], span: Span) -> Value:
    """∂²L/∂x_i∂x_j, or the whole Hessian of a number by two vectors."""
    body = as_scalar(of)
    if body is None:
        raise Unsettled("a second derivative of an array is not supported", span)
    letters: list[Index] = []
    slope: Term = body
    for k, v in enumerate(by):
        if isinstance(v, Mat):
            if UNIT not in v.shape:
                raise Unsettled("a second derivative by a matrix: use entries", span)
            i = dummy(length(v.shape), "ij"[k])
            letters.append(i)
            at = entry_of(v, i, i, span)
        else:
            at = entry_of(v, *ONE_ENTRY, span)
        slope = Diff(slope, at)
    if not letters:
        return Scalar(slope)
    if len(letters) == 2:
        return Mat(Given(letters[0], letters[1], slope))
    raise Unsettled("a second derivative by a number and an array: use entries", span)


def length(shape: tuple[Size, Size]) -> Size:
    return shape[0] if shape[1] == UNIT else shape[1]
