"""Which library a function computes with, told by the names in its code."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

DEPTH = 6  # helpers of helpers


def refers_to(function: Any, *libraries: str, depth: int = DEPTH) -> bool:
    """Whether the code of a function, or of helpers that it names, mentions a module or an object of the libraries."""
    return any(belongs(x, libraries, depth) for x in mentioned(function))


def belongs(x: Any, libraries: tuple[str, ...], depth: int) -> bool:
    if any(home in libraries or home.removesuffix("lib") in libraries for home in homes(x)):
        return True
    own = isinstance(x, types.FunctionType | types.MethodType | functools.partial)
    return own and depth > 0 and refers_to(x, *libraries, depth=depth - 1)


def homes(x: Any) -> Iterator[str]:
    """The packages that a module, a function, or the classes of an object are from."""
    found = [x.__name__] if isinstance(x, types.ModuleType) else [getattr(x, "__module__", None)]
    found += [c.__module__ for c in (x if isinstance(x, type) else type(x)).__mro__]
    yield from (home.split(".")[0] for home in found if isinstance(home, str))


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
