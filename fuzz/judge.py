"""Exact values and derivatives of the trees of `expressions`, with every step that has no value or no derivative.

Forward mode in rational numbers (floats after a transcendental function), entry by entry, in NumPy's own meaning:
`np.where` looks at the chosen branch only, and 0 * nan is nan.  Nothing of the package takes part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from expressions import Node

Exact: TypeAlias = Fraction | float
DOUBT, CLOSE, ROUNDED = 1e-9, 1e-6, 1e7
KINK, MAYBE = "kink", "maybe"  # no derivative; a kink where the argument does not move to first order


class Doubtful(Exception):
    """A comparison that rounding could decide."""


class NoValue(Exception):
    """NumPy raises."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value (None: none) and its derivatives by the entries of x: () if it does not move, or why there are none."""

    v: Exact | None
    d: tuple[Exact, ...] | str = ()
    entry: int = -1  # of x

    def __add__(self, o: Number) -> Number:
        return linear(self, o, 1, 1, lambda a, b: a + b)

    def __sub__(self, o: Number) -> Number:
        if self.entry >= 0 and self.entry == o.entry:
            return Number(Fraction(0))
        return linear(self, o, 1, -1, lambda a, b: a - b)

    def __mul__(self, o: Number) -> Number:
        return linear(self, o, o.v, self.v, lambda a, b: a * b)

    def __truediv__(self, o: Number) -> Number:
        if self.v is None or o.v is None or sign(o.v) == 0:
            return NONE
        one = 1 / o.v
        return linear(self, o, one, -self.v * one * one, lambda a, b: a / b)


NONE = Number(None)
ZERO, ONE = Number(Fraction(0)), Number(Fraction(1))


def linear(a: Number, b: Number, ka: Any, kb: Any, f: Callable[[Any, Any], Exact]) -> Number:
    if a.v is None or b.v is None:
        return NONE
    v = f(a.v, b.v)
    if isinstance(v, float) and ka in (1, -1) and kb in (1, -1) and lost(v, a.v, b.v):
        raise Doubtful
    if isinstance(a.d, str) or isinstance(b.d, str):
        return Number(v, KINK if KINK in (a.d, b.d) else MAYBE)
    if not a.d:
        return Number(v, tuple(kb * x for x in b.d)) if b.d else Number(v)
    if not b.d:
        return Number(v, tuple(ka * x for x in a.d))
    return Number(v, tuple(ka * x + kb * y for x, y in zip(a.d, b.d, strict=True)))


def lost(total: float, a: Exact, b: Exact) -> bool:
    """Whether rounding of a or b weighs in their sum: e^256 - 2 - e^256."""
    return max(abs(a), abs(b)) > ROUNDED * max(1.0, abs(total))


def sign(v: Exact) -> int:
    if isinstance(v, float) and abs(v) < DOUBT:
        raise Doubtful
    return (v > 0) - (v < 0)


def through(a: Number, v: Exact, slope: Exact) -> Number:
    """f(a) where f has this value and this derivative."""
    return Number(v, a.d if isinstance(a.d, str) else tuple(slope * x for x in a.d))


def without_derivative(a: Number, v: Exact) -> Number:
    """f(a) where f has this value and no derivative."""
    if isinstance(a.d, str):
        return Number(v, a.d)
    return Number(v, (KINK if any(a.d) else MAYBE) if a.d else ())


def transcendental(name: str, v: Exact) -> Exact:
    exact = {("exp", 0): 1, ("log", 1): 0, ("tanh", 0): 0}.get((name, v))  # type: ignore[call-overload]
    try:
        return Fraction(exact) if exact is not None else float(getattr(math, name)(v))
    except OverflowError:
        raise Doubtful from None


def root(v: Exact) -> Exact:
    if isinstance(v, Fraction):
        p, q = math.isqrt(v.numerator), math.isqrt(v.denominator)
        if p * p == v.numerator and q * q == v.denominator:
            return Fraction(p, q)
    return math.sqrt(v)


def power(a: Number, q: Fraction) -> Number:
    if a.v is None:
        return NONE
    if q.denominator == 1:
        n = int(q)
        if n <= 0 and sign(a.v) == 0:
            return NONE if n < 0 else through(a, Fraction(1), Fraction(0))
        return through(a, a.v**n, n * a.v ** (n - 1)) if n != 1 else a
    s = sign(a.v)
    if s < 0 or (s == 0 and q < 0):
        return NONE
    if s == 0:
        return without_derivative(a, Fraction(0))
    r = root(a.v)
    v = r ** int(2 * q)
    return through(a, v, q * v / a.v)


