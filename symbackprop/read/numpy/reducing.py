"""np.sum, np.mean, np.max, ..., scipy.special.logsumexp and softmax."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from . import reductions
from .algebra import Term, at_least_zero, index_of, minus, negated, num, plus, size_term, step, times
from .array import SymArray, finished, wrap
from .context import NUMPY, SPECIAL, ShapeMismatch, TraceError, original, provides, refuses, rows
from .elementwise import multiply, never_nan
from .elementwise import where as chosen_where
from .lifting import exact, lifted, size_list
from .selection import Selection
from .sizes import expression, size_of
from .truth import truth
from .ufuncs import computed_in
from .values import ORDER, Value, elementwise, finite, known, shape_text


def axes_argument(axis: Any) -> Any:
    if axis is None or isinstance(axis, int):
        return axis
    if isinstance(axis, tuple | list):
        return tuple(axes_argument(a) for a in axis)
    return int(axis)


Fold = Callable[[Value, Any, bool], Value]


def reduction(name: str, run: Fold, empty: float | None = None, selection: str = "", aware: bool = False) -> Any:
    """A function of the entries along axes; `empty` is what entries count that where= leaves out."""

    def function(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
        where: Any = True,
    ) -> Any:  # fmt: skip
        if isinstance(a, Selection):
            if not selection or where is not True or initial is not None or dtype is not None:
                raise TraceError("this reduction of x[mask] depends on the data")
            return getattr(a, selection)(axis)
        value = lifted(a)
        if initial is not None:
            given, kept = lifted(initial).dtype, value.dtype if name in ("max", "min") else reductions.total_kind(value)
            if ORDER[given] > ORDER[kept]:
                raise TraceError(f"np.{name} of {value.dtype} numbers with initial={initial!r}, which is cut to fit")
        if aware:
            never_nan(value, f"nan{name}")
        if dtype is not None:
            value = computed_in(value, dtype, name)
        if where is not True:
            left_out = initial if name in ("max", "min") else empty
            if left_out is None:
                raise TraceError(f"np.{name} with where= and no initial=: multiply by the mask instead")
            value = chosen_where(lifted(where), value, lifted(left_out).cast(value.dtype))
        result = run(value, axes_argument(axis), bool(keepdims))
        if initial is not None:
            if name not in COMBINED:
                raise TypeError(f"{name}() got an unexpected keyword argument 'initial'")
            result = lifted(NUMPY[COMBINED[name]](wrap(result), initial))
        return finished(result, out, True)

    function.__name__ = name
    return function


COMBINED = {"max": "maximum", "min": "minimum", "sum": "add", "prod": "multiply"}
NANS = "what may be nan (a logarithm, a root, a quotient) is refused"


def reducer(name: str, run: Fold, *more: str, empty: float | None = None, selection: str = "") -> None:
    where = "where: only with initial" if name in ("max", "min") else "" if empty is not None else "where: refused"
    provides(name, *more, method=True, where=where)(reduction(name, run, empty, selection))
    if original("numpy", f"nan{name}") is not None:
        provides(f"nan{name}", where=NANS)(reduction(name, run, empty, selection, aware=True))


reducer("sum", reductions.add_up, empty=0, selection="sum")
reducer("mean", reductions.mean, selection="mean")
reducer("max", reductions.largest, "amax")
reducer("min", reductions.smallest, "amin")
reducer("any", lambda v, axis, keepdims: reductions.any_of(truth(v), axis, keepdims), empty=0)
reducer("all", lambda v, axis, keepdims: reductions.all_of(v if v.origin else truth(v), axis, keepdims), empty=1)
reducer("prod", reductions.product, empty=1)
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


def spread(name: str, run: Callable[..., Value], aware: bool) -> Any:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False,
                 correction: Any = None) -> Any:  # fmt: skip
        value = lifted(a) if not aware else never_nan(lifted(a), f"nan{name}")
        if dtype is not None:
            value = computed_in(value, dtype, name)
        return finished(run(value, axes_argument(axis), bool(keepdims), freedom(ddof, correction)), out, True)

    function.__name__ = name
    return function


for name, run in (("var", reductions.variance), ("std", reductions.deviation)):
    provides(name, method=True)(spread(name, run, False))
    provides(f"nan{name}", where=NANS)(spread(name, run, True))


@provides("average")
def average(a: Any, axis: Any = None, weights: Any = None, keepdims: Any = False) -> Any:
    if not all(at_least_zero(s - 1) for s in lifted(a).shape):
        raise TraceError("np.average of an array that may be empty for some sizes: NumPy raises")
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


def accumulation(name: str, run: Callable[..., Value], aware: bool) -> Any:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        value = flat_if(a, axis)
        if aware:
            never_nan(value, f"nan{name}")
        if dtype is not None:
            value = computed_in(value, dtype, name)
        return finished(run(value, axis), out, True)

    function.__name__ = name
    return function


for name, fold in (("cumsum", reductions.running_sum), ("cumprod", reductions.running_product)):
    provides(name, method=True)(accumulation(name, fold, False))
    provides(f"nan{name}", where=NANS)(accumulation(name, fold, True))


def flat_if(a: Any, axis: Any) -> Value:
    value = lifted(a)
    return lifted(NUMPY["reshape"](a, -1)) if axis is None and value.ndim != 1 else value


@provides("clip", method=True)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, min: Any = None, max: Any = None) -> Any:
    low = a_min if min is None else min
    high = a_max if max is None else max
    result = between_ends(a, low, high)
    if result is not None:
        return finished(result, out, True)
    result = a
    if low is not None:
        result = NUMPY["maximum"](result, low)
    if high is not None:
        result = NUMPY["minimum"](result, high)
    return finished(lifted(result), out, True)


def between_ends(a: Any, low: Any, high: Any) -> Value | None:
    """low + relu(x - low) - relu(x - high), where it is plain that low <= high: no step stands in a step."""
    ends = [known(lifted(e)) if e is not None and not lifted(e).ndim else None for e in (low, high)]
    v = lifted(a)
    if ends[0] is None or ends[1] is None or ends[0] > ends[1] or v.dtype != "real" or v.holes:
        return None
    bottom, top = num(ends[0]), num(ends[1])
    return elementwise(lambda t: plus(bottom, ramp(minus(t, bottom)), negated(ramp(minus(t, top)))), v)


def ramp(u: Term) -> Term:
    return times(u, step(u))


@provides("interp", xp="plain numbers, increasing", left="refused", right="refused", period="refused")
def interp(x: Any, xp: Any, fp: Any) -> Any:
    """fp[0] + Σ_k slope_k (clip(x, xp[k], xp[k+1]) - xp[k])"""
    places, heights = lifted(xp), lifted(fp)
    if places.ndim != 1 or places.shape != heights.shape:
        raise ShapeMismatch(f"interp of points {shape_text(places.shape)} and values {shape_text(heights.shape)}")
    count = places.shape[0].constant
    points = [known(places.remap((), lambda at, k=k: (index_of(k),))) for k in range(count or 0)]  # type: ignore[misc]
    ends = [p for p in points if p is not None]
    if not ends or len(ends) < len(points) or any(a >= b for a, b in pairwise(ends)):
        raise TraceError("np.interp at points that are not plain increasing numbers")
    values = wrap(heights)
    result = NUMPY["full_like"](x, 1.0, dtype=float) * values[0]
    for k, (a, b) in enumerate(pairwise(ends)):
        slope = (values[k + 1] - values[k]) / (b - a)
        result = result + slope * (NUMPY["clip"](x, a, b) - a)
    return result


@provides("nan_to_num", where=NANS, nan="no difference", posinf="no difference", neginf="no difference")
def nan_to_num(x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    value = finite(never_nan(lifted(x), "nan_to_num"))
    return x if not copy else wrap(value) if value.ndim == 0 else SymArray(value)


@provides("bincount")
def bincount(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    places = lifted(x)
    count = size_list(minlength, "minlength")[0]
    if not count.monomials:
        raise TraceError("bincount without minlength: the length depends on the data")
    target = NUMPY["zeros"]((minlength,), dtype=float if weights is not None else int)
    NUMPY["add"].at(target, SymArray(places), 1 if weights is None else weights)
    return target


refuses(
    "nonzero", "unique", "searchsorted", "median", "percentile", "quantile", "round", "around", "flatnonzero",
    "argwhere", "histogram", "digitize", "nanmedian", "nanpercentile", "nanquantile", "lexsort",
    because="depends on the order or the values of the data, which has no index term",
)  # fmt: skip
refuses(
    "partition", "argpartition",
    because="leaves open in which order the entries stand: use np.sort or np.argsort",
)  # fmt: skip


@provides("isclose")
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08) -> Any:
    """|a - b| <= atol + rtol |b|"""
    gap = NUMPY["absolute"](NUMPY["subtract"](real_of(a), real_of(b)))
    bound = NUMPY["add"](atol, NUMPY["multiply"](rtol, NUMPY["absolute"](real_of(b))))
    return NUMPY["less_equal"](gap, bound)


def real_of(x: Any) -> Any:
    return SymArray(lifted(x).cast("real"))


@provides("array_equal", where="arrays of one shape")
def array_equal(a1: Any, a2: Any) -> Any:
    if lifted(a1).shape != lifted(a2).shape:
        raise TraceError("array_equal of arrays whose shapes are not known to be equal")
    return plain_truth(NUMPY["all"](NUMPY["equal"](a1, a2)))


def plain_truth(x: Any) -> Any:
    """A truth value of Python's, which is a whole number in arithmetic."""
    value = lifted(x)
    number = value.cast("int")
    return SymArray(number if value.origin is None else number.marked(value.origin), scalar=True)


# --- scipy.special ---------------------------------------------------------------------------


@provides("logsumexp", table=SPECIAL)
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: Any = False) -> Any:
    weights = None if b is None else lifted(b)
    return wrap(reductions.log_sum_exp(lifted(a), axes_argument(axis), bool(keepdims), weights))


rows({
    "softmax": lambda x, axis=None: wrap(reductions.softmax(lifted(x), axes_argument(axis))),
    "log_softmax": lambda x, axis=None: wrap(reductions.log_softmax(lifted(x), axes_argument(axis))),
}, table=SPECIAL)  # fmt: skip
rows({
    "ptp": lambda a, axis=None, keepdims=False:
        NUMPY["max"](a, axis, keepdims=keepdims) - NUMPY["min"](a, axis, keepdims=keepdims),
    "count_nonzero": lambda a, axis=None, keepdims=False: wrap(
        reductions.add_up(truth(lifted(a)), axis, bool(keepdims))),
    "allclose": lambda a, b, rtol=1e-05, atol=1e-08: plain_truth(NUMPY["all"](isclose(a, b, rtol, atol))),
})  # fmt: skip
