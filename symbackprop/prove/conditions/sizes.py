"""What hypotheses say of sizes: n >= 2."""

from __future__ import annotations

from collections.abc import Iterable
from math import lcm

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Affine, Least, Size, at_least_zero, sized
from symbackprop.core.sums import Expansion
from symbackprop.core.terms import (
    Entry,
    Holds,
    NonNegative,
    Nonzero,
    Positive,
    Predicate,
    ProofError,
    Term,
    Whole,
    free,
    subterms,
)


def least_sizes(hypotheses: Iterable[Hypothesis]) -> Least:
    """n >= c from hypotheses n - c >= 0 and n - c > 0."""
    least: dict[str, int] = {}
    for h in hypotheses:
        if isinstance(h, Same | Nonzero):
            continue
        size = size_of(h)
        if size is None or len(size.symbols) != 1:
            continue
        (name,) = size.symbols
        rest = (size - sized(name)).constant
        if rest is not None:
            least[name] = max(least.get(name, 1), -rest + (1 if isinstance(h, Positive) else 0))
    return Least({name: n for name, n in least.items() if n > 1})


def size_of(c: Predicate) -> Size | None:
    """The polynomial that a condition on sizes alone is about, up to a positive factor."""
    if isinstance(c, NonNegative):
        return c.expr.constant if isinstance(c.expr, Affine) and not c.expr.parts else None
    return polynomial(c.term)


def polynomial(t: Term) -> Size | None:
    if any(isinstance(s, Entry | Whole | Holds) for s in subterms(t)) or free(t):
        return None
    if isinstance(t, Size):
        return t
    try:
        monomials = Expansion().expand(t)
    except ProofError:
        return None
    if any(m.dummies or not isinstance(b, Size) or e.denominator > 1 for m in monomials for b, e in m.factors):
        return None
    scale = lcm(*(m.coefficient.denominator for m in monomials)) if monomials else 1
    bases = {b for m in monomials for b, _ in m.factors}
    below = {b: max(0, *(-int(dict(m.factors).get(b, 0)) for m in monomials)) for b in bases}
    if any(k and not is_positive(b) for b, k in below.items()):
        return None
    total = sized(0)
    for m in monomials:
        piece = sized(int(m.coefficient * scale))
        powers = dict(m.factors)
        for b in bases:
            assert isinstance(b, Size)
            for _ in range(int(powers.get(b, 0)) + below[b]):
                piece = piece * b
        total = total + piece
    return total


def is_positive(b: Term) -> bool:
    return isinstance(b, Size) and at_least_zero(b - 1)
