"""The value of a term in float64 at all index positions at once; whether floats look equal: a filter, no verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, TypeAlias, assert_never

import numpy as np

from symbackprop.clock import check_time
from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, Size
from symbackprop.core.terms import (
    Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Power, Sum, Term, Whole,
)  # fmt: skip
from symbackprop.numbers.duals import (
    KNOWN, Dual, FloatNumbers, Floats, Lifted, Value, mapped, parts, real, to_float, total,
)  # fmt: skip
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.points import PI, Point, Reaches, size_at
from symbackprop.numbers.wholes import WHOLE_NAMES, abstract, whole

_LIMIT, _AXES = 300_000, 64  # elements of an intermediate array, and its axes: NumPy has no more


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Indices around a term, as integer arrays whose axes are the axes of the values."""

    ndim: int
    shape: tuple[int, ...]
    free: dict[Index, Floats]
    stack: tuple[Floats, ...]
    children: dict[object, Scope] = field(default_factory=dict)

    def push(self, counts: tuple[int, ...], names: tuple[Index, ...] = (), fresh: bool = False) -> Scope:
        """A scope with more axes: bound ones, or free ones under these names (then without the old ones)."""
        key = (counts, names, fresh)
        if key not in self.children:
            shape = (*self.shape, *counts)
            if math.prod(shape) > _LIMIT or len(shape) > _AXES:
                raise Undefined("too many index values for this many sums")
            new = []
            for k, c in enumerate(counts):
                index = np.arange(c).reshape([-1 if j == self.ndim + k else 1 for j in range(len(shape))])
                new.append(index)
            free = dict(zip(names, new, strict=True)) if fresh else self.free
            stack = () if fresh else (*self.stack, *new)
            self.children[key] = Scope(len(shape), shape, free, stack)
        return self.children[key]


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """An entry that moves by an infinitesimal of a level."""

    level: int
    array: Array
    at: tuple[Floats, ...]
    scope: Scope

    def by(self, same: Floats) -> Value:
        """What entries move by: it is this one where `same` is 1."""
        return Dual(self.level, 0.0, same)


