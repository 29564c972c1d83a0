"""A point for the theorem, from the search for points."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.point import Point
from symbackprop.core.terms import Array
from symbackprop.numbers import points
from symbackprop.numbers.exact_numbers import Log


def exhibited(found: points.Point) -> Point | None:
    """The point in the words of the core; None where an entry is neither a rational number nor a logarithm of one."""
    entries: dict[tuple[Array, tuple[int, ...]], Fraction] = {}
    logs: set[tuple[Array, tuple[int, ...]]] = set()
    for array, values in found.arrays.items():
        for place, x in values.items():
            if isinstance(x, Log):
                logs.add((array, place))
            elif not isinstance(x, Fraction):
                return None
            entries[array, place] = x.of if isinstance(x, Log) else x
    integers = {(name, place): k for name, values in found.integers.items() for place, k in values.items()}
    return Point(dict(found.sizes), entries, frozenset(logs), integers)


__all__ = ["exhibited"]
