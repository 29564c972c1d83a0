"""Which library a function computes with, from the names in its code."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

DEPTH = 6  # helpers of helpers


def refers_to(function: Any, library: str, depth: int = DEPTH) -> bool:
    """Whether the code of a function, or of helpers that it names, mentions a module or an object of the library."""
    return any(belongs(x, library, depth) for x in mentioned(function))


def belongs(x: Any, library: str, depth: int) -> bool:
    home = x.__name__ if isinstance(x, types.ModuleType) else getattr(x, "__module__", None) or type(x).__module__
    if any(str(h).split(".")[0] in (library, f"{library}lib") for h in (home, type(x).__module__)):
        return True
    own = isinstance(x, types.FunctionType | types.MethodType | functools.partial)
    return own and depth > 0 and refers_to(x, library, depth - 1)


def mentioned(function: Any) -> Iterator[Any]:
    """What the names in the code of a function stand for; its closure, and what it wraps."""
    match function:
        case functools.partial():
            yield function.func
        case types.MethodType():
            yield function.__func__
        case types.FunctionType():
            yield from named(function.__code__, function.__globals__)
            for cell in function.__closure__ or ():
                try:
                    yield cell.cell_contents
                except ValueError:
                    continue
        case _:
            yield function


def named(code: types.CodeType, names: dict[str, Any]) -> Iterator[Any]:
    yield from (names[n] for n in code.co_names if n in names)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from named(inner, names)
