"""The exact evaluator: one point, one precision, every subterm once for each of its index values.

Derivatives are computed by dual arithmetic, so that this file knows nothing of the laws it is a witness for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice, product
from typing import assert_never

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size
from symbackprop.core.terms import (
    Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term, Whole,
    arguments,
)  # fmt: skip

from . import exact_numbers as numbers
from .duals import KNOWN, STEPS, Dual, Lifted, Loss, Position, Value, parts, real
from .exact_numbers import INFINITE, Kink, NoValue, Number, RootAtZero, Undefined, written_constant
from .points import PI, Move, Point, Reach, Reaches, Scope, about_reals, powers_inside, size_at
from .still import Still
from .wholes import WHOLES, abstract, best, gap

_ZERO, _ONE = Fraction(0), Fraction(1)
_SHOWN, _LOOKED_AT = 3, 16


class Evaluation:
    """One point at one precision; every subterm is evaluated once per index values.

    Under a derivative a step at its kink raises Kink where the array that moves is in its argument, unless the argument
    is constant around the point (the second relu of relu(relu(x)) for x < 0) and steps are not taken `as_written`.
    Elsewhere a step has its value (0 for x > 0 at 0) with `kinks_have_values`, and raises Kink without.
    """

    def __init__(
        self,
        point: Point,
        reaches: Reaches | None = None,
        kinks_have_values: bool = False,
        constant: Callable[[Fraction], Number] | None = None,
    ) -> None:
        self.point = point
        self.reaches = reaches or Reaches(point.definitions)
        self.kinks_have_values = kinks_have_values
        self.arithmetic = Lifted(numbers)
        self.memo: dict[object, Value] = {}
        self.moves: dict[tuple[int, Array, Position | None], Move] = {}
        self.root = Scope(dict(point.indices))
        self.sizes, self.lengths = dict(point.sizes), dict[Size, int]()
        self.as_written = False
        self.constant = constant or written_constant

    def at(self, term: Term) -> Number:
        return self.value(term, self.root)

    def key(self, term: Term, scope: Scope) -> object:
        reach = self.reaches.of(term)
        outside = scope.outside.get(reach)
        if outside is None:
            outside = reach, tuple(map(scope.index, reach.free)), self.moving(reach, scope)
            scope.outside[reach] = outside
        if not reach.bound:
            return outside
        stack = scope.stack
        try:
            return outside, tuple([stack[-1 - d] for d in reach.bound])
        except IndexError:
            raise Undefined("an index points outside the term") from None

    def moving(self, reach: Reach, scope: Scope) -> tuple[Move, ...]:
        return tuple(m for m in scope.moves if m.array in reach.arrays) if scope.moves else ()

    def value(self, t: Term, scope: Scope) -> Value:
        if type(t) is Num:
            return self.constant(t.value)
        key = self.key(t, scope)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self._value(t, scope)
        return found

    def _value(self, t: Term, scope: Scope) -> Value:
        """The kinds of terms that there are most of come first."""
        match t:
            case Entry(array, at):
                return self.entry(array, tuple([self.index(i, scope) for i in at]), scope)
            case Mul():
                return self.product(t, scope)
            case Add(args):
                return self.arithmetic.total([self.value(x, scope) for x in args])
            case Sum(size, body, _):
                return self.arithmetic.total([self.value(body, scope.inside((k,))) for k in range(self.count(size))])
            case Power(base, exponent):
                return self.power(base, exponent, scope)
            case Apply(fn, arg, order):
                return self.apply(fn, arg, order, scope)
            case Diff(body, wrt):
                return self.derivative(body, wrt, scope)
            case Delta(i, j):
                return _ONE if self.index(i, scope) == self.index(j, scope) else _ZERO
            case Holds(p):
                return self.step(p, scope)
            case Whole():
                return self.whole(t, scope)
            case Num(value):
                return self.constant(value)
            case Size():
                return Fraction(self.number(t))
            case Ordinal(of):
                return Fraction(self.index(of, scope))
            case _:
                assert_never(t)

    # --- powers and functions ------------------------------------------------------------------

    def power(self, base: Term, exponent: Fraction, scope: Scope) -> Value:
        inner = self.value(base, scope)
        if exponent.denominator != 1 and exponent > 0 and numbers.sign(real(inner)) == 0:
            if self.touched_by_moves(base, scope) and (self.as_written or not self.still(base, scope)):
                raise RootAtZero("a root at 0")
            return _ZERO  # √0 has a derivative where its argument stays 0
        try:
            return self.arithmetic.power(inner, exponent)
        except NoValue as e:
            raise self.placed(e, base, scope) from None

    def apply(self, fn: str, arg: Term, order: int, scope: Scope) -> Value:
        if fn not in KNOWN and fn not in self.point.functions:
            raise Undefined(f"{fn} has no meaning here")
        try:
            inner = self.value(arg, scope)
            if fn in STEPS and numbers.sign(real(inner)) == 0 and (order or self.kink(arg, scope)):
                raise Kink(f"{fn} at 0")
            return self.arithmetic.apply(fn, inner, order, self.point.functions.get(fn))
        except NoValue as e:
            if fn == "exp" and (e.what in INFINITE or powers_inside(arg)):
                raise Undefined(str(e)) from None  # exp(-inf) is 0, and a^b may stand here as exp(b log a)
            raise self.placed(e, arg, scope) from None

    def placed(self, e: NoValue, t: Term, scope: Scope) -> NoValue:
        """The same error with the place where it happens: `x[0] = 0`, `n-17 = 0`."""
        if e.where:
            return e
        if isinstance(t, Size):
            return NoValue(e.what, f"{t} = {t.at(self.point.sizes)}")
        found = sorted(self.touched(t, scope), key=lambda k: (str(k[0]), k[1]))
        shown = [f"{a}{list(k) if k else ''} = {numbers.written(self.point.arrays[a][k])}" for a, k in found[:_SHOWN]]
        return NoValue(e.what, ", ".join(shown) + (", ..." if len(found) > _SHOWN else ""))

    def touched(self, t: Term, scope: Scope) -> set[tuple[Array, Position]]:
        """The entries without definition that a term looks at here, of a sum or an array the first few."""
        match t:
            case Entry(array, at):
                position = tuple(self.index(i, scope) for i in at)
                if array in self.point.definitions:
                    return self.touched(self.point.definitions[array].body, self.unfolded(array, position, scope))
                return {(array, position)} if position in self.point.arrays.get(array, {}) else set()
            case Diff(body, _):
                return self.touched(body, scope)
            case Sum(size, body, _):
                count = min(size_at(size, self.point.sizes), _LOOKED_AT)
                return {k for n in range(count) for k in self.touched(body, scope.inside((n,)))}
            case Whole(_, _, sizes, body, _, _):
                places = islice(self.positions(sizes), _LOOKED_AT)
                return {k for n in places for k in self.touched(body, scope.inside(n))}
            case _:
                return {k for x in arguments(t) for k in self.touched(x, scope)}

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
                return self.number(constant) + sum(self.number(k) * self.index(x, scope) for x, k in atoms)
            case _:
                assert_never(e)

    def number(self, s: Size) -> int:
        """Raises Undefined where a symbol has no value."""
        if s not in self.lengths:
            try:
                self.lengths[s] = s.at(self.sizes)
            except KeyError as missing:
                raise Undefined(f"the size {missing.args[0]} has no value") from None
        return self.lengths[s]

    def count(self, s: Size) -> int:
        """Of the values of an axis.  Raises Undefined as `number` does, and where the size is negative."""
        found = self.number(s)
        return found if found >= 0 else size_at(s, self.sizes)

    def entry(self, array: Array, position: Position, scope: Scope) -> Value:
        point = self.point
        if array.name == PI.name and array == PI:
            return numbers.constant("pi")
        if point.definitions and array in point.definitions:
            tensor = point.definitions[array]
            if any(k < 0 or k >= self.number(s) for k, s in zip(position, tensor.shape, strict=True)):
                raise Undefined(f"{array}{list(position)} is outside the array")
            value = self.value(tensor.body, self.unfolded(array, position, scope))
        else:
            try:
                value = point.arrays[array][position]
            except KeyError:
                raise Undefined(f"{array}{list(position)} has no value") from None
        for m in scope.moves:
            if m.at == position and m.array == array:
                value = self.arithmetic.plus(value, Dual(m.level, _ZERO, _ONE))
        return value

    def unfolded(self, array: Array, position: Position, scope: Scope) -> Scope:
        """The scope of the body of a definition."""
        return Scope(dict(zip(self.point.definitions[array].axes, position, strict=True)), (), scope.moves)

    def derivative(self, body: Term, wrt: Entry, scope: Scope) -> Value:
        position = tuple(self.index(i, scope) for i in wrt.at)
        if wrt.array not in self.reaches.of(body).arrays:
            return _ZERO
        level = 1 + len(scope.moves)
        moved = Scope(scope.free, scope.stack, (*scope.moves, self.move(level, wrt.array, position)))
        tangent = parts(self.value(body, moved), level)[1]
        return _ZERO if tangent is None else tangent

    def move(self, level: int, array: Array, at: Position | None) -> Move:
        """One for all scopes that have it, as keys need."""
        key = level, array, at
        return self.moves.get(key) or self.moves.setdefault(key, Move(*key))

    def product(self, t: Mul, scope: Scope) -> Value:
        """A truth value among the factors that is 0 chooses another branch: the other factors are not looked at."""
        for x in self.reaches.of(t).guards:
            if self.value(x, scope) == 0:
                self.kinks_beside(x, t.args, scope)
                return _ZERO
        try:
            return self.arithmetic.product([self.value(x, scope) for x in t.args])
        except NoValue as e:
            if e.what == "1/0" and self.vanishes(t.args, scope):
                raise NoValue("0/0", e.where) from None
            raise

    def kinks_beside(self, guard: Term, args: tuple[Term, ...], scope: Scope) -> None:
        """Raises Kink where a step beside has one, for a forward: mask * |x| has it (roots: a mask is bracketed)."""
        if not any(move.at is None for move in scope.moves) or not about_reals(guard):
            return
        for x in args:
            try:
                self.value(x, scope)
            except Undefined as error:
                if isinstance(error, Kink) and not isinstance(error, RootAtZero):
                    raise

    def vanishes(self, args: tuple[Term, ...], scope: Scope) -> bool:
        """Whether a factor is certainly 0."""
        for x in args:
            try:
                value = real(self.value(x, scope))
            except Undefined:
                continue
            if type(value) is Fraction and not value:
                return True
        return False

    def step(self, p: Positive | NonNegative, scope: Scope) -> Value:
        if isinstance(p, NonNegative):
            return _ONE if self.index(p.expr, scope) >= 0 else _ZERO
        s = numbers.sign(real(self.value(p.term, scope)))
        if s == 0 and self.kink(p.term, scope):
            raise Kink("the argument of a step is 0")
        return _ONE if s > 0 else _ZERO

    def kink(self, t: Term, scope: Scope) -> bool:
        """Whether a step with the argument t, which is 0 here, counts as a kink."""
        counts = self.touched_by_moves(t, scope) if scope.moves else not self.kinks_have_values
        return counts and (self.as_written or not self.still(t, scope))

    def touched_by_moves(self, t: Term, scope: Scope) -> bool:
        """Whether an array that moves is in the argument: a step excuses a point for all entries of the array."""
        return bool(self.moving(self.reaches.of(t), scope))

    def off_kinks(self, t: Term, arrays: Iterable[Array], indices: Scope) -> None:
        """Raises Undefined where t, or a step in it that one of the arrays acts through, has no value or a kink."""
        moves = tuple(self.move(-1, a, None) for a in sorted(arrays, key=str))
        self.value(t, Scope(indices.free, indices.stack, moves))

    def still(self, t: Term, scope: Scope) -> bool:
        """Sufficient: the term is constant around the point (when continuous variables move)."""
        return Still(self).constant(t, scope)

    # --- functions of whole arrays -------------------------------------------------------------

    def positions(self, sizes: tuple[Size, ...]) -> Iterator[Position]:
        return product(*(range(self.count(s)) for s in sizes))

    def whole(self, w: Whole, scope: Scope) -> Value:
        """F and its derivatives: each derivative moves one entry of the array by an infinitesimal."""
        axes, at = len(w.sizes), tuple(self.index(i, scope) for i in w.at)
        own = len(at) - w.order * axes
        groups = [at[own + axes * k : own + axes * (k + 1)] for k in range(w.order)]
        entries = [(k, self.value(w.body, scope.inside(k))) for k in self.positions(w.sizes)]
        levels = [1 + len(scope.moves) + k for k in range(w.order)]
        for level, group in zip(levels, groups, strict=True):
            entries = [(k, self.arithmetic.plus(y, Dual(level, _ZERO, _ONE)) if k == group else y) for k, y in entries]
        moving = bool(w.order) or self.touched_by_moves(w.body, scope)
        try:
            result = self.function_of(w, entries, at[:own], moving, scope)
        except NoValue as e:
            raise self.placed(e, w, scope) from None
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
            raise Kink(f"a tie in {w.fn}")
        return first  # as NumPy: the first of equal ones in row-major order
