"""Where a piece of text stands, and errors that can point at it.

A formula is a string of its own (macros expanded, quote marks stripped), so every position in
it carries a way back: `Place.at` turns an offset of the formula into line and column of the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from symbackprop.core.terms import SymbackpropError

MAX_FILE: Final = 20_000_000
Span: TypeAlias = tuple[int, int]
"""Half-open range of offsets into the text of one formula."""


class Source:
    """One file, or one markdown cell of a notebook, as read."""

    __slots__ = ("cell", "lines", "name", "text")

    def __init__(self, name: str, text: str, cell: int | None = None) -> None:
        self.name, self.text, self.cell = name, text, cell
        self.lines = [0, *(m.end() for m in re.finditer("\n", text))]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def line(self, number: int) -> str:
        end = self.lines[number] - 1 if number < len(self.lines) else len(self.text)
        return self.text[self.lines[number - 1] : end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Place:
    """A formula's place: offset k of the formula is offset `offsets[k]` (or `start + k`) of the source."""

    source: Source
    start: int
    offsets: Sequence[int] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, source: Source, offsets: Sequence[int]) -> Place:
        """Where the characters of a text stand; of offsets that just count up only the first is kept."""
        first = offsets[0] if offsets else 0
        counts = not offsets or offsets[-1] - first == len(offsets) - 1
        return cls(source, first, None if counts and all(o == k for k, o in enumerate(offsets, first)) else offsets)

    def offset(self, k: int) -> int:
        if self.offsets is None:
            return self.start + k
        if k < len(self.offsets):
            return self.offsets[k]
        return self.offsets[-1] + 1 if self.offsets else self.start

    def at(self, k: int = 0) -> tuple[int, int]:
        return self.source.at(self.offset(k))

    @property
    def line(self) -> int:
        return self.at()[0]

    @property
    def column(self) -> int:
        return self.at()[1]

    def part(self, start: int, end: int) -> Place:
        """The place of the formula's text[start:end]."""
        if self.offsets is None:
            return Place(self.source, self.start + start)
        return Place(self.source, self.offset(start), self.offsets[start:end])

    def label(self, k: int = 0) -> str:
        """notes.md:64:62, or book.ipynb:cell 3:2:5"""
        line, column = self.at(k)
        cell = "" if self.source.cell is None else f"cell {self.source.cell}:"
        return f"{self.source.name}:{cell}{line}:{column}"


class ReadError(SymbackpropError):
    """Text that cannot be read as the mathematics it should be; knows where.

    `undeclared` is the name that was not found, when that is the trouble.
    """

    def __init__(self, message: str, span: Span = (0, 0), where: Place | None = None, undeclared: str = "") -> None:
        super().__init__(message)
        self.message, self.span, self.where, self.undeclared = message, span, where, undeclared

    def located(self, where: Place | None) -> ReadError:
        """The same error with a place, if it has none yet."""
        if self.where is None:
            self.where = where
        return self

    def __str__(self) -> str:
        return self.message if self.where is None else f"{self.where.label(self.span[0])} {self.message}"


class Unsettled(ReadError):
    """Well-formed as far as can be seen, but not something that is decided here: the verdict is unknown, and why."""


def read_text(path: Path) -> str:
    """Raises ReadError when it cannot be opened, or is no text."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)  # not by the size that is told: a device without end tells 0
        if len(data) > MAX_FILE:
            raise ReadError(f"{path}: more than {MAX_FILE:,} bytes, and at most these are read")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ReadError(f"{path}: this is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror or error}") from None


def render(message: str, span: Span, where: Place | None, width: int = 100) -> str:
    """`notes.md:64:62 message`, the source line, and carets under the place."""
    if where is None:
        return message
    start = where.offset(span[0])
    end = max(start + 1, where.offset(max(span[0], span[1] - 1)) + 1)
    line, column = where.source.at(start)
    text = where.source.line(line).replace("\t", " ")
    carets = max(1, min(end - start, len(text) - column + 1))
    left = 0
    if len(text) > width:  # keep the place in view
        left = max(0, min(column - 1 - width // 3, len(text) - width))
        carets = min(carets, width - (column - 1 - left))
    shown = text[left : left + width]
    return f"{where.label(span[0])} {message}\n  {shown}\n  {' ' * (column - 1 - left)}{'^' * max(1, carets)}"
