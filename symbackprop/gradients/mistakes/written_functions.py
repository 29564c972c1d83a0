"""Mistakes in the gradients of functions that are written out, such as 1 / (1 + exp(-z)): known by their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import Node, array_of

from ..compact import PRODUCTS, REDUCTIONS, regions
from ..reverse import Reverse
from ..rules.registry import less, times
from ..sample import Undefined, same
from .changed_sweep import Change, HandOn, Region
from .operations import AT_INPUT, SMOOTH, Function

# functions as they are written out: the slope in terms of the output, and the function
WRITTEN_OUT: Mapping[str, tuple[Function, Function]] = {
    "sigmoid": (lambda h: times(h, less(1, h)), special.expit),
    "tanh": (lambda h: less(1, np.power(h, 2)), np.tanh),
}
NEAR = 8  # nodes of a function that is written out


def of_written_functions(reverse: Reverse) -> Iterator[Change]:
    """sigmoid as 1 / (1 + exp(-z)) and its like, recognised by their values."""
    for node in (n for n in reverse.forward if n in reverse.active and n.operation not in SMOOTH):
        for name, region in written_functions(reverse, node):
            slope, f = WRITTEN_OUT[name]
            regions_of = {node: region}
            for text, factor in (
                (f"missing factor {name}'", lambda a, out: 1.0),
                (f"{name}' at the wrong value: {name} applied twice", lambda a, out, h=slope, f=f: h(f(out))),
                (f"{name}' at the wrong value: {AT_INPUT}",
                 lambda a, out, h=slope: h(a)),
                (f"{name} in place of {name}'", lambda a, out: out),
            ):  # fmt: skip
                yield Change(text, frozenset({node}), with_factor(factor), regions_of)


def with_factor(factor: Callable[[Any, Any], Any]) -> HandOn:
    """What the adjoint is multiplied by, from input and output."""
    return lambda s, n, k, a, g: times(g, factor(array_of(a), array_of(n)))


def written_functions(reverse: Reverse, node: Node) -> Iterator[tuple[str, Region]]:
    """What function of an earlier node this one is."""
    for start, between in regions(node, reverse.active, reverse.readers):
        joined = {b.operation for b in (node, *between)} & (PRODUCTS | REDUCTIONS)
        if not between or joined or len(between) > NEAR:
            continue
        try:
            with reverse.graph.recording():
                slope = Reverse.anew(reverse).through(node, 1.0, between).get(start, 0.0)
            values, out = reverse.sample.of(slope), reverse.sample.of(node)
        except (SymbackpropError, Undefined, ValueError):
            continue
        if same(values, out * (1 - out)):
            yield "sigmoid", Region(start, tuple(between))
        elif same(values, 1 - out**2):
            yield "tanh", Region(start, tuple(between))


__all__ = ["of_written_functions"]
