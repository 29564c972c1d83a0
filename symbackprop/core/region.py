"""The kernel's account of a claim: its region, and what an argument shows in it.

The *region* of a claim is its context with the facts about its forward as further hypotheses: where each step has a
value, and a derivative where the variable is its argument.  In it the argument shows that the right side has a value
and that an equation holds, and it exhibits a point, so that this is not about nothing.  By this account the prover
finds its way; what is proved is decided in `theorem.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .context import Context, Hypothesis, terms_of
from .discharge import Used, discharged, holding, knowing
from .indices import affine, nodes, refusing, require
from .instances import says
from .point import Evaluation, satisfied
from .reasons import Argument, Dense
from .rows import load_argument
from .signs import Signs
from .smooth import Smoothness
from .statement import Excused, Statement
from .terms import Array, AtLeastZero, Diff, NonNegative, Nonzero, Positive, Predicate, Term, arrays, free
from .value import needed, needs

SIZE = "a length"


def argued(rows: object) -> tuple[Excused, ...]:
    """What is excused by the argument that the rows of a certificate are.  Raises ProofError where it shows nothing."""
    with refusing("argument"):
        return shown(*load_argument(rows))


def shown(statement: Statement, argument: Argument) -> tuple[Excused, ...]:
    region, facts = region_of(statement)
    wider, used = knowing("known", argument.lemmas, region)
    more, values = has_value(statement, argument, wider)
    equation = holding(argument.steps, wider.knowing(values))
    require(equation.lhs == statement.lhs, "another left side was shown: {}", equation.lhs)
    require(equation.rhs == statement.rhs, "another right side was shown: {}", equation.rhs)
    for symbol, size in argument.point.sizes:
        require(size >= region.least[symbol], "{} is at least {}", symbol, region.least[symbol])
    for i in free(statement.lhs) | free(statement.rhs):
        require(i.size.at(dict(argument.point.sizes)) > 0, "{} has no values at this point", i.name)
    run = Evaluation(argument.point, region)
    for h in region.hypotheses.values():
        satisfied(h, run)
    used |= more | equation.used
    return tuple(facts[name] for name in sorted(used & facts.keys(), key=list(facts).index))


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
