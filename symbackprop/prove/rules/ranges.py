"""Conditions on places together: of [a >= 0], [b >= 0] and [c >= 0] one may follow from the others, or exclude them.

All by one law: conditions whose expressions add up to less than 0 do not all hold.  Two ends of a range,

    f g ([a >= 0] + [b >= 0] - 1) = f g [a >= 0] [b >= 0]  where one of them always holds, or does where g does,

are joined: the kernel writes [-1 - a >= 0] as 1 - [a >= 0], which takes such a product apart when an index runs the
other way round; a convolution can only be summed over its other index when both ends are there.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from symbackprop.core.indices import Index, IndexExpr, affine, as_affine, sized
from symbackprop.core.kernel import By
from symbackprop.core.signs import always_negative
from symbackprop.core.sums import Factors, Monomial, canonical
from symbackprop.core.terms import ZERO, Entry, Holds, Key, Mul, NonNegative, subterms

from ..normal_form.reduce import Move, Reduction, product_of

Found = tuple[Fraction, IndexExpr, Monomial, tuple[Index, ...]]
Places = tuple[IndexExpr, ...]


def places(factors: Factors) -> Places:
    """The expressions of the conditions among the factors."""
    return tuple(b.predicate.expr for b, _ in factors if isinstance(b, Holds) and isinstance(b.predicate, NonNegative))


def no_room(each: Places) -> bool:
    return always_negative(affine(0, [(e, 1) for e in each]))


def not_at(e: IndexExpr) -> IndexExpr:
    return affine(-1, ((e, -1),))


def implied(m: Monomial) -> Move | None:
    """[a >= 0] [b >= 0] [c >= 0] without the last where it follows from the others; 0 where they exclude each other."""
    for three in combinations(places(m.factors), 3):
        if no_room(three):
            return excluded(m, three, three)
        for e in three:
            others = tuple(x for x in three if x != e)
            if no_room((*others, not_at(e))):
                return excluded(m, (*others, e), (*others, not_at(e)), -1)
    return None


def opposite(m: Monomial) -> Move | None:
    """[i - k >= 0] = 1 - [k - i >= 0] + δ_ik: what counts up to i as what counts down to it, i before k."""
    for e in places(m.factors):
        constant, parts = as_affine(e)
        up = [a for a, k in parts if isinstance(a, Index) and k == sized(1)]
        down = [a for a, k in parts if isinstance(a, Index) and k == sized(-1)]
        if not constant.monomials and len(parts) == 2 and up and down and role(up[0], m) < role(down[0], m):
            return excluded(m, (e,), (not_at(e), not_at(affine(0, ((e, -1),)))), -1)
    return None


def role(i: Index, m: Monomial) -> tuple[str, ...]:
    """By what an index is known, whatever it is called: the arrays that a dummy is a place of.  Free ones are first."""
    entries = (s for b, _ in m.factors for s in subterms(b) if isinstance(s, Entry) and i in s.at)
    return tuple(sorted(e.array.name for e in entries)) if i in m.dummies else ()


def excluded(m: Monomial, gone: Places, each: Places, sign: int = 1) -> Move:
    """The monomial (or minus it) with the product of the conditions `each`, which is 0, in place of those `gone`."""
    left = tuple(f for f in m.factors if not any(f[0] == Holds(NonNegative(e)) for e in gone))
    law = By("no_room", (each,))
    return Move(
        m.dummies, product_of(sign * m.coefficient, left), Mul(tuple(Holds(NonNegative(e)) for e in each)), ZERO, law
    )


def join(reduction: Reduction) -> bool:
    """Join one pair of ends; whether there was one."""
    bases: dict[Key, list[Found]] = {}
    for m in reduction.current.values():
        for b, _ in m.factors:
            if isinstance(b, Holds) and isinstance(b.predicate, NonNegative):
                rest = m._replace(factors=tuple(f for f in m.factors if f[0] != b))
                key, order = canonical(rest)
                if set(order) == set(rest.dummies):
                    bases.setdefault(key, []).append((m.coefficient, b.predicate.expr, rest, order))
    for key in sorted(bases):
        base = reduction.current.get(key)
        if base is None:
            continue
        for (c, e, rest, order), (d, f, _, other) in combinations(bases[key], 2):
            if c != d or c != -base.coefficient:
                continue
            ends = not_at(e), not_at(named(f, other, order))
            for known in ((), *((g,) for g in places(rest.factors))):
                if no_room((*ends, *known)):
                    reduction.apply(excluded(rest._replace(coefficient=c), known, (*ends, *known), -1))
                    return True
    return False


def named(e: IndexExpr, old: tuple[Index, ...], new: tuple[Index, ...]) -> IndexExpr:
    """The index expression with the dummies of one monomial in place of those of another."""
    names = dict(zip(old, new, strict=True))
    constant, parts = as_affine(e)
    return affine(constant, [(names.get(a, a) if isinstance(a, Index) else a, k) for a, k in parts])
