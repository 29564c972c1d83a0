"""The only way to the word `proved`: the independent checker accepts a certificate, and it states what was claimed.

For functions a claim says: for all sizes from 1 on, and all real values inside the hypotheses at which every step of
the forward has a value, and a derivative where the variable is its argument: the right side has a value, and it is the
left side.  For formulas: for all values where both sides have a value, and these are dense among those where the left
side has one.

Of all the program nothing else is believed: whatever finds proofs, the kernel by which it checks its own steps, and
what writes certificates may be wrong, and no false theorem comes of it.  What a theorem excuses is part of it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from symbackprop.checker import recheck
from symbackprop.checker.recheck import Refused, accepted, begin, says
from symbackprop.core.context import Context, Equation, Excused, Hypothesis, Recursion, Same, Statement
from .indices import Affine, Bound, Index, IndexExpr, Pick, ProofError, Size, refusing, require
from .syntax import (
    Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, Sum, Term, Whole,
)  # fmt: skip

its: Any = recheck  # which has no types
KINDS: dict[type, str] = {Positive: "gt0", Nonzero: "ne0", AtLeastZero: "ge0", NonNegative: "ge0i"}


def size(n: Size) -> Any:
    return its.integer((its.order(its.node("n", (name,)) for name in names), c) for names, c in n.monomials)


def array(a: Array) -> tuple[str, Any]:
    return a.name, None if a.label is None else size(a.label)


def axis(i: Index) -> Any:
    return its.node("i", (i.name, size(i.size)))


def axes(indices: Iterable[Index]) -> tuple[Any, ...]:
    return tuple(map(axis, indices))


def index(e: IndexExpr) -> Any:
    match e:
        case Index():
            return its.just(axis(e))
        case Bound(depth):
            return its.just(its.node("b", (depth,)))
        case Pick(name, at, below):
            return its.just(its.node("pick", (name, size(below)), (), indices(at)))
        case Affine(constant, parts):
            return sum((size(k) * index(a) for a, k in parts), size(constant))


def indices(at: Iterable[IndexExpr]) -> tuple[Any, ...]:
    return tuple(map(index, at))


class Stated:
    """Terms, predicates and whole statements; a term that stands in several places is looked at once."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Term, Any]] = {}  # the term is kept, so that its id stays its own

    def term(self, t: Term) -> Any:
        if id(t) not in self.known:
            self.known[id(t)] = t, self.node(t)
        return self.known[id(t)][1]

    def terms(self, ts: Iterable[Term]) -> tuple[Any, ...]:
        return tuple(map(self.term, ts))

    def node(self, t: Term) -> Any:
        match t:
            case Num(value):
                return its.num(value)
            case Size():
                return its.size_term(size(t))
            case Entry(name, at):
                return its.node("entry", array(name), (), indices(at))
            case Ordinal(e):
                return its.ordinal(index(e))
            case Delta(i, j):
                return its.delta(index(i), index(j))
            case Add(args):
                return its.add(*self.terms(args))
            case Mul(args):
                return its.mul(*self.terms(args))
            case Power(base, q):
                return self.term(base) ** q
            case Apply(fn, arg, order):
                return its.app(fn, self.term(arg), order)
            case Sum(n, body, _):
                return its.node("sum", (size(n),), (self.term(body),))
            case Diff(body, wrt):
                return its.diff(self.term(body), self.term(wrt))
            case Whole(fn, order, sizes, body, at, _):
                return its.function(fn, order, tuple(map(size, sizes)), self.term(body), indices(at))
            case Holds(Positive(u)):
                return its.step(self.term(u))
            case Holds(NonNegative(e)):
                return its.in_range(index(e))
            case _:
                raise TypeError(f"not a term: {t!r}")

    def predicate(self, p: Predicate) -> tuple[str, Any]:
        return KINDS[type(p)], index(p.expr) if isinstance(p, NonNegative) else its.normal(self.term(p.term))

    def hypothesis(self, h: Hypothesis) -> tuple[Any, ...]:
        return ("eq", self.term(h.lhs), self.term(h.rhs)) if isinstance(h, Same) else self.predicate(h)

    def world(self, c: Context) -> tuple[Any, ...]:
        """As `Certificate.known` of the checker."""
        meanings = {array(a): (axes(t.axes), self.term(t.body)) for a, t in c.definitions.items()}
        hypotheses = {name: self.hypothesis(h) for name, h in c.hypotheses.items()}
        return meanings, hypotheses, dict(c.least.values), None if c.recursion is None else self.layers(c.recursion)

    def layers(self, k: Recursion) -> tuple[Any, ...]:
        last = axes(k.at_last), self.term(k.loss), self.term(k.first)
        between = axes(k.above), self.term(k.forward), axes(k.here), self.term(k.backward)
        return k.cost, k.label, k.last, k.widths, k.state, k.signal, *last, *between

    def statement(self, s: Statement) -> tuple[Any, ...]:
        """As `Theorem.claim` of the checker."""
        sides, lengths = self.terms((s.lhs, s.rhs)), tuple(map(size, s.lengths))
        return *sides, self.terms(s.forward), lengths, s.formula, *self.world(s.context)

    def equation(self, eq: Equation, context: Context) -> tuple[Any, ...]:
        """As `Certificate.claim` of the checker."""
        conditions = set(map(self.predicate, eq.conditions))
        return *self.terms((eq.lhs, eq.rhs)), conditions, set(eq.hypotheses), *self.world(context)


