"""Check a document: a verdict for every statement of a Markdown or LaTeX file or a notebook.

for statement in check_document("notes.md"):
    print(statement.line, statement.verdict, statement.latex)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.read.notes.files.sources import read_document
from symbackprop.read.notes.statements.statements import read_statements

from .judging import Judge
from .results import Checked


def check_document(
    path: str | Path, judge: Judge | None = None, *, timeout: float | None = LIMIT
) -> list[Checked]:
    """The statements of a file in order, each with its verdict.

    Each statement has `timeout` seconds (None: no limit) before it is unknown; a `judge` has its own limit.
    Give the same `judge` again and statements that did not change (same text, same declarations) are not proved again.
    Raises ReadError for a file that cannot be read and for a declaration block that is wrong.
    """
    return list(checked_statements(path, judge or Judge(seconds=seconds_of(timeout))))


def check_text(text: str, name: str = "text.md", judge: Judge | None = None) -> list[Checked]:
    """The same for a document that is no file; the ending of the name says what kind it is."""
    return list(checked_statements(name, judge, text))


def checked_statements(path: str | Path, judge: Judge | None = None, text: str | None = None) -> Iterator[Checked]:
    """One statement after the other, as they are settled."""
    judge = judge or Judge()
    for reading in read_statements(read_document(path, text)):
        yield Checked(reading, judge.of(reading))
