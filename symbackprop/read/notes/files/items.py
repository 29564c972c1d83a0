"""What a document is made of, in order: prose, declaration blocks, formulas; and the collector the readers fill."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from .macros import Macro, collect, expand
from .place import Place, ReadError, Source
from .rows import split_rows

_COMMENTED = re.compile(r"(?<!\\)%[^\n]*")
_IGNORE = re.compile(r"\s*ignore\b[\s:]*((?:SB\d{3}[\s,]*)*)")
CONTEXT: Final = 200
"""Characters of prose kept before and after a formula."""


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula.  `aligned`: which display and column, for a row of align.  `error`: why it cannot be read."""

    text: str
    where: Place
    display: bool = False
    section: tuple[str, ...] = ()
    struck: bool = False
    before: str = ""
    after: str = ""
    aligned: tuple[int, int] | None = None
    error: ReadError | None = None
    ignored: frozenset[str] = frozenset()
    """Codes that the author does not want to hear of here; "" is all of them."""
    row: int = 0
    """The row of a table that it stands in, counted through the file; 0 outside tables."""


@dataclass(frozen=True, slots=True)
class Block:
    """YAML declarations; `front` when they are the front matter, under its key `symbackprop`."""

    text: str
    where: Place
    front: bool = False


@dataclass(frozen=True, slots=True)
class Prose:
    """The words of a paragraph, its formulas left in as written."""

    text: str
    where: Place
    section: tuple[str, ...] = ()


Item: TypeAlias = Formula | Block | Prose


@dataclass(slots=True)
class Collector:
    """Gathers the items of one file: splits rows, expands macros, fills in sections and context."""

    items: list[Item] = field(default_factory=list)
    section: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    macros: dict[str, Macro] = field(default_factory=dict)
    context: str = ""
    displays: int = 0
    row: int = 0
    quiet: frozenset[str] = frozenset()
    """What the next formula is to be quiet about."""
    folder: Path | None = None
    """Where the files are that \\input names; None: they are not followed."""
    inside: tuple[Path, ...] = ()
    files: list[Path] = field(default_factory=list)
    """The files that were followed."""
    broken: list[tuple[int, Formula]] = field(default_factory=list)
    """Displays that are never closed, by where they stand; `mend` puts them in their places."""

    def heading(self, level: int, title: str) -> None:
        keep = next((k for k, other in enumerate(self.levels) if other >= level), len(self.levels))
        self.levels = (*self.levels[:keep], level)
        self.section = (*self.section[:keep], title)
        self.context = ""

    def block(self, text: str, where: Place, front: bool = False) -> None:
        """Declarations; `ignore SB101` is about the formula that follows."""
        ignore = _IGNORE.fullmatch(text)
        if ignore is not None:
            self.quiet |= frozenset(re.split(r"[\s,]+", ignore[1].strip()))
            return
        self.items.append(Block(text, where, front))

    def prose(self, text: str, where: Place) -> None:
        if not text.strip():
            return
        try:
            if self.macros:
                text, offsets = expand(text, [where.offset(k) for k in range(len(text))], self.macros)
                where = Place(where.source, where.offset(0), offsets)
        except ReadError:  # its formulas say so
            pass
        self.items.append(Prose(text, where, self.section))

    def words(self, text: str) -> None:
        """Prose that stands before the next formula (and after the last one)."""
        self.context = (self.context + text)[-4 * CONTEXT :]
        last = self.items[-1] if self.items else None
        if isinstance(last, Formula) and len(last.after) < CONTEXT:
            self.items[-1] = replace(last, after=(last.after + text)[:CONTEXT])

    def mend(self) -> None:
        for start, formula in self.broken:
            source = formula.where.source
            after = [k for k, i in enumerate(self.items) if i.where.source is source and i.where.offset(0) > start]
            at = after[0] if after else len(self.items)
            section = self.items[at - 1].section if at and not isinstance(self.items[at - 1], Block) else self.section  # type: ignore[union-attr]
            self.items.insert(at, replace(formula, section=section))
        self.broken = []

    def formula(self, source: Source, text: str, offsets: Sequence[int], display: bool, struck: bool = False) -> None:
        before, self.context = " ".join(self.context.split())[-CONTEXT:], ""
        spans = collect(text, self.macros)
        for start, end in spans:
            text = text[:start] + " " * (end - start) + text[end:]
        if spans and not text.strip():
            return
        place = Place(source, offsets[0] if offsets else 0, offsets)
        try:
            if self.macros:
                text, offsets = expand(text, offsets, self.macros)
        except ReadError as error:
            error = error.located(place)
            self.items.append(Formula(text, place, display, self.section, struck, before, error=error, row=self.row))
            return
        self.displays += 1
        quiet, self.quiet = self.quiet, frozenset()
        for row in split_rows(text):
            lead = len(row.text) - len(row.text.lstrip())
            body = row.text.strip()
            if not _COMMENTED.sub("", body).strip():
                continue
            here = _compact([offsets[k] for k in row.offsets[lead : lead + len(body)]])
            where = Place(source, here if isinstance(here, int) else here[0], None if isinstance(here, int) else here)
            aligned = None if row.column is None else (self.displays, row.column)
            made = Formula(body, where, display, self.section, struck, before, aligned=aligned, row=self.row)
            self.items.append(replace(made, ignored=quiet) if quiet else made)
            before = ""


def _compact(offsets: list[int]) -> list[int] | int:
    """Only the first one when the offsets just count up."""
    first = offsets[0]
    return (
        first
        if offsets[-1] - first == len(offsets) - 1 and all(o == first + k for k, o in enumerate(offsets))
        else offsets
    )
