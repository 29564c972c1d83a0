"""The exact value of a term at a point.

Rational while everything is rational, otherwise rigorous intervals whose precision is raised
until the question asked is decided.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar, assert_never

from symbackprop.core.terms import AtLeastZero, NonNegative, Nonzero, Positive, Predicate, Term

from . import exact_numbers as numbers
from .exact import Evaluation
from .exact_numbers import Number, Undecided, Undefined
from .points import Point, Reaches

__all__ = ["PRECISIONS", "Evaluation", "Point", "Undecided", "Undefined", "decided", "difference", "evaluate", "holds"]

PRECISIONS = (64, 128, 256, 512, 1024)
T = TypeVar("T")


def decided(question: Callable[[], T]) -> T:
    """Ask with more and more bits.  Raises Undecided after the last."""
    for bits in PRECISIONS:
        numbers.precision(bits)
        try:
            return question()
        except Undecided as e:
            last = e
        finally:
            numbers.precision(PRECISIONS[0])
    raise last


def evaluate(term: Term, point: Point, *, kinks_have_values: bool = False) -> Number:
    """The value: a Fraction, a Log, or an interval of at least 40 correct bits.

    Raises Undefined (1/0, a kink under a derivative, an entry without a value) and Undecided.
    """

    def ask() -> Number:
        value = Evaluation(point, None, kinks_have_values).at(term)
        if type(value) is not Fraction and numbers.ball(value).rel_accuracy_bits() < 40:
            if numbers.ball(value).rad() > 1e-12:
                raise Undecided("the value is not known well enough")
        return value

    return decided(ask)


def difference(
    lhs: Term, rhs: Term, point: Point, *, reaches: Reaches | None = None, kinks_have_values: bool = False
) -> tuple[Number, Number] | None:
    """Both values where they certainly differ; None where they are equal or cannot be told apart.

    Raises Undefined where a side has no value.
    """
    shared = reaches or Reaches(point.definitions)

    def ask() -> tuple[Number, Number] | None:
        evaluation = Evaluation(point, shared, kinks_have_values)
        left, right = evaluation.at(lhs), evaluation.at(rhs)
        gap = numbers.plus(left, numbers.times(Fraction(-1), right))
        return (left, right) if numbers.sign(gap) else None

    try:
        return decided(ask)
    except Undecided:
        return None


def holds(p: Predicate, point: Point, *, reaches: Reaches | None = None) -> bool:
    """Whether a predicate holds at a point, for the values of its free indices there."""

    def ask() -> bool:
        evaluation = Evaluation(point, reaches, True)
        match p:
            case NonNegative(expr):
                return evaluation.index(expr, evaluation.root) >= 0
            case Positive(term):
                return numbers.sign(evaluation.at(term)) > 0
            case AtLeastZero(term):
                return numbers.sign(evaluation.at(term)) >= 0
            case Nonzero(term):
                return numbers.sign(evaluation.at(term)) != 0
            case _:
                assert_never(p)

    return decided(ask)
