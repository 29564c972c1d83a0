"""The kernel's account of a claim: its region, and what an argument shows in it.

The *region* of a claim is its context with the facts about its forward as further hypotheses: where each step has a
value, and a derivative where the variable is its argument.  By this account the prover finds its way; what is proved is
decided in `theorem.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .context import Context, Hypothesis, terms_of
from .discharge import Used, discharged
from .indices import affine, nodes, require
from .instances import says
from .reasons import Argument, Dense
from .signs import Signs
from .smooth import Smoothness
from .statement import Excused, Statement
from .terms import Array, AtLeastZero, Diff, NonNegative, Nonzero, Positive, Predicate, Term, arrays
from .value import needed, needs

SIZE = "a length"


def region_of(statement: Statement) -> tuple[Context, dict[str, Excused]]:
    """The context with the facts as hypotheses; and the facts by name, with what each is about."""
    context, moving = statement.context, moving_in(statement.lhs)
    plain = Signs(context).holds
    found: dict[Predicate, str] = {NonNegative(affine(n, ())): SIZE for n in statement.lengths}
    for t in (statement.lhs, statement.rhs) if statement.formula else statement.forward:
        for p, why in needs(t, context, frozenset() if statement.formula else moving, facts=True).items():
            found.setdefault(p, why)
    named = {f"fact {k}": Excused(p, why) for k, (p, why) in enumerate(found.items(), 1) if not plain(p)}
    given = {name: strict(h) if moving else h for name, h in context.hypotheses.items()}
    region = Context(context.definitions, given | {name: e.predicate for name, e in named.items()}, context.least)
    return region, named


def strict(h: Hypothesis) -> Hypothesis:
    """A derivative needs a neighbourhood: the border of t >= 0 is excused, unless t is about sizes and indices."""
    return Positive(h.term) if isinstance(h, AtLeastZero) and arrays(h.term) else h


def moving_in(t: Term) -> frozenset[Array]:
    """The arrays that the left side is differentiated by."""
    return frozenset(n.wrt.array for n in nodes(t) if isinstance(n, Diff))


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
