"""Matrices with dots: what their entries have in common, by the first and the last of a row and a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import cast

from .tree import Dots, Entry, Expr, IndexName, Matrix, Num, Symbol, Transpose, Words

ROW, COLUMN = "i\"", "j\""
"""No letter of an author's."""


class NoPattern(Exception):
    """Two entries differ in more than an index."""


def dotted(node: Matrix) -> Expr:
    """[e_1, …, e_n], also below each other or in two directions: the array with the entries e_i, by their pattern."""
    rows = node.rows
    if not any(isinstance(c, Dots) for row in rows for c in row):
        return node
    plain = [[c for c in row if not isinstance(c, (Dots, Words))] for row in rows]
    plain = [row for row in plain if row]
    if not plain:
        return node
    try:
        if len(rows) == 1:
            entries = Entry(common(plain[0], COLUMN), (IndexName(COLUMN),), node.span)
            return Transpose(entries, node.span)
        if all(len(row) == 1 for row in rows):
            return Entry(common([row[0] for row in plain], ROW), (IndexName(ROW),), node.span)
        entry = common([common(row, COLUMN) for row in plain], ROW)
        return Entry(entry, (IndexName(ROW), IndexName(COLUMN)), node.span)
    except NoPattern:
        return node


def common(cells: Sequence[Expr], index: str) -> Expr:
    """What all of them are with an index in place of 1, 2, …, n."""
    found = {both(cells[0], cell, index) for cell in cells[1:]}
    if len(found) != 1 or found == {cells[0]}:
        raise NoPattern
    return cast(Expr, found.pop())


def both(a: object, b: object, index: str) -> object:
    """The first with an index where it has 1 and the other has a letter or another number."""
    if isinstance(a, Num) and a.value == 1 and a != b and isinstance(b, (IndexName, Symbol, Num)):
        return IndexName(index, a.span)
    if type(a) is not type(b):
        raise NoPattern
    if isinstance(a, tuple):
        other = cast("tuple[object, ...]", b)
        if len(a) != len(other):
            raise NoPattern
        new = tuple(both(x, y, index) for x, y in zip(a, other, strict=True))
        return a if all(x is y for x, y in zip(a, new, strict=True)) else new
    if is_dataclass(a) and not isinstance(a, type):
        changed = {}
        for f in fields(a):
            if f.compare:
                value = getattr(a, f.name)
                new_value = both(value, getattr(b, f.name), index)
                if new_value is not value:
                    changed[f.name] = new_value
        return replace(a, **changed) if changed else a
    if a != b:
        raise NoPattern
    return a
