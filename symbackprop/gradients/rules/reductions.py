"""Rules of sums, means, norms and their like along axes."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np

from .registry import axes_of, count, covered, less, ndim, over, spread_back, times, vjp


@vjp("sum")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return spread_back(g, a, axis, keepdims)


@vjp("mean")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return over(spread_back(g, a, axis, keepdims), count(a, axis))


@vjp("var")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Any:
    scale = over(times(2, spread_back(g, a, axis, keepdims)), count(a, axis) - ddof)
    return times(scale, less(a, np.mean(a, axis=axis, keepdims=True)))


@vjp("std")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Any:
    scale = over(spread_back(over(g, out), a, axis, keepdims), count(a, axis) - ddof)
    return times(scale, less(a, np.mean(a, axis=axis, keepdims=True)))


@vjp("max", "min")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return times(spread_back(g, a, axis, keepdims), np.equal(a, spread_back(out, a, axis, keepdims)))


@vjp("logsumexp")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False) -> Any:
    covered(b is None)
    shares = np.exp(less(a, spread_back(out, a, axis, keepdims)))
    return times(spread_back(g, a, axis, keepdims), shares)


@vjp("softmax")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    return times(out, less(g, np.sum(times(g, out), axis=axis, keepdims=True)))


@vjp("log_softmax")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    return less(g, times(np.exp(out), np.sum(full_like(g, out), axis=axis, keepdims=True)))


def full_like(g: Any, out: Any) -> Any:
    return np.broadcast_to(g, out.shape) if ndim(g) < ndim(out) else g


@vjp("norm", "vector_norm")
def _(k: int, g: Any, out: Any, a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    covered(ord in (None, 2) and (axis is None or ndim(a) == 1 or isinstance(axis, int)))
    return times(spread_back(over(g, out), a, axis, keepdims), a)


@vjp("cumsum")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    covered(axis is not None or ndim(a) == 1)
    n = axes_of(0 if axis is None else axis, ndim(a))[0]
    return np.flip(np.cumsum(np.flip(full_like(g, out), axis=n), axis=n), axis=n)
