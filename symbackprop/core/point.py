"""A point at which predicates are seen to hold: exact rational numbers, and intervals around everything else.

A theorem about no point says nothing, so one is exhibited.  Intervals have rational ends that are rounded outward.
Formulas: e^x = (e^{x/2^k})^{2^k} by Taylor's series with its remainder; log by 2 artanh((x-1)/(x+1)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import isqrt
from typing import NamedTuple

from .context import Context, Hypothesis, Same, terms_of
from .indices import Affine, Bound, Index, IndexExpr, Pick, ProofError, Size, require
from .laws.functions import IN_EXPONENTIALS
from .terms import (
    PI,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    free,
)  # fmt: skip

F0, F1 = Fraction(0), Fraction(1)
BITS, TERMS = 96, 24
MANY = 100_000  # evaluations at the most


class Number(NamedTuple):
    """Between low and high; log q for a rational q is known by it as well, so that its exponential is exact."""

    low: Fraction
    high: Fraction
    log_of: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """Sizes, entries that are rational numbers, entries that are logarithms of such, and integer arrays."""

    sizes: tuple[tuple[str, int], ...] = ()
    entries: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    logs: tuple[tuple[Array, tuple[int, ...], Fraction], ...] = ()
    integers: tuple[tuple[str, tuple[int, ...], int], ...] = ()


def satisfied(h: Hypothesis, point: Point, context: Context) -> None:
    """Raises ProofError unless the hypothesis is seen to hold at the point, for all values of its indices.

    There must be such values: what speaks of no index says nothing.
    """
    run = Evaluation(point, context)
    terms = (Ordinal(h.expr),) if isinstance(h, NonNegative) else terms_of(h)
    indices = sorted(frozenset[Index]().union(*map(free, terms)), key=lambda i: i.name)
    some = False
    for values in product(*(range(run.size(i.size)) for i in indices)):
        some, here = True, dict(zip(indices, values, strict=True))
        match h:
            case Same(lhs, rhs):
                a, b = run.value(lhs, here, ()), run.value(rhs, here, ())
                require(a.low == a.high == b.low == b.high, "{} is not seen to hold", h)
            case NonNegative(e):
                require(run.index(e, here, ()) >= 0, "{} does not hold", h)
            case Positive(t):
                require(run.value(t, here, ()).low > 0, "{} is not seen to hold", h)
            case AtLeastZero(t):
                require(run.value(t, here, ()).low >= 0, "{} is not seen to hold", h)
            case Nonzero(t):
                x = run.value(t, here, ())
                require(x.low > 0 or x.high < 0, "{} is not seen to hold", h)
    require(some, "{} speaks of no index at this point", h)


class Evaluation:
    def __init__(self, point: Point, context: Context) -> None:
        self.context, self.count = context, 0
        self.sizes = dict(point.sizes)
        self.integers = {(name, at): value for name, at, value in point.integers}
        self.entries = {(array, at): exact(value) for array, at, value in point.entries}
        self.entries |= {(array, at): logarithm(exact(value)) for array, at, value in point.logs}

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

    def value(self, t: Term, here: Mapping[Index, int], stack: tuple[int, ...]) -> Number:
        self.count += 1
        require(self.count <= MANY, "the point is too large to look at")

        def of(s: Term) -> Number:
            return self.value(s, here, stack)

        def at(e: IndexExpr) -> int:
            return self.index(e, here, stack)

        match t:
            case Num(value):
                return exact(value)
            case Size():
                return exact(Fraction(self.size(t)))
            case Ordinal(e):
                return exact(Fraction(at(e)))
            case Delta(i, j):
                return exact(F1 if at(i) == at(j) else F0)
            case Entry(array, places):
                return self.entry(array, tuple(map(at, places)))
            case Add(args):
                return total(map(of, args))
            case Mul(args):
                return multiplied(map(of, args))
            case Power(base, q):
                return power(of(base), q)
            case Apply(fn, arg, 0):
                return apply(fn, of(arg))
            case Sum(size, body, _):
                return total(self.value(body, here, (*stack, k)) for k in range(self.size(size)))
            case Holds(NonNegative(e)):
                return exact(F1 if at(e) >= 0 else F0)
            case Holds(Positive(u)):
                x = of(u)
                return exact(F1) if x.low > 0 else exact(F0) if x.high <= 0 else Number(F0, F1)
            case Whole(fn, 0, sizes, body, places, _):
                cells = list(product(*(range(self.size(n)) for n in sizes)))
                entries = {k: self.value(body, here, (*stack, *k)) for k in cells}
                return of_array(fn, entries, tuple(map(at, places)))
            case _:
                raise ProofError(f"{t} is not evaluated here")

    def entry(self, array: Array, place: tuple[int, ...]) -> Number:
        if array in self.context.definitions:
            meaning = self.context.definitions[array]
            return self.value(meaning.body, dict(zip(meaning.axes, place, strict=True)), ())
        if array == PI.array:
            return Number(Fraction(314159265358979, 10**14), Fraction(314159265358980, 10**14))
        return self.entries[array, place]


def exact(x: Fraction) -> Number:
    return Number(x, x)


def rounded(low: Fraction, high: Fraction) -> Number:
    """Outward, to so many bits; what is exact and short stays as it is."""
    if low == high and low.denominator.bit_length() <= BITS:
        return Number(low, high)
    return Number(grid(low, -1), grid(high, 1))


def grid(x: Fraction, direction: int) -> Fraction:
    if not x:
        return x
    shift = BITS - x.numerator.bit_length() + x.denominator.bit_length()
    scaled = x * Fraction(2) ** shift
    whole = scaled.numerator // scaled.denominator if direction < 0 else -(-scaled.numerator // scaled.denominator)
    return whole / Fraction(2) ** shift


def total(numbers: Iterator[Number] | map[Number]) -> Number:
    low = high = F0
    for x in numbers:
        low, high = low + x.low, high + x.high
    return rounded(low, high)


def multiplied(numbers: Iterator[Number] | map[Number]) -> Number:
    out = exact(F1)
    for x in numbers:
        ends = [a * b for a in out[:2] for b in x[:2]]
        out = rounded(min(ends), max(ends))
    return out


def power(x: Number, q: Fraction) -> Number:
    if q < 0:
        require(x.low > 0 or x.high < 0, "a division by 0")
        return power(Number(1 / x.high, 1 / x.low), -q)
    if q.denominator == 1:
        ends = [x.low ** int(q), x.high ** int(q)]
        across = x.low < 0 < x.high and q % 2 == 0
        return rounded(F0 if across else min(ends), max(ends))
    require(x.low >= 0, "a root of a negative number")
    low, high = (end ** q.numerator for end in x[:2])
    return rounded(root(low, q.denominator)[0], root(high, q.denominator)[1])


def root(x: Fraction, n: int) -> tuple[Fraction, Fraction]:
    """Bounds of the n-th root; equal where it is rational and found."""
    scale = 1 << BITS
    floor = integer_root(x.numerator * x.denominator ** (n - 1) * scale**n, n)
    whole = floor**n == x.numerator * x.denominator ** (n - 1) * scale**n
    return Fraction(floor, x.denominator * scale), Fraction(floor + (not whole), x.denominator * scale)


def integer_root(m: int, n: int) -> int:
    """The largest r with r^n <= m."""
    if n == 2:
        return isqrt(m)
    low, high = 0, 1 << (m.bit_length() // n + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**n <= m else (low, middle - 1)
    return low


def apply(fn: str, x: Number) -> Number:
    if fn == "exp":
        if x.log_of is not None:
            return exact(x.log_of)
        return exact(F1) if x.low == x.high == 0 else Number(exponential(x.low)[0], exponential(x.high)[1])
    if fn == "log":
        return logarithm(x)
    if fn in IN_EXPONENTIALS:
        return in_exponentials(fn, x)
    require(fn in BETWEEN, "{} is not evaluated here", fn)
    return Number(*BETWEEN[fn])


BETWEEN = {"sin": (-F1, F1), "cos": (-F1, F1), "erf": (-F1, F1), "atan": (-2 * F1, 2 * F1)}


def in_exponentials(fn: str, x: Number) -> Number:
    """By the law, at both ends: these functions are monotonic, but for cosh."""
    require(fn != "cosh" or x.low >= 0 or x.high <= 0, "cosh around 0 is not evaluated here")
    ends = [Evaluation(Point(), Context()).value(IN_EXPONENTIALS[fn](Num(end)), {}, ()) for end in x[:2]]
    return Number(min(e.low for e in ends), max(e.high for e in ends))


def exponential(x: Fraction) -> tuple[Fraction, Fraction]:
    if x < -500:  # the weight of what a mask hides
        return F0, exponential(Fraction(-500))[1]
    require(x <= 5000, "an exponent too large to look at")
    halvings = max(0, (abs(x.numerator) // x.denominator).bit_length() + 1)
    small = x / 2**halvings
    term, low = F1, F0
    for k in range(1, TERMS):
        low += term
        term = term * small / k
    rest = 2 * abs(term)
    interval = rounded(low - rest, low + rest)
    for _ in range(halvings):
        interval = rounded(interval.low**2, interval.high**2)
    return interval.low, interval.high


def logarithm(x: Number) -> Number:
    require(x.low > 0, "a logarithm of no positive number")
    low, high = log_bounds(x.low)[0], log_bounds(x.high)[1]
    return exact(F0) if x.low == x.high == 1 else Number(low, high, x.low if x.low == x.high else None)


def log_bounds(x: Fraction) -> tuple[Fraction, Fraction]:
    """log x = k log 2 + log m  for x = 2^k m, 1 <= m < 2"""
    k = x.numerator.bit_length() - x.denominator.bit_length()
    k -= Fraction(2) ** k > x
    parts = [artanh_twice((m - 1) / (m + 1)) for m in (x / Fraction(2) ** k, Fraction(2))]
    ends = [k * end for end in parts[1]]
    return parts[0][0] + min(ends), parts[0][1] + max(ends)


def artanh_twice(z: Fraction) -> tuple[Fraction, Fraction]:
    """2 artanh z for 0 <= z <= 1/3: all terms of the series have one sign."""
    z = grid(z, -1)
    low, term = F0, 2 * z
    for k in range(2 * TERMS):
        low += term / (2 * k + 1)
        term *= z * z
    return low - Fraction(1, 2**60), low + 2 * term + Fraction(1, 2**60)


def of_array(fn: str, entries: dict[tuple[int, ...], Number], place: tuple[int, ...]) -> Number:
    require(bool(entries), "a function of nothing")
    values = list(entries.values())
    match fn:
        case "max":
            return Number(max(x.low for x in values), max(x.high for x in values))
        case "min":
            return Number(min(x.low for x in values), min(x.high for x in values))
        case "prod":
            return multiplied(iter(values))
        case "gap":
            if len(values) == 1:
                return exact(F1)
            first, second = sorted(values, reverse=True)[:2]
            others = max(x.high for x in values if x is not first)
            return Number(first.low - others, first.high - second.low)
        case "det":
            return determinant(entries, tuple(range(isqrt(len(entries)))), tuple(range(isqrt(len(entries)))))
        case "inv":
            n = range(isqrt(len(entries)))
            rows, columns = tuple(i for i in n if i != place[1]), tuple(j for j in n if j != place[0])
            minor = determinant(entries, rows, columns)
            whole = determinant(entries, tuple(n), tuple(n))
            sign = exact(Fraction((-1) ** sum(place)))
            return multiplied(iter((sign, minor, power(whole, -F1))))
        case _:
            raise ProofError(f"{fn} is not evaluated here")


def determinant(entries: dict[tuple[int, ...], Number], rows: tuple[int, ...], columns: tuple[int, ...]) -> Number:
    """By the first row."""
    if not rows:
        return exact(F1)
    parts = []
    for k, j in enumerate(columns):
        minor = determinant(entries, rows[1:], columns[:k] + columns[k + 1 :])
        parts.append(multiplied(iter((exact(Fraction((-1) ** k)), entries[rows[0], j], minor))))
    return total(iter(parts))


__all__ = ["Point", "satisfied"]
