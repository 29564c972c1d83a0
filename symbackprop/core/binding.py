"""The doors to bound indices: `over` and `whole` close a body, `opened` and `opened_whole` open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

from .indices import Affine, Bound, Index, IndexAtom, IndexExpr, Pick, Size, affine, require
from .syntax import (
    Add,
    Apply,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Num,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
)

IndexMap: TypeAlias = Callable[[IndexAtom, int], IndexExpr]


def map_index(e: IndexExpr, f: IndexMap, depth: int) -> IndexExpr:
    match e:
        case Index() | Bound():
            return f(e, depth)
        case Pick(array, at, size):
            return Pick(array, tuple(map_index(a, f, depth) for a in at), size)
        case Affine(constant, parts):
            mapped = [(map_index(a, f, depth), k) for a, k in parts]
            unchanged = all(new is old for (new, _), (old, _) in zip(mapped, parts, strict=True))
            return e if unchanged else affine(constant, mapped)
        case _:
            assert_never(e)


def map_indices(t: Term, f: IndexMap, depth: int = 0) -> Term:
    """Rebuild `t` with `f(index, number of binders around it)` in place of each index."""

    def go(s: Term) -> Term:
        return map_indices(s, f, depth)

    def ix(at: tuple[IndexExpr, ...]) -> tuple[IndexExpr, ...]:
        return tuple(map_index(a, f, depth) for a in at)

    match t:
        case Num() | Size():
            return t
        case Entry(array, at):
            return Entry(array, ix(at)) if at else t
        case Ordinal(of):
            return Ordinal(map_index(of, f, depth))
        case Delta(i, j):
            return Delta(map_index(i, f, depth), map_index(j, f, depth))
        case Add(args):
            return Add(tuple(map(go, args)))
        case Mul(args):
            return Mul(tuple(map(go, args)))
        case Power(base, exponent):
            return Power(go(base), exponent)
        case Apply(fn, arg, order):
            return Apply(fn, go(arg), order)
        case Sum(size, body, hint):
            return Sum(size, map_indices(body, f, depth + 1), hint)
        case Diff(body, wrt):
            return Diff(go(body), Entry(wrt.array, ix(wrt.at)))
        case Whole(fn, order, sizes, body, at, hints):
            return Whole(fn, order, sizes, map_indices(body, f, depth + len(sizes)), ix(at), hints)
        case Holds(p):
            return Holds(Positive(go(p.term)) if isinstance(p, Positive) else NonNegative(map_index(p.expr, f, depth)))
        case _:
            assert_never(t)


def free(t: Term) -> frozenset[Index]:
    """The named indices that occur in `t`."""
    try:
        return t._free
    except AttributeError:
        pass
    seen: set[Index] = set()

    def note(x: IndexAtom, _: int) -> IndexExpr:
        if isinstance(x, Index):
            seen.add(x)
        return x

    match t:  # reuse what the children know; only leaves are walked
        case Add(args) | Mul(args):
            found = frozenset[Index]().union(*(free(a) for a in args))
        case Sum(_, body) | Power(body, _) | Apply(_, body, _):
            found = free(body)
        case _:
            map_indices(t, note)
            found = frozenset(seen)
    object.__setattr__(t, "_free", found)
    return found


def bind(indices: tuple[Index, ...], body: Term) -> Term:
    """`body` with these indices nameless; the last one is Bound(0).  Refuses a dangling dummy: it would be captured."""
    place = {x: len(indices) - 1 - k for k, x in enumerate(indices)}
    require(len(place) == len(indices), "an index is bound twice")

    def f(x: IndexAtom, depth: int) -> IndexExpr:
        if isinstance(x, Bound):
            require(x.depth < depth, "dangling dummy in {}", body)
            return x
        return Bound(depth + place[x]) if isinstance(x, Index) and x in place else x

    return map_indices(body, f)


def open_body(body: Term, indices: tuple[IndexExpr, ...]) -> Term:
    """The body of a binder of len(indices) axes with these (closed) index expressions for its dummies."""
    count = len(indices)

    def f(x: IndexAtom, depth: int) -> IndexExpr:
        if isinstance(x, Bound) and x.depth >= depth:
            require(x.depth - depth < count, "dangling dummy in {}", body)
            return indices[count - 1 - (x.depth - depth)]
        return x

    return map_indices(body, f)


def hint(i: Index) -> str:
    """The letter to print for a bound index; what follows '#' only kept it apart."""
    return i.name.split("#")[0] or "k"


def over(i: Index, body: Term) -> Sum:
    """Σ_i body."""
    return Sum(i.size, bind((i,), body), hint(i))


def opened(s: Sum, i: Index) -> Term:
    """The body of `s` with its dummy called `i`."""
    require(i.size == s.size, "{} has {} values but the sum has {}", i.name, i.size, s.size)
    return open_body(s.body, (i,))


def whole(fn: str, order: int, axes: tuple[Index, ...], body: Term, at: tuple[IndexExpr, ...]) -> Whole:
    """fn of the array (axes) -> body, at the given indices."""
    return Whole(fn, order, tuple(a.size for a in axes), bind(axes, body), at, tuple(map(hint, axes)))


def opened_whole(w: Whole, axes: tuple[Index, ...]) -> Term:
    require(tuple(a.size for a in axes) == w.sizes, "the axes of {} have other sizes", w.fn)
    return open_body(w.body, axes)


def substitute(t: Term, values: dict[Index, IndexExpr]) -> Term:
    """`t` with index expressions in place of free indices (whose range is not looked at here)."""
    if values.keys().isdisjoint(free(t)):
        return t
    return map_indices(t, lambda x, _: values.get(x, x) if isinstance(x, Index) else x)
