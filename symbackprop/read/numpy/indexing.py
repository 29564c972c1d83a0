"""Reading and writing entries by NumPy's rules: integers, slices, None, Ellipsis, integer arrays, masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias, TypeVar

from symbackprop.core.terms import Index, IndexExpr, Size, Term, affine, sized

from .algebra import delta, times
from .axes import (
    UNIT, ZERO_AT, At, Shape, aligned, bounds, broadcast, constant_of, difference, exact_quotient, index_of, inside,
    integer_of, nonnegative, shape_text, shifted, somewhere,
)  # fmt: skip
from .context import NoSuchPlace, ShapeMismatch, TraceError
from .layout import expand
from .lifting import SymInt, expression, length, lifted
from .values import Case, Piece, Value, exactly, finite, pieced, together

LIMIT = 256


@dataclass(frozen=True, slots=True)
class New:
    """None: a new axis of one entry."""


@dataclass(frozen=True, slots=True)
class Slice:
    start: IndexExpr
    length: Size
    step: int


@dataclass(frozen=True, slots=True)
class At1:
    """One whole number."""

    place: IndexExpr


@dataclass(frozen=True, slots=True)
class Many:
    """An array of whole numbers."""

    places: Value


T = TypeVar("T")
Item: TypeAlias = Slice | At1 | Many


@dataclass(frozen=True, slots=True)
class Plan:
    """A key against a shape: one item for each axis.  Masks have been taken out before."""

    items: tuple[Item, ...]
    shape: Shape  # of the array indexed
    spread: Shape  # broadcast shape of the integer arrays
    front: int  # where their axes stand among those of the entries
    entries: Shape  # of what is named
    new: tuple[int, ...] = ()  # the axes of the result that are new

    @property
    def result(self) -> Shape:
        own = iter(self.entries)
        return tuple(UNIT if k in self.new else next(own) for k in range(len(self.entries) + len(self.new)))

    @property
    def leading(self) -> bool:
        """Whether the entries named lie side by side in row-major order."""
        rows = list(zip(self.items, self.shape, strict=True))
        while rows and isinstance(rows[0][0], At1):
            rows.pop(0)
        if rows and isinstance(rows[0][0], Slice) and rows[0][0].step == 1:
            rows.pop(0)
        return all(isinstance(i, Slice) and i.step == 1 and i.length == s for i, s in rows)

    @property
    def basic(self) -> bool:
        return not any(isinstance(i, Many) for i in self.items)

    def split(self, at: tuple[T, ...]) -> tuple[tuple[T, ...], tuple[T, ...]]:
        """Of what stands for the axes of the entries the part in the integer arrays, and the rest."""
        end = self.front + len(self.spread)
        return at[self.front : end], at[: self.front] + at[end:]


def checked(e: IndexExpr, size: Size) -> IndexExpr:
    """A whole number as a place of an axis; negative ones count from the end."""
    if inside(e, size):
        return e
    upper = bounds(e)[1]
    if upper is not None and nonnegative(index_of(-upper - 1)):
        e = shifted(e, size)
        if inside(e, size):
            return e
    n = integer_of(e)
    if n is not None and size.constant is not None:
        raise NoSuchPlace(f"index {n - (size.constant if n < 0 else 0)} is out of an axis of {size} entries")
    raise TraceError(f"that the index is inside the axis of {size} entries is not known for all sizes")


def plan(items: Sequence[Item | New | None], shape: Shape) -> Plan:
    """`None` among the items stands for the Ellipsis."""
    used = sum(not isinstance(i, New) for i in items if i is not None)
    if used > len(shape):
        raise ShapeMismatch(f"{used} indices for an array of shape {shape_text(shape)}")
    full = list(items) if None in items else [*items, None]
    if full.count(None) > 1:
        raise TraceError("only one Ellipsis in an index")
    at = full.index(None)
    before = sum(not isinstance(i, New) for i in full[:at])
    rest = [Slice(ZERO_AT, s, 1) for s in shape[before : before + len(shape) - used]]
    every: list[Item | New] = [*(i for i in full[:at] if i), *rest, *(i for i in full[at + 1 :] if i)]

    many = [i.places for i in every if isinstance(i, Many)]
    spread = broadcast(*(v.shape for v in many)) if many else ()
    advanced = [n for n, i in enumerate(every) if isinstance(i, Many) or (many and isinstance(i, At1))]
    spots = [n + (None in items and n >= at) for n in advanced]  # an Ellipsis keeps apart, though it be of no axis
    together = bool(spots) and spots == list(range(spots[0], spots[-1] + 1))
    first = advanced[0] if together else 0
    kept = [(n, i.length if isinstance(i, Slice) else None) for n, i in enumerate(every) if isinstance(i, Slice | New)]
    front = sum(n < first for n, _ in kept)
    axes = [*(s for _, s in kept[:front]), *spread, *(s for _, s in kept[front:])]
    new = tuple(k for k, s in enumerate(axes) if s is None)
    own = tuple(i for i in every if not isinstance(i, New))
    front -= sum(k < front for k in new)
    return Plan(own, shape, spread, front, tuple(s for s in axes if s is not None), new)


def listed(p: Plan) -> bool:
    """Whether an index array is a plain list, whose entries have no formula in their place."""
    block = somewhere(p.spread)
    unknown = [i for i in p.items if isinstance(i, Many) and i.places.cases(aligned(i.places.shape, block)) is None]
    return bool(unknown) and all(s.constant is not None for s in p.spread)


def places_of(p: Plan) -> list[tuple[At, Plan]]:
    """For each position in the index arrays the plan with the whole numbers there."""
    counts = [s.constant or 0 for s in p.spread]
    if prod(counts) > LIMIT:
        raise TraceError(f"an index list of {prod(counts)} places; at most {LIMIT} are unrolled")
    found = []
    for place in product(*map(range, counts)):
        block = tuple(index_of(k) for k in place)
        items = tuple(
            At1(entry_of(i.places, aligned(i.places.shape, block), size)) if isinstance(i, Many) else i
            for i, size in zip(p.items, p.shape, strict=True)
        )
        found.append((block, Plan(items, p.shape, (), 0, p.split(p.entries)[1])))
    return found


def read(v: Value, p: Plan) -> Value:
    """The entries the plan names."""
    found = read_listed(v, p) if listed(p) else read_entries(v, p)
    if not p.new:
        return found
    result = expand(found, p.new)
    own = [k for k in range(result.ndim) if k not in p.new]
    result.distinct = frozenset(own[k] for k in found.distinct)
    return result


def read_listed(v: Value, p: Plan) -> Value:
    found = [(block, read(finite(v), q)) for block, q in places_of(p)]

    def pieces(at: At) -> list[Piece]:
        here, rest = p.split(at)
        return [(times(*map(delta, here, block)), piece, rest) for block, piece in found]

    return pieced(p.entries, v.dtype, [piece for _, piece in found], pieces)


def read_entries(v: Value, p: Plan) -> Value:
    places = located(p)

    def named(at: At) -> tuple[tuple[Index, ...], Term, At]:
        """Dummies and mask of integers that are known by cases, and the place."""
        block, others = p.split(at)
        rest = iter(others)
        found: list[Case] = []
        for n, item in enumerate(p.items):
            match item:
                case Slice(start, length, by):
                    e = next(rest)
                    found.append(exactly(start if length == UNIT else affine(0, [(start, 1), (e, by)])))
                case At1():
                    found.append(exactly(places[n]))
                case Many(array):
                    found.append(entry_cases(array, aligned(array.shape, block), p.shape[n]))
        return together(found)

    if any(isinstance(i, Many) and i.places.index(somewhere(i.places.shape)) is None for i in p.items):
        return Value(p.entries, finite(v).dtype, lambda at: v.chosen(*named(at)))
    result = v.remap(p.entries, lambda at: named(at)[2])
    if p.basic:  # a slice of what sorts an array names no entry twice either
        sliced = [n for n, i in enumerate(p.items) if isinstance(i, Slice)]
        result.distinct = frozenset(k for k, n in enumerate(sliced) if n in v.distinct)
    return result


def located(p: Plan) -> dict[int, IndexExpr]:
    """Checked places of the single whole numbers; also checks the arrays once, at a generic index."""
    found: dict[int, IndexExpr] = {}
    for n, item in enumerate(p.items):
        if isinstance(item, At1):
            found[n] = checked(item.place, p.shape[n])
        elif isinstance(item, Many) and (case := item.places.cases(somewhere(item.places.shape))) is not None:
            checked(case.place, p.shape[n])
    return found


def entry_of(array: Value, at: At, size: Size) -> IndexExpr:
    dummies, _, e = entry_cases(array, at, size)
    if dummies:
        raise TraceError("an index of a reshaped array here: index before the reshape")
    return e


def entry_cases(array: Value, at: At, size: Size) -> Case:
    """An integer as a place of an axis, possibly by cases."""
    case = array.cases(at)
    if case is None:
        raise TraceError("an index that is computed from real numbers, or an integer without an exact form")
    return case._replace(place=checked(case.place, size))


# --- keys as they are written --------------------------------------------------------------------


def items_of(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


class Places:
    """np.triu_indices(n): the places where a mask holds, in its order.  It can be an index and nothing else."""

    __slots__ = ("mask",)

    def __init__(self, mask: Value) -> None:
        self.mask = mask

    def __len__(self) -> int:
        raise TraceError("the places of a triangle are understood as one index: x[np.triu_indices(n)]")

    def __iter__(self) -> Any:
        return iter(range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return len(self)


def mask_behind(key: Any, shape: Shape) -> tuple[Value | None, int]:
    """The mask that the key is, or the one that stands beside full slices; and how many axes are before it."""
    items = items_of(key)
    masks = [k for k, i in enumerate(items) if is_mask(i)]
    if len(items) == 1 or not masks or any(isinstance(i, Places) for i in items):
        return mask_in(key, shape), 0
    k, others = masks[0], [i for n, i in enumerate(items) if n != masks[0]]
    if not all(i is Ellipsis or (isinstance(i, slice) and i.start is i.stop is i.step is None) for i in others):
        raise TraceError("a boolean mask beside other indices: use np.where or a mask that is multiplied")
    mask = mask_in(items[k], shape)
    assert mask is not None
    dots = any(i is Ellipsis for i in items[:k])
    return mask, len(shape) - mask.ndim - (len(items) - 1 - k) if dots else k


def mask_in(key: Any, shape: Shape) -> Value | None:
    """The key of an array of this shape when it is one boolean array."""
    items = items_of(key)
    if any(isinstance(i, Places) for i in items):
        if not isinstance(key, Places) or key.mask.shape != shape[: key.mask.ndim]:
            raise TraceError("the places of a triangle are understood as one index, of an array with its axes")
        return key.mask
    if len(items) != 1 or items[0] is None or items[0] is Ellipsis or isinstance(items[0], slice | int | SymInt):
        if any(is_mask(i) for i in items):
            raise TraceError("a boolean mask beside other indices: use np.where or a mask that is multiplied")
        return None
    return lifted(items[0]) if is_mask(items[0]) else None


def is_mask(item: Any) -> bool:
    if item is None or item is Ellipsis or isinstance(item, slice | int | SymInt | str):
        return isinstance(item, bool)
    return isinstance(item, Places) or lifted(item).dtype == "bool"


def planned(key: Any, shape: Shape) -> Plan:
    """The plan of a key without masks."""
    raw = items_of(key)
    used = sum(1 for i in raw if i is not None and i is not Ellipsis)
    items: list[Item | New | None] = []
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
    count = constant_of(span)
    if count is None:
        raise TraceError("a slice whose length depends on a loop index or on the data: mask the whole axis instead")
    if nonnegative(span) is False:
        return Slice(ZERO_AT, sized(0), 1)
    length(count, "a slice")
    if by not in (1, -1):
        known = count.constant
        count = divided_up(count, abs(by)) if known is None else sized(-(-known // abs(by)))
    return Slice(first, count, by)


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
