"""Operations that arrange entries: views where PyTorch gives views."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import SymInt, TraceError
from symbackprop.read.numpy.context import WINDOWS
from symbackprop.read.numpy.truth import truth

from ..registry import aten, refuses

END = 2**63 - 1


def ndim(x: Any) -> int:
    return len(x.value.shape)


def at_axis(dim: int, rank: int, key: Any) -> tuple[Any, ...]:
    """Brackets that take this key along one axis, and the others whole."""
    return (slice(None),) * (dim % rank) + (key,)


@aten("detach", "alias", "_conj", "conj", "resolve_conj", "lift", view=True)
def alias(x: Any) -> Any:
    return x.view(lambda v: v, lambda old, new: new)


@aten("clone", "lift_fresh", "lift_fresh_copy", "positive", "_pin_memory", entrywise=True)
def clone(x: Any) -> Any:
    return np.copy(x)


@aten("view", "reshape", view=True)
def view(x: Any, shape: Any) -> Any:
    return np.reshape(x, tuple(shape))


@aten("_unsafe_view", "view_copy", "_reshape_copy")
def unsafe_view(x: Any, shape: Any) -> Any:
    return np.reshape(np.copy(x), tuple(shape))


@aten("t", view=True)
def t(x: Any) -> Any:
    return x.T


@aten("transpose", view=True)
def transpose(x: Any, a: int, b: int) -> Any:
    return np.swapaxes(x, a, b) if ndim(x) else alias(x)


@aten("permute", view=True)
def permute(x: Any, dims: Any) -> Any:
    return np.transpose(x, tuple(dims))


@aten("expand", view=True)
def expand(x: Any, shape: Any) -> Any:
    lead = len(shape) - ndim(x)
    own = (None,) * lead + x.shape
    return np.broadcast_to(x, tuple(o if minus_one(s) else s for s, o in zip(shape, own, strict=True)))


def minus_one(s: Any) -> bool:
    return isinstance(s, int) and s == -1


@aten("unsqueeze", view=True)
def unsqueeze(x: Any, dim: int) -> Any:
    return np.expand_dims(x, dim % (ndim(x) + 1))


@aten("squeeze", where="axes known to be of one entry, or of more", view=True)
def squeeze(x: Any, dim: Any = None) -> Any:
    rank = ndim(x)
    given = range(rank) if dim is None else [dim] if isinstance(dim, int) else dim
    gone = tuple(k for k in sorted({d % rank for d in given} if rank else ()) if single(x.shape[k]))
    return np.squeeze(x, gone) if gone else alias(x)


def single(n: Any) -> bool:
    if isinstance(n, int):
        return n == 1
    longer = n > 1
    if longer is True:
        return False
    raise TraceError(f"squeeze drops an axis of {n} entries where it has one: whether it does depends on the sizes")


@aten("select", view=True)
def select(x: Any, dim: int, index: Any) -> Any:
    rank = ndim(x)
    if rank > 1:
        return x[at_axis(dim, rank, index)]
    start = index + x.shape[0] if isinstance(index, int) and index < 0 else index
    return np.squeeze(x[start : start + 1], 0)


@aten("slice", view=True)
def slice_of(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    stop = None if isinstance(end, int) and end >= END else clipped(end, x, dim)
    first = None if isinstance(start, int) and start == 0 else start
    return x[at_axis(dim, ndim(x), slice(first, stop, step))]


def clipped(stop: Any, x: Any, dim: int) -> Any:
    """None for an end that is the size of the axis."""
    size = x.shape[dim]
    same = stop == size if isinstance(stop, SymInt | int) else False
    return None if same is True else stop


@aten("narrow", view=True)
def narrow(x: Any, dim: int, start: Any, length: Any) -> Any:
    return slice_of(x, dim, start, start + length)


@aten("split", view=True)
def split(x: Any, size: Any, dim: int = 0) -> Any:
    if isinstance(size, tuple | list):
        return split_with_sizes(x, size, dim)
    count = x.shape[dim] // size if not isinstance(x.shape[dim], int) else -(-x.shape[dim] // size)
    if not isinstance(count, int):
        raise TraceError("split into parts whose number depends on the sizes")
    last = x.shape[dim] - (count - 1) * size
    return split_with_sizes(x, (*[size] * (count - 1), last), dim)


@aten("split_with_sizes", view=True)
def split_with_sizes(x: Any, sizes: Any, dim: int = 0) -> Any:
    parts, start = [], 0
    for n in sizes:
        parts.append(slice_of(x, dim, start, start + n))
        start = start + n
    return tuple(parts)


@aten("unbind", where="an axis whose length is a number", view=True)
def unbind(x: Any, dim: int = 0) -> Any:
    n = x.shape[dim]
    if not isinstance(n, int):
        raise TraceError(f"a loop over an axis of {n} entries, whose number depends on the sizes")
    return tuple(select(x, dim, k) for k in range(n))


@aten("diagonal", where="not written to", view=True)
def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return np.diagonal(x, offset, dim1, dim2)


@aten("unfold", where="not written to", view=True)
def unfold(x: Any, dim: int, size: Any, step: int) -> Any:
    if ndim(x) == 0:
        raise TraceError("unfold of a number")
    dim = dim % ndim(x)
    windows = WINDOWS["sliding_window_view"](x, (size,), (dim,))
    return windows if step == 1 else windows[at_axis(dim, ndim(windows), slice(None, None, step))]


# --- copies ------------------------------------------------------------------------------------------


@aten("cat")
def cat(parts: Any, dim: int = 0) -> Any:
    return np.concatenate(parts, axis=dim)


@aten("stack")
def stack(parts: Any, dim: int = 0) -> Any:
    return np.stack(parts, axis=dim)


@aten("flip")
def flip(x: Any, dims: Any) -> Any:
    return np.flip(x, tuple(dims))


@aten("roll", where="shifts: at most the size of the axis, for all sizes")
def roll(x: Any, shifts: Any, dims: Any = ()) -> Any:
    return np.roll(x, tuple(shifts), tuple(dims)) if dims else np.roll(x, shifts[0])


@aten("repeat")
def repeat(x: Any, repeats: Any) -> Any:
    return np.tile(x, tuple(repeats))


@aten("repeat_interleave.self_int")
def repeat_interleave(x: Any, repeats: Any, dim: Any = None, output_size: Any = None) -> Any:
    return np.repeat(x, repeats, axis=dim)


@aten("tril")
def tril(x: Any, diagonal: int = 0) -> Any:
    return np.tril(x, diagonal)


@aten("triu")
def triu(x: Any, diagonal: int = 0) -> Any:
    return np.triu(x, diagonal)


@aten("diag_embed", where="of the last two axes")
def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    if (offset, dim1, dim2) != (0, -2, -1):
        raise TraceError("diag_embed with offset, dim1 or dim2")
    return np.multiply(np.expand_dims(x, ndim(x)), np.eye(x.shape[-1]))


@aten("constant_pad_nd")
def pad(x: Any, widths: Any, value: Any = 0) -> Any:
    """The widths of the last axis come first; negative ones cut."""
    rank = ndim(x)
    pairs = {rank - 1 - k: (widths[2 * k], widths[2 * k + 1]) for k in range(len(widths) // 2)}
    for dim, (before, after) in pairs.items():
        start, stop = (-before if negative(before) else 0), (x.shape[dim] + after if negative(after) else None)
        if start != 0 or stop is not None:
            x = x[at_axis(dim, rank, slice(start, stop))]
    grown = [tuple(0 if negative(n) else n for n in pairs.get(k, (0, 0))) for k in range(rank)]
    return np.pad(x, grown, constant_values=value) if any(n != 0 for pair in grown for n in pair) else np.copy(x)


def negative(n: Any) -> bool:
    return isinstance(n, int) and n < 0


@aten("select_scatter")
def select_scatter(x: Any, source: Any, dim: int, index: Any) -> Any:
    return written(x, at_axis(dim, ndim(x), index), source)


@aten("slice_scatter")
def slice_scatter(x: Any, source: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    stop = None if isinstance(end, int) and end >= END else end
    return written(x, at_axis(dim, ndim(x), slice(start, stop, step)), source)


def written(x: Any, key: Any, values: Any) -> Any:
    copy = np.copy(x)
    copy[key] = values
    return copy


refuses("as_strided", "as_strided_", "set_", "resize_", because="depends on how the entries lie in memory")
refuses("reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d", because="is not modelled")

__all__ = ["at_axis", "ndim", "truth", "written"]
