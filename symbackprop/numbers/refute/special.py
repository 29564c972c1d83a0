"""Points of measure zero and regions far away: where generic points do not look.

A claim can be false at zeros, ties, masks and beyond thresholds only.  Each step, denominator and argument of a
logarithm or root in a claim is solved for one entry; its zeros, the values between them and beyond them become points,
with the entry alone and with the whole array there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise, product
from math import isqrt
from typing import TypeAlias

from symbackprop.core.indices import Size
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Add, Apply, Array, Diff, Entry, Holds, Mul, Num, Positive, Power, Sum, Term, Whole, parts, subterms,
)  # fmt: skip
from symbackprop.numbers.duals import STEPS, Position, to_float
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import Number, Undecided, Undefined, precision
from symbackprop.numbers.points import Point, Scope, size_at

from .arrays import allowed
from .points import Question, Sampler

_SPOTS, _INSTANCES, _ENTRIES, _VALUES = 16, 3, 2, 12
_TOGETHER, _JOINT = 3, 27  # arrays that are moved together, and points made so
_UP = tuple(map(Fraction, ("1", "7", "60", "1000")))
_NEAR, _OWN = Fraction(1, 8), 9
_BISECTIONS = 16
_SHORT = 40  # subterms of a term whose other zeros are looked for

Entries = dict[Position, Number]
Key: TypeAlias = tuple[Array, Position | None]  # an entry; None: all entries of the array, which are then equal
Value: TypeAlias = tuple[Position | None, Fraction]
Stack: TypeAlias = tuple[Size, ...]  # the sizes of the binders around a term


# --- where something happens when a term is 0 --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spot:
    """A term whose zeros matter, under binders of these sizes."""

    term: Term
    binders: tuple[Size, ...] = ()


def under_binders(t: Term, stack: Stack = ()) -> Iterator[tuple[Term, Stack]]:
    """All subterms with the sizes of the binders around them; not what is differentiated by."""
    yield t, stack
    own = (t.size,) if isinstance(t, Sum) else t.sizes if isinstance(t, Whole) else ()
    for part in (t.body,) if isinstance(t, Diff) else parts(t):
        yield from under_binders(part, (*stack, *own))


def spots(terms: Iterable[Term], definitions: Mapping[Array, Tensor]) -> list[Spot]:
    """The arguments of steps, denominators, logarithms and roots; each once, in order."""
    opened: set[Array] = set()

    def walk(t: Term) -> Iterator[Spot]:
        for u, stack in under_binders(t):
            if isinstance(u, Entry) and u.array in definitions and u.array not in opened:
                opened.add(u.array)
                yield from walk(definitions[u.array].body)
            yield from (Spot(*z) for z in zeros_that_matter(u, stack) if not positive(z[0]))

    return list(dict.fromkeys(s for t in terms for s in walk(t)))


def zeros_that_matter(t: Term, stack: Stack) -> Iterator[tuple[Term, Stack]]:
    match t:
        case Power(base, q) if q < 0 or q.denominator != 1:
            yield base, stack
        case Apply(fn, arg, _) if fn in ("log", *STEPS):
            yield arg, stack
        case Whole("inv", _, sizes, body, _, _):
            yield Whole("det", 0, sizes, body, ()), stack
        case Whole("prod", _, sizes, body, _, _):
            yield body, (*stack, *sizes)
        case Holds(Positive(u)):
            yield u, stack


def positive(t: Term) -> bool:
    """Plainly never 0: sums and products of exponentials, sizes and positive numbers."""
    match t:
        case Num(value):
            return value != 0
        case Apply("exp" | "sigmoid" | "softplus" | "cosh"):
            return True
        case Size():
            return t.constant is not None
        case Mul(args):
            return all(map(positive, args))
        case Add(args):
            return all(strictly(x) or square(x) for x in args) and any(map(strictly, args))
        case Power(base, _):
            return positive(base)
        case Sum(_, body, _):
            return strictly(body)
        case _:
            return False


def strictly(t: Term) -> bool:
    return positive(t) and not any(isinstance(s, Num) and s.value < 0 for s in (t, *getattr(t, "args", ())))


def square(t: Term) -> bool:
    return isinstance(t, Power) and t.exponent.denominator == 1 and t.exponent.numerator % 2 == 0


# --- values of one entry ----------------------------------------------------------------------


def roots(
    f: Callable[[Fraction], Number | None], grid: tuple[Fraction, ...]
) -> tuple[list[Fraction], list[Fraction]]:
    """Zeros of a function of one number: exact ones where it is linear or quadratic, else those the grid shows."""
    at_zero, at_one, at_two = f(Fraction(0)), f(Fraction(1)), f(Fraction(2))
    if isinstance(at_zero, Fraction) and isinstance(at_one, Fraction) and isinstance(at_two, Fraction):
        a = (at_two - 2 * at_one + at_zero) / 2
        b, c = at_one - at_zero - a, at_zero
        if f(Fraction(-3)) == 9 * a - 3 * b + c:
            return quadratic(a, b, c)
    return crossings(f, grid)


def quadratic(a: Fraction, b: Fraction, c: Fraction) -> tuple[list[Fraction], list[Fraction]]:
    if not a:
        return ([-c / b], []) if b else ([], [])
    square = b * b - 4 * a * c
    if square < 0:
        return [], []
    scaled = square.numerator * square.denominator
    root = Fraction(isqrt(scaled), square.denominator)
    found = sorted({(-b - root) / (2 * a), (-b + root) / (2 * a)})
    return (found, []) if root * root == square else ([], [x.limit_denominator(1000) for x in found])


def crossings(
    f: Callable[[Fraction], Number | None], grid: tuple[Fraction, ...]
) -> tuple[list[Fraction], list[Fraction]]:
    """Where the sign changes on a grid: exactly where f is linear around it (|x| - 1/1000), else near it."""

    def sign(x: Fraction) -> int | None:
        value = f(x)
        if value is None:
            return None
        number = to_float(value)
        return (number > 0) - (number < 0)

    exact, near = [], []
    signs = [sign(x) for x in grid]
    for low, high, s, t in zip(grid, grid[1:], signs, signs[1:], strict=False):
        if s == 0:
            near.append(low)
        if s is None or t is None or s * t >= 0:
            continue
        found = linear(f, low, high)
        for _ in range(_BISECTIONS if found is None else 0):
            middle = halfway(low, high)
            if sign(middle) == s:
                low = middle
            else:
                high = middle
        found = linear(f, low, high) if found is None else found
        if found is not None:
            exact.append(found)
        else:
            middle = halfway(low, high)
            near.append(middle.limit_denominator(64) if abs(middle) >= 1 else Fraction(f"{float(middle):.3g}"))
    return exact, near


def linear(f: Callable[[Fraction], Number | None], low: Fraction, high: Fraction) -> Fraction | None:
    """The zero between two numbers, if three values say that f is linear there."""
    a, b, c = f(low), f((low + high) / 2), f(high)
    if isinstance(a, Fraction) and isinstance(b, Fraction) and isinstance(c, Fraction) and a + c == 2 * b and a != c:
        return low + (high - low) * a / (a - c)
    return None


def halfway(low: Fraction, high: Fraction) -> Fraction:
    """The middle; in orders of magnitude where these are far apart."""
    if low > 0 and high > 16 * low:
        return Fraction(f"{float(low) ** 0.5 * float(high) ** 0.5:.3g}")
    if high < 0 and low < 16 * high:
        return -halfway(-high, -low)
    return (low + high) / 2


def grid_of(t: Term) -> tuple[Fraction, ...]:
    """Where the sign of a term is looked at: a wide grid, and around its own small and large numbers and roots."""
    sizes = {abs(s.value) for s in subterms(t) if isinstance(s, Num) and s.value}
    own = {x for c in sizes if not _NEAR <= c <= _UP[-1] for x in (c / 4, 4 * c, Fraction(f"{float(c) ** 0.5:.1g}"))}
    up = sorted({*_UP, *islice(sorted(x for x in own if x), _OWN)})
    return (*(-x for x in reversed(up)), Fraction(0), *up)


def around(exact: Iterable[Fraction], near: Iterable[Fraction]) -> list[Fraction]:
    """The zeros, what lies between them, and both sides of all of them."""
    ends = sorted({*exact, *near})
    if not ends:
        return []
    between = [(a + b) / 2 for a, b in pairwise(ends)]
    between += [a + (b - a) * 2 / 3 for a, b in pairwise(ends) if a + b == 0]  # 0 is special itself
    close = Fraction(1, 8)
    beyond = [ends[0] - 1, ends[-1] + 1, ends[0] - close, ends[-1] + close]
    return list(dict.fromkeys([*sorted(exact, key=abs), *beyond[:2], *between, *near, *beyond[2:]]))[:_VALUES]


# --- points -----------------------------------------------------------------------------------


def special_points(question: Question, sampler: Sampler, base: Point) -> Iterator[Point]:
    """Points near `base` that satisfy the hypotheses, those made for the claim's right side first."""
    for moved in changed(question, sampler, base):
        if all(e is base.arrays[a] or allowed(sampler.hint(a), dict(e)) for a, e in moved.arrays.items()):
            fitting = fitted(sampler, moved)
            if fitting is not None:
                yield fitting


