"""np.roll, np.pad, np.tril, np.diag, np.where, np.take, ...: functions that move or choose entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import layout, patterns
from .algebra import at_least_zero, sized
from .arranging import ravel, swapaxes, viewed
from .array import SymArray, wrap
from .context import NUMPY, WINDOWS, ShapeMismatch, TraceError, provides
from .elementwise import where as chosen_where
from .lifting import lengths, lifted
from .reductions import normal_axes, normal_axis
from .sizes import expression, length_of, size_number, size_of
from .truth import truth
from .values import ORDER, Value, shape_text


@provides("flip")
def flip(x: Any, axis: Any = None) -> Any:
    axes = normal_axes(axis, lifted(x).ndim)
    return viewed(x, lambda v: patterns.flip(v, axes), lambda old, new: patterns.flip(new, axes))


@provides("fliplr")
def fliplr(x: Any) -> Any:
    return flip(x, 1)


@provides("flipud")
def flipud(x: Any) -> Any:
    return flip(x, 0)


@provides("rot90")
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    a, b = axes
    match k % 4:
        case 0:
            return viewed(x, lambda v: v, lambda old, new: new, True)
        case 1:
            return swapaxes(flip(x, b), a, b)
        case 2:
            return flip(x, (a, b))
        case _:
            return flip(swapaxes(x, a, b), b)


@provides("roll", shift="at most the size of the axis, for all sizes")
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    value = lifted(x)
    if axis is None:
        shape = value.shape
        flat = patterns.roll(layout.reshape(value, [None]), size_of(shift, "the shift"), 0)
        return wrap(layout.reshape(flat, shape))
    shifts = list(shift) if isinstance(shift, tuple | list) else [shift]
    axes = list(axis) if isinstance(axis, tuple | list) else [axis]
    if len(shifts) == 1:
        shifts = shifts * len(axes)
    for s, a in zip(shifts, axes, strict=True):
        value = patterns.roll(value, size_of(s, "the shift"), a)
    return wrap(value)


@provides("tile")
def tile(x: Any, reps: Any) -> Any:
    return wrap(patterns.tile(lifted(x), lengths(reps, "the repetitions")))


@provides("repeat", method=True, repeats="one number for all entries")
def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    value = lifted(x)
    if axis is None:
        value, axis = layout.reshape(value, [None]), 0
    return wrap(patterns.repeat(value, length_of(repeats, "the repetitions"), axis))


@provides("pad", mode="constant", constant_values="one number")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant":
        raise TraceError(f"np.pad in mode {mode!r}")
    value, fill = lifted(x), lifted(constant_values)
    if fill.ndim:
        raise TraceError("np.pad with several constants")
    if ORDER[fill.dtype] > ORDER[value.dtype]:
        raise TraceError(f"np.pad of {value.dtype} numbers with a {fill.dtype} number, which is cut to fit")
    return wrap(patterns.pad(value, pad_widths(pad_width, value.ndim), fill))


def pad_widths(given: Any, ndim: int) -> list[Any]:
    if expression(given) is not None:
        size = length_of(given, "a pad width")
        return [(size, size)] * ndim
    rows = list(given)
    if all(expression(r) is not None for r in rows):
        pair = [length_of(r, "a pad width") for r in rows]
        return [(pair[0], pair[-1])] * ndim
    found = [tuple(length_of(s, "a pad width") for s in (r if isinstance(r, tuple | list) else (r,))) for r in rows]
    found = [(f[0], f[-1]) for f in found]
    return found * ndim if len(found) == 1 else found


@provides("tril")
def tril(x: Any, k: Any = 0) -> Any:
    return wrap(patterns.lower_triangle(lifted(x), size_of(k, "the diagonal")))


@provides("triu")
def triu(x: Any, k: Any = 0) -> Any:
    return wrap(patterns.upper_triangle(lifted(x), size_of(k, "the diagonal")))


@provides("diag")
def diag(v: Any, k: Any = 0) -> Any:
    value = lifted(v)
    if value.ndim == 1:
        return wrap(patterns.diagonal_matrix(value, size_of(k, "the diagonal")))
    if value.ndim != 2:
        raise ShapeMismatch(f"diag of shape {shape_text(value.shape)}: one or two axes are needed")
    return diagonal(v, k)


@provides("diagflat")
def diagflat(v: Any, k: Any = 0) -> Any:
    return diag(ravel(v), k)


@provides("diagonal", method=True)
def diagonal(x: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1) -> Any:
    k = size_of(offset, "the diagonal")
    return viewed(x, lambda v: patterns.diagonal(v, k, axis1, axis2), None)


@provides("sliding_window_view", table=WINDOWS, x="axes known to be as long as the window")
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    sizes = lengths(window_shape, "a window")
    axes: Sequence[int] = range(len(sizes)) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return viewed(x, lambda v: patterns.windows(v, sizes, axes), None)


def array_of(value: Value) -> Any:
    """An array also where it has no axes: two names may hold it."""
    return SymArray(value) if value.dtype == "real" else wrap(value)


@provides("where", x="given, with y")
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        raise TraceError("np.where with one argument gives positions that depend on the data")
    return array_of(chosen_where(lifted(condition), lifted(x), lifted(y)))


@provides("select")
def select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = lifted(default)
    for c, v in reversed(list(zip(conditions, choices, strict=True))):
        result = chosen_where(lifted(c), lifted(v), result)
    return array_of(result)


@provides("piecewise")
def piecewise(x: Any, conditions: Any, functions: Any) -> Any:
    extra = list(functions)
    default: Any = extra.pop() if len(extra) > len(conditions) else 0
    result = lifted(default(x) if callable(default) else default)
    for c, f in zip(conditions, extra, strict=True):
        result = chosen_where(truth(lifted(c)), lifted(f(x) if callable(f) else f), result)
    return wrap(result)


@provides("take", method=True)
def take(x: Any, indices: Any, axis: Any = None) -> Any:
    source = SymArray(lifted(x) if axis is not None else lifted(ravel(x)))
    if isinstance(indices, list | tuple):
        indices = NUMPY["array"](indices)
    n = 0 if axis is None else normal_axis(axis, source.ndim)
    return wrap(lifted(source[(slice(None),) * n + (indices,)]))


def along(x: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    value, places = lifted(x), lifted(indices)
    n = normal_axis(axis, value.ndim)
    if places.ndim != value.ndim:
        raise ShapeMismatch("take_along_axis needs as many axes in the indices as in the array")
    key = []
    for k, s in enumerate(value.shape):
        size = places.shape[k]
        if k == n:
            key.append(SymArray(places))
            continue
        if size not in (s, sized(1)) and not at_least_zero(s - size):
            raise TraceError(f"take_along_axis of shapes {shape_text(value.shape)} and {shape_text(places.shape)}")
        rows = NUMPY["arange"](size_number(s))
        key.append(NUMPY["reshape"](rows, tuple(-1 if m == k else 1 for m in range(value.ndim))))
    return tuple(key)


@provides("take_along_axis")
def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    return NUMPY["asarray"](x)[along(x, indices, axis)]


@provides("put_along_axis")
def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> None:
    x[along(x, indices, axis)] = values


@provides("diff", x="not booleans, of which NumPy takes exclusive or")
def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    if not isinstance(n, int) or n < 1:
        raise TraceError(f"np.diff taken {n!r} times")
    for _ in range(n):
        k = normal_axis(axis, lifted(x).ndim)
        source, lead = NUMPY["asarray"](x), (slice(None),) * k
        x = source[(*lead, slice(1, None))] - source[(*lead, slice(None, -1))]
    return x
