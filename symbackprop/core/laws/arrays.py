"""Functions of whole arrays: inverse, determinant, maximum, product."""

from __future__ import annotations

from fractions import Fraction

from ..context import Context, Equation
from ..indices import Index, IndexExpr
from ..ranges import within
from ..terms import (
    ONE,
    ZERO,
    Delta,
    Holds,
    Mul,
    Nonzero,
    Positive,
    Power,
    Predicate,
    Term,
    Whole,
    add,
    bind,
    free,
    mul,
    open_body,
    over,
    require,
    sub,
    substitute,
    whole,
)  # fmt: skip
from .registry import law


def matrix(w: Whole) -> None:
    require(len(w.sizes) == 2 and w.sizes[0] == w.sizes[1], "{} of a matrix that is not square", w.fn)


def determinant(w: Whole) -> frozenset[Predicate]:
    return frozenset({Nonzero(Whole("det", 0, w.sizes, w.body, (), w.hints))})


@law
def inverse_times(context: Context, w: Whole, k: Index) -> Equation:
    """Σ_k (A^{-1})_ik A_kj  =  δ_ij,  where det(A) is not 0;  w is (A^{-1})_ij"""
    require(w.fn == "inv" and k.size == w.sizes[0], "an inverse")
    matrix(w)
    i, j = w.at
    require(all(within(e, w.sizes[0]) for e in (i, j)), "an index may leave its range")
    require(k not in free(w), "the dummy {} is in use", k.name)
    lhs = over(k, Mul((Whole("inv", 0, w.sizes, w.body, (i, k), w.hints), entry_of(w, (k, j)))))
    return Equation(lhs, Delta(i, j), determinant(w))


@law
def times_inverse(context: Context, w: Whole, k: Index) -> Equation:
    """Σ_k A_ik (A^{-1})_kj  =  δ_ij,  where det(A) is not 0;  w is (A^{-1})_ij"""
    require(w.fn == "inv" and k.size == w.sizes[0], "an inverse")
    matrix(w)
    i, j = w.at
    require(all(within(e, w.sizes[0]) for e in (i, j)), "an index may leave its range")
    require(k not in free(w), "the dummy {} is in use", k.name)
    lhs = over(k, Mul((entry_of(w, (i, k)), Whole("inv", 0, w.sizes, w.body, (k, j), w.hints))))
    return Equation(lhs, Delta(i, j), determinant(w))


@law
def inverse_of_transpose(context: Context, w: Whole) -> Equation:
    """(A^T)^{-1}_ij  =  (A^{-1})_ji;  det(A^T) = det(A)"""
    require(w.fn in ("inv", "det"), "an inverse or a determinant")
    matrix(w)
    p, q = Index("!p", w.sizes[0]), Index("!q", w.sizes[1])
    turned = bind((q, p), open_body(w.body, (p, q)))
    return Equation(w, Whole(w.fn, 0, w.sizes, turned, tuple(reversed(w.at)), w.hints))


@law
def maximum_picks(context: Context, w: Whole, axes: tuple[Index, ...]) -> Equation:
    """Σ_a argmax(x)_a x_a  =  max(x)"""
    require(w.fn == "max" and free(w).isdisjoint(axes), "a maximum")
    chosen = Whole("argmax", 0, w.sizes, w.body, axes, w.hints)
    body: Term = Mul((chosen, open_body(w.body, axes)))
    for a in reversed(axes):
        body = over(a, body)
    return Equation(body, w)


@law
def one_argmax(context: Context, w: Whole, axes: tuple[Index, ...]) -> Equation:
    """Σ_a argmax(x)_a  =  1"""
    require(w.fn == "max" and free(w).isdisjoint(axes), "a maximum")
    body: Term = Whole("argmax", 0, w.sizes, w.body, axes, w.hints)
    for a in reversed(axes):
        body = over(a, body)
    return Equation(body, ONE)


@law
def argmax_products(context: Context, w: Whole, at: tuple[IndexExpr, ...], bt: tuple[IndexExpr, ...]) -> Equation:
    """argmax(x)_a argmax(x)_b  =  δ_ab argmax(x)_a"""
    require(w.fn == "max" and len(at) == len(bt) == len(w.sizes), "a maximum")
    one, other = (Whole("argmax", 0, w.sizes, w.body, x, w.hints) for x in (at, bt))
    return Equation(Mul((one, other)), mul(*(Delta(a, b) for a, b in zip(at, bt, strict=True)), one))


@law
def step_above_max(context: Context, w: Whole, at: tuple[IndexExpr, ...]) -> Equation:
    """[x_a - max(x) > 0]  =  0"""
    require(w.fn == "max" and all(within(a, n) for a, n in zip(at, w.sizes, strict=True)), "an entry of a maximum")
    return Equation(Holds(Positive(sub(entry_of(w, at), w))), ZERO)


