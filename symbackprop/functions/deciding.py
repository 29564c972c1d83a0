"""From a claim about functions to its verdict, in words; what runs of the functions say of overflow besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import numpy as np

from symbackprop.clock import OutOfTime, in_time, limit, stage
from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.region import KINK, ROOT, TIE, VALUE, moving_in, strict
from symbackprop.core.statement import Excused
from symbackprop.core.terms import (
    Array,
    AtLeastZero,
    Positive,
    Term,
    arrays,
    longer,
)
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import Decision, decide, prove_only, refute_only
from symbackprop.decide.outcomes import PROVED, REFUTED, UNKNOWN, Condition
from symbackprop.functions.claims import Claim, Setting, formula, formula_latex, named_problem, problem_of, shown
from symbackprop.functions.repairs import with_repair
from symbackprop.functions.request import Function, called
from symbackprop.functions.shape_examples import wrong_shape
from symbackprop.functions.sweep import in_variables, names_of, tried
from symbackprop.functions.trial import Run, Runs
from symbackprop.functions.verdict import Verdict
from symbackprop.numbers.points import Point
from symbackprop.prove.cases import CONDITION, POINT, Missing
from symbackprop.prove.cases import VALUE as NO_VALUE
from symbackprop.prove.statements import exhibited
from symbackprop.write.paper.array_text import equation, latex_condition, predicate_text

EXACTLY = "write {} exactly (np.pi, 1 / 3, np.sqrt(2))"
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
    text, latex = statement(claim, setting)
    return replace(
        verdict,
        name=claim.name,
        hypotheses=tuple(map(hypothesis_text, setting.hypotheses)),
        statement=text,
        statement_latex=latex,
        sides=claim.sides,
    )


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
    """The excused points that the theorem leaves out, for the reader."""
    listed: dict[str, Condition] = {}
    context, moving = found.statement.context, moving_in(found.statement.lhs)
    closed = [h for h in context.hypotheses.values() if isinstance(h, AtLeastZero) and strict(h) is not h]
    for fact, why in (*found.excused, *(Excused(Positive(h.term), BORDER) for h in closed if moving)):
        if why in WHY:
            p = in_variables(fact, context, names)
            text = predicate_text(p, claim.axes)
            listed.setdefault(text, Condition(text, WHY[why], p, latex_condition(p, claim.axes)))
    return tuple(listed.values())


def not_implied(missing: Missing, claim: Claim) -> tuple[Condition, ...]:
    return tuple(Condition(predicate_text(c, claim.axes), "not implied", c) for c in missing.left)


def reason(d: Decision, missing: Missing, claim: Claim, setting: Setting) -> str:
    texts = ", ".join(predicate_text(c, claim.axes) for c in missing.left)
    if missing.stage == POINT:
        what = "hypotheses" if setting.hypotheses else "claim's functions, so that both sides have a value"
        return f"the formulas agree, but no point was found that satisfies the {what}"
    if missing.stage == NO_VALUE:
        return f"the result has a value only where {texts}, which the hypotheses do not say"
    if missing.stage == CONDITION:
        hint = f"; it is proved for {d.enough} (say so in assuming)" if d.enough else ""
        return f"proved only where {texts}, which the hypotheses do not say{hint}"
    exactly = EXACTLY.format(", ".join(f"{x!r}" for x, _ in setting.rounded[:3]))
    if d.rounding:
        return f"the two sides differ by no more than rounding explains; {exactly}"
    if setting.rounded:
        return f"no proof was found, and no counterexample that rounding cannot explain; {exactly}"
    return f"no proof was found, and no counterexample: {d.searched}"


def hypothesis_text(h: Hypothesis) -> str:
    return equation(h.lhs, h.rhs) if isinstance(h, Same) else predicate_text(h)


def statement(claim: Claim, setting: Setting) -> tuple[str, str]:
    """`∂L/∂x[i,j] = ...` with the formula that was claimed, as text and as LaTeX; a long one in the user's names."""
    if not claim.conforms:
        return f"{claim.label} has shape ({shown(claim.found.shape)})", ""
    sweep = setting.sweep if setting.sweep is not None and setting.sweep.first else None
    own = sweep is not None and sweep.is_own(claim.name, claim.lhs, claim.found)
    written = sweep.program(claimed=True) if sweep is not None and own else None
    in_names = None if written is None else tried(written.formulas, claim.name)
    return in_names or (formula(claim, claim.rhs), formula_latex(claim, claim.rhs))


# --- code that is right and overflows: nan for ordinary large values ---


LARGE = 1000
SECONDS = 1.0


def overflow_notes(runs: Runs, claim: Claim, setting: Setting) -> list[str]:
    """In a second, or nothing."""
    try:
        with limit(min(SECONDS, setting.seconds)):
            stage("running the functions on large values")
            return list(overflows(runs, claim, setting))
    except OutOfTime:
        return []


def overflows(runs: Runs, claim: Claim, setting: Setting) -> Iterator[str]:
    """What gives nan at one point that satisfies the hypotheses, with entries of 1000 where they say nothing."""
    mentioned = {a for h in setting.hypotheses for t in vars_of(h) for a in arrays(t)}
    free = [n for n in claim.inputs if Array(n) not in mentioned and claim.inputs[n].values is None]
    point = next(runs.points(runs.asked(claim, setting)), None)
    if point is None:
        return
    plain, large = runs.at(point, claim.inputs), Run(runs.request, claim.inputs, enlarged(point, free))
    for function in (runs.request.forward, runs.request.backward):
        if function is not None and gives_nan(large, function) and not gives_nan(plain, function):
            yield f"in real numbers; in floats {called(function)} overflows to nan for entries of {LARGE}"


def vars_of(hypothesis: object) -> Iterator[Term]:
    for name in ("term", "lhs", "rhs"):
        t = getattr(hypothesis, name, None)
        if t is not None:
            yield t


def enlarged(point: Point, names: list[str]) -> Point:
    """The same with entries around 1000 and -1000 in turn, no two alike: a variance of 0 is no overflow."""
    wanted = {Array(n) for n in names}
    changed = {
        a: {k: Fraction((LARGE + n) * (-1) ** n) if a in wanted else v for n, (k, v) in enumerate(entries.items())}
        for a, entries in point.arrays.items()
    }
    return replace(point, arrays=changed)


def gives_nan(at: Run, function: Function) -> bool:
    try:
        results = at.returned(function)
    except Exception:  # nothing is learned
        return False
    return any(bool(np.isnan(x).any()) for x in results.values())