TURN = recheck.LOCK  # who holds it has the checker to himself


@dataclass(frozen=True, slots=True)
class Theorem:
    """The statement holds; what it excuses, the hypotheses it used, and the certificate that was checked."""

    statement: Statement
    excused: tuple[Excused, ...]
    hypotheses: tuple[str, ...]
    rows: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True)
class Session:
    """Theorems shown one after the other: the rows of each go on from those before, as does what was checked.

    All that is known here is when it began: what was read and checked is the checker's own, and no one hands it over.
    """

    epoch: int | None = None

    def alive(self) -> bool:
        """Whether the checker remembers it: nobody else has asked since."""
        return self.epoch in (None, recheck.EPOCH)

    def holds(self, rows: Mapping[str, list[Any]]) -> bool:
        """Whether so many rows were read of each table, so that others may go on from these."""
        return self.epoch == recheck.EPOCH and all(
            len(rows.get(f"{table}s", ())) == len(read) for table, read in recheck.ROWS.items()
        )


def theorem(
    statement: Statement, rows: Mapping[str, Any], facts: Iterable[Excused] = (), session: Session | None = None
) -> Theorem:
    """The statement as a theorem, by the rows of its certificate; of the facts those are excused that it used.

    Raises ProofError where the rows do not show it, and where a fact that they use is not among these.
    """
    with checking("argument", session is None):
        found, said = accepted(dict(rows), None if session is None else session.epoch), Stated()
        if session is not None:
            session.epoch = recheck.EPOCH
        require(found.claim == said.statement(statement), "another statement was shown")
        listed = [(e, said.predicate(e.predicate)) for e in facts]
        used = {nearest(fact, [p for _, p in listed]) for name, fact in found.facts.items() if name in found.used}
        hypotheses = tuple(name for name in statement.context.hypotheses if name in found.used)
        return Theorem(statement, tuple(listed[k][0] for k in sorted(used)), hypotheses, rows)


def nearest(fact: Any, listed: list[Any]) -> int:
    """The place of a predicate that says the fact; of the same one, if it is there."""
    fits = [(not says(fact, p), k) for k, p in enumerate(listed) if says(p, fact)]
    require(bool(fits), "more is excused than is said")
    return min(fits)[1]


def proved(equation: Equation, context: Context, rows: Mapping[str, Any]) -> Equation:
    """The equation under its conditions, by the rows of a proof.  Raises ProofError where they do not prove it."""
    with checking("proof"):
        require(accepted(rows).claim == Stated().equation(equation, context), "another equation was proved")
        return equation


@contextmanager
def checking(what: str, alone: bool = True) -> Iterator[None]:
    """While the checker remembers what it was given, no longer if it stands alone; what it refuses is refused."""
    with refusing(what), TURN:
        collecting = gc.isenabled()
        try:
            gc.disable()  # all that the checker makes goes with what it remembers
            yield
        except Refused as cause:
            raise ProofError(str(cause)) from None
        finally:
            if alone:
                begin({})
            if collecting:
                gc.enable()
