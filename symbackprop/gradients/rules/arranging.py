"""Rules of functions that only arrange entries."""

from __future__ import annotations

from typing import Any

from symbackprop.gradients.rules.products import swap
from symbackprop.gradients.rules.registry import (
    covered, full, ndim, rows, shape, sizes, times, unbroadcast, vjp, without_new_axes,
)  # fmt: skip
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import SymArray, added_windows, scattered, size_number, strided_windows


def masked(mask: Any, g: Any, a: Any, *diagonal: Any) -> Any:
    return times(g, mask(np.ones(sizes(shape(a)[-2:])), *diagonal))


rows({
    "T": lambda k, g, out, a: swap(full(g, out)) if ndim(a) == 2 else full(g, out).T,
    "matrix_transpose": lambda k, g, out, a: swap(full(g, out)),
    "moveaxis": lambda k, g, out, a, source, destination: np.moveaxis(full(g, out), destination, source),
    **dict.fromkeys(("reshape", "ravel", "flatten", "squeeze", "expand_dims"),
                    lambda k, g, out, a, *_, **__: np.reshape(full(g, out), sizes(shape(a)))),
    "broadcast_to": lambda k, g, out, a, *_: unbroadcast(g, a, out),
    "flip": lambda k, g, out, a, axis=None: np.flip(full(g, out), axis=axis),
    "tril": lambda k, g, out, a, *diagonal: masked(np.tril, g, a, *diagonal),
    "triu": lambda k, g, out, a, *diagonal: masked(np.triu, g, a, *diagonal),
    "astype": lambda k, g, out, a, *_, **__: g,
})  # fmt: skip


@vjp("transpose")
def _(k: int, g: Any, out: Any, a: Any, *axes: Any, **options: Any) -> Any:
    order = options.get("axes", axes[0] if len(axes) == 1 else axes or None)
    if order is None:
        return full(g, out).T
    order = [n % ndim(a) for n in order]
    if order == [*range(len(order) - 2), len(order) - 1, len(order) - 2]:
        return swap(full(g, out))
    return np.transpose(full(g, out), tuple(order.index(n) for n in range(len(order))))


@vjp("swapaxes")
def _(k: int, g: Any, out: Any, a: Any, i: Any, j: Any) -> Any:
    last = {ndim(a) - 1, ndim(a) - 2}
    return swap(full(g, out)) if {i % ndim(a), j % ndim(a)} == last else np.swapaxes(full(g, out), i, j)


@vjp("repeat")
def _(k: int, g: Any, out: Any, a: Any, repeats: Any, axis: Any = None) -> Any:
    covered(isinstance(axis, int) and isinstance(repeats, int))
    n = axis % ndim(a)
    split = sizes(shape(a))
    return np.sum(np.reshape(full(g, out), (*split[: n + 1], repeats, *split[n + 1 :])), axis=n + 1)


@vjp("tile")
def _(k: int, g: Any, out: Any, a: Any, reps: Any) -> Any:
    covered(isinstance(reps, tuple | list) and len(reps) == ndim(a) and all(isinstance(r, int) for r in reps))
    split = [x for pair in zip(reps, sizes(shape(a)), strict=True) for x in pair]
    return np.sum(np.reshape(full(g, out), tuple(split)), axis=tuple(range(0, 2 * ndim(a), 2)))


@vjp("roll")
def _(k: int, g: Any, out: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    covered(isinstance(axis, int))
    return np.roll(full(g, out), -shift, axis=axis)


@vjp("concatenate")
def _(k: int, g: Any, out: Any, parts: Any, axis: Any = 0) -> Any:
    """k counts the parts."""
    covered(isinstance(parts, tuple | list) and isinstance(axis, int))
    n = axis % ndim(out)
    start: Any = 0
    for p in parts[:k]:
        start = start + size_number(shape(p)[n])
    stop = start + size_number(shape(parts[k])[n])
    return full(g, out)[(slice(None),) * n + (slice(start, stop),)]


@vjp("stack")
def _(k: int, g: Any, out: Any, parts: Any, axis: Any = 0) -> Any:
    covered(isinstance(parts, tuple | list) and isinstance(axis, int))
    return full(g, out)[(slice(None),) * (axis % ndim(out)) + (k,)]


@vjp("array")
def _(k: int, g: Any, out: Any, parts: Any, *_: Any, **__: Any) -> Any:
    covered(isinstance(parts, tuple | list) and all(ndim(p) == ndim(out) - 1 for p in parts))
    return full(g, out)[k]


@vjp("pad")
def _(k: int, g: Any, out: Any, a: Any, widths: Any, *mode: Any, **options: Any) -> Any:
    covered(options.get("mode", mode[0] if mode else "constant") == "constant")
    if not isinstance(widths, tuple | list):
        widths = ((widths, widths),) * ndim(a)
    covered(all(isinstance(w, tuple | list) and len(w) == 2 for w in widths) and len(widths) == ndim(a))
    key = []
    for (before, _), size in zip(widths, shape(a), strict=True):
        key.append(slice(before, before + size_number(size)))
    return full(g, out)[tuple(key)]


# --- rules of reading entries: what was read from several places is added up there ---


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
