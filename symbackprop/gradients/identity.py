"""Whether two terms are equal whatever their arrays are: by values drawn for each, as a filter before a proof."""

from __future__ import annotations

from collections.abc import Callable, Collection
from zlib import crc32

import numpy as np

from symbackprop.core.context import Context, Same, terms_of
from symbackprop.core.indices import Size
from symbackprop.core.terms import Array, Entry, Term, arrays, free, subterms
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import PI, Point

from .sample import Floats, Sample

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


__all__ = ["Drawn", "limited"]