def function(name: str) -> Callable[[Number], Number]:
    def f(a: Number) -> Number:
        v = a.v
        if v is None:
            return NONE
        match name:
            case "neg":
                return through(a, -v, -1)
            case "exp" | "tanh":
                y = transcendental(name, v)
                return through(a, y, y if name == "exp" else 1 - y * y)
            case "log":
                return through(a, transcendental("log", v), 1 / v) if sign(v) > 0 else NONE
            case "sqrt":
                return power(a, Fraction(1, 2))
            case "abs":
                s = sign(v)
                return through(a, abs(v), s) if s else without_derivative(a, Fraction(0))
            case "sign":
                s = sign(v)
                return through(a, Fraction(s), 0) if s else without_derivative(a, Fraction(0))
            case _:
                raise NotImplementedError(name)

    return f


TESTS: dict[str, Callable[[int], bool]] = {
    ">": lambda s: s > 0, ">=": lambda s: s >= 0, "<": lambda s: s < 0, "<=": lambda s: s <= 0,
    "==": lambda s: s == 0, "!=": lambda s: s != 0,
}  # fmt: skip


def compared(op: str) -> Callable[[Number, Number], Number]:
    def f(a: Number, b: Number) -> Number:
        gap = a - b
        if gap.v is None:
            return NONE
        s = sign(gap.v)
        v = Fraction(int(TESTS[op](s)))
        return without_derivative(gap, v) if s == 0 else through(gap, v, Fraction(0))

    return f


def larger(a: Number, b: Number) -> Number:
    gap = a - b
    if gap.v is None:
        return NONE
    s = sign(gap.v)
    if s == 0:
        bad = MAYBE if 0 <= a.entry == b.entry else without_derivative(gap, Fraction(0)).d  # x[[0, 0]] has a tie
        return Number(a.v, bad) if isinstance(bad, str) else a
    winner = a if s > 0 else b
    if isinstance(a.d, str) or isinstance(b.d, str):  # each entry's own steps are excused, also of the one that loses
        return Number(winner.v, KINK if KINK in (a.d, b.d) else MAYBE)
    return Number(winner.v, winner.d or (() if isinstance(gap.d, str) else zeros(gap.d)))


def zeros(d: tuple[Exact, ...]) -> tuple[Exact, ...]:
    return tuple(Fraction(0) for _ in d)


def negative(a: Number) -> Number:
    return function("neg")(a)


def smaller(a: Number, b: Number) -> Number:
    return negative(larger(negative(a), negative(b)))


def chosen(c: Number, a: Number, b: Number) -> Number:
    if c.v is None:
        return NONE
    pick = a if c.v else b
    if isinstance(c.d, str) and pick.v is not None:
        return Number(pick.v, KINK if KINK in (c.d, pick.d) else MAYBE)
    return Number(pick.v, zeros(c.d)) if c.d and not pick.d and not isinstance(c.d, str) else pick


BINARY: Mapping[str, Callable[[Number, Number], Number]] = {
    "add": Number.__add__, "sub": Number.__sub__, "mul": Number.__mul__, "div": Number.__truediv__, "max2": larger,
    "min2": smaller,
}  # fmt: skip
UFUNCS: dict[Any, Any] = {}


def elementwise(key: Any, f: Callable[..., Number], *arrays: Any) -> Any:
    if key not in UFUNCS:
        UFUNCS[key] = np.frompyfunc(f, len(arrays), 1)
    return as_array(UFUNCS[key](*arrays))


def as_array(a: Any) -> Any:
    if isinstance(a, np.ndarray):
        return a
    box = np.empty((), dtype=object)
    box[()] = a
    return box


def folded(f: Callable[[Number, Number], Number], items: list[Number], start: Number | None) -> Number:
    if not items and start is None:
        raise NoValue
    return reduce(f, items, start) if start is not None else reduce(f, items)


