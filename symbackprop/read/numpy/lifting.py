"""What Python's values become: arrays, and whole numbers that are not known (sizes such as n or L+K-1, loop indices).

A SymInt takes part in Python arithmetic; a result that is a plain number is a Python int.  Comparisons that hold or
fail for all sizes are True or False; others are symbolic masks, which refuse to be a branch condition.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

from symbackprop.core.indices import IndexExpr, Size, sized
from symbackprop.core.terms import Num, num

from .axes import (
    at_least_zero, constant_of, exact_quotient, index_of, integer_of, nonnegative, quotient_and_rest, scaled,
)  # fmt: skip
from .context import NUMPY, TraceError, Unread, current
from .scalars import EXPRESSIONS, digits, recognised
from .steps import COMPARISON, INTEGER_BINARY
from .values import Dtype, Value, constant, integer, minus_infinity, stacked


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


def joined(name: str, x: object, y: object) -> Any:
    """Arithmetic that stays whole where it can; what does not is handed to the arrays."""
    if name == "multiply" and (isinstance(x, list | tuple) or isinstance(y, list | tuple)):
        return HANDLERS["repeated"](*((x, y) if isinstance(x, list | tuple) else (y, x)))
    a, b = expression(x), expression(y)
    if a is None or b is None:
        return NotImplemented if name == "divmod" else general(name, x, y)
    match name:
        case "add" | "subtract" | "multiply":
            e = INTEGER_BINARY[name](a, b)
            if e is not None:
                return whole_number(e)
        case "true_divide":
            p, d = constant_of(a), constant_of(b)
            quotient = exact_quotient(p, d) if p is not None and d is not None else None
            if quotient is not None and d is not None and never_zero(d):
                return general("positive", size_number(quotient), real=True)
        case "floor_divide":
            return divided(a, b)[0]
        case "remainder":
            return divided(a, b)[1]
        case "divmod":
            return divided(a, b)
    return general(name, x, y)


def divided(a: IndexExpr, b: IndexExpr) -> tuple[Any, Any]:
    d, found = constant_of(b), None
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


def methods(name: str) -> tuple[Callable[[Any, object], Any], Callable[[Any, object], Any]]:
    return (lambda self, other: joined(name, self, other)), (lambda self, other: joined(name, other, self))


def comparison(name: str) -> Callable[[Any, object], Any]:
    def method(self: SymInt, other: object) -> Any:
        e = expression(other)
        if e is None:
            given = other is None or isinstance(other, str | tuple | list)
            return NotImplemented if given else general(name, self, other)
        holds = COMPARISON[name](self.expr, e)
        return bool(holds.value) if isinstance(holds, Num) else general(name, self, other)

    return method


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

    __add__, __radd__ = methods("add")
    __sub__, __rsub__ = methods("subtract")
    __mul__, __rmul__ = methods("multiply")
    __truediv__, __rtruediv__ = methods("true_divide")
    __floordiv__, __rfloordiv__ = methods("floor_divide")
    __mod__, __rmod__ = methods("remainder")
    __divmod__, __rdivmod__ = methods("divmod")
    __lt__, __le__, __gt__ = comparison("less"), comparison("less_equal"), comparison("greater")
    __ge__, __eq__, __ne__ = comparison("greater_equal"), comparison("equal"), comparison("not_equal")

    def __neg__(self) -> Any:
        return whole_number(scaled(self.expr, -1))

    def __pos__(self) -> SymInt:
        return self

    def __abs__(self) -> Any:
        known = nonnegative(self.expr)
        if known is None:
            return general("absolute", self)
        return self if known else -self

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

    def __hash__(self) -> int:
        raise TraceError(f"{text(self.expr)} is a key of a dict or a set: which one depends on the sizes")

    def __bool__(self) -> bool:
        zero = COMPARISON["equal"](self.expr, index_of(0))
        if not isinstance(zero, Num):
            raise TraceError(f"whether {self} is 0 is not known for all sizes, so it cannot be a condition")
        return not zero.value

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


# --- arrays and operators --------------------------------------------------------------------

DIGITS = 7  # a decimal with that many digits may be a rounded number
KINDS: dict[str, Dtype] = {"b": "bool", "i": "int", "u": "narrow", "f": "real"}
LIMIT = 100_000


def exact(x: float, written: str | None = None) -> Fraction:
    """The shortest decimal of a float; a rounded third is taken for the third, and remembered as rounded."""
    if not math.isfinite(x):
        raise TraceError(f"the number {x} has no index term")
    if x == int(x) and abs(x) < 2**53:
        return Fraction(int(x))
    text = written or repr(float(x))
    value = Fraction(text)
    written_in = digits(text)
    if written_in >= DIGITS:
        simple = value.limit_denominator(1000)
        if written_in >= 15 and float(simple) == x:
            value = simple
        current().rounded[float(x)] = value
    return value


def lifted(x: Any) -> Value:
    """An array-like as a Value.  Raises TraceError for what is neither a number nor an array."""
    value = getattr(x, "value", None)
    if isinstance(value, Value):
        return value
    if isinstance(x, Value):
        return x
    if isinstance(x, bool):
        return constant(x, "bool")
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        return from_numpy(x)
    if isinstance(x, Integral):
        return integer(index_of(int(x)))
    if isinstance(x, Rational):
        return constant(Fraction(int(x.numerator), int(x.denominator)))
    if isinstance(x, list | tuple | range):
        return stacked([lifted(y) for y in x])
    if isinstance(x, float):
        t = recognised(x) if EXPRESSIONS.get() and current().recorder is None else None
        if t is not None:
            return Value((), "real", lambda at: t)
        return minus_infinity() if x == -math.inf else constant(exact(x))
    if isinstance(x, complex):
        raise TraceError("complex numbers are not supported")
    raise TraceError(f"a {type(x).__name__} where a number or an array is needed")


def dtype_kind(dtype: Any) -> Dtype | None:
    """What a NumPy dtype is to us; a float of another width than 64 bits is remembered: casts to it copy."""
    kind = KINDS.get(dtype.kind)
    if kind == "int" and dtype.itemsize != 8:
        return "narrow"
    if kind == "real" and dtype.itemsize != 8:
        current().other_floats = True
    return kind


def from_numpy(x: Any) -> Value:
    kind = dtype_kind(x.dtype)
    if kind is None:
        raise TraceError(f"an array of {x.dtype} where numbers are needed")
    if x.size > LIMIT:
        raise TraceError(f"a constant array of {x.size} numbers; at most {LIMIT} are read")
    if x.ndim:
        if x.shape[0] == 0:
            return Value(tuple(sized(s) for s in x.shape), kind, lambda at: num(0))
        return stacked([from_numpy(row) for row in x])
    if kind == "bool":
        return constant(bool(x), "bool")
    if kind in ("int", "narrow"):
        return integer(index_of(int(x))).cast(kind)
    number = float(x)
    if number == -math.inf:
        return minus_infinity()
    return constant(exact(number, str(x[()] if x.dtype.itemsize < 8 else number)))


def size_list(shape: Any, what: str = "a shape") -> tuple[Size, ...]:
    if isinstance(shape, tuple | list):
        return tuple(size_of(s, what) for s in shape)
    if expression(shape) is not None:
        return (size_of(shape, what),)
    value = lifted(shape)
    if value.ndim == 0:
        return (size_of(shape, what),)
    raise TraceError(f"{what} is written as a tuple of sizes")


def lengths(shape: Any, what: str = "a shape") -> tuple[Size, ...]:
    """A shape of sizes that are not negative: at others NumPy raises."""
    return tuple(length(s, what) for s in size_list(shape, what))


def operators(name: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """The methods of an operator: as it is, with swapped sides, and in place."""

    def method(self: Any, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str | Unread) else NUMPY[name](self, other)

    def swapped(self: Any, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str | Unread) else NUMPY[name](other, self)

    def in_place(self: Any, other: Any) -> Any:
        result = NUMPY[name](self, other)
        if self.scalar:
            return result
        self.assign(lifted(result))
        return self

    return method, swapped, in_place


def unary(name: str) -> Callable[[Any], Any]:
    return lambda self: NUMPY[name](self)
