"""What index expressions can be: bounds that hold for all sizes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from .indices import EVERY_SIZE, Bound, IndexExpr, Least, Size, affine, as_affine, at_least_zero, collected, sized
from .terms import reach


@lru_cache(maxsize=20_000)
def bounds(e: IndexExpr, least: Least = EVERY_SIZE) -> tuple[Size, Size] | None:
    """(least, greatest) value of an index expression over the ranges of its atoms.

    None when the sign of a coefficient is unknown, or for a dummy, whose range is not known here.
    """
    low, parts = as_affine(e)
    high = low
    for atom, k in parts:
        if isinstance(atom, Bound) or reach(atom):
            return None
        top = k * (atom.size - 1)
        if at_least_zero(k, least):
            high = high + top
        elif at_least_zero(-k, least):
            low = low + top
        else:
            return None
    return low, high


@lru_cache(maxsize=20_000)
def never_negative(e: IndexExpr, least: Least = EVERY_SIZE) -> bool:
    b = bounds(e, least)
    return b is not None and at_least_zero(b[0], least)


@lru_cache(maxsize=20_000)
def always_negative(e: IndexExpr, least: Least = EVERY_SIZE) -> bool:
    b = bounds(e, least)
    return b is not None and at_least_zero(-b[1] - 1, least)


@lru_cache(maxsize=20_000)
def never_zero(e: IndexExpr, least: Least = EVERY_SIZE) -> bool:
    return never_negative(affine(-1, ((e, 1),)), least) or always_negative(e, least)


@lru_cache(maxsize=20_000)
def within(e: IndexExpr, size: Size, least: Least = EVERY_SIZE) -> bool:
    """0 <= e < size for all sizes and all values of its indices."""
    return never_negative(e, least) and never_negative(affine(size - 1, ((e, -1),)), least)


@lru_cache(maxsize=20_000)
def split_radix(e: IndexExpr, least: Least = EVERY_SIZE) -> tuple[IndexExpr, IndexExpr] | None:
    """e = s*a + b with |b| < s, so that e = 0 exactly when a = 0 and b = 0."""
    for s, a, b in quotients(e):
        if all(never_negative(affine(s - 1, ((b, sign),)), least) for sign in (-1, 1)):
            return a, b
    return None


@lru_cache(maxsize=20_000)
def floor_radix(e: IndexExpr, least: Least = EVERY_SIZE) -> IndexExpr | None:
    """a of e = s*a + b with 0 <= b < s, so that e >= 0 exactly when a >= 0."""
    for s, a, b in quotients(e):
        if within(b, s, least):
            return a
    return None


def quotients(e: IndexExpr) -> Iterator[tuple[Size, IndexExpr, IndexExpr]]:
    """Ways to write e = s*a + b, where a has the atoms whose coefficients s divides."""
    constant, parts = as_affine(e)
    symbols = sorted({name for _, k in parts for name in k.symbols})
    numbers = sorted({abs(c) for _, k in parts for _, c in k.monomials if abs(c) > 1}, reverse=True)
    for s in (*map(sized, symbols), *map(sized, numbers)):
        whole, left = divided(constant, s)
        split = [(atom, k, *divided(k, s)) for atom, k in parts]
        quotient = [(atom, q) for atom, _, q, over in split if not over.monomials]
        rest = [(atom, k) for atom, k, _, over in split if over.monomials]
        turns = [0, -1, 1]
        if left.constant is not None and s.constant is not None and abs(left.constant) > s.constant:
            turns.append(left.constant // s.constant)
        for turn in turns if quotient else ():
            yield s, affine(whole + turn, quotient), affine(left - s * turn, rest)


def divided(k: Size, s: Size) -> tuple[Size, Size]:
    """Quotient and rest of k by a symbol or a number s, monomial by monomial."""
    out, rest = [], []
    for names, c in k.monomials:
        if s.constant is not None and c % s.constant == 0:
            out.append((names, c // s.constant))
        elif s.constant is None and s.symbols[0] in names:
            place = names.index(s.symbols[0])
            out.append((names[:place] + names[place + 1 :], c))
        else:
            rest.append((names, c))
    return collected(out), collected(rest)
