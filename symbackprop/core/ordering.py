"""A key for every term: equal keys mean equal terms up to the order of sums' and products' arguments.

Keys are nested tuples that begin with a tag, so any two of them can be compared and the order
is the same in every run.  `names` gives canonical numbers to some indices, so that the key of a
monomial need not depend on what its dummies are called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

from .indices import Affine, Bound, Index, IndexExpr, Pick, Size, affine, as_affine
from .terms import (
    Add, Apply, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Predicate, Sum, Term, Whole,
    free,
)  # fmt: skip

Key: TypeAlias = tuple[Any, ...]
Names: TypeAlias = Mapping[Index, int]
NO_NAMES: Names = {}


def key(t: Term, names: Names = NO_NAMES) -> Key:
    if names and not names.keys().isdisjoint(free(t)):
        return _key(t, names)
    try:
        return t._key
    except AttributeError:
        found = _key(t, NO_NAMES)
        object.__setattr__(t, "_key", found)
        return found


def index_key(e: IndexExpr, names: Names = NO_NAMES) -> Key:
    match e:
        case Index(name, size):
            number = names.get(e)
            return (1, name, size.monomials) if number is None else (0, number, size.monomials)
        case Bound(depth):
            return (2, depth)
        case Pick(array, at, size):
            return (3, array, tuple(index_key(a, names) for a in at), size.monomials)
        case Affine(constant, parts):
            return (4, constant.monomials, tuple(sorted((index_key(a, names), k.monomials) for a, k in parts)))
        case _:
            assert_never(e)


def _key(t: Term, names: Names) -> Key:
    match t:
        case Num(value):
            return (0, value.numerator, value.denominator)
        case Size(monomials):
            return (1, monomials)
        case Entry(array, at):
            label = None if array.label is None else array.label.monomials
            return (2, array.name, label is not None, label or (), tuple(index_key(a, names) for a in at))
        case Ordinal(of):
            return (3, index_key(of, names))
        case Delta(i, j):  # δ(i, j) is about i - j up to sign
            one, other = (affine(0, ((a, 1), (b, -1))) for a, b in ((i, j), (j, i)))
            return (4, min(_affine_key(one, names), _affine_key(other, names)))
        case Add(args):
            return (5, tuple(sorted(key(a, names) for a in args)))
        case Mul(args):
            return (6, tuple(sorted(key(a, names) for a in args)))
        case Power(base, exponent):
            return (7, key(base, names), exponent.numerator, exponent.denominator)
        case Apply(fn, arg, order):
            return (8, fn, order, key(arg, names))
        case Sum(size, body, _):
            return (9, size.monomials, key(body, names))
        case Diff(body, wrt):
            return (10, key(body, names), key(wrt, names))
        case Whole(fn, order, sizes, body, at, _):
            shape = tuple(s.monomials for s in sizes)
            return (11, fn, order, shape, key(body, names), tuple(index_key(a, names) for a in at))
        case Holds(Positive(term)):
            return (12, key(term, names))
        case Holds(NonNegative(expr)):
            return (13, index_key(expr, names))
        case _:
            raise TypeError(f"not a term: {t!r}")


def _affine_key(e: IndexExpr, names: Names) -> Key:
    constant, parts = as_affine(e)
    return (constant.monomials, tuple(sorted((index_key(a, names), k.monomials) for a, k in parts)))


def predicate_key(p: Predicate) -> Key:
    body = (index_key(p.expr) if isinstance(p, NonNegative) else key(p.term),)
    return (type(p).__name__, *body)
