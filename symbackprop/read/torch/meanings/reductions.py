"""Reductions along axes, and what is accumulated along one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import SymArray, Value

from ..registry import aten, refuses


def axes(dim: Any) -> Any:
    """PyTorch's dim, of which none and an empty list mean all."""
    return None if dim is None or dim == () else dim


@aten("sum", "nansum")
def total(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.sum(x, axis=axes(dim), keepdims=keepdim)


@aten("mean")
def mean(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.mean(x, axis=axes(dim), keepdims=keepdim)


@aten("prod")
def product(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.prod(x, axis=axes(dim), keepdims=keepdim)


@aten("amax", "max")
def largest(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.max(x, axis=axes(dim), keepdims=keepdim)


@aten("amin", "min")
def smallest(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.min(x, axis=axes(dim), keepdims=keepdim)


@aten("max.dim", where="the indices as far as argmax is read")
def largest_and_where(x: Any, dim: int, keepdim: bool = False) -> Any:
    found = largest(x, dim, keepdim)
    return found, later(found, lambda: argmax(x, dim, keepdim))


@aten("min.dim", where="the indices as far as argmin is read")
def smallest_and_where(x: Any, dim: int, keepdim: bool = False) -> Any:
    found = smallest(x, dim, keepdim)
    return found, later(found, lambda: argmin(x, dim, keepdim))


@aten("aminmax")
def extremes(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return smallest(x, dim, keepdim), largest(x, dim, keepdim)


def later(like: Any, make: Callable[[], Any]) -> SymArray:
    """Whole numbers that are read only if something asks for them."""
    return SymArray(Value(like.value.shape, "int", lambda at: make().value.term(at)))


@aten("argmax", where="as far as np.argmax is read")
def argmax(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.argmax(x, axis=dim, keepdims=keepdim)


@aten("argmin", where="as far as np.argmin is read")
def argmin(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.argmin(x, axis=dim, keepdims=keepdim)


@aten("all")
def every(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.all(x, axis=axes(dim), keepdims=keepdim)


@aten("any")
def some(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return np.any(x, axis=axes(dim), keepdims=keepdim)


@aten("count_nonzero")
def count_nonzero(x: Any, dim: Any = None) -> Any:
    return np.count_nonzero(x, axis=axes(dim))


# --- moments and norms -----------------------------------------------------------------------------


def freedom(unbiased: Any, correction: Any) -> Any:
    return correction if correction is not None else 1 if unbiased else 0


@aten("var")
def variance(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None) -> Any:
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    return np.var(x, axis=axes(dim), ddof=freedom(unbiased, correction), keepdims=keepdim)


@aten("var.correction")
def variance_corrected(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    return variance(x, dim, keepdim=keepdim, correction=correction)


@aten("std")
def deviation(x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None) -> Any:
    return np.sqrt(variance(x, dim, unbiased, keepdim, correction))


@aten("std.correction")
def deviation_corrected(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    return np.sqrt(variance_corrected(x, dim, correction, keepdim))


@aten("var_mean.correction")
def variance_and_mean(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    return variance_corrected(x, dim, correction, keepdim), mean(x, dim, keepdim)


@aten("std_mean.correction")
def deviation_and_mean(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    return deviation_corrected(x, dim, correction, keepdim), mean(x, dim, keepdim)


@aten("linalg_vector_norm", "norm", where="of all axes or some: vector norms")
def norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    order = 2 if ord is None else int(ord) if isinstance(ord, float) and ord.is_integer() else ord
    if order == 2:
        return np.sqrt(np.sum(np.square(x), axis=axes(dim), keepdims=keepdim))
    return linalg.vector_norm(x, ord=order, axis=axes(dim), keepdims=keepdim)


# --- softmax and sums that run -----------------------------------------------------------------------


@aten("logsumexp")
def logsumexp(x: Any, dim: Any, keepdim: bool = False) -> Any:
    return special.logsumexp(x, axis=axes(dim), keepdims=keepdim)


@aten("_softmax", "_safe_softmax")
def softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    return special.softmax(x, axis=dim)


@aten("_log_softmax")
def log_softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    return special.log_softmax(x, axis=dim)


@aten("cumsum")
def cumsum(x: Any, dim: int) -> Any:
    return np.cumsum(x, axis=dim)


@aten("cumprod")
def cumprod(x: Any, dim: int) -> Any:
    return np.cumprod(x, axis=dim)


@aten("logcumsumexp")
def logcumsumexp(x: Any, dim: int) -> Any:
    return np.log(np.cumsum(np.exp(x), axis=dim))


refuses("median", "nanmedian", "mode", "kthvalue", "sort", "argsort", "topk", "unique", "_unique2", "unique_dim",
        "cummax", "cummin", "bincount", "histc", "searchsorted", "bucketize", "nonzero", "masked_select",
        because="depends on the order or the values of the data, which has no index term")  # fmt: skip
