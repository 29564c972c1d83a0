"""Operations that arrange entries, views where PyTorch gives views; new tensors; reading and writing at places."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import SymInt, TraceError, padded
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy.context import WINDOWS
from symbackprop.read.numpy.moving import along

from ..registry import ATEN, Kind

aten = ATEN.section("arranging")
END = 2**63 - 1


def ndim(x: Any) -> int:
    return len(x.value.shape)


def at_axis(dim: int, rank: int, key: Any) -> tuple[Any, ...]:
    """Brackets that take this key along one axis, and the others whole."""
    return (slice(None),) * (dim % rank) + (key,)


def alias(x: Any) -> Any:
    return x.view(lambda v: v, lambda old, new: new)


aten.rows({
    "detach alias _conj conj resolve_conj lift": alias,
    "view reshape": lambda x, shape: np.reshape(x, tuple(shape)),
    "t": lambda x: x.T,
    "transpose": lambda x, a, b: np.swapaxes(x, a, b) if ndim(x) else alias(x),
    "permute": lambda x, dims: np.transpose(x, tuple(dims)),
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim % (ndim(x) + 1)),
})  # fmt: skip
aten("clone", "lift_fresh", "lift_fresh_copy", "positive", "_pin_memory")(lambda x: np.copy(x))
aten.rows({
    "_unsafe_view view_copy _reshape_copy": lambda x, shape: np.reshape(np.copy(x), tuple(shape)),
    "cat": lambda parts, dim=0: np.concatenate(parts, axis=dim),
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "repeat_interleave.self_int": lambda x, repeats, dim=None, output_size=None: np.repeat(x, repeats, axis=dim),
})  # fmt: skip


@aten("expand")
def expand(x: Any, shape: Any) -> Any:
    own = (None,) * (len(shape) - ndim(x)) + x.shape
    kept = (o if isinstance(s, int) and s == -1 else s for s, o in zip(shape, own, strict=True))
    return np.broadcast_to(x, tuple(kept))


@aten("squeeze", where="axes known to be of one entry, or of more")
def squeeze(x: Any, dim: Any = None) -> Any:
    rank = ndim(x)
    given = range(rank) if dim is None else [dim] if isinstance(dim, int) else dim
    gone = tuple(k for k in sorted({d % rank for d in given} if rank else ()) if single(x.shape[k]))
    return np.squeeze(x, gone) if gone else alias(x)


def single(n: Any) -> bool:
    if isinstance(n, int):
        return n == 1
    if (n > 1) is True:
        return False
    raise TraceError(f"squeeze drops an axis of {n} entries where it has one: whether it does depends on the sizes")


@aten("select")
def select(x: Any, dim: int, index: Any) -> Any:
    rank = ndim(x)
    if rank > 1:
        return x[at_axis(dim, rank, index)]
    start = index + x.shape[0] if isinstance(index, int) and index < 0 else index
    return np.squeeze(x[start : start + 1], 0)


@aten("slice")
def slice_of(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    first = None if isinstance(start, int) and start == 0 else start
    size = x.shape[dim]
    whole = isinstance(end, int) and end >= END
    if isinstance(end, SymInt | int) and (whole or (end == size) is True):
        end = None
    return x[at_axis(dim, ndim(x), slice(first, end, step))]


@aten("split")
def split(x: Any, size: Any, dim: int = 0) -> Any:
    if isinstance(size, tuple | list):
        return split_with_sizes(x, size, dim)
    count = x.shape[dim] // size if not isinstance(x.shape[dim], int) else -(-x.shape[dim] // size)
    if not isinstance(count, int):
        raise TraceError("split into parts whose number depends on the sizes")
    last = x.shape[dim] - (count - 1) * size
    return split_with_sizes(x, (*[size] * (count - 1), last), dim)


@aten("split_with_sizes")
def split_with_sizes(x: Any, sizes: Any, dim: int = 0) -> Any:
    parts, start = [], 0
    for n in sizes:
        parts.append(slice_of(x, dim, start, start + n))
        start = start + n
    return tuple(parts)


@aten("diagonal", where="not written to")
def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return np.diagonal(x, offset, dim1, dim2)


@aten("unfold", where="not written to")
def unfold(x: Any, dim: int, size: Any, step: int) -> Any:
    if ndim(x) == 0:
        raise TraceError("unfold of a number")
    dim = dim % ndim(x)
    windows = WINDOWS["sliding_window_view"](x, (size,), (dim,))
    return windows if step == 1 else windows[at_axis(dim, ndim(windows), slice(None, None, step))]


# --- copies ------------------------------------------------------------------------------------------


@aten("roll", where="shifts: at most the size of the axis, for all sizes")
def roll(x: Any, shifts: Any, dims: Any = ()) -> Any:
    return np.roll(x, tuple(shifts), tuple(dims)) if dims else np.roll(x, shifts[0])


@aten("constant_pad_nd")
def pad(x: Any, widths: Any, value: Any = 0) -> Any:
    """The widths of the last axis come first; negative ones cut."""
    rank = ndim(x)
    pairs = {rank - 1 - k: (widths[2 * k], widths[2 * k + 1]) for k in range(len(widths) // 2)}
    return padded(x, [pairs.get(k, (0, 0)) for k in range(rank)], value)


@aten("slice_scatter")
def slice_scatter(x: Any, source: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    stop = None if isinstance(end, int) and end >= END else end
    return written(x, at_axis(dim, ndim(x), slice(start, stop, step)), source)


def written(x: Any, key: Any, values: Any) -> Any:
    copy = np.copy(x)
    copy[key] = values
    return copy


ATEN.refuses("as_strided", "as_strided_", "set_", "resize_", because="depends on how the entries lie in memory")
ATEN.refuses("reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d",
             because="is not modelled")  # fmt: skip


# --- new tensors -----------------------------------------------------------------------------------

creating, told = ATEN.section("creating"), ATEN.section("creating", "told")
TYPES: dict[Kind, type] = {"real": float, "int": int, "bool": bool}


def zeros(shape: Any, *_: Any, kind: Kind) -> Any:
    return np.zeros(tuple(shape), dtype=TYPES[kind])


def full(shape: Any, value: Any, *, kind: Kind) -> Any:
    return np.full(tuple(shape), value, dtype=TYPES[kind])


told.rows({
    "zeros empty empty_strided": zeros,
    "zeros_like empty_like": lambda x, *, kind: zeros(x.shape, kind=kind),
}, where="empty is read as zeros")  # fmt: skip
told.rows({
    "full": full,
    "full_like": lambda x, value, *, kind: full(x.shape, value, kind=kind),
    "scalar_tensor": lambda value, *, kind: full((), value, kind=kind),
    "eye": lambda n, *, kind: np.eye(n, dtype=TYPES[kind]),
    "eye.m": lambda n, m, *, kind: np.eye(n, m, dtype=TYPES[kind]),
})  # fmt: skip
creating.rows({
    "fill": lambda x, value: np.broadcast_to(value, x.shape),
    "zero": lambda x: np.zeros_like(x),
    "copy": lambda x, source, non_blocking=False: np.broadcast_to(source, x.shape),
})  # fmt: skip


@creating("arange", where="whole numbers")
def arange(start_or_stop: Any, stop: Any = None, step: Any = 1) -> Any:
    first = whole(start_or_stop)
    return np.arange(first) if stop is None else np.arange(first, whole(stop), whole(step))


def whole(n: Any) -> Any:
    return int(n) if isinstance(n, float) and n.is_integer() else n


@creating("linspace", where="steps: at least two for all sizes, as in 'n+1'")
def linspace(start: Any, stop: Any, steps: Any) -> Any:
    return np.linspace(start, stop, steps)


@told("_to_copy", where="reals are not cut to whole numbers")
def converted(x: Any, *, kind: Kind) -> Any:
    if kind == "bool":
        return np.not_equal(x, 0) if x.value.dtype != "bool" else np.copy(x)
    if kind == "int" and x.value.dtype == "real":
        raise TraceError("real numbers are cut to whole ones, which depends on the data")
    return np.copy(x)


ATEN.refuses("tril_indices", "triu_indices", because="is not modelled")


# --- places that integer tensors or masks name -----------------------------------------------------

indexing = ATEN.section("indexing")


def key_of(indices: Any) -> Any:
    """PyTorch's list of tensors, with None for an axis that is taken whole, as brackets."""
    key = tuple(slice(None) if i is None else i for i in indices)
    return key[0] if len(key) == 1 else key


