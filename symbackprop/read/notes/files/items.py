"""What a document is made of, in order: prose, blocks, formulas; rows of align; user macros; the collector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from ..grammar.lexer import MAX_BYTES
from .place import Place, ReadError, Source

_WHOLE = re.compile(
    r"(?:\s|\\label\{[^{}]*\}|\\(?:displaystyle|nonumber|notag)(?![A-Za-z]))*\\begin\{(?P<name>[A-Za-z]+)(?P<star>\*?)\}(?P<spec>\s*\{[^{}]*\})?"
)
_PIECE = re.compile(r"\\begin\{[^{}]*\}|\\end\{[^{}]*\}|\\\\\*?(?:\s*\[[^\]]*\])?|\\[A-Za-z]+|\\.|[{}&]", re.DOTALL)
_INTERTEXT = re.compile(r"\\(?:short)?intertext\s*\{[^{}]*\}")
_CONTINUES = re.compile(
    r"(?:\s|~|\\[,;:!>]|\\q?quad(?![A-Za-z])|\{\})*(?:[+*/·×∘⊙−]|-(?=\s)|\\(?:cdot|times|circ|odot|pm)(?![A-Za-z]))"
)
_ROWS: Final = {
    "align": 2, "aligned": 2, "alignat": 2, "alignedat": 2, "flalign": 2, "gather": 0, "gathered": 0, "split": 2,
    "eqnarray": 3, "multline": -1, "equation": 1, "displaymath": 1, "math": 1,
}  # fmt: skip
"""Columns that make one formula; 0: the whole row; -1: all rows are one formula; 1: a wrapper around something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """A piece of a display: its text, the offset of each character in the display, its column when aligned."""

    text: str
    offsets: Sequence[int]
    column: int | None


def split_rows(text: str, start: int = 0) -> list[Row]:
    """The formulas of a display.  Linear; text without such an environment around it is one formula."""
    opened = _WHOLE.match(text)
    columns = _ROWS.get(opened["name"]) if opened else None
    if opened is None or columns is None:
        return [Row(text, range(start, start + len(text)), None)]
    closing = f"\\end{{{opened['name']}{opened['star']}}}"
    end = text.rfind(closing)
    if end < opened.end("star"):
        return [Row(text, range(start, start + len(text)), None)]
    takes_spec = opened["name"] in ("alignat", "alignedat")
    first = opened.end() if takes_spec else opened.end("star") + 1
    inner = _INTERTEXT.sub(lambda m: " " * len(m.group()), text[first:end])
    tail = text[end + len(closing) :]
    if tail.strip(" \n\t.,;") and not re.fullmatch(r"(?:\s|\\label\{[^{}]*\}|[.,;])*", tail):
        return [Row(text, range(start, start + len(text)), None)]
    if columns == 1:
        return split_rows(inner, start + first)
    return _split(inner, start + first, columns)


def _split(inner: str, start: int, columns: int) -> list[Row]:
    out: list[Row] = []
    characters = list(inner)
    depth, at, seen, column = 0, 0, 0, 0

    def close(until: int) -> None:
        body = "".join(characters[at:until])
        places = range(start + at, start + until)
        previous = next((k for k in range(len(out) - 1, -1, -1) if out[k].column == column), None)
        if previous is not None and _CONTINUES.match(body):  # a formula broken over two lines
            before = out[previous]
            out[previous] = Row(before.text + body, [*before.offsets, *places], column)
        elif body.strip():
            out.append(Row(body, places, column))

    for m in _PIECE.finditer(inner):
        piece = m.group()
        if piece == "{" or piece.startswith("\\begin{"):
            depth += 1
        elif piece == "}" or piece.startswith("\\end{"):
            depth -= 1
        elif depth:
            continue
        elif piece == "&":
            seen += 1
            characters[m.start()] = " "
            if columns > 0 and seen % columns == 0:
                close(m.start())
                at, column = m.end(), column + 1
        elif piece.startswith("\\\\"):
            if columns == -1:
                characters[m.start() : m.end()] = " " * len(piece)
            else:
                close(m.start())
                at, seen, column = m.end(), 0, 0
    close(len(inner))
    return out


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
                where = Place.of(where.source, offsets)
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
        place = Place.of(source, offsets)
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
            where = Place.of(source, [offsets[k] for k in row.offsets[lead : lead + len(body)]])
            aligned = None if row.column is None else (self.displays, row.column)
            made = Formula(body, where, display, self.section, struck, before, aligned=aligned, row=self.row)
            self.items.append(replace(made, ignored=quiet) if quiet else made)
            before = ""


def dedented(text: str, offsets: Sequence[int]) -> tuple[str, list[int]]:
    """The text with the first line flush and the common indentation of the others taken off."""
    lines, at = text.split("\n"), 0
    indents = [len(line) - len(line.lstrip(" ")) for line in lines]
    margin = min((n for n, line in zip(indents[1:], lines[1:], strict=True) if line.strip()), default=0)
    kept: list[int] = []
    for k, line in enumerate(lines):
        cut = min(margin, indents[k]) if k else len(line) - len(line.lstrip())
        if k or cut < len(line):
            kept += range(at + cut, min(at + len(line) + 1, len(text)))
        at += len(line) + 1
    return "".join(text[k] for k in kept), [offsets[k] for k in kept]


