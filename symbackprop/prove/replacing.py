"""What is inside a term, and a term in place of another."""

from __future__ import annotations

from symbackprop.core.indices import Bound, IndexExpr, Pick, as_affine
from symbackprop.core.terms import (
    Add,
    Apply,
    Delta,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    map_indices,
    subterms,
)
from symbackprop.core.value import truth


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


def truths(t: Term) -> list[Term]:
    """The steps and deltas in t that stand for themselves."""
    found = (s for s in dict.fromkeys(subterms(t)) if isinstance(s, Holds | Delta) and truth(s) and closed_in(s))
    return sorted(found, key=lambda s: len(subterms(s)))


def fixed_in(t: Term) -> list[Pick]:
    """The integers that stand for indices in t."""
    atoms = (atom for s in subterms(t) for e in places(s) for atom, _ in as_affine(e)[1])
    return [q for q in dict.fromkeys(a for a in atoms if isinstance(a, Pick)) if not q.at]


def places(s: Term) -> tuple[IndexExpr, ...]:
    match s:
        case Entry(_, at) | Whole(_, _, _, _, at, _):
            return at
        case Delta(i, j):
            return (i, j)
        case Ordinal(e) | Holds(NonNegative(e)):
            return (e,)
        case _:
            return ()
