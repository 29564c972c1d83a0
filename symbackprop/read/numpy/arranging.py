"""np.reshape, np.transpose, np.concatenate, np.c_, ...: views where NumPy gives views."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from . import layout
from .array import SymArray, wrap
from .axes import at_least_zero, broadcast, normal_axis
from .context import NUMPY, ShapeMismatch, TraceError, provides, rows
from .indexing import items_of
from .lifting import expression, length_of, lengths, lifted, size_list, size_number
from .values import Value, stacked, stretched


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


@provides("swapaxes", method=True)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    ndim = lifted(x).ndim
    order = list(range(ndim))
    p, q = normal_axis(axis1, ndim), normal_axis(axis2, ndim)
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


@provides("squeeze", method=True, axis="given, where an axis may be of one entry for some sizes")
def squeeze(x: Any, axis: Any = None) -> Any:
    gone = layout.squeezed_axes(lifted(x), axis)
    return viewed(x, lambda v: layout.squeeze(v, gone), lambda old, new: layout.expand(new, gone), True)


@provides("reshape", method=True)
def reshape(x: Any, *shape: Any, order: str = "C", newshape: Any = None, copy: Any = None) -> Any:
    if newshape is not None:
        shape = (newshape,)
    if copy:
        x = SymArray(lifted(x))
    if isinstance(shape[-1], str):
        shape, order = shape[:-1], shape[-1]
    if order not in ("C", "F"):
        raise TraceError(f"reshape in the order {order!r}")
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    wanted = [None if isinstance(s, int) and s == -1 else length_of(s, "a size of reshape") for s in given]
    if order == "F":
        result = viewed(
            x,
            lambda v: layout.transpose(layout.reshape(layout.transpose(v), wanted[::-1])),
            lambda old, new: layout.transpose(layout.reshape(layout.transpose(new), old.shape[::-1])),
        )
        result._loose = isinstance(x, SymArray)
        return result
    result = viewed(x, lambda v: layout.reshape(v, wanted), lambda old, new: layout.reshape(new, old.shape))
    if isinstance(x, SymArray):
        result._straight, result._loose = x._straight, not x._straight
    return result


@provides("broadcast_to")
def broadcast_to(x: Any, shape: Any) -> Any:
    sizes = lengths(shape)
    return viewed(x, lambda v: stretched(v, sizes), None)


@provides("broadcast_arrays")
def broadcast_arrays(*args: Any) -> Any:
    shape = broadcast(*(lifted(a).shape for a in args))
    return tuple(viewed(a, lambda v: stretched(v, shape), None) for a in args)


def at_least(count: int) -> Any:
    def function(*args: Any) -> Any:
        short = [range(count - lifted(a).ndim) for a in args]
        found = tuple(expand_dims(a, tuple(n)) if n else NUMPY["asarray"](a) for a, n in zip(args, short, strict=True))
        return found[0] if len(found) == 1 else found

    return function


atleast_1d, atleast_2d = at_least(1), at_least(2)
rows({"atleast_1d": atleast_1d, "atleast_2d": atleast_2d})


# --- joining ---------------------------------------------------------------------------------


def some(arrays: Any) -> Any:
    """The list to join.  Raises TraceError where it may be empty: NumPy then raises, or knows no shape."""
    if has_length(arrays) and not at_least_zero(arrays.value.shape[0] - 1):
        raise TraceError("a list that may be empty for some sizes is joined: declare the axis longer, such as 'n+1'")
    return arrays


def has_length(arrays: Any) -> bool:
    """A list of symbolic length, or an array with a symbolic first axis, whose items cannot be counted."""
    return (
        not isinstance(arrays, list | tuple)
        and isinstance(getattr(arrays, "value", None), Value)
        and (arrays.value.ndim > 0 and arrays.value.shape[0].constant is None)
    )


@provides("concatenate", "concat")
def concatenate(arrays: Any, axis: Any = 0) -> Any:
    if has_length(some(arrays)):
        value = lifted(arrays)
        if axis is None or value.ndim < 2:
            raise TraceError("concatenate of a list of symbolic length along this axis")
        n = normal_axis(axis, value.ndim - 1)
        order = [*range(1, n + 1), 0, *range(n + 1, value.ndim)]
        spread = layout.transpose(value, order)
        sizes = [*spread.shape[:n], spread.shape[n] * spread.shape[n + 1], *spread.shape[n + 2 :]]
        return wrap(layout.reshape(spread, sizes))
    values = [lifted(a) for a in arrays]
    if axis is None:
        values, axis = [layout.reshape(v, [None]) for v in values], 0
    if any(v.ndim == 0 for v in values):
        raise ShapeMismatch("numbers cannot be concatenated: use np.array or np.stack")
    return wrap(layout.concatenate(values, axis))


@provides("stack")
def stack(arrays: Any, axis: int = 0) -> Any:
    value = lifted(arrays) if has_length(some(arrays)) else stacked([lifted(a) for a in arrays])
    n = normal_axis(axis, value.ndim)
    return wrap(layout.transpose(value, layout.moved(value.ndim, (0,), (n,))))


def columns(x: Any, key: Any) -> Any:
    """A vector with a second axis."""
    return x[key] if isinstance(x, SymArray) and x.ndim == 1 else atleast_2d(x)


@provides("hstack", composed=True)
def hstack(tup: Any) -> Any:
    parts = [atleast_1d(a) for a in tup]
    return NUMPY["concatenate"](parts, axis=0 if parts[0].ndim == 1 else 1)


@provides("vstack", "row_stack", composed=True)
def vstack(tup: Any) -> Any:
    if has_length(some(tup)) and lifted(tup).ndim == 2:
        return wrap(lifted(tup))
    return NUMPY["concatenate"]([columns(a, (None, slice(None))) for a in tup], axis=0)


rows({
    "column_stack": lambda tup: NUMPY["concatenate"]([columns(a, (slice(None), None)) for a in tup], axis=1),
    "dstack": lambda tup: NUMPY["concatenate"](
        [a[..., None] if a.ndim == 2 else a for a in map(atleast_2d, tup)], axis=2),
}, composed=True)  # fmt: skip


@provides("split")
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
    return [source[(*lead, slice(a, b))] for a, b in pairwise(cuts)]


@provides("array_split", where="equal parts")
def array_split(x: Any, sections: Any, axis: int = 0) -> Any:
    size = lifted(x).shape[normal_axis(axis, lifted(x).ndim)].constant
    if isinstance(sections, int) and size is not None and size % sections:
        raise TraceError(f"array_split of an axis of {size} into {sections} parts that are not equal")
    return split(x, sections, axis)


class Joined:
    """`columns`: what has no second axis is a column, and the last axis is joined; else the first."""

    def __init__(self, name: str, columns: bool) -> None:
        self.name, self.columns = name, columns

    def __getitem__(self, key: Any) -> Any:
        parts = [self.part(item) for item in items_of(key)]
        most = max(lifted(p).ndim for p in parts)
        if any(lifted(p).ndim != most for p in parts):
            raise ShapeMismatch(f"np.{self.name} of arrays with different numbers of axes")
        return NUMPY["concatenate"](parts, axis=-1 if self.columns else 0)

    def part(self, item: Any) -> Any:
        if isinstance(item, str):
            raise TraceError(f"np.{self.name}[{item!r}, ...]: use np.concatenate or np.stack with an axis")
        if isinstance(item, slice):
            item = ranged(item)
        if lifted(item).ndim == 0:
            item = NUMPY["reshape"](item, (1,))
        return NUMPY["expand_dims"](item, 1) if self.columns and lifted(item).ndim == 1 else item


def ranged(item: slice) -> Any:
    """start:stop:step, or start:stop:5j for five points."""
    start = 0 if item.start is None else item.start
    if isinstance(item.step, complex):
        return NUMPY["linspace"](start, item.stop, int(abs(item.step)))
    return NUMPY["arange"](start, item.stop, 1 if item.step is None else item.step)


NUMPY["c_"], NUMPY["r_"] = Joined("c_", True), Joined("r_", False)


rows({
    "matrix_transpose": lambda x: swapaxes(x, -1, -2),
    "broadcast_shapes": lambda *args: tuple(size_number(s) for s in broadcast(*(size_list(a) for a in args))),
    "append": lambda arr, values, axis=None: concatenate([arr, values], axis),
    "hsplit": lambda ary, sections: split(ary, sections, 1 if lifted(ary).ndim > 1 else 0),
    "vsplit": lambda ary, sections: split(ary, sections, 0),
    "unstack": lambda x, axis=0: tuple(moveaxis(x, axis, 0)),
})  # fmt: skip
rows({
    "ravel": lambda a, order="C": reshape(a, (-1,), order=order),
    "flatten": lambda a, order="C": SymArray(lifted(reshape(a, (-1,), order=order))),
}, method=True)  # fmt: skip
