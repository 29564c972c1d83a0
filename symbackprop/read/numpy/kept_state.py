"""What a function keeps from one call to the next, in lists, objects and names that it writes to.

A function whose result depends on how often it was called is no function of its arguments.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from symbackprop.core.terms import SymbackpropError

from .array import SymArray
from .frames import MARK
from .modules import Module
from .sequences import SymList
from .sizes import expression
from .values import Value

Frozen = tuple[Any, ...]
OURS = "symbackprop."
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
        case _ if isinstance(x, (Value, *CODE)) or not hasattr(x, "__dict__") or type(x).__module__.startswith(OURS):
            return None
    return list(vars(x).items())


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