class FloatEvaluation:
    """One point; every subterm is evaluated once per scope.

    A step of a number that is not 0 and smaller than `doubt` has no value: rounding may have turned it.
    """

    def __init__(self, point: Point, reaches: Reaches | None = None, doubt: float = 0.0) -> None:
        self.point, self.doubt = point, doubt
        self.reaches = reaches or Reaches(point.definitions)
        self.arithmetic = Lifted(FloatNumbers())
        self.memo: dict[object, Value] = {}
        self.moves: dict[object, Move] = {}
        self.root = Scope(0, (), {i: np.array(k) for i, k in point.indices.items()}, ())
        self.tables = {a: table({k: to_float(v) for k, v in e.items()}, np.nan) for a, e in point.arrays.items()}
        self.picks = {a: table(dict(e), -(10**6)) for a, e in point.integers.items()}
        self.sizes = dict(point.sizes)

    def tensor(self, axes: Sequence[Index], body: Term) -> np.ndarray[Any, Any]:
        """All entries of (axes) -> body."""
        check_time()
        counts = tuple(size_at(i.size, self.sizes) for i in axes)
        scope = self.root.push(counts, tuple(axes), True)
        scope.free.update({i: k for i, k in self.root.free.items() if i not in scope.free})
        with np.errstate(all="ignore"):
            value = real(self.value(body, scope, ()))
        return np.array(np.broadcast_to(value, counts), dtype=float)

    def value(self, t: Term, scope: Scope, moves: tuple[Move, ...]) -> Value:
        if type(t) is Num:
            return to_float(t.value)
        reach = self.reaches.of(t)
        if moves:
            moves = tuple([m for m in moves if m.array in reach.arrays])
        key = reach, scope, moves
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self._value(t, scope, moves)
        return found

    def _value(self, t: Term, scope: Scope, moves: tuple[Move, ...]) -> Value:
        a = self.arithmetic
        match t:
            case Entry(array, at):
                return self.entry(array, tuple([self.index(i, scope) for i in at]), scope, moves)
            case Mul():
                return self.product(t, scope, moves)
            case Add(args):
                return a.total([self.value(x, scope, moves) for x in args])
            case Num(value):
                return to_float(value)
            case Size():
                return float(t.at(self.sizes))
            case Ordinal(of):
                return self.index(of, scope) * 1.0
            case Delta(i, j):
                return (self.index(i, scope) == self.index(j, scope)) * 1.0
            case Power(base, exponent):
                inner = self.value(base, scope, moves)
                return at_rest(a.power(inner, exponent), inner) if exponent > 0 else a.power(inner, exponent)
            case Apply(fn, arg, order):
                if fn not in KNOWN and fn not in self.point.functions:
                    raise Undefined(f"{fn} has no meaning here")
                return a.apply(fn, self.value(arg, scope, moves), order, self.point.functions.get(fn))
            case Sum(size, body, _):
                count = size_at(size, self.sizes)
                return mapped(lambda v: total(v, (-1,), (count,)), self.value(body, scope.push((count,)), moves))
            case Diff(body, wrt):
                return self.derivative(body, wrt, scope, moves)
            case Whole():
                return self.whole(t, scope, moves)
            case Holds(p):
                if isinstance(p, NonNegative):
                    return (self.index(p.expr, scope) >= 0) * 1.0
                u = real(self.value(p.term, scope, moves))
                return np.where((u != 0) & (abs(u) < self.doubt), np.nan, FloatNumbers.step(u))
            case _:
                assert_never(t)

    # --- indices and entries -------------------------------------------------------------------

    def index(self, e: IndexExpr, scope: Scope) -> Floats:
        """An integer array with as many axes as the scope."""
        match e:
            case Index():
                if e not in scope.free:
                    raise Undefined(f"the index {e.name} has no value")
                return padded(scope.free[e], scope.ndim)
            case Bound(depth):
                return padded(scope.stack[-1 - depth], scope.ndim)
            case Pick(array, at, _):
                if array not in self.picks:
                    raise Undefined(f"{array} has no values")
                return gathered(self.picks[array], tuple(self.index(i, scope) for i in at), -(10**6))
            case Affine(constant, atoms):
                result = np.full((1,) * scope.ndim, constant.at(self.sizes))
                for x, k in atoms:
                    result = result + k.at(self.sizes) * self.index(x, scope)
                return result
            case _:
                assert_never(e)

    def entry(self, array: Array, at: tuple[Floats, ...], scope: Scope, moves: tuple[Move, ...]) -> Value:
        if array == PI:
            return math.pi
        if array in self.point.definitions:
            value = self.defined(array, at, scope, moves)
        elif array in self.tables:
            value = gathered(self.tables[array], at, np.nan)
        else:
            raise Undefined(f"{array} has no values")
        for m in moves:
            if m.array == array:
                same = np.ones((1,) * scope.ndim)
                for i, j in zip(at, m.at, strict=True):
                    same = same * (i == padded(j, scope.ndim))
                value = self.arithmetic.plus(value, m.by(same))
        return value

    def defined(self, array: Array, at: tuple[Floats, ...], scope: Scope, moves: tuple[Move, ...]) -> Value:
        """The whole defined array once, then its entries.  Moving entries keep the axes of their scope."""
        tensor = self.point.definitions[array]
        base = max((m.scope for m in moves), key=lambda s: s.ndim, default=self.root)
        counts = tuple(size_at(s, self.sizes) for s in tensor.shape)
        full = self.value(tensor.body, base.push(counts, tensor.axes, True), moves)
        lanes = base.ndim

        def entries(v: Floats) -> Floats:
            if np.ndim(v) == 0:
                return v
            wide = np.broadcast_to(v, (*v.shape[:lanes], *counts))
            lane = tuple(
                np.arange(wide.shape[k]).reshape([-1 if j == k else 1 for j in range(scope.ndim)]) for k in range(lanes)
            )
            return gathered(wide, (*lane, *at), np.nan)

        return mapped(entries, full)

    def product(self, t: Mul, scope: Scope, moves: tuple[Move, ...]) -> Value:
        result = self.arithmetic.product([self.value(x, scope, moves) for x in t.args])
        masks = self.reaches.of(t).guards
        if masks and not np.isfinite(real(result)).all():
            zero = reduce(or_, [real(self.value(m, scope, moves)) == 0 for m in masks])
            return mapped(lambda v: np.where(zero, 0.0, v), result)
        return result

    # --- derivatives and functions of whole arrays ---------------------------------------------

    def move(self, wrt: Entry, scope: Scope, level: int) -> Move:
        key = (wrt, id(scope), level)
        if key not in self.moves:
            at = tuple(self.index(i, scope) for i in wrt.at)
            self.moves[key] = Move(level, wrt.array, at, scope)
        return self.moves[key]

    def derivative(self, body: Term, wrt: Entry, scope: Scope, moves: tuple[Move, ...]) -> Value:
        if wrt.array not in self.reaches.of(body).arrays:
            return 0.0
        level = 1 + len(moves)
        tangent = parts(self.value(body, scope, (*moves, self.move(wrt, scope, level))), level)[1]
        return 0.0 if tangent is None else tangent

    def whole(self, w: Whole, scope: Scope, moves: tuple[Move, ...]) -> Value:
        counts = tuple(size_at(s, self.sizes) for s in w.sizes)
        axes, inner = len(counts), scope.push(counts)
        at = tuple(self.index(i, scope) for i in w.at)
        own = len(at) - w.order * axes
        a, value = self.arithmetic, self.value(w.body, inner, moves)
        lead = (1,) * scope.ndim
        value = mapped(lambda v: spread(v, lead, counts), value)
        levels = [1 + max((m.level for m in moves), default=0) + k for k in range(w.order)]
        for k, level in enumerate(levels):
            same = np.ones((1,) * inner.ndim)
            for axis, i in enumerate(at[own + axes * k : own + axes * (k + 1)]):
                same = same * (padded(i, inner.ndim) == inner.stack[len(scope.stack) + axis])
            value = a.plus(value, Dual(level, 0.0, same))
        loss = self.point.losses.get(w.fn)
        value = mapped(lambda v: spread(v, lead, counts), value)
        keeps = w.fn in ("inv", "argmax", "pinv")
        if w.fn not in WHOLE_NAMES and w.fn not in self.point.losses and not abstract(w.fn):
            raise Undefined(f"{w.fn} has no meaning here")
        if own and not keeps:
            raise Undefined(f"{w.fn} with values in an array is evaluated exactly only")
        result = whole(a, w.fn, value, axes, (), loss)
        for level in reversed(levels):
            tangent = parts(result, level)[1]
            result = 0.0 if tangent is None else tangent
        if not keeps:
            return result

        def entries(v: Floats) -> Floats:
            lane = tuple(
                np.arange(v.shape[k]).reshape([-1 if j == k else 1 for j in range(scope.ndim)])
                for k in range(scope.ndim)
            )
            return gathered(v, (*lane, *at[:own]), np.nan)

        return mapped(entries, result)


