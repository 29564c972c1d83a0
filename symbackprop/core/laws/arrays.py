"""Functions of whole arrays: inverse, determinant, maximum, product."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index, IndexExpr, Size, affine, as_affine, at_least_zero
from symbackprop.core.laws.registry import law
from symbackprop.core.signs import always_negative, within
from symbackprop.core.terms import (
    ONE, ZERO, Delta, Holds, Mul, NonNegative, Nonzero, Ordinal, Positive, Power, Predicate, Term, Whole, add, bind,
    free, fresh_axes, mul, of_same, open_body, opened_whole, over, require, sub, substitute, sum_over, whole,
)  # fmt: skip


def maximum(w: Whole, context: Context) -> None:
    """The maximum of some entries: of nothing there is none."""
    some = all(at_least_zero(n - 1, context.least) for n in w.sizes)
    require(w.fn == "max" and some, "{} is no maximum of some entries", w)


def determinant(w: Whole) -> frozenset[Predicate]:
    return frozenset({Nonzero(of_same("det", w))})


@law
def inverse_times(context: Context, w: Whole, k: Index) -> Equation:
    """Σ_k (A^{-1})_ik A_kj  =  δ_ij,  where det(A) is not 0;  w is (A^{-1})_ij"""
    require(w.fn == "inv" and k.size == w.sizes[0], "an inverse")
    i, j = w.at
    is_entry(w, w.at, context)
    require(k not in free(w), "the dummy {} is in use", k.name)
    lhs = over(k, Mul((of_same("inv", w, (i, k)), entry_of(w, (k, j)))))
    return Equation(lhs, Delta(i, j), determinant(w))


@law
def times_inverse(context: Context, w: Whole, k: Index) -> Equation:
    """Σ_k A_ik (A^{-1})_kj  =  δ_ij,  where det(A) is not 0;  w is (A^{-1})_ij"""
    require(w.fn == "inv" and k.size == w.sizes[0], "an inverse")
    i, j = w.at
    is_entry(w, w.at, context)
    require(k not in free(w), "the dummy {} is in use", k.name)
    lhs = over(k, Mul((entry_of(w, (i, k)), of_same("inv", w, (k, j)))))
    return Equation(lhs, Delta(i, j), determinant(w))


@law
def inverse_of_transpose(context: Context, w: Whole) -> Equation:
    """(A^T)^{-1}_ij  =  (A^{-1})_ji;  det(A^T) = det(A)"""
    require(w.fn in ("inv", "det"), "an inverse or a determinant")
    p, q = fresh_axes(w.sizes, w)
    turned = bind((q, p), open_body(w.body, (p, q)))
    return Equation(w, Whole(w.fn, 0, w.sizes, turned, tuple(reversed(w.at)), w.hints))


@law
def maximum_of_maxima(
    context: Context, outer: tuple[Index, ...], inner: tuple[Index, ...], axes: tuple[Index, ...], body: Term
) -> Equation:
    """max_i max_j x_ij  =  max_ij x_ij,  with the axes in any order"""
    require(set(axes) == {*outer, *inner} and len(axes) == len(outer) + len(inner), "the axes are {}", axes)
    require(all(at_least_zero(i.size - 1, context.least) for i in axes), "a maximum of nothing")
    return Equation(whole("max", 0, outer, whole("max", 0, inner, body, ()), ()), whole("max", 0, axes, body, ()))


@law
def maximum_picks(context: Context, w: Whole, axes: tuple[Index, ...]) -> Equation:
    """Σ_a argmax(x)_a x_a  =  max(x)"""
    maximum(w, context)
    require(free(w).isdisjoint(axes), "an axis is also an index of {}", w)
    return Equation(sum_over(axes, Mul((of_same("argmax", w, axes), opened_whole(w, axes)))), w)


@law
def one_argmax(context: Context, w: Whole, axes: tuple[Index, ...]) -> Equation:
    """Σ_a argmax(x)_a  =  1"""
    maximum(w, context)
    require(tuple(a.size for a in axes) == w.sizes, "the axes of {} have other sizes", w)
    require(free(w).isdisjoint(axes), "an axis is also an index of {}", w)
    return Equation(sum_over(axes, of_same("argmax", w, axes)), ONE)


@law
def argmax_products(context: Context, w: Whole, at: tuple[IndexExpr, ...], bt: tuple[IndexExpr, ...]) -> Equation:
    """argmax(x)_a argmax(x)_b  =  δ_ab argmax(x)_a"""
    maximum(w, context)
    one, other = (of_same("argmax", w, x) for x in (at, bt))
    return Equation(Mul((one, other)), mul(*(Delta(a, b) for a, b in zip(at, bt, strict=True)), one))


@law
def step_above_max(context: Context, w: Whole, at: tuple[IndexExpr, ...]) -> Equation:
    """[x_a - max(x) > 0]  =  0"""
    maximum(w, context)
    is_entry(w, at, context)
    return Equation(Holds(Positive(sub(entry_of(w, at), w))), ZERO)


@law
def step_below_max(context: Context, w: Whole, at: tuple[IndexExpr, ...]) -> Equation:
    """[max(x) - x_a > 0]  =  1 - argmax(x)_a,  where the largest entry stands alone"""
    maximum(w, context)
    is_entry(w, at, context)
    below = Holds(Positive(sub(w, entry_of(w, at))))
    return Equation(below, sub(ONE, of_same("argmax", w, at)), frozenset({Positive(of_same("gap", w))}))


def entry_of(w: Whole, at: tuple[IndexExpr, ...]) -> Term:
    """The entry at these indices of the array that w is a function of."""
    return open_body(w.body, at)


def is_entry(w: Whole, at: tuple[IndexExpr, ...], context: Context) -> None:
    """The indices are those of an entry of the array that w is a function of."""
    require(len(at) == len(w.sizes) and within_all(at, w.sizes, context), "an index of {} may leave its range", w)


def within_all(at: tuple[IndexExpr, ...], sizes: Iterable[Size], context: Context) -> bool:
    return all(within(e, n, context.least) for e, n in zip(at, sizes, strict=True))


@law
def product_without(context: Context, axes: tuple[Index, ...], body: Term, at: tuple[IndexExpr, ...]) -> Equation:
    """Π_b (δ_ab + (1 - δ_ab) x_b)  =  (Π_b x_b) / x_a,  where x_a is not 0"""
    require(within_all(at, (i.size for i in axes), context), "an index may leave its range")
    require(not any(free(Ordinal(a)) & frozenset(axes) for a in at), "an axis is also an index of the entry")
    here = mul(*(Delta(a, b) for a, b in zip(at, axes, strict=True)))
    one = substitute(body, dict(zip(axes, at, strict=True)))
    lhs = whole("prod", 0, axes, add(here, mul(sub(ONE, here), body)), ())
    return Equation(lhs, mul(whole("prod", 0, axes, body, ()), Power(one, Fraction(-1))), frozenset({Nonzero(one)}))


@law
def of_product(context: Context, w: Whole, axes: tuple[Index, Index], k: Index, left: Term, right: Term) -> Equation:
    """det(A B) = det(A) det(B);  ((A B)^{-1})_ij = Σ_k (B^{-1})_ik (A^{-1})_kj, with A, B square and not singular

    The axes p, q of the product, and A_pk, B_kq as `left` and `right`.
    """
    p, q = axes
    require(w.fn in ("det", "inv"), "a determinant or an inverse of a product")
    require(q not in free(left) and p not in free(right), "the factors A_pk and B_kq")
    product = whole(w.fn, 0, (p, q), over(k, Mul((left, right))), w.at)

    def factor(fn: str, body: Term, rows: Index, columns: Index, at: tuple[IndexExpr, ...]) -> Whole:
        return whole(fn, 0, (rows, columns), body, at)

    det_a, det_b = factor("det", left, p, k, ()), factor("det", right, k, q, ())
    if w.fn == "det":
        return Equation(product, Mul((det_a, det_b)))
    is_entry(product, w.at, context)
    require(k not in free(product), "the dummy {} is in use", k.name)
    inverse = Mul((factor("inv", right, k, q, (w.at[0], k)), factor("inv", left, p, k, (k, w.at[1]))))
    return Equation(product, over(k, inverse), frozenset({Nonzero(det_a), Nonzero(det_b)}))


@law
def inverse_scaled(
    context: Context, axes: tuple[Index, Index], c: Term, body: Term, at: tuple[IndexExpr, ...]
) -> Equation:
    """(c A)^{-1} = c^{-1} A^{-1},  where c and det(A) are not 0"""
    require(free(c).isdisjoint(axes), "{} depends on an axis", c)
    lhs = whole("inv", 0, axes, Mul((c, body)), at)
    rhs = Mul((Power(c, Fraction(-1)), whole("inv", 0, axes, body, at)))
    return Equation(lhs, rhs, frozenset({Nonzero(c), Nonzero(whole("det", 0, axes, body, ()))}))


@law
def inverse_of_inverse(context: Context, w: Whole, axes: tuple[Index, Index]) -> Equation:
    """det(A^{-1}) = 1/det(A);  ((A^{-1})^{-1})_ij = A_ij;  where det(A) is not 0;  w is a function of A"""
    require(w.fn in ("det", "inv"), "a determinant or an inverse")
    require(tuple(a.size for a in axes) == w.sizes, "the axes of {} have other sizes", w)
    require(free(w).isdisjoint(axes), "an axis is also an index of {}", w)
    inner = of_same("inv", w, axes)
    lhs = whole(w.fn, 0, axes, inner, w.at)
    if w.fn == "det":
        return Equation(lhs, Power(w, Fraction(-1)), determinant(w))
    is_entry(w, w.at, context)
    return Equation(lhs, entry_of(w, w.at), determinant(w))


@law
def of_identity(context: Context, axes: tuple[Index, Index], at: tuple[IndexExpr, ...]) -> Equation:
    """det(I) = 1;  (I^{-1})_ij = δ_ij"""
    p, q = axes
    require(all(within(e, p.size, context.least) for e in at), "an index may leave its range")
    fn = "inv" if at else "det"
    return Equation(whole(fn, 0, axes, Delta(p, q), at), Delta(at[0], at[1]) if at else ONE)


# --- laws of sums ---


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
