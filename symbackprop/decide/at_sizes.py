"""Terms with numbers in place of size symbols: the problem at n = 1, or at B = 2, D = 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from symbackprop.core.context import Context, Hypothesis, Same
from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Least, Pick, Size, affine
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Add,
    Apply,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
)
from symbackprop.read.numpy.shapes import at_sizes as size_at

from .decide import Problem

Sizes = Mapping[str, int]


def term_at(t: Term, values: Sizes) -> Term:
    def go(s: Term) -> Term:
        return term_at(s, values)

    match t:
        case Num():
            return t
        case Size():
            found = size_at(t, values)
            return found if found.constant is None else Num(Fraction(found.constant))
        case Entry():
            return entry_at(t, values)
        case Ordinal(of):
            return Ordinal(index_at(of, values))
        case Delta(i, j):
            return Delta(index_at(i, values), index_at(j, values))
        case Add(args):
            return Add(tuple(map(go, args)))
        case Mul(args):
            return Mul(tuple(map(go, args)))
        case Power(base, q):
            return Power(go(base), q)
        case Apply(fn, arg, order):
            return Apply(fn, go(arg), order)
        case Sum(size, body, hint):
            return Sum(size_at(size, values), go(body), hint)
        case Diff(body, wrt):
            return Diff(go(body), entry_at(wrt, values))
        case Whole(fn, order, sizes, body, at, hints):
            new = tuple(size_at(s, values) for s in sizes)
            return Whole(fn, order, new, go(body), tuple(index_at(i, values) for i in at), hints)
        case Holds(Positive(term)):
            return Holds(Positive(go(term)))
        case Holds(NonNegative(expr)):
            return Holds(NonNegative(index_at(expr, values)))
        case _:
            assert_never(t)  # type: ignore[arg-type]


def entry_at(e: Entry, values: Sizes) -> Entry:
    return Entry(e.array, tuple(index_at(i, values) for i in e.at))


def index_at(e: IndexExpr, values: Sizes) -> IndexExpr:
    match e:
        case Index(name, size):
            return Index(name, size_at(size, values))
        case Bound():
            return e
        case Pick(array, at, size):
            return Pick(array, tuple(index_at(i, values) for i in at), size_at(size, values))
        case Affine(constant, parts):
            return affine(size_at(constant, values), [(index_at(a, values), size_at(k, values)) for a, k in parts])
        case _:
            assert_never(e)


def hypothesis_at(h: Hypothesis, values: Sizes) -> Hypothesis:
    match h:
        case Same(lhs, rhs):
            return Same(term_at(lhs, values), term_at(rhs, values))
        case NonNegative(expr):
            return NonNegative(index_at(expr, values))
        case Positive(t):
            return Positive(term_at(t, values))
        case Nonzero(t):
            return Nonzero(term_at(t, values))
        case AtLeastZero(t):
            return AtLeastZero(term_at(t, values))
        case _:
            assert_never(h)


def context_at(context: Context, values: Sizes) -> Context:
    definitions = {a: tensor_at(t, values) for a, t in context.definitions.items()}
    hypotheses = {name: hypothesis_at(h, values) for name, h in context.hypotheses.items()}
    return Context(definitions, hypotheses, Least({s: n for s, n in context.least.values.items() if s not in values}))


def tensor_at(t: Tensor, values: Sizes) -> Tensor:
    return Tensor(tuple(Index(i.name, size_at(i.size, values)) for i in t.axes), term_at(t.body, values))


def problem_at(problem: Problem, values: Sizes) -> Problem:
    """The problem with these sizes.  Axes that become of length 1 keep their index, whose only value is 0."""
    s = problem.statement
    statement = replace(
        s, lhs=term_at(s.lhs, values), rhs=term_at(s.rhs, values), context=context_at(s.context, values),
        forward=tuple(term_at(t, values) for t in s.forward), lengths=tuple(size_at(n, values) for n in s.lengths),
    )  # fmt: skip
    return replace(
        problem,
        statement=statement,
        axes=tuple(Index(i.name, size_at(i.size, values)) for i in problem.axes),
        shapes={a: tuple(size_at(n, values) for n in shape) for a, shape in problem.shapes.items()},
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
