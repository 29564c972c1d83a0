"""SymPy's matrix expressions with symbolic sizes as matrix forms: `MatrixSymbol`, products, inverses, traces, sums.

    reader = SympyReader(loss, gradient)
    reader.scalar(loss), reader.matrix(gradient)

A `MatrixSymbol` is an array with two axes, also a column; a `Symbol` in one of its sizes is a size, any other a number.
Indices count from 0, as in SymPy.  The tree is walked node by node and nothing in it is evaluated; a node without a
meaning here raises SymbackpropError and is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions import MatrixExpr
from sympy.matrices.expressions import hadamard as had
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.matrices.expressions.diagonal import DiagonalOf as SympyDiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement

from symbackprop.core.indices import Index, IndexExpr, Size, affine, sized
from symbackprop.core.matrix import (
    UNIT, ZERO_INDEX, Determinant, Diagonal, DiagonalOf, ElementPower, Given, Hadamard, Identity, Inverse, Leaf, Matrix,
    Ones, Plus, Product, Scale, Trace, Transpose, Zeros, entry, shape,
)  # fmt: skip
from symbackprop.core.terms import Apply, Array, Delta, Entry, SymbackpropError, Term, dummy, over

from .sympy_scalar import scalar_term

HIGHEST_POWER = 16
DEEPEST = 100


class SympyReader:
    """Reads expressions that share their symbols; `shapes` has the arrays met, numbers with no axes."""

    def __init__(self, *expressions: Any) -> None:
        symbols = {m for e in expressions for m in e.atoms(sympy.MatrixSymbol)}
        self.sizes = {s for m in symbols for n in m.shape for s in n.free_symbols}
        self.shapes: dict[str, tuple[Size, ...]] = {}
        self.depth = 0

    # --- sizes and indices ---------------------------------------------------------------------

    def size(self, n: Any) -> Size:
        match n:
            case sympy.Integer():
                return sized(int(n))
            case sympy.Symbol():
                return sized(str(n.name))
            case sympy.Add():
                return reduce(Size.__add__, map(self.size, n.args))
            case sympy.Mul():
                return reduce(Size.__mul__, map(self.size, n.args))
            case sympy.Pow() if n.exp.is_Integer and 0 < n.exp <= HIGHEST_POWER:
                return reduce(Size.__mul__, [self.size(n.base)] * int(n.exp))
            case _:
                raise SymbackpropError(f"the size {n} is no polynomial with whole coefficients")

    def index(self, e: Any, indices: dict[Any, Index], axis: Size) -> IndexExpr:
        """A subscript counted from 0: a summation index with the range of the axis, or a number inside it."""
        if e in indices:
            if indices[e].size != axis:
                raise SymbackpropError(f"{e} has {indices[e].size} values, but the axis has {axis}")
            return indices[e]
        if isinstance(e, sympy.Integer):
            known = axis.constant
            if e < 0 or (known is not None and e >= known) or (known is None and e > 0):
                raise SymbackpropError(f"the subscript {e} is not inside an axis of {axis} for all sizes")
            return affine(int(e), ())
        raise SymbackpropError(f"the subscript {e} is neither a summation index nor a number")

    # --- matrices ------------------------------------------------------------------------------

    def matrix(self, e: Any, indices: dict[Any, Index] | None = None) -> Matrix:
        """Raises ShapeError where shapes do not conform, SymbackpropError for what is not read."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise SymbackpropError(f"the expression is nested more than {DEEPEST} deep")
            form = self.form(e, indices or {})
        finally:
            self.depth -= 1
        shape(form)
        return form

    def form(self, e: Any, indices: dict[Any, Index]) -> Matrix:
        def go(part: Any) -> Matrix:
            return self.matrix(part, indices)

        match e:
            case sympy.MatrixSymbol():
                return self.leaf(e)
            case sympy.MatAdd():
                return Plus(tuple(map(go, e.args)))
            case sympy.MatMul():
                return self.product(e, indices)
            case sympy.Transpose():
                return Transpose(go(e.arg))
            case sympy.Inverse():
                return Inverse(go(e.arg))
            case sympy.MatPow():
                return self.power(go(e.base), e.exp)
            case sympy.HadamardProduct():
                return reduce(Hadamard, map(go, e.args))
            case had.HadamardPower() if e.exp.is_Rational:
                return ElementPower(go(e.base), Fraction(int(e.exp.p), int(e.exp.q)))
            case sympy.Identity():
                return Identity(self.size(e.shape[0]))
            case sympy.ZeroMatrix():
                return Zeros((self.size(e.shape[0]), self.size(e.shape[1])))
            case sympy.OneMatrix():
                return Ones((self.size(e.shape[0]), self.size(e.shape[1])))
            case ElementwiseApplyFunction():
                return self.elementwise(e.function, go(e.expr))
            case DiagMatrix():
                return Diagonal(go(e.args[0]))
            case SympyDiagonalOf():
                return DiagonalOf(go(e.args[0]))
            case _:
                raise SymbackpropError(f"{type(e).__name__} is no matrix expression that is read here")

    def leaf(self, e: Any) -> Leaf:
        n, k = map(self.size, e.shape)
        name = str(e.name)
        if self.shapes.setdefault(name, (n, k)) != (n, k):
            raise SymbackpropError(f"{name} stands for arrays of different shapes")
        return Leaf(Array(name), "matrix", (n, k))

    def product(self, e: Any, indices: dict[Any, Index]) -> Matrix:
        scalars = [a for a in e.args if not isinstance(a, MatrixExpr)]
        form = reduce(Product, [self.matrix(a, indices) for a in e.args if isinstance(a, MatrixExpr)])
        return Scale(self.scalar(sympy.Mul(*scalars), indices), form) if scalars else form

    def power(self, base: Matrix, exponent: Any) -> Matrix:
        if not exponent.is_Integer or abs(exponent) > HIGHEST_POWER:
            raise SymbackpropError(f"a matrix to the power {exponent} is not read")
        if exponent == 0:
            return Identity(shape(base)[0])
        return reduce(Product, [base if exponent > 0 else Inverse(base)] * abs(int(exponent)))

    def elementwise(self, function: Any, of: Matrix) -> Matrix:
        n, k = shape(of)
        i, j = dummy(n, "i"), dummy(k, "j")
        z = sympy.Dummy("z", real=True)
        body = self.scalar(function(z), {}, {z: entry(of, i, j)})
        return Given(i, j, body)

    # --- numbers -------------------------------------------------------------------------------

    def scalar(self, e: Any, indices: dict[Any, Index] | None = None, variables: dict[Any, Term] | None = None) -> Term:
        """A scalar expression, or a matrix expression of one entry.  Raises as `matrix`."""
        known: dict[Any, Term] = dict(variables or {})
        if isinstance(e, MatrixExpr):
            return self.only_entry(e, indices or {})
        for part in atoms(e, known):
            known[part] = self.atom(part, indices or {}, known)
        return scalar_term(e, known)

    def atom(self, e: Any, indices: dict[Any, Index], variables: dict[Any, Term]) -> Term:
        match e:
            case sympy.Trace():
                return entry(Trace(self.matrix(e.arg, indices)), ZERO_INDEX, ZERO_INDEX)
            case sympy.Determinant():
                return entry(Determinant(self.matrix(e.arg, indices)), ZERO_INDEX, ZERO_INDEX)
            case MatrixElement():
                form = self.matrix(e.parent, indices)
                n, k = shape(form)
                return entry(form, self.index(e.i, indices, n), self.index(e.j, indices, k))
            case sympy.KroneckerDelta():
                i, j = e.args[:2]
                if i not in indices or j not in indices:
                    raise SymbackpropError(f"{e}: a delta needs two summation indices")
                return Delta(indices[i], indices[j])
            case sympy.Sum():
                return self.sum(e, indices, variables)
            case AppliedUndef() if len(e.args) == 1:
                return Apply(str(e.func), self.scalar(e.args[0], indices, variables))
            case sympy.Derivative() if isinstance(e.expr, AppliedUndef) and e.expr.args == e.variables[:1]:
                order = len(e.variables)
                return Apply(str(e.expr.func), self.scalar(e.variables[0], indices, variables), order)
            case sympy.Symbol() if e in self.sizes:
                return self.size(e)
            case sympy.Symbol():
                self.shapes.setdefault(str(e.name), ())
                return Entry(Array(str(e.name)), ())
            case _:
                return self.only_entry(e, indices)

    def only_entry(self, e: Any, indices: dict[Any, Index]) -> Term:
        form = self.matrix(e, indices)
        if shape(form) != (UNIT, UNIT):
            n, k = shape(form)
            raise SymbackpropError(f"a number is needed, but {e} is {n}×{k}")
        return entry(form, ZERO_INDEX, ZERO_INDEX)

    def sum(self, e: Any, indices: dict[Any, Index], variables: dict[Any, Term]) -> Term:
        """Σ over indices that start at 0, which is how axes are counted."""
        bound = list[Index]()
        for i, low, high in e.limits:
            if low != 0:
                raise SymbackpropError(f"the sum over {i} starts at {low}; axes are counted from 0")
            bound.append(dummy(self.size(high + 1), "s"))
            indices = {**indices, i: bound[-1]}
        body = self.scalar(e.function, indices, variables)
        for k in bound:
            body = over(k, body)
        return body


ATOMS = (
    sympy.Trace, sympy.Determinant, MatrixElement, sympy.KroneckerDelta, sympy.Sum, sympy.Derivative, sympy.Symbol,
    MatrixExpr, AppliedUndef,
)  # fmt: skip


def atoms(e: Any, known: dict[Any, Term]) -> Iterator[Any]:
    """The outermost parts of a scalar expression that are no elementary functions, each once."""
    stack, seen = [e], set[Any]()
    while stack:
        part = stack.pop()
        if part in known or part in seen:
            continue
        seen.add(part)
        if isinstance(part, ATOMS):
            yield part
        else:
            stack.extend(part.args)
