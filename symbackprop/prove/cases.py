"""Equations whose conditions have reasons, by cases where they have none: where something is 0, and where it is not."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.clock import Effort
from symbackprop.core.context import Context, Hypothesis, Same
from symbackprop.core.discharge import assuming, truth_case
from symbackprop.core.indices import Index, IndexExpr, Pick
from symbackprop.core.reasons import Cases, Given, Holding, Reason
from symbackprop.core.region import truth
from symbackprop.core.terms import ZERO, Nonzero, Predicate, Term, free, predicate_key, substitute
from symbackprop.prove.conditions.reasons import Seeker
from symbackprop.prove.conditions.restating import case_name
from symbackprop.prove.equality import Found, prove
from symbackprop.prove.matching import truths

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
