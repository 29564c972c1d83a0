"""Is a term an instance of a pattern, for some values of the pattern's free indices?"""

from __future__ import annotations

from .indices import Affine, Bound, Index, IndexExpr, Pick
from .ranges import within
from .terms import (
    Add,
    Apply,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Num,
    Ordinal,
    Positive,
    Power,
    Size,
    Sum,
    Term,
    Whole,
    map_index,
)  # fmt: skip


def instance(pattern: Term, t: Term) -> dict[Index, IndexExpr] | None:
    """Values of the free indices of `pattern`, each inside its range, that make it `t`; or None."""
    found: dict[Index, IndexExpr] = {}
    ok = _terms(pattern, t, 0, found) and all(within(e, i.size) for i, e in found.items())
    return found if ok else None


def _terms(p: Term, t: Term, depth: int, found: dict[Index, IndexExpr]) -> bool:
    def ix(a: tuple[IndexExpr, ...], b: tuple[IndexExpr, ...]) -> bool:
        return len(a) == len(b) and all(_index(x, y, depth, found) for x, y in zip(a, b, strict=True))

    match p, t:
        case (Num() | Size(), _):
            return p == t
        case Entry(a, at), Entry(b, bt):
            return a == b and ix(at, bt)
        case Ordinal(a), Ordinal(b):
            return ix((a,), (b,))
        case Delta(a, b), Delta(c, d):
            return ix((a, b), (c, d))
        case (Add(a), Add(b)) | (Mul(a), Mul(b)):
            return len(a) == len(b) and all(_terms(x, y, depth, found) for x, y in zip(a, b, strict=True))
        case Power(a, q), Power(b, r):
            return q == r and _terms(a, b, depth, found)
        case Apply(f, a, q), Apply(g, b, r):
            return f == g and q == r and _terms(a, b, depth, found)
        case Sum(n, a, _), Sum(m, b, _):
            return n == m and _terms(a, b, depth + 1, found)
        case Diff(a, w), Diff(b, v):
            return _terms(w, v, depth, found) and _terms(a, b, depth, found)
        case Whole(f, q, n, a, at, _), Whole(g, r, m, b, bt, _):
            return f == g and q == r and n == m and ix(at, bt) and _terms(a, b, depth + len(n), found)
        case Holds(Positive(a)), Holds(Positive(b)):
            return _terms(a, b, depth, found)
        case Holds(NonNegative(a)), Holds(NonNegative(b)):
            return ix((a,), (b,))
        case _:
            return False


def _index(p: IndexExpr, e: IndexExpr, depth: int, found: dict[Index, IndexExpr]) -> bool:
    match p:
        case Index():
            if p in found:
                return found[p] == e
            if reaches_binder(e, depth):
                return False
            found[p] = e
            return True
        case Bound():
            return p == e
        case Pick(a, at, n):
            return (
                isinstance(e, Pick) and a == e.array and n == e.size and len(at) == len(e.at)
                and all(_index(x, y, depth, found) for x, y in zip(at, e.at, strict=True))
            )  # fmt: skip
        case Affine(c, parts):
            return (
                isinstance(e, Affine) and c == e.constant and len(parts) == len(e.parts)
                and all(k == m and _index(x, y, depth, found) for (x, k), (y, m) in zip(parts, e.parts, strict=True))
            )  # fmt: skip


def reaches_binder(e: IndexExpr, depth: int) -> bool:
    """A pattern's free index cannot stand for an index bound inside the pattern."""
    hit = False

    def look(x: object, _: int) -> IndexExpr:
        nonlocal hit
        hit |= isinstance(x, Bound)
        return x  # type: ignore[return-value]

    map_index(e, look, 0)
    return hit
