"""Intervals at an exhibited point contain the value, in the core and in the checker, by another library."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from symbackprop.checker import recheck as checker
from symbackprop.core import point

FUNCTIONS = {"sin": mpmath.sin, "cos": mpmath.cos, "erf": mpmath.erf, "atan": mpmath.atan}
ENDS = [Fraction(n, 8) for n in (-40, -9, -8, -5, -1, 0, 1, 3, 8, 9, 13, 40)]


def real(x: Fraction) -> mpmath.mpf:
    return mpmath.mpf(x.numerator) / x.denominator


@pytest.mark.parametrize("fn", FUNCTIONS)
@pytest.mark.parametrize("low", ENDS)
def test_sines_and_their_like_are_between_their_bounds(fn: str, low: Fraction) -> None:
    for high in (x for x in ENDS if x >= low):
        found = point.apply(fn, point.Number(low, high))
        again = found if fn == "cos" else checker.bounds(fn, low, high)
        for k in range(9):
            value = FUNCTIONS[fn](real(low + (high - low) * k / 8))
            assert all(real(lower) <= value <= real(upper) for lower, upper, *_ in (found, again))


def test_near_0_they_are_told_from_0() -> None:
    quarter = Fraction(1, 4)
    assert point.apply("sin", point.exact(quarter)).low > 0 > point.apply("erf", point.exact(-quarter)).high
    assert point.apply("cos", point.exact(1)).low > 0
