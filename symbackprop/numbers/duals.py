"""Numbers with infinitesimal parts: derivatives by forward-mode arithmetic, over exact numbers and arrays of floats.

`Dual(level, p, t)` is p + t ε with ε² = 0; levels nest, so p and t may be duals of lower levels (second derivatives).
Nothing here is shared with the laws of differentiation that the prover uses.  Arrays of floats carry one axis per index
in scope, in order; an axis of length 1 means "does not depend on it", and a value without axes is a constant.  NaN
stands for "no value".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from random import Random
from typing import Any, Protocol, TypeAlias

import numpy as np

from symbackprop.core.functions import column

Position: TypeAlias = tuple[int, ...]
Value: TypeAlias = Any  # a plain number of some kind, or a Dual over it


class Numbers(Protocol):
    """What the arithmetic of plain numbers must offer."""

    def plus(self, a: Value, b: Value) -> Value: ...
    def times(self, a: Value, b: Value) -> Value: ...
    def power(self, base: Value, exponent: Fraction) -> Value: ...
    def function(self, name: str, x: Value) -> Value: ...
    def constant(self, name: str) -> Value: ...
    def number(self, x: Fraction) -> Value: ...
    def step(self, x: Value) -> Value: ...


@dataclass(slots=True)
class Dual:
    """Made often, so not `frozen`."""

    level: int
    primal: Value
    tangent: Value


def level_of(x: Value) -> int:
    return x.level if type(x) is Dual else 0


def real(x: Value) -> Value:
    """The value without its infinitesimal parts."""
    while type(x) is Dual:
        x = x.primal
    return x


def parts(x: Value, level: int) -> tuple[Value, Value | None]:
    """(primal, tangent) at a level; no tangent means zero."""
    return (x.primal, x.tangent) if type(x) is Dual and x.level == level else (x, None)


def mapped(f: Callable[[Value], Value], x: Value) -> Value:
    """A linear map at every part."""
    return Dual(x.level, mapped(f, x.primal), mapped(f, x.tangent)) if type(x) is Dual else f(x)


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Σ c_k z^k: the meaning of an abstract function at a point."""

    coefficients: tuple[Fraction, ...]

    def __str__(self) -> str:
        def one(c: Fraction, k: int) -> str:
            z = "" if k == 0 else "z" if k == 1 else f"z^{k}"
            size = str(abs(c)) if abs(c) != 1 or not z else ""
            return ("-" if c < 0 else "+") + size + ("*" if size and z else "") + z

        terms = [one(c, k) for k, c in enumerate(self.coefficients) if c]
        return "".join(terms).removeprefix("+") or "0"


