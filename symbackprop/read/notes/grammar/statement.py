"""A whole formula: its chains, and how each hangs on the one before."""

from __future__ import annotations

from dataclasses import dataclass, field

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
