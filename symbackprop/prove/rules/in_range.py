"""Functions of windows under a condition on their place: [i >= c] f(i - c) = Σ_m δ_{i, m+c} f(m), for m in its range.

What a law needs of the largest entry of the window at i - c, say, is then asked of windows that there are.
"""

from __future__ import annotations

from symbackprop.core.indices import Affine, Index, Size, affine, as_affine, at_least_zero, sized
from symbackprop.core.terms import Delta, Holds, Mul, NonNegative, Term, Whole, free, mul, over, substitute, subterms

from ..differentiate import Names
from .pinned import flattened


def in_range(t: Mul, names: Names) -> Term | None:
    """The product as a sum over places that there are; None where no condition in it leaves out some."""
    args = flattened(t)
    windows = [a for a in args if any(isinstance(s, Whole) and s.fn == "max" for s in subterms(a))]
    bounds = [b for a in args if (b := bound(a)) is not None] if windows else []
    for i in dict.fromkeys(i for i, *_ in bounds):
        if not any(i in free(w) for w in windows):
            continue
        low = max((c for j, c, up in bounds if j == i and not up), key=str, default=sized(0))
        high = min((c for j, c, up in bounds if j == i and up), key=str, default=i.size)
        if not (at_least_zero(high - low - 1) and at_least_zero(low) and at_least_zero(i.size - high)):
            continue
        m = names.new(high - low)
        there = affine(low, ((m, 1),))
        rest = [a for a in args if bound(a) not in ((i, low, False), (i, high, True))]
        return over(m, mul(Delta(i, there), *(substitute(a, {i: there}) for a in rest)))
    return None


def bound(a: Term) -> tuple[Index, Size, bool] | None:
    """(i, c, False) for i >= c, (i, c, True) for i < c."""
    match a:
        case Holds(NonNegative(Index() as i)):
            return i, sized(0), False
        case Holds(NonNegative(Affine() as e)):
            constant, parts = as_affine(e)
            if len(parts) == 1 and isinstance(parts[0][0], Index) and parts[0][1].constant in (1, -1):
                up = parts[0][1].constant == -1
                return parts[0][0], constant + 1 if up else -constant, up
    return None
