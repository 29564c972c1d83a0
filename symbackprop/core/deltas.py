"""What Kronecker deltas and index predicates do to the product that they stand in."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from .indices import EVERY_SIZE, Index, IndexExpr, Least, Pick, affine, as_affine, nodes
from .monomials import Factors
from .ranges import always_negative, floor_radix, never_negative, never_zero, split_radix
from .terms import Delta, Holds, NonNegative, Term, free, substitute

F1 = Fraction(1)
Change: TypeAlias = tuple[tuple[Index, ...], Factors | None] | None


def contract(
    b: Delta | Holds, dummies: tuple[Index, ...], rest: Factors, least: Least = EVERY_SIZE
) -> Change:
    """What a delta or an index predicate does to the other factors: (dummies, factors), factors None for 0; or None."""
    if isinstance(b, Holds):
        if not isinstance(b.predicate, NonNegative):
            return None
        e = b.predicate.expr
        if (settled := decided(e, least)) is not None:
            return dummies, rest if settled else None
        floor = floor_radix(e, least)
        if floor is not None:
            return dummies, (*rest, (Holds(NonNegative(floor)), F1))
        for other, _ in rest:
            for a, value in solutions(other, least) if isinstance(other, Delta) else ():
                constant, parts = as_affine(e)
                there = affine(constant, [(value if atom == a else atom, k) for atom, k in parts])
                if (settled := decided(there, least)) is not None:
                    return dummies, rest if settled else None
            if isinstance(other, Holds) and isinstance(other.predicate, NonNegative):
                match together(e, other.predicate.expr, least):
                    case "never":
                        return dummies, None
                    case "implied":
                        return dummies, rest
                    case "equal":
                        return dummies, (*((o, x) for o, x in rest if o != other), (Delta(e, affine(0, ())), F1))
        return None
    difference = minus(b.i, b.j, least)
    constant, parts = as_affine(difference)
    if not parts:
        return (dummies, rest) if not constant.monomials else (dummies, None) if never_zero(difference, least) else None
    if never_zero(difference, least):
        return dummies, None
    solvable = solutions(b, least)
    for a, value in solvable:
        if a in dummies:
            new = list(rest)
            for edge in (value, affine(a.size - 1, ((value, -1),))):
                if not never_negative(edge, least):
                    new.append((Holds(NonNegative(edge)), F1))
            return tuple(i for i in dummies if i != a), tuple((substitute(f, {a: value}), e) for f, e in new)
    halves = split_radix(difference, least)
    if halves is not None:
        zero = affine(0, ())
        return dummies, (*rest, (Delta(halves[0], zero), F1), (Delta(halves[1], zero), F1))
    if free_ones := [(a, value) for a, value in solvable if a not in dummies]:
        a, value = max(free_ones, key=lambda p: p[0].name)
        others = [v for d, _ in rest if isinstance(d, Delta) for i, v in solutions(d, least) if i == a]
        own, *more = (any(isinstance(n, Pick) for n in nodes(v)) for v in (value, *others))
        if any(more) and not own:
            return None  # δ(i, 0) δ(i, y_k) is δ(y_k, 0) δ(i, y_k): entries of integer arrays stay
        if any(a in free(f) for f, _ in rest):
            return dummies, (*((substitute(f, {a: value}), e) for f, e in rest), (b, F1))
    return None


def decided(e: IndexExpr, least: Least) -> bool | None:
    """Whether e >= 0, if it is one for all values."""
    return True if never_negative(e, least) else False if always_negative(e, least) else None


@lru_cache(maxsize=50_000)
def together(e: IndexExpr, f: IndexExpr, least: Least = EVERY_SIZE) -> str | None:
    """What f >= 0 makes of e >= 0: never, implied, or (e = 0 then) equal; None when nothing."""
    total = affine(0, ((e, 1), (f, 1)))
    if always_negative(total, least):
        return "never"
    if e != f and never_negative(minus(e, f, least), least):
        return "implied"
    return "equal" if total == affine(0, ()) else None


@lru_cache(maxsize=50_000)
def minus(i: IndexExpr, j: IndexExpr, least: Least = EVERY_SIZE) -> IndexExpr:
    return affine(0, ((i, 1), (j, -1)))


@lru_cache(maxsize=50_000)
def solutions(b: Delta, least: Least = EVERY_SIZE) -> tuple[tuple[Index, IndexExpr], ...]:
    """The indices whose value follows from the others where the delta is 1, with the value."""
    constant, parts = as_affine(minus(b.i, b.j, least))
    inside = [set(nodes(p)) for p, _ in parts]
    found = [(a, k) for a, k in parts if isinstance(a, Index) and k.constant in (1, -1)]
    found = [(a, k) for a, k in found if sum(a in p for p in inside) == 1]
    return tuple((a, affine(-constant * k, [(p, -c * k) for p, c in parts if p != a])) for a, k in found)


def turned(b: Term) -> Holds | None:
    """The complement -e - 1 >= 0 of e >= 0, when that is the one to write."""
    if not isinstance(b, Holds) or not isinstance(b.predicate, NonNegative):
        return None
    constant, _ = as_affine(b.predicate.expr)
    if not constant.monomials or constant.monomials[-1][1] > 0:
        return None
    return Holds(NonNegative(affine(-1, ((b.predicate.expr, -1),))))
