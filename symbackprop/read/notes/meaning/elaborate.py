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

from symbackprop.core.indices import Index
from symbackprop.core.matrix import (
    UNIT,
    Identity,
)
from symbackprop.core.terms import (
    Num as NumTerm,
)
from symbackprop.core.terms import (
    Ordinal,
    Size,
    add,
    num,
)

from ..declared.sizes import Sizes
from ..declared.symbols import Declarations
from ..files.place import ReadError, Unsettled
from ..grammar.tree import (
    Add,
    All,
    Annotated,
    At,
    Call,
    Cases,
    Derivative,
    Differential,
    Dots,
    Entry,
    Equated,
    Expr,
    Function,
    Gradient,
    Hadamard,
    IndexName,
    Indicator,
    Inner,
    Kronecker,
    Missing,
    Name,
    Neg,
    Norm,
    Num,
    Operator,
    Outer,
    Over,
    Paren,
    Power,
    Product,
    Quotient,
    Reals,
    Shape,
    ShapeWord,
    Sum,
    Symbol,
    Transpose,
    Words,
)
from ..grammar.tree import Identity as IdentityExpr
from ..grammar.tree import Matrix as MatrixExpr
from ..grammar.tree import (
    Ones as OnesExpr,
)
from .definitions import array_of
from .derivatives import derivative
from .model import Model
from .operations import Operations
from .ranges import Ranges
from .values import Algebra, Loose, Mat, Scalar, Value, negated


@dataclass(slots=True)
class Elaborator(Operations):
    """Gives meaning to expressions of one statement."""

    def afresh(self, decl: Declarations) -> Elaborator:
        """Another one, for an expression that has nothing to do with the statement."""
        return Elaborator(decl, Model(decl), Sizes(decl), Algebra())

    # --- whole expressions -------------------------------------------------------------------

    def together(self, *nodes: Expr) -> list[Value]:
        """The values of expressions that share their free indices, as the two sides of an equation do."""
        outer = self.ranges, self.scope
        self.ranges, self.scope = Ranges(self.sizes, self.axes_of), {}
        try:
            self.ranges.collect(list(nodes))
            for name in sorted(self.ranges.free):
                if name not in self.decl.layers:
                    self.scope[name] = Index(name, self.ranges.at(0, name, nodes[0].span))
            return [self.value(n) for n in nodes]
        finally:
            self.ranges, self.scope = outer

    def alone(self, node: Expr, text: str = "") -> Value:
        """An expression with indices of its own: the right side of a definition."""
        outer, self.text = self.text, text
        try:
            return self.together(node)[0]
        finally:
            self.text = outer

    def axes_of(self, base: Expr, count: int) -> tuple[Size, ...] | None:
        """The sizes of the axes that subscripts of `base` stand on; for count -1 what a sample label runs over."""
        if isinstance(base, Symbol):
            symbol = array_of(base, self.decl)
            if symbol is None:
                return None
            axes = self.axes(symbol, base.label)
            if count == -1:
                return (self.sample_size(symbol, axes),)
            if base.sample is not None:
                axes = tuple(a for k, a in enumerate(axes) if k != self.sample_axis(axes))
            if symbol.integer:
                return axes
            if symbol.family and count == symbol.family:
                return axes[:count]
            if len(axes) == 1 and count == 2 and symbol.orientation in ("row", "column"):
                return (UNIT, axes[0]) if symbol.orientation == "row" else (axes[0], UNIT)
            return axes if len(axes) == count else tuple(a for a in axes if a != UNIT)
        if count == -1:
            return None
        try:
            v = self.value(base)
        except ReadError:
            return None
        if not isinstance(v, Mat):
            return None
        if count == 2:
            return v.shape
        return (v.shape[0] if v.shape[1] == UNIT else v.shape[1],) if UNIT in v.shape else None

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
            case Sum(binders, body):
                return self.sum(node, body, [b.name for b in binders])
            case Over(kind, binders, body):
                return self.over(node, kind, body, [b.name for b in binders])
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
