"""Windows with strides, and transposes that NumPy has no name for: of reading entries, and of windows."""

from __future__ import annotations

from typing import Any

from symbackprop.core.terms import Delta, Size, Term, over

from .algebra import affine, at_least_zero, constant_of, dummy, index_of, quotient_and_rest, sized, times
from .array import SymArray
from .context import NUMPY, ShapeMismatch, TraceError, noted
from .lifting import lifted
from .sizes import size_of
from .values import At, Value


@noted("scattered")
def scattered(like: Any, key: Any, values: Any) -> Any:
    """Zeros like `like` with the values added at the key; a place that the key names twice gets both."""
    target = NUMPY["zeros_like"](like)
    NUMPY["add"].at(target, key, values)
    return target


@noted("strided_windows")
def strided_windows(x: Any, kernel: tuple[Any, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
    """Windows along the last axes, x[..., s i + d j, ...], with their places j as new last axes."""
    v = lifted(x)
    widths = tuple(size_of(k, "a window") for k in kernel)
    lead = v.ndim - len(widths)
    counts = [windows_in(n, k, s, d) for n, k, s, d in zip(v.shape[lead:], widths, stride, dilation, strict=True)]

    def f(at: At) -> At:
        starts, inside = at[lead : v.ndim], at[v.ndim :]
        steps = zip(starts, stride, inside, dilation, strict=True)
        return (*at[:lead], *(affine(0, [(i, s), (j, d)]) for i, s, j, d in steps))

    return SymArray(v.remap((*v.shape[:lead], *counts, *widths), f))


def windows_in(n: Size, k: Size, stride: int, dilation: int) -> Size:
    """How many windows an axis holds: the last entries may be in none."""
    room = n - (k - 1) * dilation - 1
    if not at_least_zero(room):
        raise ShapeMismatch(f"a window over {room * -1 + n} entries is larger than the axis of {n} for some sizes")
    found = quotient_and_rest(index_of(room), sized(stride))
    count = None if found is None else constant_of(found[0])
    if count is None:
        raise TraceError(f"how many windows {stride} apart {n} entries hold: declare the size as '{stride}*n + ...'")
    return count + 1


@noted("added_windows")
def added_windows(
    windows: Any, like: Any, axes: tuple[int, ...], stride: tuple[int, ...] = (), dilation: tuple[int, ...] = ()
) -> Any:
    """Windows of these axes (their entries on the last axes) added up where they came from."""
    v, shape = lifted(windows), lifted(like).shape
    rank = len(shape)
    steps = list(zip(axes, stride or (1,) * len(axes), dilation or (1,) * len(axes), strict=True))

    def term(at: At) -> Any:
        starts, inside = {a: dummy(v.shape[a]) for a in axes}, [dummy(n) for n in v.shape[rank:]]
        places = [starts.get(k, at[k]) for k in range(rank)]
        here = [Delta(at[a], affine(0, [(starts[a], s), (j, d)])) for (a, s, d), j in zip(steps, inside, strict=True)]
        total: Term = times(v.term((*places, *inside)), *here)
        for i in reversed([*starts.values(), *inside]):
            total = over(i, total)
        return total

    return SymArray(Value(shape, "real", term))
