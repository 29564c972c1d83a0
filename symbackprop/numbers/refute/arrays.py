"""Arrays of small exact numbers that satisfy hypotheses: the usual ones by construction, linear ones by elimination.

Each maker takes a source of numbers and a shape and returns the entries, or None where it does not apply.  Richer
makers come first: the identity satisfies many hypotheses but hides many mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import gcd, prod
from random import Random
from typing import TypeAlias

from symbackprop.core.context import Same
from symbackprop.core.terms import Array, free, sub
from symbackprop.numbers.duals import Position
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import Number, logarithm, precision
from symbackprop.numbers.points import Point, Reaches, Scope, size_at

Entries: TypeAlias = dict[Position, Number]
Maker: TypeAlias = Callable[["Source", Position], Entries | None]
Rows: TypeAlias = list[list[Fraction]]

ONE = Fraction(1)


class Source:
    """Small rationals, never twice the same size: two equal entries would hide a transposed claim."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.used: set[tuple[int, int]] = set()  # numerator and denominator

    def positive(self, low: Fraction, high: Fraction) -> Fraction:
        for scale in (1, 1, 1, 4, 16, 64, 1024):
            for _ in range(12):
                d = self.random.choice((3, 4, 5, 6, 7, 8)) * scale
                first = low.numerator * d // low.denominator + 1
                n = self.random.randint(first, max(first, high.numerator * d // high.denominator))
                if n * high.denominator >= high.numerator * d:
                    continue
                shared = gcd(n, d)
                x = (n // shared, d // shared)
                if x not in self.used:
                    self.used.add(x)
                    return Fraction(*x)
        raise AssertionError("no more small rationals")

    def mixed(self, high: Fraction = Fraction(2)) -> Fraction:
        return self.positive(Fraction(0), high) * self.random.choice((-1, 1))

    def sign(self) -> int:
        return self.random.choice((-1, 1))


def positions(shape: Position) -> list[Position]:
    return list(product(*map(range, shape)))


def each(draw: Callable[[Source], Number]) -> Maker:
    return lambda s, shape: {k: draw(s) for k in positions(shape)}


def lines(shape: Position, axis: int) -> list[list[Position]]:
    """The positions along an axis, one list for each setting of the others."""
    others = [range(n) if d != axis else range(1) for d, n in enumerate(shape)]
    return [[(*p[:axis], k, *p[axis + 1 :]) for k in range(shape[axis])] for p in product(*others)]


def along(axis: int, line: Callable[[Source, int], list[Number] | None]) -> Maker:
    """Fill the array line by line."""

    def make(s: Source, shape: Position) -> Entries | None:
        if axis >= len(shape):
            return None
        entries: Entries = {}
        for places in lines(shape, axis):
            values = line(s, len(places))
            if values is None:
                return None
            entries.update(zip(places, values, strict=True))
        return entries

    return make


def square(make: Callable[[Source, int], Rows | None]) -> Maker:
    """Fill each matrix of the last two axes."""

    def outer(s: Source, shape: Position) -> Entries | None:
        if len(shape) < 2 or shape[-1] != shape[-2]:
            return None
        entries: Entries = {}
        for lead in positions(shape[:-2]):
            rows = make(s, shape[-1])
            if rows is None:
                return None
            entries |= {(*lead, i, j): rows[i][j] for i in range(shape[-1]) for j in range(shape[-1])}
        return entries

    return outer


def probabilities(s: Source, n: int) -> list[Number]:
    weights = [s.random.randint(1, 9) for _ in range(n)]
    while n > 1 and len(set(weights)) < min(n, 9):
        weights = s.random.sample(range(1, 10 + n), n)
    return [Fraction(w, sum(weights)) for w in weights]


def log_probabilities(s: Source, n: int) -> list[Number]:
    return [logarithm(p) for p in probabilities(s, n)]  # type: ignore[arg-type]


def hot(s: Source, n: int) -> list[Number]:
    k = s.random.randrange(n)
    return [Fraction(int(j == k)) for j in range(n)]


def centred(s: Source, n: int) -> list[Number]:
    values = [s.mixed() for _ in range(n)]
    mean = sum(values, Fraction(0)) / n
    return [v - mean for v in values]


def unit_vector(s: Source, n: int) -> list[Number]:
    """A rational point of the sphere by stereographic projection."""
    t = [s.mixed() for _ in range(n - 1)]
    square_sum = sum((x * x for x in t), Fraction(0))
    return [*(2 * x / (1 + square_sum) for x in t), (1 - square_sum) / (1 + square_sum) if t else Fraction(s.sign())]


def alternating(s: Source, n: int) -> list[Number] | None:
    """1, -1, 1, -1, ...: mean 0 and mean square 1."""
    return [Fraction((-1) ** k) for k in range(n)] if n % 2 == 0 else None


def symmetric(s: Source, n: int) -> Rows:
    rows = [[s.mixed() for _ in range(n)] for _ in range(n)]
    return [[rows[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)]


def antisymmetric(s: Source, n: int) -> Rows:
    rows = [[s.mixed() for _ in range(n)] for _ in range(n)]
    return [[Fraction(0) if i == j else rows[i][j] if i < j else -rows[j][i] for j in range(n)] for i in range(n)]


def times(a: Rows, b: Rows) -> Rows:
    columns = transposed(b)
    return [[sum((x * y for x, y in zip(row, col, strict=True)), Fraction(0)) for col in columns] for row in a]


def transposed(a: Rows) -> Rows:
    return [list(c) for c in zip(*a, strict=True)]


def positive_definite(s: Source, n: int) -> Rows:
    root = [[s.mixed() if i != j else 1 + s.positive(Fraction(0), ONE) for j in range(n)] for i in range(n)]
    lower = [[x if j <= i else Fraction(0) for j, x in enumerate(row)] for i, row in enumerate(root)]
    return times(lower, transposed(lower))


def orthogonal(s: Source, n: int) -> Rows:
    """Signs, then rotations by the angles of Pythagorean triples."""
    rows = [[Fraction(s.sign() * int(i == j)) for j in range(n)] for i in range(n)]
    for i in range(n - 1):
        c, d = s.random.choice(((3, 4), (4, 3), (5, 12), (12, 5), (8, 15)))
        r = Fraction(round((c * c + d * d) ** 0.5))
        turn = [[Fraction(int(p == q)) for q in range(n)] for p in range(n)]
        turn[i][i], turn[i][i + 1], turn[i + 1][i], turn[i + 1][i + 1] = c / r, -d / r, d / r, c / r
        rows = times(rows, turn)
    return rows


def invertible(s: Source, n: int) -> Rows:
    """Dominated by its diagonal."""
    rows = [[s.mixed(ONE) for _ in range(n)] for _ in range(n)]
    for i in range(n):
        rows[i][i] = s.sign() * (n + s.positive(Fraction(0), ONE))
    return rows


def projection(s: Source, n: int) -> Rows:
    """v v^T / v^T v"""
    v = [Fraction(k + 1) * s.sign() for k in s.random.sample(range(n), n)]
    return [[x * y / sum((z * z for z in v), Fraction(0)) for y in v] for x in v]


def permutation(s: Source, n: int) -> Rows:
    p = s.random.sample(range(n), n)
    return [[Fraction(int(p[i] == j)) for j in range(n)] for i in range(n)]


def triangular(lower: bool, draw: Callable[[Source], Fraction]) -> Maker:
    return square(
        lambda s, n: [[draw(s) if (j <= i if lower else j >= i) else Fraction(0) for j in range(n)] for i in range(n)]
    )


def diagonal(s: Source, n: int) -> Rows:
    return [[s.mixed() if i == j else Fraction(0) for j in range(n)] for i in range(n)]


def ordered(s: Source, shape: Position) -> Entries:
    return dict(zip(positions(shape), sorted(s.mixed() for _ in range(prod(shape))), strict=True))


def equal(s: Source, shape: Position) -> Entries:
    x = s.mixed()
    return dict.fromkeys(positions(shape), x)


def bits(s: Source, shape: Position) -> Entries:
    """0 and 1, both present where there is room."""
    places = positions(shape)
    values = [s.random.randint(0, 1) for _ in places]
    if len(places) > 1 and len(set(values)) == 1:
        values[s.random.randrange(len(values))] ^= 1
    return dict(zip(places, map(Fraction, values), strict=True))


def integers(below: int) -> Maker:
    return each(lambda s: Fraction(s.random.randrange(below)))


STYLES: dict[str, Maker] = {
    "mixed": each(lambda s: s.mixed()),
    "pos": each(lambda s: s.positive(Fraction(1, 5), Fraction(5, 2))),
    "unit": each(lambda s: s.positive(Fraction(0), ONE)),
    "neg": each(lambda s: -s.positive(Fraction(1, 5), Fraction(5, 2))),
    "above": each(lambda s: 1 + s.positive(Fraction(0), Fraction(2))),
    "small": each(lambda s: s.mixed(Fraction(1, 2))),
    "wide": each(lambda s: s.mixed(Fraction(6))),
    "grid": each(lambda s: Fraction(s.random.randint(-2, 2))),
    "inside": each(lambda s: s.mixed(ONE)),
}

FIXED: dict[str, Maker] = {
    "sym": square(symmetric),
    "spd": square(positive_definite),
    **{f"prob{a}": along(a, probabilities) for a in range(4)},
    **{f"unit_vector{a}": along(a, unit_vector) for a in range(3)},
    **{f"log_prob{a}": along(a, log_probabilities) for a in range(3)},
    **{f"centred{a}": along(a, centred) for a in range(3)},
    "orthogonal": square(orthogonal),
    "inv": square(invertible),
    "antisym": square(antisymmetric),
    "lower": triangular(True, lambda s: s.mixed()),
    "upper": triangular(False, lambda s: s.mixed()),
    "projection": square(projection),
    "diagonal": square(diagonal),
    "ordered": ordered,
    "equal": equal,
    "large": each(lambda s: 10 + s.positive(Fraction(0), Fraction(9))),
    "far above": each(lambda s: 60 + s.positive(Fraction(0), Fraction(9))),
    "far below": each(lambda s: -60 - s.positive(Fraction(0), Fraction(9))),
    "near 0": each(lambda s: s.positive(Fraction(0), Fraction(2)) / 1000),
    **{f"alternating{a}": along(a, alternating) for a in range(3)},
    "bin": bits,
    **{f"onehot{a}": along(a, hot) for a in range(4)},
    "lower_mask": triangular(True, lambda s: ONE),
    "upper_mask": triangular(False, lambda s: ONE),
    "permutation": square(permutation),
    "signs": each(lambda s: Fraction(s.sign())),
    "ones": each(lambda s: ONE),
    "zeros": each(lambda s: Fraction(0)),
}

DISCRETE = frozenset({"bin", "lower_mask", "upper_mask", "permutation", "signs", *(f"onehot{a}" for a in range(4))})

MAKERS: dict[str, Maker] = STYLES | FIXED


def allowed(hint: str, entries: Entries) -> bool:
    """Whether entries that did not come from a maker belong to a domain; False where that is hard to say."""
    values = [v for v in entries.values() if isinstance(v, Fraction)]
    if len(values) < len(entries):
        return False
    match hint:
        case "" | "real" | "inv":
            return True
        case "pos":
            return all(v > 0 for v in values)
        case "nonzero":
            return all(v != 0 for v in values)
        case "unit":
            return all(0 < v < 1 for v in values)
        case "sym":
            return all(v == entries[(*k[:-2], k[-1], k[-2])] for k, v in entries.items())
        case _:
            return False


def maker_names(hint: str, rank: int) -> list[str]:
    """The makers a domain hint stands for, for an array of this many axes."""
    last = max(rank - 1, 0)
    match hint:
        case "prob" | "onehot":
            return [f"{hint}{last}", *(f"{hint}{a}" for a in range(min(last, 4)))]
        case "nonzero" | "real" | "":
            return ["mixed"]
        case _:
            return [hint] if hint in MAKERS else ["mixed"]


_UNKNOWNS = 40


def residuals(equations: Sequence[Same], point: Point, reaches: Reaches) -> list[Fraction] | None:
    """lhs - rhs for all values of the free indices, if all are rational."""
    evaluation, found = Evaluation(point, reaches, True), []
    precision(64)
    for h in equations:
        axes = sorted(free(h.lhs) | free(h.rhs), key=lambda i: i.name)
        gap = sub(h.lhs, h.rhs)
        for values in product(*(range(size_at(i.size, point.sizes)) for i in axes)):
            evaluation.root = Scope(dict(zip(axes, values, strict=True)))
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
