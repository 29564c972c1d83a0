"""NumPy code for SymPy matrix expressions: what SymPy's own printer lacks, and broadcasting for matrices of ones.

A value has one of three layouts: two axes, one axis (a row) or none.  A matrix of equal rows stays one row for as
long as NumPy broadcasts it, and is written out where something needs all of it.  Numbers are Python numbers, which
leave the type of an array as it is, so float32 stays float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Integer
from sympy.matrices.expressions import MatrixExpr
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.printing.numpy import NumPyPrinter

from symbackprop.core.functions import ROWS

from .products import (
    LEVEL_ATOM,
    LEVEL_PRODUCT,
    LEVEL_SUM,
    LEVEL_UNARY,
    at_least,
    atom,
    factor,
    is_plain,
    is_step,
    is_sum,
    kind,
    level,
    number,
    parts,
    shares,
    summand,
    unrepeated,
)
from .source_check import check_expression

TEMPLATES = {
    **{f.sympy if isinstance(f.sympy, str) else f.name: f.code for f in ROWS},
    "abs": "absolute({})", "nonpositive": "minimum({}, 0)", "relu": "maximum({}, 0)", "sign": "sign({})",
}  # fmt: skip


class Result(MatrixExpr):  # type: ignore[misc]
    """A value that leaves an expression: all of it, with this many axes (-1: as many as it has)."""

    def __new__(cls, of: Any, axes: int = -1) -> Result:
        made: Result = MatrixExpr.__new__(cls, of, Integer(axes))
        return made

    shape = property(lambda self: self.args[0].shape)


class Extent(sympy.Expr):  # type: ignore[misc]
    """The length of an axis of an argument."""

    def __new__(cls, of: Any, axis: int) -> Extent:
        made: Extent = sympy.Expr.__new__(cls, of, Integer(axis))
        return made


@dataclass(frozen=True, slots=True)
class Layout:
    """How many axes the value has, along which axes of the form it is complete, and whether it is an array at all."""

    axes: int
    rows: bool
    columns: bool
    array: bool = True


def joined(layouts: Iterable[Layout]) -> Layout:
    """The layout of an elementwise operation."""
    all_ = list(layouts)
    return Layout(
        max(x.axes for x in all_), any(x.rows for x in all_), any(x.columns for x in all_), any(x.array for x in all_)
    )


class MatrixPrinter(NumPyPrinter):  # type: ignore[misc]
    """Prints the expressions that `to_sympy` makes.

    `axes` has the number of axes of each named matrix; `dtype` is code for the type of constant arrays.
    """

    def __init__(self, axes: Mapping[str, int], dtype: str) -> None:
        super().__init__({"fully_qualified_modules": False, "allow_unknown_functions": False})
        self.axes, self.dtype = dict(axes), dtype

    def code(self, e: Any) -> str:
        return str(self._print(e))

    def doprint(self, expr: Any) -> str:
        code = self.code(expr)
        check_expression(code)
        return code

    def emptyPrinter(self, expr: Any) -> str:
        raise NotImplementedError(f"no NumPy code for {type(expr).__name__}")

    # --- layouts

    def layout(self, e: Any) -> Layout:
        rows, columns = e.shape
        match e:
            case sympy.MatrixSymbol():
                axes = self.axes[e.name]
                return Layout(axes, True, True)
            case sympy.OneMatrix() | sympy.ZeroMatrix():
                return Layout(0, rows == 1, columns == 1, False)
            case sympy.Transpose():
                inner = self.layout(e.arg)
                return Layout(2 if inner.axes else 0, inner.columns, inner.rows, inner.array)
            case sympy.MatAdd() | sympy.HadamardProduct():
                return joined(map(self.layout, e.args))
            case ElementwiseApplyFunction():
                return replace(self.layout(e.expr), array=True)
            case sympy.HadamardPower():
                return replace(self.layout(e.base), array=True)
            case sympy.MatMul():
                return self.layout_of_product(e)
            case Result():
                axes = int(e.args[1])
                return Layout(self.settled(e.args[0]) if axes < 0 else axes, True, True)
        if type(e).__name__ == "PeakMatrix":
            return self.reduced(e.args[0], int(e.args[1]))
        return Layout(2, True, True)

    def layout_of_product(self, e: Any) -> Layout:
        factor, a, b = parts(e)
        if factor is not None:
            inner = self.layout(a)
            return inner if is_plain(factor) else replace(inner, array=True)
        x, y = self.layout(a), self.layout(b)
        match kind(a, b):
            case "rows":
                return replace(y, rows=a.shape[0] == 1)
            case "columns":
                return replace(x, columns=b.shape[1] == 1)
            case "total":
                return Layout(0, True, True)
            case "sum 0":
                return self.reduced(b, 0)
            case "sum 1":
                return self.reduced(a, 1)
            case "outer":
                return Layout(max(x.axes, y.axes), x.rows, y.columns)
        return Layout(1 if self.settled(a) == 1 else 2, True, True)

    def settled(self, e: Any) -> int:
        """The number of axes of `whole`."""
        found = self.layout(e)
        return found.axes if found.array and found.rows and found.columns else 2

    def reduced(self, e: Any, axis: int) -> Layout:
        if self.settled(e) == 1:  # one row: axis 0 has length 1
            return Layout(0 if axis == 1 else 1, True, True)
        return Layout(1 if axis == 0 else 2, True, True)

    # --- values

    def whole(self, e: Any) -> str:
        """Code for all of the value, not yet to be broadcast."""
        found, code = self.layout(e), self.code(e)
        shape = "(" + ", ".join(map(self.scalar, e.shape)) + ")"
        if not found.array:
            return f"full({shape}, {code}, dtype={self.dtype})"
        return code if found.rows and found.columns else f"broadcast_to({code}, {shape})"

    def laid_out(self, e: Any, axes: int) -> str:
        """Code for all of the value with this many axes."""
        code = self.whole(e)
        match self.settled(e), axes:
            case (2, 2) | (1, 1) | (0, 0):
                return code
            case 2, 1:
                return f"{atom(code)}[0]" if e.shape[0] == 1 else f"{atom(code)}[:, 0]"
            case 2, 0:
                return f"{atom(code)}[0, 0]"
            case 1, 2:
                return f"{atom(code)}[None, :]"
            case 1, 0:
                return f"{atom(code)}[0]"
        return f"broadcast_to({code}, {'(1, 1)' if axes == 2 else '(1,)'})"

    def _print_Result(self, e: Any) -> str:
        of, axes = e.args
        if axes == 1 and is_sum(of, right=True) and self.settled(of.args[0]) == 2:  # no axis to keep and drop
            return f"add.reduce({self.whole(of.args[0])}, axis=1)"
        code = self.whole(of) if axes < 0 else self.laid_out(of, int(axes))
        # A caller may change its results in place, so none may share memory with an argument or another result.
        return f"{code}.copy()" if axes >= 0 and shares(code) else code

    def _print_Extent(self, e: Any) -> str:
        return f"{e.args[0].name}.shape[{e.args[1]}]"

    def _print_MatrixSymbol(self, e: Any) -> str:
        return str(e.name)

    def _print_OneMatrix(self, e: Any) -> str:
        return "1"

    def _print_ZeroMatrix(self, e: Any) -> str:
        return "0"

    def _print_Identity(self, e: Any) -> str:
        return f"eye({self.scalar(e.shape[0])}, dtype={self.dtype})"

    def _print_Transpose(self, e: Any) -> str:
        code = atom(self.code(e.arg))
        return (code, f"{code}[:, None]", f"{code}.T")[self.layout(e.arg).axes]

    def _print_MatAdd(self, e: Any) -> str:
        code = ""
        for a in e.args:
            term = self.code(a)
            if not code:
                code = term
            elif term.startswith("-") and level(term) >= LEVEL_PRODUCT:
                code += f" - {term[1:]}"
            else:
                code += f" + {at_least(term, LEVEL_SUM)}"
        return code

    def _print_HadamardProduct(self, e: Any) -> str:
        above, below = [], list[str]()
        for a in map(unrepeated, e.args):
            if isinstance(a, sympy.HadamardPower) and a.exp.is_negative:
                below.append(at_least(self.power(a.base, -a.exp), LEVEL_UNARY))
            else:
                above.append(a)
        numbers_only = all(is_step(a) or not self.layout(a).array for a in above)
        codes = [self.step(a) if is_step(a) and not numbers_only else factor(self.code(a)) for a in above] or ["1"]
        return " / ".join([" * ".join(codes), *below])

    def _print_HadamardPower(self, e: Any) -> str:
        if e.exp.is_negative:
            return f"1 / {at_least(self.power(e.base, -e.exp), LEVEL_UNARY)}"
        return self.power(e.base, e.exp)

    def power(self, base: Any, exponent: Any) -> str:
        code = self.operand(base)
        match exponent:
            case sympy.Integer(p=1):
                return code
            case sympy.Integer(p=2):
                return f"square({code})"
            case sympy.Integer(p=3) if code.isidentifier():
                return f"{code} * {code} * {code}"  # NumPy's own power is many times slower
            case sympy.Rational(p=1, q=2):
                return f"sqrt({code})"
        return f"{at_least(code, LEVEL_ATOM)} ** {atom(number(exponent))}"

    def _print_ElementwiseApplyFunction(self, e: Any) -> str:
        if is_step(e):
            return f"{self.step(e)}.astype({self.dtype})"
        template = TEMPLATES[type(e.function.expr).__name__]
        argument = self.operand(e.expr)
        return template.format(at_least(argument, LEVEL_ATOM) if "-{}" in template else argument)

    def step(self, e: Any) -> str:
        """Booleans, which count as 0 and 1 in a product with numbers."""
        return f"({at_least(self.operand(e.expr), LEVEL_SUM)} > 0)"

    def operand(self, e: Any) -> str:
        """What a function is applied to; NumPy would make a float64 of a Python number."""
        return self.code(e) if self.layout(e).array else f"full((), {self.code(e)}, dtype={self.dtype})"

    def _print_MatMul(self, e: Any) -> str:
        scale, a, b = parts(e)
        if scale is not None:
            return self.scaled(scale, a)
        match kind(a, b):
            case "rows":
                return self.code(b)
            case "columns":
                return self.code(a)
            case "total":
                return f"add.reduce({self.whole(summand(a, b))}, axis=None)"
            case "sum 0":
                return self.reduction("add", b, 0)
            case "sum 1":
                return self.reduction("add", a, 1)
            case "outer":
                return f"{factor(self.code(a))} * {factor(self.code(b))}"
        return f"{at_least(self.whole(a), LEVEL_PRODUCT)} @ {at_least(self.laid_out(b, 2), LEVEL_UNARY)}"

    def _print_PeakMatrix(self, e: Any) -> str:
        return self.reduction("maximum", e.args[0], int(e.args[1]))

    def reduction(self, what: str, e: Any, axis: int) -> str:
        if self.settled(e) == 1:  # one row
            return f"{what}.reduce({self.whole(e)})" if axis == 1 else self.whole(e)
        keep = "" if axis == 0 else ", keepdims=True"
        return f"{what}.reduce({self.whole(e)}, axis={axis}{keep})"

    def _print_DiagMatrix(self, e: Any) -> str:
        return f"diag({atom(self.laid_out(e.args[0], 2))}[:, 0])"

    def _print_DiagonalOf(self, e: Any) -> str:
        return f"diagonal({self.whole(e.args[0])})[:, None]"

    def _print_Inverse(self, e: Any) -> str:
        return f"inv({self.laid_out(e.arg, 2)})"

    # --- scalars

    def scaled(self, scale: Any, m: Any) -> str:
        """scale times m, with divisions written as such."""
        coefficient, rest = scale.as_independent(*scale.free_symbols, as_Add=False)
        negative = bool(coefficient.is_negative)
        coefficient = -coefficient if negative else coefficient
        if not coefficient.is_Rational:
            coefficient = sympy.Float(float(coefficient))
        above, below = sympy.fraction(coefficient * rest)
        sign = "-" if negative else ""
        ones = isinstance(m, sympy.OneMatrix)
        if below != 1 and (above == 1 or ones):
            code = self.scalar(above) if ones else self.code(m)
            return f"{sign}{factor(code)} / {at_least(self.scalar(below), LEVEL_UNARY)}"
        codes = [] if above == 1 and not ones else [at_least(self.scalar(above), LEVEL_PRODUCT)]
        if below != 1:  # one division of numbers, not one of every entry
            codes[0] = f"{codes[0]} / {at_least(self.scalar(below), LEVEL_UNARY)}"
        return sign + " * ".join([*codes, *([] if ones else [factor(self.code(m))])])

    def scalar(self, e: Any) -> str:
        """Python arithmetic, never NumPy's: np.sqrt(2) would be a float64 that widens float32 arrays."""
        if e.is_number:
            return number(e)
        match e:
            case sympy.Symbol():
                return str(e.name)
            case sympy.Add():
                return " + ".join(map(self.scalar, e.args))
            case sympy.Mul():
                above, below = sympy.fraction(e)
                if below != 1:
                    return f"{factor(self.scalar(above))} / {at_least(self.scalar(below), LEVEL_UNARY)}"
                return " * ".join(factor(self.scalar(a)) for a in e.args)
            case sympy.Pow():
                if e.exp.is_negative:
                    return f"1 / {at_least(self.scalar(e.base**-e.exp), LEVEL_UNARY)}"
                return f"{at_least(self.scalar(e.base), LEVEL_ATOM)} ** {atom(number(e.exp))}"
            case sympy.Trace():
                return f"trace({self.laid_out(e.arg, 2)})"
            case sympy.Determinant():
                return f"det({self.laid_out(e.arg, 2)})"
        raise NotImplementedError(f"no NumPy code for the scalar {type(e).__name__}")

    def _print_Symbol(self, e: Any) -> str:
        return str(e.name)
