"""One point, exactly: does the claim fail there, and does the point count?"""

from __future__ import annotations

from symbackprop.core.terms import Diff, subterms

from ..evaluate import difference, missing, off_kinks
from ..exact_numbers import NoValue, Undefined
from ..points import Point, Reaches
from .points import Question
from .report import Counterexample


def judged(question: Question, point: Point, reaches: Reaches, kinks_have_values: bool) -> Counterexample | None:
    """The counterexample at a point with index values, if exact arithmetic is certain that it is one.

    For a claim about a derivative (`question.moving`): where the derivative has a value and every step of the forward
    is off its kinks, the claim must have a value, and the same.
    """
    q = question
    try:
        both = difference(q.lhs, q.rhs, point, reaches=reaches, kinks_have_values=kinks_have_values)
        found = None if both is None else Counterexample(point, *both, q.lhs, q.rhs)
    except NoValue:
        found = without_value(q, point, reaches) if q.moving else None
    except Undefined:
        return None
    return found if found is not None and off_kinks(q.forward, q.moving, point, reaches) else None


def without_value(q: Question, point: Point, reaches: Reaches) -> Counterexample | None:
    if any(isinstance(t, Diff) for t in subterms(q.rhs)):
        return None
    lost = missing(q.lhs, q.rhs, point, reaches=reaches)
    return None if lost is None else Counterexample(point, lost[0], None, q.lhs, q.rhs, "no value", str(lost[1]))
