"""np.sum, np.mean, np.max, np.cumsum, ..., scipy.special.logsumexp and softmax: folds over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import wraps
from typing import Any

from symbackprop.core.terms import ONE, Index, Size, Term, dummy, num, sized, whole

from .algebra import gate, minus, multiplied, negated, plus, power, size_term, summed, times
from .array import finished, wrap
from .axes import At, aligned, at_least_zero, difference, normal_axes, normal_axis, over_axes, without
from .context import NUMPY, SPECIAL, TraceError, original, provides, rows
from .creation import computed_in
from .elementwise import never_nan, subtract, unary
from .elementwise import where as chosen_where
from .lifting import exact, expression, lifted, size_of
from .scalars import log, sqrt
from .steps import complement, logical_not, step, truth
from .values import ORDER, Dtype, Value, elementwise, finite, known

Fold = Callable[[tuple[Index, ...], Term], Term]


def reduced(v: Value, axis: int | Sequence[int] | None, keepdims: bool, fold: Fold, dtype: Dtype = "real") -> Value:
    """fold(indices, entry) over the given axes."""
    finite(v)
    axes = normal_axes(axis, v.ndim)

    def term(at: At) -> Term:
        indices, full = over_axes(v.shape, axes, keepdims, at)
        return fold(indices, v.term(full))

    return Value(without(v.shape, axes, keepdims), dtype, term)


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
    nonempty(v, axis, "min")
    return elementwise(negated, largest(elementwise(negated, v, dtype=v.dtype), axis, keepdims), dtype=v.dtype)


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
    result = logical_not(any_of(logical_not(v), axis, keepdims))
    return result if v.origin is None else result.marked(v.origin)


def log_sum_exp(v: Value, axis: int | Sequence[int] | None, keepdims: bool, weights: Value | None = None) -> Value:
    terms = unary("exp", v)
    if weights is not None:
        terms = elementwise(multiplied, weights, terms)
    return elementwise(log, add_up(terms, axis, keepdims))


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


# --- under NumPy's names ---------------------------------------------------------------------


def axes_argument(axis: Any) -> Any:
    if axis is None or isinstance(axis, int):
        return axis
    if isinstance(axis, tuple | list):
        return tuple(axes_argument(a) for a in axis)
    return int(axis)


def named(name: str, function: Callable[..., Any], *more: str, where: str = "") -> None:
    """The function, and its twin that skips nan, where NumPy has it: the same for what is never nan."""
    provides(name, *more, method=True, where=where)(function)

    @wraps(function)
    def twin(a: Any, *args: Any, **options: Any) -> Any:
        never_nan(lifted(a), f"nan{name}")
        return function(a, *args, **options)

    if original("numpy", f"nan{name}") is not None:
        provides(f"nan{name}", where=NANS)(twin)


COMBINED = {"max": "maximum", "min": "minimum", "sum": "add", "prod": "multiply"}
NANS = "what may be nan (a logarithm, a root, a quotient) is refused"


def reducer(
    name: str, run: Callable[[Value, Any, bool], Value], *more: str, empty: float | None = None, selection: str = ""
) -> None:
    """A function of the entries along axes; `empty` is what entries count that where= leaves out."""
    extreme = name in ("max", "min")

    def function(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
        where: Any = True,
    ) -> Any:  # fmt: skip
        if hasattr(a, "mask"):
            if not selection or where is not True or initial is not None or dtype is not None:
                raise TraceError("this reduction of x[mask] depends on the data")
            return getattr(a, selection)(axis)
        value = lifted(a)
        if initial is not None:
            given, kept = lifted(initial).dtype, value.dtype if extreme else total_kind(value)
            if ORDER[given] > ORDER[kept]:
                raise TraceError(f"np.{name} of {value.dtype} numbers with initial={initial!r}, which is cut to fit")
        value = computed_in(value, dtype, name)
        if where is not True:
            left_out = initial if extreme else empty
            if left_out is None:
                raise TraceError(f"np.{name} with where= and no initial=: multiply by the mask instead")
            value = chosen_where(lifted(where), value, lifted(left_out).cast(value.dtype))
        result = run(value, axes_argument(axis), bool(keepdims))
        if initial is not None:
            if name not in COMBINED:
                raise TypeError(f"{name}() got an unexpected keyword argument 'initial'")
            result = lifted(NUMPY[COMBINED[name]](wrap(result), initial))
        return finished(result, out, True)

    named(name, function, *more, where="where: only with initial" if extreme else "" if empty is not None
          else "where: refused")  # fmt: skip


reducer("sum", add_up, empty=0, selection="sum")
reducer("mean", mean, selection="mean")
reducer("max", largest, "amax")
reducer("min", smallest, "amin")
reducer("any", lambda v, axis, keepdims: any_of(truth(v), axis, keepdims), empty=0)
reducer("all", lambda v, axis, keepdims: all_of(v if v.origin else truth(v), axis, keepdims), empty=1)
reducer("prod", product, empty=1)
plain_product = NUMPY["prod"]


@provides("prod", method=True)
def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
         where: Any = True) -> Any:  # fmt: skip
    """Of sizes it is a size."""
    if isinstance(a, list | tuple) and axis is None and all(expression(x) is not None for x in a):
        result: Any = 1
        for x in a:
            result = result * x
        return result
    return plain_product(a, axis, dtype, out, keepdims, initial, where)


def freedom(ddof: Any, correction: Any) -> Any:
    given = ddof if correction is None else correction
    if isinstance(given, float):
        return num(exact(given))
    return size_term(size_of(given, "ddof"))


def spread(name: str, run: Callable[..., Value]) -> None:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False,
                 correction: Any = None) -> Any:  # fmt: skip
        value = computed_in(lifted(a), dtype, name)
        return finished(run(value, axes_argument(axis), bool(keepdims), freedom(ddof, correction)), out, True)

    named(name, function)


def accumulation(name: str, run: Callable[..., Value]) -> None:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        return finished(run(computed_in(flat_if(a, axis), dtype, name), axis), out, True)

    named(name, function)


spread("var", variance)
spread("std", deviation)
accumulation("cumsum", running_sum)
accumulation("cumprod", running_product)


def flat_if(a: Any, axis: Any) -> Value:
    value = lifted(a)
    return lifted(NUMPY["reshape"](a, -1)) if axis is None and value.ndim != 1 else value


@provides("logsumexp", table=SPECIAL)
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: Any = False) -> Any:
    weights = None if b is None else lifted(b)
    return wrap(log_sum_exp(lifted(a), axes_argument(axis), bool(keepdims), weights))


def softmax(v: Value, axis: int | Sequence[int] | None) -> Value:
    terms = unary("exp", v)
    return elementwise(lambda e, s: multiplied(e, power(s, -1)), terms, add_up(terms, axis, True))


rows({
    "softmax": lambda x, axis=None: wrap(softmax(lifted(x), axes_argument(axis))),
    "log_softmax": lambda x, axis=None: wrap(subtract(v := lifted(x), log_sum_exp(v, axes_argument(axis), True))),
}, table=SPECIAL)  # fmt: skip
rows({
    "ptp": lambda a, axis=None, keepdims=False:
        NUMPY["max"](a, axis, keepdims=keepdims) - NUMPY["min"](a, axis, keepdims=keepdims),
    "count_nonzero": lambda a, axis=None, keepdims=False: wrap(add_up(truth(lifted(a)), axis, bool(keepdims))),
})  # fmt: skip
