"""Rules of reading entries: what was read from several places is added up there."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import SymArray, added_windows, scattered, strided_windows

from .registry import covered, full, ndim, shape, sizes, unbroadcast, vjp, without_new_axes


@vjp("getitem")
def _(k: int, g: Any, out: Any, a: Any, key: Any) -> Any:
    items = key if isinstance(key, tuple) else (key,)
    if all(i is None or (isinstance(i, slice) and i == slice(None)) for i in items):
        return without_new_axes(full(g, out), tuple(0 if i is None else i for i in items))
    covered(not any(isinstance(i, SymArray) and i.value.dtype == "bool" for i in items))
    return scattered(a, key, g)


@vjp("take")
def _(k: int, g: Any, out: Any, a: Any, indices: Any, axis: Any = None) -> Any:
    covered(isinstance(axis, int))
    return scattered(a, (slice(None),) * (axis % ndim(a)) + (indices,), g)


@vjp("setitem")
def _(k: int, g: Any, out: Any, a: Any, key: Any, new: Any) -> Any:
    """Argument 0 is the array before, argument 2 what was written."""
    g = full(g, out)
    if k == 2:
        return unbroadcast(g[key], new, g[key])
    covered(k == 0)
    kept = np.copy(g)
    kept[key] = 0.0
    return kept


@vjp("add.at")
def _(k: int, g: Any, out: Any, a: Any, key: Any, new: Any) -> Any:
    g = full(g, out)
    covered(k in (0, 2))
    return g if k == 0 else unbroadcast(g[key], new, g[key])


@vjp("subtract.at")
def _(k: int, g: Any, out: Any, a: Any, key: Any, new: Any) -> Any:
    g = full(g, out)
    covered(k in (0, 2))
    return g if k == 0 else unbroadcast(-g[key], new, g[key])


@vjp("sliding_window_view")
def _(k: int, g: Any, out: Any, a: Any, window: Any, axis: Any = None) -> Any:
    axes = (axis,) if isinstance(axis, int) else range(ndim(a)) if axis is None else axis
    return added_windows(full(g, out), a, tuple(n % ndim(a) for n in axes))


@vjp("strided_windows")
def _(k: int, g: Any, out: Any, a: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    return added_windows(full(g, out), a, tuple(range(ndim(a) - len(kernel), ndim(a))), stride, dilation)


@vjp("added_windows")
def _(k: int, g: Any, out: Any, a: Any, like: Any, axes: Any, stride: Any = (), dilation: Any = ()) -> Any:
    rank = ndim(out)
    covered(k == 0 and tuple(axes) == tuple(range(rank - len(axes), rank)))
    one = (1,) * len(axes)
    found = strided_windows(full(g, out), sizes(shape(a)[rank:]), stride or one, dilation or one)
    covered(shape(found) == shape(a))
    return found
