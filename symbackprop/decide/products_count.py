"""How many products a term may become when it is multiplied out: a bound, so that nothing hopeless is begun."""

from __future__ import annotations

from math import comb

from symbackprop.core.terms import Add, Apply, Diff, Entry, Mul, Power, Sum, Term, Whole

LIMIT = 1_000
_CAP = 10**9


def products(t: Term) -> int:
    """An upper bound for the number of products in t written as a sum of products, or in an argument inside it."""
    return max(size(t)[0], *(products(a) for a in inside(t)), 1)


def size(t: Term) -> tuple[int, int, frozenset[Term]]:
    """(products, degree, factors): two bounds are known, the products of products and all monomials of the degree."""
    match t:
        case Add(args):
            parts = [size(a) for a in args]
            factors = frozenset[Term]().union(*(f for _, _, f in parts))
            return least(sum(n for n, _, _ in parts), max((d for _, d, _ in parts), default=0), factors)
        case Mul(args):
            count, degree, factors = 1, 0, frozenset[Term]()
            for a in args:
                n, d, f = size(a)
                count, degree, factors = min(count * n, _CAP), degree + d, factors | f
            return least(count, degree, factors)
        case Power(base, q) if q.denominator == 1 and q > 0:
            n, d, factors = size(base)
            return least(comb(int(q) + n - 1, int(q)) if n < 10_000 else _CAP, d * int(q), factors)
        case Sum(_, body, _):
            return size(body)
        case Entry() | Power() | Apply() | Whole() | Diff():
            return 1, 1, frozenset((t,))
        case _:
            return 1, 0, frozenset()


def least(count: int, degree: int, factors: frozenset[Term]) -> tuple[int, int, frozenset[Term]]:
    every = comb(degree + len(factors), degree) if degree + len(factors) < 2_000 else _CAP
    return min(count, every, _CAP), degree, factors


def inside(t: Term) -> tuple[Term, ...]:
    """Terms that are multiplied out by themselves: arguments of functions, bases of roots and quotients."""
    match t:
        case Add(args) | Mul(args):
            return tuple(x for a in args for x in inside(a))
        case Power(base, q):
            return inside(base) if q.denominator == 1 and q > 0 else (base,)
        case Apply(_, arg, _):
            return (arg,)
        case Sum(_, body, _) | Whole(_, _, _, body, _, _):
            return (body,) if isinstance(t, Whole) else inside(body)
        case _:
            return ()
