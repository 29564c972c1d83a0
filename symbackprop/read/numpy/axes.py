"""Shapes and axes of arrays: what conforms, and which entries stand beside which."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from symbackprop.core.terms import Index, IndexExpr, Size, affine, at_least_zero, dummy, sized

from .context import ShapeMismatch, TraceError, current
from .places import ZERO_AT

At: TypeAlias = tuple[IndexExpr, ...]
Shape: TypeAlias = tuple[Size, ...]
UNIT = sized(1)


def shape_text(shape: Sequence[Size]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def conflict(s: Size, t: Size) -> str:
    if at_least_zero(s - t - 1) or at_least_zero(t - s - 1):
        return f"{s} is not {t}"
    return f"{s} = {t} is not known for all sizes"


def missing_axis(shapes: Sequence[Shape]) -> str:
    """(B,) goes with (B, D) as (B, 1): a sum without keepdims."""
    long = max(shapes, key=len)
    short = next((s for s in shapes if s and len(s) < len(long) and s == long[: len(s)]), None)
    return "" if short is None else f"{shape_text(short)} is broadcast along the wrong axis: keep its axis in front"


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's rule: equal sizes conform and 1 stretches."""
    result: list[Size] = []
    for k in range(1, max(map(len, shapes), default=0) + 1):
        size = UNIT
        for shape in shapes:
            if len(shape) < k or shape[-k] in (UNIT, size):
                continue
            if size != UNIT:
                text = f"shapes {' and '.join(map(shape_text, shapes))} do not broadcast: {conflict(size, shape[-k])}"
                raise ShapeMismatch(text, missing_axis(shapes))
            size = shape[-k]
        result.insert(0, size)
    return tuple(result)


def aligned(shape: Shape, at: At) -> At:
    """The index of an operand of this shape for the index of the broadcast result."""
    tail = at[len(at) - len(shape) :]
    return tuple(ZERO_AT if s == UNIT else e for s, e in zip(shape, tail, strict=True))


def somewhere(shape: Shape) -> At:
    """A place of an array, any one: an index of its own for each axis."""
    return tuple(ZERO_AT if s == UNIT else dummy(s) for s in shape)


def axis_index(size: Size) -> tuple[tuple[Index, ...], IndexExpr]:
    """Indices that together run over an axis: none where it has one entry, several where it was merged from several."""
    if size == UNIT:
        return (), ZERO_AT
    factors = current().merged.get(size, (size,))
    dummies = tuple(dummy(s) for s in factors)
    place: IndexExpr = ZERO_AT
    for i in dummies:
        place = affine(0, [(place, i.size), (i, 1)])
    return dummies, place


def normal_axis(axis: int, ndim: int) -> int:
    if not isinstance(axis, int):
        raise TraceError(f"an axis is a whole number, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise TraceError(f"axis {axis} of an array with {ndim} axes")
    return axis % ndim


def normal_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple | list):
        axes = tuple(normal_axis(a, ndim) for a in axis)
        if len(set(axes)) != len(axes):
            raise TraceError("an axis is named twice")
        return axes
    return (normal_axis(axis, ndim),)  # type: ignore[arg-type]


def over_axes(shape: Shape, axes: Collection[int], keepdims: bool, at: At) -> tuple[tuple[Index, ...], At]:
    """Indices that run over these axes, and with them the place in the whole array, for a place in what is folded."""
    outer = [e for k, e in enumerate(at) if k not in axes] if keepdims else list(at)
    indices: list[Index] = []
    full: list[IndexExpr] = []
    for k, size in enumerate(shape):
        dummies, place = axis_index(size) if k in axes else ((), outer.pop(0))
        indices += dummies
        full.append(place)
    return tuple(indices), tuple(full)


def without(shape: Shape, axes: Collection[int], keepdims: bool) -> Shape:
    return tuple(UNIT if k in axes else s for k, s in enumerate(shape) if keepdims or k not in axes)
