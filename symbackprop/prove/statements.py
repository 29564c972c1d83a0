"""Proving a statement: why its right side has a value, why the sides are equal, and a point it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from symbackprop.core.context import Context, Hypothesis, Same
from symbackprop.core.discharge import assuming, holding, knowing, truth_case
from symbackprop.core.indices import Index, IndexExpr, Pick, Size, affine
from symbackprop.core.kernel import Chain, Digits, Flip, Proof, UnderDiff, check
from symbackprop.core.ordering import predicate_key
from symbackprop.core.point import Point
from symbackprop.core.reasons import Argument, Cases, Continued, Dense, Given, Holding, Reason, Steps
from symbackprop.core.region import as_facts, has_value, region_of
from symbackprop.core.statement import Statement
from symbackprop.core.terms import (
    ZERO,
    Array,
    Diff,
    Nonzero,
    Predicate,
    ProofError,
    Term,
    free,
    substitute,
    subterms,
)
from symbackprop.core.theorem import Theorem
from symbackprop.core.value import needs, truth

from .claims import Found, prove, prove_as_written, prove_simplified, unchecked, without_derivatives
from .conditions.density import density
from .conditions.effort import Effort
from .conditions.guards import simpler_forward
from .conditions.reasons import Seeker
from .conditions.restating import case_name
from .conditions.scales import FAILED
from .differentiate import Names
from .equality import Candidate, first
from .known_steps import with_signs
from .matching import truths
from .normal_form.radix import strides
from .showing import Showing
from .working_out import WorkingOut, has_derivative

CASES = 4  # truth values and terms that an equation is split by
NESTED = 3  # cases in cases
Shapes = Mapping[Array, tuple[Size, ...]]
Witness = Callable[[Context], Point | None]
Way = Callable[[Term, Term, Context], Found | None]
Offered = Callable[[], Proof | None]
VALUE, EQUATION, CONDITION, POINT = "value", "equation", "condition", "point"


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing of a proof: a `value` of the right side, the `equation`, a `condition` of it, or a `point`."""

    stage: str
    left: tuple[Predicate, ...] = ()


def prove_statement(
    statement: Statement, shapes: Shapes, witness: Witness, ways: tuple[Way, ...] = (), offered: Offered | None = None,
    showing: Showing | None = None,
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
        self, statement: Statement, shapes: Shapes, ways: tuple[Way, ...] = (), witness: Witness = lambda _: None,
        offered: Offered | None = None, showing: Showing | None = None,
    ) -> None:  # fmt: skip
        self.offered = offered
        self.statement, self.shapes, self.ways, self.witness = statement, shapes, ways, witness
        self.showing = showing or Showing()
        self.region, self.facts = region_of(statement)
        self.effort = Effort()
        self.lemmas = with_signs(statement, self.region, self.effort)
        self.inside, _ = knowing("known", self.lemmas, self.region)
        self.seeker = Seeker(self.inside, self.effort)
        self.candidates: Iterator[Candidate] | None = None  # proofs of the statement that were not checked yet

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
        candidates = None if self.ways or strides((lhs, rhs)) else unchecked(lhs, rhs, self.inside)
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
        region, seeker = self.inside, self.seeker
        wanted = list(needs(s.rhs, s.context))
        if s.formula:
            known = needs(s.lhs, s.context, facts=True)
            wanted = [p for p in wanted if p not in known]
            region, _ = region_of(Statement(s.lhs, s.lhs, s.context, formula=True))
            seeker = Seeker(region, self.effort)
        found: list[Reason | Dense] = []
        left: list[Predicate] = []
        for p in wanted:
            why: Reason | Dense | None = seeker.reason(p)
            if why is None and s.formula and isinstance(p, Nonzero):
                why = density(p, region, self.shapes, self.effort)
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
        for way in (*self.ways, self.proved, prove_simplified, prove_as_written):
            found = None if way is prove_as_written and first is None else by_digits(lhs, rhs, self.inside, way)
            if found is None:
                continue
            step = with_reasons(found, self.seeker)
            if not isinstance(step, Missing):
                return step
            first = first or step
        if first is None:
            return Missing(EQUATION)
        return self.in_two_steps(lhs, rhs) or first

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
        for derived in (by_laws, by_laws_simplified):
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


