"""From Python's values, brackets and operators to immutable arrays, plans of indexing and functions of the tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

from symbackprop.core.terms import IndexExpr, Size, num, sized

from .axes import ZERO_AT, Shape, constant_of, difference, exact_quotient, index_of, nonnegative, shifted
from .context import NUMPY, ShapeMismatch, TraceError, current
from .indexing import At1, Item, Many, New, Plan, Slice, plan
from .scalars import digits
from .sizes import SymInt, expression, size_of
from .sizes import length as longer
from .values import Dtype, Value, constant, integer, minus_infinity, stacked

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


def items_of(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def mask_in(key: Any) -> Value | None:
    """The key when it is one boolean array."""
    items = items_of(key)
    if len(items) != 1 or items[0] is None or items[0] is Ellipsis or isinstance(items[0], slice | int | SymInt):
        if any(is_mask(i) for i in items):
            raise TraceError("a boolean mask beside other indices: use np.where or a mask that is multiplied")
        return None
    return lifted(items[0]) if is_mask(items[0]) else None


def is_mask(item: Any) -> bool:
    if item is None or item is Ellipsis or isinstance(item, slice | int | SymInt | str):
        return isinstance(item, bool)
    return lifted(item).dtype == "bool"


def planned(key: Any, shape: Shape) -> Plan:
    """The plan of a key without masks."""
    raw = items_of(key)
    used = sum(1 for i in raw if i is not None and i is not Ellipsis)
    items: list[Item | None] = []
    axis = 0
    for item in raw:
        if item is None:
            items.append(New())
        elif item is Ellipsis:
            items.append(None)
            axis = len(shape) - (used - axis)
        else:
            if not 0 <= axis < len(shape):
                raise ShapeMismatch(f"{used} indices for an array with {len(shape)} axes")
            items.append(item_of(item, shape[axis]))
            axis += 1
    return plan(items, shape)


def item_of(item: Any, size: Size) -> Item:
    if isinstance(item, slice):
        return sliced(item, size)
    e = expression(item)
    if e is not None:
        return At1(e)
    if isinstance(item, str | float):
        raise TraceError(f"{item!r} is not an index")
    value = lifted(item)
    if value.dtype == "real":
        raise TraceError("an index that is computed from real numbers")
    if value.ndim == 0:
        place = value.index(())
        if place is not None:
            return At1(place)
        if value.cases(()) is None:
            raise TraceError("an index whose value depends on the data")
    return Many(value)


def sliced(item: slice, size: Size) -> Slice:
    """Start, length and step by NumPy's rules; whether an end is inside must be known for all sizes."""
    by = 1 if item.step is None else item.step
    if not isinstance(by, int) or by == 0:
        raise TraceError(f"the step of a slice must be a plain number, not {by!r}")
    first = ends(item.start, size, ZERO_AT if by > 0 else index_of(size - 1), by)
    last = ends(item.stop, size, index_of(size) if by > 0 else index_of(-1), by)
    span = difference(last, first) if by > 0 else difference(first, last)
    length = constant_of(span)
    if length is None:
        raise TraceError("a slice whose length depends on a loop index or on the data: mask the whole axis instead")
    if nonnegative(span) is False:
        return Slice(ZERO_AT, sized(0), 1)
    longer(length, "a slice")
    if by not in (1, -1):
        known = length.constant
        length = divided_up(length, abs(by)) if known is None else sized(-(-known // abs(by)))
    return Slice(first, length, by)


def divided_up(length: Size, by: int) -> Size:
    """ceil(length / by) where all sizes divide: 2n / 2 = n, (2n - 1) / 2 rounds up to n."""
    whole = [m for m in length.monomials if m[0]]
    rest = sum(c for m, c in length.monomials if not m)
    exact = exact_quotient(Size(tuple(whole)), sized(by))
    if exact is None:
        raise TraceError(f"every {by}th of {length} entries: declare the size as a product, such as '{by}*n'")
    return exact + -(-rest // by)


def ends(value: Any, size: Size, default: IndexExpr, by: int) -> IndexExpr:
    """One end of a slice, clipped to the axis."""
    if value is None:
        return default
    e = expression(value)
    if e is None:
        e = lifted(value).index(()) if hasattr(value, "value") and lifted(value).ndim == 0 else None
    if e is None:
        raise TraceError(f"{value!r} is not the end of a slice")
    known = nonnegative(e)
    if known is None:
        raise TraceError("a slice end that may be negative for some sizes")
    if not known:
        e = shifted(e, size)
        if nonnegative(e) is False:
            return ZERO_AT if by > 0 else index_of(-1)
        if nonnegative(e) is None:
            raise TraceError(f"a slice end of {value!r} in an axis of {size} entries: is the axis long enough?")
    top = size if by > 0 else size - 1
    inside = nonnegative(difference(index_of(top), e))
    if inside is False:
        return index_of(top)
    if inside is None:
        if nonnegative(difference(e, index_of(top))):
            return index_of(top)
        raise TraceError(f"a slice end of {value!r} in an axis of {size} entries: which is larger is not known")
    return e


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
    return tuple(longer(s, what) for s in size_list(shape, what))


class Unread:
    """A number or an array that a function only carries on, such as a running mean: what comes of it is unread, too.

    Whatever else is done with it is an error.
    """

    def carried(self, *others: Any) -> Unread:
        return self

    def refused(self, *others: Any) -> Any:
        raise TraceError("what a function carries from call to call is read")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = carried
    __getitem__ = __neg__ = __pos__ = carried
    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __len__ = __contains__ = refused
    __int__ = __float__ = __index__ = __abs__ = __round__ = __array__ = __str__ = __repr__ = __format__ = refused
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = __matmul__ = __rmatmul__ = refused
    __rpow__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = __setitem__ = refused
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __call__ = __getattr__ = refused
    __hash__ = None  # type: ignore[assignment]


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
