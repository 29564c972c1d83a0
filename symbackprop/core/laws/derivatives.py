"""Differentiation: sum, product, chain, entry."""

from __future__ import annotations

from fractions import Fraction

from ..context import Context, Equation, apart
from ..indices import Index
from ..terms import (
    ONE, VALUE_AXES, ZERO, Add, Apply, Delta, Diff, Entry, Holds, Mul, Nonzero, Num, Positive, Power, Predicate, Term,
    Whole, add, arrays, free, mul, neg, of_same, opened_whole, over, require, sub, sum_over, whole,
)  # fmt: skip
from .functions import DERIVATIVES
from .registry import law, table

ARRAY_FUNCTIONS = frozenset(VALUE_AXES)
# Functions with kinks or jumps are written with steps, so no function of these names is taken for a smooth one.
KINKED = frozenset({"abs", "ceil", "floor", "heaviside", "relu", "round", "sign", "step", "trunc"})


@law
def diff_independent(context: Context, t: Term, wrt: Entry) -> Equation:
    """∂t/∂w  =  0  when no variable, or only others, occur in t and in the definitions that it rests on"""
    inside = (b for a in arrays(t) for b in context.behind(a))
    require(all(apart(b, wrt.array, context.least) for b in inside), "{} may depend on {}", t, wrt.array)
    return Equation(Diff(t, wrt), ZERO)


@law
def diff_entry(context: Context, e: Entry, wrt: Entry) -> Equation:
    """∂w_ab/∂w_jk  =  δ_aj δ_bk,  and 0 for another variable"""
    require(not context.meanings(e.array), "{} is defined: unfold it first", e.array)
    if e.array != wrt.array:
        require(apart(e.array, wrt.array, context.least), "{} and {} may be one array", e.array, wrt.array)
        return Equation(Diff(e, wrt), ZERO)
    require(len(e.at) == len(wrt.at), "{} has {} axes here and {} there", e.array, len(e.at), len(wrt.at))
    return Equation(Diff(e, wrt), mul(*(Delta(a, b) for a, b in zip(e.at, wrt.at, strict=True))))


@law
def diff_sum(context: Context, i: Index, body: Term, wrt: Entry) -> Equation:
    """∂(Σ_i f)/∂w  =  Σ_i ∂f/∂w,  for i not in w"""
    require(i not in free(wrt), "the dummy {} is also an index of {}", i.name, wrt.array)
    return Equation(Diff(over(i, body), wrt), over(i, Diff(body, wrt)))


@law
def diff_apply(context: Context, fn: str, order: int, arg: Term, wrt: Entry) -> Equation:
    """∂f(u)/∂w  =  f'(u) ∂u/∂w,  with f' from the table, or a symbol for an abstract f"""
    require(fn not in KINKED, "{} is no smooth function", fn)
    if fn in DERIVATIVES:
        require(order == 0, "{} has no derivative symbol", fn)
        slope, needs = DERIVATIVES[fn](arg)
    else:
        slope, needs = Apply(fn, arg, order + 1), frozenset()
    return Equation(Diff(Apply(fn, arg, order), wrt), Mul((slope, Diff(arg, wrt))), needs)


@law
def diff_whole(context: Context, w: Whole, axes: tuple[Index, ...], wrt: Entry) -> Equation:
    """∂L(y)/∂w  =  Σ_i L'(y)_i ∂y_i/∂w  for an abstract scalar function L of an array, and its derivatives"""
    require(len(w.at) == w.order * len(axes), "one group of indices for each derivative")
    inner = chain_body(w, axes, wrt)
    slope = Whole(w.fn, w.order + 1, w.sizes, w.body, (*w.at, *axes), w.hints)
    return Equation(Diff(w, wrt), sum_over(axes, Mul((slope, inner))))


@law
def diff_det(context: Context, w: Whole, axes: tuple[Index, ...], wrt: Entry) -> Equation:
    """∂det(A)/∂w  =  det(A) Σ_pq (A^{-1})_qp ∂A_pq/∂w,  where det(A) is not 0"""
    require(w.fn == "det" and len(axes) == 2, "a determinant of a matrix")
    inner = chain_body(w, axes, wrt)
    inverse = of_same("inv", w, (axes[1], axes[0]))
    return Equation(Diff(w, wrt), Mul((w, sum_over(axes, Mul((inverse, inner))))), frozenset({Nonzero(w)}))


