"""Convolutions and pooling: sums and maxima over windows."""

from __future__ import annotations

from math import prod
from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TraceError, added_windows, correlated, padded, strided_windows
from symbackprop.read.numpy.context import WINDOWS

from ..registry import ATEN
from .folding import later

aten = ATEN.section("windows")


def each(x: Any, rank: int) -> tuple[Any, ...]:
    """An argument for every axis, of which PyTorch takes one number or an empty list as well."""
    given = tuple(x) if isinstance(x, tuple | list) else (x,)
    return given * rank if len(given) == 1 else given


def windows(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, fill: Any = 0) -> Any:
    """The last axes as places of windows, and new last axes for the places in a window."""
    lead = len(x.shape) - len(kernel)
    x = padded(x, [(0, 0)] * lead + [(p, p) for p in padding], fill)
    if all(n == 1 for n in (*stride, *dilation)):
        return WINDOWS["sliding_window_view"](x, tuple(kernel), tuple(range(lead, len(x.shape))))
    return strided_windows(x, tuple(kernel), tuple(stride), tuple(dilation))


# --- convolutions ----------------------------------------------------------------------------------


@aten("convolution", "convolution_overrideable", where="strides: sizes for which the number of windows can be read off")
def convolution(
    x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool, output_padding: Any,
    groups: Any,
) -> Any:  # fmt: skip
    rank = len(weight.shape) - 2
    stride, padding, dilation = each(stride, rank), each(padding, rank), each(dilation, rank)
    if transposed:
        found = spread(x, weight, stride, padding, dilation, each(output_padding, rank), groups)
    else:
        found = correlated(windows(x, weight.shape[2:], stride, padding, dilation), weight, groups)
    return found if bias is None else np.add(found, np.reshape(bias, (bias.shape[0], *(1,) * rank)))


def spread(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, more: Any, groups: Any) -> Any:
    """The transpose of `correlated` by x: each entry adds its multiple of the filter where its window lies."""
    kernel, rank = weight.shape[2:], len(weight.shape) - 2
    places, inside = "pqr"[:rank], "uvw"[:rank]
    if isinstance(groups, int) and groups == 1:
        parts = np.einsum(f"nc{places},co{inside}->no{places}{inside}", x, weight)
    else:
        n, c, *rest = x.shape
        apart = np.reshape(x, (n, groups, c // groups, *rest))
        filters = np.reshape(weight, (groups, weight.shape[0] // groups, *weight.shape[1:]))
        found = np.einsum(f"ngc{places},gco{inside}->ngo{places}{inside}", apart, filters)
        parts = np.reshape(found, (n, groups * weight.shape[1], *found.shape[3:]))
    sizes = zip(x.shape[2:], kernel, stride, dilation, more, strict=True)
    full = [(h - 1) * s + d * (k - 1) + 1 + extra for h, k, s, d, extra in sizes]
    axes = tuple(range(2, 2 + rank))
    out = added_windows(parts, np.zeros((*parts.shape[:2], *full)), axes, tuple(stride), tuple(dilation))
    cut = tuple(slice(p, n - p) for p, n in zip(padding, full, strict=True))
    return out if all(p == 0 for p in padding) else out[(slice(None), slice(None), *cut)]


# --- pooling -----------------------------------------------------------------------------------------


def pooled(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, rank: int, ceil_mode: bool, fill: Any) -> Any:
    if ceil_mode:
        raise TraceError("pooling with ceil_mode: some windows are cut at the border")
    kernel = each(kernel, rank)
    stride = each(stride, rank) if stride not in ((), None) else kernel
    return windows(x, kernel, stride, each(padding, rank), each(dilation, rank), fill)


def inner(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def refused_places() -> Any:
    raise TraceError("the indices of max pooling depend on the data")


def max_pooling(rank: int) -> Any:
    """The maxima, and the places where they are, which nothing may ask for."""

    def run(x: Any, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Any:
        found = np.max(pooled(x, kernel, stride, padding, dilation, rank, ceil_mode, -np.inf), axis=inner(rank))
        return found, later(found, refused_places)

    return run


def average_pooling(rank: int) -> Any:
    def run(
        x: Any, kernel: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        seen = pooled(x, kernel, stride, padding, 1, rank, ceil_mode, 0)
        if not count_include_pad and any(p != 0 for p in each(padding, rank)):
            raise TraceError("average pooling that leaves the padding out of the count")
        total = np.sum(seen, axis=inner(rank))
        return np.divide(total, prod(each(kernel, rank)) if divisor_override is None else divisor_override)

    return run


for _n in (1, 2, 3):
    aten(f"max_pool{_n}d_with_indices", where="ceil_mode: no")(max_pooling(_n))
    aten(f"avg_pool{_n}d", where="ceil_mode: no; count_include_pad: with padding")(average_pooling(_n))


@aten("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", where="to one entry an axis")
def adaptive_average(x: Any, size: Any) -> Any:
    if any(not isinstance(n, int) or n != 1 for n in size):
        raise TraceError("adaptive pooling to more than one entry an axis")
    return np.mean(x, axis=inner(len(size)), keepdims=True)


ATEN.refuses("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward", "upsample_bilinear2d",
             "grid_sampler", "grid_sampler_2d", "adaptive_max_pool2d", because="is not modelled")  # fmt: skip
