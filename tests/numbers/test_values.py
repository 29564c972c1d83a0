"""Which terms have a value at a point: guards, steps at 0, and what certainly has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from exact_values import evaluate

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, sized
from symbackprop.core.region import strict
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    Nonzero,
    Positive,
    Power,
    Term,
    add,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)
from symbackprop.numbers.evaluate import missing, off_kinks
from symbackprop.numbers.exact_numbers import Kink, NoValue, Undefined
from symbackprop.numbers.points import Point
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.search import satisfying_point, search

F = Fraction
N = sized("n")
I, J = Index("i", N), Index("j", N)
S, T, X, A = (Array(k) for k in ("s", "t", "x", "A"))
s, t = Entry(S, ()), Entry(T, ())


def at(value: str, other: str = "0") -> Point:
    return Point({"n": 2}, {S: {(): F(value)}, T: {(): F(other)}})


def h(u: Term) -> Term:
    return Holds(Positive(u))


def inverse(u: Term) -> Term:
    return Power(u, F(-1))


UNEQUAL = add(h(s), h(neg(s)))  # [s != 0], as np.where writes it
NUMBERS: list[tuple[str, Term, str, Fraction | None]] = [
    ("1/0", inverse(s), "0", None),
    ("0/0", mul(s, inverse(s)), "0", None),
    ("0 times 1/0", mul(ZERO, inverse(s)), "0", None),
    ("log 0", Apply("log", s), "0", None),
    ("log of a negative number", Apply("log", s), "-1", None),
    ("root of a negative number", Power(s, F(1, 2)), "-1", None),
    ("root of 0", Power(s, F(1, 2)), "0", F(0)),
    ("1 over the root of 0", Power(s, F(-1, 2)), "0", None),
    ("a guard", Mul((h(s), inverse(s))), "0", F(0)),
    ("a guard that lets through", Mul((h(s), inverse(s))), "2", F(1, 2)),
    ("a guard of several steps", Mul((UNEQUAL, inverse(s))), "0", F(0)),
    ("the other branch", Mul((sub(ONE, h(s)), Apply("log", neg(s)))), "1", F(0)),
    ("the number of a truth value", Mul((Add((h(s),)), inverse(s))), "0", None),
    ("a guard elsewhere", mul(h(t), mul(s, inverse(s))), "0", F(0)),
    ("a guard that is open elsewhere", mul(sub(ONE, h(t)), mul(s, inverse(s))), "0", None),
    ("a number that was chosen", mul(mul(num(7), UNEQUAL), inverse(s)), "0", None),
    ("or", mul(add(h(s), h(t), neg(mul(h(s), h(t)))), inverse(s)), "0", F(0)),
    ("and", mul(mul(h(s), UNEQUAL), inverse(s)), "0", F(0)),
    ("two guards", Mul((h(s), h(sub(s, ONE)), Apply("log", sub(s, ONE)))), "1/2", F(0)),
    ("step at 0", h(s), "0", F(0)),
    ("|0|", Apply("abs", s), "0", F(0)),
    ("sign of 0", Apply("sign", s), "0", F(0)),
    ("relu of 0", Apply("relu", s), "0", F(0)),
]


@pytest.mark.parametrize(("term", "value", "expected"), [n[1:] for n in NUMBERS], ids=[n[0] for n in NUMBERS])
def test_values(term: Term, value: str, expected: Fraction | None) -> None:
    point = at(value)
    if expected is None:
        with pytest.raises(NoValue):
            evaluate(term, point, kinks_have_values=True)
        assert missing(ONE, term, point) is not None
    else:
        assert evaluate(term, point, kinks_have_values=True) == expected
        assert missing(ONE, term, point) is None


UNDECIDED = [
    Apply("exp", num(10**12)), Entry(Array("unknown"), ()), Apply("gammaln", s), Apply("arcsin", s),
    Apply("exp", mul(num(2), Apply("log", sub(s, ONE)))), Apply("exp", add(s, Apply("log", sub(s, ONE)))),
    Apply("exp", neg(Power(sub(s, ONE), F(-2)))), Apply("exp", mul(num(2), Apply("log", sub(s, num(3))))),
]  # fmt: skip


@pytest.mark.parametrize("term", UNDECIDED, ids=str)
def test_what_is_not_known_is_not_missing(term: Term) -> None:
    """A name without a meaning, a number that is too large, a border, exp(-inf), a power as an exponential."""
    with pytest.raises(Undefined) as problem:
        evaluate(term, at("1"), kinks_have_values=True)
    assert not isinstance(problem.value, NoValue)
    assert missing(ONE, term, at("1")) is None


KINKS: list[tuple[str, Term, str, bool]] = [
    ("relu", mul(s, h(s)), "0", False),
    ("relu off its kink", mul(s, h(s)), "1", True),
    ("abs", Apply("abs", s), "0", False),
    ("a step of the other variable", mul(s, h(t)), "1", True),
    ("a root of the other variable", mul(s, Power(t, F(1, 2))), "1", True),
    ("x |x|", mul(s, Apply("abs", s)), "0", False),
    ("root", Power(mul(s, s), F(1, 2)), "0", False),
    ("guarded", mul(h(sub(s, ONE)), Power(s, F(1, 2))), "0", True),
    ("logarithm", Apply("log", s), "-1", False),
    ("the second relu", mul(mul(s, h(s)), h(mul(s, h(s)))), "-1", True),
]


@pytest.mark.parametrize(("term", "value", "smooth"), [k[1:] for k in KINKS], ids=[k[0] for k in KINKS])
def test_kinks_count_where_the_variable_is_an_argument(term: Term, value: str, smooth: bool) -> None:
    assert off_kinks([term], [S], at(value)) == smooth
    if not smooth:
        with pytest.raises((Kink, NoValue)):
            evaluate(Diff(term, s), at(value), kinks_have_values=True)


def test_kinks_of_all_entries_count() -> None:
    relus = over(I, mul(Entry(X, (I,)), h(Entry(X, (I,)))))
    mixed = Point({"n": 2}, {X: {(0,): F(1), (1,): F(0)}})
    assert not off_kinks([relus], [X], mixed)
    assert not off_kinks([mul(Entry(X, (I,)), h(Entry(X, (I,))))], [X], mixed)  # all values of i
    assert off_kinks([relus], [S], mixed)


def test_as_written_a_step_counts_where_its_argument_cancels() -> None:
    deviation = Power(mul(sub(s, s), sub(s, s)), F(1, 2))
    assert off_kinks([deviation], [S], at("1"))
    assert not off_kinks([deviation], [S], at("1"), as_written=True)


def test_the_place_is_told() -> None:
    u = mul(Entry(X, (I,)), inverse(sub(Entry(X, (I,)), Entry(X, (J,)))))
    point = Point({"n": 2}, {X: {(0,): F(3), (1,): F(3)}}, {}, {I: 0, J: 1})
    lost = missing(ONE, u, point)
    assert lost is not None and str(lost[1]) == "1/0 at x[0] = 3, x[1] = 3"
    sizes = missing(ONE, inverse(sized("n") - 2), point)
    assert sizes is not None and str(sizes[1]) == "1/0 at n-2 = 0"
    singular = missing(ONE, whole("inv", 0, (I, J), sub(Entry(X, (I,)), Entry(X, (J,))), (I, J)), point)
    assert singular is not None and str(singular[1]) == "the inverse of a singular matrix at x[0] = 3, x[1] = 3"


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (Power(Apply("sign", s), F(2)), ONE),
        (sub(ONE, h(neg(s))), h(s)),
        (mul(s, inverse(s)), add(ONE, mul(h(s), h(neg(s)), t), mul(Delta(I, J), sub(ONE, UNEQUAL)))),
        (sub(ONE, h(sub(s, num(40)))), h(sub(num(40), s))),
        (Power(num(2**60), F(60)), ONE),
    ],
    ids=["sign^2 = 1", "[s >= 0] = [s > 0]", "no value is no number", "[s <= 40] = [s < 40]", "large powers"],
)
def test_case_distinctions_that_are_wrong_at_one_point(lhs: Term, rhs: Term) -> None:
    found = search(Question(lhs, rhs), kinks_have_values=True).counterexample
    if lhs == mul(s, inverse(s)):  # a formula: where a side has no value nothing is claimed
        assert found is None
    else:
        assert found is not None and found.kind == "differs"


def test_what_excuses_a_point_is_the_forward() -> None:
    """Also through arrays that the derivative does not look at."""
    claim = Question(Diff(mul(s, s), s), add(mul(num(2), s), UNEQUAL), forward=(mul(s, s), Apply("log", t)))
    found = search(claim).counterexample
    assert found is not None and found.point.arrays[T][()] == 1
    kink = Question(Diff(mul(s, s), s), sub(add(mul(num(2), s), ONE), UNEQUAL), forward=(mul(s, s), Apply("abs", s)))
    assert search(kink).counterexample is None  # wrong at 0 only, where |s| has no derivative
    assert search(replace(kink, forward=())).counterexample is not None


FORCED: list[tuple[str, Sequence[Hypothesis], bool]] = [
    ("x >= 0", [AtLeastZero(Entry(X, (I,)))], True),
    ("A >= A^T", [AtLeastZero(sub(Entry(A, (I, J)), Entry(A, (J, I))))], False),
    ("x <= 0 and x >= 0", [AtLeastZero(Entry(X, (I,))), AtLeastZero(neg(Entry(X, (I,))))], False),
    ("x <= y <= x + 1", [AtLeastZero(sub(t, s)), AtLeastZero(sub(add(s, ONE), t))], True),
    ("s >= t >= s", [AtLeastZero(sub(t, s)), AtLeastZero(sub(s, t))], False),
    ("n >= 2", [AtLeastZero(sized("n") - 2), AtLeastZero(Entry(X, (I,)))], True),
    ("a root of squares", [AtLeastZero(neg(mul(s, s)))], False),
]


@pytest.mark.parametrize(("hypotheses", "open_"), [f[1:] for f in FORCED], ids=[f[0] for f in FORCED])
def test_hypotheses_that_force_equalities_have_no_inner_point(hypotheses: Sequence[Hypothesis], open_: bool) -> None:
    found = satisfying_point([strict(h, hypotheses) for h in hypotheses])
    assert (found is not None) == open_
    assert satisfying_point(hypotheses) is not None  # without derivatives borders are points like others


def test_a_witness_has_room_on_every_axis() -> None:
    unequal = Nonzero(sub(Entry(X, (I,)), Entry(X, (J,))))  # no point with n >= 2: i = j is among the values
    assert satisfying_point([unequal]) is None
    differences = Entry(Array("d"), (Index("k", N - 1),))
    point = satisfying_point([Positive(differences)])
    assert point is not None and point.sizes["n"] >= 3
    only_one = Same(sized("n"), ONE)
    point = satisfying_point([only_one, Positive(Entry(X, (I,)))])
    assert point is not None and point.sizes["n"] == 1
