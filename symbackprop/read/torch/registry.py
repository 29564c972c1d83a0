"""The table from aten operations to what reads them.

A meaning takes arrays of the reader of NumPy in the order of PyTorch's schema, and calls the reader's own functions.
What it does not take it refuses.  In-place and `out` forms of an operation have the meaning of the plain one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from symbackprop.read.numpy import TraceError

Kind: TypeAlias = Literal["bool", "int", "real"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Meaning:
    """`where` says to what an operation is restricted; a `view` shares its entries with its first argument, and what is
    `entrywise` lies in memory as that does.

    A meaning with a parameter `kind` is `told` which numbers the result has.
    """

    section: str
    name: str
    run: Callable[..., Any]
    where: str
    view: bool
    entrywise: bool
    told: bool


MEANINGS: dict[str, Meaning] = {}
REFUSED: dict[str, str] = {}
# Arguments that change no number.
INERT = frozenset({"layout", "device", "pin_memory", "memory_format", "non_blocking", "dtype", "generator", "implicit"})


@dataclass(frozen=True, slots=True)
class Section:
    """Where meanings are registered under names of aten, with an overload ("max.dim") where overloads differ."""

    title: str
    entrywise: bool = False

    def __call__(self, *names: str, where: str = "", view: bool = False, entrywise: bool = False) -> Callable[[F], F]:
        def register(f: F) -> F:
            told = "kind" in inspect.signature(f).parameters
            for name in names:
                MEANINGS[name] = Meaning(self.title, name, f, where, view, entrywise or self.entrywise, told)
            return f

        return register

    def rows(self, meanings: Mapping[str, Callable[..., Any]], where: str = "", view: bool = False) -> None:
        """Meanings of one line each; names of one meaning stand together in a key."""
        for names, f in meanings.items():
            self(*names.split(), where=where, view=view)(f)


def refuses(*names: str, because: str) -> None:
    """Operations that have no index term."""
    REFUSED.update(dict.fromkeys(names, because))


def meaning_of(name: str, overload: str) -> Meaning | None:
    """The meaning of aten::name.overload.  Raises TraceError with the reason for what is refused."""
    for known in (f"{name}.{overload}", name):
        if known in MEANINGS:
            return MEANINGS[known]
        if known in REFUSED:
            raise TraceError(f"{known}: {REFUSED[known]}")
    return None
