"""What a function keeps from one call to the next, in lists, objects and names that it writes to.

A function whose result depends on how often it was called is no function of its arguments.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dis import get_instructions
from typing import Any

from symbackprop.core.terms import SymbackpropError

from .array import SymArray
from .frames import MARK, home_of
from .lifting import SymInt, expression
from .modules import Module
from .sequences import SymList
from .values import Value

Frozen = tuple[Any, ...]
OURS = "symbackprop"
PLAIN = (str, bytes, float, complex)
CALLED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, staticmethod, classmethod)
CODE = (*CALLED, types.ModuleType, Module)


def frozen(stores: Iterable[Any], but: Iterable[Any] = ()) -> Frozen:
    """What the stores hold now, however deep, `but` these; a thing met again is known by when it was met first."""
    seen = {id(x): -1 - k for k, x in enumerate(but)}
    return tuple(held(s, seen) for s in stores)


def surface(stores: Iterable[Any]) -> Frozen:
    """What each store holds by itself: nothing else was there before a call that it could write to."""
    return tuple([tuple([(k, own(v)) for k, v in parts_of(s) or [("", s)]]) for s in stores])


Places = list[tuple[Any, Any]]


def carried_on(stores: Sequence[Any], before: Frozen, same: Callable[[Value, Value], bool]) -> Places:
    """The numbers and arrays in the stores that are others than before, each with its store and the place in it."""
    now = surface(stores[: len(before)])
    return [
        (store, k) for store, old, new in zip(stores, map(dict, before), now, strict=False) for k, x in new
        if k in old and k != "" and is_amount(old[k]) and is_amount(x) and not kept_alike(old[k], x, same)
    ]  # fmt: skip


def asks_for_types(codes: Iterable[types.CodeType]) -> bool:
    """type(x), x.__class__ or `case int()`, which see that a number was made unreadable; a repr may."""
    return any(
        not {"type", "__class__"}.isdisjoint(c.co_names) or any(i.opname == "MATCH_CLASS" for i in get_instructions(c))
        for c in codes if c.co_name not in ("__repr__", "__str__")
    )  # fmt: skip


def is_amount(x: Any) -> bool:
    return isinstance(x, int | float | SymInt | Value) and not isinstance(x, bool)


def put(store: Any, k: Any, x: Any) -> Any:
    """x at this place of the store; what was there."""
    match store:
        case types.CellType():
            old, store.cell_contents = store.cell_contents, x
        case list() | deque() | dict():
            old, store[k] = store[k], x
        case type():
            old = vars(store)[k]
            setattr(store, k, x)
        case _:
            old = getattr(store, k)
            object.__setattr__(store, k, x)
    return old


def own(x: Any) -> Any:
    return entries(x) if isinstance(x, SymArray | SymList) else x


def held(x: Any, seen: dict[int, int]) -> Any:
    if isinstance(x, SymArray | SymList):
        return entries(x)
    if id(x) in seen:
        return ("again", seen[id(x)])
    parts = parts_of(x)
    if parts is None:
        return x
    seen[id(x)] = len(seen)
    return (type(x), *[(k, held(v, seen)) for k, v in parts])


def entries(x: Any) -> Any:
    """As an array, where it is one."""
    try:
        return x.value
    except SymbackpropError:
        return x


def parts_of(x: Any) -> list[tuple[Any, Any]] | None:
    """What a thing is made of, by name or by place; None for what has no parts that change."""
    match x:
        case types.CellType():
            return cell_parts(x)
        case types.FunctionType():
            return list(vars(x).items())
        case list() | tuple() | deque():
            return list(enumerate(x))
        case dict():
            return [(k, v) for k, v in x.items() if MARK not in x or not str(k).startswith("__")]
        case set():
            return [(k, k) for k in x]
        case type():
            return [(k, v) for k, v in vars(x).items() if not k.startswith("__") and not isinstance(v, CODE)]
        case _ if isinstance(x, CODE) or home_of(type(x)) == OURS:
            return None
    parts = slots_of(x)
    return [*vars(x).items(), *parts] if hasattr(x, "__dict__") else parts or None


def slots_of(x: Any) -> list[tuple[Any, Any]]:
    if home_of(type(x)) in sys.stdlib_module_names:
        return []
    declared = [vars(c).get("__slots__", ()) for c in type(x).__mro__]
    names = [k for slots in declared for k in ((slots,) if isinstance(slots, str) else slots)]
    return [(k, getattr(x, k)) for k in names if not k.startswith("__") and hasattr(x, k)]


def cell_parts(x: types.CellType) -> list[tuple[Any, Any]]:
    try:
        return [("contents", x.cell_contents)]
    except ValueError:
        return []


def kept_alike(before: Any, after: Any, same: Callable[[Value, Value], bool]) -> bool:
    """Whether two frozen states hold the same numbers, the same objects, and what are the `same` arrays."""
    if before is after:
        return True
    if isinstance(before, tuple) and isinstance(after, tuple):
        return len(before) == len(after) and all(kept_alike(a, b, same) for a, b in zip(before, after, strict=True))
    if type(before) is not type(after):
        return False
    if isinstance(before, Value):
        return same(before, after)
    size = expression(before)
    return bool(size == expression(after)) if size is not None else isinstance(before, PLAIN) and before == after
