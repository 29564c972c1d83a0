"""Single values for tests: exact ones, floats, and derivatives by central differences as an independent witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.core.indices import Index
from symbackprop.core.terms import Entry, Predicate, Term
from symbackprop.numbers.duals import Value
from symbackprop.numbers.evaluate import decided, holds_now
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import Number
from symbackprop.numbers.floats import FloatEvaluation, Move, Scope
from symbackprop.numbers.points import Point
from symbackprop.numbers.refute.report import Counterexample

STEP = 2.0**-9


def evaluate(term: Term, point: Point, *, kinks_have_values: bool = False) -> Number:
    """The value: a Fraction, a Log, or an interval.  Raises Undefined and Undecided."""
    return decided(lambda: Evaluation(point, None, kinks_have_values).at(term))


def holds(p: Predicate, point: Point) -> bool:
    """Whether a predicate holds at a point, for the values of its free indices there."""
    return decided(lambda: holds_now(p, Evaluation(point, None, True)))


def evaluate_floats(term: Term, point: Point, axes: Sequence[Index] = ()) -> np.ndarray[Any, Any]:
    """float64 values at all positions of `axes`; NaN where there is none."""
    return FloatEvaluation(point).tensor(axes, term)


@dataclass(frozen=True, slots=True, eq=False)
class Shift(Move):
    shift: float = 0.0

    def by(self, same: Value) -> Value:
        return self.shift * same


class Differences(FloatEvaluation):
    """Derivatives are central differences instead of dual arithmetic."""

    def derivative(self, body: Term, wrt: Entry, scope: Scope, moves: tuple[Move, ...]) -> Value:
        if wrt.array not in self.reaches.of(body).arrays:
            return 0.0

        def moved(shift: float) -> Value:
            at = tuple(self.index(i, scope) for i in wrt.at)
            return self.value(body, scope, (*moves, Shift(0, wrt.array, at, scope, shift)))

        h = STEP
        return (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)


def recheck(c: Counterexample) -> tuple[float, float]:
    """Both sides in float64, derivatives by central differences: an independent look at the same point.

    A side without a value is nan or infinite here, or a large number where 0 was not met exactly.
    """
    evaluation = Differences(c.point)
    return float(evaluation.tensor((), c.lhs_term)), float(evaluation.tensor((), c.rhs_term))
