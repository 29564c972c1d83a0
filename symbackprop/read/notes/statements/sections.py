"""A document section by section.  What was read from the same text under the same table is not read again.

A stretch of text is cut where a letter takes another meaning, "now let w be a vector": where its letters make more
sense so, with fewer formulas that do not conform.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from ..declared.said_in_prose import layout_changed, layout_named
from ..declared.symbols import Declarations, Definition
from ..files.items import Formula, Item
from ..files.place import Place
from ..files.sources import read_document
from ..grammar.vocabulary import GREEK
from ..inferred.above import END, Above, Given, below, letters
from ..inferred.hypotheses import FIXED, in_force
from ..inferred.prose import Facts
from ..inferred.section import Section
from ..inferred.solver import plus
from .heads import Heads
from .reader import SectionReader
from .statements import Reading, Scope, members, scopes

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


# --- what a reading depends on, as a key: content, not places ---


class Fingerprints:
    """Keys of readings.  Parts that tables share are written once: they are known by their identity."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[object, str]] = {}

    def __len__(self) -> int:
        return len(self._written)

    def of(self, reading: Reading) -> tuple[str, str]:
        """The key of the statement as it is written where it is, and that of its meaning, wherever it is written."""
        error = "" if reading.error is None else f"{reading.error.message}@{reading.error.span}"
        sides = repr(reading.lhs), repr(reading.rhs)  # without places
        meaning = digest(
            reading.kind, reading.relation, reading.note, error, *sides, self.parts(reading.declarations),
            reading.doubt, reading.introduced, str(reading.quantified), str(reading.also is None), *self.rivals(reading)
        )  # fmt: skip
        return digest(meaning, reading.left, str(reading.span), self.shared(reading.formula.text)), meaning

    def rivals(self, reading: Reading) -> Iterator[str]:
        """What else it may mean; the lines that the words name move with the text above."""
        for words, other, *_ in reading.rivals:
            yield re.sub(r"\d+", "", words)
            yield self.parts(other.declarations) if other.declarations is not reading.declarations else ""

    def scope(self, scope: Scope, above: Above) -> str:
        """What a section is read from: its text, what the author declared, what it takes from above."""
        first = scope.formulas[0] if scope.formulas else None
        display, row = (0, 0) if first is None else ((first.aligned or (0, 0))[0], first.row)
        out = [self.parts(scope.base), self.parts(above), *scope.section]
        for f in scope.formulas:
            aligned = f.aligned and (f.aligned[0] - display, f.aligned[1])
            error = "" if f.error is None else f"{f.error.message}@{f.error.span}"
            where = f"{f.display} {f.struck} {aligned} {f.row and f.row - row}"
            out += [f.text, spaced(f.before), spaced(f.after), where, error]
        out += [f"{at} {spaced(text)}" for text, at in scope.prose if text.strip()]
        return digest(*out)

    def parts(self, value: Declarations | Above) -> str:
        return digest(*(f"{f.name}={self.part(getattr(value, f.name))}" for f in fields(value)))

    def part(self, value: object) -> str:
        match value:
            case Mapping():
                return ",".join(f"{k}:{self.shared(value[k])}" for k in sorted(value))
            case Declarations():
                return self.parts(value)
            case tuple():
                return ",".join(map(self.shared, value))
            case frozenset():
                return ",".join(sorted(map(str, value)))
            case _:
                return self.shared(value)

    def shared(self, value: object) -> str:
        if isinstance(value, str) or value is None:
            return f"{value!r}"
        if id(value) not in self._written:
            self._written[id(value)] = value, digest(repr(value))
        return self._written[id(value)][1]


def spaced(text: str) -> str:
    return " ".join(text.split())


