"""Functions and modules of other libraries than NumPy in the place of NumPy's functions.

A library's module is imported when the user has imported the library.  It may have

    readable(functions, shapes, differentiated)     functions of the library's arrays as ones of NumPy's, others as
                                                    they are; the first may be one that is to be differentiated
    makes_layer(x) -> bool                          whether this is a module of the library's, or makes one
    layer_forward(asked, make, shapes, params)      its forward as a function, and the shapes of all that it takes
    with_held_values(request, problem)              the request with what its forward holds constant, where that is why
                                                    it could not be read; else None
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

HOMES: Mapping[str, str] = {"torch": "symbackprop.functions.torch_functions"}


def libraries() -> Iterator[ModuleType]:
    yield from (import_module(home) for root, home in HOMES.items() if root in sys.modules)


def readable(functions: Sequence[Any], shapes: Any, differentiated: bool = True) -> list[Any]:
    """Raises SymbackpropError for shapes that cannot be read."""
    found = list(functions)
    for library in libraries() if isinstance(shapes, Mapping) else ():
        found = library.readable(found, shapes, differentiated)
    return found


def with_held_values(request: Any, problem: Exception) -> Any:
    """Raises SymbackpropError where what is held cannot be read."""
    found = (library.with_held_values(request, problem) for library in libraries())
    return next((r for r in found if r is not None), None)


def layer_forward(asked: str, make: Any, shapes: Any, params: Mapping[str, str] | None) -> tuple[Any, Any]:
    """The forward of a layer with the shapes of what it takes; a function and its shapes as they are.

    What `params` is given for is a layer.
    """
    for library in libraries():
        if params is not None or library.makes_layer(make):
            found: tuple[Any, Any] = library.layer_forward(asked, make, shapes, params)
            return found
    return make, shapes