def with_reasons(found: Found, seeker: Seeker) -> Given | Missing:
    proof, eq = found
    reasons, left = sorted_out(seeker, eq.conditions)
    return Missing(CONDITION, left) if left else Given(proof, reasons)


def sorted_out(seeker: Seeker, conditions: frozenset[Predicate]) -> tuple[tuple[Reason, ...], tuple[Predicate, ...]]:
    """Reasons for those that have one, and the others."""
    found: list[Reason] = []
    left: list[Predicate] = []
    for c in sorted(conditions, key=predicate_key):
        why = seeker.reason(c)
        if why is None:
            left.append(c)
        else:
            found.append(why)
    return tuple(found), tuple(left)


def in_cases(
    lhs: Term, rhs: Term, context: Context, effort: Effort, left: tuple[Predicate, ...], depth: int = NESTED
) -> Cases | None:
    """Where something is not 0 and where it is, or by a truth value; in these cases by others, if need be."""
    indices = sorted(free(lhs) | free(rhs), key=lambda i: i.name)
    names = tuple((i, f"!{i.name}") for i in indices)
    fixed: dict[Index, IndexExpr] = {i: Pick(n, (), i.size) for i, n in names}
    one, other = (substitute(t, fixed) for t in (lhs, rhs))
    zeros = [substitute(p.term, fixed) for p in left if isinstance(p, Nonzero) and free(p.term) <= set(indices)]
    steps = dict.fromkeys((*truths(other), *truths(one))) if depth == NESTED else ()
    name = case_name(context)
    for u in [*zeros, *steps][:CASES]:
        zero: tuple[list[Hypothesis], ...] = [Nonzero(u)], [Same(u, ZERO)]
        found: list[Holding] = []
        for known in tuple(truth_case(u, on) for on in (True, False)) if truth(u) else zero:
            case = settled(one, other, assuming(context, name, known), effort, depth)
            if case is None:
                break
            found.append(case)
        else:
            return Cases(lhs, rhs, names, name, u, *found)
    return None


def settled(lhs: Term, rhs: Term, context: Context, effort: Effort, depth: int) -> Holding | None:
    found = prove(lhs, rhs, context)
    step = None if found is None else with_reasons(found, Seeker(context, effort))
    if isinstance(step, Missing):
        return in_cases(lhs, rhs, context, effort, step.left, depth - 1) if depth > 1 else None
    return step


def by_laws(lhs: Term, context: Context) -> tuple[Term, Proof | None] | None:
    """The left side without derivatives, and why it is the same."""
    try:
        return without_derivatives(lhs, context, Names.beside(lhs))
    except FAILED:
        return None


def by_laws_simplified(lhs: Term, context: Context) -> tuple[Term, Proof | None] | None:
    """The same after the forward term is written in a way whose derivative needs less."""
    if not isinstance(lhs, Diff):
        return None
    loss = simpler_forward(lhs.body, context)
    rewritten = None if loss is None else prove(lhs.body, loss, context)
    found = None if loss is None else by_laws(Diff(loss, lhs.wrt), context)
    if rewritten is None or found is None or found[1] is None:
        return None
    return found[0], Chain(UnderDiff(lhs.wrt, rewritten[0]), (found[1],))


def by_digits(lhs: Term, rhs: Term, context: Context, way: Way, depth: int = 0) -> Found | None:
    """A proof for an axis of composite size by its digits, where index expressions such as 2 k + 1 or K g + k occur."""
    splits = strides((lhs, rhs))
    axes = sorted((i for i in free(lhs) | free(rhs) if i.size in splits), key=lambda i: i.name)
    if not axes:
        return way(lhs, rhs, context)
    i = axes[0]
    q, r = (Index(f"{i.name}.{k}", n) for k, n in zip("qr", splits[i.size], strict=True))
    here: dict[Index, IndexExpr] = {i: affine(0, ((q, r.size), (r, 1)))}
    inner = by_digits(substitute(lhs, here), substitute(rhs, here), context, way, depth + 1)
    if inner is None:
        return way(lhs, rhs, context) if depth == 0 else None
    try:
        proof = Digits(i, lhs, rhs, q, r, inner[0])
        return proof, check(proof, context)
    except FAILED:
        return None


def inside(statement: Statement, argument: Argument) -> Context:
    """What is known where the steps of the argument are taken."""
    region, _ = region_of(statement)
    wider, _ = knowing("known", argument.lemmas, region)
    return wider.knowing(has_value(statement, argument, wider)[1])
