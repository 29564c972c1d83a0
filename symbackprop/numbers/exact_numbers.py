"""Exact numbers: rationals, logarithms of rationals, and intervals where neither is enough.

A value is a `Fraction`, a `Log` (so that exp(log p) is p again) or a real interval of `flint.arb` that encloses the
number.  Signs are decided rigorously or `Undecided` is raised, and the caller asks again with more bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

import flint

from symbackprop.core.functions import FUNCTIONS, column
from symbackprop.core.indices import SymbackpropError

Ball: TypeAlias = Any  # flint.arb, which has no types


class Undefined(SymbackpropError):
    """Nothing is known here: no value, no derivative, or a value that is not worked out (a name without a meaning)."""


class NoValue(Undefined):
    """Certainly no real number: 1/0, log(-1), the inverse of a singular matrix; and where."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(f"{what} at {where}" if where else what)
        self.what, self.where = what, where


INFINITE = ("1/0", "log of 0")  # what has no value in this way may be -inf, which exp makes 0


class Kink(Undefined):
    """A step without a derivative: |x| at 0, a tie under a maximum, a root at 0."""


class RootAtZero(Kink):
    """The kink of a root."""


class Undecided(SymbackpropError):
    """The enclosure is too wide to decide a sign."""


@dataclass(frozen=True, slots=True)
class Log:
    """log of a positive rational other than 1."""

    of: Fraction

    def __str__(self) -> str:
        return f"log({self.of})"

    def __float__(self) -> float:
        return float(ball(self))


Number: TypeAlias = Fraction | Log | Ball

_ZERO, _ONE = Fraction(0), Fraction(1)
_ROOT_LIMIT = 1 << 200
_LARGEST = 1e10  # of an exponent of e: masks of -1e9 are common
_EXPONENT_LIMIT = 512


def precision(bits: int) -> None:
    """Work with this many bits from now on (intervals only)."""
    flint.ctx.prec = bits


def bits() -> int:
    """Of the intervals."""
    return int(flint.ctx.prec)


def enclosed(x: Fraction) -> Ball:
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


def around(x: Fraction, radius: Fraction) -> Ball:
    """[x - radius, x + radius]: a constant of which only the decimals written are known."""
    return flint.arb(flint.fmpq(x.numerator, x.denominator), flint.fmpq(radius.numerator, radius.denominator))


def ball(x: Number) -> Ball:
    """An interval around x."""
    if type(x) is Fraction:
        return enclosed(x)
    if type(x) is Log:
        return enclosed(x.of).log()
    return x


def logarithm(of: Fraction) -> Number:
    return _ZERO if of == 1 else Log(of)


def plus(a: Number, b: Number) -> Number:
    if type(a) is Fraction and type(b) is Fraction:
        return a + b
    if type(a) is Log and type(b) is Log:
        return logarithm(a.of * b.of)
    if type(a) is Fraction and not a:
        return b
    if type(b) is Fraction and not b:
        return a
    return ball(a) + ball(b)


def times(a: Number, b: Number) -> Number:
    if type(a) is Fraction and type(b) is Fraction:
        return a * b
    if type(b) is Fraction:
        a, b = b, a
    if type(a) is Fraction:
        if not a:
            return _ZERO
        if a == 1:
            return b
        if type(b) is Log and a.denominator == 1 and abs(a.numerator) <= 16:
            return logarithm(b.of**a.numerator)
    return finite(ball(a) * ball(b))


def finite(x: Ball) -> Ball:
    if not x.is_finite():
        raise Undecided("an enclosure is not finite")
    return x


def sign(x: Number) -> int:
    """-1, 0 or 1.  Raises Undecided where the enclosure contains 0 and more."""
    if type(x) is Fraction:
        return (x > 0) - (x < 0)
    if type(x) is Log:
        return 1 if x.of > 1 else -1
    enclosure: Ball = x
    if enclosure > 0:
        return 1
    if enclosure < 0:
        return -1
    if enclosure.is_zero():
        return 0
    raise Undecided("the sign of an enclosure around 0")


def number(x: Fraction) -> Number:
    return x


def step(x: Number) -> Number:
    return _ONE if sign(x) > 0 else _ZERO