@law
def step_below_max(context: Context, w: Whole, at: tuple[IndexExpr, ...]) -> Equation:
    """[max(x) - x_a > 0]  =  1 - argmax(x)_a,  where the largest entry stands alone"""
    require(w.fn == "max" and all(within(a, n) for a, n in zip(at, w.sizes, strict=True)), "an entry of a maximum")
    chosen = Whole("argmax", 0, w.sizes, w.body, at, w.hints)
    gap = Whole("gap", 0, w.sizes, w.body, (), w.hints)
    return Equation(Holds(Positive(sub(w, entry_of(w, at)))), sub(ONE, chosen), frozenset({Positive(gap)}))


def entry_of(w: Whole, at: tuple[IndexExpr, ...]) -> Term:
    axes = tuple(Index(f"!{k}", n) for k, n in enumerate(w.sizes))
    return substitute(open_body(w.body, axes), dict(zip(axes, at, strict=True)))


@law
def product_without(context: Context, axes: tuple[Index, ...], body: Term, at: tuple[IndexExpr, ...]) -> Equation:
    """Π_b (δ_ab + (1 - δ_ab) x_b)  =  (Π_b x_b) / x_a,  where x_a is not 0"""
    require(all(within(a, i.size) for a, i in zip(at, axes, strict=True)), "an index may leave its range")
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
    require(w.fn in ("det", "inv") and len({p, q, k}) == 3, "a determinant or an inverse of a product")
    require(w.sizes == (p.size, q.size) and p.size == q.size == k.size, "factors that are not square")
    require(q not in free(left) and p not in free(right), "the factors A_pk and B_kq")
    product = whole(w.fn, 0, (p, q), over(k, Mul((left, right))), w.at)

    def factor(fn: str, body: Term, rows: Index, columns: Index, at: tuple[IndexExpr, ...]) -> Whole:
        return whole(fn, 0, (rows, columns), body, at)

    det_a, det_b = factor("det", left, p, k, ()), factor("det", right, k, q, ())
    if w.fn == "det":
        return Equation(product, Mul((det_a, det_b)))
    require(all(within(e, p.size) for e in w.at), "an index may leave its range")
    require(free(product).isdisjoint((k,)), "the dummy is in use")
    inverse = Mul((factor("inv", right, k, q, (w.at[0], k)), factor("inv", left, p, k, (k, w.at[1]))))
    return Equation(product, over(k, inverse), frozenset({Nonzero(det_a), Nonzero(det_b)}))


@law
def inverse_scaled(
    context: Context, axes: tuple[Index, Index], c: Term, body: Term, at: tuple[IndexExpr, ...]
) -> Equation:
    """(c A)^{-1} = c^{-1} A^{-1},  where c and det(A) are not 0"""
    p, q = axes
    require(p != q and p.size == q.size and free(c).isdisjoint(axes) and len(at) == 2, "a number times a square matrix")
    lhs = whole("inv", 0, axes, Mul((c, body)), at)
    rhs = Mul((Power(c, Fraction(-1)), whole("inv", 0, axes, body, at)))
    return Equation(lhs, rhs, frozenset({Nonzero(c), Nonzero(whole("det", 0, axes, body, ()))}))


@law
def inverse_of_inverse(context: Context, w: Whole, axes: tuple[Index, Index]) -> Equation:
    """det(A^{-1}) = 1/det(A);  ((A^{-1})^{-1})_ij = A_ij;  where det(A) is not 0;  w is a function of A"""
    require(w.fn in ("det", "inv"), "a determinant or an inverse")
    matrix(w)
    p, q = axes
    require(free(w).isdisjoint(axes) and p != q and (p.size, q.size) == w.sizes, "axes in use")
    inner = Whole("inv", 0, w.sizes, w.body, (p, q), w.hints)
    lhs = whole(w.fn, 0, axes, inner, w.at)
    if w.fn == "det":
        return Equation(lhs, Power(w, Fraction(-1)), determinant(w))
    require(all(within(e, w.sizes[0]) for e in w.at), "an index may leave its range")
    return Equation(lhs, entry_of(w, w.at), determinant(w))


@law
def of_identity(context: Context, axes: tuple[Index, Index], at: tuple[IndexExpr, ...]) -> Equation:
    """det(I) = 1;  (I^{-1})_ij = δ_ij"""
    p, q = axes
    require(p != q and p.size == q.size and len(at) in (0, 2), "an identity matrix")
    require(all(within(e, p.size) for e in at), "an index may leave its range")
    fn = "inv" if at else "det"
    return Equation(whole(fn, 0, axes, Delta(p, q), at), Delta(at[0], at[1]) if at else ONE)
