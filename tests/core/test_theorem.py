"""Theorems that are shown, what they say of themselves, and arguments that show nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from theorem_forgeries import FORGERIES, OVER_X, THEOREMS, given, mul, shown, x

from symbackprop.core.certificate import certificate
from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Least
from symbackprop.core.kernel import Linear
from symbackprop.core.point import Point
from symbackprop.core.reasons import Argument, Given, Statement
from symbackprop.core.rows import Reader
from symbackprop.core.terms import ONE, Positive, ProofError, Term, add, num, sized
from symbackprop.core.theorem import Ledger, Theorem, theorem
from symbackprop.prove.showing import Showing


@pytest.mark.parametrize("show", THEOREMS.values(), ids=THEOREMS.keys())
def test_theorem_is_shown(show: Callable[[], object]) -> None:
    assert show() is not None


@pytest.mark.parametrize("commit", FORGERIES.values(), ids=FORGERIES.keys())
def test_forgery_is_refused(commit: Callable[[], object]) -> None:
    with pytest.raises(ProofError):
        commit()


def test_a_theorem_names_the_hypothesis_by_which_its_right_side_has_a_value() -> None:
    found = shown(ONE, mul(x, OVER_X), context=given(Positive(x)))
    assert isinstance(found, Theorem) and found.hypotheses == ("h.0",) and not found.excused


def test_a_theorem_names_what_it_excuses() -> None:
    found = shown(mul(x, OVER_X), ONE, forward=(OVER_X,))
    assert [e.why for e in found.excused] == ["no value"]


# --- one after the other -------------------------------------------------------------------------

NOTHING_NEW = {"sizes": [], "nodes": [], "steps": [], "reasons": []}


def test_rows_go_on_from_those_before() -> None:
    showing, other = Showing(), add(x, x, x)
    first = showing.theorem(Statement(other, mul(num(3), x), EMPTY), said(other, mul(num(3), x)))
    second = showing.theorem(Statement(mul(num(3), x), other, EMPTY), said(mul(num(3), x), other))
    assert (first.statement.lhs, second.statement.lhs) == (other, mul(num(3), x))
    assert len(showing.writer.rows["nodes"]) == len(certificate(first.statement, first.argument)["nodes"])


def test_a_refused_argument_does_not_spoil_what_comes_after() -> None:
    showing = Showing()
    with pytest.raises(ProofError):
        showing.theorem(Statement(x, ONE, EMPTY), said(x, ONE))
    assert showing.theorem(Statement(x, x, EMPTY), said(x, x))


def test_a_hypothesis_is_not_known_after_its_theorem() -> None:
    """x / x = 1 is shown where x > 0 is assumed; the same rows show it nowhere else."""
    ledger, known = Ledger(Reader(), []), given(Positive(x))
    statement = Statement(mul(x, OVER_X), ONE, known)
    rows = certificate(statement, said(mul(x, OVER_X), ONE))
    assert theorem(statement, rows, ledger).hypotheses == ("h.0",)
    with pytest.raises(ProofError):
        theorem(Statement(mul(x, OVER_X), ONE, EMPTY), {**rows, **NOTHING_NEW, "hypotheses": {}}, ledger)


def test_sizes_are_the_same_for_all_rows() -> None:
    ledger, n = Ledger(Reader(), []), sized("n")
    statement = Statement(n, n, Context(least=Least({"n": 2})))
    rows = certificate(statement, Argument((), (), Given(Linear(n, n)), Point((("n", 2),))))
    assert theorem(statement, rows, ledger)
    with pytest.raises(ProofError, match="another statement"):
        theorem(Statement(n, n, EMPTY), {**rows, **NOTHING_NEW, "least": {}}, ledger)


def said(lhs: Term, rhs: Term) -> Argument:
    return Argument((), (), Given(Linear(lhs, rhs)), Point(entries=((x.array, (), Fraction(1)),)))
