"""From a claim of a document to its outcome: what to ask the decider, and its answer in the author's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.clock import OutOfTime
from symbackprop.core.indices import Size
from symbackprop.core.ordering import predicate_key
from symbackprop.core.statement import Statement
from symbackprop.core.terms import Apply, Predicate, ProofError, Sum, Whole, subterms
from symbackprop.core.theorem import Theorem
from symbackprop.core.value import KINK, ROOT, TIE, VALUE
from symbackprop.decide.decide import Decision, Problem, decide, prove
from symbackprop.decide.status import PROVED, REFUTED
from symbackprop.numbers.refute.search import Counterexample, Question
from symbackprop.prove.statements import CONDITION, POINT, Missing
from symbackprop.prove.statements import VALUE as NO_VALUE
from symbackprop.prove.working_out import Value, WorkingOut, has_derivative
from symbackprop.read.notes.statements.claims import Claim
from symbackprop.repair.cases import special_cases as guesses
from symbackprop.write.notes.letters import condition_latex, condition_text, tidy

from .bulk import LIMIT, bulk
from .results import DIFFER, Condition, Outcome, Proved

LARGEST = 100
TOO_LARGE = "sizes in numbers as large as these are not looked at point by point: give them names"
WHY: Mapping[str, str] = {
    KINK: "a kink of a side", TIE: "the largest entry stands alone", VALUE: "a side has no value elsewhere",
    ROOT: "a side has no derivative elsewhere",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Worked:
    """A claim with its derivatives worked out; `needs` are the conditions under which these are the derivatives."""

    claim: Claim
    run: WorkingOut
    lhs: Value
    rhs: Value

    @property
    def needs(self) -> tuple[Predicate, ...]:
        found = {c for t in self.run.theorems.values() for c in t.equation.conditions}
        return tuple(sorted(found, key=predicate_key))

    @property
    def differentiable(self) -> bool:
        """Nothing is differentiated, so that kinks are points like any other."""
        return not any(map(has_derivative, (self.claim.lhs, self.claim.rhs))) and not primed(self.claim)

    def question(self) -> Question:
        """For points: the values of the derivatives, where these are the derivatives."""
        c = self.claim
        hypotheses = (*c.context.hypotheses.values(), *self.needs)
        return Question(
            self.lhs.term, self.rhs.term, c.free, hypotheses=hypotheses, definitions=c.context.definitions,
            shapes=c.shapes,
        )  # fmt: skip

    def problem(self) -> Problem:
        """The statement; with the values of the derivatives where these are taken by what has a definition."""
        c = self.claim
        lhs, rhs = (self.lhs.term, self.rhs.term) if self.run.apart else (c.lhs, c.rhs)
        statement = Statement(lhs, rhs, c.context, lengths=self.lengths(), formula=True)
        return Problem(
            statement, c.free, c.shapes, asked=self.question(), kinks_have_values=self.differentiable,
            has_points=not self.too_large,
        )  # fmt: skip

    def lengths(self) -> tuple[Size, ...]:
        return tuple(dict.fromkeys(n for shape in self.claim.shapes.values() for n in shape if n.symbols))

    @property
    def too_large(self) -> bool:
        """A literal size is so large that no point can be looked at."""
        c = self.claim
        sizes = [n for s in c.shapes.values() for n in s] + [i.size for i in c.free]
        for t in (self.lhs.term, self.rhs.term, *(d.body for d in c.context.definitions.values())):
            for s in subterms(t):
                sizes += [s.size] if isinstance(s, Sum) else s.sizes if isinstance(s, Whole) else ()
        return any((n.constant or 0) > LARGEST for n in sizes)


def worked_out(claim: Claim) -> Worked:
    """Raises ProofError where a law refuses a derivative."""
    if any(has_derivative(t.body) for t in claim.context.definitions.values()):
        raise ProofError("a definition that holds a derivative is not supported here")
    run = WorkingOut(claim.context, claim.cut)
    return Worked(claim, run, run.of(claim.lhs), run.of(claim.rhs))


def settle(claim: Claim, repair: bool = True) -> Outcome:
    """The verdict.  `repair`: look for special cases too when the claim is false."""
    try:
        worked = worked_out(claim)
    except ProofError as refusal:
        return Outcome("unknown", f"no law differentiates this: {refusal}")
    count = max(bulk(worked.lhs.term), bulk(worked.rhs.term))
    if count > LIMIT and worked.lhs.term != worked.rhs.term:
        return Outcome("unknown", f"multiplied out this may have more than {LIMIT:,} terms: too many to be compared")
    found = decide(worked.problem())
    if found.status == REFUTED and found.counterexample is not None:
        return refuted(worked, found.counterexample, repair)
    derivatives = apart(worked) if found.status == PROVED and worked.run.apart else ()
    if found.status == PROVED and found.theorem is not None and derivatives is not None:
        return proved(worked, (*derivatives, found.theorem))
    return unknown(worked, found)


# --- the answer in words -----------------------------------------------------------------------


def proved(worked: Worked, theorems: tuple[Theorem, ...]) -> Outcome:
    listed: dict[str, Condition] = {}
    for p, why in (e for t in theorems for e in t.excused if e.why in WHY):
        text = condition_text(p)
        listed.setdefault(text, Condition(text, condition_latex(p), WHY[why]))
    claim = worked.claim
    values, derivatives = (worked.lhs.term, worked.rhs.term), tuple(worked.run.theorems.values())
    shown = Proved(claim.lhs, claim.rhs, theorems, derivatives, values, claim.context)
    return Outcome("proved", conditions=tuple(listed.values()), proof=shown)


def apart(worked: Worked) -> tuple[Theorem, ...] | None:
    """The derivatives by what has a definition, each as a theorem in a context without that definition."""
    found = []
    for d, t in worked.run.theorems.items():
        statement = Statement(d, t.equation.rhs, t.context, formula=True)
        theorem = prove(Problem(statement, worked.claim.free, worked.claim.shapes))
        if isinstance(theorem, Missing):
            return None
        found.append(theorem)
    return tuple(found)


def unknown(worked: Worked, found: Decision) -> Outcome:
    missing = found.missing or Missing("equation")
    texts = ", ".join(map(condition_text, missing.left))
    more = tuple(Condition(condition_text(c), condition_latex(c), "not implied") for c in missing.left)
    if missing.stage == POINT:
        where = TOO_LARGE if worked.too_large else "no point was found that satisfies the hypotheses and conditions"
        return Outcome("unknown", f"the sides agree, but {where}")
    if missing.stage == NO_VALUE:
        return Outcome("unknown", f"the right side has a value only where {texts}", conditions=more)
    if missing.stage == CONDITION:
        return Outcome("unknown", f"proved only where {texts}, which nothing here implies", conditions=more)
    if worked.too_large:
        return Outcome("unknown", f"no proof was found, and {TOO_LARGE}")
    return Outcome("unknown", f"no proof was found, and no counterexample: {found.searched}")


def refuted(worked: Worked, found: Counterexample, repair: bool) -> Outcome:
    cases: list[str] = []
    try:
        for case in special_cases(worked) if repair else ():
            cases.append(case)
    except OutOfTime:
        pass
    return Outcome("refuted", DIFFER, counterexample=tidy(found), special_cases=tuple(cases))


def special_cases(worked: Worked) -> Iterator[str]:
    """Extra hypotheses under which the claim is proved after all."""
    problem = worked.problem()
    for guess in guesses(worked.question(), 2):
        if isinstance(prove(problem.assuming(*guess.hypotheses)), Theorem):
            yield guess.text


def primed(claim: Claim) -> bool:
    """A derivative of a function occurs (f'), or a step that is one."""
    return any(isinstance(s, Apply) and s.order > 0 for t in (claim.lhs, claim.rhs) for s in subterms(t))
