"""Which steps the region of a statement settles: p > 1 says that [p > 0] is 1, so that a maximum(p, 0) is p."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbackprop.clock import Effort
from symbackprop.core.context import Context, Same, terms_of
from symbackprop.core.discharge import knowing
from symbackprop.core.reasons import Given, Reason, Sign
from symbackprop.core.statement import Statement
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Diff,
    Holds,
    Positive,
    Sum,
    Term,
    Whole,
    arguments,
    arrays,
    neg,
    open_body,
)  # fmt: skip

from .conditions.reasons import Seeker
from .conditions.restating import restated
from .differentiate import Names
from .matching import replaced
from .tidying import Tidy

NESTED = 3  # steps inside steps that the hypotheses settle


def with_signs(statement: Statement, region: Context, effort: Effort) -> tuple[Reason | Given, ...]:
    """What the region says in the words of the prover, and which steps it settles: p > 1 says that p > 0."""
    lemmas = restated(region)
    bounds = (h for h in statement.context.hypotheses.values() if not isinstance(h, Same))
    said = {a for h in bounds for t in terms_of(h) for a in arrays(t)}
    if not said:
        return lemmas
    both = (u for t in (statement.lhs, statement.rhs) for u in step_arguments(t, Names()))
    todo = [u for u in dict.fromkeys(both) if said & arrays(u)]
    for _ in range(NESTED):
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
    match t:
        case Holds(Positive(u)):
            yield u
            yield from step_arguments(u, names)
        case Sum(size, body, _):
            yield from step_arguments(open_body(body, (names.new(size),)), names)
        case Whole(_, _, sizes, body, _, _):
            yield from step_arguments(open_body(body, tuple(map(names.new, sizes))), names)
        case Diff(body, _):
            yield from step_arguments(body, names)
        case _:
            for a in arguments(t):
                yield from step_arguments(a, names)
