"""Padding, rolling, tiling, triangles, diagonals, windows and convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .algebra import (
    ONE,
    ZERO,
    ZERO_AT,
    IndexExpr,
    Size,
    Term,
    affine,
    at_least_zero,
    between,
    complement,
    delta,
    difference,
    dummy,
    gate,
    index_of,
    plus,
    quotient_and_rest,
    shifted,
    sized,
    summed,
    times,
)
from .context import ShapeMismatch, TraceError
from .factors import multiplied
from .layout import reshape
from .reductions import normal_axes, normal_axis
from .values import UNIT, At, Value, all_soft, finite, promoted, shape_text


def pad(v: Value, widths: Sequence[tuple[Size, Size]], fill: Value) -> Value:
    """The fill may be -inf, and so may entries of `v`."""
    shape = tuple(b + s + a for s, (b, a) in zip(v.shape, widths, strict=True))

    def entry(at: At, of: Callable[[Value, At], Term]) -> Term:
        mask: Term = ONE
        inner: list[IndexExpr] = []
        for e, s, (before, _) in zip(at, v.shape, widths, strict=True):
            place = shifted(e, -before)
            mask = times(mask, between(place, s))
            inner.append(ZERO_AT if s == UNIT else place)
        if mask == ZERO:
            return of(fill, ())
        return plus(times(mask, of(v, tuple(inner))), times(complement(mask), of(fill, ())))

    hole = (lambda at: entry(at, Value.hole)) if v.holes or fill.holes else None
    return Value(shape, v.dtype, lambda at: entry(at, Value.term), None, hole, soft=all_soft(v, fill))


def flip(v: Value, axes: Sequence[int]) -> Value:
    turned = set(normal_axes(tuple(axes), v.ndim))

    def f(at: At) -> At:
        return tuple(affine(v.shape[k] - 1, [(e, -1)]) if k in turned else e for k, e in enumerate(at))

    return v.remap(v.shape, f)


def roll(v: Value, shift: Size, axis: int) -> Value:
    """Entry i is x[(i - shift) mod n], for 0 <= shift <= n or -n <= shift <= 0."""
    n = normal_axis(axis, v.ndim)
    size = v.shape[n]
    s, m = shift.constant, size.constant
    if s is not None and m:
        shift = sized(s % m)
    if at_least_zero(-shift):
        shift = shift + size
    if not (at_least_zero(shift) and at_least_zero(size - shift)):
        raise TraceError(f"roll by {shift} of an axis of {size}: that the shift is at most the size is not known")
    first = v.remap(v.shape, lambda at: (*at[:n], shifted(at[n], -shift), *at[n + 1 :]))
    second = v.remap(v.shape, lambda at: (*at[:n], shifted(at[n], size - shift), *at[n + 1 :]))

    def term(at: At) -> Term:
        mask = gate(shifted(at[n], -shift))
        if mask in (ONE, ZERO):
            return (first if mask == ONE else second).term(at)
        return plus(times(mask, first.term(at)), times(complement(mask), second.term(at)))

    return Value(v.shape, v.dtype, term)


def tile(v: Value, repeats: Sequence[Size]) -> Value:
    ndim = max(v.ndim, len(repeats))
    sizes = (UNIT,) * (ndim - v.ndim) + v.shape
    times_over = (UNIT,) * (ndim - len(repeats)) + tuple(repeats)
    wide = v.remap(sizes, lambda at: at[ndim - v.ndim :])
    paired = wide.remap(
        tuple(s for pair in zip(times_over, sizes, strict=True) for s in pair), lambda at: tuple(at[1::2])
    )
    return reshape(paired, [r * s for r, s in zip(times_over, sizes, strict=True)])


def repeat(v: Value, count: Size, axis: int) -> Value:
    n = normal_axis(axis, v.ndim)
    wide = v.remap((*v.shape[: n + 1], count, *v.shape[n + 1 :]), lambda at: (*at[: n + 1], *at[n + 2 :]))
    return reshape(wide, [*v.shape[:n], v.shape[n] * count, *v.shape[n + 1 :]])


# --- triangles and diagonals -----------------------------------------------------------------


def masked(v: Value, mask: Callable[[At], Term]) -> Value:
    hole = (lambda at: times(mask(at), v.hole(at))) if v.holes else None

    def term(at: At) -> Term:
        m = mask(at)
        return ZERO if m == ZERO else times(m, v.term(at))

    return Value(v.shape, v.dtype, term, None, hole, soft=v.soft)


def lower_triangle(v: Value, k: Size) -> Value:
    """Entries with column <= row + k."""
    wide = v if v.ndim != 1 else v.remap((v.shape[0], v.shape[0]), lambda at: at[1:])
    return masked(wide, lambda at: gate(shifted(difference(at[-2], at[-1]), k)))


def upper_triangle(v: Value, k: Size) -> Value:
    wide = v if v.ndim != 1 else v.remap((v.shape[0], v.shape[0]), lambda at: at[1:])
    return masked(wide, lambda at: gate(shifted(difference(at[-1], at[-2]), -k)))


def diagonal_matrix(v: Value, k: Size) -> Value:
    """v on the k-th diagonal."""
    down = sized(0) if at_least_zero(k) else -k
    across = k if at_least_zero(k) else sized(0)
    if not (at_least_zero(k) or at_least_zero(-k)):
        raise TraceError(f"the sign of the diagonal {k} is not known")
    n = v.shape[0] + down + across

    def term(at: At) -> Term:
        place = shifted(at[0], -down)
        mask = times(delta(shifted(at[0], k), at[1]), between(place, v.shape[0]) if k.monomials else ONE)
        return ZERO if mask == ZERO else times(v.term((place,)), mask)

    return Value((n, n), v.dtype, term)


def diagonal(v: Value, k: Size, a: int, b: int) -> Value:
    first, second = normal_axis(a, v.ndim), normal_axis(b, v.ndim)
    rows, columns = v.shape[first], v.shape[second]
    down = sized(0) if at_least_zero(k) else -k
    across = k if at_least_zero(k) else sized(0)
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


def windows(v: Value, sizes: Sequence[Size], axes: Sequence[int]) -> Value:
    """sliding_window_view: x[..., i + w, ...] with the window axes last."""
    places = [normal_axis(k, v.ndim) for k in axes]
    shape = list(v.shape)
    for k, w in zip(places, sizes, strict=True):
        shape[k] = shape[k] - w + 1
        if not at_least_zero(shape[k] - 1):
            raise ShapeMismatch(f"a window of {w} is larger than the axis of {v.shape[k]} for some sizes")

    def f(at: At) -> At:
        full = list(at[: v.ndim])
        for k, e in zip(places, at[v.ndim :], strict=True):
            full[k] = affine(0, [(full[k], 1), (e, 1)])
        return tuple(full)

    return v.remap((*shape, *sizes), f)


def convolve(x: Value, w: Value, mode: str) -> Value:
    """Σ_k x[k] w[i-k], NumPy's three modes."""
    finite(x), finite(w)
    if x.ndim == 0 or w.ndim == 0:
        raise TraceError("convolve and correlate of a number")
    if x.ndim != 1 or w.ndim != 1:
        raise ShapeMismatch("convolve and correlate need arrays with one axis")
    kind = promoted(x, w)
    if kind in ("bool", "narrow"):
        raise TraceError("convolve of booleans or of narrow integers")
    if not all(at_least_zero(v.shape[0] - 1) for v in (x, w)):
        raise TraceError("convolve of an array that may be empty")
    n, m = x.shape[0], w.shape[0]
    if mode != "full" and not at_least_zero(n - m):
        if not at_least_zero(m - n):
            raise TraceError(f"convolve in mode {mode!r}: which of {n} and {m} is larger is not known")
        x, w, n, m = w, x, m, n
    if mode == "full":
        start, size = sized(0), n + m - 1
    elif mode == "valid":
        start, size = m - 1, n - m + 1
    elif mode == "same":
        half = quotient_and_rest(index_of(m - 1), sized(2))
        if half is None:
            raise TraceError(f"convolve in mode 'same': write the size {m} as 2*h+1")
        start, size = half[0].constant, n  # type: ignore[union-attr]
    else:
        raise TraceError(f"convolve has no mode {mode!r}")

    def term(at: At) -> Term:
        k = dummy(m)
        place = affine(start, [(at[0], 1), (k, -1)])
        return summed((k,), times(between(place, n), multiplied(x.term((place,)), w.term((k,)))))

    return Value((size,), kind, term)
