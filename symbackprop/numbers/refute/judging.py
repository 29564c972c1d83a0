"""Whether a claim fails at a point: exact arithmetic decides."""

from __future__ import annotations

from symbackprop.core.terms import Diff, Term, subterms

from ..evaluate import difference, missing, off_kinks
from ..exact_numbers import NoValue, Undefined
from ..points import Point, Reaches
from .points import Question, Sampler
from .report import Counterexample


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
