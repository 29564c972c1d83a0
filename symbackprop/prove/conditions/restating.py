"""Hypotheses said again: in the order of the normal form, and one by one over axes of literal size.

Nothing new is assumed: each is the same statement up to the laws of sums and products, or one case of it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod

from symbackprop.core.context import EMPTY, Hypothesis, Same
from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.sums import same
from symbackprop.core.terms import AtLeastZero, Nonzero, Positive, ProofError, Term, free, substitute

from ..normal_form.normal import Normal
from ..normal_form.reduce import TooLarge

CASES = 36


@lru_cache(maxsize=1000)
def restated(h: Hypothesis) -> tuple[Hypothesis, ...]:
    found: list[Hypothesis] = []
    for case in cases(h) if isinstance(h, Same) else (h, *cases(h)):
        again = expanded(case)
        if again is not None and again != h and again not in found:
            found.append(again)
    return tuple(found)


def expanded(h: Hypothesis) -> Hypothesis | None:
    match h:
        case Positive(t) | Nonzero(t) | AtLeastZero(t):
            value = sum_of_products(t)
            return None if value is None else type(h)(value)
        case Same(lhs, rhs):
            left, right = sum_of_products(lhs), sum_of_products(rhs)
            return None if left is None or right is None else Same(left, right)
        case _:
            return None


def sum_of_products(t: Term) -> Term | None:
    """The normal form, if it is the same by the laws of sums and products alone."""
    try:
        value = Normal(EMPTY).of(t)[0]
        equal, conditions = same(t, value)
    except (ProofError, TooLarge):
        return None
    return value if equal and not conditions else None


def cases(h: Hypothesis) -> list[Hypothesis]:
    """h for each value of its indices over axes of literal size."""
    if not isinstance(h, Same | Positive | Nonzero | AtLeastZero):
        return []
    indices = free(h.lhs) | free(h.rhs) if isinstance(h, Same) else free(h.term)
    short = sorted((i for i in indices if i.size.constant is not None), key=lambda i: i.name)
    if not short or prod(i.size.constant or 1 for i in short) > CASES:
        return []
    found: list[Hypothesis] = []
    for values in product(*(range(i.size.constant or 1) for i in short)):
        given: dict[Index, IndexExpr] = {i: affine(v, ()) for i, v in zip(short, values, strict=True)}
        if isinstance(h, Same):
            found.append(Same(substitute(h.lhs, given), substitute(h.rhs, given)))
        else:
            found.append(type(h)(substitute(h.term, given)))
    return found
