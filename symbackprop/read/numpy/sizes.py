"""Whole numbers that are not known: sizes such as n or L+K-1, loop indices, entries of integer arrays.

A SymInt takes part in Python arithmetic; a result that is a plain number is a Python int.  Comparisons that hold or
fail for all sizes are True or False; others are symbolic masks, which refuse to be a branch condition.
"""

from __future__ import annotations

import sys
from typing import Any

from .algebra import (
    IndexExpr,
    Size,
    affine,
    at_least_zero,
    bounds,
    constant_of,
    difference,
    exact_quotient,
    index_of,
    integer_of,
    nonnegative,
    quotient_and_rest,
    scaled,
    shifted,
    sized,
)
from .context import TraceError
from .values import Value, integer


def whole_number(e: IndexExpr) -> SymInt | int:
    n = integer_of(e)
    return SymInt(e) if n is None else n


def size_number(s: Size) -> SymInt | int:
    return whole_number(index_of(s))


def expression(x: object) -> IndexExpr | None:
    """The index expression of a whole number, or None for anything else."""
    if isinstance(x, SymInt):
        return x.expr
    if isinstance(x, bool):
        return index_of(int(x))
    if isinstance(x, int):
        return index_of(x)
    hook = getattr(type(x), "__symbackprop_index__", None)
    if hook is not None:
        found: IndexExpr | None = hook(x)
        return found
    if hasattr(x, "dtype") and getattr(x, "ndim", None) == 0 and getattr(x.dtype, "kind", "") in "iu":
        return index_of(int(x))  # type: ignore[call-overload]
    return None


def size_of(x: object, what: str) -> Size:
    e = expression(x)
    size = None if e is None else constant_of(e)
    if size is None:
        raise TraceError(f"{what} is not a size that is known before the data: {x!r}")
    return size


def length(size: Size, what: str) -> Size:
    """A size that is not negative; Python and NumPy cut it at 0, or raise."""
    if not at_least_zero(size):
        hint = "declare the axis longer, such as 'n+1'"
        raise TraceError(f"{what} of {size} entries: that it is not negative is not known for all sizes; {hint}")
    return size


def length_of(x: object, what: str) -> Size:
    return length(size_of(x, what), what)


def never_zero(d: Size) -> bool:
    return at_least_zero(d - 1) or at_least_zero(-d - 1)


