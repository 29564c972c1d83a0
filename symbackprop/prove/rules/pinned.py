"""Sums whose factors leave their dummy one value: Σ_k [2 k <= i] [i <= 2 k + 1] f(k) at i = 2 j is f(j).

The kernel does such a sum as well, but what is inside a function should be rewritten for that one value: whether
x_{i - 2k} is an entry of a window, say, is plain only then.
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.deltas import contract
from symbackprop.core.indices import Index
from symbackprop.core.sums import Factors
from symbackprop.core.terms import (
    Apply,
    Delta,
    Holds,
    Mul,
    NonNegative,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    free,
    mul,
    opened,
    subterms,
    sum_over,
)

from ..differentiate import Names

F1 = Fraction(1)


def pinned(i: Index, body: Term, names: Names) -> Term | None:
    """Σ_i body without the sum, where deltas and ranges among its factors decide i and functions depend on it.

    The sums in the body may stand around those factors.  What would be looked at outside of the range of i stays.
    """
    inner: list[Index] = []
    while isinstance(body, Sum):
        inner.append(names.new(body.size))
        body = opened(body, inner[-1])
    found = decided(i, body)
    return None if found is None else sum_over(tuple(inner), found)


def decided(i: Index, body: Term) -> Term | None:
    args = flattened(body)
    if not any(i in free(a) and is_predicate(a) for a in args):
        return None
    if not any(i in free(a) and not is_predicate(a) and has_functions(a) for a in args):
        return None
    dummies: tuple[Index, ...] = (i,)
    factors: Factors = tuple((a, F1) for a in args)
    while dummies:
        for place, (b, _) in enumerate(factors):
            if not (is_predicate(b) and i in free(b)):
                continue
            assert isinstance(b, Delta | Holds)
            change = contract(b, dummies, factors[:place] + factors[place + 1 :])
            if change is None:
                continue
            dummies, moved = change
            if moved is None or (not dummies and beyond(factors, moved)):
                return None
            factors = moved
            break
        else:
            return None
    return mul(*(b for b, _ in factors))


def beyond(before: Factors, after: Factors) -> bool:
    """Whether the sum had to say that the value is inside the range."""
    return sum(map(is_range, after)) > sum(map(is_range, before))


def is_range(factor: tuple[Term, Fraction]) -> bool:
    return isinstance(factor[0], Holds) and isinstance(factor[0].predicate, NonNegative)


def flattened(t: Term) -> list[Term]:
    return [x for a in t.args for x in flattened(a)] if isinstance(t, Mul) else [t]


def is_predicate(t: Term) -> bool:
    return isinstance(t, Delta) or (isinstance(t, Holds) and isinstance(t.predicate, NonNegative))


def has_functions(t: Term) -> bool:
    return any(
        isinstance(s, Apply | Whole) or (isinstance(s, Power) and (s.exponent.denominator > 1 or s.exponent < 0))
        or (isinstance(s, Holds) and isinstance(s.predicate, Positive))
        for s in subterms(t)
    )  # fmt: skip
