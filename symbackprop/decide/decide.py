"""One question in, one answer out: refuted at a point, or a theorem, or neither.

What is plainly false is refuted first.  The word `proved` comes from `core.theorem` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from symbackprop.clock import done, give_up, in_time, stage
from symbackprop.core.context import Context, Hypothesis, Same, Statement, terms_of
from symbackprop.core.indices import Affine, Index, Least, Node, Size, affine, at_least_zero, nodes, sized, with_symbols
from symbackprop.core.reasons import Point, satisfied
from symbackprop.core.region import moving_in
from symbackprop.core.sums import least_sizes
from symbackprop.core.terms import (
    ZERO, Apply, Array, AtLeastZero, NonNegative, Nonzero, Num, Positive, Predicate, ProofError, Term, arrays, free,
    neg,
)  # fmt: skip
from symbackprop.core.theorem import Theorem
from symbackprop.decide.outcomes import PROVED, REFUTED, UNKNOWN
from symbackprop.numbers import points
from symbackprop.numbers.exact_numbers import Log
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.numbers.refute.search import satisfying_point, search
from symbackprop.numbers.refute.judging import rounding_explains
from symbackprop.prove.cases import CONDITION, POINT, Missing
from symbackprop.prove.equality import Prover
from symbackprop.prove.statements import Offered, Showing, prove_statement

BUDGET, FEW = 40, 3
LOOKING, PROVING = 0.25, 0.75  # of the time that is left: the rest is for more points and for repairs
LATE = Missing("time")


@dataclass(frozen=True, slots=True)
class Problem:
    """A statement to decide, with what helps to look for points: shapes, domains, and constants that were rounded.

    Counterexamples are made `small`, unless all that is asked is whether there is one.

    `asked` is another way to ask for points, where the statement itself is not evaluated well; without `has_points`
    none is looked at (literal sizes that are too large).  `ways` of proving its equation are tried first, and
    before them a proof that is `offered` without having been checked; `showing` is for problems about the same names.
    """

    statement: Statement
    axes: tuple[Index, ...] = ()
    shapes: Mapping[Array, tuple[Size, ...]] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    rounded: tuple[tuple[float, Fraction], ...] = ()
    asked: Question | None = None
    kinks_have_values: bool = True
    has_points: bool = True
    ways: tuple[Prover, ...] = ()
    offered: Offered | None = None
    showing: Showing | None = None
    small: bool = True

    @property
    def moving(self) -> frozenset[Array]:
        return moving_in(self.statement.lhs)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The size symbols of the axes."""
        return tuple(dict.fromkeys(s for n in self.statement.lengths for s in n.symbols))

    def question(self, extra: Iterable[Hypothesis] = ()) -> Question:
        s = self.statement
        if self.asked is not None:
            return replace(self.asked, hypotheses=(*self.asked.hypotheses, *extra))
        return Question(
            s.lhs, s.rhs, self.axes, hypotheses=(*s.context.hypotheses.values(), *extra),
            definitions=s.context.definitions, domains=self.domains, shapes=self.shapes, forward=s.forward,
            moving=self.moving,
        )  # fmt: skip

    def assuming(self, *extra: Hypothesis) -> Problem:
        """The same under further hypotheses."""
        context = self.statement.context
        named = {f"extra {len(context.hypotheses) + k}": h for k, h in enumerate(extra)}
        hypotheses = {**context.hypotheses, **named}
        wider = Context(context.definitions, hypotheses, least_sizes(hypotheses.values()))
        asked = None if self.asked is None else self.question(extra)
        return replace(self, statement=replace(self.statement, context=wider), asked=asked)

    def claiming(self, rhs: Term) -> Problem:
        """The same with another right side."""
        return replace(self, statement=replace(self.statement, rhs=rhs))


@dataclass(frozen=True, slots=True)
class Decision:
    """`proved` with a theorem, `refuted` with a counterexample, or `unknown` with what is missing.

    `enough` is a size hypothesis under which it is a theorem; `rounding` that the sides differ by no more than rounding
    explains; `searched` what the search for a counterexample saw.
    """

    status: str
    theorem: Theorem | None = None
    counterexample: Counterexample | None = None
    missing: Missing | None = None
    enough: str = ""
    rounding: bool = False
    searched: str = ""


