"""What libraries have and NumPy has no name for: windows with strides, their products with filters, padding that cuts,
and the transposes of reading entries and of windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbackprop.core.terms import Delta, Term, affine, dummy, over

from .algebra import times
from .array import SymArray
from .axes import At
from .context import NUMPY, noted
from .lifting import lifted, size_of
from .moving import windows
from .values import Value


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
    return SymArray(windows(v, widths, range(v.ndim - len(widths), v.ndim), stride, dilation))


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


def padded(x: Any, widths: Sequence[tuple[Any, Any]], fill: Any) -> Any:
    """Entries before and after those of each axis; negative numbers cut entries off."""
    if any(negative(e) for pair in widths for e in pair):
        x = x[tuple(slice(-a if negative(a) else None, b if negative(b) else None) for a, b in widths)]
    grown = [tuple(0 if negative(e) else e for e in pair) for pair in widths]
    if all(isinstance(e, int) and e == 0 for pair in grown for e in pair):
        return NUMPY["copy"](x)
    return NUMPY["pad"](x, grown, constant_values=fill)


def negative(n: Any) -> bool:
    return isinstance(n, int) and n < 0


def correlated(patches: Any, w: Any, channels: Any = 1, samples: Any = 1) -> Any:
    """Windows times filters: (samples, channels, places, inside) and (channels of the result, channels, inside).

    The channels, or the samples, and the filters may stand in groups.
    """
    rank = w.ndim - 2
    out, inner = "pqrs"[:rank], "uvwx"[:rank]
    if all(isinstance(n, int) and n == 1 for n in (channels, samples)):
        return NUMPY["einsum"](f"nc{out}{inner},oc{inner}->no{out}", patches, w)
    n, c, *places = patches.shape
    groups, first = (samples, "gnc") if isinstance(channels, int) and channels == 1 else (channels, "ngc")
    shape = (groups, n // groups, c, *places) if first == "gnc" else (n, groups, c // groups, *places)
    filters = NUMPY["reshape"](w, (groups, w.shape[0] // groups, *w.shape[1:]))
    found = NUMPY["einsum"](f"{first}{out}{inner},goc{inner}->ngo{out}", NUMPY["reshape"](patches, shape), filters)
    return NUMPY["reshape"](found, (found.shape[0], w.shape[0], *found.shape[3:]))
