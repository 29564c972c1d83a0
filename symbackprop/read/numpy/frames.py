"""The variables a loop body can change: locals of the traced functions, items of their lists and dicts, attributes.

They can be read and set from outside while the function runs, so a loop over a symbolic range needs no source text.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from .context import TraceError
from .sequences import SymList

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
        if isinstance(self.owner, FrameType):
            return self.owner.f_locals.get(self.key, ABSENT)
        if isinstance(self.owner, list):
            return list.__getitem__(self.owner, self.key) if self.key < list.__len__(self.owner) else ABSENT
        return self.owner.get(self.key, ABSENT)

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
    declared = [vars(c).get("__slots__", ()) for c in type(x).__mro__]
    named = [s for slots in declared for s in ((slots,) if isinstance(slots, str) else slots)]
    slots = {s: getattr(x, s) for s in named if s not in ("__dict__", "__weakref__") and hasattr(x, s)}
    return None if kept is None and not named else {**slots, **(kept or {})}


class Snapshot:
    """What every variable held, and every list and dict reachable from the locals."""

    def __init__(self, frame: FrameType) -> None:
        self.frames = list(traced_frames(frame))
        self.locals = {id(f): dict(f.f_locals) for f in self.frames}
        self.containers: dict[int, tuple[Any, Any]] = {}
        self.sets: dict[int, tuple[Any, Any]] = {}
        for variables in self.locals.values():
            for value in variables.values():
                self.walk(value)
        for f in self.frames:
            self.walk(f.f_globals)

    def walk(self, value: Any) -> None:
        if type(value) is set:
            self.sets[id(value)] = (value, value.copy())
        store = storage(value)
        if store is None:
            if type(value) is tuple:
                for item in value:
                    self.walk(item)
            return
        if id(store) in self.containers:
            return
        self.containers[id(store)] = (store, store.copy())
        if isinstance(store, dict):
            for key, item in list(store.items()):
                if not (isinstance(key, str) and key.startswith("__")):
                    self.walk(item)
        else:
            for item in list(store):
                self.walk(item)

    def changed(self) -> Iterator[tuple[Place, Any]]:
        """Variables that hold another object now, with the object before (ABSENT for new ones).

        Raises TraceError where a set is another one now: how many items it has would depend on how often the body ran.
        """
        if any(now != before for now, before in self.sets.values()):
            raise TraceError("a set that changes in a loop over a symbolic range is not understood")
        for f in self.frames:
            before = self.locals[id(f)]
            for name, value in f.f_locals.items():
                if before.get(name, ABSENT) is not value:
                    yield Place(f, name), before.get(name, ABSENT)
        for store, before in self.containers.values():
            if isinstance(store, dict):
                for key, value in store.items():
                    if before.get(key, ABSENT) is not value:
                        yield Place(store, key), before.get(key, ABSENT)
            else:
                for n, (value, old) in enumerate(zip(store, before, strict=False)):
                    if value is not old:
                        yield Place(store, n), old

    def lists(self) -> Iterator[tuple[list[Any], list[Any]]]:
        """Lists that have another length now, with their items before."""
        for store, before in self.containers.values():
            if isinstance(store, list) and len(store) != len(before):
                yield store, before

    def holders(self, target: list[Any]) -> list[Place]:
        """Every variable that holds this list."""
        found = [Place(f, n) for f in self.frames for n, v in self.locals[id(f)].items() if v is target]
        for store, before in self.containers.values():
            items = before.items() if isinstance(store, dict) else enumerate(before)
            found.extend(Place(store, k) for k, v in items if v is target)
        return found


def storage(value: Any) -> Any:
    """The list or dict behind a value whose parts can be rebound."""
    if type(value) in (list, dict):
        return value
    if isinstance(value, SymList):
        return value.parts
    if home_of(type(value)) in ("symbackprop", "builtins", "numpy", "types", "functools"):
        return None
    inside = getattr(value, "__dict__", None)
    return inside if isinstance(inside, dict) and not isinstance(value, type) else None
