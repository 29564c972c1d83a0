"""What terms mean, by plain recursion and with as little cleverness as can be: the witness of the core.

A `World` gives every size symbol, entry and integer array a value.  Functions are total, as the core has it: an
array has entries at all integers, 1/0 is 0, and what has no natural value (a root or logarithm of a negative, the
inverse of a singular matrix, the maximum of nothing) gets one that no law would guess.  Derivatives are central
differences with 60 digits, so nothing here knows a rule of differentiation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import mpmath

from symbackprop.core.context import Context, Equation, Same
from symbackprop.core.terms import (
    Add,
    Affine,
    Apply,
    Array,
    AtLeastZero,
    Bound,
    Delta,
    Diff,
    Entry,
    Holds,
    Index,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Pick,
    Positive,
    Power,
    Size,
    Sum,
    Whole,
    free,
)

mp = mpmath.mp.clone()
mp.dps = 60
H = mp.mpf(10) ** -15
TINY = mp.mpf(10) ** -12
VALUES = tuple(mp.mpf(n) / 2 for n in (-4, -3, -2, -1, 0, 1, 2, 3, 4, 6))

FUNCTIONS = {
    "exp": mp.exp, "tanh": mp.tanh, "sin": mp.sin, "cos": mp.cos, "sinh": mp.sinh, "cosh": mp.cosh, "atan": mp.atan,
    "erf": mp.erf, "sigmoid": lambda u: 1 / (1 + mp.exp(-u)), "softplus": lambda u: mp.log(1 + mp.exp(u)),
    "log": lambda u: mp.log(u) if u > 0 else mp.log(-u) + 5 if u < 0 else mp.mpf(-3),
}  # fmt: skip

Named = Mapping[Index, int]


class World:
    """One point: `values` are drawn for entries as they are first looked at."""

    def __init__(
        self, seed: int, sizes: Mapping[str, int], context: Context | None = None, values: tuple[Any, ...] = VALUES
    ) -> None:
        self.random, self.sizes, self.values = Random(seed), dict(sizes), values
        self.definitions = context.definitions if context else {}
        self.entries: dict[tuple[str, int | None, tuple[int, ...]], Any] = {}
        self.integers: dict[tuple[str, int, tuple[int, ...]], int] = {}

    # --- integers ----------------------------------------------------------------------------

    def size(self, s: Size) -> int:
        for name in s.symbols:
            self.sizes.setdefault(name, self.random.randint(1, 3))
        return s.at(self.sizes)

    def index(self, e: Any, named: Named, stack: tuple[int, ...]) -> int:
        match e:
            case Index():
                return named[e]
            case Bound(depth):
                return stack[-1 - depth]
            case Pick(array, at, size):
                n = self.size(size)
                place = (array, n, tuple(self.index(a, named, stack) for a in at))
                return self.integers.setdefault(place, self.random.randrange(n))
            case Affine(constant, parts):
                return self.size(constant) + sum(self.size(k) * self.index(a, named, stack) for a, k in parts)
        raise TypeError(e)

    def settings(self, indices: frozenset[Index]) -> Iterator[dict[Index, int]]:
        """All values of these indices in their ranges."""
        order = sorted(indices, key=lambda i: (i.name, str(i.size)))
        for values in product(*(range(self.size(i.size)) for i in order)):
            yield dict(zip(order, values, strict=True))

    # --- terms -------------------------------------------------------------------------------

    def value(self, t: Any, named: Named, stack: tuple[int, ...] = ()) -> Any:
        def at(indices: Any) -> tuple[int, ...]:
            return tuple(self.index(e, named, stack) for e in indices)

        match t:
            case Num(value):
                return mp.mpf(value.numerator) / value.denominator
            case Size():
                return mp.mpf(self.size(t))
            case Entry(array, indices):
                return self.entry(array, at(indices))
            case Ordinal(of):
                return mp.mpf(self.index(of, named, stack))
            case Delta(i, j):
                return mp.mpf(self.index(i, named, stack) == self.index(j, named, stack))
            case Add(args):
                return mp.fsum(self.value(a, named, stack) for a in args)
            case Mul(args):
                return mp.fprod(self.value(a, named, stack) for a in args)
            case Power(base, exponent):
                return power(self.value(base, named, stack), exponent)
            case Apply(fn, arg, order):
                return self.function(fn, order, self.value(arg, named, stack))
            case Sum(size, body):
                return mp.fsum(self.value(body, named, (*stack, k)) for k in range(self.size(size)))
            case Diff(body, wrt):
                return self.slope(body, (wrt.array, at(wrt.at)), named, stack)
            case Whole(fn, order, sizes, body, indices):
                places = list(product(*(range(self.size(s)) for s in sizes)))
                array = {p: self.value(body, named, (*stack, *p)) for p in places}
                return self.whole(fn, order, len(sizes), array, at(indices))
            case Holds(Positive(u)):
                return mp.mpf(self.value(u, named, stack) > 0)
            case Holds(NonNegative(e)):
                return mp.mpf(self.index(e, named, stack) >= 0)
        raise TypeError(t)

    def entry(self, array: Array, at: tuple[int, ...]) -> Any:
        if array.name == "pi":
            return mp.pi
        if array in self.definitions:
            meaning = self.definitions[array]
            return self.value(meaning.body, dict(zip(meaning.axes, at, strict=True)))
        label = None if array.label is None else self.size(array.label)
        place = (array.name, label, at)
        if place not in self.entries:
            self.entries[place] = self.random.choice(self.values)
        return self.entries[place]

    def slope(self, body: Any, wrt: tuple[Array, tuple[int, ...]], named: Named, stack: tuple[int, ...]) -> Any:
        array, at = wrt
        label = None if array.label is None else self.size(array.label)
        here = self.entry(array, at)
        sides = []
        for h in (H, -H):
            self.entries[array.name, label, at] = here + h
            sides.append(self.value(body, named, stack))
        self.entries[array.name, label, at] = here
        return (sides[0] - sides[1]) / (2 * H)

    def function(self, fn: str, order: int, u: Any) -> Any:
        if fn in FUNCTIONS:
            assert order == 0
            return FUNCTIONS[fn](u)
        return mp.sin(u + mp.mpf(len(fn)) / 3 + order * mp.pi / 2)  # any smooth function

    def whole(self, fn: str, order: int, axes: int, array: dict[tuple[int, ...], Any], at: tuple[int, ...]) -> Any:
        ranked = sorted(array, key=lambda p: -array[p])
        match fn:
            case "max":
                return array[ranked[0]] if ranked else mp.mpf(7)
            case "argmax":
                return mp.mpf(bool(ranked) and at == ranked[0])
            case "gap":
                return array[ranked[0]] - array[ranked[1]] if len(ranked) > 1 else mp.mpf(len(ranked))
            case "prod":
                return mp.fprod(array.values())
            case "det" | "inv":
                return matrix(fn, array, at)
        slope = mp.sin(mp.fsum(weight(p) * array[p] for p in array) + sum(at[: len(at) - order * axes])
                       + order * mp.pi / 2)  # fmt: skip
        groups = at[len(at) - order * axes :]
        for g in range(order):
            place = groups[g * axes : (g + 1) * axes]
            slope *= weight(place) if place in array else 0
        return slope

    # --- statements --------------------------------------------------------------------------

    def holds(self, p: Any) -> bool:
        """The predicate or hypothesis, for all values of its free indices."""
        if isinstance(p, Same):
            both = free(p.lhs) | free(p.rhs)
            return all(equal(self.value(p.lhs, v), self.value(p.rhs, v)) for v in self.settings(both))
        if isinstance(p, NonNegative):
            return all(self.index(p.expr, v, ()) >= 0 for v in self.settings(free(Ordinal(p.expr))))
        signs = {Positive: lambda v: v > TINY, Nonzero: lambda v: abs(v) > TINY, AtLeastZero: lambda v: v > -TINY}
        return all(signs[type(p)](self.value(p.term, v)) for v in self.settings(free(p.term)))

    def difference(self, eq: Equation) -> str | None:
        """Where the sides differ, or None."""
        for v in self.settings(free(eq.lhs) | free(eq.rhs)):
            left, right = self.value(eq.lhs, v), self.value(eq.rhs, v)
            if not equal(left, right):
                where = {i.name: k for i, k in v.items()}
                return f"{mp.nstr(left, 8)} != {mp.nstr(right, 8)} at {where}, sizes {self.sizes}: {eq}"
        return None


def equal(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= TINY * (1 + abs(a) + abs(b)))


def power(b: Any, q: Fraction) -> Any:
    if q.denominator == 1:
        return b ** int(q) if b or q >= 0 else mp.mpf(0)
    return b ** (mp.mpf(q.numerator) / q.denominator) if b > 0 else 2 * power(-b, q) if b < 0 else mp.mpf(0)


def weight(place: tuple[int, ...]) -> Any:
    return mp.mpf(1 + sum((k + 2) * (n + 1) for k, n in enumerate(place))) / 7


def matrix(fn: str, array: dict[tuple[int, ...], Any], at: tuple[int, ...]) -> Any:
    n = 1 + max((p[0] for p in array), default=-1)
    if not n:
        return mp.mpf(fn == "det")
    rows = mp.matrix([[array[i, j] for j in range(n)] for i in range(n)])
    whole = mp.det(rows)
    if fn == "det":
        return whole
    if not (0 <= at[0] < n and 0 <= at[1] < n):
        return mp.mpf(0)
    return (rows**-1)[at[0], at[1]] if abs(whole) > TINY else mp.mpf(3 * (at[0] == at[1]))
