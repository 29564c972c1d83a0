"""Check a document: a verdict for every statement of a Markdown or LaTeX file or a notebook.

for statement in check_document("notes.md"):
    print(statement.line, statement.verdict, statement.latex)
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.decide.outcomes import Checked
from symbackprop.documents.judging import Judge
from symbackprop.read.notes.files.items import Block, Item
from symbackprop.read.notes.files.sources import read_document, read_text
from symbackprop.write.notes.as_json import VERDICTS
from symbackprop.write.notes.page import html_page


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


# --- answers of students, each read behind the same reference ---


COLUMNS = ("answer", "statements", "proved", "refuted", "ill-formed", "unknown", "first wrong line", "code", "mistake",
           "statement", "right formula")  # fmt: skip


def graded(reference: str | Path, answer: str | Path, judge: Judge) -> tuple[object, ...]:
    """A row of `COLUMNS`.  Raises ReadError for a file that cannot be read."""
    found = answers(reference, answer, judge)
    counts = Counter(c.verdict for c in found if c.verdict is not None)
    tally = (sum(counts.values()), *(counts[v] for v in VERDICTS))
    first = next((c for c in found if c.bad), None)
    if first is None:
        return (str(answer), *tally, "", "", "", "", "")
    repair = first.outcome.repair
    said = first.outcome.mistake or first.outcome.message
    code = first.rule.code if first.rule is not None else ""
    return (str(answer), *tally, first.line, code, said, first.latex, repair.latex if repair is not None else "")


def answers(reference: str | Path, answer: str | Path, judge: Judge) -> list[Checked]:
    """The statements of the answer; above them, under the same heading, stands what the reference says."""
    above: tuple[Item, ...] = read_document(reference)
    items = merged(above, read_document(answer))
    with seldom_collecting():
        read = [c for section in judge.sections.of(items) for c in judge.section(section)]
    sources = {id(i.where.source) for i in above}
    return [c for c in read if id(c.reading.where.source) not in sources]


def merged(above: Sequence[Item], answer: Sequence[Item]) -> list[Item]:
    told, given = by_heading(above), by_heading(answer)
    out: list[Item] = []
    for heading, items in told.items():
        out += [*items, *given.pop(heading, ())]
    return [*out, *(i for items in given.values() for i in items)]


def by_heading(items: Sequence[Item]) -> dict[str, list[Item]]:
    """The items under each heading; a block of declarations belongs to what follows."""
    out: dict[str, list[Item]] = {}
    waiting: list[Item] = []
    for item in items:
        waiting.append(item)
        if not isinstance(item, Block):
            heading = " ".join(item.section[-1].lower().split()) if item.section else ""
            out.setdefault(heading, []).extend(waiting)
            waiting = []
    if waiting:
        out.setdefault("", []).extend(waiting)
    return out
