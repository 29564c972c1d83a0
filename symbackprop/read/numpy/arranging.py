"""np.reshape, np.transpose, np.concatenate, ...: views where NumPy gives views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import layout
from .algebra import at_least_zero, sized
from .array import SymArray, wrap
from .elementwise import truth, where as chosen_where
from .errors import ShapeMismatch, TraceError
from .keys import size_list
from .lifting import lifted
from .reductions import normal_axes, normal_axis
from .registry import NUMPY, WINDOWS, provides
from .sizes import expression, size_number, size_of
from .values import Value, broadcast, shape_text, stacked, stretched


def viewed(x: Any, get: Any, put: Any, straight: bool = False) -> Any:
    """A view; `straight` when it keeps the order of the memory."""
    if isinstance(x, SymArray):
        result = x.view(get, put)
        result._straight = straight and x._straight
        return result
    return SymArray(get(lifted(x)))


def axes_of(axes: tuple[Any, ...]) -> tuple[int, ...] | None:
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
        axes = tuple(axes[0]) if axes[0] is not None else ()
    return tuple(axes) or None


@provides("transpose", "permute_dims", method=True)
def transpose(x: Any, *axes: Any) -> Any:
    order = axes_of(axes)
    if order is None:
        return viewed(x, layout.transpose, lambda old, new: layout.transpose(new))
    ndim = lifted(x).ndim
    full = [normal_axis(k, ndim) for k in order]
    back = layout.inverse_order(full)
    return viewed(x, lambda v: layout.transpose(v, full), lambda old, new: layout.transpose(new, back))


@provides("matrix_transpose")
def matrix_transpose(x: Any) -> Any:
    return swapaxes(x, -1, -2)


@provides("swapaxes", method=True)
def swapaxes(x: Any, a: int, b: int) -> Any:
    ndim = lifted(x).ndim
    order = list(range(ndim))
    p, q = normal_axis(a, ndim), normal_axis(b, ndim)
    order[p], order[q] = order[q], order[p]
    return transpose(x, order)


@provides("moveaxis")
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    a = (source,) if isinstance(source, int) else tuple(source)
    b = (destination,) if isinstance(destination, int) else tuple(destination)
    return transpose(x, layout.moved(lifted(x).ndim, a, b))


@provides("rollaxis")
def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    n = normal_axis(axis, lifted(x).ndim)
    return moveaxis(x, n, start - 1 if start > n else start)


@provides("expand_dims")
def expand_dims(x: Any, axis: Any) -> Any:
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    return viewed(x, lambda v: layout.expand(v, axes), lambda old, new: layout.squeeze(new, axes), True)


@provides("squeeze", method=True)
def squeeze(x: Any, axis: Any = None) -> Any:
    gone = layout.squeezed_axes(lifted(x), axis)
    return viewed(x, lambda v: layout.squeeze(v, gone), lambda old, new: layout.expand(new, gone), True)


@provides("reshape", method=True)
def reshape(x: Any, *shape: Any, order: str = "C", newshape: Any = None, copy: Any = None) -> Any:
    if "shape" in (s for s in shape if isinstance(s, str)):
        raise TraceError("a shape is made of sizes")
    if newshape is not None:
        shape = (newshape,)
    if len(shape) == 2 and isinstance(shape[0], tuple | list) and isinstance(shape[1], str):
        shape, order = shape[:1], shape[1]
    if order not in ("C", "A", "F"):
        raise TraceError(f"reshape in the order {order!r}")
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    wanted = [None if isinstance(s, int) and s == -1 else size_of(s, "a size of reshape") for s in given]
    if order == "F":
        turned = layout.reshape(layout.transpose(lifted(x)), wanted[::-1])
        return SymArray(layout.transpose(turned))
    result = viewed(x, lambda v: layout.reshape(v, wanted), lambda old, new: layout.reshape(new, old.shape))
    if isinstance(x, SymArray):
        result._straight, result._loose = x._straight, not x._straight
    return result


@provides("ravel", method=True)
def ravel(x: Any, order: str = "C") -> Any:
    return reshape(x, (-1,), order=order)


@provides("flatten", method=True)
def flatten(x: Any, order: str = "C") -> Any:
    return SymArray(lifted(reshape(x, (-1,), order=order)))


@provides("broadcast_to")
def broadcast_to(x: Any, shape: Any, subok: bool = False) -> Any:
    sizes = size_list(shape)
    return viewed(x, lambda v: stretched(v, sizes), None)


@provides("broadcast_arrays")
def broadcast_arrays(*args: Any) -> Any:
    shape = broadcast(*(lifted(a).shape for a in args))
    return tuple(SymArray(stretched(lifted(a), shape)) for a in args)


@provides("broadcast_shapes")
def broadcast_shapes(*shapes: Any) -> Any:
    return tuple(size_number(s) for s in broadcast(*(size_list(s) for s in shapes)))


@provides("atleast_1d")
def atleast_1d(*args: Any) -> Any:
    found = tuple(expand_dims(a, 0) if lifted(a).ndim == 0 else NUMPY["asarray"](a) for a in args)
    return found[0] if len(found) == 1 else found


@provides("atleast_2d")
def atleast_2d(*args: Any) -> Any:
    found = tuple(
        expand_dims(a, 0) if lifted(a).ndim == 1 else expand_dims(a, (0, 1)) if lifted(a).ndim == 0 else a for a in args
    )
    return found[0] if len(found) == 1 else found


# --- joining ---------------------------------------------------------------------------------


def parts_of(arrays: Any) -> list[Value]:
    """The arrays to join: a sequence, or an array along its first axis."""
    if isinstance(arrays, list | tuple):
        return [lifted(a) for a in arrays]
    if not isinstance(arrays, SymArray):
        arrays = list(arrays)
        return [lifted(a) for a in arrays]
    return [lifted(a) for a in arrays]


def has_length(arrays: Any) -> bool:
    """A list of symbolic length, or an array with a symbolic first axis, whose items cannot be counted."""
    return not isinstance(arrays, list | tuple) and isinstance(getattr(arrays, "value", None), Value) and (
        arrays.value.ndim > 0 and arrays.value.shape[0].constant is None
    )


@provides("concatenate", "concat")
def concatenate(arrays: Any, axis: Any = 0, **_: Any) -> Any:
    if has_length(arrays):
        value = lifted(arrays)
        if axis is None or value.ndim < 2:
            raise TraceError("concatenate of a list of symbolic length along this axis")
        n = normal_axis(axis, value.ndim - 1)
        order = [*range(1, n + 1), 0, *range(n + 1, value.ndim)]
        spread = layout.transpose(value, order)
        sizes = [*spread.shape[:n], spread.shape[n] * spread.shape[n + 1], *spread.shape[n + 2 :]]
        return wrap(layout.reshape(spread, sizes))
    values = parts_of(arrays)
    if axis is None:
        values, axis = [layout.reshape(v, [None]) for v in values], 0
    if any(v.ndim == 0 for v in values):
        raise ShapeMismatch("numbers cannot be concatenated: use np.array or np.stack")
    return wrap(layout.concatenate(values, axis))


@provides("stack")
def stack(arrays: Any, axis: int = 0, **_: Any) -> Any:
    value = lifted(arrays) if has_length(arrays) else stacked(parts_of(arrays))
    n = normal_axis(axis, value.ndim)
    return wrap(layout.transpose(value, layout.moved(value.ndim, (0,), (n,))))


@provides("hstack")
def hstack(arrays: Any, **_: Any) -> Any:
    values = [lifted(atleast_1d(a)) for a in arrays]
    return wrap(layout.concatenate(values, 0 if values[0].ndim == 1 else 1))


@provides("vstack", "row_stack")
def vstack(arrays: Any, **_: Any) -> Any:
    if has_length(arrays) and lifted(arrays).ndim == 2:
        return wrap(lifted(arrays))
    return wrap(layout.concatenate([lifted(atleast_2d(a)) for a in arrays], 0))


@provides("column_stack")
def column_stack(arrays: Any) -> Any:
    values = [lifted(a) for a in arrays]
    wide = [layout.expand(v, (1,)) if v.ndim == 1 else v for v in values]
    return wrap(layout.concatenate(wide, 1))


@provides("dstack")
def dstack(arrays: Any) -> Any:
    values = [lifted(atleast_2d(a)) for a in arrays]
    return wrap(layout.concatenate([layout.expand(v, (-1,)) if v.ndim == 2 else v for v in values], 2))


@provides("append")
def append(x: Any, values: Any, axis: Any = None) -> Any:
    return concatenate([x, values], axis)


@provides("split", "array_split")
def split(x: Any, sections: Any, axis: int = 0) -> Any:
    value = lifted(x)
    n = normal_axis(axis, value.ndim)
    size = value.shape[n]
    if isinstance(sections, list | tuple):
        cuts = [0, *sections, size_number(size)]
    else:
        count = expression(sections)
        if count is None or not isinstance(sections, int):
            raise TraceError("split into a number of parts that is not a plain number")
        width = size_number(size) // sections
        if isinstance(width, int) and width * sections != size.constant:
            raise ShapeMismatch(f"an axis of {size} does not split into {sections} equal parts")
        cuts = [k * width for k in range(sections + 1)]
    lead = (slice(None),) * n
    source = NUMPY["asarray"](x)
    return [source[(*lead, slice(a, b))] for a, b in zip(cuts, cuts[1:], strict=False)]


@provides("hsplit")
def hsplit(x: Any, sections: Any) -> Any:
    return split(x, sections, 1 if lifted(x).ndim > 1 else 0)


@provides("vsplit")
def vsplit(x: Any, sections: Any) -> Any:
    return split(x, sections, 0)


@provides("unstack")
def unstack(x: Any, axis: int = 0) -> Any:
    return tuple(moveaxis(x, axis, 0))


# --- moving entries --------------------------------------------------------------------------


@provides("flip")
def flip(x: Any, axis: Any = None) -> Any:
    axes = normal_axes(axis, lifted(x).ndim)
    return viewed(x, lambda v: layout.flip(v, axes), lambda old, new: layout.flip(new, axes))


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
            return x
        case 1:
            return swapaxes(flip(x, b), a, b)
        case 2:
            return flip(x, (a, b))
        case _:
            return flip(swapaxes(x, a, b), b)


@provides("roll")
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    value = lifted(x)
    if axis is None:
        shape = value.shape
        flat = layout.roll(layout.reshape(value, [None]), size_of(shift, "the shift"), 0)
        return wrap(layout.reshape(flat, shape))
    shifts = list(shift) if isinstance(shift, tuple | list) else [shift]
    axes = list(axis) if isinstance(axis, tuple | list) else [axis]
    if len(shifts) == 1:
        shifts = shifts * len(axes)
    for s, a in zip(shifts, axes, strict=True):
        value = layout.roll(value, size_of(s, "the shift"), a)
    return wrap(value)


@provides("tile")
def tile(x: Any, reps: Any) -> Any:
    return wrap(layout.tile(lifted(x), size_list(reps, "the repetitions")))


@provides("repeat", method=True)
def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    value = lifted(x)
    if axis is None:
        value, axis = layout.reshape(value, [None]), 0
    return wrap(layout.repeat(value, size_of(repeats, "the repetitions"), axis))


@provides("pad")
def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    if mode != "constant":
        raise TraceError(f"np.pad in mode {mode!r}")
    value = lifted(x)
    widths = pad_widths(pad_width, value.ndim)
    return wrap(layout.pad(value, widths, lifted(options.get("constant_values", 0))))


def pad_widths(given: Any, ndim: int) -> list[Any]:
    if expression(given) is not None:
        size = size_of(given, "a pad width")
        return [(size, size)] * ndim
    rows = list(given)
    if all(expression(r) is not None for r in rows):
        pair = [size_of(r, "a pad width") for r in rows]
        return [(pair[0], pair[-1])] * ndim
    found = [tuple(size_of(s, "a pad width") for s in (r if isinstance(r, tuple | list) else (r,))) for r in rows]
    found = [(f[0], f[-1]) for f in found]
    return found * ndim if len(found) == 1 else found


@provides("tril")
def tril(x: Any, k: Any = 0) -> Any:
    return wrap(layout.lower_triangle(lifted(x), size_of(k, "the diagonal")))


@provides("triu")
def triu(x: Any, k: Any = 0) -> Any:
    return wrap(layout.upper_triangle(lifted(x), size_of(k, "the diagonal")))


@provides("diag")
def diag(v: Any, k: Any = 0) -> Any:
    value = lifted(v)
    if value.ndim == 1:
        return wrap(layout.diagonal_matrix(value, size_of(k, "the diagonal")))
    if value.ndim != 2:
        raise ShapeMismatch(f"diag of shape {shape_text(value.shape)}: one or two axes are needed")
    return diagonal(v, k)


@provides("diagflat")
def diagflat(v: Any, k: Any = 0) -> Any:
    return diag(ravel(v), k)


@provides("diagonal", method=True)
def diagonal(x: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1) -> Any:
    k = size_of(offset, "the diagonal")
    return viewed(x, lambda v: layout.diagonal(v, k, axis1, axis2), None)


@provides("sliding_window_view", table=WINDOWS)
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None, **_: Any) -> Any:
    sizes = size_list(window_shape, "a window")
    axes: Sequence[int] = range(len(sizes)) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return viewed(x, lambda v: layout.windows(v, sizes, axes), None)


@provides("where")
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        raise TraceError("np.where with one argument gives positions that depend on the data")
    return wrap(chosen_where(lifted(condition), lifted(x), lifted(y)))


@provides("select")
def select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = lifted(default)
    for c, v in reversed(list(zip(conditions, choices, strict=True))):
        result = chosen_where(lifted(c), lifted(v), result)
    return wrap(result)


@provides("piecewise")
def piecewise(x: Any, conditions: Any, functions: Any) -> Any:
    extra = list(functions)
    result = lifted(extra.pop()(x) if callable(extra[-1]) else extra.pop()) if len(extra) > len(conditions) else lifted(0)
    for c, f in zip(conditions, extra, strict=True):
        result = chosen_where(truth(lifted(c)), lifted(f(x) if callable(f) else f), result)
    return wrap(result)


@provides("take", method=True)
def take(x: Any, indices: Any, axis: Any = None, **_: Any) -> Any:
    if axis is None:
        return NUMPY["asarray"](ravel(x))[indices]
    n = normal_axis(axis, lifted(x).ndim)
    return NUMPY["asarray"](x)[(slice(None),) * n + (indices,)]


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
            raise ShapeMismatch(f"take_along_axis of shapes {shape_text(value.shape)} and {shape_text(places.shape)}")
        rows = NUMPY["arange"](size_number(s))
        key.append(NUMPY["reshape"](rows, tuple(-1 if m == k else 1 for m in range(value.ndim))))
    return tuple(key)


@provides("take_along_axis")
def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    return NUMPY["asarray"](x)[along(x, indices, axis)]


@provides("put_along_axis")
def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> None:
    x[along(x, indices, axis)] = values


@provides("diff")
def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        k = normal_axis(axis, lifted(x).ndim)
        source, lead = NUMPY["asarray"](x), (slice(None),) * k
        x = source[(*lead, slice(1, None))] - source[(*lead, slice(None, -1))]
    return x
