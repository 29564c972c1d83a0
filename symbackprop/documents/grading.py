"""Answers of students, each read behind the same reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from symbackprop.decide.outcomes import Checked
from symbackprop.read.notes.files.items import Block, Item
from symbackprop.read.notes.files.sources import read_document

from .check import seldom_collecting
from .judging import Judge

COLUMNS = ("answer", "statements", "proved", "refuted", "ill-formed", "unknown", "first wrong line", "code", "mistake",
           "statement", "right formula")  # fmt: skip


def graded(reference: str | Path, answer: str | Path, judge: Judge) -> tuple[object, ...]:
    """A row of `COLUMNS`.  Raises ReadError for a file that cannot be read."""
    found = answers(reference, answer, judge)
    counts = Counter(c.verdict for c in found if c.verdict is not None)
    tally = (sum(counts.values()), *(counts[v] for v in ("proved", "refuted", "ill-formed", "unknown")))
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
