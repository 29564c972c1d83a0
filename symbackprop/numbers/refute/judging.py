"""Whether a claim fails at a point: exact arithmetic decides."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.core.terms import Diff, Num, Term, subterms
from symbackprop.numbers import exact_numbers as numbers
from symbackprop.numbers.evaluate import decided, difference, missing, off_kinks
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import NoValue, Number, Undecided, Undefined, decimal_digits, slack
from symbackprop.numbers.points import Point, Reaches
from symbackprop.numbers.refute.points import Question, Sampler
from symbackprop.numbers.refute.report import Counterexample


def judged(sampler: Sampler, point: Point, kinks_have_values: bool) -> Counterexample | None:
    """The counterexample at a point with index values, if exact arithmetic is certain that it is one.

    For a claim about a derivative (`question.variables`): where the derivative has a value and every step of the
    forward is off its kinks, the claim must have a value, and the same.
    """
    q, reaches = sampler.question, sampler.reaches
    try:
        both = difference(q.lhs, q.rhs, point, reaches=reaches, kinks_have_values=kinks_have_values)
    except NoValue:
        return without_value(q, point, reaches) if q.variables else None
    except Undefined:
        return None
    if both is None or not off_kinks(q.forward, q.variables, point, reaches):
        return None
    return Counterexample(point, *both, q.lhs, q.rhs)


def without_value(q: Question, point: Point, reaches: Reaches) -> Counterexample | None:
    """Here steps count as written, even where what moves cancels in their argument.

    The gradient of a standard deviation is 0/0 at n = 1, as automatic differentiation has it.
    """
    if any(isinstance(t, Diff) for t in subterms(q.rhs)):
        return None
    lost = missing(q.lhs, q.rhs, point, reaches=reaches)
    if lost is None or not off_kinks(q.forward or differentiated(q.lhs), q.variables, point, reaches, as_written=True):
        return None
    return Counterexample(point, lost[0], None, q.lhs, q.rhs, "no value", str(lost[1]))


def differentiated(t: Term) -> tuple[Term, ...]:
    """What stands under the derivatives of a side, where it depends on no more than the point."""
    while isinstance(t, Diff):
        t = t.body
    return (t,)


# --- could the rounding of a constant explain a difference?  Then it refutes nothing ---


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
