"""Compact forms of gradients that the rules give in many steps: softmax, normalisation and their like.

A form is proposed over a span of the graph by its values, and then proved like any other step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.read.numpy import INPUT, Node, Recorder
from symbackprop.read.numpy import TRACED_NUMPY as np

from .scattered_rows import total_of_row

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
