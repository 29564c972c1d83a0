"""The table of laws.  A law is a function from a context and its arguments to an equation, or it refuses.

Its annotations say of what kinds its arguments are; `rows.py` reads no others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..context import Context, Equation

LAWS: dict[str, Callable[..., Equation]] = {}
L = TypeVar("L", bound=Callable[..., Equation])


def law(statement: L) -> L:
    LAWS[statement.__name__] = statement
    return statement


def instance(name: str, context: Context, args: tuple[Any, ...]) -> Equation:
    """The law at these arguments.  Raises ProofError where it does not hold for them."""
    return LAWS[name](context, *args)

