"""Rearranging: transpose, reshape, concatenate, pad, roll, triangles, diagonals, windows."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.core.terms import ONE, Index, IndexExpr, Size, Term, affine, dummy, sized

from .algebra import between, delta, summed, times
from .axes import (
    UNIT, ZERO_AT, At, Shape, at_least_zero, conflict, exact_quotient, normal_axes, normal_axis, quotient_and_rest,
    shape_text, shifted,
)  # fmt: skip
from .context import ShapeMismatch, TraceError, current
from .values import Cell, Piece, Value, pieced, promoted


def transpose(v: Value, order: Sequence[int] | None = None) -> Value:
    order = [normal_axis(k, v.ndim) for k in order] if order is not None else list(range(v.ndim))[::-1]
    if sorted(order) != list(range(v.ndim)):
        raise TraceError(f"transpose to {tuple(order)} of an array with {v.ndim} axes")
    back = [order.index(k) for k in range(v.ndim)]
    return v.remap(tuple(v.shape[k] for k in order), lambda at: tuple(at[k] for k in back))


def inverse_order(order: Sequence[int]) -> list[int]:
    return [list(order).index(k) for k in range(len(order))]


def moved(ndim: int, source: Sequence[int], target: Sequence[int]) -> list[int]:
    """The axis order of np.moveaxis."""
    a, b = [normal_axis(k, ndim) for k in source], [normal_axis(k, ndim) for k in target]
    order = [k for k in range(ndim) if k not in a]
    for place, axis in sorted(zip(b, a, strict=True)):
        order.insert(place, axis)
    return order


def expand(v: Value, axes: Sequence[int]) -> Value:
    ndim = v.ndim + len(axes)
    new = set(normal_axes(tuple(axes), ndim))
    sizes = iter(v.shape)
    shape = tuple(UNIT if k in new else next(sizes) for k in range(ndim))
    return v.remap(shape, lambda at: tuple(e for k, e in enumerate(at) if k not in new))


def squeezed_axes(v: Value, axis: int | Sequence[int] | None) -> tuple[int, ...]:
    if axis is None:
        for s in v.shape:
            if s != UNIT and not at_least_zero(s - 2) and s != sized(0):
                raise TraceError(f"squeeze without an axis of shape {shape_text(v.shape)} drops more where {s} = 1")
        return tuple(k for k, s in enumerate(v.shape) if s == UNIT)
    axes = normal_axes(axis, v.ndim)
    for k in axes:
        if v.shape[k] != UNIT:
            raise ShapeMismatch(f"squeeze of axis {k} of shape {shape_text(v.shape)}: its size is not 1")
    return axes


def squeeze(v: Value, axis: int | Sequence[int] | None) -> Value:
    gone = set(squeezed_axes(v, axis))

    def full(at: At) -> At:
        rest = iter(at)
        return tuple(ZERO_AT if k in gone else next(rest) for k in range(v.ndim))

    return v.remap(tuple(s for k, s in enumerate(v.shape) if k not in gone), full)


# --- reshape ---------------------------------------------------------------------------------


def size_product(shape: Sequence[Size]) -> Size:
    size = sized(1)
    for s in shape:
        size = size * s
    return size


def completed(old: Shape, new: Sequence[Size | None]) -> Shape:
    """The new shape with its -1 (None here) computed."""
    given = tuple(s for s in new if s is not None)
    total, rest = size_product(old), size_product(given)
    if None not in new:
        if rest != total:
            raise ShapeMismatch(f"reshape of {shape_text(old)} to {shape_text(given)}: {conflict(total, rest)}")
        return given
    if list(new).count(None) > 1:
        raise TraceError("only one size of a reshape can be -1")
    quotient = exact_quotient(total, rest)
    if not at_least_zero(rest - 1):
        raise TraceError(f"reshape with -1 beside {rest}, which may be 0 for some sizes")
    if quotient is None:
        raise ShapeMismatch(f"reshape of {shape_text(old)}: {total} is not a multiple of {rest} for all sizes")
    return tuple(quotient if s is None else s for s in new)


def reshape(v: Value, new: Sequence[Size | None]) -> Value:
    """Row-major.  Axes are matched in groups of equal product, so that only what is merged or split is rewritten."""
    shape = completed(v.shape, new)
    if shape == v.shape:
        return v
    groups = matched(v.shape, shape)
    for olds, news in groups:
        old_sizes, new_sizes = [v.shape[k] for k in olds], [shape[k] for k in news]
        for many, one in ((old_sizes, new_sizes), (new_sizes, old_sizes)):
            factors = tuple(s for s in many if s != UNIT)
            if len(factors) > 1 and len(one) == 1 and one[0].constant is None:
                current().merged.setdefault(one[0], factors)

    def spread(at: At) -> tuple[tuple[Index, ...], Term, At]:
        """Old indices; where some cannot be read off, dummies for them and the mask that says which they are."""
        full: list[IndexExpr] = [ZERO_AT] * v.ndim
        dummies: tuple[Index, ...] = ()
        mask: Term = ONE
        for olds, news in groups:
            flat = flattened([at[k] for k in news], [shape[k] for k in news])
            sizes = [v.shape[k] for k in olds]
            found = unravelled(flat, sizes)
            if found is None:
                found = [dummy(s) if s != UNIT else ZERO_AT for s in sizes]
                dummies += tuple(i for i in found if isinstance(i, Index))
                mask = times(mask, delta(flat, flattened(found, sizes)))
            for k, e in zip(olds, found, strict=True):
                full[k] = e
        return dummies, mask, tuple(full)

    def entry(at: At) -> Cell:
        dummies, mask, full = spread(at)
        return v.chosen(dummies, mask, full) if dummies else v.entry(full)

    def hole(at: At) -> Term:
        dummies, mask, full = spread(at)
        return summed(dummies, times(mask, v.hole(full)))

    return Value(shape, v.dtype, entry, v.holes_of(hole), v.soft)


def matched(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """Smallest runs of axes with equal products, in order."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        found = None
        for width in range(1, len(old) - i + len(new) - j + 1):
            for p in range(max(0, width - (len(new) - j)), min(width, len(old) - i) + 1):
                q = width - p
                if (p or q) and size_product(old[i : i + p]) == size_product(new[j : j + q]):
                    found = (p, q)
                    break
            if found:
                break
        assert found is not None, "the products of both shapes are equal"
        p, q = found
        groups.append((list(range(i, i + p)), list(range(j, j + q))))
        i, j = i + p, j + q
    return groups


