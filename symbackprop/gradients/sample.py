"""The nodes of a graph in float64 at one point: proposes what is then proved, decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from typing import Any
from zlib import crc32

import numpy as np

from symbackprop.core.context import Context, Same, terms_of
from symbackprop.core.indices import Size
from symbackprop.core.terms import Array, Entry, Term, arrays, free, subterms
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import PI, Point
from symbackprop.read.numpy import INPUT, Declared, Graph, Node

Floats = np.ndarray[Any, np.dtype[np.float64]]
# Sizes at a point and at another one; roots of the first are no simple factors.
COUNTS = ((3, 5, 2, 7, 4, 6), (5, 3, 4, 2, 3, 2))


class Sample:
    """Values of all nodes, each computed when it is asked for."""

    def __init__(
        self,
        graph: Graph,
        declared: Mapping[str, Declared],
        positive: bool = False,
        shift: int = 0,
    ) -> None:
        symbols = list(dict.fromkeys(s for d in declared.values() for s in d.symbols))
        counts = COUNTS[shift % len(COUNTS)]
        self.sizes = {s: counts[k % len(counts)] for k, s in enumerate(symbols)}
        self.graph, self.declared, self.positive, self.shift = graph, declared, positive, shift
        whole = {n: d for n, d in declared.items() if d.values is not None}
        self.evaluation = FloatEvaluation(
            Point(self.sizes, integers={n: self.integers(n, d) for n, d in whole.items()})
        )
        self.known: set[Node] = set()
        self.later: dict[tuple[Array, int], frozenset[Node]] = {}

    def changed(self, values: Mapping[Array, Floats]) -> Sample:
        """The same point, with other values for these nodes and what rests on them."""
        after = frozenset[Node]().union(*map(self.after, values))
        stale = {n.array for n in after}
        other = copy(self)
        other.evaluation = FloatEvaluation(self.evaluation.point)
        other.evaluation.tables = {a: t for a, t in self.evaluation.tables.items() if a not in stale} | dict(values)
        other.known = (self.known - after) | {n for n in after if n.array in values}
        return other

    def after(self, array: Array) -> frozenset[Node]:
        """The node, and all that rest on it."""
        key = array, len(self.graph.nodes)
        if key not in self.later:
            found = {n for n in self.graph.nodes if n.array == array}
            for n in self.graph.nodes:
                if not found.isdisjoint(n.parents):
                    found.add(n)
            self.later[key] = frozenset(found)
        return self.later[key]

    def elsewhere(self) -> Sample:
        """A point of other sizes."""
        return Sample(self.graph, self.declared, self.positive, self.shift + 1)

    def shape(self, shape: Iterable[Size]) -> tuple[int, ...]:
        return tuple(s.at(self.sizes) for s in shape)

    def of(self, x: Node | float) -> Floats:
        """Raises Undefined where the evaluator has no value."""
        if not isinstance(x, Node):
            return np.asarray(float(x))
        self.fill(x)
        return self.evaluation.tables[x.array] if x.named else self.entries(x)

    def fill(self, x: Node) -> None:
        """Values of the named nodes that x rests on, and of x."""
        todo = [x]
        while todo:
            n = todo[-1]
            missing = [p for p in n.parents if p not in self.known]
            if missing and n not in self.known:
                todo.extend(missing)
                continue
            todo.pop()
            if n.named and n not in self.known:
                self.evaluation.tables[n.array] = self.drawn(n) if n.operation == INPUT else self.entries(n)
            self.known.add(n)

    def entries(self, n: Node) -> Floats:
        return self.evaluation.tensor(n.entries.axes, n.entries.body)

    def drawn(self, n: Node) -> Floats:
        found = np.random.default_rng(crc32(str(n.name).encode())).normal(size=self.shape(n.shape))
        return np.abs(found) + 0.5 if self.positive or not n.shape else found

    def integers(self, name: str, d: Declared) -> dict[tuple[int, ...], int]:
        assert d.values is not None
        rng = np.random.default_rng(crc32(name.encode()))
        drawn = rng.integers(0, max(1, d.values.at(self.sizes)), self.shape(d.shape))
        return {k: int(v) for k, v in np.ndenumerate(drawn)}


def same(a: Floats, b: Floats) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-8, atol=1e-10, equal_nan=True))


def vanishes(a: Floats, scale: float) -> bool:
    return a.size > 0 and bool(np.all(np.abs(a) <= 1e-10 * scale))


# --- whether two terms are equal whatever their arrays are: by values drawn for each, as a filter before a proof ---


Shapes = Callable[[Array], "tuple[Size, ...] | None"]


class Drawn:
    """Values of arrays, each drawn when it is met."""

    def __init__(self, sample: Sample, shapes: Shapes, limited: Collection[Array] = ()) -> None:
        """`limited` are arrays that cannot be anything: of these nothing is known."""
        self.sample, self.shapes, self.limited = sample, shapes, limited
        self.tables: list[dict[Array, Floats]] = [{}, {}]

    def differ(self, one: Term, other: Term) -> bool:
        """Certainly another term; False where nothing is known."""
        return any(self.differ_at(one, other, k) for k in (0, 1))

    def differ_at(self, one: Term, other: Term, k: int) -> bool:
        axes = sorted(free(one) | free(other), key=lambda i: i.name)
        integers = self.sample.evaluation.point.integers
        evaluation = FloatEvaluation(Point(self.sample.sizes, integers=integers))
        tables = self.tables[k]
        for a in (arrays(one) | arrays(other)) - {PI}:
            if a not in tables:
                shape = None if a in self.limited else self.shapes(a)
                if shape is None:
                    return False
                tables[a] = drawn(a, self.sample.shape(shape), bool(k))
        evaluation.tables = tables
        try:
            left, right = (evaluation.tensor(axes, t) for t in (one, other))
        except (Undefined, IndexError, ValueError):
            return False
        known = np.isfinite(left) & np.isfinite(right)
        scale = 1 + np.abs(left[known]).max(initial=0) + np.abs(right[known]).max(initial=0)
        return bool((np.abs(left - right)[known] > 1e-6 * scale).any())


def drawn(a: Array, shape: tuple[int, ...], positive: bool) -> Floats:
    values = np.random.default_rng(crc32(f"{a} drawn".encode())).normal(size=shape)
    return np.abs(values) + 0.5 if positive or not shape else values


def limited(context: Context) -> frozenset[Array]:
    """Arrays with axes that hypotheses speak of, and those that equations do."""
    found: set[Array] = set()
    for h in context.hypotheses.values():
        for t in terms_of(h):
            own = {s.array for s in subterms(t) if isinstance(s, Entry) and (s.at or isinstance(h, Same))}
            found |= own
    return frozenset(found)
