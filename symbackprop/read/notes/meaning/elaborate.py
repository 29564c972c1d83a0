"""From a syntax tree to its meaning: numbers with indices and matrix forms, every shape checked.

What is written decides; where it is liberal (a product that contracts a derivative of order three, a bias added to each
row) the reading is noted and becomes a hypothesis of the verdict.

Derivatives.  ∂s/∂W of a number by an array is the array of its derivatives: with the shape of W in the gradient
layout, of W^T in the numerator layout; ∇_W s always has the shape of W.  ∂y/∂x of vectors is the Jacobian with entry
∂y_i/∂x_j in row i, column j when ∂s/∂x is a row, and its transpose when ∂s/∂x is a column, so that the chain rule
reads from left to right in the one case and from right to left in the other.  What depends on what: see `model`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.matrix import UNIT, Given, Identity, entry
from symbackprop.core.terms import Diff, Entry as EntryTerm, Num as NumTerm, Ordinal, Size, Term, add, dummy, num

from ..files.place import ReadError, Span, Unsettled
from ..grammar.tree import (
    Add, All, Annotated, At, Call, Cases, Derivative, Differential, Dots, Entry, Equated, Expr, Function, Gradient,
    Hadamard, Identity as IdentityExpr, IndexName, Indicator, Inner, Kronecker, Matrix as MatrixExpr, Missing, Name,
    Neg, Norm, Num, Ones as OnesExpr, Operator, Outer, Paren, Power, Product, Quotient, Reals, Shape, ShapeWord,
    Sum, Symbol, Transpose, Words,
)  # fmt: skip
from ..grammar.walking import walk
from .definitions import array_of, plain
from .operations import Operations
from .values import ONE_ENTRY, Loose, Mat, Scalar, Tensor3, Value, as_scalar, dummies, negated, vector_entry


@dataclass(slots=True)
class Elaborator(Operations):
    """Gives meaning to expressions of one statement."""

    def value(self, node: Expr) -> Value:
        match node:
            case Num(value):
                return Scalar(NumTerm(value))
            case Symbol():
                return self.symbol(node)
            case IndexName(name):
                if name in self.scope:
                    return Scalar(add(Ordinal(self.scope[name]), num(1)))
                return Scalar(self.sizes.size(node))
            case Annotated(arg, shape_expr):
                return self.annotated(self.value(arg), shape_expr, node.span)
            case Entry(base, at):
                return self.entry(base, at, node.span)
            case Neg(arg):
                return negated(self.value(arg), node.span)
            case Add(args):
                return self.algebra.add([self.value(a) for a in args], [a.span for a in args], node.span)
            case Product(args, signs):
                return self.product(args, signs, node.span)
            case Hadamard(args):
                return self.hadamard(args)
            case Outer(args):
                return self.outer(args, node.span)
            case Quotient(top, bottom):
                return self.quotient(self.value(top), bottom, node.span)
            case Power():
                return self.power(node)
            case Transpose(arg):
                return self.algebra.transpose(self.value(arg), node.span)
            case Call(function, args):
                return self.call(function, args, node.span)
            case Derivative(body, wrt):
                return derivative(self, body, wrt, node.span, self.decl.layout)
            case Gradient(body, wrt_one):
                return derivative(self, body, (wrt_one,), node.span, "gradient")
            case Sum():
                return self.big(node)
            case MatrixExpr(rows):
                return self.matrix(rows, node.span)
            case Cases(rows):
                return self.cases(rows, node.span)
            case Norm(arg, order):
                return self.norm(self.value(arg), order, node.span)
            case Inner(left, right):
                return self.inner(left, right, node.span)
            case Kronecker(i, j):
                return Scalar(self.equal_indices(i, j))
            case Indicator(condition):
                return self.indicator(condition)
            case OnesExpr(sizes):
                return self.ones(sizes)
            case IdentityExpr(size):
                if size is None and not self.decl.identities:
                    self.algebra.note("I is the identity matrix")
                return Loose("identity") if size is None else Mat(Identity(self.sizes.size(size)))
            case Equated():
                raise self.fail("an equation stands where a value is expected", node.span)
            case Function(name):
                known = self.decl.functions.get(name)
                if known is not None and known.body:  # dσ/dz for dσ(z)/dz
                    raise Unsettled(f"{name} is a function and stands without its argument here", node.span)
                raise self.fail(f"{name} is a function and needs an argument", node.span)
            case Shape() | Reals() | ShapeWord():
                raise self.fail("a shape stands where a value is expected", node.span)
            case All():
                raise self.fail("a colon stands alone", node.span)
            case Dots():
                raise Unsettled("what the dots stand for is not compared: write the entries with indices", node.span)
            case Words() | Missing() | At() | Differential() | Name() | Paren() | Operator():
                raise self.fail("this is no value", node.span)
            case _:
                assert_never(node)


# --- derivatives of numbers and arrays by numbers and arrays, laid out as the section says ---


class ManyAxes(Unsettled):
    """A derivative with more indices than a matrix has."""


def derivative(e: Elaborator, body: Expr, wrt: tuple[Expr, ...], span: Span, layout: str) -> Value:
    for v in wrt:
        variable = v.base if isinstance(v, Entry) else v
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


def connected(e: Elaborator, body: Expr, variable: Symbol, span: Span) -> None:
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
        of = body.base if isinstance(body, Entry) else body
        shown = f"{of.name} depends" if isinstance(of, Symbol) else "this depends"
        raise Unsettled(f"nothing says how {shown} on {variable.name}: is a definition missing?", span)


def entry_of(v: Value, i: IndexExpr, j: IndexExpr, span: Span) -> EntryTerm:
    term = v.term if isinstance(v, Scalar) else entry(v.form, i, j) if isinstance(v, Mat) else None
    if not isinstance(term, EntryTerm):
        raise ReadError("the derivative is by something that is no variable", span)
    return term


def first(e: Elaborator, of: Value, by: Value, span: Span, layout: str) -> Value:
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