def fitted(sampler: Sampler, point: Point) -> Point | None:
    """The point, or the nearest one that satisfies equations that are linear in an array."""
    if sampler.satisfies(point):
        return point
    try:
        return sampler.corrected(point) if sampler.question.hypotheses else None
    except (Undefined, Undecided):
        return None


def changed(question: Question, sampler: Sampler, base: Point) -> Iterator[Point]:
    found = values_at_spots(question, sampler, base)
    for array, values in found.items():
        for place, x in values:
            if place is not None:
                yield with_entries(base, array, {**base.arrays[array], place: x})
        for x in dict.fromkeys(x for _, x in values):
            yield with_entries(base, array, dict.fromkeys(base.arrays[array], x))
    yield from together(base, found)
    free = [a for a in base.arrays if free_values(sampler, a, base)]
    for array in free:
        entries = dict(base.arrays[array])
        first = min(entries)
        yield with_entries(base, array, {**entries, first: Fraction(0)})
        yield with_entries(base, array, dict.fromkeys(entries, Fraction(0)))
        yield with_entries(base, array, dict.fromkeys(entries, entries[first]))
        if len(entries) > 2:
            yield with_entries(base, array, {**dict.fromkeys(entries, Fraction(0)), first: Fraction(2)})
    zeros = {a: dict.fromkeys(base.arrays[a], Fraction(0)) for a in free}
    yield replace(base, arrays={**base.arrays, **zeros})
    if base.integers:
        yield replace(base, integers={n: dict.fromkeys(e, 0) for n, e in base.integers.items()})


