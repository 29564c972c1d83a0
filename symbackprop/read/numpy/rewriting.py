"""Other terms in place of the entries of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    Num,
    Ordinal,
    Positive,
    Power,
    Size,
    Sum,
    Term,
    Whole,
    arrays,
    opened,
    opened_whole,
    whole,
)

from .algebra import Index, applied, dummy, plus, power, step, times, total
from .values import At


def opened_term(s: Sum) -> tuple[Index, Term]:
    k = dummy(s.size)
    return k, opened(s, k)


def rewritten(t: Term, array: Array, f: Callable[[At], Term]) -> Term:
    """`t` with f(at) in place of each entry of the array."""
    if array not in arrays(t):
        return t

    def go(s: Term) -> Term:
        return rewritten(s, array, f)

    match t:
        case Entry(_, at):
            return f(at)
        case Add((inner,)):  # the bracket of a number that guards nothing
            return Add((go(inner),))
        case Add(args):
            return plus(*map(go, args))
        case Mul(args):
            return times(*map(go, args))
        case Power(base, exponent):
            return power(go(base), exponent)
        case Apply(fn, arg, order):
            return applied(fn, go(arg)) if not order else Apply(fn, go(arg), order)
        case Sum():
            k, body = opened_term(t)
            return total(k, go(body))
        case Whole(fn, order, sizes, _, at):
            axes = tuple(dummy(s) for s in sizes)
            return whole(fn, order, axes, go(opened_whole(t, axes)), at)
        case Holds(p):
            return step(go(p.term)) if isinstance(p, Positive) else t
        case Num() | Size() | Ordinal() | Delta() | Diff():
            return t
        case _:
            assert_never(t)
