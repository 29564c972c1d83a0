"""What traced code writes to, seen from outside: what it keeps from one call to the next, and what a loop body changes.

A function whose result depends on how often it was called is no function of its arguments.  Variables can be read and
set while a function runs, so a loop over a symbolic range needs no source text.
"""

from __future__ import annotations

import ctypes
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dis import get_instructions
from types import FrameType
from typing import Any

from symbackprop.core.terms import SymbackpropError

from .array import SymArray
from .context import TraceError
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
    slots = [] if home_of(type(x)) in sys.stdlib_module_names else [p for p in slots_of(x) if p[0][:2] != "__"]
    return [*vars(x).items(), *slots] if hasattr(x, "__dict__") else slots or None


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


# --- the variables a loop body can change: locals of the traced functions, items of their lists and dicts, attributes 


MARK = "__symbackprop_traced__"
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()


def traced_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of user code below `frame`, innermost first."""
    while frame is not None:
        if MARK in frame.f_globals:
            yield frame
        frame = frame.f_back


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A variable: a local of a frame, an item of a list or dict, an attribute."""

    owner: Any
    key: Any

    def get(self) -> Any:
        return dict(items_in(self.owner)).get(self.key, ABSENT)

    def set(self, value: Any) -> None:
        if isinstance(self.owner, FrameType):
            set_local(self.owner, self.key, value)
        elif value is ABSENT and isinstance(self.owner, dict):
            self.owner.pop(self.key, None)
        else:
            self.owner[self.key] = value

    @property
    def name(self) -> str:
        return str(self.key) if isinstance(self.key, str) else f"item {self.key}"


def items_in(owner: Any) -> Iterable[tuple[Any, Any]]:
    match owner:
        case FrameType():
            return owner.f_locals.items()
        case list():
            return enumerate(list.__iter__(owner))
        case _:
            return owner.items()  # type: ignore[no-any-return]


def set_local(frame: FrameType, name: str, value: Any) -> None:
    """Rebind a local variable of a running frame (write-through since Python 3.13, PEP 667)."""
    variables = frame.f_locals
    if value is ABSENT:
        if sys.version_info >= (3, 13) or name not in variables:
            return
        del variables[name]
    else:
        variables[name] = value
    if sys.version_info < (3, 13):
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(1))


HEAP = 1 << 9  # of classes that a class statement makes


def home_of(cls: type) -> str:
    """The package of a class; "" for one that a person made where modules have no names."""
    home = cls.__module__.split(".")[0]
    return "" if home == "builtins" and cls.__flags__ & HEAP else home


def attributes_of(x: Any) -> dict[str, Any] | None:
    """What an object holds, by name, also where its class has __slots__; None for what holds nothing."""
    kept = getattr(x, "__dict__", None)
    empty = kept is None and not any(vars(c).get("__slots__") for c in type(x).__mro__)
    return None if empty else {**dict(slots_of(x)), **(kept or {})}


def slots_of(x: Any) -> list[tuple[str, Any]]:
    declared = [vars(c).get("__slots__", ()) for c in type(x).__mro__]
    names = [k for slots in declared for k in ((slots,) if isinstance(slots, str) else slots)]
    return [(k, getattr(x, k)) for k in names if k not in ("__dict__", "__weakref__") and hasattr(x, k)]


class Snapshot:
    """What every local variable held, and what every list and dict reachable from them."""

    def __init__(self, frame: FrameType) -> None:
        self.stores: dict[int, tuple[Any, dict[Any, Any]]] = {}
        self.sets: dict[int, tuple[Any, Any]] = {}
        frames = list(traced_frames(frame))
        for store in (*frames, *(f.f_globals for f in frames)):
            self.keep(store)

    def keep(self, store: Any) -> None:
        if id(store) in self.stores:
            return
        before = dict(items_in(store))
        self.stores[id(store)] = (store, before)
        for key, item in before.items():
            if not (isinstance(key, str) and key.startswith("__")):
                self.walk(item)

    def walk(self, value: Any) -> None:
        if type(value) is set:
            self.sets[id(value)] = (value, value.copy())
        elif type(value) is tuple:
            for item in value:
                self.walk(item)
        elif (store := storage(value)) is not None:
            self.keep(store)

    def changed(self) -> Iterator[tuple[Place, Any]]:
        """Variables that hold another object now, with the object before (ABSENT for new ones).

        Raises TraceError where a set is another one now: how many items it has would depend on how often the body ran.
        """
        if any(now != before for now, before in self.sets.values()):
            raise TraceError("a set that changes in a loop over a symbolic range is not understood")
        for store, before in self.stores.values():
            for key, value in items_in(store):
                old = before.get(key, ABSENT)
                if old is not value and not (old is ABSENT and isinstance(store, list)):
                    yield Place(store, key), old

    def lists(self) -> Iterator[tuple[list[Any], list[Any]]]:
        """Lists that have another length now, with their items before."""
        for store, before in self.stores.values():
            if isinstance(store, list) and len(store) != len(before):
                yield store, list(before.values())

    def holders(self, target: list[Any]) -> list[Place]:
        """Every variable that holds this list."""
        return [Place(store, k) for store, before in self.stores.values() for k, v in before.items() if v is target]


def storage(value: Any) -> Any:
    """The list or dict behind a value whose parts can be rebound."""
    if type(value) in (list, dict):
        return value
    if isinstance(value, SymList):
        return value.parts
    inside = getattr(value, "__dict__", None) if of_user(value) and not isinstance(value, type) else None
    return inside if isinstance(inside, dict) else None


def of_user(x: Any) -> bool:
    return home_of(type(x)) not in ("symbackprop", "builtins", "numpy", "types", "functools")
