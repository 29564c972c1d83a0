"""Check a document: a verdict for every statement of a Markdown or LaTeX file or a notebook.

for statement in check_document("notes.md"):
    print(statement.line, statement.verdict, statement.latex)
"""

from __future__ import annotations

import gc
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import count
from pathlib import Path

from symbackprop.clock import LIMIT, seconds_of
from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import Checked
from symbackprop.documents.judging import Judge
from symbackprop.read.notes.declared.symbols import ArraySymbol
from symbackprop.read.notes.files.items import Block, Item
from symbackprop.read.notes.files.sources import read_document, read_text
from symbackprop.read.notes.grammar.tree import Entry, Expr, Num, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.statements import Reading
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


# --- what was inferred, as a block to keep: with it each statement has the verdict it had ---


_FRONT = re.compile(r"\A---\n[\s\S]*?\n---\n")
_BEGIN = re.compile(r"\\begin\{document\}[ \t]*\n?")
_NAMES = "nmdkphqrs"


@dataclass(slots=True)
class Axes:
    """Which axes have one size, over all statements; a size that the author did not name is its statement's own."""

    parent: dict[object, object] = field(default_factory=dict)

    def find(self, node: object) -> object:
        while node in self.parent:
            node = self.parent[node]
        return node

    def same(self, a: object, b: object) -> None:
        a, b = self.find(a), self.find(b)
        if a != b:
            named = isinstance(a, str) or isinstance(a, int)  # what has a name of its own stays
            self.parent.update({b: a} if named else {a: b})


def declarations(statements: Sequence[Checked], without: frozenset[str] = frozenset()) -> str:
    """The lines of a block: the letters that are the same thing wherever they stand; "" when there are none."""
    kinds: dict[str, set[tuple[int, str]]] = {}
    axes = Axes()
    heads = Counter(head.name for c in statements if (head := defined(c.reading)) is not None)
    for k, c in enumerate(statements):
        if c.verdict in ("refuted", "ill-formed") or not c.reading.declarations.inferred:
            continue
        for array in used(c.reading):
            kinds.setdefault(array.name, set()).add((len(array.shape), array.orientation))
            for n, e in enumerate(array.shape):
                axes.same(size(e, k, c.reading.declarations.fresh), (array.name, n))
    kept = {name: next(iter(found)) for name, found in kinds.items() if len(found) == 1 and heads[name] <= 1}
    named = {n for n in map(axes.find, axes.parent) if isinstance(n, str)}
    letters = (x for x in (*_NAMES, *(f"n_{i}" for i in range(1, 99))) if x not in named | set(kinds))
    shown: dict[object, str] = {}
    lines = []
    for name, (rank, orientation) in sorted(kept.items()):
        if name in without:
            continue
        sizes = [axes.find((name, n)) for n in range(rank)]
        for s in sizes:
            if s not in shown:
                shown[s] = str(s) if isinstance(s, (str, int)) else next(letters)
        row = "1 x " if orientation == "row" and rank == 1 else ""
        lines.append(f"  {name}: {row}{' x '.join(shown[s] for s in sizes) or 'scalar'}")
    return "\n".join(["letters:", *lines]) if lines else ""


def used(reading: Reading) -> Iterator[ArraySymbol]:
    arrays = reading.declarations.arrays
    names = {n.name for side in (reading.lhs, reading.rhs) for n in walk(side) if isinstance(n, Symbol)}
    found = (arrays[n] for n in sorted(names) if n in arrays)
    yield from (a for a in found if not a.family and a.role != "constant")


def defined(reading: Reading) -> Symbol | None:
    head: Expr | None = reading.lhs if reading.kind == "definition" else None
    head = head.base if isinstance(head, Entry) else head
    return head if isinstance(head, Symbol) else None


def size(e: Expr, statement: int, fresh: frozenset[str]) -> object:
    match e:
        case Num(value) if value.denominator == 1:
            return int(value)
        case Symbol(name, None) if name not in fresh:
            return name
        case _:
            return statement, e


def commented(name: str, block: str) -> str:
    """The block as a comment of the kind of document: LaTeX, or Markdown and the cells of notebooks."""
    if Path(name).suffix.lower() in (".tex", ".ltx", ".latex"):
        return "\n".join(f"% {line}" for line in f"symbackprop:\n{block}".split("\n"))
    return f"<!-- symbackprop:\n{block}\n-->"


def pasted(text: str, name: str, block: str) -> str:
    """The document with the block before everything else."""
    comment = commented(name, block)
    if Path(name).suffix.lower() == ".ipynb":
        notebook = json.loads(text)
        cell = {"cell_type": "markdown", "metadata": {}, "source": [comment]}
        return json.dumps({**notebook, "cells": [cell, *notebook["cells"]]}, ensure_ascii=False, indent=1)
    found = (_BEGIN if comment.startswith("%") else _FRONT).search(text)
    at = found.end() if found else 0
    return f"{text[:at]}\n{comment}\n\n{text[at:]}"


def declared(path: str | Path, statements: Sequence[Checked], judge: Judge) -> str:
    """The block as it stands in a document, without letters that would change a verdict if they were declared."""
    text, without = read_text(Path(path)), frozenset[str]()
    for _ in count():
        block = declarations(statements, without)
        if not block:
            return ""
        try:
            again = check_text(pasted(text, str(path), block), str(path), judge)
        except SymbackpropError:
            return ""
        if len(again) != len(statements):
            return ""
        other = [a for a, b in zip(statements, again, strict=True) if a.verdict != b.verdict]
        if not other:
            return commented(str(path), block)
        more = {a.name for c in other for a in used(c.reading)} - without
        if not more:
            return ""
        without |= more
    raise AssertionError
