"""Reading and writing at places that integer tensors or masks name."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.moving import along

from ..registry import ATEN
from .arranging import ndim, written

aten = ATEN.section("indexing")


def key_of(indices: Any) -> Any:
    """PyTorch's list of tensors, with None for an axis that is taken whole, as brackets."""
    key = tuple(slice(None) if i is None else i for i in indices)
    return key[0] if len(key) == 1 else key


def is_mask(i: Any) -> bool:
    return i is not None and i.value.dtype == "bool"


@aten("index", "_unsafe_index", where="masks: as far as x[mask] is read")
def index(x: Any, indices: Any) -> Any:
    if any(map(is_mask, indices)):
        raise TraceError("x[mask] has as many entries as the data says: multiply by the mask, or use where")
    return x[key_of(indices)]


@aten("index_put", "_unsafe_index_put", where="accumulate: not with masks")
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


aten.rows({
    "gather": lambda x, dim, places, sparse_grad=False: np.take_along_axis(x, places, axis=dim),
    "scatter_add": lambda x, dim, places, source: added(x, rows_of(x, dim, places), source),
})  # fmt: skip


@aten("scatter", where="no reduce")
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
