"""Tables from the names of NumPy, its submodules and scipy.special to what tracing runs for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .context import noted

NUMPY: dict[str, Any] = {}
LINALG: dict[str, Any] = {}
SPECIAL: dict[str, Any] = {}
WINDOWS: dict[str, Any] = {}
MATH: dict[str, Any] = {}
METHODS: dict[str, str] = {}

F = TypeVar("F", bound=Callable[..., Any])


def provides(*names: str, table: dict[str, Any] = NUMPY, method: bool = False) -> Callable[[F], F]:
    """Register a function under these names; `method` makes it an array method as well."""

    def register(f: F) -> F:
        seen = noted(names[0])(f)
        for name in names:
            table[name] = seen
            if method:
                METHODS[name] = name
        return f

    return register