@law
def diff_inverse(context: Context, w: Whole, axes: tuple[Index, ...], wrt: Entry) -> Equation:
    """∂(A^{-1})_ij/∂w  =  -Σ_pq (A^{-1})_ip ∂A_pq/∂w (A^{-1})_qj,  where det(A) is not 0"""
    require(w.fn == "inv" and len(axes) == 2, "an inverse of a matrix")
    inner = chain_body(w, axes, wrt)
    left, right = of_same("inv", w, (w.at[0], axes[0])), of_same("inv", w, (axes[1], w.at[1]))
    rhs = neg(sum_over(axes, Mul((left, inner, right))))
    return Equation(Diff(w, wrt), rhs, frozenset({Nonzero(of_same("det", w))}))


@law
def diff_max(context: Context, w: Whole, axes: tuple[Index, ...], wrt: Entry) -> Equation:
    """∂max(x)/∂w  =  Σ_a argmax(x)_a ∂x_a/∂w,  where the largest entry stands alone"""
    require(w.fn == "max", "a maximum")
    inner = chain_body(w, axes, wrt)
    chosen = Mul((of_same("argmax", w, axes), inner))
    return Equation(Diff(w, wrt), sum_over(axes, chosen), frozenset({Positive(of_same("gap", w))}))


@law
def diff_argmax(context: Context, w: Whole, wrt: Entry) -> Equation:
    """∂argmax(x)_a/∂w  =  0,  where the largest entry stands alone"""
    require(w.fn == "argmax", "an indicator of the maximum")
    return Equation(Diff(w, wrt), ZERO, frozenset({Positive(of_same("gap", w))}))


@law
def diff_prod(context: Context, w: Whole, axes: tuple[Index, ...], others: tuple[Index, ...], wrt: Entry) -> Equation:
    """∂(Π x)/∂w  =  Σ_a (Π_{b != a} x_b) ∂x_a/∂w"""
    require(w.fn == "prod" and len(set(axes) | set(others)) == 2 * len(axes) == 2 * len(others), "a product")
    require(free_of(others, wrt) and all(i not in free(opened_whole(w, axes)) for i in others), "dummies in use")
    inner = chain_body(w, axes, wrt)
    here = mul(*(Delta(a, b) for a, b in zip(axes, others, strict=True)))
    rest = add(here, mul(sub(ONE, here), opened_whole(w, others)))
    return Equation(Diff(w, wrt), sum_over(axes, Mul((whole("prod", 0, others, rest, ()), inner))))


def chain_body(w: Whole, axes: tuple[Index, ...], wrt: Entry) -> Diff:
    require(free_of(axes, wrt, w), "an axis is also an index of {} or of {}", wrt.array, w.fn)
    return Diff(opened_whole(w, axes), wrt)


def free_of(axes: tuple[Index, ...], *things: Entry | Whole) -> bool:
    return frozenset[Index]().union(*map(free, things)).isdisjoint(axes)


def conditions_of_power(base: Term, q: Fraction) -> list[Predicate]:
    return [Positive(base)] if q.denominator > 1 else [Nonzero(base)] if q < 1 else []


table({
    "diff_add": ("∂(f + g)/∂w  =  ∂f/∂w + ∂g/∂w", lambda args, wrt: (
        Diff(Add(args), wrt), Add(tuple(Diff(a, wrt) for a in args)))),
    "diff_mul": ("∂(f g)/∂w  =  ∂f/∂w g + f ∂g/∂w", lambda args, wrt: (
        Diff(Mul(args), wrt),
        Add(tuple(Mul((*args[:k], Diff(a, wrt), *args[k + 1 :])) for k, a in enumerate(args))))),
    "diff_power": ("∂(f^q)/∂w  =  q f^{q-1} ∂f/∂w,  where f is nonzero if q < 1, positive if q is no integer",
        lambda f, q, wrt: (
        Diff(Power(f, q), wrt), Mul((Num(q), Power(f, q - 1), Diff(f, wrt))), *conditions_of_power(f, q))),
    "diff_step": ("∂[u > 0]/∂w  =  0,  where u is not 0", lambda u, wrt: (
        Diff(Holds(Positive(u)), wrt), ZERO, Nonzero(u))),
})  # fmt: skip
