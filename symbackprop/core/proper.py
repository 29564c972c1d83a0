"""What a term must be for the kernel to read it: nodes of the right types, whole and in canonical form.

Python keeps no types at run time, so a proof may carry anything.  `reach` looks once at every node (the answer
is kept on the node) and refuses what is no term: a float for a number, a list for a tuple, an inverse of a matrix
that is not square.  Its value is the number of binders that must stand around the term; 0 for a closed one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, assert_never

from .indices import Affine, Bound, Index, IndexExpr, Pick, Size, affine, at_least_zero, collected, require
from .syntax import (
    Add,
    Apply,
    Array,
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

# Functions of arrays that the laws know, and how many indices their value has (None: as many as the array).
VALUE_AXES: dict[str, int | None] = {
    "inv": 2, "det": 0, "max": 0, "argmax": None, "prod": 0, "gap": 0, "min": 0, "pinv": 2,
}  # fmt: skip


def closed(t: object) -> None:
    """Refuse all but a term without dangling dummies."""
    require(terms((t,)) == 0, "dangling dummy in {}", t)


def closed_index(e: object) -> None:
    """Refuse all but an index expression without dangling dummies."""
    require(indices((e,)) == 0, "dangling dummy in {}", e)


def closed_predicate(p: object) -> None:
    match p:
        case Positive(term) | Nonzero(term) | AtLeastZero(term):
            closed(term)
        case NonNegative(expr):
            closed_index(expr)
        case _:
            require(False, "{} is no predicate", p)


def closed_axes(axes: object) -> None:
    """Refuse all but a tuple of different named indices."""
    for i in tuple_of(axes):
        require(type(i) is Index, "{} is no named index", i)
        closed_index(i)
    require(len(set(tuple_of(axes))) == len(tuple_of(axes)), "{}: an index twice", ", ".join(map(str, tuple_of(axes))))


def reach(x: Term | IndexExpr) -> int:
    """How many binders a term or an index expression needs around it.  Raises ProofError where it is none."""
    try:
        return x._reach
    except AttributeError:
        found = _index_reach(x) if isinstance(x, Index | Bound | Pick | Affine) else _reach(x)
        object.__setattr__(x, "_reach", found)
        return found


def _index_reach(e: IndexExpr) -> int:
    match e:
        case Index(name, size):
            text(name)
            proper_size(size)
            return 0
        case Bound(depth):
            natural(depth)
            return depth + 1
        case Pick(array, at, size):
            text(array)
            proper_size(size)
            require(at_least_zero(size - 1), "the values of {} are below {}, which may be 0", array, size)
            return indices(at)
        case Affine(constant, parts):
            proper_size(constant)
            for _, k in map(pair, tuple_of(parts)):
                proper_size(k)
            found = indices(tuple(a for a, _ in parts))
            require(affine(constant, parts) == e, "{} is not in canonical form", e)
            return found
        case _:
            assert_never(e)


def _reach(t: Term) -> int:
    match t:
        case Num(value):
            fraction(value)
            return 0
        case Size():
            proper_size(t)
            return 0
        case Entry(array, at):
            proper_array(array)
            return indices(at)
        case Ordinal(of):
            return indices((of,))
        case Delta(i, j):
            return indices((i, j))
        case Add(args) | Mul(args):
            return terms(args)
        case Power(base, exponent):
            fraction(exponent)
            return terms((base,))
        case Apply(fn, arg, order):
            text(fn)
            natural(order)
            return terms((arg,))
        case Sum(size, body, hint):
            proper_size(size)
            text(hint)
            return max(terms((body,)) - 1, 0)
        case Diff(body, wrt):
            require(type(wrt) is Entry, "the derivative by {}, which is no entry", wrt)
            return terms((body, wrt))
        case Whole(fn, order, sizes, body, at, hints):
            text(fn)
            natural(order)
            for s in tuple_of(sizes):
                proper_size(s)
            for h in tuple_of(hints):
                text(h)
            found = indices(at)
            shaped(t)
            return max(terms((body,)) - len(sizes), found)
        case Holds(p):
            require(type(p) in (Positive, NonNegative), "{} is no predicate of a step", p)
            return indices((p.expr,)) if isinstance(p, NonNegative) else terms((p.term,))
        case _:
            assert_never(t)


def shaped(w: Whole) -> None:
    """The value of a known function has its number of indices; derivatives are of abstract functions only."""
    axes = len(w.sizes)
    if w.fn not in VALUE_AXES:
        require(len(w.at) >= w.order * axes, "one group of indices for each derivative of {}", w.fn)
        return
    value = VALUE_AXES[w.fn]
    require(w.order == 0, "{} has no derivative symbol", w.fn)
    require(len(w.at) == (axes if value is None else value), "{} with {} indices", w.fn, len(w.at))
    if w.fn in ("inv", "det"):
        require(axes == 2 and w.sizes[0] == w.sizes[1], "{} of a matrix that is not square", w.fn)


def terms(args: object) -> int:
    found = 0
    for t in tuple_of(args):
        require(type(t) in TERMS, "{} is no term", t)
        found = max(found, reach(t))
    return found


def indices(at: object) -> int:
    found = 0
    for e in tuple_of(at):
        require(type(e) in INDICES, "{} is no index", e)
        found = max(found, reach(e))
    return found


def proper_array(a: object) -> None:
    require(type(a) is Array, "{} is no array", a)
    assert isinstance(a, Array)
    text(a.name)
    if a.label is not None:
        proper_size(a.label)


def proper_size(s: object) -> None:
    require(type(s) is Size, "{} is no size", s)
    assert isinstance(s, Size)
    if hasattr(s, "_reach"):  # looked at before
        return
    for m in tuple_of(s.monomials):
        symbols, coefficient = pair(m)
        require(type(coefficient) is int, "{} is no integer", coefficient)
        for name in tuple_of(symbols):
            text(name)
        require(symbols == tuple(sorted(symbols)), "{} is not in canonical form", m)
    require(collected(s.monomials) == s, "a size that is not in canonical form")
    object.__setattr__(s, "_reach", 0)


def tuple_of(x: object) -> tuple[Any, ...]:
    require(type(x) is tuple, "{} is no tuple", x)
    assert isinstance(x, tuple)
    return x


def pair(x: object) -> tuple[Any, Any]:
    one, other = tuple_of(x)
    return one, other


def text(x: object) -> None:
    require(type(x) is str and x != "", "{} is no name", x)


def natural(x: object) -> None:
    require(type(x) is int and x >= 0, "{} is no natural number", x)


def fraction(x: object) -> None:
    require(type(x) is Fraction, "{} is no exact number", x)


INDICES = frozenset({Index, Bound, Pick, Affine})
TERMS = frozenset({Num, Size, Entry, Ordinal, Delta, Add, Mul, Power, Apply, Sum, Diff, Whole, Holds})
