"""Indices inside terms: which there are, and others in their place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeAlias

from .indices import PARTS, Affine, Bound, Index, IndexAtom, IndexExpr, Node, Pick, Size, affine
from .syntax import (
    Add, Apply, Array, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Sum, Term, Whole,
)  # fmt: skip

IndexMap: TypeAlias = Callable[[IndexAtom, int], IndexExpr]
Inside: TypeAlias = tuple[frozenset[Index], int, frozenset[Array]]


def map_indices(t: Term, f: IndexMap, named: Collection[Index] | None = None) -> Term:
    """Rebuild `t` with `f(index, number of binders around it)` for its dangling dummies and named indices.

    What has no dangling dummy and none of the indices `named` is kept as it is.
    """
    found: Term = mapped(t, f, named, 0)
    return found


def mapped(x: Any, f: IndexMap, named: Collection[Index] | None, depth: int) -> Any:
    kind = type(x)
    if kind is tuple:
        return tuple([mapped(part, f, named, depth) for part in x])
    if kind is Index or kind is Bound:
        return f(x, depth)
    if kind not in PARTS:
        return x
    within = inside(x)
    if within[1] <= depth and within[0].isdisjoint(within[0] if named is None else named):
        return x
    if kind is Affine:
        return affine(x.constant, [(mapped(atom, f, named, depth), k) for atom, k in x.parts])
    inner = depth + (1 if kind is Sum else len(x.sizes) if kind is Whole else 0)
    return kind(*[mapped(getattr(x, n), f, named, inner if n == "body" else depth) for n in kind.__match_args__])


def substitute(t: Term, values: dict[Index, IndexExpr]) -> Term:
    """`t` with index expressions in place of free indices (whose range is not looked at here)."""

    def f(x: IndexAtom, _: int) -> IndexExpr:
        return values.get(x, x)  # type: ignore[arg-type]

    return map_indices(t, f, values.keys())


# --- what is inside -----------------------------------------------------------------------------


def free(t: Term) -> frozenset[Index]:
    """The named indices that occur in `t`."""
    try:
        return t._inside[0]
    except AttributeError:
        return inside(t)[0]


def reach(x: Term | IndexExpr) -> int:
    """How many binders must stand around it; none for a closed one."""
    return inside(x)[1]


def arrays(t: Term) -> frozenset[Array]:
    """The arrays of which an entry occurs in `t`."""
    return inside(t)[2]


NOTHING: Inside = (frozenset(), 0, frozenset())


def inside(x: Any) -> Inside:
    """What `free`, `reach` and `arrays` say, of a node or a tuple of nodes; of other parts of nodes, nothing."""
    try:
        found: Inside = x._inside
        return found
    except AttributeError:
        pass
    match x:
        case Add(args) | Mul(args):
            found = together(args)
        case Power(part, _) | Apply(_, part, _) | Holds(part) | Positive(part) | Ordinal(part) | NonNegative(part):
            found = inside(part)
        case Num() | Size():
            found = NOTHING
        case Index():
            found = frozenset({x}), 0, NOTHING[2]
        case Bound(depth):
            found = NOTHING[0], depth + 1, NOTHING[2]
        case Entry(array, at):
            found = *together(at)[:2], frozenset({array})
        case Sum(_, body, _):
            named, around, within = inside(body)
            found = named, max(around - 1, 0), within
        case Whole(_, _, sizes, body, at, _):
            named, around, within = inside(body)
            found = together((*at, body))[0], max(around - len(sizes), together(at)[1]), within
        case Affine(_, parts):
            found = together([atom for atom, _ in parts])
        case Pick(_, at, _):
            found = together(at)
        case Node():
            found = inside(PARTS[type(x)](x))
        case tuple():
            return together(x)
        case _:
            return NOTHING
    object.__setattr__(x, "_inside", found)
    return found


def together(parts: Iterable[Any]) -> Inside:
    named, around, arrays = NOTHING
    for part in parts:
        more, depth, others = inside(part)
        named = named | more if named else more
        arrays = arrays | others if arrays else others
        if depth > around:
            around = depth
    return named, around, arrays
