"""np.roll, np.pad, np.tril, np.diag, np.where, np.take, ...: functions that move or choose entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbackprop.core.terms import ONE, IndexExpr, Size, Term, affine, sized

from .algebra import between, times
from .arranging import swapaxes, viewed
from .array import SymArray, wrap
from .axes import (
    UNIT, ZERO_AT, At, at_least_zero, constant_of, index_of, normal_axes, normal_axis, quotient_and_rest,
    shape_text, shifted,
)  # fmt: skip
from .context import NUMPY, WINDOWS, ShapeMismatch, TraceError, provides, rows
from .elementwise import where as chosen_where
from .layout import reshape
from .lifting import expression, length_of, lengths, lifted, size_number, size_of
from .steps import complement, truth
from .values import ORDER, Piece, Value, pieced


@provides("flip")
def flip(x: Any, axis: Any = None) -> Any:
    turned = set(normal_axes(axis, lifted(x).ndim))

    def turn(v: Value) -> Value:
        def f(at: At) -> At:
            return tuple(affine(v.shape[k] - 1, [(e, -1)]) if k in turned else e for k, e in enumerate(at))

        return v.remap(v.shape, f)

    return viewed(x, turn, lambda old, new: turn(new))


@provides("rot90")
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    a, b = axes
    match k % 4:
        case 0:
            return viewed(x, lambda v: v, lambda old, new: new, True)
        case 1:
            return swapaxes(flip(x, b), a, b)
        case 2:
            return flip(x, (a, b))
        case _:
            return flip(swapaxes(x, a, b), b)


@provides("roll", shift="at most the size of the axis, for all sizes")
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return NUMPY["reshape"](rolled(NUMPY["reshape"](x, -1), shift, 0), NUMPY["shape"](x))
    shifts = list(shift) if isinstance(shift, tuple | list) else [shift]
    axes = list(axis) if isinstance(axis, tuple | list) else [axis]
    for s, a in zip(shifts * len(axes) if len(shifts) == 1 else shifts, axes, strict=True):
        x = rolled(NUMPY["asarray"](x), s, a)
    return x


def rolled(x: SymArray, shift: Any, axis: int) -> Any:
    """Entry i is x[(i - shift) mod n], for 0 <= shift <= n or -n <= shift <= 0."""
    n = normal_axis(axis, x.ndim)
    by, size = size_of(shift, "the shift"), x.value.shape[n]
    if by.constant is not None and size.constant:
        by = sized(by.constant % size.constant)
    if at_least_zero(-by):
        by = by + size
    if not (at_least_zero(by) and at_least_zero(size - by)):
        raise TraceError(f"roll by {by} of an axis of {size}: that the shift is at most the size is not known")
    cut, lead = size_number(size - by), (slice(None),) * n
    return NUMPY["concatenate"]([x[(*lead, slice(cut, None))], x[(*lead, slice(None, cut))]], n)


@provides("tile")
def tile(A: Any, reps: Any) -> Any:
    x, times_over = NUMPY["asarray"](A), tuple(map(size_number, lengths(reps, "the repetitions")))
    sizes = (1,) * (len(times_over) - x.ndim) + x.shape
    times_over = (1,) * (len(sizes) - len(times_over)) + times_over
    apart = NUMPY["reshape"](x, tuple(n for s in sizes for n in (1, s)))
    wide = NUMPY["broadcast_to"](apart, tuple(n for pair in zip(times_over, sizes, strict=True) for n in pair))
    return NUMPY["reshape"](wide, tuple(r * s for r, s in zip(times_over, sizes, strict=True)))


@provides("repeat", method=True, repeats="one number for all entries")
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    v, count = lifted(a), length_of(repeats, "the repetitions")
    if axis is None:
        v, axis = reshape(v, [None]), 0
    n = normal_axis(axis, v.ndim)
    wide = v.remap((*v.shape[: n + 1], count, *v.shape[n + 1 :]), lambda at: (*at[: n + 1], *at[n + 2 :]))
    return wrap(reshape(wide, [*v.shape[:n], v.shape[n] * count, *v.shape[n + 1 :]]))


@provides("pad", mode="constant", constant_values="one number")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant":
        raise TraceError(f"np.pad in mode {mode!r}")
    value, fill = lifted(x), lifted(constant_values)
    if fill.ndim:
        raise TraceError("np.pad with several constants")
    if ORDER[fill.dtype] > ORDER[value.dtype]:
        raise TraceError(f"np.pad of {value.dtype} numbers with a {fill.dtype} number, which is cut to fit")
    return wrap(padded(value, pad_widths(pad_width, value.ndim), fill))


def pad_widths(given: Any, ndim: int) -> list[Any]:
    if expression(given) is not None:
        size = length_of(given, "a pad width")
        return [(size, size)] * ndim
    rows = list(given)
    if all(expression(r) is not None for r in rows):
        pair = [length_of(r, "a pad width") for r in rows]
        return [(pair[0], pair[-1])] * ndim
    found = [tuple(length_of(s, "a pad width") for s in (r if isinstance(r, tuple | list) else (r,))) for r in rows]
    found = [(f[0], f[-1]) for f in found]
    return found * ndim if len(found) == 1 else found


def padded(v: Value, widths: Sequence[tuple[Size, Size]], fill: Value) -> Value:
    """The fill may be -inf, and so may entries of `v`."""
    shape = tuple(b + s + a for s, (b, a) in zip(v.shape, widths, strict=True))

    def pieces(at: At) -> list[Piece]:
        mask: Term = ONE
        inner: list[IndexExpr] = []
        for e, s, (before, _) in zip(at, v.shape, widths, strict=True):
            place = shifted(e, -before)
            mask = times(mask, between(place, s))
            inner.append(ZERO_AT if s == UNIT else place)
        return [(mask, v, tuple(inner)), (complement(mask), fill, ())]

    return pieced(shape, v.dtype, (v, fill), pieces)


# --- triangles and diagonals -----------------------------------------------------------------


def below(m: Any, k: Any) -> Any:
    """A mask of the entries on and below a diagonal."""
    return NUMPY["tri"](*NUMPY["shape"](m)[-2:], k=k, dtype=bool)


def beside(k: Size) -> tuple[Size, Size]:
    """Where a diagonal begins: its first row and column."""
    return (sized(0), k) if at_least_zero(k) else (-k, sized(0))


@provides("diag")
def diag(v: Any, k: Any = 0) -> Any:
    """The k-th diagonal, or the matrix that has these entries there."""
    value, place = lifted(v), size_of(k, "the diagonal")
    if value.ndim == 2:
        return diagonal(v, k)
    if value.ndim != 1:
        raise ShapeMismatch(f"diag of shape {shape_text(value.shape)}: one or two axes are needed")
    if not (at_least_zero(place) or at_least_zero(-place)):
        raise TraceError(f"the sign of the diagonal {place} is not known")
    down, across = beside(place)
    result = NUMPY["zeros"]((size_number(value.shape[0] + down + across),) * 2, dtype=NUMPY["dtype_of"](value.dtype))
    k = NUMPY["arange"](size_number(value.shape[0]))
    result[k + size_number(down), k + size_number(across)] = SymArray(value)
    return result


@provides("diagonal", method=True)
def diagonal(a: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1) -> Any:
    k = size_of(offset, "the diagonal")
    return viewed(a, lambda v: diagonal_of(v, k, axis1, axis2), None)


def diagonal_of(v: Value, k: Size, a: int, b: int) -> Value:
    first, second = normal_axis(a, v.ndim), normal_axis(b, v.ndim)
    rows, columns = v.shape[first], v.shape[second]
    down, across = beside(k)
    p, q = rows - down, columns - across
    size = p if at_least_zero(q - p) else q if at_least_zero(p - q) else None
    if size is None or not at_least_zero(size):
        raise TraceError(f"diagonal of shape {shape_text(v.shape)}: which of 0, {p} and {q} is smaller is not known")
    rest = [k for k in range(v.ndim) if k not in (first, second)]

    def f(at: At) -> At:
        full: list[IndexExpr] = [ZERO_AT] * v.ndim
        for k, e in zip(rest, at[:-1], strict=True):
            full[k] = e
        full[first], full[second] = shifted(at[-1], down), shifted(at[-1], across)
        return tuple(full)

    return v.remap((*(v.shape[k] for k in rest), size), f)


@provides("sliding_window_view", table=WINDOWS, x="axes known to be as long as the window")
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    sizes = lengths(window_shape, "a window")
    axes: Sequence[int] = range(len(sizes)) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return viewed(x, lambda v: windows(v, sizes, axes), None)


def windows(
    v: Value, sizes: Sequence[Size], axes: Sequence[int], stride: Sequence[int] = (), dilation: Sequence[int] = ()
) -> Value:
    """x[..., s i + d j, ...] along these axes, with the places j as new last axes."""
    places = [normal_axis(k, v.ndim) for k in axes]
    steps = list(zip(places, sizes, stride or (1,) * len(sizes), dilation or (1,) * len(sizes), strict=True))
    shape = list(v.shape)
    for k, w, s, d in steps:
        shape[k] = windows_in(shape[k], w, s, d)

    def f(at: At) -> At:
        full = list(at[: v.ndim])
        for (k, _, s, d), j in zip(steps, at[v.ndim :], strict=True):
            full[k] = affine(0, [(full[k], s), (j, d)])
        return tuple(full)

    return v.remap((*shape, *sizes), f)


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


# --- choices ---------------------------------------------------------------------------------


def array_of(value: Value) -> Any:
    """An array also where it has no axes: two names may hold it."""
    return SymArray(value) if value.dtype == "real" else wrap(value)


@provides("where", x="given, with y")
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        raise TraceError("np.where with one argument gives positions that depend on the data")
    return array_of(chosen_where(lifted(condition), lifted(x), lifted(y)))


@provides("select")
def select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = lifted(default)
    for c, v in reversed(list(zip(conditions, choices, strict=True))):
        result = chosen_where(lifted(c), lifted(v), result)
    return array_of(result)


@provides("piecewise")
def piecewise(x: Any, conditions: Any, functions: Any) -> Any:
    choices = [f(x) if callable(f) else f for f in functions]
    default = choices.pop() if len(choices) > len(conditions) else 0
    return wrap(lifted(select([wrap(truth(lifted(c))) for c in conditions], choices, default)))


@provides("take", method=True)
def take(x: Any, indices: Any, axis: Any = None) -> Any:
    source = SymArray(lifted(x) if axis is not None else lifted(NUMPY["ravel"](x)))
    if isinstance(indices, list | tuple):
        indices = NUMPY["array"](indices)
    n = 0 if axis is None else normal_axis(axis, source.ndim)
    return wrap(lifted(source[(slice(None),) * n + (indices,)]))


def places(count: Any, axis: int, ndim: int) -> Any:
    """0, 1, ... count-1 along one of `ndim` axes."""
    return NUMPY["reshape"](NUMPY["arange"](count), tuple(-1 if k == axis else 1 for k in range(ndim)))


def along(x: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    value, given = lifted(x), lifted(indices)
    n = normal_axis(axis, value.ndim)
    if given.ndim != value.ndim:
        raise ShapeMismatch("take_along_axis needs as many axes in the indices as in the array")
    for k, s in enumerate(value.shape):
        if k != n and given.shape[k] not in (s, sized(1)) and not at_least_zero(s - given.shape[k]):
            raise TraceError(f"take_along_axis of shapes {shape_text(value.shape)} and {shape_text(given.shape)}")
    return tuple(
        SymArray(given) if k == n else places(size_number(s), k, value.ndim) for k, s in enumerate(value.shape)
    )


@provides("put_along_axis")
def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> None:
    x[along(x, indices, axis)] = values


@provides("diff", composed=True, x="not booleans, of which NumPy takes exclusive or")
def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    if not isinstance(n, int) or n < 1:
        raise TraceError(f"np.diff taken {n!r} times")
    for _ in range(n):
        k = normal_axis(axis, lifted(x).ndim)
        source, lead = NUMPY["asarray"](x), (slice(None),) * k
        x = NUMPY["subtract"](source[(*lead, slice(1, None))], source[(*lead, slice(None, -1))])
    return x


rows({
    "fliplr": lambda m: flip(m, 1),
    "flipud": lambda m: flip(m, 0),
    "tril": lambda m, k=0: where(below(m, k), m, NUMPY["zeros_like"](m)),
    "triu": lambda m, k=0: where(below(m, k - 1), NUMPY["zeros_like"](m), m),
    "diagflat": lambda v, k=0: diag(NUMPY["ravel"](v), k),
    "take_along_axis": lambda arr, indices, axis=-1: NUMPY["asarray"](arr)[along(arr, indices, axis)],
})  # fmt: skip
