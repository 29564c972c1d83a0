"""Exact numbers: rationals, logarithms of rationals, and intervals where neither is enough.

A value is a `Fraction`, a `Log` (so that exp(log p) is p again) or a real interval that encloses the number.  Signs are
decided rigorously or `Undecided` is raised, and the caller asks again with more bits.  Intervals are those of
`flint.arb` where python-flint is installed, else a wrapper of `mpmath.iv`; arb is some ten times faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

import mpmath

from symbackprop.core.functions import FUNCTIONS, ROWS, column
from symbackprop.core.indices import SymbackpropError

try:
    import flint
except ImportError:  # the optional extra "fast"
    flint = None  # type: ignore[assignment]

Ball: TypeAlias = Any  # flint.arb or Interval: neither is typed well enough to say more


class Interval:
    """The part of arb's interface that is used, over mpmath.iv."""

    __slots__ = ("iv",)

    def __init__(self, iv: Any) -> None:
        self.iv = iv

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.iv + other.iv)

    def __mul__(self, other: Interval) -> Interval:
        return Interval(self.iv * other.iv)

    def __pow__(self, exponent: Interval | int) -> Interval:
        if isinstance(exponent, int):
            return Interval(self.iv**exponent)
        return (exponent * self.log()).exp()

    def __gt__(self, number: int) -> bool:
        return bool(self.iv.a > number)

    def __lt__(self, number: int) -> bool:
        return bool(self.iv.b < number)

    def is_zero(self) -> bool:
        return bool(self.iv.a == 0 and self.iv.b == 0)

    def is_finite(self) -> bool:
        return bool(mpmath.isfinite(mpmath.mpf(self.iv.a)) and mpmath.isfinite(mpmath.mpf(self.iv.b)))

    def mid(self) -> Any:
        return mpmath.mpf(self.iv.mid)

    def __float__(self) -> float:
        return float(self.mid())

    def rad(self) -> Any:
        return mpmath.mpf(self.iv.delta) / 2

    def rel_accuracy_bits(self) -> int:
        rad, mid = self.rad(), abs(self.mid())
        return 10**6 if rad == 0 else -(10**6) if mid == 0 else int(mpmath.log(mid / rad, 2))

    def str(self, digits: int, radius: bool = False) -> str:
        bits = self.rel_accuracy_bits()
        return str(mpmath.nstr(self.mid(), max(1, min(digits, int(bits * 0.301)))))

    def exp(self) -> Interval:
        return Interval(mpmath.iv.exp(self.iv))

    def log(self) -> Interval:
        return Interval(mpmath.iv.log(self.iv))

    def sqrt(self) -> Interval:
        return Interval(mpmath.iv.sqrt(self.iv))

    def sin(self) -> Interval:
        return Interval(mpmath.iv.sin(self.iv))

    def cos(self) -> Interval:
        return Interval(mpmath.iv.cos(self.iv))

    def monotone(self, f: Callable[[Any], Any]) -> Interval:
        """An increasing function at both ends, 30 bits more than asked for, widened by far more than its error."""
        bits = mpmath.iv.prec
        with mpmath.workprec(bits + 30):
            low, high = f(mpmath.mpf(self.iv.a)), f(mpmath.mpf(self.iv.b))
            slack = mpmath.ldexp(1, -bits - 10)
            return Interval(mpmath.iv.mpf([low - abs(low) * slack, high + abs(high) * slack]))


def increasing(name: str) -> Callable[[Interval], Interval]:
    return lambda x: x.monotone(getattr(mpmath, name))


for _f in ROWS:
    if _f.increasing and isinstance(_f.ball, str):
        setattr(Interval, _f.ball, increasing(_f.ball))


def set_precision(bits: int) -> None:
    if flint is not None:
        flint.ctx.prec = bits
    mpmath.iv.prec = bits


def precision_now() -> int:
    return int(mpmath.iv.prec)


def enclosed(x: Fraction) -> Ball:
    if flint is not None:
        return flint.arb(flint.fmpq(x.numerator, x.denominator))
    return Interval(mpmath.iv.mpf(x.numerator) / mpmath.iv.mpf(x.denominator))


def around(x: Fraction, radius: Fraction) -> Ball:
    """[x - radius, x + radius]: a constant of which only the decimals written are known."""
    if flint is not None:
        return flint.arb(flint.fmpq(x.numerator, x.denominator), flint.fmpq(radius.numerator, radius.denominator))
    low, high = enclosed(x - radius).iv, enclosed(x + radius).iv
    return Interval(mpmath.iv.mpf([low.a, high.b]))


def pi() -> Ball:
    return flint.arb.pi() if flint is not None else Interval(+mpmath.iv.pi)


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
    set_precision(bits)


def bits() -> int:
    """Of the intervals."""
    return precision_now()


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
            return pi()
        case "e":
            return enclosed(_ONE).exp()
        case _:
            return times(Fraction(2), power(pi(), Fraction(-1, 2)))


def written(x: Number, digits: int = 15) -> str:
    """The number for a person: exact, or the decimals that are certain."""
    if type(x) is Fraction or type(x) is Log:
        return str(x)
    return str(ball(x).str(digits, radius=False))
