"""The table from JAX's primitives to what reads them: calls on symbolic arrays of the NumPy reader.

The functions of the NumPy reader are called by name, so that each operation has one meaning; the table of
docs/jax-primitives.md is printed from this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from symbackprop.read.numpy.context import HOMES, LINALG, NUMPY, SPECIAL
from symbackprop.read.numpy.context import REFUSED as NUMPY_REFUSED

from .kinds import kind_of


@dataclass(frozen=True)
class Step:
    """One equation of a jaxpr: its parameters, and what is known of its results."""

    evaluation: Any
    equation: Any

    @property
    def name(self) -> str:
        return str(self.equation.primitive.name)

    @property
    def params(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.equation.params
        return found

    @cached_property
    def shape(self) -> tuple[Any, ...]:
        """Of the first result, sizes as symbolic whole numbers."""
        return self.sizes(self.equation.outvars[0].aval.shape)

    @cached_property
    def kind(self) -> str:
        """Of the first result: "bool", "int", "narrow" or "real"."""
        return kind_of(self.equation.outvars[0].aval.dtype)

    def size(self, dimension: Any) -> Any:
        """A dimension among the parameters as a whole number, symbolic or not."""
        return self.evaluation.dimensions(dimension)

    def sizes(self, dimensions: Any) -> tuple[Any, ...]:
        return tuple(map(self.size, dimensions))

    def run(self, jaxpr: Any, *operands: Any) -> list[Any]:
        """The results of an inner jaxpr."""
        found: list[Any] = self.evaluation.results(jaxpr, operands)
        return found


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


def rows(meanings: Mapping[str, Callable[..., Any]], restricted: str = "") -> None:
    """Readings of one line each; primitives of one reading stand together in a key."""
    for names, f in meanings.items():
        reads(*names.split(), restricted=restricted)(f)


def refuses(*names: str, because: str) -> None:
    REFUSED.update(dict.fromkeys(names, because))


def reads_as(primitive: str, name: str, run: Callable[..., Any], restricted: str = "") -> None:
    """Register a primitive that is this function of the NumPy reader; refused where that refuses it, or has it not."""
    why = [NUMPY_REFUSED[home, name] for _, home in HOMES if (home, name) in NUMPY_REFUSED]
    if why or not any(name in table for table in (NUMPY, SPECIAL, LINALG)):
        refuses(primitive, because=why[0] if why else "has no counterpart that is read")
    else:
        reads(primitive, restricted=restricted)(run)


def axes(given: Iterable[Any]) -> tuple[int, ...]:
    """As plain numbers, which NumPy's need not be."""
    return tuple(map(int, given))
