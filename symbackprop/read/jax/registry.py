"""The table from JAX's primitives to what reads them: calls on symbolic arrays of the NumPy reader.

The functions of the NumPy reader are called by name, so that each operation has one meaning; docs/jax-primitives.md is
printed from this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.context import HOMES, LINALG, NUMPY, SPECIAL
from symbackprop.read.numpy.context import REFUSED as NUMPY_REFUSED


class Step(Protocol):
    """One equation of a jaxpr: its parameters, and what is known of its results."""

    @property
    def name(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def shape(self) -> tuple[Any, ...]:
        """Of the first result, sizes as symbolic whole numbers."""

    @property
    def kind(self) -> str:
        """Of the first result: "bool", "int", "narrow" or "real"."""

    def size(self, dimension: Any) -> Any:
        """A dimension among the parameters as a whole number, symbolic or not."""

    def sizes(self, dimensions: Any) -> tuple[Any, ...]: ...
    def run(self, jaxpr: Any, *operands: Any) -> list[Any]:
        """The results of an inner jaxpr."""

    def held(self, x: Any) -> Any:
        """A value through which nothing is differentiated."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reads a primitive; `restricted` says where it is not exact, empty where it is everywhere."""

    name: str
    run: Callable[..., Any]
    restricted: str = ""


PRIMITIVES: dict[str, Reading] = {}
REFUSED: dict[str, str] = {}
F = TypeVar("F", bound=Callable[..., Any])


def reads(*names: str, restricted: str = "") -> Callable[[F], F]:
    """Register run(step, *operands) for these primitives; a primitive of several results gives a list."""

    def register(f: F) -> F:
        for name in names:
            PRIMITIVES[name] = Reading(name, f, restricted)
        return f

    return register


def refuses(*names: str, because: str) -> None:
    REFUSED.update(dict.fromkeys(names, because))


def reads_as(primitive: str, name: str, run: Callable[..., Any], restricted: str = "") -> None:
    """Register a primitive that is this function of the NumPy reader; refused where that refuses it, or has it not."""
    why = [NUMPY_REFUSED[home, name] for _, home in HOMES if (home, name) in NUMPY_REFUSED]
    if why or not any(name in table for table in (NUMPY, SPECIAL, LINALG)):
        refuses(primitive, because=why[0] if why else "has no counterpart that is read")
    else:
        reads(primitive, restricted=restricted)(run)


def numpy_function(name: str) -> Callable[..., Any]:
    """A function of the NumPy reader.  Raises TraceError where it has none of the name."""
    for table in (NUMPY, SPECIAL, LINALG):
        if name in table:
            found: Callable[..., Any] = table[name]
            return found
    raise TraceError(f"{name} is not among the functions that are read")


def call(name: str, *args: Any, **options: Any) -> Any:
    return numpy_function(name)(*args, **options)
