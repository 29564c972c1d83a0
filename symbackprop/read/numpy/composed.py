"""Functions of NumPy that are made of others: average, clip, interp, isclose; and what the recorder notes as others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

from symbackprop.core.terms import Term, dummy, num

from .algebra import minus, negated, plus, times
from .array import SymArray, finished, wrap
from .axes import At, aligned, at_least_zero, broadcast, index_of, normal_axis, shape_text, somewhere
from .context import NUMPY, ShapeMismatch, TraceError, current, provides, refuses, rows
from .creation import dtype_named
from .elementwise import never_nan
from .lifting import lifted, size_list
from .products import letters, same_size
from .reductions import NANS
from .steps import step
from .values import ORDER, Dtype, Value, elementwise, finite, known


@provides("average", composed=True)
def average(a: Any, axis: Any = None, weights: Any = None, keepdims: Any = False) -> Any:
    a = NUMPY["asarray"](a)
    if not all(at_least_zero(s - 1) for s in a.value.shape):
        raise TraceError("np.average of an array that may be empty for some sizes: NumPy raises")
    if weights is None:
        return NUMPY["mean"](a, axis=axis, keepdims=keepdims)
    w = NUMPY["asarray"](weights)
    if w.value.shape != a.value.shape:
        if not isinstance(axis, int) or w.ndim != 1:
            raise ShapeMismatch(
                f"average of shape {shape_text(a.value.shape)} with weights {shape_text(w.value.shape)}"
            )
        n = normal_axis(axis, a.ndim)
        same_size(a.value.shape[n], w.value.shape[0], "average", a.value, w.value)
        total, w = NUMPY["sum"](w), w[tuple(slice(None) if k == n else None for k in range(a.ndim))]
    else:
        total = NUMPY["sum"](w, axis=axis, keepdims=keepdims)
    return NUMPY["divide"](NUMPY["sum"](NUMPY["multiply"](a, w), axis=axis, keepdims=keepdims), total)


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


rows({"allclose": lambda a, b, rtol=1e-05, atol=1e-08: plain_truth(NUMPY["all"](isclose(a, b, rtol, atol)))})


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


# --- recorded as others, for which there are rules, where their arguments allow it -----------------------------
# Each takes the arguments of the call; None where this call is recorded as it stands.


def ndim(x: Any) -> int:
    return x.ndim if isinstance(x, SymArray) else 0


def matmul_as_einsum(a: Any, b: Any) -> Any:
    """A stack of matrices with one vector."""
    if ndim(b) == 1 and 3 <= ndim(a):
        first = ascii_lowercase[: ndim(a)]
        return NUMPY["einsum"](f"{first},{first[-1]}->{first[:-1]}", a, b)
    if ndim(a) == 1 and 3 <= ndim(b):
        second = ascii_lowercase[: ndim(b)]
        return NUMPY["einsum"](f"{second[-2]},{second}->{second[:-2]}{second[-1]}", a, b)
    return None


def einsum_in_full(spec: Any, *operands: Any, **options: Any) -> Any:
    """With all letters written: no ellipsis, and the result said."""
    if not isinstance(spec, str) or not all(map(ndim, operands)) or options.keys() - {"optimize"}:
        return None
    if "->" in spec and "." not in spec:
        return None
    inputs, output = letters(spec, [lifted(o) for o in operands])
    unused, rows = (c for c in ascii_lowercase if c not in spec), (*inputs, output)
    every = dict.fromkeys(label for row in rows for label in row)
    names = {label: label if isinstance(label, str) else next(unused) for label in every}
    words = ["".join(names[label] for label in row) for row in rows]
    return NUMPY["einsum"](f"{','.join(words[:-1])}->{words[-1]}", *operands)


def norm_as_sum(a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """The sum of absolute values of a vector."""
    if ord != 1 or not (ndim(a) == 1 or isinstance(axis, int)):
        return None
    return NUMPY["sum"](NUMPY["absolute"](a), axis=axis, keepdims=keepdims)


COMPOSITES: dict[str, Callable[..., Any]] = {
    "outer": lambda a, b:
        NUMPY["outer"](a.ravel(), b.ravel()) if min(ndim(a), ndim(b)) and ndim(a) + ndim(b) > 2 else None,
    "inner": lambda a, b: NUMPY["matmul"](a, b.T) if ndim(a) == ndim(b) == 2 else None,
    "matmul": matmul_as_einsum,
    "einsum": einsum_in_full,
    "fabs": lambda a: NUMPY["absolute"](a),
    "norm": norm_as_sum,
}  # fmt: skip


def composed(operation: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """The result of such a call, by recorded operations; None where it is to be recorded as it stands."""
    composite = COMPOSITES.get(operation)
    try:
        return None if composite is None else composite(*args, **options)
    except (TypeError, ValueError):
        return None


# --- np.vectorize and np.apply_along_axis: a Python function of one entry or of one row, at a generic index 


class Vectorized:
    """NumPy takes the dtype of the result from `otypes`, or else from the function's first value."""

    def __init__(self, function: Any, otypes: Any = None) -> None:
        self.function, self.otypes = function, otypes

    def __call__(self, *args: Any) -> Any:
        values = [lifted(a) for a in args]
        shape = broadcast(*(v.shape for v in values))
        if self.otypes is None and not all(at_least_zero(s - 1) for s in shape):
            raise TraceError("np.vectorize without otypes of an array that may be empty: NumPy raises")

        def entry(at: At) -> Value:
            scalars = [
                SymArray(v.remap((), lambda _, v=v: aligned(v.shape, at)), scalar=True)  # type: ignore[misc]
                for v in values
            ]
            result = self.function(*scalars)
            if isinstance(result, tuple) or lifted(result).ndim:
                raise TraceError("np.vectorize of a function that gives several numbers or an array")
            return lifted(result)

        kind = self.kind(entry, shape)
        return SymArray(Value(shape, kind, lambda at: entry(at).term(())))

    def kind(self, entry: Any, shape: Any) -> Dtype:
        state = current()
        before, state.mixed = state.mixed, False
        first = entry(somewhere(shape)).dtype
        if self.otypes is None:
            if state.mixed:
                raise TraceError("np.vectorize takes the dtype from the first value, here a float or a whole number by "
                                 "the data: give otypes=[float]")  # fmt: skip
            result: Dtype = first
        else:
            (given,) = self.otypes
            result = dtype_named(given, "real")
            if ORDER[result] < ORDER[first] or result == "narrow":
                raise TraceError(f"np.vectorize with otypes={self.otypes!r}, which cuts the values")
        state.mixed = before
        return result