def decide(problem: Problem) -> Decision:
    """A quick look at a few points first: what is plainly false need not be shown by failing to prove it."""
    stage("looking for a counterexample")
    early = in_time(LOOKING, lambda: counterexample(problem, FEW, quick=True), None)
    if early is not None:
        return Decision(REFUTED, counterexample=early)
    done("no counterexample at the first points")
    stage("proving")
    found = in_time(PROVING, lambda: prove(problem), LATE)
    if isinstance(found, Theorem):
        return Decision(PROVED, theorem=found)
    done("no proof" if found is LATE else missing_text(found))
    stage("looking for more counterexamples")
    decision = refuted_or_unknown(problem, found)
    if found is LATE and decision.status == UNKNOWN:
        done("no counterexample at more points")
        give_up()
    return decision


def missing_text(found: Missing) -> str:
    return "a proof under conditions that do not follow" if found.stage == CONDITION else "no proof was found"


def refute_only(problem: Problem) -> Decision:
    """Refuted at one of a few points, or unknown: for sizes that prove nothing."""
    found = counterexample(problem, FEW)
    return Decision(UNKNOWN if found is None else REFUTED, counterexample=found)


def prove_only(problem: Problem) -> Decision:
    """Proved, or unknown: for what has been looked at."""
    stage("proving")
    found = prove(problem)
    return Decision(PROVED, theorem=found) if isinstance(found, Theorem) else Decision(UNKNOWN)


# --- proving -----------------------------------------------------------------------------------


def prove(problem: Problem) -> Theorem | Missing:
    """The statement as a theorem, or what is missing of one."""

    def witness(region: Context) -> Point | None:
        sides = problem.statement.lhs, problem.statement.rhs
        indices = frozenset[Index]().union(*map(free, sides))
        values = (NonNegative(affine(i.size - 1, ())) for i in indices if not at_least_zero(i.size - 1, region.least))
        needs = (*region.hypotheses.values(), *values)  # and the statement speaks of some indices
        asked = [s for i in indices for s in i.size.symbols] if problem.showing is None else problem.symbols
        sizes = {s: max(2, region.least[s]) for s in asked}
        if not needs or not problem.has_points:
            return None if needs else Point(tuple(sizes.items()))

        def fits(found: points.Point) -> bool:
            point = exhibited(found, sizes)
            return point is not None and is_seen(needs, point, region)

        twos = dict.fromkeys(problem.symbols, 2)
        for least, besides in ((twos, None), ({}, twos)):  # what holds at n = 1 says little of n >= 2
            found = satisfying_point(
                needs, sizes_min=least, definitions=region.definitions, domains=problem.domains, shapes=problem.shapes,
                fits=fits, besides=besides,
            )  # fmt: skip
            if found is not None:
                return exhibited(found, sizes)
        return None

    return prove_statement(problem.statement, problem.shapes, witness, problem.ways, problem.offered, problem.showing)


def enough_for(problem: Problem) -> str:
    """The size symbol that must be at least 2 for the statement to be a theorem."""
    for s in problem.symbols:
        if isinstance(prove(problem.assuming(AtLeastZero(sized(s) - 2))), Theorem):
            return f"{s} >= 2"
    return ""


# --- refuting ----------------------------------------------------------------------------------


def refuted_or_unknown(problem: Problem, missing: Missing) -> Decision:
    for found in looked_for(problem, missing):
        if found is not None and not rounding_explains(found, problem.rounded):
            return Decision(REFUTED, counterexample=found)
    enough = enough_for(problem) if missing.stage == CONDITION else ""
    if not problem.has_points:
        return Decision(UNKNOWN, missing=missing, enough=enough)
    outcome = search(problem.question(), FEW, kinks_have_values=problem.kinks_have_values)
    return Decision(
        UNKNOWN, missing=missing, enough=enough,
        rounding=outcome.counterexample is not None, searched=outcome.reason,
    )  # fmt: skip


def looked_for(problem: Problem, missing: Missing) -> Iterator[Counterexample | None]:
    """Anywhere, and where a condition fails that the proof would need."""
    if missing.stage == POINT:
        return
    for extra in ((), *((v,) for c in missing.left for v in violations(c))):
        yield counterexample(problem.assuming(*extra), BUDGET)


def violations(c: Predicate) -> tuple[Hypothesis, ...]:
    """Sets where a condition fails."""
    match c:
        case Positive(u):
            return Positive(neg(u)), Same(u, ZERO)
        case Nonzero(u):
            return (Same(u, ZERO),)
        case AtLeastZero(u):
            return (Positive(neg(u)),)
        case _:
            return ()


