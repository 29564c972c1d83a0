"""Proving a statement: why its right side has a value, why the sides are equal, and a point it is about.

Theorems of one question are shown one after the other: what they share is written, read, checked and looked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice
from typing import Any

from symbackprop.clock import Effort
from symbackprop.core.certificate import Writer, certificate, equation_rows, written
from symbackprop.core.context import Context, Equation, Excused, Statement
from symbackprop.core.discharge import as_facts, has_value, holding, knowing
from symbackprop.core.indices import Index, Size
from symbackprop.core.kernel import Flip, Proof, check
from symbackprop.core.reasons import Argument, Cases, Continued, Dense, Given, Holding, Point, Reason, Steps
from symbackprop.core.region import needs, region_of
from symbackprop.core.terms import Array, Diff, Holds, Nonzero, Predicate, ProofError, Term, free, subterms
from symbackprop.core.theorem import TURN, Session, Theorem, proved, theorem
from symbackprop.numbers import points
from symbackprop.prove.cases import (
    EQUATION, POINT, VALUE, Missing, in_cases, sorted_out, with_reasons, with_signs,
)  # fmt: skip
from symbackprop.prove.conditions.density import density
from symbackprop.prove.conditions.reasons import Seeker
from symbackprop.prove.differentiate import Names
from symbackprop.prove.equality import (
    Candidate, Found, Prover, by_digits, by_laws, by_laws_contracted, by_laws_in_order, by_laws_simplified, first,
    has_derivative, prove, prove_as_written, unchecked,
)  # fmt: skip
from symbackprop.prove.normal_form.session import FAILED, splits
from symbackprop.prove.working_out import WorkingOut


class Whole(Mapping[str, Any]):
    """The certificate of a theorem by itself, written when it is asked for."""

    def __init__(self, statement: Statement, argument: Argument) -> None:
        self.statement, self.argument = statement, argument

    @cached_property
    def rows(self) -> dict[str, Any]:
        return certificate(self.statement, self.argument)

    def __getitem__(self, name: str) -> Any:
        return self.rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def exhibited(found: Theorem) -> Point:
    """The point that a theorem of a `Showing` is not about nothing by."""
    assert isinstance(found.rows, Whole)
    return found.rows.argument.point


class Showing:
    """Statements with the same definitions and hypotheses share most."""

    def __init__(self) -> None:
        self.points: list[tuple[Context, Point]] = []
        self.against: list[points.Point] = []  # small counterexamples to other statements
        self.begin()

    def begin(self) -> None:
        self.writer, self.session, self.kept = Writer(), Session(), list[Any]()  # what was written goes by identity

    def theorem(self, statement: Statement, argument: Argument, facts: Iterable[Excused]) -> Theorem:
        """Raises ProofError where the argument does not show the statement."""
        with TURN:
            if not self.session.alive():
                self.begin()
            self.kept.append((statement, argument))
            try:
                rows = written(lambda: self.writer.more(statement, argument))
                return replace(theorem(statement, rows, facts, self.session), rows=Whole(statement, argument))
            finally:
                if not self.session.holds(self.writer.rows):
                    self.begin()

    def point(self, statement: Statement, region: Context, find: Callable[[Context], Point | None]) -> Point | None:
        """A point of the region, looked for once; the indices of the statement have values there."""
        indices = free(statement.lhs) | free(statement.rhs)
        for known, point in self.points:
            if says_less(region, known) and all(has_values(i, point) for i in indices):
                return point
        found = find(region)
        if found is not None:
            self.points.append((region, found))
        return found


def says_less(a: Context, b: Context) -> bool:
    """Each hypothesis of a is one of b, about the same names."""
    return a.definitions == b.definitions and set(a.hypotheses.values()) <= set(b.hypotheses.values())


def has_values(i: Index, point: Point) -> bool:
    sizes = dict(point.sizes)
    return sizes.keys() >= set(i.size.symbols) and i.size.at(sizes) > 0


Shapes = Mapping[Array, tuple[Size, ...]]
Witness = Callable[[Context], Point | None]
Offered = Callable[[], Proof | None]


def prove_statement(
    statement: Statement, shapes: Shapes, witness: Witness, ways: tuple[Prover, ...] = (),
    offered: Offered | None = None, showing: Showing | None = None,
) -> Theorem | Missing:  # fmt: skip
    """The theorem, or what is missing of it; `ways` of proving its equation are tried before all others.

    `offered` has a proof that is not checked yet; `showing` is given where further statements are about the same names.
    Where the search itself fails nothing is shown.
    """
    try:
        return shown_statement(Run(statement, shapes, ways, witness, offered, showing))
    except FAILED:
        return Missing(EQUATION)


def shown_statement(run: Run) -> Theorem | Missing:
    statement = run.statement
    values = run.values()
    if isinstance(values, Missing):
        return values
    at_hand = run.at_hand()
    if at_hand is not None and run.point is not None:
        try:
            return run.theorem(values, at_hand, run.point)
        except ProofError:  # there are conditions that need reasons
            pass
    steps = run.equation(statement.lhs, statement.rhs)
    if isinstance(steps, Missing):
        return steps
    return Missing(POINT) if run.point is None else run.theorem(values, steps, run.point)


class Run:
    """One statement on its way."""

    def __init__(
        self, statement: Statement, shapes: Shapes, ways: tuple[Prover, ...] = (), witness: Witness = lambda _: None,
        offered: Offered | None = None, showing: Showing | None = None,
    ) -> None:  # fmt: skip
        self.offered = offered
        self.statement, self.shapes, self.ways, self.witness = statement, shapes, ways, witness
        self.showing = showing or Showing()
        self.region, self.facts = region_of(statement)
        self.effort = Effort()
        self.lemmas = with_signs(statement, self.region, self.effort) if self.region.hypotheses else ()
        self.inside = knowing("known", self.lemmas, self.region)[0] if self.lemmas else self.region
        self.candidates: Iterator[Candidate] | None = None  # proofs of the statement that were not checked yet

    @cached_property
    def seeker(self) -> Seeker:
        return Seeker(self.inside, self.effort)

    @cached_property
    def point(self) -> Point | None:
        return self.showing.point(self.statement, self.region, self.witness)

    def theorem(self, values: tuple[Reason | Dense, ...], steps: Holding, point: Point) -> Theorem:
        argument = Argument(self.lemmas, values, steps, point)
        return self.showing.theorem(self.statement, argument, self.facts.values())

    def at_hand(self) -> Given | None:
        """The first proof that is found, if it may do as it is: then it is checked once, as part of the theorem."""
        lhs, rhs = self.statement.lhs, self.statement.rhs
        proof = None if self.offered is None else self.offered()
        if proof is not None:
            return Given(proof)
        candidates = None if self.ways or splits((lhs, rhs)) else unchecked(lhs, rhs, self.inside)
        if candidates is None:
            return None
        try:
            found = tuple(islice(candidates, 1))
        except FAILED:
            return None
        self.candidates = chain(found, candidates)
        return Given(found[0].proof) if found and found[0].plain else None

    def proved(self, lhs: Term, rhs: Term, context: Context) -> Found | None:
        """`prove`, which begins with what was found before."""
        if self.candidates is None or (lhs, rhs) != (self.statement.lhs, self.statement.rhs):
            return prove(lhs, rhs, context)
        try:
            return first(self.candidates, context)
        except FAILED:
            return None

    def values(self) -> tuple[Reason | Dense, ...] | Missing:
        """Why the right side has a value; what it needs is known from then on."""
        s = self.statement
        wanted = list(needs(s.rhs, s.context))
        if s.formula:
            known = needs(s.lhs, s.context, facts=True)
            wanted = [p for p in wanted if p not in known]
        if not wanted:
            return ()
        region, seeker = self.inside, self.seeker
        if s.formula:
            region, _ = region_of(Statement(s.lhs, s.lhs, s.context, formula=True))
            seeker = Seeker(region, self.effort)
        found: list[Reason | Dense] = []
        left: list[Predicate] = []
        for p in wanted:
            why: Reason | Dense | None = None
            if s.formula and isinstance(p, Nonzero):  # the deeper reasons take longer
                why = seeker.reason(p, 1) or density(p, region, self.shapes, self.effort)
            why = why or seeker.reason(p)
            if why is None:
                left.append(p)
            else:
                found.append(why)
        if left:
            return Missing(VALUE, tuple(left))
        if not s.formula and wanted:
            more = as_facts(wanted, self.inside)
            if more:
                self.inside = self.inside.knowing(more)
                self.seeker = Seeker(self.inside, self.effort)
        return tuple(found)

    def equation(self, lhs: Term, rhs: Term) -> Holding | Missing:
        """lhs = rhs everywhere in the region."""
        if self.statement.formula and any(map(has_derivative, (lhs, rhs))):
            return self.between_values(lhs, rhs)
        first: Missing | None = None
        for way in (*self.ways, self.proved, prove_as_written):
            found = None if way is prove_as_written and first is None else by_digits(lhs, rhs, self.inside, way)
            if found is None:
                continue
            step = with_reasons(found, self.seeker)
            if not isinstance(step, Missing):
                return step
            first = first or step
        if first is None and not any(isinstance(s, Holds) for t in (lhs, rhs) for s in subterms(t)):
            return Missing(EQUATION)
        return self.in_two_steps(lhs, rhs) or first or Missing(EQUATION)

    def between_values(self, lhs: Term, rhs: Term) -> Holding | Missing:
        """Each side is what its derivatives are worked out to, and these are equal."""
        try:
            names = Names.beside(lhs, rhs)
            run = WorkingOut(self.inside, lambda _: self.inside, names)
            left, right = run.of(lhs), run.of(rhs)
        except FAILED:
            return Missing(EQUATION)
        middle = self.equation(left.term, right.term) if left.term != right.term else None
        if isinstance(middle, Missing):
            return middle
        back = None if right.proof is None else Flip(right.proof)
        steps: list[Holding] = []
        for proof in (left.proof, back):
            step = None if proof is None else with_reasons((proof, check(proof, self.inside)), self.seeker)
            if isinstance(step, Missing):
                return step
            steps += [] if step is None else [step]
        if middle is not None:
            steps.insert(1 if left.proof is not None else 0, middle)
        return Steps(tuple(steps))

    # --- where u = 0, in an equation without derivatives ---------------------------------------------

    def in_two_steps(self, lhs: Term, rhs: Term) -> Holding | None:
        """The derivative by the laws, then an equation without derivatives, which may go by continuity or cases."""
        for derived in (by_laws, by_laws_contracted, by_laws_simplified, by_laws_in_order):
            found = derived(lhs, self.inside)
            if found is None:
                continue
            if found[1] is None:
                return self.continued(lhs, rhs)
            first = with_reasons((found[1], check(found[1], self.inside)), self.seeker)
            second = None if isinstance(first, Missing) else self.continued(found[0], rhs)
            if second is not None and not isinstance(first, Missing):
                return Steps((first, second))
        return None

    def continued(self, lhs: Term, rhs: Term) -> Holding | None:
        if any(isinstance(s, Diff) for t in (lhs, rhs) for s in subterms(t)):
            return None
        found = prove(lhs, rhs, self.inside)
        reasons, left = sorted_out(self.seeker, found[1].conditions) if found is not None else ((), ())
        if found is not None and not left:
            return Given(found[0], reasons)
        if found is not None:
            step = self.by_continuity(found[0], lhs, rhs, reasons, left)
            if step is not None:
                return step
        return self.by_cases(lhs, rhs, left)

    def by_continuity(
        self, proof: Proof, lhs: Term, rhs: Term, reasons: tuple[Reason, ...], left: tuple[Predicate, ...]
    ) -> Continued | None:
        dense = [density(p, self.inside, self.shapes, self.effort) if isinstance(p, Nonzero) else None for p in left]
        kept = [d for d in dense if d is not None]
        if len(kept) < len(left):
            return None
        moved = frozenset(a for d in kept for a, _ in d.somewhere)
        wanted = {p for t in (lhs, rhs) for p in needs(t, self.inside, moved)}
        continuous, missing = sorted_out(self.seeker, frozenset(wanted))
        if missing:
            return None
        step = Continued(proof, reasons, tuple(kept), continuous)
        return step if self.holds(step) else None

    def by_cases(self, lhs: Term, rhs: Term, left: tuple[Predicate, ...]) -> Cases | None:
        found = in_cases(lhs, rhs, self.inside, self.effort, left)
        return found if found is not None and self.holds(found) else None

    def holds(self, step: Holding) -> bool:
        try:
            holding(step, self.inside)
        except FAILED:
            return False
        return True


def inside(statement: Statement, argument: Argument) -> Context:
    """What is known where the steps of the argument are taken."""
    region, _ = region_of(statement)
    wider, _ = knowing("known", argument.lemmas, region)
    return wider.knowing(has_value(statement, argument, wider)[1])


# --- equations that the kernel has found proved, given to the independent checker: what is called a theorem is both ---


def certified(proof: Proof, context: Context, found: Equation | None = None) -> Equation:
    """The equation that the proof proves.  Raises ProofError where the kernel or the checker refuses it."""
    equation = check(proof, context) if found is None else found
    return proved(equation, context, equation_rows(proof, context, equation))