def power(base: Number, exponent: Fraction) -> Number:
    """base^exponent; √0 is 0.  Raises Undefined for 1/0 and for roots of what is negative."""
    if exponent.denominator == 1:
        n = exponent.numerator
        if n < 0 and sign(base) == 0:
            raise NoValue("1/0")
        if abs(n) > _EXPONENT_LIMIT:
            if type(base) is not Fraction and sign(base) > 0:
                return _exp(times(exponent, ball(base).log()))
            raise Undefined(f"the exponent {n} is too large to evaluate")
        if type(base) is Fraction:
            if abs(n) > 1 and max(abs(base.numerator), base.denominator).bit_length() * abs(n) > 20000:
                return finite(ball(base) ** n)
            return base**n
        return base if n == 1 else _ONE if n == 0 else finite(ball(base) ** n)
    s = sign(base)
    if s == 0 and exponent > 0:
        return _ZERO
    if s <= 0:
        raise NoValue("1/0" if s == 0 else "a root of a negative number")
    if type(base) is Fraction:
        root = exact_root(base, exponent.denominator)
        if root is not None and abs(exponent.numerator) <= _EXPONENT_LIMIT:
            return root**exponent.numerator
    x = ball(base)
    if exponent.denominator == 2:
        return finite(x.sqrt() ** exponent.numerator)
    return finite(x ** ball(exponent))


def exact_root(x: Fraction, q: int) -> Fraction | None:
    """The positive rational whose q-th power is x, if there is one."""
    top, bottom = integer_root(x.numerator, q), integer_root(x.denominator, q)
    return None if top is None or bottom is None else Fraction(top, bottom)


def integer_root(n: int, q: int) -> int | None:
    if q == 2:
        r = isqrt(n)
        return r if r * r == n else None
    if n > _ROOT_LIMIT or q > 64:
        return None
    r = round(n ** (1 / q))
    return next((c for c in (r - 1, r, r + 1) if c >= 0 and c**q == n), None)


def function(name: str, x: Number) -> Number:
    """A primitive function of the table at a number."""
    match name:
        case "exp":
            return _exp(x)
        case "log":
            s = sign(x)
            if s <= 0:
                raise NoValue("log of a negative number" if s else "log of 0")
            return logarithm(x) if type(x) is Fraction else finite(ball(x).log())
        case "tanh":
            if type(x) is Log:
                return (x.of**2 - 1) / (x.of**2 + 1)
        case "sigmoid":
            if type(x) is Log:
                return x.of / (1 + x.of)
            return Fraction(1, 2) if x == 0 else _ratio(_ONE, plus(_ONE, _exp(times(Fraction(-1), x))))
        case "softplus":
            return function("log", plus(_ONE, _exp(x)))
    if type(x) is Fraction and not x and isinstance(at_zero := FUNCTIONS[name].at_zero, Fraction):
        return at_zero
    return finite(getattr(ball(x), _METHODS[name])())


def _exp(x: Number) -> Number:
    if type(x) is Log:
        return x.of
    if type(x) is Fraction and not x:
        return _ONE
    y = ball(x)
    if abs(float(y.mid())) > _LARGEST:
        raise Undefined("the exponential of a number that large")
    return finite(y.exp())


def _ratio(a: Number, b: Number) -> Number:
    return times(a, power(b, Fraction(-1)))


_METHODS = column(lambda f: f.ball)


def constant(name: str) -> Number:
    """A constant of the tables: pi, e, two_over_sqrt_pi."""
    match name:
        case "pi":
            return flint.arb.pi()
        case "e":
            return enclosed(_ONE).exp()
        case _:
            return times(Fraction(2), power(flint.arb.pi(), Fraction(-1, 2)))


def written(x: Number, digits: int = 15) -> str:
    """The number for a person: exact, or the decimals that are certain."""
    if type(x) is Fraction or type(x) is Log:
        return str(x)
    return str(ball(x).str(digits, radius=False))


# --- numbers of a text and how well they are known: a decimal of many digits stands for an interval ---


def written_constant(c: Fraction) -> Number:
    """A decimal of many digits is known only up to its last digits; every other number is exact."""
    return c if decimal_digits(c) is None else around(c, slack(c))


def slack(c: Fraction) -> Fraction:
    """How far the number that was meant may be away: one in the last digit, ten where a float's digits are full."""
    digits = decimal_digits(c)
    if digits is None:
        return abs(c) * Fraction(1, 10**15)
    return Fraction(1 if len(str(abs(c.numerator) * 10**digits // c.denominator)) < 15 else 10, 10**digits)


def decimal_digits(c: Fraction) -> int | None:
    """Decimals of a number that looks rounded: a finite decimal with seven or more significant digits."""
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
    return digits if len(str(abs(c.numerator) * 10**digits // c.denominator)) >= 7 else None