MAX_PASSES: Final = 20
_DEFINITION = re.compile(
    r"\\(?:(?P<new>newcommand|renewcommand|providecommand|DeclareRobustCommand)\*?\s*(?:\{\s*\\(?P<a>[A-Za-z]+)\s*\}|\\(?P<b>[A-Za-z]+))"
    r"\s*(?:\[(?P<count>[0-9])\])?\s*(?:\[(?P<default>[^\]]*)\])?\s*(?=\{)"
    r"|def\s*\\(?P<c>[A-Za-z]+)(?P<params>(?:\#[1-9])*)\s*(?=\{)"
    r"|DeclareMathOperator(?P<star>\*?)\s*\{?\s*\\(?P<d>[A-Za-z]+)\s*\}?\s*(?=\{))"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_PARAMETER = re.compile(r"#([1-9])")


@dataclass(frozen=True, slots=True)
class Macro:
    arguments: int
    default: str | None
    body: str


def braced(text: str, start: int) -> int | None:
    """Past the } that closes the { at `start`; None when it is not closed."""
    depth, k = 0, start
    for m in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        if m.group() == "{":
            depth += 1
        elif m.group() == "}":
            depth -= 1
            if depth == 0:
                k = m.end()
                return k
    return None


def collect(text: str, macros: dict[str, Macro]) -> list[tuple[int, int]]:
    """Add the definitions in `text` to `macros`; returns where they stand."""
    spans: list[tuple[int, int]] = []
    at = 0
    while (m := _DEFINITION.search(text, at)) is not None:
        end = braced(text, m.end())
        if end is None:
            break
        body = text[m.end() + 1 : end - 1]
        name = m["a"] or m["b"] or m["c"] or m["d"]
        if m["d"]:
            macros[name] = Macro(0, None, f"\\operatorname{{{body}}}")
        else:
            count = int(m["count"]) if m["count"] else len(m["params"] or "") // 2
            macros[name] = Macro(count, m["default"], body)
        spans.append((m.start(), end))
        at = end
    return spans


def expand(text: str, offsets: Sequence[int], macros: dict[str, Macro]) -> tuple[str, list[int]]:
    """`text` without user macros, and the offset of each character.  Refuses macros that expand without end."""
    out = list(offsets)
    for _ in range(MAX_PASSES):
        new = _once(text, out, macros)
        if new is None:
            return text, out
        text, out = new
        if len(text) > MAX_BYTES:
            raise ReadError(f"macros make this formula longer than {MAX_BYTES:,} characters")
    raise ReadError("these macros expand without end")


def _once(text: str, offsets: list[int], macros: dict[str, Macro]) -> tuple[str, list[int]] | None:
    pieces: list[str] = []
    places: list[int] = []
    changed, at = False, 0

    def put(piece: str, where: Sequence[int]) -> None:
        if piece and piece[0].isalpha() and pieces and re.search(r"\\[A-Za-z]+\Z", pieces[-1]):
            pieces.append(" ")
            places.append(places[-1])
        if piece:
            pieces.append(piece)
            places.extend(where)

    for m in _COMMAND.finditer(text):
        macro = macros.get(m[1])
        if macro is None or m.start() < at:
            continue
        put(text[at : m.start()], offsets[at : m.start()])
        changed = True
        args, at = _arguments(text, m.end(), macro, m.start())
        call, last = offsets[m.start()], 0
        for p in _PARAMETER.finditer(macro.body):
            put(macro.body[last : p.start()], [call] * (p.start() - last))
            k = int(p[1]) - 1
            if k < len(args):
                start, end = args[k]
                if start < 0 and macro.default is not None:
                    put(macro.default, [call] * len(macro.default))
                else:
                    put(text[start:end], offsets[start:end])
            last = p.end()
        put(macro.body[last:], [call] * (len(macro.body) - last))
        if sum(map(len, pieces[-3:])) > MAX_BYTES or len(places) > 4 * MAX_BYTES:
            raise ReadError(f"macros make this formula longer than {MAX_BYTES:,} characters", (m.start(), m.end()))
    if not changed:
        return None
    put(text[at:], offsets[at:])
    return "".join(pieces), places


def _arguments(text: str, at: int, macro: Macro, start: int) -> tuple[list[tuple[int, int]], int]:
    """Where the arguments behind a macro stand, (-1, -1) for a default, and where reading goes on."""
    out: list[tuple[int, int]] = []
    for k in range(macro.arguments):
        m = re.compile(r"\s*").match(text, at)
        here = m.end() if m else at
        if k == 0 and macro.default is not None:
            option = re.compile(r"\[([^\]]*)\]").match(text, here)
            out.append((option.start(1), option.end(1)) if option else (-1, -1))
            at = option.end() if option else at
            continue
        if here >= len(text):
            raise ReadError(f"this macro takes {macro.arguments} arguments", (start, here))
        if text[here] == "{":
            end = braced(text, here)
            if end is None:
                raise ReadError("the argument of this macro is not closed", (start, here + 1))
            out.append((here + 1, end - 1))
        else:
            one = _COMMAND.match(text, here)
            end = one.end() if one else here + 1
            out.append((here, end))
        at = end
    return out, at
