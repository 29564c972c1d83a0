"""Could the rounding of a constant explain a difference?  Then it refutes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.core.terms import Num, Term, subterms
from symbackprop.numbers.evaluate import decided
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import Number, Undecided, Undefined, decimal_digits, slack

from . import exact_numbers as numbers
from .refute.report import Counterexample

SIMPLE = 10**6  # a fraction with smaller numbers was not made of rounded constants


def rounding_explains(c: Counterexample, rounded: Sequence[tuple[float, Fraction]]) -> bool:
    """Whether the two sides may be equal when each constant of many digits is only known up to its last ones.

    Intervals: False where the difference certainly is not 0 for all values that the constants may stand for.  Where a
    rounded constant occurs in neither side, other numbers were made of it and each of them is as uncertain.
    """
    if not rounded or c.rhs is None:
        return False
    evaluation = Rounded(c, rounded)

    def differs() -> bool:
        return numbers.sign(evaluation.gap()) != 0

    try:
        return not decided(differs)
    except (Undefined, Undecided):
        return True


class Rounded:
    """Both sides of a counterexample, with an interval for each number that may be rounded."""

    def __init__(self, c: Counterexample, rounded: Sequence[tuple[float, Fraction]]) -> None:
        self.c = c
        self.constants = {sign * value for _, value in rounded for sign in (1, -1)}
        seen = {t.value for side in self.sides for t in subterms(side) if isinstance(t, Num)}
        lost = [slack(value) for _, value in rounded if not {value, -value} & seen]
        self.spread = 10 * max(lost, default=Fraction(0))

    @property
    def sides(self) -> tuple[Term, Term]:
        return self.c.lhs_term, self.c.rhs_term

    def gap(self) -> Number:
        evaluation = Evaluation(self.c.point, None, True, self.constant)
        left, right = map(evaluation.at, self.sides)
        return numbers.plus(left, numbers.times(Fraction(-1), right))

    def constant(self, c: Fraction) -> Number:
        if c in self.constants or decimal_digits(c) is not None:
            radius = slack(c)
        elif max(abs(c.numerator), c.denominator) > SIMPLE:
            radius = self.spread * max(Fraction(1), abs(c))
        else:
            return c
        return numbers.around(c, radius) if radius else c
