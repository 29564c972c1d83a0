"""Gradients of the slices that an axis was cut into, put side by side again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbackprop.core.terms import Size, sized
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import Node, Recorder, SymInt


def joined_slices(recorder: Recorder, node: Node, parts: Sequence[Any]) -> Node | None:
    """np.concatenate of the parts, where each comes from its own slice of one axis and together these are all of it."""
    pieces: dict[Size, Node] = {}
    axes = set()
    for part in parts:
        found = slice_of(part)
        if found is None:
            return None
        axis, start, values = found
        axes.add(axis)
        pieces[start] = values
    if len(axes) != 1 or len(pieces) != len(parts):
        return None
    (axis,) = axes
    ordered: list[Node] = []
    at = sized(0)
    while at in pieces:
        piece = pieces.pop(at)
        if (*piece.shape[:axis], node.shape[axis], *piece.shape[axis + 1 :]) != node.shape:
            return None
        ordered.append(piece)
        at = at + piece.shape[axis]
    if pieces or at != node.shape[axis]:
        return None
    return recorder.node_of(np.concatenate([recorder.array(p) for p in ordered], axis=axis))


def slice_of(part: Any) -> tuple[int, Size, Node] | None:
    """Axis, start and values of a gradient that was added to zeros at x[:, a:b]."""
    if not isinstance(part, Node) or part.operation != "scattered" or not isinstance(part.args[2], Node):
        return None
    key = part.args[1] if isinstance(part.args[1], tuple) else (part.args[1],)
    if any(k is Ellipsis for k in key):
        place = next(n for n, k in enumerate(key) if k is Ellipsis)
        key = (*key[:place], *(slice(None),) * (part.ndim - len(key) + 1), *key[place + 1 :])
    cut = [(k, s) for k, s in enumerate(key) if s != slice(None)]
    if len(cut) != 1 or not isinstance(cut[0][1], slice) or cut[0][1].step not in (None, 1):
        return None
    axis, s = cut[0]
    start = sized(0) if s.start is None else size_of(s.start)
    return None if start is None else (axis, start, part.args[2])


def size_of(x: Any) -> Size | None:
    from symbackprop.core.terms import as_affine

    if isinstance(x, int):
        return sized(x) if x >= 0 else None
    if isinstance(x, SymInt):
        constant, parts = as_affine(x.expr)
        return constant if not parts else None
    return None
