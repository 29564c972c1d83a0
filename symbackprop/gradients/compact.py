"""Compact forms of gradients that the rules give in many steps: softmax, normalisation and their like.

A form is proposed over a span of the graph by its values, and then proved like any other step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from symbackprop.core.terms import Size, as_affine, sized
from symbackprop.gradients.rules.registry import is_number, minus, over, plus, times
from symbackprop.gradients.sample import Sample, same
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import INPUT, Graph, Node, Recorder, SymInt
from symbackprop.read.numpy import TRACED_NUMPY as np

PRODUCTS = frozenset({"matmul", "dot", "einsum", "tensordot", "inner", "outer"})  # no span goes over them
REDUCTIONS = frozenset({"sum", "mean", "max", "var", "std", "norm", "logsumexp", "vector_norm"})
EXPONENTIALS = frozenset({"exp", "exp2", "expm1", "logsumexp", "logaddexp", "softmax", "log_softmax", "expit", "power"})
FAR = 16  # nodes of a span


def spans(
    node: Node, active: Collection[Node], readers: Mapping[Node, Sequence[Node]]
) -> Iterator[tuple[Node, list[Node]]]:
    """Ancestors of the same shape through which every path to the node goes, with what lies between, nearest first.

    Something between them joins entries along an axis.
    """
    for ancestor, between in regions(node, active, readers):
        if any(b.operation in REDUCTIONS for b in between):
            yield ancestor, between


def regions(
    node: Node, active: Collection[Node], readers: Mapping[Node, Sequence[Node]]
) -> Iterator[tuple[Node, list[Node]]]:
    """The same, whatever lies between."""
    inside = [node]
    frontier = {p for p in node.parents if p in active}
    while frontier and len(inside) < FAR:
        last = max(frontier, key=lambda n: n.number)
        between = inside[1:]
        if len(frontier) == 1 and last.shape == node.shape:
            around = {node, *between}
            if all(r in around or r not in active for b in between for r in readers[b]):
                yield last, sorted(between, key=lambda n: n.number)
        if last.operation == INPUT or last.operation in PRODUCTS:
            return
        frontier.remove(last)
        inside.append(last)
        frontier |= {p for p in last.parents if p in active}


@dataclass(frozen=True, slots=True)
class Form:
    """A gradient by an ancestor of a node n, given the gradient g by n.

    `scale` is what a normalisation divides by, or multiplies with where `inverse`.
    """

    name: str
    axis: Any
    scale: Node | None = None
    inverse: bool = False

    def of(self, xp: Any, n: Any, g: Any, scale: Any) -> Any:
        """In NumPy or in traced NumPy."""
        match self.name:
            case "softmax":
                return n * (g - xp.sum(g * n, axis=self.axis, keepdims=True))
            case "log-softmax":
                return g - xp.exp(n) * xp.sum(g, axis=self.axis, keepdims=True)
            case "normalisation":
                inside = g - xp.mean(g, axis=self.axis, keepdims=True) - self.along(xp, n, g, xp.mean)
            case "root mean square":
                inside = g - self.along(xp, n, g, xp.mean)
            case _:
                inside = g - self.along(xp, n, g, xp.sum)
        return inside * scale if self.inverse else inside / scale

    def along(self, xp: Any, n: Any, g: Any, fold: Any) -> Any:
        return n * fold(g * n, axis=self.axis, keepdims=True)

    def recorded(self, recorder: Recorder, node: Node, g: Any) -> Any:
        """As nodes of the graph."""
        n = recorder.array(node)
        if self.name == "log-softmax":
            return total_of_row(recorder, g, np.exp(n), self.axis)
        return self.of(np, n, g, None if self.scale is None else recorder.array(self.scale))


def candidates(node: Node, between: Sequence[Node]) -> Iterator[Form]:
    """Of exponentials only where there are some: for one gradient other forms may have the same values."""
    axes = list(dict.fromkeys(found for b in between if (found := reduced_axes(b)) is not None))
    for axis in axes if any(n.operation in EXPONENTIALS for n in (node, *between)) else ():
        yield Form("softmax", axis)
        yield Form("log-softmax", axis)
    for scale in reversed(between):
        if scale.named and scale.shape != node.shape and scale.ndim <= node.ndim:
            for axis in axes:
                for inverse in (False, True):
                    for name in ("normalisation", "root mean square", "unit norm"):
                        yield Form(name, axis, scale, inverse)


def reduced_axes(n: Node) -> Any:
    """The axes of a reduction as it was written, None for what is none."""
    if n.operation not in REDUCTIONS:
        return None
    axis = n.options.get("axis", n.args[1] if len(n.args) > 1 else None)
    rank = n.parents[0].ndim
    given = range(rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    if not all(isinstance(a, int) for a in given):
        return None
    axes = tuple(a % rank - rank for a in given)
    return axes[0] if len(axes) == 1 else axes


# --- gradients that are one entry a row, as those of a chosen logarithm of a probability ---


def total_of_row(recorder: Recorder, g: Any, probabilities: Any, axis: Any) -> Any:
    """g - probabilities * Σ_axis g, where the sum of a row with one entry is that entry."""
    entry = only_entry(recorder, g, axis)
    if entry is None:
        return np.subtract(g, times(probabilities, np.sum(g, axis=axis, keepdims=True)))
    node = recorder.node_of(entry)
    if node is not None and node.operation == "divide" and is_number(node.args[0]):
        top, bottom = node.args
        size = recorder.array(bottom) if isinstance(bottom, Node) else bottom
        return plus(g, over(times(-top, probabilities), size))
    return plus(g, times(probabilities, minus(entry)))


def only_entry(recorder: Recorder, g: Any, axis: Any) -> Any:
    """The value c of a gradient that has c at one place of each row and 0 elsewhere."""
    node = recorder.node_of(g)
    if node is None or node.operation != "scattered" or node.ndim != 2 or axis not in (1, -1):
        return None
    _, key, value = node.args
    rows = isinstance(key, tuple) and len(key) == 2 and all(isinstance(k, Node) for k in key)
    if not rows or key[0].operation != "arange":
        return None
    if is_number(value):
        return value
    return recorder.array(value) if isinstance(value, Node) and value.ndim == 0 else None


# --- gradients of the slices that an axis was cut into, put side by side again ---


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
    if isinstance(x, int):
        return sized(x) if x >= 0 else None
    if isinstance(x, SymInt):
        constant, parts = as_affine(x.expr)
        return constant if not parts else None
    return None


# --- maxima that only shift: softmax(z - max z) = softmax(z) ---
# The largest entry has a kink and the softmax has none.  So a node that does not depend on the maximum, though it is
# computed with it, is differentiated in a form without it, which is proved equal.


EXTREMES = frozenset({"max", "min"})


@dataclass(frozen=True, slots=True)
class Shift:
    """`closing` does not depend on the maximum; `inside` is what lies between, the maxima included."""

    closing: Node
    inside: tuple[Node, ...]


def find_shifts(graph: Graph, active: Collection[Node], sample: Sample) -> dict[Node, Shift]:
    """By the closing node.  Values propose them."""
    maxima = [n for n in graph.nodes if n in active and n.operation in EXTREMES and n.named and n.parents]
    maxima = [n for n in maxima if n.shape != n.parents[0].shape or n.options.get("axis", None) is not None]
    if not maxima:
        return {}
    try:
        moved = [n for n in maxima if only_shifts(graph, sample, [n])]
        changed = sample.changed({n.array: moved_values(sample, n) for n in moved})
        differ: dict[Node, bool] = {}
        for n in graph.nodes:
            if n.value.holes:
                differ[n] = any(differ.get(p, False) for p in n.parents)
            elif n in active:
                differ[n] = not same(sample.of(n), changed.of(n))
    except Undefined:
        return {}
    found = {}
    for n in graph.nodes:
        if differ.get(n, True) or not any(differ.get(p, False) for p in n.parents):
            continue
        inside: list[Node] = []
        todo = [p for p in n.parents if differ.get(p, False)]
        while todo:
            p = todo.pop()
            if p in inside:
                continue
            inside.append(p)
            if p not in moved:
                todo.extend(q for q in p.parents if differ.get(q, False))
        found[n] = Shift(n, tuple(sorted(inside, key=lambda m: m.number)))
    return found


def only_shifts(graph: Graph, sample: Sample, maxima: list[Node]) -> bool:
    changed = sample.changed({n.array: moved_values(sample, n) for n in maxima})
    return all(same(sample.of(o), changed.of(o)) for o in graph.outputs)


def moved_values(sample: Sample, n: Node) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]:
    values = sample.of(n)
    return values + numpy.random.default_rng(n.number).normal(size=values.shape)
