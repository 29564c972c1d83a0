"""Intervals of the checker at an exhibited point contain the value, by another library."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from symbackprop.checker import recheck as checker
from symbackprop.core.context import EMPTY
from symbackprop.core.reasons import Point, satisfied
from symbackprop.core.terms import Apply, Positive, ProofError, neg, num, sub

FUNCTIONS = {"sin": mpmath.sin, "erf": mpmath.erf, "atan": mpmath.atan}
ENDS = [Fraction(n, 8) for n in (-40, -9, -8, -5, -1, 0, 1, 3, 8, 9, 13, 40)]


def real(x: Fraction) -> mpmath.mpf:
    return mpmath.mpf(x.numerator) / x.denominator


@pytest.mark.parametrize("fn", FUNCTIONS)
@pytest.mark.parametrize("low", ENDS)
def test_sines_and_their_like_are_between_their_bounds(fn: str, low: Fraction) -> None:
    for high in (x for x in ENDS if x >= low):
        lower, upper, _ = checker.bounds(fn, low, high)
        values = [FUNCTIONS[fn](real(low + (high - low) * k / 8)) for k in range(9)]
        assert all(real(lower) <= value <= real(upper) for value in values)


@pytest.mark.parametrize("at", ENDS)
def test_a_cosine_is_above_its_bound(at: Fraction) -> None:
    above = Positive(sub(Apply("cos", num(at)), num(Fraction(int(mpmath.cos(real(at)) * 1000) + 1, 1000))))
    with pytest.raises(ProofError):
        satisfied((above,), Point(), EMPTY)


def test_near_0_they_are_told_from_0() -> None:
    quarter = Fraction(1, 4)
    sine, error, cosine = Apply("sin", num(quarter)), neg(Apply("erf", num(-quarter))), Apply("cos", num(1))
    satisfied((Positive(sine), Positive(error), Positive(cosine)), Point(), EMPTY)