def digest(*texts: str) -> str:
    return blake2b("\x00".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# --- all sections ---


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


# --- where a letter takes another meaning ---


MOST = 4
"""How many places in a stretch are tried."""
_GOES_ON = re.compile(
    r"\W*(?:where|here|with(?=\W*\$)|in which|recall|note|remember|as before|above|throughout|again)\b", re.IGNORECASE
)


def change(scope: Scope, above: Above, whole: Heads) -> tuple[int, int] | None:
    """The place where a letter changes its kind, if a cut there leaves fewer formulas that do not conform."""
    best, least = None, (*whole.section.cost[:2], 0.0)
    if least == (0, 0, 0):
        return None
    for place, said in islice(places(scope), MOST):
        first, second = parts(scope, place)
        head = section_of(first, above)
        tail = section_of(second, below(above, head.above, left_by(head)))
        later = {**whole.section.chosen, **tail.chosen}
        told = {k: o for k, o in head.chosen.items() if k in later and not letters(k).isdisjoint(said)}
        changed = any(later[k].rank != o.rank for k, o in told.items())
        cost = plus(head.cost, tail.cost)
        if changed and cost < least:
            best, least = place, cost
    return best


def relaid(scope: Scope) -> tuple[int, int] | None:
    """The place from which another layout holds: "from now on we use the numerator layout"."""
    known: str = scope.base.layout
    for k, (text, at) in enumerate(scope.prose):
        found = layout_changed(text)
        if found and found != known and 0 < at < len(scope.formulas) and (known or _NOW.search(text)):
            return k, at
        known = found or layout_named(text) or known
    return None


_NOW = re.compile(r"\b(?:now|from here|switch\w*|change\w*|go over|turn|rest of|remainder)\b", re.IGNORECASE)


def section_of(scope: Scope, above: Above) -> Section:
    return Heads(scope, above.about(f.text for f in scope.formulas)).section


def places(scope: Scope) -> Iterator[tuple[tuple[int, int], set[str]]]:
    """Where a sentence begins (among the prose, and the formulas) that says of letters used above what they are."""
    used, scripted = set[str](), set[str]()
    seen, counts = 0, dict[str, int]()
    for k, (text, at) in enumerate(scope.prose):
        used = used.union(*(letters(f.text) for f in scope.formulas[seen:at]))
        counts |= {k: n for f in scope.formulas[seen:at] for k, n in subscripts(f.text)}
        for f in scope.formulas[seen:at]:
            scripted |= {letter(m[1]) for m in _BELOW.finditer(f.text)} | {letter(name) for name in members(f)}
        seen = max(seen, at)
        if not at or at >= len(scope.formulas) or _GOES_ON.match(text):
            continue
        facts = Facts().read(text)
        end = next((n for _, n in scope.prose[k + 1 :] if n > at), len(scope.formulas))
        said = {*facts.ranks, *facts.shapes, *(name for f in scope.formulas[at:end] for name in members(f))}
        again = used if facts.everything is not None else used & set[str]().union(*map(letters, said))
        here = [pair for f in scope.formulas[at:end] for pair in (*subscripts(f.text), *bare_head(f.text))]
        again |= {name for name, n in here if counts.get(name, n if name in scripted or name not in used else 0) != n}
        if again:
            yield (k, at), again


def subscripts(text: str) -> Iterator[tuple[str, int]]:
    """How many indices stand at a letter."""
    for m in _SCRIPTED.finditer(text):
        yield letter(m[1]), len(re.sub(r"[\s,{}]", "", m[2]))


def bare_head(text: str) -> Iterator[tuple[str, int]]:
    """p = … where p_i was defined above is another p, or all of them."""
    m = _BARE.match(text)
    if m is not None:
        yield letter(m[1]), 0


def letter(written: str) -> str:
    return GREEK.get(written.lstrip("\\"), written.lstrip("\\"))


_BARE = re.compile(r"\s*(\\?[A-Za-z]+)\s*:?=(?!=)")
_BELOW = re.compile(r"(\\?[A-Za-z]+)_")
_SCRIPTED = re.compile(r"(\\?[A-Za-z]+)_\s*(\{[a-z][\s,]*[a-z]?\}|[a-z])")


def parts(scope: Scope, place: tuple[int, int]) -> tuple[Scope, Scope]:
    k, at = place
    first = Scope(scope.base, scope.section, scope.formulas[:at], scope.prose[:k])
    prose = [(text, n - at) for text, n in scope.prose[k:]]
    return first, replace(scope, formulas=scope.formulas[at:], prose=prose, after=None)


def left_by(section: Section) -> Above:
    """What a section leaves to those below it."""
    facts, definitions = section.facts, dict[str, Given]()
    for name in dict.fromkeys([*section.above.definitions, *(d.key for d in section.definitions)]):
        found = section.definition(name, END)
        if found is not None and found.record >= 0:
            found = replace(found, record=-1, rests=section.keys(found.chain))
        if found is not None:
            definitions[name] = found
    said = in_force(facts.sayings, END)
    said = [s for s in said if s.what != FIXED or s.at <= 0]  # "for fixed Y" is said of what stands there
    properties = {k: frozenset(s.what for s in said if s.of == k) for k in dict.fromkeys(s.of for s in said)}
    sizes, arrays = map(dict.fromkeys, (section.roles.sizes, section.roles.arrays))
    return Above(
        definitions, section.chosen, arrays, sizes, section.frame.of, properties, facts.worded, facts.bold,
        section.frame.table, dict.fromkeys(sorted(section.unread | section.doubtful)),
        facts.logistic, facts.einstein,
        {k: None for k, o in section.chosen.items() if o.rank == 2} if facts.decomposed else {},
    )  # fmt: skip
