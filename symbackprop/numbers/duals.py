"""Numbers with infinitesimal parts: derivatives by forward-mode arithmetic.

`Dual(level, p, t)` is p + t ε with ε² = 0; levels nest, so p and t may be duals of lower levels
(second derivatives).  The same code runs over exact numbers and over arrays of floats.  Nothing
here is shared with the laws of differentiation that the prover uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Dual:
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
        if type(a) is not Dual and type(b) is not Dual:
            return self.numbers.plus(a, b)
        level = max(level_of(a), level_of(b))
        (p, t), (q, u) = parts(a, level), parts(b, level)
        return Dual(level, self.plus(p, q), self._sum(t, u))

    def _sum(self, t: Value | None, u: Value | None) -> Value:
        return u if t is None else t if u is None else self.plus(t, u)

    def times(self, a: Value, b: Value) -> Value:
        if type(a) is not Dual and type(b) is not Dual:
            return self.numbers.times(a, b)
        level = max(level_of(a), level_of(b))
        (p, t), (q, u) = parts(a, level), parts(b, level)
        left = None if t is None else self.times(t, q)
        right = None if u is None else self.times(p, u)
        return Dual(level, self.times(p, q), self._sum(left, right))

    def scaled(self, c: Fraction, a: Value) -> Value:
        return a if c == 1 else self.times(self.numbers.number(c), a)

    def minus(self, a: Value, b: Value) -> Value:
        return self.plus(a, self.scaled(Fraction(-1), b))

    def over(self, a: Value, b: Value) -> Value:
        return self.times(a, self.power(b, Fraction(-1)))

    def total(self, xs: Sequence[Value]) -> Value:
        result = self.numbers.number(Fraction(0))
        for x in xs:
            result = self.plus(result, x)
        return result

    def product(self, xs: Sequence[Value]) -> Value:
        result = self.numbers.number(Fraction(1))
        for x in xs:
            result = self.times(result, x)
        return result

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
