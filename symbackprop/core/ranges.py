"""What index expressions can be: bounds that hold for all sizes."""

from __future__ import annotations

from functools import lru_cache

from .indices import Bound, IndexExpr, Size, affine, as_affine, at_least_zero, sized
from .proper import reach


@lru_cache(maxsize=20_000)
def bounds(e: IndexExpr) -> tuple[Size, Size] | None:
    """(least, greatest) value of an index expression over the ranges of its atoms.

    None when the sign of a coefficient is unknown, or for a dummy, whose range is not known here.
    """
    low, parts = as_affine(e)
    high = low
    for atom, k in parts:
        if isinstance(atom, Bound) or reach(atom):
            return None
        top = k * (atom.size - 1)
        if at_least_zero(k):
            high = high + top
        elif at_least_zero(-k):
            low = low + top
        else:
            return None
    return low, high


@lru_cache(maxsize=20_000)
def never_negative(e: IndexExpr) -> bool:
    b = bounds(e)
    return b is not None and at_least_zero(b[0])


@lru_cache(maxsize=20_000)
def always_negative(e: IndexExpr) -> bool:
    b = bounds(e)
    return b is not None and at_least_zero(-b[1] - 1)


@lru_cache(maxsize=20_000)
def never_zero(e: IndexExpr) -> bool:
    return never_negative(affine(-1, ((e, 1),))) or always_negative(e)


@lru_cache(maxsize=20_000)
def within(e: IndexExpr, size: Size) -> bool:
    """0 <= e < size for all sizes and all values of its indices."""
    return never_negative(e) and never_negative(affine(size - 1, ((e, -1),)))


@lru_cache(maxsize=20_000)
def split_radix(e: IndexExpr) -> tuple[IndexExpr, IndexExpr] | None:
    """e = s*a + b with |b| < s, so that e = 0 exactly when a = 0 and b = 0."""
    constant, parts = as_affine(e)
    for symbol in sorted({s for _, k in parts for s in k.symbols}):
        s = sized(symbol)
        quotient: list[tuple[IndexExpr, Size]] = []
        rest: list[tuple[IndexExpr, Size]] = []
        for atom, k in parts:
            q = divided(k, symbol)
            (rest if q is None else quotient).append((atom, k if q is None else q))
        if not rest or not quotient:
            continue
        q0 = divided(constant, symbol)
        a = affine(q0 if q0 is not None else 0, quotient)
        b = affine(0 if q0 is not None else constant, rest)
        if never_negative(affine(s - 1, ((b, -1),))) and never_negative(affine(s - 1, ((b, 1),))):
            return a, b
    return None


def divided(k: Size, symbol: str) -> Size | None:
    """k / symbol when every monomial has the symbol."""
    out = []
    for names, c in k.monomials:
        if symbol not in names:
            return None
        left = list(names)
        left.remove(symbol)
        out.append((tuple(left), c))
    return Size(tuple(sorted(out)))
