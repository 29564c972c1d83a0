"""Sums over index ranges."""

from __future__ import annotations

from ..context import Context, Equation
from ..indices import Index, IndexExpr, affine, as_affine, at_least_zero
from ..ranges import always_negative, within
from ..terms import ONE, ZERO, Holds, Mul, NonNegative, Ordinal, Term, add, free, over, require, substitute
from .registry import law


def inside(e: IndexExpr, i: Index) -> tuple[Term, Term]:
    """[0 <= e] and [e <= size - 1], the range of i"""
    return Holds(NonNegative(e)), Holds(NonNegative(affine(i.size - 1, ((e, -1),))))


@law
def reindex(context: Context, i: Index, k: Index, e: IndexExpr, body: Term) -> Equation:
    """Σ_i [0 <= c ± i < M] f(i)  =  Σ_k [0 <= ±(k - c) < N] f(±(k - c)),  for i < N and k < M;  e is c ± i"""
    constant, parts = as_affine(e)
    sign = next((c for a, c in parts if a == i), None)
    require(sign is not None and sign.constant in (1, -1), "the new index must be ± the old one and a shift")
    assert sign is not None
    rest = affine(constant, [(a, c) for a, c in parts if a != i])
    require(i not in free(Ordinal(rest)) and k != i, "the shift depends on the index")
    require(k not in free(body) and k not in free(Ordinal(e)), "the new index is in use")
    back = affine(0, ((k, sign), (rest, -sign)))
    lhs = over(i, Mul((*inside(e, k), body)))
    return Equation(lhs, over(k, Mul((*inside(back, i), substitute(body, {i: back})))))


@law
def count(context: Context, i: Index, e: IndexExpr) -> Equation:
    """Σ_i [e >= 0]  =  c + 1,  for e = ± i + rest, whose largest value is c, where 0 <= c + 1 <= n"""
    constant, parts = as_affine(e)
    sign = next((k.constant for a, k in parts if a == i), None)
    require(sign in (1, -1), "± the index and a shift")
    greatest = affine(constant + (i.size - 1 if sign == 1 else 0), [(a, k) for a, k in parts if a != i])
    require(i not in free(Ordinal(greatest)), "the shift depends on the index")
    number = affine(1, ((greatest, 1),))
    require(within(number, i.size + 1, context.least), "the values need not be in the range of {}", i.name)
    return Equation(over(i, Holds(NonNegative(e))), add(Ordinal(greatest), ONE))


@law
def by_radix(context: Context, i: Index, q: Index, r: Index, body: Term) -> Equation:
    """Σ_i f(i)  =  Σ_q Σ_r f(R q + r),  for i < Q R, q < Q and r < R"""
    require(i.size == q.size * r.size, "{} values are not {} times {}", i.size, q.size, r.size)
    require(all(at_least_zero(x.size, context.least) for x in (q, r)), "a size may be negative")
    require(q != r and q not in free(body) and r not in free(body), "a new index is in use")
    there = substitute(body, {i: affine(0, ((q, r.size), (r, 1)))})
    return Equation(over(i, body), over(q, over(r, there)))


@law
def no_room(context: Context, each: tuple[IndexExpr, ...]) -> Equation:
    """Π_k [e_k >= 0]  =  0,  when Σ_k e_k < 0: not all of them hold"""
    require(always_negative(affine(0, [(e, 1) for e in each]), context.least), "all of them may hold")
    return Equation(Mul(tuple(Holds(NonNegative(e)) for e in each)), ZERO)
