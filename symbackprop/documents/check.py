"""Check a document: a verdict for every statement of a Markdown or LaTeX file or a notebook.

for statement in check_document("notes.md"):
    print(statement.line, statement.verdict, statement.latex)
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.decide.outcomes import Checked
from symbackprop.read.notes.files.sources import read_document, read_text
from symbackprop.write.notes.page import html_page

from .judging import Judge


class CheckedDocument(list[Checked]):
    """The statements of a document in order; in a notebook it shows itself as the page of `check --html`."""

    def __init__(self, path: str | Path, statements: Iterable[Checked]) -> None:
        super().__init__(statements)
        self.path = Path(path)

    def _repr_html_(self) -> str:
        page = html_page(self.path, read_text(self.path), self)
        return f'<iframe srcdoc="{escape(page)}" style="width: 100%; height: 40em; border: 0"></iframe>'


def check_document(path: str | Path, judge: Judge | None = None, *, timeout: float | None = LIMIT) -> CheckedDocument:
    """The statements of a file in order, each with its verdict.

    Each statement has `timeout` seconds (None: no limit) before it is unknown; a `judge` has its own limit.
    Give the same `judge` again and statements that did not change (same text, same declarations) are not proved again.
    Raises ReadError for a file that cannot be read and for a declaration block that is wrong.
    """
    with seldom_collecting():
        return CheckedDocument(path, checked_statements(path, judge or Judge(seconds=seconds_of(timeout))))


def check_text(text: str, name: str = "text.md", judge: Judge | None = None) -> list[Checked]:
    """The same for a document that is no file; the ending of the name says what kind it is."""
    with seldom_collecting():
        return list(checked_statements(name, judge, text))


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Terms hold no circles: to look for some after every 700 new ones takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 100_000) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def checked_statements(path: str | Path, judge: Judge | None = None, text: str | None = None) -> Iterator[Checked]:
    """One statement after the other, as they are settled."""
    judge = judge or Judge()
    for section in judge.sections.of(read_document(path, text)):
        yield from judge.section(section)
