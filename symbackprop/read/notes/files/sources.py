"""Files to formulas: Markdown and MyST by markdown-it-py, Jupyter notebooks, LaTeX.

`read_document` gives the items of a file in order: prose, declaration blocks and formulas, each formula with the
place of every character, the headings above it, and the words around it.  In Markdown: $…$, $$…$$, ```math, align
without dollars, comments, front matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from .items import Block, Collector, Formula, Item, Prose, dedented
from .latex import read_latex
from .place import Place, ReadError, Source, read_text

__all__ = ["Block", "Formula", "Item", "Prose", "collected", "read_document", "read_text"]

_COMMENT = re.compile(r"<!--\s*symbackprop:([\s\S]*?)(?:-->|\Z)")
_OPTIONS = re.compile(r"(?:[ \t]*:[\w-]+:.*(?:\n|\Z))+|---\n[\s\S]*?\n---\n")


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 60}).enable(["strikethrough", "table"])
    parser.use(front_matter_plugin).use(amsmath_plugin)
    return parser.use(dollarmath_plugin, allow_digits=False, double_inline=True)


_FENCE = re.compile(r"(?m:^)[ \t]*(```|~~~)[\s\S]*?(?:(?m:^)[ \t]*\1|\Z)|`[^`\n]*`|<!--[\s\S]*?(?:-->|\Z)")
_DISPLAY = re.compile(r"\\.|\$\$")
_STEP = re.compile(r"(\\begin\s*\{)|(\\end\s*\{)|\n[ \t]*\n")


def blank_line(text: str, start: int, end: int) -> re.Match[str] | None:
    """The first that ends a display: one in an environment that is closed below does not."""
    steps = list(_STEP.finditer(text, start, end))
    depths = list(accumulate((s[1] is not None) - (s[2] is not None) for s in steps))
    closed = steps and depths[-1] == 0
    blanks = ((s, depth) for s, depth in zip(steps, depths, strict=True) if s[1] is None and s[2] is None)
    return next((s for s, depth in blanks if depth <= 0 or not closed), None)


def unclosed(text: str) -> list[tuple[int, int]]:
    """Displays that are never closed, each with where it ends for the reader: at the next blank line."""
    hidden = [m.span() for m in _FENCE.finditer(text)]
    marks = [
        m.start() for m in _DISPLAY.finditer(text)
        if m.group() == "$$" and not any(a <= m.start() < b for a, b in hidden)
    ]  # fmt: skip
    out: list[tuple[int, int]] = []
    k = 0
    while k < len(marks):
        start = marks[k]
        end = marks[k + 1] if k + 1 < len(marks) else len(text)
        blank = blank_line(text, start, end)
        if k + 1 < len(marks) and (blank is None or not text[start + 2 : blank.start()].strip()):
            k += 2
            continue
        stop = blank.start() if blank is not None else end
        if text[start + 2 : stop].strip():
            out.append((start, stop))
        k += 1
    return out


_BRACKETS = re.compile(
    r"(?:(?m:^)[ \t]*(?P<fence>```|~~~)[\s\S]*?(?:(?m:^)[ \t]*(?P=fence)|\Z)|`[^`\n]*`|<!--[\s\S]*?(?:-->|\Z))"
    r"|\$\$[\s\S]*?\$\$|(?<!\\)\$(?:\\.|[^$\\\n])+\$|\\begin\{(?P<env>[a-z]+\*?)\}[\s\S]*?\\end\{(?P=env)\}"
    r"|(?P<a>\\\\?)(?:\((?P<inline>(?:(?!\n[ \t]*\n)[\s\S])+?)(?P=a)\)"
    r"|\[(?P<shown>(?:(?!\n[ \t]*\n)[\s\S])+?)(?P=a)\])"
)


def with_dollars(text: str) -> str:
    r"""\(…\) and \\(…\\) as $…$, displays as $$…$$, each character in its place; not in code or formulas."""

    def replaced(m: re.Match[str]) -> str:
        if m["a"] is None:
            return m.group()
        body, sign = (m["inline"], "$") if m["inline"] is not None else (m["shown"], "$$")
        gap = len(m["a"]) + 1
        if sign == "$":
            return f"${' ' * (gap - 1)}{body}{' ' * (gap - 1)}$"
        return f"$${' ' * (gap - 2)}{body}{' ' * (gap - 2)}$$"

    return _BRACKETS.sub(replaced, text)


def read_markdown(source: Source, collector: Collector) -> None:
    text = source.text
    for start, end in unclosed(text):
        where = Place(source, start)
        error = ReadError("this $$ is never closed", (0, 2), where)
        collector.broken.append((start, Formula(text[start:end].strip(), where, True, error=error)))
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    text = with_dollars(text)
    try:
        tokens = _parser().parse(text)
    except RecursionError:
        raise ReadError(f"{source.name}: nested too deeply") from None
    _Walk(source, collector).walk(tokens)
    collector.mend()


class _Walk:
    def __init__(self, source: Source, collector: Collector) -> None:
        self.source, self.out = source, collector
        self.cursor: dict[int, int] = {}  # how far a source line (of a table) has been used
        self.rows: list[int] | None = None
        self.in_heading = 0
        self.table_rows = 0

    def walk(self, tokens: list[Token]) -> None:
        for token in tokens:
            kind, line = token.type, token.map[0] if token.map else 0
            if kind == "heading_open":
                self.in_heading = int(token.tag[1:])
            elif kind == "tr_open":
                self.rows = list(token.map or ())
                self.out.row = self.table_rows = self.table_rows + 1
            elif kind == "table_close":
                self.rows = None
                self.out.row = 0
            elif kind == "inline":
                self.inline(token)
                self.in_heading = 0
            elif kind == "front_matter":
                self.out.block(token.content, Place.of(self.source, self.lines(token.content, line + 1)), front=True)
            elif kind in ("math_block", "math_block_label"):
                self.display(token.content, line, "$$")
            elif kind == "amsmath":
                self.display(token.content, line, "")
            elif kind == "fence" and token.info.strip() in ("math", "{math}"):
                options = _OPTIONS.match(token.content)
                skip = options.end() if options else 0
                offsets = self.lines(token.content, line + 1)[skip:]
                self.out.formula(self.source, token.content[skip:], offsets, display=True)
            elif kind == "html_block":
                self.comments(token.content, self.lines(token.content, line))

    def display(self, content: str, line: int, markup: str) -> None:
        places, at = self.lines(content, line, markup), 0
        for k, piece in enumerate(content.split("$$")):  # $$a$$ $$b$$ on one line comes as one
            if k % 2 == 0:
                self.out.formula(self.source, piece, places[at : at + len(piece)], display=True)
            elif piece.strip():  # the words between them, with their own formulas
                self.inline(_parser().parseInline(piece)[0], places[at : at + len(piece)])
            at += len(piece) + 2

    def lines(self, content: str, line: int, markup: str = "") -> list[int]:
        """The source offset of each character of `content`, whose lines are those from `line` on."""
        out: list[int] = []
        for k, piece in enumerate(content.split("\n")):
            number = line + k
            if number >= len(self.source.lines):
                out.extend([len(self.source.text)] * (len(piece) + 1))
                continue
            base, whole = self.source.lines[number], self.source.line(number + 1)
            after = whole.find(markup) + len(markup) if markup and k == 0 and markup in whole else 0
            found = whole.find(piece, max(after, self.cursor.get(number, 0)))
            if not after and self.rows is None and whole.rstrip().endswith(piece.rstrip()) and piece.strip():
                found = len(whole.rstrip()) - len(piece.rstrip())
            at = base + max(found, 0)
            out.extend(range(at, at + len(piece) + 1))
        return out[: len(content)]

    def inline(self, token: Token, offsets: list[int] | None = None) -> None:
        content = token.content
        line = token.map[0] if token.map else self.rows[0] if self.rows else 0
        offsets = self.lines(content, line) if offsets is None else offsets
        if self.rows is not None and offsets:
            number, column = self.source.at(offsets[-1])
            self.cursor[number - 1] = column
        if self.in_heading:
            self.out.heading(self.in_heading, re.sub(r"\s+", " ", content).strip())
            if not any("=" in c.content for c in token.children or [] if c.type.startswith("math_inline")):
                return
        self.out.prose(content, Place.of(self.source, offsets))
        at, struck = 0, 0
        for child in token.children or []:
            if child.type in ("math_inline", "math_inline_double"):
                markup = "$$" if child.type.endswith("double") else "$"
                if self.rows is not None and "|" in child.content:
                    if self.in_cell(child.content, markup, line, struck):
                        continue
                found = content.find(markup + child.content + markup, at)
                start = found + len(markup) if found >= 0 else at
                place = (
                    offsets[start : start + len(child.content)] if found >= 0 else [offsets[at]] * len(child.content)
                )
                self.out.formula(self.source, child.content, place, markup == "$$", struck > 0)
                at = start + len(child.content) + len(markup) if found >= 0 else at
            elif child.type == "s_open":
                struck += 1
            elif child.type == "s_close":
                struck -= 1
            elif child.type == "html_inline":
                found = content.find(child.content, at)
                if found >= 0:
                    self.comments(child.content, offsets[found : found + len(child.content)])
                    at = found + len(child.content)
            elif child.content:
                found = content.find(child.content, at)
                at = found + len(child.content) if found >= 0 else at
                self.out.words(child.content)
            elif child.type in ("softbreak", "hardbreak"):
                self.out.words(" ")
        self.out.words("\n")

    def in_cell(self, body: str, markup: str, line: int, struck: int) -> bool:
        """A formula in a table, where \\| is written for |: as it stands in the file."""
        whole, base = self.source.line(line + 1), self.source.lines[line]
        pattern = re.escape(markup) + r"\\?\|".join(map(re.escape, body.split("|"))) + re.escape(markup)
        m = re.compile(pattern).search(whole)
        if m is None:
            return False
        start, end = m.start() + len(markup), m.end() - len(markup)
        self.out.formula(self.source, whole[start:end], range(base + start, base + end), markup == "$$", struck > 0)
        return True

    def comments(self, content: str, offsets: Sequence[int]) -> None:
        for m in _COMMENT.finditer(content):
            text, places = dedented(m[1], offsets[m.start(1) : m.end(1)])
            self.out.block(text, Place.of(self.source, places))


def read_document(path: str | Path, text: str | None = None) -> tuple[Item, ...]:
    """The items of a file.  Raises ReadError when it cannot be opened, or is no text, or is broken."""
    return collected(path, text)[0]


def collected(path: str | Path, text: str | None = None) -> tuple[tuple[Item, ...], tuple[Path, ...]]:
    """The items, and the files that they are read from besides: by \\input, where the text is that of the file."""
    path = Path(path)
    folder = path.parent if text is None else None
    if text is None:
        text = read_text(path)
    if "\x00" in text:
        raise ReadError(f"{path.name}: this is binary data, not text")
    readers = {".tex": "latex", ".ltx": "latex", ".latex": "latex", ".ipynb": "notebook"}
    kind = readers.get(path.suffix.lower(), "markdown")
    collector = Collector(folder=folder)
    if kind == "latex":
        read_latex(Source(str(path), text), collector)
    elif kind == "notebook":
        for source in markdown_cells(str(path), text):
            read_markdown(source, collector)
    else:
        read_markdown(Source(str(path), text), collector)
    return tuple(collector.items), tuple(collector.files)


def markdown_cells(name: str, text: str) -> Iterator[Source]:
    """The markdown cells of a notebook, numbered among all cells from 1."""
    for number, (kind, source) in enumerate(notebook_cells(name, text), 1):
        if kind == "markdown":
            yield Source(name, source, number)


def notebook_cells(name: str, text: str) -> list[tuple[str, str]]:
    """The type and the text of each cell.

    Only what is needed of the format is asked for: a notebook without metadata is read as well.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name}: not a notebook: {str(error)[:100]}") from None
    cells: object = notebook.get("cells") if isinstance(notebook, dict) else None
    if isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):  # format 3
        sheets = [s.get("cells") for s in notebook["worksheets"] if isinstance(s, dict)]
        cells = [c for s in sheets if isinstance(s, list) for c in s]
    if not isinstance(cells, list):
        raise ReadError(f"{name}: not a notebook: it has no list of cells")
    return [cell_parts(c) for c in cells]


def cell_parts(cell: object) -> tuple[str, str]:
    if not isinstance(cell, dict):
        return "", ""
    source = cell.get("source", "")
    return str(cell.get("cell_type")), "".join(map(str, source)) if isinstance(source, list) else str(source)
