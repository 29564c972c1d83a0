"""Maxima that only shift: softmax(z - max z) = softmax(z).

The largest entry has a kink and the softmax has none.  So a node that does not depend on the maximum, though it is
computed with it, is differentiated in a form without it, which is proved equal.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from symbackprop.read.numpy import Graph, Node

from .sample import Sample, Undefined, same

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


def moved_values(sample: Sample, n: Node) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    values = sample.of(n)
    return values + np.random.default_rng(n.number).normal(size=values.shape)