def reduction(t: Node, a: Any) -> Any:
    axis, keep = t.par
    f, start = {"sum": (Number.__add__, ZERO), "mean": (Number.__add__, ZERO), "prod": (Number.__mul__, ONE),
                "max": (larger, None), "min": (smaller, None)}[t.op]  # fmt: skip
    axes = tuple(range(a.ndim)) if axis is None else (axis % a.ndim,)
    kept = [k for k in range(a.ndim) if k not in axes]
    moved = a.transpose(*kept, *axes)
    shape = moved.shape[: len(kept)]
    out = np.empty(shape, dtype=object)
    for at in product(*map(range, shape)):
        items = list(moved[at].reshape(-1)) if isinstance(moved[at], np.ndarray) else [moved[at]]
        total = folded(f, items, start)
        out[at] = total / number(len(items)) if t.op == "mean" else total
    return np.expand_dims(out, axes) if keep else out


def number(v: Any) -> Number:
    return Number(Fraction(v))


def filled(shape: tuple[int, ...], f: Callable[..., Number]) -> Any:
    out = np.empty(shape, dtype=object)
    for at in product(*map(range, shape)):
        out[at] = f(*at)
    return out


@dataclass
class Judge:
    """Arrays of numbers by name; `n` and `m` are the lengths of x."""

    arrays: Mapping[str, Any]
    idx: Any
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self.known: dict[Node, Any] = {}

    def value(self, t: Node) -> Any:
        if t not in self.known:
            self.known[t] = self.worked_out(t)
        return self.known[t]

    def worked_out(self, t: Node) -> Any:
        a = [self.value(s) for s in t.args]
        match t.op:
            case "leaf":
                return self.arrays[t.par]
            case "const":
                return as_array(number(t.par))
            case "size":
                sizes = {"len(x)": self.shape[:1], "x.shape[1]": self.shape[1:]}
                text = t.par
                for name, size in sizes.items():
                    text = text.replace(name, str(size[0]) if size else name)
                return as_array(number(math.prod(map(length, text.split(" * ")))))
            case "add" | "sub" | "mul" | "div" | "max2" | "min2":
                return elementwise(t.op, BINARY[t.op], *a)
            case "pow":
                return elementwise(("pow", t.par), lambda u, q=t.par: power(u, q), a[0])
            case "cmp":
                return elementwise(("cmp", t.par), compared(t.par), *a)
            case "number":
                return a[0]
            case "where":
                return elementwise("where", chosen, *a)
            case "sum" | "mean" | "prod" | "max" | "min":
                return reduction(t, a[0])
            case "outer":
                return elementwise(t.par, BINARY[t.par], a[0][:, None], a[1][None, :])
            case "gather":
                return a[0][self.idx]
            case "scatter":
                return self.scattered(a[0])
            case "rev":
                return a[0][::-1]
            case "cumsum":
                return filled(a[0].shape, lambda k: folded(Number.__add__, list(a[0][: k + 1]), None))
            case "tail":
                return a[0][1:]
            case "head":
                return a[0][:-1]
            case "padded":
                zero = filled((1,), lambda _: ZERO)
                return np.concatenate([zero, a[0]] if t.par else [a[0], zero])
            case "ones":
                return filled(a[0].shape, lambda *_: ONE)
            case "eye":
                n = self.shape[0]
                return filled((n, n), lambda i, j: ONE if i == j else ZERO)
            case "matvec":
                m = a[0] if t.par == "j" else a[0].T
                return filled((len(m),), lambda i: dot(m[i], a[1]))
            case "dot":
                return as_array(dot(a[0], a[1]))
            case name:
                return elementwise(name, function(name), a[0])

    def scattered(self, g: Any) -> Any:
        """np.eye(n)[idx].T @ g: a product of matrices, so that one nan is everywhere."""
        n = self.shape[0]
        return filled((n,), lambda i: dot([ONE if k == i else ZERO for k in self.idx], g))


def length(text: str) -> int:
    inside = text.strip("()").split(" - ")
    return int(inside[0]) - sum(map(int, inside[1:]))


def dot(u: Any, v: Any) -> Number:
    return folded(Number.__add__, [a * b for a, b in zip(u, v, strict=True)], ZERO)


def same(a: Exact, b: Exact) -> bool:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    gap, scale = abs(float(a) - float(b)), 1 + abs(float(a)) + abs(float(b))
    if DOUBT * scale < gap < CLOSE * scale:
        raise Doubtful
    return gap <= DOUBT * scale
