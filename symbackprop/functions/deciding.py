"""From a claim about functions to its verdict, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from symbackprop.clock import OutOfTime, in_time, limit
from symbackprop.core.context import Excused
from symbackprop.core.region import KINK, ROOT, TIE, VALUE, moving_in, region_of, strict
from symbackprop.core.signs import Signs, never_zero
from symbackprop.core.terms import Array, AtLeastZero, Nonzero, Ordinal, Positive, Predicate, longer
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import Decision, decide, prove_only, refute_only
from symbackprop.decide.outcomes import PROVED, REFUTED, UNKNOWN, WORST_FIRST, Condition
from symbackprop.functions.claims import (
    Claim, Setting, hypothesis_text, named_problem, not_implied, problem_of, reason, statement,
)  # fmt: skip
from symbackprop.functions.repairs import with_repair
from symbackprop.functions.other_results import wrong_shape
from symbackprop.functions.sweep import in_variables, names_of
from symbackprop.functions.verdict import Formula, Verdict
from symbackprop.prove.statements import exhibited
from symbackprop.write.paper.array_text import latex_condition, predicate_text

LONG, FIRST = 300, 0.6  # subterms of all claims; of the time, for the way that is tried first
BORDER = "border"
WHY: Mapping[str, str] = {
    KINK: "a kink of the forward", TIE: "the largest entry stands alone",
    VALUE: "the forward has no value elsewhere", ROOT: "the forward has no derivative elsewhere",
    BORDER: "the border of a hypothesis is left out",
}  # fmt: skip


def verdict_of(claim: Claim, setting: Setting) -> Verdict:
    """Within the time of the setting; what is refuted stays refuted when only the repair takes too long."""
    verdict = Verdict(UNKNOWN)
    try:
        with limit(setting.seconds):
            verdict = decided(claim, setting)
            if verdict.status == REFUTED and setting.repair:
                verdict = with_repair(claim, setting, verdict)
    except OutOfTime as late:
        late_repair = "no time was left to look for the right formula"
        verdict = replace(verdict, reason=str(late) if verdict.status == UNKNOWN else late_repair)
    return described(claim, setting, verdict)


def decided(claim: Claim, setting: Setting) -> Verdict:
    """Long claims by their intermediates first, short ones by index terms."""
    if not claim.conforms:
        return wrong_shape(claim)
    if setting.sweep is None:
        return by_index_terms(claim, setting)
    one, other = (by_intermediates, by_index_terms) if setting.sweep.first else (by_index_terms, by_intermediates)
    late = Verdict(UNKNOWN, reason="no proof was found in the time for it, and no counterexample")
    first = in_time(FIRST, lambda: one(claim, setting), late)
    if first.status != UNKNOWN:
        return first
    second = other(claim, setting)
    return second if second.status != UNKNOWN or second.reason else first


def are_long(claims: Sequence[Claim]) -> bool:
    """Whether intermediates are the quicker way for all claims of a request."""
    return longer((t for c in claims if c.conforms for t in (c.lhs, c.rhs)), LONG)


def by_index_terms(claim: Claim, setting: Setting) -> Verdict:
    return in_words(decide(problem_of(claim, setting)), claim, setting)


def by_intermediates(claim: Claim, setting: Setting) -> Verdict:
    """What is wrong by its values is refuted, everything else proved; unknown where neither is found."""
    check = None if setting.sweep is None else setting.sweep.of(claim.name, claim.lhs, claim.found)
    problem = None if check is None else named_problem(claim, setting, check)
    if setting.sweep is None or check is None or problem is None:
        return Verdict(UNKNOWN)
    found = refute_only(problem) if claim.name in check.wrong else prove_only(problem)
    return in_words(found, claim, setting, names_of(setting.sweep.program(claimed=True)))


def refuted_at_points(claim: Claim, setting: Setting) -> Verdict:
    """Refuted at one of a few points, or unknown."""
    if not claim.conforms:
        return verdict_of(claim, replace(setting, repair=False))
    return described(claim, setting, in_words(refute_only(problem_of(claim, setting)), claim, setting))


def described(claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    formula, hypotheses = Formula(lambda: statement(claim, setting)), tuple(map(hypothesis_text, setting.hypotheses))
    return replace(verdict, name=claim.name, hypotheses=hypotheses, formula=formula, sides=claim.sides)


def together(gradients: dict[str, Verdict]) -> Verdict:
    """One verdict for several variables: the worst of them, with the details of the first that is as bad."""
    if len(gradients) == 1:
        (only,) = gradients.values()
        return only
    status = min((v.status for v in gradients.values()), key=WORST_FIRST.index)
    worst = next(v for v in gradients.values() if v.status == status)
    if status == PROVED:
        conditions = tuple(dict.fromkeys(c for v in gradients.values() for c in v.conditions))
        return Verdict(status, "", gradients, None, conditions, worst.hypotheses, worst.witness)
    return Verdict(
        status, "", gradients, None, worst.conditions, worst.hypotheses, worst.witness, worst.counterexample,
        worst.mistake, worst.repair, worst.special_cases, worst.reason, line=worst.line,
    )  # fmt: skip


# --- words -----------------------------------------------------------------------------------


def in_words(
    d: Decision, claim: Claim, setting: Setting, names: Mapping[Array, Array] = MappingProxyType({})
) -> Verdict:
    if d.theorem is not None:
        excused = conditions(d.theorem, claim, names)
        return Verdict(PROVED, theorem=d.theorem, conditions=excused, witness=exhibited(d.theorem))
    if d.counterexample is not None:
        return Verdict(REFUTED, counterexample=d.counterexample)
    if d.missing is None:
        return Verdict(UNKNOWN)
    return Verdict(UNKNOWN, reason=reason(d, d.missing, claim, setting), conditions=not_implied(d.missing, claim))


def conditions(found: Theorem, claim: Claim, names: Mapping[Array, Array]) -> tuple[Condition, ...]:
    """The excused points that the theorem leaves out, and where the forward has no value, for the reader."""
    listed: dict[str, Condition] = {}
    context, moving = found.statement.context, moving_in(found.statement.lhs)
    given = context.hypotheses.values()
    closed = [h for h in given if isinstance(h, AtLeastZero) and strict(h, given) is not h]
    said = Signs(context.knowing({f"excused {k}": e.predicate for k, e in enumerate(found.excused)}))
    valueless = (e for e in region_of(found.statement)[1].values() if e.why == VALUE and not said.holds(e.predicate))
    borders = (Excused(Positive(h.term), BORDER) for h in closed if moving)
    for fact, why in (*found.excused, *valueless, *borders):
        if why in WHY and not of_places(fact):
            p = in_variables(fact, context, names)
            text = predicate_text(p, claim.axes)
            listed.setdefault(text, Condition(text, WHY[why], p, latex_condition(p, claim.axes)))
    return tuple(listed.values())


def of_places(fact: Predicate) -> bool:
    """Whether it says of a place plus 1, or of what is left of an axis, that it is not 0."""
    return isinstance(fact, Nonzero) and isinstance(fact.term, Ordinal) and never_zero(fact.term.of)
