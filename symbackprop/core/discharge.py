"""Checking reasons: that a predicate, or an equation, holds at every point of a region.

A region is what a context says: its hypotheses, among them the facts of the claim (where the forward has a value and a
derivative), each for all values of its free indices.  Every function here returns what was shown together with the
names of the hypotheses used, or raises ProofError.

In the region of a claim an argument shows that the right side has a value and that an equation holds, and it exhibits
a point, so that this is not about nothing.  By this account the prover finds its way; what is proved is decided in
`theorem.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, assert_never

from symbackprop.core.context import Context, Hypothesis, Same, Statement, terms_of
from .indices import ProofError, nodes
from .signs import POSITIVE, SAYS, Signs, added, says
from .kernel import Seen, check, inhabited
from .laws.functions import DERIVATIVES
from .reasons import (
    Argument, Base, Cases, Continued, Dense, Fixed, Given, Holding, Knowing, Nested, Reason, Sign, Split, Steps, Weigh,
)  # fmt: skip
from .region import Smoothness, needed, needs, region_of, truth
from .terms import (
    ONE, ZERO, Apply, Array, AtLeastZero, Diff, Holds, Index, IndexExpr, NonNegative, Nonzero, Pick, Positive,
    Power, Predicate, Term, Whole, add, arrays, free, mul, neg, require, sub, substitute, subterms, whole,
)  # fmt: skip

Used = frozenset[str]
NONE: Used = frozenset()
ANALYTIC = frozenset(DERIVATIVES) | frozenset({"det", "inv", "prod"})


class Shown(NamedTuple):
    """lhs = rhs everywhere in the region, and the hypotheses that were used."""

    lhs: Term
    rhs: Term
    used: Used


# --- predicates --------------------------------------------------------------------------------


def established(reason: Reason, context: Context) -> Used:
    """The goal of the reason holds in the region, for all values of its free indices."""
    goal = reason.goal
    match reason:
        case Sign():
            signs = Signs(context)
            require(signs.holds(goal), "{} is not plain", goal)
            return signs.used
        case Weigh():
            return weighed(reason, context)
        case Base(_, power):
            match goal, power.goal:
                case Nonzero(b), Nonzero(Power(base, q)) if base == b and q > 0:
                    return established(power, context)
                case _:
                    raise ProofError(f"{goal} does not follow from {power.goal}")
        case Split(_, name, h, yes, no, equation):
            shown = given(equation, context)
            u = term_of(goal)
            require(truth(h) and not free(h), "{} is no truth value of its own", h)
            require(type(yes.goal) is type(no.goal) is type(goal), "the cases are about something else")
            wanted = add(mul(h, term_of(yes.goal)), mul(sub(ONE, h), term_of(no.goal)))
            require((shown.lhs, shown.rhs) == (u, wanted), "{} is not split in this way", goal)
            inhabited(free(wanted) - free(u), context.least)
            both = (established(r, assuming(context, name, truth_case(h, on))) for r, on in ((yes, True), (no, False)))
            return shown.used.union(*both)
        case Fixed(_, names, inner):
            values = fresh_integers(names, context, (term_of(goal),))
            return discharged({like(goal, substitute(term_of(goal), values))}, (inner,), context)
        case Nested():
            return nested(reason, context)
        case Knowing(_, name, lemmas, inner):
            wider, used = knowing(name, lemmas, context)
            return used | discharged({goal}, (inner,), wider)
        case _:
            assert_never(reason)


def nested(r: Nested, context: Context) -> Used:
    """max_ij x_ij is max_i max_j x_ij; where no two rows share the largest entry and no row has it twice, none does."""
    rows, row = r.outer_axes, r.inner_axes
    require(set(rows).isdisjoint(row) and sorted(r.order, key=str) == sorted((*rows, *row), key=str), "other axes")
    inhabited((*rows, *row), context.least)
    maxima = (r.order, r.body), (row, r.body), (rows, whole("max", 0, row, r.body, ()))
    both, *parts = (Positive(whole("gap", 0, axes, t, ())) for axes, t in maxima)
    require(r.goal == both, "{} is about another maximum", r.goal)
    return discharged(parts, (r.inner, r.outer), context)


def knowing(name: str, lemmas: tuple[Reason | Given, ...], context: Context) -> tuple[Context, Used]:
    """The region with what these lemmas show as further hypotheses of this name, and what they used."""
    used = NONE
    for k, lemma in enumerate(lemmas):
        if isinstance(lemma, Given):
            shown = given(lemma, context)
            known: Hypothesis = Same(shown.lhs, shown.rhs)
            more = shown.used
        else:
            known, more = lemma.goal, established(lemma, context)
        require(f"{name}.{k}" not in context.hypotheses, "{} is in use", name)
        context, used = context.knowing({f"{name}.{k}": known}), used | more
    return context, used


def weighed(reason: Weigh, context: Context) -> Used:
    signs = Signs(context)
    shown = given(reason.equation, context)
    u, goal, used = term_of(reason.goal), reason.goal, shown.used
    values = [term_of(r.goal) for _, r in reason.parts]
    total = add(*(mul(c, v) for (c, _), v in zip(reason.parts, values, strict=True)), reason.rest)
    require((shown.lhs, shown.rhs) == (mul(reason.scale, u), total), "{} is not weighed in this way", goal)
    inhabited(free(total) - free(u), context.least)
    used = used.union(*(established(r, context) for _, r in reason.parts))
    parts = [signs.sign(c) & SAYS[type(r.goal)] for c, r in reason.parts]
    alone = len(parts) == 1 and reason.rest == ZERO
    said = parts[0] if alone else added([*parts, signs.sign(reason.rest)])
    if not isinstance(goal, Nonzero):
        require(signs.sign(reason.scale) == POSITIVE, "{} may be negative", reason.scale)
    require(said & SAYS[type(goal)] == SAYS[type(goal)], "the sum may be 0 or negative")
    return used | signs.used


def term_of(p: Predicate) -> Term:
    if isinstance(p, NonNegative):
        raise ProofError(f"{p} is not about a term")
    return p.term


def like(p: Predicate, t: Term) -> Predicate:
    """What p says, of another term."""
    return p if isinstance(p, NonNegative) else type(p)(t)


def truth_case(h: Term, on: bool) -> list[Hypothesis]:
    """What is known where the truth value is 1, and where it is 0."""
    found: list[Hypothesis] = [Same(h, ONE if on else ZERO)]
    if isinstance(h, Holds) and isinstance(h.predicate, Positive):
        found.append(h.predicate if on else AtLeastZero(neg(h.predicate.term)))
    return found


def assuming(context: Context, name: str, more: Iterable[Hypothesis]) -> Context:
    """More hypotheses, about this very point: no index is free in them, since that would say it of all values."""
    named: dict[str, Hypothesis] = {}
    for k, h in enumerate(more):
        require(not any(map(free, terms_of(h))), "{} is about all values of an index", h)
        named[f"{name}.{k}"] = h
    require(context.hypotheses.keys().isdisjoint(named), "{} is in use", name)
    return context.knowing(named)


def fresh_integers(
    names: tuple[tuple[Index, str], ...], context: Context, about: tuple[Term, ...]
) -> dict[Index, IndexExpr]:
    """An integer in the range of each index, of a name that nothing uses."""
    new = [name for _, name in names]
    spoken = [*about, *(t for h in context.hypotheses.values() for t in terms_of(h))]
    spoken += [d.body for d in context.definitions.values()]
    taken = {name for t in spoken for name in picked(t)}
    require(len(set(new)) == len(new) and taken.isdisjoint(new), "a name of {} is in use", new)
    return {i: Pick(name, (), i.size) for i, name in names}


# --- equations ---------------------------------------------------------------------------------


def holding(step: Holding, context: Context, seen: Seen | None = None) -> Shown:
    """The equation holds at every point of the region."""
    match step:
        case Given():
            return given(step, context, seen)
        case Continued():
            return continued(step, context)
        case Cases():
            return by_cases(step, context)
        case Steps(each):
            first, *rest = (holding(s, context, seen) for s in each)
            total = first
            for s in rest:
                require(s.lhs == total.rhs, "{} does not follow {}", s.lhs, total.rhs)
                inhabited(free(s.lhs) - free(total.lhs) - free(s.rhs), context.least)
                total = Shown(total.lhs, s.rhs, total.used | s.used)
            return total
        case _:
            assert_never(step)


def given(step: Given, context: Context, seen: Seen | None = None) -> Shown:
    eq = check(step.proof, context, seen)
    return Shown(eq.lhs, eq.rhs, eq.hypotheses | discharged(eq.conditions, step.reasons, context))


def discharged(conditions: Iterable[Predicate], reasons: tuple[Reason | Dense, ...], context: Context) -> Used:
    """What the reasons for these conditions used: each has one, or is an instance of what has one."""
    for c in conditions:
        require(any(says(r.goal, c, context.least) for r in reasons), "{} has no reason", c)
    return NONE.union(*(dense(r, context) if isinstance(r, Dense) else established(r, context) for r in reasons))


def continued(step: Continued, context: Context) -> Shown:
    eq, smooth = check(step.proof, context), Smoothness(context)
    no_derivative(eq.lhs, eq.rhs)
    used = discharged(eq.conditions, (*step.reasons, *step.dense), context) | eq.hypotheses
    moved = frozenset(a for d in step.dense for a, _ in d.somewhere)
    about, values = [eq.lhs, eq.rhs], dict[Predicate, str]()
    for h in (h for name, h in context.hypotheses.items() if name in used and smooth.concerns(h, moved)):
        require(isinstance(h, Positive | Nonzero), "{} need not hold around the point", h)
        about += terms_of(h)
    for t in about:
        wanted, more = needed(t, context, moved)
        values, used = {**values, **wanted}, used | more
    return Shown(eq.lhs, eq.rhs, used | discharged(values, step.continuous, context))


def no_derivative(*sides: Term) -> None:
    require(not any(isinstance(n, Diff) for n in nodes(sides)), "a derivative")


def dense(d: Dense, context: Context) -> Used:
    """u != 0 on a dense set, whatever the arrays that do not move are."""
    require(isinstance(d.goal, Nonzero), "{} is not that something is not 0", d.goal)
    moved, smooth = frozenset(a for a, _ in d.somewhere), Smoothness(context)
    for a in moved:
        require(not context.meanings(a), "{} is defined", a)
    still = {name: h for name, h in context.hypotheses.items() if not smooth.concerns(h, moved)}
    used = analytic(term_of(d.goal), d.analytic, Context(context.definitions, still, context.least), moved)
    there = Context({**context.definitions, **dict(d.somewhere)}, still, context.least)
    return used | discharged({d.goal}, (d.reason,), there)


def analytic(u: Term, reasons: tuple[Reason, ...], context: Context, moved: frozenset[Array]) -> Used:
    """u is analytic in the arrays that move, wherever they are: so it is 0 nowhere dense, or everywhere."""
    smooth = Smoothness(context)
    wanted, used = needed(u, context, moved)
    behind = frozenset[Array]().union(*map(context.behind, arrays(u)))
    for t in (u, *(m.body for a in behind for m in context.meanings(a))):
        for s in (s for s in subterms(t) if smooth.moves(s, moved)):
            match s:
                case Holds() | Diff():
                    raise ProofError(f"{s} is not analytic")
                case Apply(fn, _, order) | Whole(fn, order, _, _, _, _):
                    require(fn in ANALYTIC and order == 0, "{} may not be analytic", fn)
    return used | discharged(wanted, reasons, context)


def by_cases(step: Cases, context: Context) -> Shown:
    """At any values of these indices u is 0, or it is not; a truth value is 1 or 0."""
    lhs, rhs, u = step.lhs, step.rhs, step.about
    no_derivative(lhs, rhs)
    values = fresh_integers(step.names, context, (lhs, rhs))
    wanted = substitute(lhs, values), substitute(rhs, values)
    zero: tuple[list[Hypothesis], ...] = [Nonzero(u)], [Same(u, ZERO)]
    cases = tuple(truth_case(u, on) for on in (True, False)) if truth(u) else zero
    used = NONE
    for known, inner in zip(cases, (step.one, step.other), strict=True):
        shown = holding(inner, assuming(context, step.name, known))
        require((shown.lhs, shown.rhs) == wanted, "another equation is shown")
        used |= shown.used
    return Shown(lhs, rhs, used)


def picked(t: Term) -> frozenset[str]:
    """The names of integer arrays that occur in t."""
    return frozenset(n.array for n in nodes(t) if isinstance(n, Pick))


# --- what an argument shows in the region of its claim -------------------------------------------

def has_value(statement: Statement, argument: Argument, region: Context) -> tuple[Used, dict[str, Predicate]]:
    """The right side has a value in the region: what was used, and what its value needs, by name."""
    found, used = needed(statement.rhs, statement.context)
    wanted = list(found)
    if statement.formula:
        known = needs(statement.lhs, statement.context, facts=True)
        region, _ = region_of(Statement(statement.lhs, statement.lhs, statement.context, formula=True))
        wanted = [p for p in wanted if not any(says(k, p, region.least) for k in known)]
    for r in (r for r in argument.values if isinstance(r, Dense)):
        require(statement.formula, "a value is needed everywhere")
        open_around(region, frozenset(a for a, _ in r.somewhere))
    used |= discharged(wanted, argument.values, region)
    return used, {} if statement.formula else as_facts(wanted, region)


def open_around(region: Context, moved: frozenset[Array]) -> None:
    """Where these arrays move a little the region is not left, so that dense there is dense in the region."""
    smooth, plain = Smoothness(region), Signs(region).holds
    for h in region.hypotheses.values():
        if smooth.concerns(h, moved):
            continuous = all(plain(p) for t in terms_of(h) for p in needs(t, region, moved))
            require(isinstance(h, Positive | Nonzero) and continuous, "{} need not hold around a point", h)


def as_facts(values: Iterable[Predicate], region: Context) -> dict[str, Predicate]:
    """What the value of the right side needs, by name, without what is plain."""
    plain = Signs(region).holds
    return {f"value {k}": p for k, p in enumerate(values, 1) if not plain(p)}
