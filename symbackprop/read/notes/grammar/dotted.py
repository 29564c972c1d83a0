"""Matrices with dots: what their entries have in common, by the first and the last of a row and a column."""

from __future__ import annotations

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
    try:
        if len(rows) == 1:
            entries = Entry(common(plain[0][0], plain[0][-1], COLUMN), (IndexName(COLUMN),), node.span)
            return Transpose(entries, node.span)
        if all(len(row) == 1 for row in rows):
            return Entry(common(plain[0][0], plain[-1][0], ROW), (IndexName(ROW),), node.span)
        first, last = (common(row[0], row[-1], COLUMN) for row in (plain[0], plain[-1]))
        return Entry(common(first, last, ROW), (IndexName(ROW), IndexName(COLUMN)), node.span)
    except (NoPattern, IndexError):
        return node


def common(first: object, last: object, index: str) -> Expr:
    found = both(first, last, index)
    if found is first:
        raise NoPattern
    return cast(Expr, found)


def both(a: object, b: object, index: str) -> object:
    """The first with an index where it has 1 and the last has a letter."""
    if isinstance(a, Num) and a.value == 1 and isinstance(b, (IndexName, Symbol)):
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