class Lifted:
    """Arithmetic on duals over some plain numbers."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers

    def plus(self, a: Value, b: Value) -> Value:
        one, other = level_of(a), level_of(b)
        if one == other:
            if not one:
                return self.numbers.plus(a, b)
            return Dual(one, self.plus(a.primal, b.primal), self.plus(a.tangent, b.tangent))
        if one < other:
            return Dual(other, self.plus(a, b.primal), b.tangent)
        return Dual(one, self.plus(a.primal, b), a.tangent)

    def times(self, a: Value, b: Value) -> Value:
        one, other = level_of(a), level_of(b)
        if one == other:
            if not one:
                return self.numbers.times(a, b)
            tangent = self.plus(self.times(a.tangent, b.primal), self.times(a.primal, b.tangent))
            return Dual(one, self.times(a.primal, b.primal), tangent)
        if one < other:
            return Dual(other, self.times(a, b.primal), self.times(a, b.tangent))
        return Dual(one, self.times(a.primal, b), self.times(a.tangent, b))

    def scaled(self, c: Fraction, a: Value) -> Value:
        return a if c == 1 else self.times(self.numbers.number(c), a)

    def minus(self, a: Value, b: Value) -> Value:
        return self.plus(a, self.scaled(Fraction(-1), b))

    def over(self, a: Value, b: Value) -> Value:
        return self.times(a, self.power(b, Fraction(-1)))

    def total(self, xs: Sequence[Value]) -> Value:
        return reduce(self.plus, xs) if xs else self.numbers.number(Fraction(0))

    def product(self, xs: Sequence[Value]) -> Value:
        return reduce(self.times, xs) if xs else self.numbers.number(Fraction(1))

    def power(self, base: Value, exponent: Fraction) -> Value:
        if type(base) is not Dual:
            return self.numbers.power(base, exponent)
        if exponent == 0:
            return self.numbers.number(Fraction(1))
        slope = self.scaled(exponent, self.power(base.primal, exponent - 1))
        return Dual(base.level, self.power(base.primal, exponent), self.times(slope, base.tangent))

    def apply(self, name: str, x: Value, order: int = 0, meaning: Polynomial | None = None) -> Value:
        """fn(x), or its derivative of some order; abstract functions mean a polynomial."""
        if order:
            return self.derivative(lambda y: self.apply(name, y, order - 1, meaning), x)
        if meaning is not None:
            return self.polynomial(meaning, x)
        if name in COMPOSED:
            return COMPOSED[name](self, x)
        if type(x) is not Dual:
            return self.numbers.function(name, x)
        y = self.apply(name, x.primal)
        return Dual(x.level, y, self.times(SLOPES[name](self, x.primal, y), x.tangent))

    def derivative(self, f: Callable[[Value], Value], x: Value) -> Value:
        """f'(x)."""
        level = level_of(x) + 1
        y = f(Dual(level, x, self.numbers.number(Fraction(1))))
        tangent = parts(y, level)[1]
        return self.numbers.number(Fraction(0)) if tangent is None else tangent

    def polynomial(self, p: Polynomial, x: Value) -> Value:
        result = self.numbers.number(p.coefficients[-1])
        for c in reversed(p.coefficients[:-1]):
            result = self.plus(self.times(result, x), self.numbers.number(c))
        return result

    def one(self) -> Value:
        return self.numbers.number(Fraction(1))

    def step(self, x: Value) -> Value:
        """1 where x > 0, else 0; whether 0 is a kink is asked elsewhere."""
        return self.numbers.step(real(x))


Slope: TypeAlias = Callable[[Lifted, Value, Value], Value]
_HALF, _MINUS = Fraction(1, 2), Fraction(-1)


def _bell(a: Lifted, x: Value) -> Value:
    """exp(-x²)"""
    return a.apply("exp", a.scaled(_MINUS, a.times(x, x)))


SLOPES: dict[str, Slope] = {
    # name: (arithmetic, x, y = f(x)) -> f'(x)
    "exp": lambda a, x, y: y,
    "log": lambda a, x, y: a.power(x, _MINUS),
    "tanh": lambda a, x, y: a.minus(a.one(), a.times(y, y)),
    "sigmoid": lambda a, x, y: a.times(y, a.minus(a.one(), y)),
    "softplus": lambda a, x, y: a.apply("sigmoid", x),
    "erf": lambda a, x, y: a.times(_bell(a, x), a.numbers.constant("two_over_sqrt_pi")),
    "sin": lambda a, x, y: a.apply("cos", x),
    "cos": lambda a, x, y: a.scaled(_MINUS, a.apply("sin", x)),
    "atan": lambda a, x, y: a.power(a.plus(a.one(), a.times(x, x)), _MINUS),
}  # fmt: skip


def _difference(a: Lifted, x: Value, s: int) -> Value:
    """(e^x + s e^-x) / 2"""
    e = a.apply("exp", x)
    return a.scaled(_HALF, a.plus(e, a.scaled(Fraction(s), a.power(e, _MINUS))))


def _sign(a: Lifted, x: Value) -> Value:
    return a.minus(a.step(x), a.step(a.scaled(_MINUS, x)))


STEPS = frozenset({"step", "relu", "sign", "abs"})  # with a kink where the argument is 0
COMPOSED: dict[str, Callable[[Lifted, Value], Value]] = {
    "sinh": lambda a, x: _difference(a, x, -1),
    "cosh": lambda a, x: _difference(a, x, 1),
    "step": lambda a, x: a.step(x),
    "relu": lambda a, x: a.times(x, a.step(x)),
    "sign": lambda a, x: _sign(a, x),
    "abs": lambda a, x: a.times(x, _sign(a, x)),
}

KNOWN = frozenset(SLOPES) | frozenset(COMPOSED)


