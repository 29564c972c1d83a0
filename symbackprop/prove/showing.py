"""Theorems of one question shown one after the other: what they share is written, read, checked and looked for once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symbackprop.core.certificate import certificate
from symbackprop.core.context import Context
from symbackprop.core.indices import Index
from symbackprop.core.point import Point
from symbackprop.core.reasons import Argument
from symbackprop.core.statement import Excused, Statement
from symbackprop.core.terms import free
from symbackprop.core.theorem import Theorem, theorem
from symbackprop.numbers import points


class Showing:
    """Statements with the same definitions and hypotheses share most."""

    def __init__(self) -> None:
        self.points: list[tuple[Context, Point]] = []
        self.against: list[points.Point] = []  # small counterexamples to other statements

    def theorem(self, statement: Statement, argument: Argument, facts: Iterable[Excused]) -> Theorem:
        """Raises ProofError where the argument does not show the statement."""
        return theorem(statement, certificate(statement, argument), facts)

    def point(self, statement: Statement, region: Context, find: Callable[[Context], Point | None]) -> Point | None:
        """A point of the region, looked for once; the indices of the statement have values there."""
        indices = free(statement.lhs) | free(statement.rhs)
        for known, point in self.points:
            if says_less(region, known) and all(has_values(i, point) for i in indices):
                return point
        found = find(region)
        if found is not None:
            self.points.append((region, found))
        return found


def says_less(a: Context, b: Context) -> bool:
    """Each hypothesis of a is one of b, about the same names."""
    return a.definitions == b.definitions and set(a.hypotheses.values()) <= set(b.hypotheses.values())


def has_values(i: Index, point: Point) -> bool:
    sizes = dict(point.sizes)
    return sizes.keys() >= set(i.size.symbols) and i.size.at(sizes) > 0
