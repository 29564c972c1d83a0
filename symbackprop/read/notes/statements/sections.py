"""A document section by section.  What was read from the same text under the same table is not read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from ..declared.symbols import Declarations, Definition
from ..files.items import Formula, Item
from ..files.place import Place
from ..files.sources import read_document
from ..inferred.above import Above, below
from .changes import change, left_by, parts, relaid
from .fingerprints import Fingerprints
from .reader import SectionReader
from .statements import Reading, Scope, scopes

V = TypeVar("V")
SECTIONS, PARTS = 4_000, 200_000
"""How many sections are remembered, and parts of them."""


class Recent(dict[str, V], Generic[V]):
    """The values that were asked for last."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def find(self, key: str) -> V | None:
        if key not in self:
            return None
        value = self[key] = self.pop(key)
        return value

    def keep(self, key: str, value: V) -> None:
        self[key] = value
        if len(self) > self.most:
            del self[next(iter(self))]


@dataclass(frozen=True, slots=True)
class ReadSection:
    """A section that was read; `known` is the same one as it was read first, where that was elsewhere.

    `own` is what it leaves to the sections below, `after` the author's table behind it.
    """

    key: str
    readings: tuple[Reading, ...]
    formulas: tuple[Formula, ...]
    base: Declarations
    above: Above
    own: Above
    after: Declarations
    known: ReadSection | None = None

    def moved(self, scope: Scope, above: Above) -> ReadSection:
        """The same section where it stands now."""
        to = Moves(self, scope.formulas, scope.base, above)
        own = replace(self.own, definitions={
            k: replace(d, where=to.place(d.where)) for k, d in self.own.definitions.items()
        })  # fmt: skip
        readings = tuple(map(to.reading, self.readings))
        return ReadSection(self.key, readings, tuple(scope.formulas), scope.base, above, own, self.after, self)

    def place(self, old: Place | None) -> Place | None:
        """Where that stands now, if it is a place that the section knew."""
        return old if self.known is None else Moves(self.known, self.formulas, self.base, self.above).place(old)


class Moves:
    """From the places at which a section was read to those at which its formulas and definitions stand now."""

    def __init__(self, old: ReadSection, formulas: Sequence[Formula], base: Declarations, above: Above) -> None:
        self.formulas = {id(a): b for a, b in zip(old.formulas, formulas, strict=True)}
        pairs = [(a.where, b.where) for a, b in zip(old.formulas, formulas, strict=True)]
        pairs += [(a.where, b.where) for a, b in zip(said(old.base), said(base), strict=True) if a.where and b.where]
        for name, d in old.above.definitions.items():
            there = above.definitions[name].where
            pairs += [(d.where, there)] if d.where is not None and there is not None else []
        self.places = {id(a): b for a, b in pairs}

    def place(self, old: Place | None) -> Place | None:
        return self.places.get(id(old))

    def reading(self, r: Reading) -> Reading:
        formula, error = self.formulas[id(r.formula)], r.error
        if error is not None and error is r.formula.error:
            error = formula.error
        elif error is not None:
            error = type(error)(error.message, error.span, self.place(error.where), error.undeclared)
        return replace(r, formula=formula, error=error)


def said(table: Declarations) -> tuple[Definition, ...]:
    return (*table.definitions, *table.hypotheses)


@dataclass(slots=True)
class Sections:
    """The sections that were read, by what they were read from; `read` counts those that were not remembered."""

    known: Recent[ReadSection] = field(default_factory=lambda: Recent(SECTIONS))
    cuts: Recent[tuple[int, int]] = field(default_factory=lambda: Recent(SECTIONS))
    read: int = 0
    _keys: Fingerprints = field(default_factory=Fingerprints)
    _ready: tuple[str, SectionReader] | None = None
    """The section that was last looked at and is not cut, solved already."""

    def of(self, items: Iterable[Item], declarations: Declarations | None = None) -> Iterator[ReadSection]:
        """The sections in order.  Raises ReadError for a declaration block that is wrong."""
        above = Above()
        for scope in scopes(items, declarations or Declarations()):
            rest: Scope | None = scope
            while rest is not None:
                part, rest, asked = self.part(rest, above)
                found = self.section(part, asked)
                yield found
                scope.after = found.after
                above = below(above, asked, found.own)
                if rest is not None:
                    rest.base = replace(rest.base, definitions=found.after.definitions)

    def part(self, scope: Scope, above: Above) -> tuple[Scope, Scope | None, Above]:
        """The scope up to where a letter takes another meaning; the rest; what is asked of what stands above."""
        asked = above.about(f.text for f in scope.formulas)
        key = self._keys.scope(scope, asked)
        if self.known.find(key) is not None:
            return scope, None, asked
        cut = self.cuts.find(key) or relaid(scope)
        if cut is None:
            reader = SectionReader(scope, asked)
            cut = change(scope, above, reader)
            if cut is None:
                self._ready = key, reader
                return scope, None, asked
        self.cuts.keep(key, cut)
        first, rest = parts(scope, cut)
        return first, rest, above.about(f.text for f in first.formulas)

    def section(self, scope: Scope, above: Above) -> ReadSection:
        key = self._keys.scope(scope, above)
        found = self.known.find(key)
        if found is not None:
            return found.moved(scope, above)
        self.read += 1
        if len(self._keys) > PARTS:
            self._keys = Fingerprints()
        ready, self._ready = self._ready, None
        reader = ready[1] if ready is not None and ready[0] == key else SectionReader(scope, above)
        readings = tuple(reader.read())
        own = left_by(reader.section)
        found = ReadSection(key, readings, tuple(scope.formulas), scope.base, above, own, reader.after())
        self.known.keep(key, found)
        return found


def read_file(path: str | Path) -> Iterator[Reading]:
    """The statements of a file, in order."""
    return read_statements(read_document(path))


def read_statements(items: Iterable[Item], declarations: Declarations | None = None) -> Iterator[Reading]:
    """The statements in the items of a document.  Raises ReadError for a declaration block that is wrong."""
    for section in Sections().of(items, declarations):
        yield from section.readings
