"""A counterexample: sizes, exact values, the index and both numbers, for people and for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from symbackprop.core.terms import Term
from symbackprop.numbers.duals import Position, to_float
from symbackprop.numbers.exact_numbers import Number, plus, times, written
from symbackprop.numbers.points import Point

Kind: TypeAlias = Literal["differs", "no value"]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A point where lhs and rhs are certainly different, or lhs has a value and rhs certainly has none.

    With the kind "no value" `rhs` is None and `why` says what has no value and where: `0/0 at x[0] = 0`.
    """

    point: Point
    lhs: Number
    rhs: Number | None
    lhs_term: Term = field(compare=False, repr=False)
    rhs_term: Term = field(compare=False, repr=False)
    kind: Kind = "differs"
    why: str = ""

    @property
    def sizes(self) -> dict[str, int]:
        return dict(self.point.sizes)

    @property
    def index(self) -> dict[str, int]:
        """Index values, counted from 0."""
        return {i.name: k for i, k in self.point.indices.items()}

    @property
    def values(self) -> dict[str, Any]:
        """Nested lists of exact entries (None where the claim does not look)."""
        return {str(a): nested(e) for a, e in self.point.arrays.items()} | {
            a: nested(e) for a, e in self.point.integers.items()
        }

    @property
    def right(self) -> str:
        """The right side for a person: its number, or that it has none."""
        return f"no value: {self.why}" if self.rhs is None else written(self.rhs)

    def describe(self) -> str:
        """One line for each thing to know."""
        lines = []
        if self.sizes:
            lines.append(", ".join(f"{s} = {n}" for s, n in sorted(self.sizes.items())))
        lines += [f"{name} = {shown(v)}" for name, v in self.values.items()]
        lines += [f"{f}(z) = {p}" for f, p in self.point.functions.items()]
        lines += [f"{f}(y) = {p}" for f, p in self.point.losses.items()]
        where = ", ".join(f"{i} = {k}" for i, k in self.index.items())
        if where:
            lines.append(f"at index {where} (counted from 0)")
        lines.append(f"left side  {written(self.lhs)}")
        lines.append(f"right side {self.right}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Only strings, numbers, lists and dicts; exact numbers are strings."""
        return {
            "sizes": self.sizes,
            "values": {name: texts(v) for name, v in self.values.items()},
            "functions": {f: str(p) for f, p in self.point.functions.items()},
            "losses": {f: str(p) for f, p in self.point.losses.items()},
            "index": self.index,
            "lhs": written(self.lhs),
            "lhs_float": to_float(self.lhs),
            **self.right_as_json(),
        }

    def right_as_json(self) -> dict[str, Any]:
        if self.rhs is None:
            return {"kind": self.kind, "rhs": None, "rhs_float": None, "difference": None, "why": self.why}
        gap = plus(self.lhs, times(Fraction(-1), self.rhs))
        return {"rhs": written(self.rhs), "rhs_float": to_float(self.rhs), "difference": written(gap)}


def nested(entries: Mapping[Position, Any]) -> Any:
    """Nested lists from entries by position."""
    if not entries:
        return []
    if () in entries:
        return entries[()]
    count = 1 + max(k[0] for k in entries)
    rows: list[dict[Position, Any]] = [{} for _ in range(count)]
    for k, v in entries.items():
        if k[0] >= 0:
            rows[k[0]][k[1:]] = v
    return [nested(r) if r else None for r in rows]


def texts(v: Any) -> Any:
    return [texts(x) for x in v] if isinstance(v, list) else v if v is None or isinstance(v, int) else written(v)


def shown(v: Any) -> str:
    if isinstance(v, list):
        return "[" + ", ".join(map(shown, v)) + "]"
    return "·" if v is None else str(v) if isinstance(v, int) else written(v)


@dataclass(frozen=True, slots=True)
class ShapeExample:
    """Sizes at which a shape is wrong: the smallest found, with what was wanted and what came."""

    sizes: Mapping[str, int]
    message: str

    def describe(self) -> str:
        where = ", ".join(f"{s} = {n}" for s, n in sorted(self.sizes.items()))
        return f"{where}\n{self.message}" if where else self.message

    def as_json(self) -> dict[str, Any]:
        return {"sizes": dict(self.sizes), "message": self.message}
