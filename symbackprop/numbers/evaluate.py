"""The exact value of a term at a point.

Rational while everything is rational, otherwise rigorous intervals whose precision is raised
until the question asked is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import product
from typing import TypeVar, assert_never

from symbackprop.clock import check_time
from symbackprop.core.terms import Array, AtLeastZero, NonNegative, Nonzero, Positive, Predicate, Term, free

from . import exact_numbers as numbers
from .exact import Evaluation
from .exact_numbers import NoValue, Number, Undecided, Undefined
from .points import Point, Reaches, Scope, size_at

PRECISIONS = (64, 128, 256, 512, 1024)
T = TypeVar("T")


def decided(question: Callable[[], T]) -> T:
    """Ask with more and more bits.  Raises Undecided after the last."""
    for bits in PRECISIONS:
        check_time()
        numbers.precision(bits)
        try:
            return question()
        except Undecided as e:
            last = e
        finally:
            numbers.precision(PRECISIONS[0])
    raise last


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


def missing(
    lhs: Term, rhs: Term, point: Point, *, reaches: Reaches | None = None, kinks_have_values: bool = True
) -> tuple[Number, NoValue] | None:
    """The value of lhs and why rhs has none, where both are certain; None where that is not so."""
    shared = reaches or Reaches(point.definitions)

    def ask() -> tuple[Number, NoValue] | None:
        evaluation = Evaluation(point, shared, kinks_have_values)
        left = evaluation.at(lhs)
        try:
            evaluation.at(rhs)
        except NoValue as why:
            return left, why
        return None

    try:
        return decided(ask)
    except (Undefined, Undecided):
        return None


def off_kinks(
    terms: Iterable[Term],
    arrays: Iterable[Array],
    point: Point,
    reaches: Reaches | None = None,
    as_written: bool = False,
) -> bool:
    """Whether every step of the terms that one of the arrays acts through has a value and a derivative here.

    For all values of the free indices of the terms.  A step whose argument is constant around the point has one, unless
    steps are taken `as_written`.  False where that cannot be decided.
    """
    shared, moving = reaches or Reaches(point.definitions), tuple(arrays)

    def ask() -> bool:
        evaluation = Evaluation(point, shared, True)
        evaluation.as_written = as_written
        for t in terms:
            axes = sorted(free(t), key=lambda i: i.name)
            for at in product(*(range(size_at(i.size, point.sizes)) for i in axes)):
                evaluation.off_kinks(t, moving, Scope(dict(zip(axes, at, strict=True))))
        return True

    try:
        return decided(ask)
    except (Undefined, Undecided):
        return False


def holds_now(p: Predicate, evaluation: Evaluation) -> bool:
    """Whether a predicate holds, for the values of its free indices there, as far as this evaluation decides it."""
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


class Evaluations:
    """At one point, one for each precision: what several questions ask of is evaluated once."""

    def __init__(self, point: Point, reaches: Reaches | None = None) -> None:
        self.point, self.reaches = point, reaches or Reaches(point.definitions)
        self.known: dict[int, Evaluation] = {}

    def now(self) -> Evaluation:
        bits = numbers.bits()
        if bits not in self.known:
            self.known[bits] = Evaluation(self.point, self.reaches, True)
        return self.known[bits]
