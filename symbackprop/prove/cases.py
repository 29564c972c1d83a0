"""Equations by cases: steps that the region settles, conditions that have reasons, something that is 0 or is not.

p > 1 says that [p > 0] is 1, so that a maximum(p, 0) is p.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.clock import Effort
from symbackprop.core.context import Context, Hypothesis, Same, Statement, terms_of
from symbackprop.core.discharge import assuming, knowing, truth_case
from symbackprop.core.indices import Index, IndexExpr, Pick
from symbackprop.core.reasons import Cases, Given, Holding, Reason, Sign
from symbackprop.core.region import truth
from symbackprop.core.signs import NONNEGATIVE, Signs
from symbackprop.core.terms import (
    ONE, ZERO, Holds, Nonzero, Positive, Predicate, Term, arrays, free, neg, predicate_key, replaced, substitute,
)  # fmt: skip
from symbackprop.prove.conditions.reasons import Seeker
from symbackprop.prove.conditions.restating import case_name, restated
from symbackprop.prove.differentiate import Names
from symbackprop.prove.equality import Found, prove
from symbackprop.prove.matching import truths
from symbackprop.prove.working_out import Tidy

IN_STEPS = 3  # steps inside steps that the hypotheses settle


def with_signs(statement: Statement, region: Context, effort: Effort) -> tuple[Reason | Given, ...]:
    """What the region says in the words of the prover, and which steps it settles: p > 1 says that p > 0."""
    lemmas = restated(region)
    bounds = (h for h in statement.context.hypotheses.values() if not isinstance(h, Same))
    said = {a for h in bounds for t in terms_of(h) for a in arrays(t)}
    if not said:
        return lemmas
    both = (u for t in (statement.lhs, statement.rhs) for u in step_arguments(t, Names()))
    todo = [u for u in dict.fromkeys(both) if said & arrays(u)]
    for _ in range(IN_STEPS):
        seeker = Seeker(knowing("known", lemmas, region)[0], effort)
        signs = {u: seeker.reason(Positive(u), 1) or seeker.reason(Positive(neg(u)), 1) for u in todo}
        found = [why for why in signs.values() if why is not None and not isinstance(why, Sign)]
        if not found:
            break
        wider, _ = knowing("known", (*lemmas, *found), region)
        lemmas = (*lemmas, *found, *restated(wider))
        settled = ((u, why.goal == Positive(u)) for u, why in signs.items() if why is not None)
        known: dict[Term, bool] = {Holds(Positive(u)): on for u, on in settled}
        todo = [v for u, v in ((u, with_known_steps(u, known)) for u in todo) if v != u and v not in signs]
    return lemmas


def with_known_steps(u: Term, known: Mapping[Term, bool]) -> Term:
    """The term with 1 or 0 for the steps inside it that are settled."""
    for step, on in known.items():
        u = replaced(u, step, ONE if on else ZERO)
    return Tidy()(u)


def step_arguments(t: Term, names: Names) -> Iterator[Term]:
    """The arguments of the steps in a term, with names for dummies."""
    if isinstance(t, Holds) and isinstance(t.predicate, Positive):
        yield t.predicate.term
    for part in names.parts(t):
        yield from step_arguments(part, names)


CASES = 4  # truth values and terms that an equation is split by
NESTED = 3  # cases in cases
VALUE, EQUATION, CONDITION, POINT = "value", "equation", "condition", "point"


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing of a proof: a `value` of the right side, the `equation`, a `condition` of it, or a `point`."""

    stage: str
    left: tuple[Predicate, ...] = ()


def with_reasons(found: Found, seeker: Seeker) -> Given | Missing:
    proof, eq = found
    reasons, left = sorted_out(seeker, eq.conditions)
    return Missing(CONDITION, left) if left else Given(proof, reasons)


def sorted_out(seeker: Seeker, conditions: frozenset[Predicate]) -> tuple[tuple[Reason, ...], tuple[Predicate, ...]]:
    """Reasons for those that have one, and the others."""
    found = {c: seeker.reason(c) for c in sorted(conditions, key=predicate_key)}
    return tuple(r for r in found.values() if r is not None), tuple(c for c, r in found.items() if r is None)


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
    borders = [u for u in bordered((one, other), context) if not free(u)]
    for u in dict.fromkeys((*zeros, *borders[:1], *steps)[:CASES]):
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


def bordered(sides: tuple[Term, Term], context: Context) -> list[Term]:
    """The u of steps [u > 0] of which it is known that u >= 0 only: where u is not positive it is 0."""
    signs = Signs(context)
    steps = (u for t in sides for u in step_arguments(t, Names()))
    return [u for u in dict.fromkeys(steps) if signs.sign(u) == NONNEGATIVE]


def settled(lhs: Term, rhs: Term, context: Context, effort: Effort, depth: int) -> Holding | None:
    found = prove(lhs, rhs, context)
    step = None if found is None else with_reasons(found, Seeker(context, effort))
    if isinstance(step, Missing):
        return in_cases(lhs, rhs, context, effort, step.left, depth - 1) if depth > 1 else None
    return step
