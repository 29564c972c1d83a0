"""Axes of composite sizes in two: which, and how, is read off the coefficients and offsets of index expressions.

Reshaped, repeated, strided and concatenated arrays have index expressions such as K g + k, 2 k + 1 or i - H.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from symbackprop.core.indices import Index, IndexExpr, Pick, Size, affine, as_affine, sized
from symbackprop.core.terms import Delta, Term, places, subterms

Strides = Mapping[Size, tuple[Size, Size]]  # of a composite size: the outer and the inner one


def strides(composite: Iterable[Size], terms: Iterable[Term]) -> Strides:
    """How sizes are split by the index expressions that occur."""
    steps, offsets = set[Size](), set[Size]()
    for t in terms:
        for s in subterms(t):
            for e in index_expressions(s):
                constant, parts = as_affine(e)
                steps |= {positive(k) for _, k in parts if len(k.monomials) == 1}
                offsets |= lengths(constant)
    found: dict[Size, tuple[Size, Size]] = {}
    pending = list(composite)
    while pending:
        n = pending.pop()
        pair = None if n in found else divided(n, steps, offsets)
        if pair is not None:
            found[n] = pair
            pending += pair
    return found


def digits(i: Index, terms: Iterable[Term], otherwise: Strides) -> tuple[Size, Size] | None:
    """How the index is split by the expressions that compare it with others; else by its size."""
    if factors(i.size) < 2:
        return None
    steps, offsets = set[Size](), set[Size]()
    for t in terms:
        for s in subterms(t):
            for e in index_expressions(s):
                constant, parts = as_affine(e)
                own = next((positive(k) for a, k in parts if a == i and len(k.monomials) == 1), None)
                if own is None:
                    continue
                others = {positive(k) for a, k in parts if a != i and len(k.monomials) == 1}
                steps |= {q for k in others if (q := quotient(k, own)) is not None}
                offsets |= {q for n in lengths(constant) if (q := quotient(n, own)) is not None}
    return divided(i.size, steps, offsets) or otherwise.get(i.size)


def divided(n: Size, steps: set[Size], offsets: set[Size]) -> tuple[Size, Size] | None:
    """The largest of the steps, or else of the offsets, that divides a size, and how often it does."""
    inner = [s for s in steps if proper(s, n)] or [s for s in offsets if proper(s, n)]
    if not inner:
        return None
    r = max(inner, key=lambda s: (factors(s), str(s)))
    q = quotient(n, r)
    assert q is not None
    return q, r


def lengths(constant: Size) -> set[Size]:
    """The products of symbols in an offset: 2 H - 1 counts in units of H."""
    return {Size(((names, 1),)) for names, _ in constant.monomials if names}


def index_expressions(t: Term) -> Iterator[IndexExpr]:
    """Those of one node, with the ones inside gathers."""
    pending = [affine(0, ((t.i, 1), (t.j, -1)))] if isinstance(t, Delta) else list(places(t))
    while pending:
        e = pending.pop()
        yield e
        pending += [x for a, _ in as_affine(e)[1] if isinstance(a, Pick) for x in a.at]


def positive(k: Size) -> Size:
    return -k if k.monomials[0][1] < 0 else k


def factors(n: Size) -> int:
    """How many numbers and symbols a size is the product of; 0 for a sum."""
    if len(n.monomials) != 1:
        return 0
    names, c = n.monomials[0]
    return len(names) + (c > 1)


def proper(s: Size, n: Size) -> bool:
    return factors(s) > 0 and quotient(n, s) not in (None, sized(1))


def quotient(n: Size, s: Size) -> Size | None:
    """n / s, for products of numbers and symbols."""
    (names, c), (others, d) = n.monomials[0], s.monomials[0]
    left = list(names)
    for name in others:
        if name not in left:
            return None
        left.remove(name)
    return Size(((tuple(left), c // d),)) if c % d == 0 and c >= d else None
