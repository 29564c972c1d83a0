"""One claim in, one outcome out: proved and witnessed, or refuted at a point, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from symbackprop.core.context import Context, Equation, Hypothesis
from symbackprop.core.kernel import Chain, Flip, Inside, Proof, check
from symbackprop.core.ordering import predicate_key
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    Apply,
    Positive,
    Power,
    Predicate,
    ProofError,
    Sum,
    Term,
    Whole,
    arguments,
    neg,
    subterms,
)
from symbackprop.numbers.close import close
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point
from symbackprop.numbers.refute.points import Sampler
from symbackprop.numbers.refute.search import Counterexample, Question, satisfying_point, search
from symbackprop.prove.conditions.conditions import sort_conditions
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.working_out import Value, WorkingOut, has_derivative
from symbackprop.read.notes.meaning.written_out import WrittenOut
from symbackprop.read.notes.statements.claims import Claim
from symbackprop.write.notes.letters import condition_latex, condition_text, tidy

from .bulk import LIMIT, bulk
from .results import DIFFER, Condition, Outcome, Proved, Theorem

BUDGET, CHECK_BUDGET, LARGEST = 40, 2, 100
TOO_LARGE = "sizes in numbers as large as these are not looked at point by point: give them names"


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

    def question(self, extra: Iterable[Hypothesis] = ()) -> Question:
        c = self.claim
        hypotheses = (*c.context.hypotheses.values(), *self.needs, *extra)
        return Question(
            self.lhs.term, self.rhs.term, c.free, hypotheses=hypotheses, definitions=c.context.definitions,
            shapes=c.shapes,
        )  # fmt: skip

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


# --- proving ---------------------------------------------------------------------------------


def proved(worked: Worked) -> Proved | None:
    claim, context = worked.claim, worked.claim.context
    if worked.lhs.term == worked.rhs.term:
        found: tuple[Proof, Equation] | None = same(worked.lhs.term, context)
    else:
        found = prove_equal(worked.lhs.term, worked.rhs.term, context)
    if found is None:
        return None
    equality = Theorem(found[1], found[0], context)
    parts = tuple(worked.run.theorems.values())
    if not parts:
        return Proved(claim.lhs, claim.rhs, equality, (), equality)
    whole = None if worked.run.apart else composed(worked, equality)
    return Proved(claim.lhs, claim.rhs, whole, parts, equality)


def same(t: Term, context: Context) -> tuple[Proof, Equation] | None:
    """t = t"""
    if not arguments(t):
        return prove_equal(t, t, context)
    proof = Inside(t, ())
    return proof, check(proof, context)


def composed(worked: Worked, middle: Theorem) -> Theorem | None:
    """lhs = worked-out lhs = worked-out rhs = rhs as one checked theorem; None where the kernel refuses a step."""
    claim, context = worked.claim, worked.claim.context
    last = None if worked.rhs.proof is None else Flip(worked.rhs.proof)
    steps = [p for p in (worked.lhs.proof, middle.proof, last) if p is not None]
    proof = steps[0] if len(steps) == 1 else Chain(steps[0], tuple(steps[1:]))
    try:
        equation = check(proof, context)
    except ProofError:
        return None
    if (equation.lhs, equation.rhs) != (claim.lhs, claim.rhs):
        return None
    return Theorem(equation, proof, context)


def theorems(p: Proved) -> tuple[Theorem, ...]:
    return (p.whole,) if p.whole is not None else (*p.derivatives, p.equality)


def settle(claim: Claim, repair: bool = True) -> Outcome:
    """The verdict.  `repair`: look for special cases too when the claim is false."""
    try:
        worked = worked_out(claim)
    except ProofError as refusal:
        return Outcome("unknown", f"no law differentiates this: {refusal}")
    suspicious = not worked.too_large and differs(worked)
    if suspicious:  # most false claims are seen through at once, and the proof that cannot be found is not looked for
        found = counterexample(worked, budget=CHECK_BUDGET)
        if found is not None:
            return refuted(worked, found, repair)
    count = max(bulk(worked.lhs.term), bulk(worked.rhs.term))
    if count > LIMIT and worked.lhs.term != worked.rhs.term:
        return Outcome("unknown", f"multiplied out this may have more than {LIMIT:,} terms: too many to be compared")
    proof = proved(worked)
    if proof is None:
        return refuted_or_unknown(worked, repair)
    conditions = frozenset(c for t in theorems(proof) for c in t.equation.conditions)
    listed, left = conditions_of(worked, conditions)
    if left:
        return partly_proved(worked, proof, listed, left, repair)
    return witnessed(worked, proof, conditions, listed)


def conditions_of(
    worked: Worked, conditions: frozenset[Predicate]
) -> tuple[tuple[Condition, ...], tuple[Predicate, ...]]:
    """Those that cost nothing, for the reader; and those that exclude points that the claim is about."""
    if not conditions:
        return (), ()
    claim = worked.claim
    forward = [Tensor((), claim.lhs), Tensor((), claim.rhs), *claim.context.definitions.values()]
    found = sort_conditions(conditions, claim.context, forward, claim.free)
    listed = []
    for c in found.listed:
        assert c.predicate is not None
        why = c.why.replace("the forward", "a side")
        listed.append(Condition(condition_text(c.predicate), condition_latex(c.predicate), why))
    left: list[Predicate] = []
    for p in found.left:
        reason = why_free(p, claim.context, forward)
        if reason:
            listed.append(Condition(condition_text(p), condition_latex(p), reason.replace("the forward", "a side")))
        elif reason is None:
            left.append(p)
    return tuple(listed), tuple(left)


def why_free(p: Predicate, context: Context, forward: list[Tensor]) -> str | None:
    """Why a condition on defined arrays costs nothing, seen when their definitions are put in; None where it does."""
    out = WrittenOut(context.definitions)
    new = out.predicate(p)
    if new is None:
        return None
    tensors = [t for f in forward if (t := WrittenOut(context.definitions).tensor(f)) is not None]
    found = sort_conditions([new], Context(hypotheses=context.hypotheses), tensors)
    if found.left:
        return None
    return found.listed[0].why if found.listed else ""


def witnessed(
    worked: Worked, proof: Proved, conditions: frozenset[Predicate], listed: tuple[Condition, ...]
) -> Outcome:
    """A theorem about no point says nothing; and numbers must agree with it."""
    claim = worked.claim
    needs: list[Hypothesis] = [*claim.context.hypotheses.values(), *sorted(conditions, key=predicate_key)]
    if (needs or partial(worked)) and worked.too_large:
        return Outcome("unknown", f"the sides agree, but {TOO_LARGE}", conditions=listed)
    if needs or partial(worked):
        point = witness(worked, needs)
        if point is None:
            what = "hypotheses and conditions" if needs else "domains of its functions"
            return Outcome(
                "unknown", f"the sides agree, but no point was found that satisfies the {what}", conditions=listed
            )
    return Outcome("proved", conditions=listed, proof=proof)


def differs(worked: Worked) -> bool:
    """Floats differ at a point of small sizes; nothing is decided by that."""
    question = worked.question()
    sampler = Sampler(question)
    for sizes in sampler.sizes(1):
        point = sampler.point(sizes, 0)
        if point is None:
            continue
        evaluation = FloatEvaluation(point, sampler.reaches)
        try:
            sides = [evaluation.tensor(question.free, t) for t in (question.lhs, question.rhs)]
        except Undefined:
            continue
        if not close(sides[1], sides[0]):
            return True
    return False


def witness(worked: Worked, needs: list[Hypothesis]) -> Point | None:
    claim = worked.claim
    return satisfying_point(
        needs, terms=(worked.lhs.term, worked.rhs.term), definitions=claim.context.definitions, shapes=claim.shapes
    )


def partial(worked: Worked) -> bool:
    """A side or a definition may be without a value: a logarithm, a root, a quotient occurs."""
    bodies = [worked.lhs.term, worked.rhs.term, *(d.body for d in worked.claim.context.definitions.values())]
    return any(
        isinstance(s, Power) or (isinstance(s, Apply) and s.fn == "log") or (isinstance(s, Whole) and s.fn == "inv")
        for t in bodies
        for s in subterms(t)
    )


def partly_proved(
    worked: Worked, proof: Proved, listed: tuple[Condition, ...], left: tuple[Predicate, ...], repair: bool
) -> Outcome:
    """The theorem has conditions that exclude points which the claim is about: look there."""
    for extra in [] if worked.too_large else [(), *((Positive(neg(c.term)),) for c in left if isinstance(c, Positive))]:
        found = counterexample(worked, extra)
        if found is not None:
            return refuted(worked, found, repair)
    texts = ", ".join(map(condition_text, left))
    more = tuple(Condition(condition_text(c), condition_latex(c), "not implied") for c in left)
    return Outcome(
        "unknown", f"proved only where {texts}, which nothing here implies", conditions=(*listed, *more), proof=proof
    )


# --- refuting --------------------------------------------------------------------------------


def counterexample(worked: Worked, extra: Iterable[Hypothesis] = (), budget: int = BUDGET) -> Counterexample | None:
    return search(worked.question(extra), budget, kinks_have_values=worked.differentiable).counterexample


def refuted_or_unknown(worked: Worked, repair: bool) -> Outcome:
    if worked.too_large:
        return Outcome("unknown", f"no proof was found, and {TOO_LARGE}")
    outcome = search(worked.question(), BUDGET, kinks_have_values=worked.differentiable)
    if outcome.counterexample is None:
        return Outcome("unknown", f"no proof was found, and no counterexample: {outcome.reason}")
    return refuted(worked, outcome.counterexample, repair)


def refuted(worked: Worked, found: Counterexample, repair: bool) -> Outcome:
    cases = tuple(special_cases(worked)) if repair else ()
    return Outcome("refuted", DIFFER, counterexample=tidy(found), special_cases=cases)


def special_cases(worked: Worked) -> Iterator[str]:
    """Extra hypotheses under which the claim is proved after all."""
    from symbackprop.repair.search import special_cases as guesses

    claim = worked.claim
    for guess in guesses(worked.question(), 2):
        hypotheses = {**claim.context.hypotheses, **{f"case {k}": h for k, h in enumerate(guess.hypotheses)}}
        context = Context(claim.context.definitions, hypotheses)
        if prove_equal(worked.lhs.term, worked.rhs.term, context) is not None:
            yield guess.text


def primed(claim: Claim) -> bool:
    """A derivative of a function occurs (f'), or a step that is one."""
    return any(isinstance(s, Apply) and s.order > 0 for t in (claim.lhs, claim.rhs) for s in subterms(t))
