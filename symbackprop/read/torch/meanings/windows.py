"""Convolutions and pooling: sums and maxima over windows."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TraceError, added_windows, strided_windows
from symbackprop.read.numpy.context import WINDOWS

from ..registry import aten, refuses


def each(x: Any, rank: int) -> tuple[Any, ...]:
    """An argument for every axis, of which PyTorch takes one number or an empty list as well."""
    given = tuple(x) if isinstance(x, tuple | list) else (x,)
    return given * rank if len(given) == 1 else given


def padded(x: Any, widths: Any, value: Any = 0) -> Any:
    if all(isinstance(p, int) and p == 0 for p in widths):
        return x
    lead = len(x.shape) - len(widths)
    return np.pad(x, [(0, 0)] * lead + [(p, p) for p in widths], constant_values=value)


def windows(x: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    """The last axes as places of windows, and new last axes for the places in a window."""
    lead = len(x.shape) - len(kernel)
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
        found = correlated(x, weight, stride, padding, dilation, groups)
    return found if bias is None else np.add(found, np.reshape(bias, (bias.shape[0], *(1,) * rank)))


def correlated(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    kernel = weight.shape[2:]
    seen = windows(padded(x, padding), kernel, stride, dilation)
    places, inside = letters(len(kernel))
    if isinstance(groups, int) and groups == 1:
        return np.einsum(f"nc{places}{inside},oc{inside}->no{places}", seen, weight)
    n, c, *rest = seen.shape
    apart = np.reshape(seen, (n, groups, c // groups, *rest))
    filters = np.reshape(weight, (groups, weight.shape[0] // groups, *weight.shape[1:]))
    found = np.einsum(f"ngc{places}{inside},goc{inside}->ngo{places}", apart, filters)
    return np.reshape(found, (n, weight.shape[0], *found.shape[3:]))


def letters(rank: int) -> tuple[str, str]:
    """Names for the places of windows and the places inside."""
    free = [c for c in ascii_lowercase if c not in "ngoc"]
    return "".join(free[:rank]), "".join(free[rank : 2 * rank])


def spread(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, more: Any, groups: Any) -> Any:
    """The transpose of `correlated` by x: each entry adds its multiple of the filter where its window lies."""
    kernel, rank = weight.shape[2:], len(weight.shape) - 2
    places, inside = letters(rank)
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


def pooled(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, rank: int, fill: Any) -> Any:
    kernel = each(kernel, rank)
    stride = each(stride, rank) if stride not in ((), None) else kernel
    return windows(padded(x, each(padding, rank), fill), kernel, stride, each(dilation, rank))


def inner(x: Any, rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def max_pooling(rank: int) -> Any:
    def run(x: Any, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Any:
        not_ceiling(ceil_mode)
        found = np.max(pooled(x, kernel, stride, padding, dilation, rank, -np.inf), axis=inner(x, rank))
        return found, found.value.shape

    return run


def with_places(run: Any) -> Any:
    """The maxima, and the places where they are, which nothing may ask for."""

    def both(*args: Any, **options: Any) -> Any:
        found, _ = run(*args, **options)
        from .reductions import later

        def refused() -> Any:
            raise TraceError("the indices of max pooling depend on the data")

        return found, later(found, refused)

    return both


def average_pooling(rank: int) -> Any:
    def run(
        x: Any, kernel: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: Any = None,
    ) -> Any:  # fmt: skip
        not_ceiling(ceil_mode)
        if not count_include_pad and any(p != 0 for p in each(padding, rank)):
            raise TraceError("average pooling that leaves the padding out of the count")
        total = np.sum(pooled(x, kernel, stride, padding, 1, rank, 0), axis=inner(x, rank))
        if divisor_override is not None:
            return np.divide(total, divisor_override)
        count: Any = 1
        for k in each(kernel, rank):
            count = count * k
        return np.divide(total, count)

    return run


def not_ceiling(ceil_mode: bool) -> None:
    if ceil_mode:
        raise TraceError("pooling with ceil_mode: some windows are cut at the border")


for _n in (1, 2, 3):
    aten(f"max_pool{_n}d_with_indices", where="ceil_mode: no")(with_places(max_pooling(_n)))
    aten(f"avg_pool{_n}d", where="ceil_mode: no; count_include_pad: with padding")(average_pooling(_n))


@aten("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", where="to one entry an axis")
def adaptive_average(x: Any, size: Any) -> Any:
    if any(not isinstance(n, int) or n != 1 for n in size):
        raise TraceError("adaptive pooling to more than one entry an axis")
    return np.mean(x, axis=inner(x, len(size)), keepdims=True)


refuses("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward", "upsample_bilinear2d", "grid_sampler",
        "grid_sampler_2d", "adaptive_max_pool2d", because="is not modelled")  # fmt: skip