def counterexample(problem: Problem, budget: int = BUDGET, quick: bool = False) -> Counterexample | None:
    if not problem.has_points:
        return None
    known = [] if problem.showing is None else problem.showing.against
    found = search(
        problem.question(), budget, kinks_have_values=problem.kinks_have_values, before=known, quick=quick,
        shrink=problem.small,
    ).counterexample
    if found is not None and problem.showing is not None and len(known) < FEW:
        known.append(found.point)
    return None if found is None or rounding_explains(found, problem.rounded) else found


# --- a point for the theorem, from the search for points ---


FAR = 100  # between two layers of different names
ROUGH = frozenset({"cos", "sin", "erf", "atan"})


def exhibited(found: points.Point, sizes: Mapping[str, int]) -> Point | None:
    """The point in the words of the core, with these sizes where it does not say.

    None where an entry is neither a rational number nor a logarithm of one.
    """
    entries: list[tuple[Array, tuple[int, ...], Fraction]] = []
    logs: list[tuple[Array, tuple[int, ...], Fraction]] = []
    for array, values in found.arrays.items():
        for place, x in values.items():
            if isinstance(x, Log):
                logs.append((array, place, x.of))
            elif isinstance(x, Fraction):
                entries.append((array, place, x))
            else:
                return None
    layers = {s for a in found.arrays if a.label is not None for s in a.label.symbols} - {*sizes, *found.sizes}
    labels = {s: FAR ** (k + 1) for k, s in enumerate(sorted(layers))}  # far apart: W^l is not W^L there
    integers = [(name, place, k) for name, values in found.integers.items() for place, k in values.items()]
    return Point(tuple({**labels, **sizes, **found.sizes}.items()), tuple(entries), tuple(logs), tuple(integers))


def is_seen(hypotheses: Iterable[Hypothesis], point: Point, region: Context) -> bool:
    """Whether the checker sees them hold: sines and their like it knows well only near 0."""

    def is_rough(h: Hypothesis) -> bool:
        named = {b for t in terms_of(h) for a in arrays(t) for b in region.behind(a)}
        inside = (h, *(m for b in named for m in region.meanings(b)))
        return any(isinstance(t, Apply) and t.fn in ROUGH for x in inside for t in nodes(x))

    rough = list(filter(is_rough, hypotheses))
    try:
        if rough:
            satisfied(rough, point, region)
    except ProofError:
        return False
    return True


# --- terms with numbers in place of size symbols: the problem at n = 1, or at B = 2, D = 3 ---


Sizes = Mapping[str, int]


def at(x: Any, values: Sizes, field: str = "") -> Any:
    """A node, or a tuple of them, with the numbers; what is called like a size is none of the terms."""
    match x:
        case Size():
            found = with_symbols(x, lambda s: sized(values.get(s, s)))
            return found if found.constant is None or field in ("size", "sizes") else Num(Fraction(found.constant))
        case Affine(constant, parts):
            return affine(at(constant, values, "size"), [(at(a, values), at(k, values, "size")) for a, k in parts])
        case tuple():
            return tuple(at(y, values, field) for y in x)
        case Node() if not isinstance(x, Array):
            kind: Any = type(x)
            return kind(*(at(getattr(x, name), values, name) for name in kind.__match_args__))
        case _:
            return x


def context_at(context: Context, values: Sizes) -> Context:
    definitions = {a: at(t, values) for a, t in context.definitions.items()}
    hypotheses = {name: at(h, values) for name, h in context.hypotheses.items()}
    return Context(definitions, hypotheses, Least({s: n for s, n in context.least.values.items() if s not in values}))


def problem_at(problem: Problem, values: Sizes) -> Problem:
    """The problem with these sizes.  Axes that become of length 1 keep their index, whose only value is 0."""
    s = problem.statement
    statement = replace(
        s, lhs=at(s.lhs, values), rhs=at(s.rhs, values), context=context_at(s.context, values),
        forward=at(s.forward, values), lengths=at(s.lengths, values, "sizes"),
    )  # fmt: skip
    return replace(
        problem,
        statement=statement,
        axes=at(problem.axes, values),
        shapes={a: at(shape, values, "sizes") for a, shape in problem.shapes.items()},
    )


def sizes_in(hypotheses: Iterable[object]) -> dict[str, int] | None:
    """n = 1 and the like, if that is all they say."""
    values: dict[str, int] = {}
    for h in hypotheses:
        match h:
            case Same(Size(((((name,), 1)),)), Num(value)) if value.denominator == 1:
                values[name] = int(value)
            case _:
                return None
    return values or None
