"""A point of a theorem: one about no point says nothing, so one is exhibited.

What is seen to hold there the independent checker says, by numbers of its own: rational ones, and intervals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

from .context import Context, Hypothesis
from .syntax import Array
from .theorem import Stated, array, checking, its


@dataclass(frozen=True, slots=True)
class Point:
    """Sizes, entries that are rational numbers, entries that are logarithms of such, and integer arrays."""

    sizes: tuple[tuple[str, int], ...] = ()
    entries: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    logs: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    integers: tuple[tuple[str, tuple[int, ...], int], ...] = ()


def satisfied(hypotheses: Iterable[Hypothesis], point: Point, context: Context) -> None:
    """Raises ProofError unless they are seen to hold at the point, for all values of their indices.

    There must be such values: what speaks of no index says nothing.
    """
    said = Stated()
    with checking("point", alone=False):
        entries, logs = ([(array(a), at, q) for a, at, q in values] for values in (point.entries, point.logs))
        world = SimpleNamespace(definitions=said.world(context)[0])
        there = its.Point(world, point.sizes, entries, logs, point.integers)
        for h in hypotheses:
            there.satisfies(said.hypothesis(h))
