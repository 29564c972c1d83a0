"""np.vectorize and np.apply_along_axis: a Python function of one entry or of one row, at a generic index."""

from __future__ import annotations

from typing import Any

from .algebra import dummy
from .array import SymArray, wrap
from .errors import TraceError
from .lifting import lifted
from .reductions import normal_axis
from .registry import provides
from .values import At, Value, aligned, broadcast


class Vectorized:
    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        values = [lifted(a) for a in args]
        shape = broadcast(*(v.shape for v in values))

        def entry(at: At) -> Value:
            scalars = [
                SymArray(v.remap((), lambda _, v=v: aligned(v.shape, at)), scalar=True)  # type: ignore[misc]
                for v in values
            ]
            result = lifted(self.function(*scalars))
            if result.ndim:
                raise TraceError("np.vectorize of a function that gives an array")
            return result

        return wrap(Value(shape, "real", lambda at: entry(at).term(())))


@provides("vectorize")
def vectorize(function: Any = None, **_: Any) -> Any:
    return Vectorized(function) if function is not None else Vectorized


@provides("frompyfunc")
def frompyfunc(function: Any, *_: Any) -> Any:
    return Vectorized(function)


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

    shape = row(tuple(dummy(value.shape[k]) for k in rest)).shape
    outer = [value.shape[k] for k in rest]
    inside = len(shape)

    def term(at: At) -> Any:
        return row((*at[:n], *at[n + inside :])).term(at[n : n + inside])

    return wrap(Value((*outer[:n], *shape, *outer[n:]), "real", term))
