"""A point at which predicates are seen to hold: exact rational numbers, and intervals around everything else.

A theorem about no point says nothing, so one is exhibited.  Intervals have rational ends that are rounded outward;
exp and log are those of `decimal`, which rounds them correctly to the nearest of its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context as Decimals, Decimal
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from .context import EMPTY, Context, Hypothesis, Same
from .indices import Affine, Bound, Index, IndexExpr, Pick, ProofError, Size, nodes, require
from .laws.functions import IN_EXPONENTIALS
from .terms import (
    PI, Add, Apply, Array, AtLeastZero, Delta, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Sum, Term, Whole,
)  # fmt: skip

F0, F1 = Fraction(0), Fraction(1)
DOWN, UP = (Decimals(prec=40, rounding=r, Emin=-3000, Emax=3000) for r in (ROUND_FLOOR, ROUND_CEILING))
BITS, DEGREE = 96, 1000  # of exact numbers; of powers
MANY = 100_000  # evaluations at the most
U = Array("u")


class Number(NamedTuple):
    """Between low and high; log q for a rational q is known by it as well, so that its exponential is exact."""

    low: Fraction
    high: Fraction
    log_of: Fraction | None = None


PI_BETWEEN = Number(Fraction(314159265358979, 10**14), Fraction(314159265358980, 10**14))
BETWEEN = {"sin": Number(-F1, F1), "erf": Number(-F1, F1), "atan": Number(-2 * F1, 2 * F1)}


@dataclass(frozen=True, slots=True)
class Point:
    """Sizes, entries that are rational numbers, entries that are logarithms of such, and integer arrays."""

    sizes: tuple[tuple[str, int], ...] = ()
    entries: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    logs: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    integers: tuple[tuple[str, tuple[int, ...], int], ...] = ()


def satisfied(h: Hypothesis, run: Evaluation) -> None:
    """Raises ProofError unless the hypothesis is seen to hold at the point, for all values of its indices.

    There must be such values: what speaks of no index says nothing.
    """
    run.count = 0
    indices = {n for n in nodes(h) if isinstance(n, Index)}
    cells = list(product(*(range(run.size(i.size)) for i in indices)))
    require(bool(cells), "{} speaks of no index at this point", h)
    for values in cells:
        here = dict(zip(indices, values, strict=True))
        match h:
            case Same(lhs, rhs):
                a, b = run.value(lhs, here), run.value(rhs, here)
                seen = a.low == a.high == b.low == b.high
            case NonNegative(e):
                seen = run.index(e, here, ()) >= 0
            case Positive(t):
                seen = run.value(t, here).low > 0
            case AtLeastZero(t):
                seen = run.value(t, here).low >= 0
            case Nonzero(t):
                x = run.value(t, here)
                seen = x.low > 0 or x.high < 0
        require(seen, "{} is not seen to hold", h)


class Evaluation:
    def __init__(self, point: Point, context: Context) -> None:
        self.context, self.count = context, 0
        self.defined: dict[tuple[Array, tuple[int, ...]], Number] = {}
        self.sizes = dict(point.sizes)
        self.integers = {(name, at): value for name, at, value in point.integers}
        self.entries = {(self.name(a), at): exact(value) for a, at, value in point.entries}
        self.entries |= {(self.name(a), at): logarithm(exact(value)) for a, at, value in point.logs}

    def name(self, array: Array) -> tuple[str, int | None]:
        """W^l and W^L are one array where l = L."""
        return array.name, None if array.label is None else self.size(array.label)

    def size(self, n: Size) -> int:
        return n.at(self.sizes)

    def index(self, e: IndexExpr, here: Mapping[Index, int], stack: tuple[int, ...]) -> int:
        match e:
            case Index():
                return here[e]
            case Bound(depth):
                return stack[-1 - depth]
            case Pick(array, at, below):
                value = self.integers[array, tuple(self.index(i, here, stack) for i in at)]
                require(0 <= value < self.size(below), "{} is no value of {}", value, array)
                return value
            case Affine(constant, parts):
                return self.size(constant) + sum(self.size(k) * self.index(a, here, stack) for a, k in parts)

    def value(self, t: Term, here: Mapping[Index, int], stack: tuple[int, ...] = ()) -> Number:
        self.count += 1
        require(self.count <= MANY, "the point is too large to look at")

        def of(s: Term, *more: int) -> Number:
            return self.value(s, here, (*stack, *more))

        def at(e: IndexExpr) -> int:
            return self.index(e, here, stack)

        match t:
            case Num(value):
                return exact(value)
            case Size():
                return exact(self.size(t))
            case Ordinal(e):
                return exact(at(e))
            case Delta(i, j):
                return exact(at(i) == at(j))
            case Entry(array, places) if array in self.context.definitions:
                meaning, k = self.context.definitions[array], tuple(map(at, places))
                if (array, k) not in self.defined:
                    self.defined[array, k] = self.value(meaning.body, dict(zip(meaning.axes, k, strict=True)))
                return self.defined[array, k]
            case Entry(array, places):
                return PI_BETWEEN if t == PI else self.entries[self.name(array), tuple(map(at, places))]
            case Add(args):
                return total(map(of, args))
            case Mul(args):
                return multiplied(map(of, args))
            case Power(base, q):
                return power(of(base), q)
            case Apply(fn, arg, 0):
                return apply(fn, of(arg))
            case Sum(size, body, _):
                return total(of(body, k) for k in range(self.size(size)))
            case Holds(NonNegative(e)):
                return exact(at(e) >= 0)
            case Holds(Positive(u)):
                x = of(u)
                return Number(Fraction(x.low > 0), Fraction(x.high > 0))
            case Whole(fn, 0, sizes, body, places, _):
                cells = {k: of(body, *k) for k in product(*(range(self.size(n)) for n in sizes))}
                return of_array(fn, cells, tuple(map(at, places)))
            case _:
                raise ProofError(f"{t} is not evaluated here")


def exact(x: Fraction | int) -> Number:
    return Number(Fraction(x), Fraction(x))


def rounded(low: Fraction, high: Fraction) -> Number:
    """Outward; what is exact and short stays as it is."""
    if low == high and low.denominator.bit_length() <= BITS:
        return Number(low, high)
    return Number(Fraction(near(low, DOWN)), Fraction(near(high, UP)))


def near(x: Fraction, side: Decimals) -> Decimal:
    return side.divide(x.numerator, x.denominator)


def total(numbers: Iterable[Number]) -> Number:
    each = list(numbers)
    return rounded(sum((x.low for x in each), F0), sum((x.high for x in each), F0))


def multiplied(numbers: Iterable[Number]) -> Number:
    out = exact(1)
    for x in numbers:
        ends = [a * b for a in (out.low, out.high) for b in (x.low, x.high)]
        out = rounded(min(ends), max(ends))
        if out == exact(0):  # what stands beside it may be outside of its array
            break
    return out


def power(x: Number, q: Fraction) -> Number:
    require(abs(q.numerator) <= DEGREE and q.denominator <= DEGREE, "a power too large to look at")
    if q < 0:
        require(x.low > 0 or x.high < 0, "a division by 0")
        return power(Number(1 / x.high, 1 / x.low), -q)
    ends = x.low**q.numerator, x.high**q.numerator
    if q.denominator > 1:
        require(x.low >= 0, "a root of a negative number")
        return Number(root(ends[0], q.denominator).low, root(ends[1], q.denominator).high)
    across = x.low < 0 < x.high and q % 2 == 0
    return rounded(F0 if across else min(ends), max(ends))


def root(x: Fraction, n: int) -> Number:
    """x^(1/n), exactly where it is rational and short."""
    found = Fraction(*(round(DOWN.power(k, DOWN.divide(1, n))) for k in (x.numerator, x.denominator)))
    return exact(found) if found**n == x else exponential(multiplied((logarithm(exact(x)), exact(Fraction(1, n)))))


def apply(fn: str, x: Number) -> Number:
    """cos x >= 1 - x²/2, and x - x³/3 <= sin x, atan x, erf x <= 8x/7 for x in [0, 1]; they are odd."""
    match fn:
        case "exp":
            return exponential(x)
        case "log":
            return logarithm(x)
        case _ if fn in IN_EXPONENTIALS:
            run = Evaluation(Point(), EMPTY)
            run.entries[run.name(U), ()] = x
            return run.value(IN_EXPONENTIALS[fn](Entry(U, ())), {})
        case "cos":
            return Number(max(-F1, 1 - max(x.low**2, x.high**2) / 2), F1)
        case _ if fn in BETWEEN and x.low < 0 >= x.high:
            return multiplied((exact(-1), apply(fn, multiplied((exact(-1), x)))))
        case _:
            require(fn in BETWEEN, "{} is not evaluated here", fn)
            return Number(x.low - x.low**3 / 3, x.high * 8 / 7) if 0 <= x.low and x.high <= 1 else BETWEEN[fn]


def exponential(x: Number) -> Number:
    if x.log_of is not None or x.low == x.high == 0:
        return exact(x.log_of or 1)
    low, high = near(x.low, DOWN).exp(DOWN), near(x.high, UP).exp(UP)
    return Number(max(Fraction(low.next_minus(DOWN)), F0), Fraction(high.next_plus(UP)))


def logarithm(x: Number) -> Number:
    require(x.low > 0, "a logarithm of no positive number")
    if x.low == x.high == 1:
        return exact(0)
    low, high = near(x.low, DOWN).ln(DOWN).next_minus(DOWN), near(x.high, UP).ln(UP).next_plus(UP)
    return Number(Fraction(low), Fraction(high), x.low if x.low == x.high else None)


def of_array(fn: str, cells: dict[tuple[int, ...], Number], place: tuple[int, ...]) -> Number:
    lows, highs = sorted((x.low for x in cells.values()), reverse=True), sorted(x.high for x in cells.values())[::-1]
    require(bool(lows), "a function of nothing")
    match fn:
        case "max":
            return Number(lows[0], highs[0])
        case "min":
            return Number(lows[-1], highs[-1])
        case "prod":
            return multiplied(cells.values())
        case "gap":  # the largest minus the second largest, each of which is between those of the ends
            return Number(lows[0] - highs[1], highs[0] - lows[1]) if len(lows) > 1 else exact(1)
        case "det" | "inv":
            n = range(max(cells)[0] + 1)
            rows = [[cells[i, j] for j in n] for i in n]
            if fn == "det":
                return determinant(rows)
            i, j = place
            require(i in n and j in n, "an entry of an inverse that there is not")
            minor = [[x for q, x in enumerate(row) if q != i] for p, row in enumerate(rows) if p != j]
            return multiplied((exact((-1) ** (i + j)), determinant(minor), power(determinant(rows), -F1)))
        case _:
            raise ProofError(f"{fn} is not evaluated here")


def determinant(rows: list[list[Number]]) -> Number:
    """By the first row."""
    if not rows:
        return exact(1)
    minors = ([row[:k] + row[k + 1 :] for row in rows[1:]] for k in range(len(rows)))
    return total(multiplied((exact((-1) ** k), rows[0][k], determinant(m))) for k, m in enumerate(minors))
