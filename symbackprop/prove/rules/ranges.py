"""Two ends of a range together: f ([a >= 0] + [b >= 0] - 1) = f [a >= 0] [b >= 0] where one of them always holds.

The kernel writes [-1 - a >= 0] as 1 - [a >= 0], which takes such a product apart when an index runs the other
way round; a convolution can only be summed over its other index when both ends are there.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from symbackprop.core.indices import Index, IndexExpr, affine, as_affine
from symbackprop.core.kernel import By, Flip
from symbackprop.core.ordering import Key
from symbackprop.core.ranges import never_negative
from symbackprop.core.sums import Monomial, canonical
from symbackprop.core.terms import Add, Holds, Mul, NonNegative, num

from ..normal_form.reduce import Move, Reduction, product_of

Found = tuple[Fraction, IndexExpr, Monomial, tuple[Index, ...]]


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
            renamed = named(f, other, order)
            if c == d == -base.coefficient and never_negative(affine(1, ((e, 1), (renamed, 1)))):
                one, two = Holds(NonNegative(e)), Holds(NonNegative(renamed))
                law = Flip(By("covering", (e, renamed)))
                keep = product_of(c, rest.factors)
                reduction.apply(Move(rest.dummies, keep, Add((one, two, num(-1))), Mul((one, two)), law))
                return True
    return False


def named(e: IndexExpr, old: tuple[Index, ...], new: tuple[Index, ...]) -> IndexExpr:
    """The index expression with the dummies of one monomial in place of those of another."""
    names = dict(zip(old, new, strict=True))
    constant, parts = as_affine(e)
    return affine(constant, [(names.get(a, a) if isinstance(a, Index) else a, k) for a, k in parts])
