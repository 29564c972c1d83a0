"""A term in place of another inside a term."""

from __future__ import annotations

from symbackprop.core.indices import Bound, IndexExpr
from symbackprop.core.terms import Add, Apply, Holds, Mul, Positive, Power, Sum, Term, Whole, map_indices


def closed_in(s: Term) -> bool:
    """No bound index of s points outside it, so that it can be replaced as a whole."""
    dangling = False

    def look(x: IndexExpr, d: int) -> IndexExpr:
        nonlocal dangling
        dangling |= isinstance(x, Bound) and x.depth >= d
        return x

    map_indices(s, look)
    return not dangling


def replaced(t: Term, old: Term, new: Term) -> Term:
    """t with `new` for `old`; both without dangling dummies, and `old` as it is written."""
    if t == old:
        return new
    match t:
        case Add(args):
            return Add(tuple(replaced(a, old, new) for a in args))
        case Mul(args):
            return Mul(tuple(replaced(a, old, new) for a in args))
        case Power(base, q):
            return Power(replaced(base, old, new), q)
        case Apply(fn, arg, order):
            return Apply(fn, replaced(arg, old, new), order)
        case Sum(size, body, hint):
            return Sum(size, replaced(body, old, new), hint)
        case Holds(Positive(term)):
            return Holds(Positive(replaced(term, old, new)))
        case Whole(fn, order, sizes, body, at, hints):
            return Whole(fn, order, sizes, replaced(body, old, new), at, hints)
        case _:
            return t
