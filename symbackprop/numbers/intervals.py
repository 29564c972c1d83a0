"""Real intervals: `flint.arb` where python-flint is installed, else a wrapper of `mpmath.iv`.

Only what `evaluate_numbers` asks for.  Both enclose the true value; arb is some ten times faster.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import mpmath

from symbackprop.core.functions import ROWS

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