def flattened(indices: Sequence[IndexExpr], sizes: Sequence[Size]) -> IndexExpr:
    flat: IndexExpr = ZERO_AT
    for e, s in zip(indices, sizes, strict=True):
        flat = affine(0, [(flat, s), (e, 1)])
    return flat


def unravelled(flat: IndexExpr, sizes: Sequence[Size]) -> list[IndexExpr] | None:
    """The indices whose row-major number is `flat`, when they can be read off."""
    found: list[IndexExpr] = []
    for s in list(sizes)[:0:-1]:
        if s == UNIT:
            found.insert(0, ZERO_AT)
            continue
        parts = quotient_and_rest(flat, s)
        if parts is None:
            return None
        flat, rest = parts
        found.insert(0, rest)
    return [flat, *found] if sizes else []


# --- joining ---------------------------------------------------------------------------------


def concatenate(values: Sequence[Value], axis: int) -> Value:
    n = normal_axis(axis, values[0].ndim)
    ends: list[Size] = []
    size = sized(0)
    for v in values:
        if v.ndim != values[0].ndim:
            raise ShapeMismatch("concatenate needs arrays with the same number of axes")
        for k, (s, t) in enumerate(zip(values[0].shape, v.shape, strict=True)):
            if k != n and s != t:
                shapes = " and ".join(shape_text(u.shape) for u in values)
                raise ShapeMismatch(f"concatenate of shapes {shapes}: {conflict(s, t)}")
        ends.append(size)
        size = size + v.shape[n]
    shape = (*values[0].shape[:n], size, *values[0].shape[n + 1 :])

    def pieces(at: At) -> list[Piece]:
        found = []
        for v, start in zip(values, ends, strict=True):
            e = shifted(at[n], -start)
            mask = delta(e, ZERO_AT) if v.shape[n] == UNIT else between(e, v.shape[n])
            found.append((mask, v, (*at[:n], ZERO_AT if v.shape[n] == UNIT else e, *at[n + 1 :])))
            if mask == ONE:
                return found[-1:]
        return found

    return pieced(shape, promoted(*values), values, pieces)
