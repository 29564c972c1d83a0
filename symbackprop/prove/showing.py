"""Theorems of one question shown one after the other: what they share is written, read, checked and looked for once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from symbackprop.core.certificate import Writer, certificate, written
from symbackprop.core.context import Context
from symbackprop.core.indices import Index
from symbackprop.core.point import Point
from symbackprop.core.reasons import Argument
from symbackprop.core.statement import Excused, Statement
from symbackprop.core.terms import free
from symbackprop.core.theorem import TURN, Session, Theorem, theorem
from symbackprop.numbers import points


class Whole(Mapping[str, Any]):
    """The certificate of a theorem by itself, written when it is asked for."""

    def __init__(self, statement: Statement, argument: Argument) -> None:
        self.statement, self.argument = statement, argument

    @cached_property
    def rows(self) -> dict[str, Any]:
        return certificate(self.statement, self.argument)

    def __getitem__(self, name: str) -> Any:
        return self.rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def exhibited(found: Theorem) -> Point:
    """The point that a theorem of a `Showing` is not about nothing by."""
    assert isinstance(found.rows, Whole)
    return found.rows.argument.point


class Showing:
    """Statements with the same definitions and hypotheses share most."""

    def __init__(self) -> None:
        self.points: list[tuple[Context, Point]] = []
        self.against: list[points.Point] = []  # small counterexamples to other statements
        self.begin()

    def begin(self) -> None:
        self.writer, self.session, self.kept = Writer(), Session(), list[Any]()  # what was written goes by identity

    def theorem(self, statement: Statement, argument: Argument, facts: Iterable[Excused]) -> Theorem:
        """Raises ProofError where the argument does not show the statement."""
        with TURN:
            if not self.session.alive():
                self.begin()
            self.kept.append((statement, argument))
            try:
                rows = written(lambda: self.writer.more(statement, argument))
                return replace(theorem(statement, rows, facts, self.session), rows=Whole(statement, argument))
            finally:
                if not self.session.holds(self.writer.rows):
                    self.begin()

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
