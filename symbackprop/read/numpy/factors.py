"""Factors that select and factors that multiply.

A factor Holds or Delta that stands directly in a product is a guard: it selects, as np.where and an index do, and what
it multiplies need not have a value where it is 0.  In arithmetic 0 * nan is nan: there a truth value stands in a
bracket, a sum of one.  The bracket is written only beside factors that may have no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial as partial_function
from typing import assert_never

from symbackprop.core.functions import ROWS
from symbackprop.core.indices import Index, IndexExpr, Size
from symbackprop.core.signs import Signs
from symbackprop.core.syntax import (
    ZERO,
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
    Sum,
    Term,
    Whole,
    arrays,
)
from symbackprop.core.terms import dummy, opened, opened_whole, whole

from .algebra import applied, plus, power, step, times, total
from .context import current


def number_of(t: Term) -> Term:
    """The same term, in which no factor guards what stands beside it."""
    if not guards(t):
        return t
    if isinstance(t, Mul) and not any(map(partial, t.args)):
        return times(*map(number_of, t.args))
    return Add((t,))


def guards(t: Term) -> bool:
    match t:
        case Holds() | Delta():
            return True
        case Mul(args):
            return any(guards(a) for a in args)
        case Add(args):
            return len(args) > 1 and all(isinstance(a, Num | Delta | Holds) or guards(a) for a in args)
        case _:
            return False


def multiplied(*args: Term) -> Term:
    """The product as NumPy's * means it: no factor guards another one that may have no value."""
    if any(map(partial, args)):
        if ZERO in args:
            return Mul((ZERO, *(a for a in args if partial(a))))
        args = tuple(number_of(a) if any(partial(b) for b in args if b is not a) else a for a in args)
    return times(*args)


TOTAL = frozenset(f.name for f in ROWS if f.everywhere)


def partial(t: Term) -> bool:
    """Whether the term may have no value for some real entries: a logarithm, a root, a quotient in it."""
    known = current().partial
    if t not in known:
        known[t] = found_partial(t)
    return known[t]


def found_partial(t: Term) -> bool:
    match t:
        case Num() | Size() | Ordinal() | Delta():
            return False
        case Entry(array, _):
            return array.name.startswith("carry#")
        case Add(args) | Mul(args):
            return any(map(partial, args))
        case Power(base, q):
            return partial(base) or ((q < 0 or q.denominator > 1) and not positive(base))
        case Apply("log", arg, 0):
            return partial(arg) or not positive(arg)
        case Apply(fn, arg, _):
            return fn not in TOTAL or partial(arg)
        case Sum(size):
            return partial(opened(t, dummy(size)))
        case Whole(fn, order, sizes):
            return bool(order) or fn not in ("max", "prod") or partial(opened_whole(t, tuple(map(dummy, sizes))))
        case Holds(Positive(u)):
            return partial(u)
        case Holds():
            return False
        case Diff():
            return True
        case _:
            assert_never(t)


def positive(t: Term) -> bool:
    """Plain to see, from the hypotheses and whatever the entries are."""
    return Signs(current().context).holds(Positive(t))


def over_by(a: Term, b: Term) -> Term:
    """a / b"""
    return multiplied(a, power(b, -1))


# --- other terms in place of the entries of an array --------------------------------------------


def opened_term(s: Sum) -> tuple[Index, Term]:
    k = dummy(s.size)
    return k, opened(s, k)


def rewritten(t: Term, array: Array, f: Callable[[tuple[IndexExpr, ...]], Term]) -> Term:
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


def renamed(t: Term, names: Mapping[str, str]) -> Term:
    """`t` with other arrays in place of these, by their names."""
    for old, new in names.items():
        t = rewritten(t, Array(old), partial_function(Entry, Array(new)))
    return t
