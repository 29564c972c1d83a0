"""Functions that compute with JAX, told by the names in their code: by their jaxprs, and what they hold constant."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.held_values import with_copies
from symbackprop.functions.request import Function, Request

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


BY_VALUE: Mapping[str, str] = {}  # what a rule computes counts, however it is differentiated


def through_jax(request: Request, seconds: float) -> Request | None:
    """The same request with the functions that mention JAX traced by JAX; None where there are none."""
    forward, backward = jittable(request.forward), None if request.backward is None else jittable(request.backward)
    if forward is None and backward is None:
        return None
    found = replace(request, forward=forward or request.forward, backward=backward or request.backward)
    return found if forward is None or request.asked == "check_equal" else with_stopped_values(found, forward, seconds)


def jittable(function: Function) -> Any:
    if not refers_to(function, "jax"):
        return None
    try:
        from symbackprop.read.jax import Jittable  # JAX is an extra
    except ImportError:
        return None
    return Jittable(function, copies=BY_VALUE)


def with_stopped_values(request: Request, forward: Any, seconds: float) -> Request:
    """The request with the values that its forward, a Jittable, holds constant."""
    try:
        with limit(seconds):
            if not forward.stops_gradients(request.given(forward)):
                return request
            stage("reading what is held constant")
            return with_copies(request, forward)
    except (SymbackpropError, OutOfTime):
        return replace(request, forward=forward.holding(None))  # what is wrong with it the check itself says
