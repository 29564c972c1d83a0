"""A whole formula: its chains, and how each hangs on the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import cast

from ..files.place import Span
from .tree import Chain


@dataclass(frozen=True, slots=True)
class Part:
    """A chain and how it hangs on the part before it: "" (first), and, implies, becomes, where."""

    joined: str
    chain: Chain
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    parts: tuple[Part, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)

    def rewritten(self, f: Callable[[Chain], object]) -> Statement:
        """With another chain in the place of each."""
        return replace(self, parts=tuple(replace(p, chain=cast(Chain, f(p.chain))) for p in self.parts))


def chains_of(statements: Iterable[Statement | None]) -> Iterator[Chain]:
    return (p.chain for s in statements if s is not None for p in s.parts)
