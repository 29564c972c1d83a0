"""np.vectorize and np.apply_along_axis: a Python function of one entry or of one row, at a generic index."""

from __future__ import annotations

from typing import Any

from symbackprop.core.terms import dummy

from .array import SymArray, wrap
from .axes import At, aligned, at_least_zero, broadcast, normal_axis, somewhere
from .context import TraceError, current, provides, refuses
from .creation import dtype_named
from .lifting import lifted
from .values import ORDER, Dtype, Value


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
