"""What stands in brackets: from Python objects to the items of an indexing plan."""

from __future__ import annotations

from typing import Any

from .algebra import (
    ZERO_AT,
    IndexExpr,
    Size,
    constant_of,
    difference,
    exact_quotient,
    index_of,
    nonnegative,
    shifted,
    sized,
)
from .errors import ShapeMismatch, TraceError
from .indexing import At1, Item, Many, New, Plan, Slice, plan
from .lifting import lifted
from .sizes import SymInt, expression, size_of
from .sizes import length as longer
from .values import Shape, Value


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
        rounded = length + (abs(by) - 1)
        if length.constant is not None:
            length = sized(-(-length.constant // abs(by)))
        else:
            length = divided_up(length, rounded, abs(by), item)
    return Slice(first, length, by)


def divided_up(length: Size, rounded: Size, by: int, item: slice) -> Size:
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
    if known is None and nonnegative(shifted(e, 1)):  # n - 1 >= 0 holds, but say so for -0 too
        known = None
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
