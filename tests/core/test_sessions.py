"""Theorems shown one after the other: what was shown before is of use, and nothing else comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from theorem_forgeries import OVER_X, given, mul, num, same, x, y, z

from symbackprop.checker import recheck
from symbackprop.core.certificate import Writer, certificate
from symbackprop.core.context import EMPTY, Context, Statement
from symbackprop.core.indices import Least, sized
from symbackprop.core.kernel import By, Proof
from symbackprop.core.reasons import Argument, Given, Point
from symbackprop.core.region import region_of
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, ZERO, Nonzero, Positive, Power, ProofError, Term, add
from symbackprop.core.theorem import Session, Theorem, theorem
from symbackprop.prove.statements import Showing

N = sized("n")
AT = Point((("n", 2),), tuple((t.array, (), num(1).value) for t in (x, y, z)))
UNIT = mul(x, OVER_X)
NOTHING: dict[str, list[Any]] = {"sizes": [], "nodes": [], "steps": [], "reasons": []}


def by(lhs: Term, rhs: Term, proof: Proof | None = None) -> Argument:
    return Argument((), (), same(lhs, rhs) if proof is None else Given(proof), AT)


class Shown:
    """Certificates that go on from one another; a forger changes what he likes."""

    def __init__(self) -> None:
        self.writer, self.session, self.kept = Writer(), Session(), list[Any]()

    def rows(self, statement: Statement, argument: Argument) -> dict[str, Any]:
        self.kept.append((statement, argument))
        return self.writer.more(statement, argument)

    def claim(self, statement: Statement, rows: dict[str, Any]) -> Theorem:
        return theorem(statement, rows, region_of(statement)[1].values(), self.session)

    def show(self, statement: Statement, argument: Argument | None = None) -> Theorem:
        return self.claim(statement, self.rows(statement, argument or by(statement.lhs, statement.rhs)))

    def borrowed(self, statement: Statement, other: Statement) -> Theorem:
        """The statement, by the argument that was given for another."""
        self.show(other)
        rows = self.rows(statement, by(statement.lhs, statement.rhs))
        return self.claim(statement, {**rows, "reasons": [], "argument": self.rows(other, self.kept[0][1])["argument"]})


TRUE = Statement(add(x, x), mul(num(2), x), EMPTY)


def changed_step() -> None:
    """A row that was accepted says something else afterwards."""
    shown = Shown()
    rows = shown.rows(TRUE, by(TRUE.lhs, TRUE.rhs))
    shown.claim(TRUE, rows)
    wrong = Statement(ONE, ZERO, EMPTY)
    more = shown.rows(wrong, by(ONE, ZERO))
    rows["steps"][0][1:3] = more["steps"][0][1:3]
    shown.claim(wrong, {**more, "steps": [], "reasons": [["given", 0, []]]})


def changed_node() -> None:
    """3 becomes 2 after the row was read: it stays 3."""
    shown, right = Shown(), Statement(add(x, x, x), mul(num(3), x), EMPTY)
    rows = shown.rows(right, by(right.lhs, right.rhs))
    shown.claim(right, rows)
    for row in rows["nodes"]:
        if row == ["num", "3"]:
            row[1] = "2"
    wrong = Statement(add(x, x, x), mul(num(2), x), EMPTY)
    shown.claim(wrong, {**rows, **NOTHING})


def another_statement() -> None:
    shown = Shown()
    rows = shown.rows(TRUE, by(TRUE.lhs, TRUE.rhs))
    shown.claim(TRUE, rows)
    shown.claim(TRUE, {**rows, **NOTHING, "statement": [rows["statement"][1], *rows["statement"][1:]]})


def of_a_refused_certificate() -> None:
    """Its rows are kept, what they say is not believed."""
    shown, wrong = Shown(), Statement(ONE, ZERO, EMPTY)
    shown.show(TRUE)
    rows = shown.rows(wrong, by(ONE, ZERO))
    for more in (rows, {**rows, **NOTHING}):
        with pytest.raises(ProofError, match="different sums"):
            shown.claim(wrong, more)
    shown.claim(wrong, {**rows, **NOTHING})


def other_least_sizes() -> None:
    shown, least = Shown(), Context(least=Least({"n": 2}))
    shown.show(Statement(N, N, least))
    rows = shown.rows(Statement(N, N, EMPTY), by(N, N))
    shown.claim(Statement(N, N, EMPTY), rows)


def unfolded(meaning: Term) -> tuple[Statement, Argument]:
    return Statement(z, meaning, Context({z.array: Tensor((), meaning)})), by(z, meaning, By("unfold", (z,)))


def of_another_definition() -> None:
    """z is x in one, y in the other: the step that unfolds it was checked in the first."""
    shown, (wrong, argument) = Shown(), unfolded(x)
    shown.show(wrong, argument)
    shown.claim(Statement(z, x, unfolded(y)[0].context), shown.rows(*unfolded(y)) | {
        "statement": shown.rows(wrong, argument)["statement"], "argument": shown.rows(wrong, argument)["argument"],
    })  # fmt: skip


def after_another_began() -> None:
    shown, other = Shown(), Shown()
    shown.show(TRUE)
    other.show(TRUE)
    shown.show(TRUE)


def with_an_epoch_of_its_own() -> None:
    """Who says that it is any epoch goes on from rows of others, which say no more than before."""

    class Any_:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    shown, wrong = Shown(), Statement(ONE, ZERO, EMPTY)
    Shown().show(TRUE)
    shown.session.epoch = Any_()  # type: ignore[assignment]
    shown.claim(wrong, certificate(wrong, by(ONE, ZERO)))


def of_another_hypothesis(context: Context) -> Callable[[], object]:
    """x / x = 1 was shown where x > 0."""
    return lambda: Shown().borrowed(Statement(UNIT, ONE, context), Statement(UNIT, ONE, given(Positive(x))))


def of_another_fact(forward: tuple[Term, ...]) -> Callable[[], object]:
    """x / x = 1 was shown where 1/x has a value."""
    return lambda: Shown().borrowed(Statement(UNIT, ONE, EMPTY, forward), Statement(UNIT, ONE, EMPTY, (OVER_X,)))


FORGERIES: dict[str, Callable[[], object]] = {
    "a step that is changed afterwards": changed_step,
    "a node that is changed afterwards": changed_node,
    "another statement": another_statement,
    "rows of what was refused": of_a_refused_certificate,
    "other least sizes": other_least_sizes,
    "another definition": of_another_definition,
    "after another began": after_another_began,
    "an epoch that is all": with_an_epoch_of_its_own,
    "no hypothesis": of_another_hypothesis(EMPTY),
    "a hypothesis about another by the same name": of_another_hypothesis(given(Positive(y))),
    "a weaker hypothesis": of_another_hypothesis(given(Positive(add(x, ONE)))),
    "no fact": of_another_fact(()),
    "a fact about another by the same name": of_another_fact((Power(y, OVER_X.exponent),)),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_forgery_is_refused(forge: Callable[[], object]) -> None:
    with pytest.raises(ProofError):
        forge()


def test_what_was_shown_is_of_use() -> None:
    shown = Shown()
    shown.show(TRUE)
    known = len(recheck.PROVED)
    assert shown.show(TRUE).statement is TRUE and len(recheck.PROVED) == known
    assert shown.session.holds(shown.writer.rows)


def test_the_same_under_other_names_is_shown_again() -> None:
    shown = Shown()
    for context in (given(Positive(x)), given(Nonzero(x)), given(Positive(y), Positive(x))):
        found = shown.show(Statement(UNIT, ONE, context))
        assert found.hypotheses == tuple(n for n, h in context.hypotheses.items() if h.term == x)
    for forward in ((OVER_X,), (Power(y, OVER_X.exponent), OVER_X)):
        assert [e.predicate for e in shown.show(Statement(UNIT, ONE, EMPTY, forward)).excused] == [Nonzero(x)]


def test_a_refused_argument_does_not_spoil_what_comes_after() -> None:
    showing = Showing()
    for _ in range(2):
        with pytest.raises(ProofError):
            showing.theorem(Statement(x, ONE, EMPTY), by(x, ONE), ())
        assert showing.theorem(TRUE, by(TRUE.lhs, TRUE.rhs), ()).rows == certificate(TRUE, by(TRUE.lhs, TRUE.rhs))


def test_whoever_was_interrupted_begins_anew() -> None:
    one, other = Showing(), Showing()
    for showing in (one, other, one, one, other):
        assert showing.theorem(TRUE, by(TRUE.lhs, TRUE.rhs), ()).statement is TRUE
    assert len(recheck.ROWS["step"]) == 1
