"""The exact evaluator: one point, one precision, every subterm once for each of its index values.

Derivatives are computed by dual arithmetic, so that this file knows nothing of the laws it is a witness for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import assert_never

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
)

from . import exact_numbers as numbers
from .duals import KNOWN, Dual, Lifted, Value, parts, real
from .exact_numbers import Number, Undefined
from .points import PI, Loss, Point, Position, Reach, Reaches, size_at
from .still import Still
from .wholes import WHOLES, abstract, best, gap

_ZERO, _ONE = Fraction(0), Fraction(1)


class Exact:
    """The plain numbers of `evaluate_numbers` for dual arithmetic."""

    plus = staticmethod(numbers.plus)
    times = staticmethod(numbers.times)
    power = staticmethod(numbers.power)
    function = staticmethod(numbers.function)
    constant = staticmethod(numbers.constant)

    @staticmethod
    def number(x: Fraction) -> Value:
        return x

    @staticmethod
    def step(x: Value) -> Value:
        s = numbers.sign(x)
        if s == 0:
            raise Undefined("a kink")
        return _ONE if s > 0 else _ZERO


@dataclass(frozen=True, slots=True)
class Move:
    """An entry that carries an infinitesimal part."""

    level: int
    array: Array
    at: Position


@dataclass(frozen=True, slots=True)
class Scope:
    """Values of the indices around a term, and the entries that move."""

    free: tuple[tuple[Index, int], ...] = ()
    stack: Position = ()
    moves: tuple[Move, ...] = ()

    def index(self, i: Index) -> int:
        for j, value in self.free:
            if i == j:
                return value
        raise Undefined(f"the index {i.name} has no value")

    def inside(self, position: Position) -> Scope:
        return Scope(self.free, (*self.stack, *position), self.moves)


class Evaluation:
    """One point at one precision; every subterm is evaluated once per index values.

    A step function at its step is Undefined unless its argument cannot move; with `kinks_have_values`
    that holds only under a derivative.
    """

    def __init__(self, point: Point, reaches: Reaches | None = None, kinks_have_values: bool = False) -> None:
        self.point = point
        self.reaches = reaches or Reaches(point.definitions)
        self.kinks_have_values = kinks_have_values
        self.arithmetic = Lifted(Exact())
        self.memo: dict[object, Value] = {}
        self.root = Scope(tuple(point.indices.items()))

    def at(self, term: Term) -> Number:
        return self.value(term, self.root)

    def key(self, term: Term, scope: Scope) -> object:
        reach = self.reaches.of(term)
        try:
            bound = tuple(scope.stack[-1 - d] for d in reach.bound)
        except IndexError:
            raise Undefined("an index points outside the term") from None
        return term, tuple(scope.index(i) for i in reach.free), bound, self.moving(reach, scope)

    def moving(self, reach: Reach, scope: Scope) -> tuple[Move, ...]:
        return tuple(m for m in scope.moves if m.array in reach.arrays) if scope.moves else ()

    def value(self, t: Term, scope: Scope) -> Value:
        if type(t) is Num:
            return self.constant(t.value)
        key = self.key(t, scope)
        if key in self.memo:
            return self.memo[key]
        result = self.memo[key] = self._value(t, scope)
        return result

    def constant(self, c: Fraction) -> Number:
        """A decimal of many digits is known only up to its last digit; every other number is exact."""
        digits = decimal_digits(c)
        return c if digits is None else numbers.around(c, Fraction(1, 10**digits))

    def _value(self, t: Term, scope: Scope) -> Value:
        a = self.arithmetic
        match t:
            case Num(value):
                return self.constant(value)
            case Size():
                return Fraction(t.at(dict(self.point.sizes)))
            case Entry(array, at):
                return self.entry(array, tuple(self.index(i, scope) for i in at), scope)
            case Ordinal(of):
                return Fraction(self.index(of, scope))
            case Delta(i, j):
                return _ONE if self.index(i, scope) == self.index(j, scope) else _ZERO
            case Add(args):
                return a.total([self.value(x, scope) for x in args])
            case Mul(args):
                return self.product(args, scope)
            case Power(base, exponent):
                inner = self.value(base, scope)
                if exponent > 0 and type(inner) is Dual and real(inner) == 0 and self.still(base, scope):
                    return _ZERO  # √0 has a derivative where its argument stays 0
                return a.power(inner, exponent)
            case Apply(fn, arg, order):
                if fn not in KNOWN and fn not in self.point.functions:
                    raise Undefined(f"{fn} has no meaning here")
                return a.apply(fn, self.value(arg, scope), order, self.point.functions.get(fn))
            case Sum(size, body, _):
                count = size_at(size, self.point.sizes)
                return a.total([self.value(body, scope.inside((k,))) for k in range(count)])
            case Diff(body, wrt):
                return self.derivative(body, wrt, scope)
            case Whole():
                return self.whole(t, scope)
            case Holds(p):
                return self.step(p, scope)
            case _:
                assert_never(t)

    # --- entries, steps, derivatives -----------------------------------------------------------

    def index(self, e: IndexExpr, scope: Scope) -> int:
        match e:
            case Index():
                return scope.index(e)
            case Bound(depth):
                return scope.stack[-1 - depth]
            case Pick(array, at, _):
                position = tuple(self.index(i, scope) for i in at)
                try:
                    return self.point.integers[array][position]
                except KeyError:
                    raise Undefined(f"{array}{list(position)} has no value") from None
            case Affine(constant, atoms):
                sizes = dict(self.point.sizes)
                return constant.at(sizes) + sum(k.at(sizes) * self.index(x, scope) for x, k in atoms)
            case _:
                assert_never(e)

    def entry(self, array: Array, position: Position, scope: Scope) -> Value:
        if array == PI:
            return numbers.constant("pi")
        if array in self.point.definitions:
            tensor = self.point.definitions[array]
            if any(k < 0 or k >= size_at(s, self.point.sizes) for k, s in zip(position, tensor.shape, strict=True)):
                raise Undefined(f"{array}{list(position)} is outside the array")
            value = self.value(tensor.body, self.unfolded(array, position, scope))
        else:
            try:
                value = self.point.arrays[array][position]
            except KeyError:
                raise Undefined(f"{array}{list(position)} has no value") from None
        for m in scope.moves:
            if m.array == array and m.at == position:
                value = self.arithmetic.plus(value, Dual(m.level, _ZERO, _ONE))
        return value

    def unfolded(self, array: Array, position: Position, scope: Scope) -> Scope:
        """The scope of the body of a definition."""
        return Scope(tuple(zip(self.point.definitions[array].axes, position, strict=True)), (), scope.moves)

    def derivative(self, body: Term, wrt: Entry, scope: Scope) -> Value:
        position = tuple(self.index(i, scope) for i in wrt.at)
        if wrt.array not in self.reaches.of(body).arrays:
            return _ZERO
        level = 1 + len(scope.moves)
        moved = Scope(scope.free, scope.stack, (*scope.moves, Move(level, wrt.array, position)))
        tangent = parts(self.value(body, moved), level)[1]
        return _ZERO if tangent is None else tangent

    def product(self, args: tuple[Term, ...], scope: Scope) -> Value:
        """A factor that is 0 and stays 0 around the point annihilates even what has no value there."""
        for x in args:
            if isinstance(x, Delta | Holds) and self.value(x, scope) == 0:
                return _ZERO
        try:
            return self.arithmetic.product([self.value(x, scope) for x in args])
        except Undefined:
            if any(self.zero_around(x, scope) for x in args):
                return _ZERO
            raise

    def zero_around(self, t: Term, scope: Scope) -> bool:
        try:
            value = real(self.value(t, scope))
            return type(value) is Fraction and not value and self.still(t, scope)
        except Undefined:
            return False

    def step(self, p: Positive | NonNegative, scope: Scope) -> Value:
        if isinstance(p, NonNegative):
            return _ONE if self.index(p.expr, scope) >= 0 else _ZERO
        s = numbers.sign(real(self.value(p.term, scope)))
        if s == 0 and not (self.kinks_have_values and not scope.moves) and not self.still(p.term, scope):
            raise Undefined("a kink: the argument of a step is 0")
        return _ONE if s > 0 else _ZERO

    def still(self, t: Term, scope: Scope) -> bool:
        """Sufficient: the term is constant around the point (when continuous variables move)."""
        return Still(self).constant(t, scope)

    # --- functions of whole arrays -------------------------------------------------------------

    def positions(self, sizes: tuple[Size, ...]) -> Iterator[Position]:
        return product(*(range(size_at(s, self.point.sizes)) for s in sizes))

    def whole(self, w: Whole, scope: Scope) -> Value:
        """F and its derivatives: each derivative moves one entry of the array by an infinitesimal."""
        axes, at = len(w.sizes), tuple(self.index(i, scope) for i in w.at)
        own = len(at) - w.order * axes
        groups = [at[own + axes * k : own + axes * (k + 1)] for k in range(w.order)]
        entries = [(k, self.value(w.body, scope.inside(k))) for k in self.positions(w.sizes)]
        levels = [1 + len(scope.moves) + k for k in range(w.order)]
        for level, group in zip(levels, groups, strict=True):
            entries = [(k, self.arithmetic.plus(y, Dual(level, _ZERO, _ONE)) if k == group else y) for k, y in entries]
        result = self.function_of(w, entries, at[:own], bool(scope.moves or w.order), scope)
        for level in reversed(levels):
            tangent = parts(result, level)[1]
            result = _ZERO if tangent is None else tangent
        return result

    def function_of(
        self, w: Whole, entries: list[tuple[Position, Value]], at: Position, moving: bool, scope: Scope
    ) -> Value:
        if w.fn in self.point.losses:
            return self.point.losses[w.fn](self.arithmetic, entries, at)
        if w.fn in ("max", "min"):
            if not (moving or w.order):
                return dict(entries)[best(entries, w.fn)[0]]
            return dict(entries)[self.alone(w, entries, scope)]
        if w.fn == "argmax":
            return _ONE if self.alone(w, entries, scope) == at else _ZERO
        if w.fn == "gap":
            return gap(self.arithmetic, entries)
        if w.fn not in WHOLES:
            if not abstract(w.fn):
                raise Undefined(f"{w.fn} has no meaning here")
            return Loss(w.fn)(self.arithmetic, entries, at)
        try:
            return WHOLES[w.fn](self.arithmetic, entries, at)
        except IndexError:
            raise Undefined(f"{w.fn} has no entry {list(at)}") from None

    def winner(self, w: Whole, scope: Scope) -> Position:
        entries = [(k, real(self.value(w.body, scope.inside(k)))) for k in self.positions(w.sizes)]
        return self.alone(w, entries, scope)

    def alone(self, w: Whole, entries: list[tuple[Position, Value]], scope: Scope) -> Position:
        """Where the largest (smallest) entry stands.  Raises Undefined where it is tied and can move."""
        first, *tied = best(entries, "min" if w.fn == "min" else "max")
        if tied and not all(self.still(w.body, scope.inside(k)) for k in (first, *tied)):
            raise Undefined(f"a tie in {w.fn}")
        if tied and w.fn == "argmax":
            raise Undefined("a tie in argmax")
        return first


def decimal_digits(c: Fraction) -> int | None:
    """Decimals of a number that looks rounded: a finite decimal with six or more significant digits."""
    d, twos, fives = c.denominator, 0, 0
    if d == 1 or abs(c.numerator) < 1000:
        return None
    while d % 2 == 0:
        d, twos = d // 2, twos + 1
    while d % 5 == 0:
        d, fives = d // 5, fives + 1
    digits = max(twos, fives)
    if d != 1 or (fives == 0 and twos <= 10):
        return None
    return digits if len(str(abs(c.numerator) * 10**digits // c.denominator)) >= 6 else None
