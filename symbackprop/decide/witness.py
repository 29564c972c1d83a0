"""A point for the theorem, from the search for points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import nodes
from symbackprop.core.point import BETWEEN, Evaluation, Point, satisfied
from symbackprop.core.terms import Apply, Array, ProofError
from symbackprop.numbers import points
from symbackprop.numbers.exact_numbers import Log

FAR = 100  # between two layers of different names


def exhibited(found: points.Point, sizes: Mapping[str, int]) -> Point | None:
    """The point in the words of the core, with these sizes where it does not say.

    None where an entry is neither a rational number nor a logarithm of one.
    """
    entries: list[tuple[Array, tuple[int, ...], Fraction]] = []
    logs: list[tuple[Array, tuple[int, ...], Fraction]] = []
    for array, values in found.arrays.items():
        for place, x in values.items():
            if isinstance(x, Log):
                logs.append((array, place, x.of))
            elif isinstance(x, Fraction):
                entries.append((array, place, x))
            else:
                return None
    layers = {s for a in found.arrays if a.label is not None for s in a.label.symbols} - {*sizes, *found.sizes}
    labels = {s: FAR ** (k + 1) for k, s in enumerate(sorted(layers))}  # far apart: W^l is not W^L there
    integers = [(name, place, k) for name, values in found.integers.items() for place, k in values.items()]
    return Point(tuple({**labels, **sizes, **found.sizes}.items()), tuple(entries), tuple(logs), tuple(integers))


def is_seen(hypotheses: Iterable[Hypothesis], point: Point, region: Context) -> bool:
    """Whether the core sees them hold: sines and their like it knows well only near 0."""
    rough = [h for h in hypotheses if any(isinstance(t, Apply) and t.fn in {"cos", *BETWEEN} for t in nodes(h))]
    try:
        run = Evaluation(point, region)
        for h in rough:
            satisfied(h, run)
    except ProofError:
        return False
    return True