@provides("vectorize", otypes="one type that cuts no value")
def vectorize(pyfunc: Any = None, otypes: Any = None) -> Any:
    return Vectorized(pyfunc, otypes) if pyfunc is not None else lambda f: Vectorized(f, otypes)


refuses("frompyfunc", because="gives an array of Python objects: use np.vectorize with otypes")


@provides("apply_along_axis")
def apply_along_axis(function: Any, axis: int, x: Any, *args: Any, **options: Any) -> Any:
    """function of each row along the axis; its result stands where the axis was."""
    value = lifted(x)
    n = normal_axis(axis, value.ndim)
    rest = [k for k in range(value.ndim) if k != n]

    def row(at: At) -> Value:
        def full(inner: At) -> At:
            found = dict(zip(rest, at, strict=True))
            return tuple(inner[0] if k == n else found[k] for k in range(value.ndim))

        return lifted(function(SymArray(value.remap((value.shape[n],), full)), *args, **options))

    first = row(tuple(dummy(value.shape[k]) for k in rest))
    if current().mixed or not all(at_least_zero(value.shape[k] - 1) for k in rest):
        raise TraceError("np.apply_along_axis takes the dtype from the first row, which may not be there or differ")
    shape = first.shape
    outer = [value.shape[k] for k in rest]
    inside = len(shape)

    def term(at: At) -> Any:
        return row((*at[:n], *at[n + inside :])).term(at[n : n + inside])

    return wrap(Value((*outer[:n], *shape, *outer[n:]), first.dtype, term))