@dataclass(frozen=True, slots=True)
class Loss:
    """The meaning of an abstract function of a whole array: a cubic polynomial in all its entries.

    Σ b_a y_a + Σ c_a y_a² + (Σ d_a y_a)² + (Σ e_a y_a)³ / 4 with small coefficients that depend on
    the name, the entry a and the index of the value; `simple` is Σ y_a² / 2.
    """

    name: str
    simple: bool = False

    def coefficients(self, position: Position) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """(b, c, d, e) of an entry."""
        if self.simple:
            return Fraction(0), Fraction(1, 2), Fraction(0), Fraction(0)
        draw = Random(f"{self.name}{position}")
        b, c, d, e = (Fraction(draw.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)), 4) for _ in range(4))
        return b, c, d, e

    def __call__(self, a: Lifted, entries: list[tuple[Position, Value]], at: Position) -> Value:
        zero = a.numbers.number(Fraction(0))
        total, square, cube = zero, zero, zero
        for position, y in entries:
            b, c, d, e = self.coefficients((*at, *position))
            total = a.plus(total, a.times(y, a.plus(a.numbers.number(b), a.scaled(c, y))))
            if not self.simple:
                square = a.plus(square, a.scaled(d, y))
                cube = a.plus(cube, a.scaled(e, y))
        if self.simple:
            return total
        cubed = a.scaled(Fraction(1, 4), a.power(cube, Fraction(3)))
        return a.plus(total, a.plus(a.power(square, Fraction(2)), cubed))

    def __str__(self) -> str:
        return "Σ y²/2" if self.simple else "a fixed cubic polynomial in all entries"


Floats: TypeAlias = Any  # a float or an ndarray of floats

_ERF = np.vectorize(math.erf, otypes=[float])


def _sigmoid(x: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, np.negative(x)))


def unless_zero(x: Floats) -> Floats:
    """x, and nan for 0: what NumPy makes infinite there has no value."""
    return np.where(np.equal(x, 0), np.nan, x)


def _log(x: Floats) -> Floats:
    return np.log(unless_zero(x))


_FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    **{name: getattr(np, theirs) for name, theirs in column(lambda f: f.numpy).items()},
    "log": _log, "sigmoid": _sigmoid, "softplus": lambda x: np.logaddexp(0, x), "erf": _ERF,
}  # fmt: skip
_CONSTANTS = {"pi": math.pi, "e": math.e, "two_over_sqrt_pi": 2 / math.sqrt(math.pi)}


class FloatNumbers:
    """Plain numbers for dual arithmetic: float64, alone or in arrays."""

    @staticmethod
    def plus(a: Floats, b: Floats) -> Floats:
        return a + b

    @staticmethod
    def times(a: Floats, b: Floats) -> Floats:
        return a * b

    @staticmethod
    def power(base: Floats, exponent: Fraction) -> Floats:
        if exponent.denominator == 1:
            n = exponent.numerator
            if n == 2:
                return base * base
            if n >= 0:
                return integer_power(base, n)
            return np.divide(1.0, integer_power(unless_zero(base), -n))
        known = np.greater(base, 0) if exponent < 0 else np.greater_equal(base, 0)
        return np.where(known, np.power(np.abs(base), float(exponent)), np.nan)

    @staticmethod
    def function(name: str, x: Floats) -> Floats:
        return _FUNCTIONS[name](x)

    @staticmethod
    def constant(name: str) -> Floats:
        return _CONSTANTS[name]

    @staticmethod
    def number(x: Fraction) -> Floats:
        return to_float(x)

    @staticmethod
    def step(x: Floats) -> Floats:
        return np.where(np.isnan(x), np.nan, np.greater(x, 0))


def integer_power(base: Floats, n: int) -> Floats:
    try:
        return base**n
    except OverflowError:  # Python's floats raise where NumPy's are infinite
        return np.power(np.float64(base), float(n))


def to_float(x: Any) -> float:
    """The nearest float of a number of any kind, for filters and reports; nan for no value."""
    if x is None:
        return math.nan
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def total(v: Floats, axes: tuple[int, ...], counts: tuple[int, ...]) -> Floats:
    """Sum over the last axes, of these lengths (an axis of length 1 counts as often as it is long)."""
    if np.ndim(v) == 0:
        return v * math.prod(counts)
    if not math.prod(counts):
        return np.zeros(v.shape[: -len(counts)])
    factor = math.prod(c for a, c in zip(axes, counts, strict=True) if v.shape[a] == 1)
    return v.sum(axis=axes) * factor