def is_mask(i: Any) -> bool:
    return i is not None and i.value.dtype == "bool"


@indexing("index", "_unsafe_index", where="masks: as far as x[mask] is read")
def index(x: Any, indices: Any) -> Any:
    if any(map(is_mask, indices)):
        raise TraceError("x[mask] has as many entries as the data says: multiply by the mask, or use where")
    return x[key_of(indices)]


@indexing("index_put", "_unsafe_index_put", where="accumulate: not with masks")
def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    masks = [i for i in indices if is_mask(i)]
    if masks:
        return masked_put(x, indices, masks[0], values, accumulate)
    return added(x, key_of(indices), values) if accumulate else written(x, key_of(indices), values)


def masked_put(x: Any, indices: Any, mask: Any, values: Any, accumulate: bool) -> Any:
    """x[mask] = a number, or what broadcasts against the axes after those of the mask."""
    if len(indices) > 1 or accumulate:
        raise TraceError("a boolean mask beside other indices: use where")
    if any(n != 1 for n in values.shape):
        raise TraceError("x[mask] = values has as many values as the data says: use where")
    wide = np.reshape(mask, (*mask.shape, *(1,) * (ndim(x) - ndim(mask))))
    return np.where(wide, np.reshape(values, ()) if ndim(values) else values, x)


def added(x: Any, key: Any, values: Any) -> Any:
    copy = np.copy(x)
    np.add.at(copy, key, values)
    return copy


indexing.rows({
    "gather": lambda x, dim, places, sparse_grad=False: np.take_along_axis(x, places, axis=dim),
    "scatter_add": lambda x, dim, places, source: added(x, rows_of(x, dim, places), source),
})  # fmt: skip


@indexing("scatter", where="no reduce")
def scatter(x: Any, dim: int, places: Any, source: Any) -> Any:
    copy = np.copy(x)
    np.put_along_axis(copy, places, source, dim)
    return copy


def rows_of(x: Any, dim: int, given: Any) -> tuple[Any, ...]:
    """The places along one axis, each in its own row of the others."""
    if any(a != b for k, (a, b) in enumerate(zip(given.value.shape, x.value.shape, strict=True)) if k != dim % ndim(x)):
        raise TraceError("scatter_add with fewer rows of indices than the tensor has")
    return along(x, given, dim)


ATEN.refuses("put_", "scatter_reduce", "index_reduce", because="is not modelled")