def table(entries: dict[tuple[int, ...], float | int], missing: float) -> np.ndarray[Any, Any]:
    """A dense array of the entries; what has no value is `missing`."""
    if not entries:
        return np.zeros((0,))
    shape = tuple(1 + max(k[d] for k in entries) for d in range(len(next(iter(entries)))))
    result = np.full(shape, missing)
    for k, v in entries.items():
        if min(k, default=0) >= 0:
            result[k] = v
    return result


def at_rest(root: Value, base: Value) -> Value:
    """A root with derivative 0, not 0/0, where its argument is 0 and does not move."""
    if type(root) is not Dual or type(root.tangent) is Dual or type(base) is not Dual:
        return root
    still = (np.asarray(real(base.primal)) == 0) & (np.asarray(real(base.tangent)) == 0)
    return Dual(root.level, root.primal, np.where(still, 0.0, root.tangent))


def padded(index: Floats, ndim: int) -> Floats:
    return index.reshape((*index.shape, *(1,) * (ndim - index.ndim)))


def spread(v: Floats, lead: tuple[int, ...], counts: tuple[int, ...]) -> Floats:
    """The last axes at their full length."""
    v = np.asarray(v, dtype=float)
    start = v.shape[: v.ndim - len(counts)] if v.ndim else lead
    return np.broadcast_to(v, (*start, *counts))


def gathered(values: np.ndarray[Any, Any], at: tuple[Floats, ...], missing: float) -> Floats:
    """values[at], and `missing` outside."""
    if not at:
        return values[()] if values.ndim == 0 else missing
    if values.ndim != len(at) or 0 in values.shape:
        return np.full(np.broadcast_shapes(*(np.shape(i) for i in at)), missing)
    if all([not i.size or i.min() >= 0 for i in at]):
        try:
            return values[at]
        except IndexError:  # some are too large
            pass
    outside, inside = False, []
    for i, n in zip(at, values.shape, strict=True):
        if i.size and (i.min() < 0 or i.max() >= n):
            outside = outside | (i < 0) | (i >= n)
            i = np.clip(i, 0, n - 1)
        inside.append(i)
    return np.where(outside, missing, values[tuple(inside)])


FloatArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def close(found: FloatArray, truth: FloatArray) -> bool:
    """Equal up to rounding wherever the truth has a value."""
    known = np.isfinite(truth)
    if not np.isfinite(found[known]).all():
        return False
    scale = np.maximum(np.abs(found[known]), np.abs(truth[known]))
    noise = 1e-12 * float(scale.max(initial=0.0))
    return bool((np.abs(found[known] - truth[known]) <= 1e-8 * scale + noise).all())
