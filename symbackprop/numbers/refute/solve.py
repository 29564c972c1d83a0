"""Solving hypotheses that are linear in one array, exactly, by Gaussian elimination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

from symbackprop.core.context import Same
from symbackprop.core.terms import Array, free, sub
from symbackprop.numbers.duals import Position
from symbackprop.numbers.exact_numbers import Number, precision
from symbackprop.numbers.points import Point, Reaches, size_at

from ..evaluate import Evaluation

_UNKNOWNS = 40


def residuals(equations: Sequence[Same], point: Point, reaches: Reaches) -> list[Fraction] | None:
    """lhs - rhs for all values of the free indices, if all are rational."""
    evaluation, found = Evaluation(point, reaches, True), []
    precision(64)
    for h in equations:
        axes = sorted(free(h.lhs) | free(h.rhs), key=lambda i: i.name)
        gap = sub(h.lhs, h.rhs)
        for values in product(*(range(size_at(i.size, point.sizes)) for i in axes)):
            evaluation.root = replace(evaluation.root, free=dict(zip(axes, values, strict=True)))
            value = evaluation.at(gap)
            if type(value) is not Fraction:
                return None
            found.append(value)
    return found


def solved(equations: Sequence[Same], array: Array, point: Point, reaches: Reaches) -> dict[Position, Number] | None:
    """Entries near the present ones that satisfy equations linear in the array; the caller checks them."""
    entries = {k: v for k, v in point.arrays[array].items() if isinstance(v, Fraction)}
    places = sorted(entries)
    base = residuals(equations, point, reaches)
    if base is None or len(places) > _UNKNOWNS or len(places) < len(point.arrays[array]):
        return None
    columns = []
    for k in places:
        moved = replace(point, arrays={**point.arrays, array: {**entries, k: entries[k] + 1}})
        shifted = residuals(equations, moved, reaches)
        if shifted is None:
            return None
        columns.append([b - a for a, b in zip(base, shifted, strict=True)])
    step = elimination([list(row) for row in zip(*columns, strict=True)], [-b for b in base])
    if step is None:
        return None
    return {k: entries[k] + d for k, d in zip(places, step, strict=True)}


def elimination(rows: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """One solution of rows x = right, with 0 for what is free; None where there is none."""
    table = [[*row, b] for row, b in zip(rows, right, strict=True)]
    width = len(rows[0]) if rows else 0
    pivots: list[int] = []
    for column in reversed(range(width)):
        row = next((r for r in range(len(pivots), len(table)) if table[r][column]), None)
        if row is None:
            continue
        top = len(pivots)
        table[top], table[row] = table[row], table[top]
        table[top] = [x / table[top][column] for x in table[top]]
        for r, line in enumerate(table):
            if r != top and line[column]:
                f = line[column]
                table[r] = [x - f * y for x, y in zip(line, table[top], strict=True)]
        pivots.append(column)
    if any(line[-1] for line in table[len(pivots) :]):
        return None
    solution = [Fraction(0)] * width
    for row, column in enumerate(pivots):
        solution[column] = table[row][-1]
    return solution
