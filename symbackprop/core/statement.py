"""What is claimed, and what a theorem about it excuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .context import Context
from .indices import Size
from .syntax import Predicate, Term


@dataclass(frozen=True, slots=True)
class Statement:
    """lhs = rhs under a context, for all values of the free indices.

    `forward` are the terms whose steps excuse points (for functions); `lengths` are sizes of axes, which are no
    negative numbers.  A `formula` has no forward: both sides are read where they have a value.
    """

    lhs: Term
    rhs: Term
    context: Context
    forward: tuple[Term, ...] = ()
    lengths: tuple[Size, ...] = ()
    formula: bool = False


class Excused(NamedTuple):
    """Points where this does not hold are excused, for what it is about: a kink, a tie, a value, a root."""

    predicate: Predicate
    why: str
