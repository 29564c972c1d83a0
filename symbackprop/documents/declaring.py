"""What was inferred of a document, as a block to keep: with it each statement has the verdict it had."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import Checked
from symbackprop.read.notes.declared.symbols import ArraySymbol
from symbackprop.read.notes.files.sources import read_text
from symbackprop.read.notes.grammar.tree import Entry, Expr, Num, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.statements import Reading

from .check import check_text
from .judging import Judge

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
