"""Index expressions: their bounds, and exact division."""

from __future__ import annotations

from symbackprop.core.terms import (
    Affine,
    Bound,
    Index,
    IndexExpr,
    Pick,
    Size,
    affine,
    as_affine,
    sized,
)

from .lengths import at_least_zero

ZERO_AT: IndexExpr = affine(0, ())


def index_of(n: int | Size) -> IndexExpr:
    return affine(n, ())


def constant_of(e: IndexExpr) -> Size | None:
    """The size this expression is when it has no index in it."""
    return e.constant if isinstance(e, Affine) and not e.parts else None


def integer_of(e: IndexExpr) -> int | None:
    size = constant_of(e)
    return None if size is None else size.constant


def bounds(e: IndexExpr) -> tuple[Size | None, Size | None]:
    """Smallest and largest value, as far as the signs of the coefficients are known for all sizes."""
    low, parts = as_affine(e)
    lower: Size | None = low
    upper: Size | None = low
    for atom, k in parts:
        if isinstance(atom, Bound):
            return (None, None)
        top = k * (atom.size - 1)
        if at_least_zero(k):
            upper = None if upper is None else upper + top
        elif at_least_zero(-k):
            lower = None if lower is None else lower + top
        else:
            return (None, None)
    return (lower, upper)


def nonnegative(e: IndexExpr) -> bool | None:
    """Whether e >= 0 for all sizes and indices; None when it depends."""
    lower, upper = bounds(e)
    if lower is not None and at_least_zero(lower):
        return True
    if upper is not None and at_least_zero(-upper - 1):
        return False
    return None


def shifted(e: IndexExpr, by: int | Size | IndexExpr) -> IndexExpr:
    if isinstance(by, int | Size):
        return affine(by, [(e, 1)])
    return affine(0, [(e, 1), (by, 1)])


def difference(i: IndexExpr, j: IndexExpr) -> IndexExpr:
    return affine(0, [(i, 1), (j, -1)])


def scaled(e: IndexExpr, by: int | Size) -> IndexExpr:
    return affine(0, [(e, by)])


def inside(e: IndexExpr, size: Size) -> bool:
    """0 <= e < size for all sizes."""
    return nonnegative(e) is True and nonnegative(affine(size - 1, [(e, -1)])) is True


def exact_quotient(p: Size, d: Size) -> Size | None:
    """p / d when it is a polynomial with integer coefficients."""
    if not d.monomials:
        return None
    rest, quotient = p, sized(0)
    lead, k = max(d.monomials, key=lambda m: (len(m[0]), m[0]))
    while rest.monomials:
        symbols, c = max(rest.monomials, key=lambda m: (len(m[0]), m[0]))
        left = list(symbols)
        for s in lead:
            if s not in left:
                return None
            left.remove(s)
        if c % k:
            return None
        piece = Size(((tuple(left), c // k),))
        quotient, rest = quotient + piece, rest - piece * d
    return quotient


def quotient_and_rest(e: IndexExpr, d: Size) -> tuple[IndexExpr, IndexExpr] | None:
    """(q, r) with e = d q + r and 0 <= r < d, when that can be read off."""
    constant, parts = as_affine(e)
    n, m = constant.constant, d.constant
    if not parts and n is not None and m:
        return index_of(n // m), index_of(n % m)
    q_parts: list[tuple[IndexExpr, Size]] = []
    r_parts: list[tuple[IndexExpr, Size]] = []
    for atom, k in parts:
        whole_part = exact_quotient(k, d)
        if whole_part is not None:
            q_parts.append((atom, whole_part))
        else:
            r_parts.append((atom, k))
    q_constant, r_constant = sized(0), sized(0)
    for monomial in constant.monomials:
        piece = Size((monomial,))
        whole_part = exact_quotient(piece, d)
        if whole_part is not None:
            q_constant = q_constant + whole_part
        elif m and monomial[0] == ():
            q_constant, r_constant = q_constant + monomial[1] // m, r_constant + monomial[1] % m
        else:
            r_constant = r_constant + piece
    q, r = affine(q_constant, q_parts), affine(r_constant, r_parts)
    if inside(r, d):
        return q, r
    r = shifted(r, d)  # (g+1)K - 1 - k is gK + (K-1-k)
    return (shifted(q, -1), r) if inside(r, d) else None


def replaced(e: IndexExpr, values: dict[Index, IndexExpr]) -> IndexExpr:
    """Index expressions in place of free indices."""
    match e:
        case Index():
            return values.get(e, e)
        case Bound():
            return e
        case Pick(array, at, size):
            return Pick(array, tuple(replaced(a, values) for a in at), size)
        case Affine(constant, parts):
            return affine(constant, [(replaced(a, values), k) for a, k in parts])


def indices_in(e: IndexExpr) -> set[Index]:
    match e:
        case Index():
            return {e}
        case Bound():
            return set()
        case Pick(_, at, _):
            return set().union(*(indices_in(a) for a in at)) if at else set()
        case Affine(_, parts):
            return set().union(*(indices_in(a) for a, _ in parts)) if parts else set()
