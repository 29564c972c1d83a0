"""Sums, means, extrema and products over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from .algebra import (
    ONE,
    ZERO_AT,
    Index,
    IndexExpr,
    Size,
    Term,
    affine,
    at_least_zero,
    complement,
    difference,
    dummy,
    gate,
    minus,
    negated,
    plus,
    power,
    size_term,
    sized,
    step,
    summed,
    times,
    whole,
)
from .context import TraceError, current
from .elementwise import subtract, unary
from .factors import multiplied
from .scalars import log, sqrt
from .values import UNIT, At, Dtype, Value, aligned, elementwise, finite, known

Fold = Callable[[tuple[Index, ...], Term], Term]


def axis_index(size: Size) -> tuple[tuple[Index, ...], IndexExpr]:
    """Indices that together run over an axis: none where it has one entry, several where it was merged from several."""
    if size == UNIT:
        return (), ZERO_AT
    factors = current().merged.get(size, (size,))
    dummies = tuple(dummy(s) for s in factors)
    place: IndexExpr = ZERO_AT
    for i in dummies:
        place = affine(0, [(place, i.size), (i, 1)])
    return dummies, place


def normal_axis(axis: int, ndim: int) -> int:
    if not isinstance(axis, int):
        raise TraceError(f"an axis is a whole number, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise TraceError(f"axis {axis} of an array with {ndim} axes")
    return axis % ndim


def normal_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple | list):
        axes = tuple(normal_axis(a, ndim) for a in axis)
        if len(set(axes)) != len(axes):
            raise TraceError("an axis is named twice")
        return axes
    return (normal_axis(axis, ndim),)  # type: ignore[arg-type]


def reduced(v: Value, axis: int | Sequence[int] | None, keepdims: bool, fold: Fold, dtype: Dtype = "real") -> Value:
    """fold(indices, entry) over the given axes."""
    finite(v)
    axes = set(normal_axes(axis, v.ndim))
    shape = tuple(UNIT if k in axes else s for k, s in enumerate(v.shape) if keepdims or k not in axes)

    def term(at: At) -> Term:
        outer = [e for k, e in enumerate(at) if k not in axes] if keepdims else list(at)
        indices: list[Index] = []
        full: list[IndexExpr] = []
        for k, size in enumerate(v.shape):
            if k in axes:
                dummies, place = axis_index(size)
                indices.extend(dummies)
                full.append(place)
            else:
                full.append(outer.pop(0))
        return fold(tuple(indices), v.term(tuple(full)))

    return Value(shape, dtype, term)


def add_up(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    return reduced(v, axis, keepdims, summed, total_kind(v))


def total_kind(v: Value) -> Dtype:
    """NumPy adds booleans as whole numbers; sums of narrow integers may be unsigned."""
    return "int" if v.dtype == "bool" else v.dtype


def count(v: Value, axis: int | Sequence[int] | None) -> Size:
    size = sized(1)
    for k in normal_axes(axis, v.ndim):
        size = size * v.shape[k]
    return size


def nonempty(v: Value, axis: int | Sequence[int] | None, what: str) -> None:
    """Raises TraceError where NumPy would raise at some sizes: of nothing there is no maximum."""
    for k in normal_axes(axis, v.ndim):
        if not at_least_zero(v.shape[k] - 1):
            raise TraceError(f"{what} over an axis of {v.shape[k]} entries, which may be none: declare a longer axis")


def mean(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    n = power(size_term(count(v, axis)), -1)
    return elementwise(lambda t: multiplied(n, t), add_up(v, axis, keepdims))


def variance(v: Value, axis: int | Sequence[int] | None, keepdims: bool, ddof: Term) -> Value:
    """Σ (x - mean)^2 / (n - ddof)"""
    n = power(minus(size_term(count(v, axis)), ddof), -1)
    centred = subtract(v, mean(v, axis, True))
    return elementwise(lambda t: multiplied(n, t), add_up(unary("square", centred), axis, keepdims))


def deviation(v: Value, axis: int | Sequence[int] | None, keepdims: bool, ddof: Term) -> Value:
    return elementwise(sqrt, variance(v, axis, keepdims, ddof))


def largest(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """max; where some entries are -inf, those count as the smallest of the finite parts, which changes nothing
    unless all are."""
    nonempty(v, axis, "max")
    if v.holes and not v.soft:
        low = smallest(v.bare, axis, True)
        v = Value(
            v.shape,
            "real",
            lambda at, v=v: plus(  # type: ignore[misc]
                times(complement(v.hole(at)), v.term(at)), times(v.hole(at), low.term(aligned(low.shape, at)))
            ),
        )
    return reduced(v, axis, keepdims, lambda k, t: whole("max", 0, k, t, ()) if k else t, v.dtype)


def smallest(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    """min x = -max(-x)"""
    finite(v)
    nonempty(v, axis, "min")

    def fold(k: tuple[Index, ...], t: Term) -> Term:
        return negated(whole("max", 0, k, negated(t), ())) if k else t

    return reduced(v, axis, keepdims, fold, v.dtype)


def product(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    def fold(k: tuple[Index, ...], t: Term) -> Term:
        if any(i.size.constant == 0 for i in k):
            return ONE  # of nothing
        return whole("prod", 0, k, t, ()) if k else t

    if v.dtype not in ("real", "bool") and known(v) is None:
        raise TraceError("a product of whole numbers outgrows 64 bits for some sizes: make them floats")
    return reduced(v, axis, keepdims, fold, total_kind(v))


def any_of(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    return reduced(v, axis, keepdims, lambda k, t: step(summed(k, t)), "bool")


def all_of(v: Value, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Value:
    def fold(k: tuple[Index, ...], t: Term) -> Term:
        return complement(step(summed(k, complement(t))))

    result = reduced(v, axis, keepdims, fold, "bool")
    return result if v.origin is None else result.marked(v.origin)


def log_sum_exp(v: Value, axis: int | Sequence[int] | None, keepdims: bool, weights: Value | None = None) -> Value:
    terms = unary("exp", v)
    if weights is not None:
        terms = elementwise(multiplied, weights, terms)
    return elementwise(log, add_up(terms, axis, keepdims))


def softmax(v: Value, axis: int | Sequence[int] | None) -> Value:
    terms = unary("exp", v)
    return elementwise(lambda e, s: multiplied(e, power(s, -1)), terms, add_up(terms, axis, True))


def log_softmax(v: Value, axis: int | Sequence[int] | None) -> Value:
    return subtract(v, log_sum_exp(v, axis, True))


def running(v: Value, axis: int | None, fold: Callable[[Index, Term, Term], Term]) -> Value:
    """fold(k, mask, entry) over the entries k up to the index of the result; the mask is 1 there."""
    finite(v)
    if axis is None:
        if v.ndim != 1:
            raise TraceError("a running sum over the flattened array: reshape first, or give an axis")
        axis = 0
    n = normal_axis(axis, v.ndim)

    def term(at: At) -> Term:
        k = dummy(v.shape[n])
        entry = v.term((*at[:n], k, *at[n + 1 :]))
        return fold(k, gate(difference(at[n], k)), entry)

    return Value(v.shape, total_kind(v), term)


def running_sum(v: Value, axis: int | None) -> Value:
    return running(v, axis, lambda k, mask, t: summed((k,), times(mask, t)))


def running_product(v: Value, axis: int | None) -> Value:
    if v.dtype not in ("real", "bool"):
        raise TraceError("a product of whole numbers outgrows 64 bits for some sizes: make them floats")

    def fold(k: Index, mask: Term, t: Term) -> Term:
        return whole("prod", 0, (k,), plus(times(mask, t), complement(mask)), ())

    return running(v, axis, fold)


def vector_norm(v: Value, order: object, axis: int | Sequence[int] | None, keepdims: bool) -> Value:
    """|x|_p = (Σ |x|^p)^{1/p}"""
    if order in (None, 2):
        return elementwise(sqrt, add_up(unary("square", v.cast("real")), axis, keepdims))
    sizes = unary("absolute", v.cast("real"))
    if order == 1:
        return add_up(sizes, axis, keepdims)
    if order == float("inf"):
        return largest(sizes, axis, keepdims)
    if order == float("-inf"):
        return smallest(sizes, axis, keepdims)
    if order == 0:
        return add_up(elementwise(lambda t: plus(step(t), step(negated(t))), v), axis, keepdims)
    if isinstance(order, int | float | Fraction):
        p = Fraction(repr(order)) if isinstance(order, float) else Fraction(order)
        powers = elementwise(lambda t: power(t, p), sizes)
        return elementwise(lambda t: power(t, 1 / p), add_up(powers, axis, keepdims))
    raise TraceError(f"the norm of order {order!r} has no index term")
