"""What can be checked besides pairs of NumPy functions, by the library that an object comes from.

A library's module is imported when the first of its objects is met.  It has

    check_function(asked) -> Verdict    for objects that bring their own derivative: a class derived from one of the
                                        library's, or an object of one of its classes
    takes_layer(asked) -> bool          whether `asked.function` is a layer of the library's: a class, an object, or a
                                        function that makes one
    check_layer(asked) -> Verdict

and is free to have the first only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from .drive import Options

LIBRARIES: Mapping[str, str] = {
    "torch": "symbackprop.functions.torch_functions",
    "jax": "symbackprop.functions.jax_functions",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a check: `derivative` is the second function where there is one; `params` of layers only."""

    function: Any
    derivative: Any
    shapes: Mapping[str, Any]
    wrt: str | Sequence[str] | None
    assuming: Any
    options: Options
    values: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)


def library_of(x: Any) -> ModuleType | None:
    """The module that checks an object of another library, or None."""
    for root in roots(x):
        home = LIBRARIES.get(root)
        if home is not None:
            return import_module(home)
    return None


def library_with_layer(asked: Asked) -> ModuleType | None:
    """The module whose layer it is; libraries that nobody has imported have none."""
    for root, home in LIBRARIES.items():
        if root in sys.modules:
            module = import_module(home)
            if hasattr(module, "takes_layer") and module.takes_layer(asked):
                return module
    return None


def roots(x: Any) -> Iterator[str]:
    """The packages in which the class of an object, or a class itself, and those it derives from are defined.

    What is compiled counts as what it wraps; three functions (f, fwd, bwd) are the rule of a jax.custom_vjp.
    """
    if isinstance(x, tuple | list) and len(x) == 3 and all(map(callable, x)):
        yield "jax"
    while x is not None:
        for cls in (x if isinstance(x, type) else type(x)).__mro__:
            yield cls.__module__.split(".")[0]
        x = getattr(x, "__wrapped__", None) if type(x).__module__.startswith("jaxlib") else None
