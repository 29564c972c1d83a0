"""Numbers of a text and how well they are known: a decimal of many digits stands for an interval."""

from __future__ import annotations

from fractions import Fraction

from .exact_numbers import Number, around


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
