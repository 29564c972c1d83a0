"""New tensors."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TraceError

from ..registry import Kind, aten, refuses

TYPES: dict[Kind, type] = {"real": float, "int": int, "bool": bool}


@aten("zeros", "empty", "empty_strided", where="empty is read as zeros")
def zeros(shape: Any, *_: Any, kind: Kind) -> Any:
    return np.zeros(tuple(shape), dtype=TYPES[kind])


@aten("ones")
def ones(shape: Any, *, kind: Kind) -> Any:
    return np.ones(tuple(shape), dtype=TYPES[kind])


@aten("full")
def full(shape: Any, value: Any, *, kind: Kind) -> Any:
    return np.full(tuple(shape), value, dtype=TYPES[kind])


@aten("zeros_like", "empty_like", where="empty is read as zeros")
def zeros_like(x: Any, *, kind: Kind) -> Any:
    return zeros(x.shape, kind=kind)


@aten("ones_like")
def ones_like(x: Any, *, kind: Kind) -> Any:
    return ones(x.shape, kind=kind)


@aten("full_like")
def full_like(x: Any, value: Any, *, kind: Kind) -> Any:
    return full(x.shape, value, kind=kind)


@aten("new_zeros", "new_empty", "new_empty_strided", where="empty is read as zeros")
def new_zeros(x: Any, shape: Any, *_: Any, kind: Kind) -> Any:
    return zeros(shape, kind=kind)


@aten("new_ones")
def new_ones(x: Any, shape: Any, *, kind: Kind) -> Any:
    return ones(shape, kind=kind)


@aten("new_full")
def new_full(x: Any, shape: Any, value: Any, *, kind: Kind) -> Any:
    return full(shape, value, kind=kind)


@aten("scalar_tensor")
def scalar_tensor(value: Any, *, kind: Kind) -> Any:
    return full((), value, kind=kind)


@aten("fill")
def fill(x: Any, value: Any) -> Any:
    return np.broadcast_to(value, x.shape)


@aten("zero")
def zero(x: Any) -> Any:
    return np.zeros_like(x)


@aten("copy")
def copy(x: Any, source: Any, non_blocking: bool = False) -> Any:
    return np.broadcast_to(source, x.shape)


@aten("eye")
def eye(n: Any, *, kind: Kind) -> Any:
    return np.eye(n, dtype=TYPES[kind])


@aten("eye.m")
def eye_of_two(n: Any, m: Any, *, kind: Kind) -> Any:
    return np.eye(n, m, dtype=TYPES[kind])


@aten("arange", where="whole numbers")
def arange(start_or_stop: Any, stop: Any = None, step: Any = 1) -> Any:
    first = whole(start_or_stop)
    return np.arange(first) if stop is None else np.arange(first, whole(stop), whole(step))


def whole(n: Any) -> Any:
    return int(n) if isinstance(n, float) and n.is_integer() else n


@aten("linspace", where="steps: at least two for all sizes, as in 'n+1'")
def linspace(start: Any, stop: Any, steps: Any) -> Any:
    return np.linspace(start, stop, steps)


@aten("_to_copy", entrywise=True, where="reals are not cut to whole numbers")
def converted(x: Any, *, kind: Kind) -> Any:
    if kind == "bool":
        return np.not_equal(x, 0) if x.value.dtype != "bool" else np.copy(x)
    if kind == "int" and x.value.dtype == "real":
        raise TraceError("real numbers are cut to whole ones, which depends on the data")
    return np.copy(x)


refuses("tril_indices", "triu_indices", because="is not modelled")
