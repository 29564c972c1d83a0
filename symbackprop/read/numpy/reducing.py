"""np.sum, np.mean, np.max, ..., scipy.special.logsumexp and softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import reductions
from .algebra import num, size_term
from .array import SymArray, wrap
from .creation import dtype_named
from .elementwise import multiply
from .errors import ShapeMismatch, TraceError
from .keys import size_list
from .lifting import exact, lifted
from .patterns import convolve as convolution
from .registry import NUMPY, SPECIAL, provides
from .selection import Selection
from .sizes import expression, size_of
from .truth import truth
from .ufuncs import finished
from .values import Value, shape_text


def axes_argument(axis: Any) -> Any:
    if axis is None or isinstance(axis, int):
        return axis
    if isinstance(axis, tuple | list):
        return tuple(axes_argument(a) for a in axis)
    return int(axis)


def reduction(run: Callable[..., Value], selection: str = "") -> Callable[..., Any]:
    def function(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
        where: Any = True, **_: Any,
    ) -> Any:  # fmt: skip
        if isinstance(a, Selection):
            if not selection:
                raise TraceError("this reduction of x[mask] depends on the data")
            return getattr(a, selection)(axis)
        if where is not True:
            raise TraceError("a reduction with where=: multiply by the mask instead")
        value = lifted(a)
        if dtype is not None and dtype_named(dtype, "real") == "real" and value.dtype != "real":
            value = value.cast("real")
        if isinstance(a, list | tuple) and not value.ndim:
            value = lifted(a)
        result = finished(run(value, axes_argument(axis), bool(keepdims)), out, True)
        if initial is not None:
            combine = {"max": "maximum", "min": "minimum", "sum": "add", "prod": "multiply"}
            result = NUMPY[combine[function.__name__]](result, initial)
        return result

    return function


def reducer(name: str, run: Callable[..., Value], selection: str = "", *more: str) -> None:
    f = reduction(run, selection)
    f.__name__ = name
    provides(name, *more, method=True)(f)


reducer("sum", reductions.add_up, "sum", "nansum")
reducer("mean", reductions.mean, "mean", "nanmean")
reducer("max", reductions.largest, "", "amax", "nanmax")
reducer("min", reductions.smallest, "", "amin", "nanmin")
reducer("any", lambda v, axis, keepdims: reductions.any_of(truth(v), axis, keepdims))
reducer("all", lambda v, axis, keepdims: reductions.all_of(v if v.origin else truth(v), axis, keepdims))
plain_product = reduction(reductions.product)


@provides("prod", "product", method=True)
def prod(a: Any, axis: Any = None, **options: Any) -> Any:
    """Of sizes it is a size."""
    if isinstance(a, list | tuple) and axis is None and all(expression(x) is not None for x in a):
        result: Any = 1
        for x in a:
            result = result * x
        return result
    return plain_product(a, axis, **options)


def freedom(ddof: Any, correction: Any) -> Any:
    given = ddof if correction is None else correction
    if isinstance(given, float):
        return num(exact(given))
    return size_term(size_of(given, "ddof"))


@provides("var", "nanvar", method=True)
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False,
        correction: Any = None, mean: Any = None, **_: Any) -> Any:  # fmt: skip
    value = reductions.variance(lifted(a), axes_argument(axis), bool(keepdims), freedom(ddof, correction))
    return finished(value, out, True)


@provides("std", "nanstd", method=True)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False,
        correction: Any = None, mean: Any = None, **_: Any) -> Any:  # fmt: skip
    value = reductions.deviation(lifted(a), axes_argument(axis), bool(keepdims), freedom(ddof, correction))
    return finished(value, out, True)


@provides("ptp", method=True)
def ptp(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return NUMPY["max"](a, axis, keepdims=keepdims) - NUMPY["min"](a, axis, keepdims=keepdims)


@provides("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: Any = False, keepdims: Any = False) -> Any:
    if weights is None:
        return NUMPY["mean"](a, axis, keepdims=keepdims)
    w = lifted(weights)
    value = lifted(a)
    if w.shape != value.shape:
        if not isinstance(axis, int) or w.ndim != 1:
            raise ShapeMismatch(f"average of shape {shape_text(value.shape)} with weights {shape_text(w.shape)}")
        n = reductions.normal_axis(axis, value.ndim)
        w = w.remap(value.shape, lambda at: (at[n],))
    top = reductions.add_up(multiply(value, w), axis, bool(keepdims))
    return NUMPY["divide"](wrap(top), wrap(reductions.add_up(w, axis, bool(keepdims))))


@provides("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return wrap(reductions.add_up(truth(lifted(a)), axis, bool(keepdims)))


@provides("cumsum", "nancumsum", method=True)
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return finished(reductions.running_sum(flat_if(a, axis), axis), out, True)


@provides("cumprod", method=True)
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return finished(reductions.running_product(flat_if(a, axis), axis), out, True)


def flat_if(a: Any, axis: Any) -> Value:
    value = lifted(a)
    return lifted(NUMPY["reshape"](a, -1)) if axis is None and value.ndim != 1 else value


@provides("clip", method=True)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **names: Any) -> Any:
    low = names.get("min", a_min)
    high = names.get("max", a_max)
    result = a
    if low is not None:
        result = NUMPY["maximum"](result, low)
    if high is not None:
        result = NUMPY["minimum"](result, high)
    return finished(lifted(result), out, True)


@provides("nan_to_num")
def nan_to_num(x: Any, *_: Any, **__: Any) -> Any:
    return x


@provides("bincount")
def bincount(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    places = lifted(x)
    count = size_list(minlength, "minlength")[0]
    if not count.monomials:
        raise TraceError("bincount without minlength: the length depends on the data")
    target = NUMPY["zeros"]((minlength,), dtype=float if weights is not None else int)
    NUMPY["add"].at(target, SymArray(places), 1 if weights is None else weights)
    return target


@provides("convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    return wrap(convolution(lifted(a), lifted(v), mode))


@provides("correlate")
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    x, w = lifted(a), lifted(v)
    return wrap(convolution(x, lifted(NUMPY["flip"](SymArray(w))), mode))


for refused in ("argmax", "argmin", "argsort", "sort", "nonzero", "unique", "searchsorted", "median", "percentile",
                "quantile", "partition", "argpartition", "round", "around", "flatnonzero", "argwhere", "histogram",
                "digitize", "argmin", "nanargmax", "lexsort"):  # fmt: skip

    def refuse(*_: Any, name: str = refused, **__: Any) -> Any:
        raise TraceError(f"np.{name} depends on the order or the values of the data, which has no index term")

    provides(refused, method=True)(refuse)


@provides("isclose", "allclose", "array_equal")
def isclose(a: Any, b: Any, *_: Any, **__: Any) -> Any:
    return NUMPY["all"](NUMPY["equal"](a, b))


@provides("assert_allclose")
def ignored(*_: Any, **__: Any) -> None:
    return None


# --- scipy.special ---------------------------------------------------------------------------


@provides("logsumexp", table=SPECIAL)
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: Any = False, return_sign: Any = False) -> Any:
    if return_sign:
        raise TraceError("logsumexp with return_sign")
    weights = None if b is None else lifted(b)
    return wrap(reductions.log_sum_exp(lifted(a), axes_argument(axis), bool(keepdims), weights))


@provides("softmax", table=SPECIAL)
def softmax(x: Any, axis: Any = None) -> Any:
    return wrap(reductions.softmax(lifted(x), axes_argument(axis)))


@provides("log_softmax", table=SPECIAL)
def log_softmax(x: Any, axis: Any = None) -> Any:
    return wrap(reductions.log_softmax(lifted(x), axes_argument(axis)))