class SymInt:
    """An index expression as a Python number."""

    __slots__ = ("expr",)
    __array_priority__ = 2000

    def __init__(self, expr: IndexExpr) -> None:
        self.expr = expr

    @property
    def value(self) -> Value:
        return integer(self.expr)

    shape = ()
    ndim = 0
    size = 1

    # arithmetic that stays whole
    def _with(self, other: object, name: str, swap: bool = False) -> Any:
        e = expression(other)
        if e is None:
            return general(name, other, self) if swap else general(name, self, other)
        a, b = (e, self.expr) if swap else (self.expr, e)
        match name:
            case "add":
                return whole_number(affine(0, [(a, 1), (b, 1)]))
            case "subtract":
                return whole_number(difference(a, b))
            case "multiply":
                for x, y in ((a, b), (b, a)):
                    size = constant_of(y)
                    if size is not None:
                        return whole_number(scaled(x, size))
                return general(name, *((other, self) if swap else (self, other)))
            case "true_divide":
                p, d = constant_of(a), constant_of(b)
                quotient = exact_quotient(p, d) if p is not None and d is not None else None
                if quotient is not None and d is not None and never_zero(d):
                    return general("positive", size_number(quotient), real=True)
                return general(name, *((other, self) if swap else (self, other)))
        raise AssertionError(name)

    def __add__(self, other: object) -> Any:
        return self._with(other, "add")

    def __radd__(self, other: object) -> Any:
        return self._with(other, "add", True)

    def __sub__(self, other: object) -> Any:
        return self._with(other, "subtract")

    def __rsub__(self, other: object) -> Any:
        return self._with(other, "subtract", True)

    def __mul__(self, other: object) -> Any:
        if isinstance(other, list | tuple):
            return repeated(other, self)
        return self._with(other, "multiply")

    def __rmul__(self, other: object) -> Any:
        if isinstance(other, list | tuple):
            return repeated(other, self)
        return self._with(other, "multiply", True)

    def __truediv__(self, other: object) -> Any:
        return self._with(other, "true_divide")

    def __rtruediv__(self, other: object) -> Any:
        return self._with(other, "true_divide", True)

    def __neg__(self) -> Any:
        return whole_number(scaled(self.expr, -1))

    def __pos__(self) -> SymInt:
        return self

    def __abs__(self) -> Any:
        known = nonnegative(self.expr)
        if known is None:
            return general("absolute", self)
        return self if known else -self

    def _divided(self, a: IndexExpr, b: IndexExpr) -> tuple[Any, Any]:
        d = constant_of(b)
        found = None
        if d is not None and not never_zero(d):
            raise TraceError(f"division by {whole_number(b)}, which may be 0 for some sizes")
        if d is not None:
            p = constant_of(a)
            quotient = exact_quotient(p, d) if p is not None else None
            found = (index_of(quotient), index_of(0)) if quotient is not None else quotient_and_rest(a, d)
        if found is None:
            x, y = whole_number(a), whole_number(b)
            raise TraceError(f"{x} // {y} is not exact for all sizes: declare the size as a product, such as '2*n'")
        return whole_number(found[0]), whole_number(found[1])

    def __divmod__(self, other: object) -> Any:
        e = expression(other)
        return NotImplemented if e is None else self._divided(self.expr, e)

    def __rdivmod__(self, other: object) -> Any:
        e = expression(other)
        return NotImplemented if e is None else self._divided(e, self.expr)

    def __floordiv__(self, other: object) -> Any:
        e = expression(other)
        return general("floor_divide", self, other) if e is None else self._divided(self.expr, e)[0]

    def __rfloordiv__(self, other: object) -> Any:
        e = expression(other)
        return general("floor_divide", other, self) if e is None else self._divided(e, self.expr)[0]

    def __mod__(self, other: object) -> Any:
        e = expression(other)
        return general("remainder", self, other) if e is None else self._divided(self.expr, e)[1]

    def __rmod__(self, other: object) -> Any:
        e = expression(other)
        return general("remainder", other, self) if e is None else self._divided(e, self.expr)[1]

    def __pow__(self, other: object) -> Any:
        size = constant_of(self.expr)
        if isinstance(other, int) and 0 <= other <= 16 and size is not None:
            result = sized(1)
            for _ in range(other):
                result = result * size
            return size_number(result)
        if isinstance(other, int) and other < 0:
            return general("float_power", self, other)
        return general("power", self, other)

    def __rpow__(self, other: object) -> Any:
        return general("float_power", other, self)

    # comparisons
    def _compared(self, other: object, name: str) -> Any:
        e = expression(other)
        if e is None:
            if other is None or isinstance(other, str | tuple | list):
                return NotImplemented
            return general(name, self, other)
        d = difference(self.expr, e)
        known: bool | None
        match name:
            case "less":
                known = nonnegative(scaled(shifted(d, 1), -1))
            case "less_equal":
                known = nonnegative(scaled(d, -1))
            case "greater":
                known = nonnegative(shifted(d, -1))
            case "greater_equal":
                known = nonnegative(d)
            case _:
                known = zero_known(d)
                known = known if name == "equal" or known is None else not known
        return general(name, self, other) if known is None else known

    def __lt__(self, other: object) -> Any:
        return self._compared(other, "less")

    def __le__(self, other: object) -> Any:
        return self._compared(other, "less_equal")

    def __gt__(self, other: object) -> Any:
        return self._compared(other, "greater")

    def __ge__(self, other: object) -> Any:
        return self._compared(other, "greater_equal")

    def __eq__(self, other: object) -> Any:
        return self._compared(other, "equal")

    def __ne__(self, other: object) -> Any:
        return self._compared(other, "not_equal")

    def __hash__(self) -> int:
        raise TraceError(f"{text(self.expr)} is a key of a dict or a set: which one depends on the sizes")

    def __bool__(self) -> bool:
        known = zero_known(self.expr)
        if known is None:
            raise TraceError(f"whether {self} is 0 is not known for all sizes, so it cannot be a condition")
        return not known

    def __int__(self) -> int:
        raise TraceError(f"{self} is not a number yet: the function needs its value")

    __index__ = __int__
    __trunc__ = __int__

    def __float__(self) -> float:
        raise TraceError(f"{self} is not a number yet: the function needs its value")

    def __repr__(self) -> str:
        return printed(text(self.expr))

    def item(self) -> SymInt:
        return self

    @property
    def dtype(self) -> Any:
        return general("dtype", self)

    def astype(self, kind: object, **options: object) -> Any:
        return general("astype", self, kind, **options)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return general("ufunc", ufunc, method, *inputs, **options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        return general("function", func, *args, **options)


def zero_known(d: IndexExpr) -> bool | None:
    """Whether d is 0 for all sizes (True), for none (False), or it depends (None)."""
    lower, upper = bounds(d)
    if lower is not None and lower == upper == sized(0):
        return True
    if nonnegative(shifted(d, -1)) or nonnegative(shifted(scaled(d, -1), -1)):
        return False
    return None


def printed(text: str) -> str:
    """What our own messages show; in the user's code a text would go on without the number in it."""
    if sys._getframe(2).f_globals.get("__name__", "").split(".")[0] != "symbackprop":
        raise TraceError(f"{text} is made a text: what it says depends on the sizes or on the data")
    return text


def text(e: IndexExpr) -> str:
    size = constant_of(e)
    if size is not None:
        return str(size)
    name = getattr(e, "name", None)
    return name.split("#")[0] if isinstance(name, str) else "an index"


# What leaves the whole numbers is handed to the arrays; `array.py` puts itself here.
HANDLERS: dict[str, Any] = {}


def general(name: str, *args: Any, **options: Any) -> Any:
    return HANDLERS["general"](name, *args, **options)


def repeated(items: Any, count: SymInt) -> Any:
    return HANDLERS["repeated"](items, count)
