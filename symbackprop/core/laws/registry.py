"""The table of laws.  A law is a function from a context and its arguments to an equation, or it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..context import Equation

LAWS: dict[str, Callable[..., Equation]] = {}
L = TypeVar("L", bound=Callable[..., Equation])


def law(statement: L) -> L:
    LAWS[statement.__name__] = statement
    return statement
