"""Mistakes in the gradients of softmax, normalisations and their like: something left out, or another axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy

from symbackprop.core.terms import SymbackpropError
from symbackprop.gradients.compact import PRODUCTS, REDUCTIONS, Form, candidates, regions
from symbackprop.gradients.mistakes.changed_sweep import Change, ChangedSweep, HandOn, Region
from symbackprop.gradients.mistakes.operations import AT_INPUT, SMOOTH, Function
from symbackprop.gradients.reverse import MAXIMUM, RULE, Reverse, Step
from symbackprop.gradients.rules.registry import axes_of, full, less, one_axis, times
from symbackprop.gradients.sample import same
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special
from symbackprop.read.numpy import Node, array_of


def of_compact_forms(reverse: Reverse) -> Iterator[Change]:
    """Softmax, normalisations: their forms with something left out, or along another axis."""
    for step in reverse.steps:
        starts = [to for to, _ in (*step.into, *step.dropped)]
        form = found_form(reverse, step) if len(starts) == 1 else None
        if form is None:
            continue
        region = {step.node: Region(starts[0], step.opened)}
        of_form = {"softmax": softmax, "log-softmax": log_softmax}.get(form.name)
        for name, rule in (*(of_form(form.axis) if of_form else ()), *other_axes(form, step.node)):
            yield Change(name, frozenset({step.node}), rule, region)


def found_form(reverse: Reverse, step: Step) -> Form | None:
    """The form that was used, read off its values."""
    if step.how in (RULE, MAXIMUM) or not isinstance(step.adjoint, Node):
        return None
    try:
        (right,) = (reverse.sample.of(g) for _, g in (*step.into, *step.dropped))
        n, g = reverse.sample.of(step.node), reverse.sample.of(step.adjoint)
        for form in candidates(step.node, step.opened):
            scale = 1.0 if form.scale is None else reverse.sample.of(form.scale)
            if form.name == step.how and same(form.of(numpy, n, g, scale), right):
                return form
    except (Undefined, ValueError):
        pass
    return None


def other_axes(form: Form, node: Node) -> Iterator[tuple[str, HandOn]]:
    """The form over each other choice of axes."""
    right = axes_of(form.axis, node.ndim)
    for count in range(1, node.ndim + 1):
        for axes in combinations(range(node.ndim), count):
            if list(axes) != right:
                wrong, wanted = (" and ".join(str(node.shape[k]) for k in x) for x in (axes, right))
                other = replace(form, axis=one_axis(list(axes)))
                yield f"wrong axis: {form.name} over {wrong} in place of {wanted}", along(other)


def along(form: Form) -> HandOn:
    def rule(s: ChangedSweep, n: Node, k: int, a: Node, g: Any) -> Any:
        scale = None if form.scale is None else array_of(form.scale)
        return form.of(np, array_of(n), full(g, array_of(n)), scale)

    return rule


def softmax(axis: Any) -> Iterator[tuple[str, HandOn]]:
    yield ("softmax differentiated entry by entry: the entries off the diagonal of its Jacobian are missing",
           lambda s, n, k, a, g: times(g, times(array_of(n), less(1, array_of(n)))))  # fmt: skip
    yield "missing derivative of softmax: the gradient is handed on unchanged", lambda s, n, k, a, g: g
    yield ("missing factor softmax in the sum over the row",
           lambda s, n, k, a, g: times(array_of(n), less(g, np.sum(g, axis=axis, keepdims=True))))  # fmt: skip
    yield ("missing factor softmax in front",
           lambda s, n, k, a, g: less(g, np.sum(times(g, array_of(n)), axis=axis, keepdims=True)))  # fmt: skip


def log_softmax(axis: Any) -> Iterator[tuple[str, HandOn]]:
    def rows(x: Any) -> Any:
        return np.sum(x, axis=axis, keepdims=True)

    def of(f: Callable[[Any, Any], Any]) -> HandOn:
        return lambda s, n, k, a, g: f(full(g, array_of(n)), array_of(n))

    yield (
        "log-softmax: the sum of dy y in place of softmax times the sum of dy",
        of(lambda g, y: less(g, rows(times(g, y)))),
    )
    yield "log-softmax: missing factor softmax on the sum of dy", of(lambda g, y: less(g, rows(g)))
    yield "log-softmax: missing sum of dy", of(lambda g, y: less(g, np.exp(y)))
    yield "log-softmax: missing sum over dy", of(lambda g, y: less(g, times(g, np.exp(y))))
    yield "log-softmax: the gradient of softmax", of(
        lambda g, y: times(np.exp(y), less(g, rows(times(g, np.exp(y))))))  # fmt: skip
    yield "missing derivative of log-softmax: the gradient is handed on unchanged", of(lambda g, y: g)


# --- mistakes in the gradients of functions that are written out, such as 1 / (1 + exp(-z)): known by their values ---


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
