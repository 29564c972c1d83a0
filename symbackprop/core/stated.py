"""Statements and equations in the words of the independent checker: node for node, with the parts in the same order.

What a certificate states is compared with this, so that no reader of certificates has to be believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symbackprop.checker import recheck

from .context import Context, Equation, Hypothesis, Recursion, Same
from .indices import Affine, Bound, Index, IndexExpr, Pick, Size
from .statement import Statement
from .syntax import (
    Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive,
    Power, Predicate, Sum, Term, Whole,
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
