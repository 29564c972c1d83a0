"""Matrix forms as SymPy matrix expressions with symbolic sizes.

`to_sympy` takes the names from its caller: generated ones for code (`v0`, `n0`), so that no text of a user ever
reaches SymPy's printers, or a document's own for display.  Nothing is evaluated: SymPy only holds the expression.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

import sympy
from sympy import (
    Function,
    HadamardProduct,
    Lambda,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Symbol,
    ZeroMatrix,
)
from sympy.matrices.expressions import MatrixExpr
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix
from sympy.matrices.expressions.diagonal import DiagonalOf as DiagonalOfMatrix
from sympy.matrices.expressions.hadamard import HadamardPower

from symbackprop.core.functions import FUNCTIONS as named
from symbackprop.core.functions import column
from symbackprop.core.laws.functions import PI
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
    shape,
)
from symbackprop.core.terms import Add, Array, Entry, Mul, Num, Power, Size, SymbackpropError, Term

from .entrywise import form_of_entries
from .lowering import Peak, Value

Z = Symbol("z", real=True)  # the variable of elementwise functions


class PeakMatrix(MatrixExpr):  # type: ignore[misc]
    """The largest entry of each column (axis 0) or row (axis 1)."""

    def __new__(cls, of: Any, axis: Any) -> PeakMatrix:
        made: PeakMatrix = MatrixExpr.__new__(cls, of, sympy.Integer(axis))
        return made

    @property
    def shape(self) -> tuple[Any, Any]:
        rows, columns = self.args[0].shape
        return (sympy.Integer(1), columns) if self.args[1] == 0 else (rows, sympy.Integer(1))


# What SymPy calls our functions; the others stay names: SymPy takes Abs of a matrix for its norm.
FUNCTIONS: dict[str, Any] = {f: getattr(sympy, theirs) for f, theirs in column(lambda f: f.sympy).items()}
OURS = {f: Function(f) for f in (*named.keys() - FUNCTIONS.keys(), "abs", "sign", "relu", "step", "nonpositive")}


def to_sympy(m: Value, name: Callable[[Array], str], size_name: Callable[[str], str]) -> Any:
    """The form as a MatrixExpr; vectors are columns or rows, scalars multiply.  Raises SymbackpropError."""
    return _Writer(name, size_name).matrix(m)


class _Writer:
    def __init__(self, name: Callable[[Array], str], size_name: Callable[[str], str]) -> None:
        self.name, self.size_name = name, size_name

    def matrix(self, m: Value) -> Any:
        go = self.matrix
        match m:
            case Leaf(array, "scalar", _):
                return MatMul(Symbol(self.name(array), real=True), OneMatrix(1, 1), evaluate=False)
            case Leaf(array, "column", (n, _)):  # vectors are stored once, as a row
                return sympy.Transpose(MatrixSymbol(self.name(array), 1, self.size(n)))
            case Leaf(array, _, (n, k)):
                return MatrixSymbol(self.name(array), self.size(n), self.size(k))
            case Given(row, column, body):
                return go(form_of_entries(body, row, column))
            case Product(a, b):
                return MatMul(go(a), go(b), evaluate=False)
            case Hadamard():
                return HadamardProduct(*map(go, factors(m)), evaluate=False)
            case Plus(args):
                return MatAdd(*map(go, args), evaluate=False)
            case Scale(factor, of):
                return MatMul(self.scalar(factor), go(of), evaluate=False)
            case Transpose(of):
                return sympy.Transpose(go(of))
            case Elementwise(fn, of, order):
                return ElementwiseApplyFunction(Lambda(Z, self.function(fn, order)), go(of))
            case ElementPower(of, exponent):
                return HadamardPower(go(of), Rational(exponent.numerator, exponent.denominator))
            case Diagonal(of):
                return DiagMatrix(go(of if shape(of)[1] == UNIT else Transpose(of)))
            case DiagonalOf(of):
                return DiagonalOfMatrix(go(of))
            case Trace(of):
                return MatMul(sympy.Trace(go(of)), OneMatrix(1, 1), evaluate=False)
            case Inverse(of):
                return sympy.Inverse(go(of))
            case Determinant(of):
                return MatMul(sympy.Determinant(go(of)), OneMatrix(1, 1), evaluate=False)
            case Ones((n, k)):
                return OneMatrix(self.size(n), self.size(k))
            case Zeros((n, k)):
                return ZeroMatrix(self.size(n), self.size(k))
            case Identity(n):
                return sympy.Identity(self.size(n))
            case Softmax(of, axis):
                e = go(Elementwise("exp", of))
                n = self.size(shape(of)[axis])
                every = OneMatrix(n, n)
                sums = MatMul(e, every) if axis == 1 else MatMul(every, e)
                return HadamardProduct(e, HadamardPower(sums, -1), evaluate=False)
            case Peak(of, axis):
                return PeakMatrix(go(of), axis)
            case _:
                assert_never(m)

    def function(self, fn: str, order: int) -> Any:
        known = FUNCTIONS.get(fn) or OURS.get(fn)
        if known is None:
            raise SymbackpropError(f"the function {fn!r} has no SymPy name here")
        return known(Z) if order == 0 else sympy.diff(known(Z), Z, order)

    def size(self, n: Size) -> Any:
        total = sympy.Integer(0)
        for symbols, coefficient in n.monomials:
            factors = [Symbol(self.size_name(s), integer=True, positive=True) for s in symbols]
            total += sympy.Mul(coefficient, *factors)
        return total

    def scalar(self, t: Term) -> Any:
        match t:
            case Num(value):
                return Rational(value.numerator, value.denominator)
            case Size():
                return self.size(t)
            case Entry(array, ()):
                return sympy.pi if t == PI else Symbol(self.name(array), real=True)
            case Add(args):
                return sympy.Add(*map(self.scalar, args))
            case Mul(args):
                return sympy.Mul(*map(self.scalar, args))
            case Power(base, exponent):
                return sympy.Pow(self.scalar(base), Rational(exponent.numerator, exponent.denominator))
            case _:
                raise SymbackpropError(f"a factor of a matrix is a scalar, not a {type(t).__name__.lower()}")


def factors(m: Matrix) -> tuple[Matrix, ...]:
    """The factors of a Hadamard product of any length."""
    return (*factors(m.left), *factors(m.right)) if isinstance(m, Hadamard) else (m,)
