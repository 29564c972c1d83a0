"""The rows of align and its relatives: each row, and in align each pair of columns, is a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
