"""Lists of symbolic length: what [f(t) for t in range(L)] makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from symbackprop.core.terms import Index, IndexExpr, Size, affine, sized

from . import layout
from .array import SymArray, wrap
from .axes import At, at_least_zero, constant_of, inside, replaced, shifted
from .context import TraceError
from .indexing import sliced
from .lifting import HANDLERS, SymInt, expression, length, lifted, size_number, whole_number
from .values import Value, stacked


def mapped(x: Any, f: Callable[[Any], Any]) -> Any:
    """A Python structure with f of what it holds."""
    if isinstance(x, SymList):
        return SymList([Run(p.index, mapped(p.item, f)) if isinstance(p, Run) else mapped(p, f) for p in x.parts])
    if type(x) in (list, tuple):
        return type(x)(mapped(y, f) for y in x)
    if type(x) is dict:
        return {k: mapped(y, f) for k, y in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(mapped(y, f) for y in x))
    return f(x)


def placed(x: Any, values: dict[Index, IndexExpr]) -> Any:
    """A Python structure with index expressions in place of loop indices."""

    def here(y: Any) -> Any:
        if isinstance(y, SymArray):
            return SymArray(y.value.put(values), scalar=y.scalar)
        return whole_number(replaced(y.expr, values)) if isinstance(y, SymInt) else y

    return mapped(x, here)


@dataclass(frozen=True, slots=True)
class Run:
    """As many items as the index has values."""

    index: Index
    item: Any

    @property
    def size(self) -> Size:
        return self.index.size

    def at(self, e: IndexExpr) -> Any:
        return placed(self.item, {self.index: e})


class Uncompared:
    """Equal to itself; to another one of symbolic length where length and items are, which nobody looks at here."""

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        raise TraceError("== of a list or a range of symbolic length: compare the lengths, or arrays")

    __hash__ = object.__hash__


class SymList(Uncompared):
    """Plain items and runs, in order."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    @property
    def length(self) -> Any:
        return size_number(self.count)

    @property
    def count(self) -> Size:
        size = sized(0)
        for p in self.parts:
            size = size + (p.size if isinstance(p, Run) else 1)
        return size

    @property
    def value(self) -> Value:
        """The list as an array."""
        if not self.parts:
            return stacked([])
        for p in self.parts:
            if isinstance(p, Run) and len(self.parts) == 1 and lifted(p.item).ndim and not at_least_zero(p.size - 1):
                raise TraceError("an array of a list of arrays that may be empty for some sizes, where it has one axis")
        pieces = [run_value(p) if isinstance(p, Run) else layout.expand(lifted(p), (0,)) for p in self.parts]
        return pieces[0] if len(pieces) == 1 else layout.concatenate(pieces, 0)

    @property
    def shape(self) -> tuple[Any, ...]:
        raise AttributeError("shape")

    def at(self, e: IndexExpr) -> Any:
        start = sized(0)
        for p in self.parts:
            place = shifted(e, -start)
            size = p.size if isinstance(p, Run) else sized(1)
            if inside(place, size):
                return p.at(place) if isinstance(p, Run) else p
            start = start + size
        if not inside(e, self.count):
            raise TraceError(f"that the index is inside the list of {self.count} items is not known for all sizes")
        return wrap(self.value.remap(self.value.shape[1:], lambda at: (e, *at)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self.part(key)
        e = expression(key)
        if e is None:
            raise TraceError(f"a list is indexed with {key!r}")
        n = constant_of(e)
        if n is not None and n.constant is not None and n.constant < 0:
            e = shifted(e, self.count)
        return self.at(e)

    def part(self, key: slice) -> Any:
        cut = sliced(key, self.count)
        index = HANDLERS["fresh"](cut.length)
        item = self.at(affine(0, [(cut.start, 1), (index, cut.step)]))
        return SymList([Run(index, item)])

    def __len__(self) -> int:
        raise TraceError(f"len() of a list of {self.count} items was asked by code that needs a plain number")

    def __bool__(self) -> bool:
        return bool(self.length)

    def __iter__(self) -> Iterator[Any]:
        found: Iterator[Any] = HANDLERS["iterate"](self)
        return found

    def append(self, item: Any) -> None:
        HANDLERS["growing"](self)
        self.parts.append(item)

    def extend(self, items: Any) -> None:
        HANDLERS["growing"](self)
        self.parts.extend(items.parts if isinstance(items, SymList) else list(items))

    def reverse(self) -> None:
        HANDLERS["growing"](self)
        self.parts = self[::-1].parts

    def clear(self) -> None:
        HANDLERS["growing"](self)
        self.parts = []

    def copy(self) -> SymList:
        return SymList(list(self.parts))

    def __add__(self, other: Any) -> SymList:
        if not isinstance(other, SymList | list):
            return NotImplemented
        return SymList([*self.parts, *(other.parts if isinstance(other, SymList) else other)])

    def __radd__(self, other: Any) -> SymList:
        return SymList([*other, *self.parts]) if isinstance(other, list) else NotImplemented

    def __contains__(self, item: Any) -> bool:
        raise TraceError("'in' on a list of symbolic length")

    def __repr__(self) -> str:
        return f"<list of {self.count} items>"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return HANDLERS["ufunc"](ufunc, method, *inputs, **options)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        return HANDLERS["function"](func, *args, **options)


def run_value(r: Run) -> Value:
    inner = lifted(r.item)

    def placed(at: At) -> Value:
        return inner.put({r.index: at[0]})

    holes = inner.holes_of(lambda at: placed(at).hole(at[1:]))
    return Value((r.size, *inner.shape), inner.dtype, lambda at: placed(at).entry(at[1:]), holes, inner.soft)


def repeated(items: Any, count: SymInt) -> SymList:
    """[x] * n"""
    if isinstance(items, tuple) or len(items) != 1:
        raise TraceError("a list of several items, repeated a symbolic number of times")
    if isinstance(items[0], SymArray) and not items[0].scalar:
        raise TraceError("[array] * n holds one array n times")
    size = constant_of(count.expr)
    if size is None:
        raise TraceError("a list repeated by an index")
    length(size, "a list")
    return SymList([Run(HANDLERS["fresh"](size), items[0])])


HANDLERS["repeated"] = repeated
