"""Rounding excuses a difference where an interval for each constant says so, and nowhere else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from exact_values import evaluate

from symbackprop.core.terms import Apply, Array, Entry, Num, Term, add, mul, num
from symbackprop.numbers.points import Point
from symbackprop.numbers.refute.judging import rounding_explains
from symbackprop.numbers.refute.report import Counterexample

F = Fraction
S = Array("s")
s = Entry(S, ())
PI = Entry(Array("pi"), ())

ROOT = "1.4142135623730951"
DECIMALS = ["0.7978845608", "0.7978845608028654", "3.14159265", "1.000000119", "0.3333333", "2718281.828", ROOT, "1e-9"]


def c(text: str) -> Num:
    return Num(F(text))


def explained(lhs: Term, rhs: Term, *rounded: str, at: str = "3/2") -> bool:
    point = Point(arrays={S: {(): F(at)}})
    found = Counterexample(point, evaluate(num(1), point), evaluate(num(2), point), lhs, rhs)
    return rounding_explains(found, [(float(F(r)), F(r)) for r in rounded])


@pytest.mark.parametrize("text", DECIMALS)
@pytest.mark.parametrize("factor", ["2", "-1", "1.001", "1.00001", "1/2"])
def test_a_factor_is_no_rounding(text: str, factor: str) -> None:
    lhs, rhs = mul(c(text), s), mul(Num(F(text) * F(factor)), s)
    assert not explained(lhs, rhs, text)
    assert not explained(mul(c(text), s), mul(num(F(factor)), c(text), s), text)


@pytest.mark.parametrize(
    ("lhs", "rhs", "rounded"),
    [
        (mul(c("0.3333333333333333"), s), mul(num(F(1, 3)), s), "0.3333333333333333"),
        (mul(c("0.3333333"), s), mul(num(F(1, 3)), s), "0.3333333"),
        (mul(c("3.14159265"), s), mul(PI, s), "3.14159265"),
        (mul(c(ROOT), c(ROOT), s), mul(num(2), s), ROOT),
        (Apply("exp", mul(c("0.6931471806"), s)), Apply("exp", mul(Apply("log", num(2)), s)), "0.6931471806"),
        (add(c("1000000.1"), s), add(c("1000000.1"), s), "1000000.1"),
        (mul(Num(1 / F("0.7978845608")), s), mul(Num(F("1.253314137")), s), "0.7978845608"),
    ],
)
def test_what_rounding_explains(lhs: Term, rhs: Term, rounded: str) -> None:
    assert explained(lhs, rhs, rounded)


@pytest.mark.parametrize("digits", range(7, 16))
@pytest.mark.parametrize("wrong", [47, 1000])
def test_digits_count(digits: int, wrong: int) -> None:
    """One wrong digit is no rounding, however late it stands; one unit of the last may be."""
    text = f"{0.785398163397448309:.{digits}f}"
    unit = F(1, 10**digits)
    assert explained(mul(c(text), s), mul(Num(F(text) + unit), s), text)
    assert not explained(mul(c(text), s), mul(Num(F(text) + wrong * unit), s), text)


def test_without_rounded_constants_nothing_is_explained() -> None:
    assert not explained(mul(c("0.3333333"), s), mul(num(F(1, 3)), s))