def together(base: Point, found: Mapping[Array, list[Value]]) -> Iterator[Point]:
    """Several whole arrays at their ends, or as they are: regions that need more than one threshold passed."""
    ends: dict[Array, list[Entries]] = {}
    for array, values in found.items():
        reached = [x for _, x in values]
        if reached:
            both: list[Number] = list(dict.fromkeys((max(reached), min(reached))))
            ends[array] = [*(dict.fromkeys(base.arrays[array], x) for x in both), dict(base.arrays[array])]
    if len(ends) < 2:
        return
    arrays = sorted(ends, key=lambda a: -max(abs(x) for _, x in found[a]))[:_TOGETHER]
    for chosen in islice(product(*(ends[a] for a in arrays)), _JOINT):
        yield replace(base, arrays={**base.arrays, **dict(zip(arrays, chosen, strict=True))})


def free_values(sampler: Sampler, array: Array, base: Point) -> bool:
    return bool(base.arrays[array]) and sampler.hint(array) not in ("pi", "e") and array not in base.discrete


def with_entries(base: Point, array: Array, entries: Entries) -> Point:
    return replace(base, arrays={**base.arrays, array: entries})


def values_at_spots(question: Question, sampler: Sampler, base: Point) -> dict[Array, list[Value]]:
    """For some entries of each array the values at which something happens; the claim's own places first."""
    exact: dict[Key, list[Fraction]] = {}
    near: dict[Key, list[Fraction]] = {}
    for spot in islice(spots((question.rhs, question.lhs), question.definitions), _SPOTS):
        for scope in islice(scopes(spot, question, base), _INSTANCES):
            for key in entries_of(spot, sampler, base, scope):
                f = section(spot, sampler, base, scope, key)
                zeros, almost = roots(f, grid_of(spot.term) if len(subterms(spot.term)) <= _SHORT else ())
                exact.setdefault(key, []).extend(zeros)
                near.setdefault(key, []).extend(almost)
    found: dict[Array, list[Value]] = {}
    for array, place in exact:
        for x in around(exact[array, place], near[array, place]):
            found.setdefault(array, []).append((place, x))
    return found


def scopes(spot: Spot, question: Question, base: Point) -> Iterator[Scope]:
    """The first, the last and a mixed choice of index values around a spot."""
    axes = (*question.free, *(i for d in question.definitions.values() for i in d.axes))
    try:
        counts = [size_at(n, base.sizes) for n in (*(i.size for i in axes), *spot.binders)]
    except Undefined:  # a size below 0
        return
    if not all(counts):
        return
    for choose in (lambda k, n: k % n, lambda k, n: n - 1, lambda k, n: 0):
        at = tuple(choose(k, n) for k, n in enumerate(counts))
        yield Scope(dict(zip(axes, at, strict=False)), at[len(axes) :])


def entries_of(spot: Spot, sampler: Sampler, base: Point, scope: Scope) -> list[Key]:
    """The first entries that a spot looks at and that are free to change; and arrays of which it looks at several."""
    try:
        touched = Evaluation(base, sampler.reaches, True).touched(spot.term, scope)
    except (Undefined, IndexError):
        return []
    movable = [k for k in touched if free_values(sampler, k[0], base) or k[0] in base.discrete]
    chosen: dict[Array, list[tuple[Array, Position]]] = {}
    for k in sorted(movable, key=lambda k: (str(k[0]), k[1])):
        chosen.setdefault(k[0], []).append(k)
    entries: list[Key] = [k for keys in chosen.values() for k in keys[:_ENTRIES]]
    return [*entries[: 2 * _ENTRIES], *((a, None) for a, keys in chosen.items() if len(keys) > 1)]


def section(
    spot: Spot, sampler: Sampler, base: Point, scope: Scope, key: Key
) -> Callable[[Fraction], Number | None]:
    """The term of a spot as a function of one entry, or of all; None where it has no value."""
    array, place = key

    def f(x: Fraction) -> Number | None:
        precision(64)
        old = base.arrays[array]
        moved = with_entries(base, array, dict.fromkeys(old, x) if place is None else {**old, place: x})
        try:
            value: Number = Evaluation(moved, sampler.reaches, True).value(spot.term, scope)
        except (Undefined, Undecided):
            return None
        return value

    return f
