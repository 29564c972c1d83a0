"""Mistakes in the gradient of one operation, and of softmax, normalisations and functions that are written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy

from symbackprop.core.functions import ROWS
from symbackprop.core.terms import SymbackpropError, mul
from symbackprop.gradients.compact import PRODUCTS, REDUCTIONS, Form, candidates, regions
from symbackprop.gradients.mistakes.changed_sweep import (
    Change, ChangedSweep, HandOn, Region, factor_text, reciprocal, said,
)  # fmt: skip
from symbackprop.gradients.reverse import MAXIMUM, RULE, Reverse, Step, arguments, chained
from symbackprop.gradients.rules import RULES
from symbackprop.gradients.rules.products import swap
from symbackprop.gradients.rules.registry import (
    axes_of, covered, full, is_number, less, minus, one_axis, over, shape, sizes, times, unbroadcast,
)  # fmt: skip
from symbackprop.gradients.sample import same
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import INPUT, Node, SymArray, SymInt, Value, array_of
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special

Function = Callable[[Any], Any]
CALLED = {"expit": "sigmoid", "absolute": "sign", "true_divide": "divide"}
SMOOTH: Mapping[str, Function] = {
    "sqrt": np.sqrt, **{f.operation: getattr(special, f.operation) for f in ROWS},
}  # fmt: skip
BY_OUTPUT = frozenset({"tanh", "expit", "exp", "sqrt"})  # their rules speak of the output
KINKED = frozenset({"maximum", "fmax", "minimum", "fmin", "clip", "where"})
EXCHANGES = frozenset({"transpose", "swapaxes", "moveaxis", "rollaxis", "T"})
AT_INPUT = "at its input, by the formula for its output"


def of_operations(reverse: Reverse) -> Iterator[Change]:
    for node in (n for n in reverse.forward if n in reverse.active and n.operation != INPUT):
        for name, rule in of_operation(node):
            yield Change(name, frozenset({node}), rule)


def of_operation(node: Node) -> Iterator[tuple[str, HandOn]]:
    op, f = node.operation, CALLED.get(node.operation, node.operation)
    if op in SMOOTH:
        twice = f"{f} applied twice"
        yield f"missing factor {f}'", as_it_is
        yield f"{f}' at the wrong value: {twice}", at_values(SMOOTH[op], lambda a, out: out)
        yield f"{f} in place of {f}'", lambda s, n, k, a, g: times(g, array_of(n))
        if op in BY_OUTPUT:
            yield f"{f}' at the wrong value: {AT_INPUT}", at_input
    elif op in KINKED:
        yield "missing mask", as_it_is
        yield "mask of the upstream gradient in place of that of the input", by_its_own_sign
        yield "mask inverted", inverted
    elif op == "absolute":
        yield "missing factor sign", as_it_is
        yield f"{said(node.args[0])} in place of its sign", with_factor(lambda a, out: a)
        yield f"the square of {said(node.args[0])} in place of its sign", with_factor(lambda a, out: np.power(a, 2))
    elif op in ("max", "min"):
        yield "missing mask: the gradient belongs to the largest entry alone" if op == "max" else \
            "missing mask: the gradient belongs to the smallest entry alone", spread
    elif op == "multiply":
        yield from of_product(node)
    elif op in ("divide", "true_divide"):
        yield from of_quotient(node)
    elif op in EXCHANGES:
        yield "wrong order of axes: reshaped where they are to be exchanged", reshaped
    elif op in ("power", "square"):
        yield "wrong power: not lowered by 1", unlowered
    elif op in PRODUCTS:
        yield from of_matrix_product(node)
    elif len(node.parents) == 1 and node.parents[0].shape == node.shape and op not in RULES:
        yield "missing terms: what one entry does to the others, earlier or later, is left out", on_the_diagonal


def as_it_is(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    covered(n.operation != "where" or place > 0)
    return unbroadcast(full(g, array_of(n)), array_of(a), array_of(n))


def at_values(f: Function, value: Callable[[Any, Any], Any]) -> HandOn:
    """The rule of an operation at another argument."""

    def rule(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
        x = value(array_of(a), array_of(n))
        return RULES[n.operation](place, g, f(x), x)

    return rule


def at_input(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    return RULES[n.operation](place, g, array_of(a), array_of(a))


def by_its_own_sign(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    g = full(g, array_of(n))
    return unbroadcast(times(g, np.greater(g, 0)), array_of(a), array_of(n))


def inverted(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    return less(as_it_is(s, n, place, a, g), s.array(s.right(n, place, a, g)))


def spread(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    axis, keepdims = n.options.get("axis", n.args[1] if len(n.args) > 1 else None), n.options.get("keepdims", False)
    return RULES["sum"](0, g, array_of(n), array_of(a), axis=axis, keepdims=keepdims)


def reshaped(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    return np.reshape(full(g, array_of(n)), sizes(a.shape))


def unlowered(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    power = n.args[1] if n.operation == "power" else 2
    covered(place == 0 and is_number(power))
    return times(times(power, g), array_of(n))


def of_product(node: Node) -> Iterator[tuple[str, HandOn]]:
    for k, x in arguments(node):
        other = node.args[1 - k]
        if isinstance(other, Node):
            what = "missing mask" if other.dtype == "bool" else f"missing factor {factor_text(other)}"
            yield what, only_at(k, as_it_is)
            if shape(array_of(x)) == shape(array_of(other)) and other.dtype != "bool":
                yield f"{said(x)} in place of {said(other)}", only_at(k, lambda s, n, _, a, g: times(g, array_of(a)))


def of_quotient(node: Node) -> Iterator[tuple[str, HandOn]]:
    top, below = node.args[0], node.args[1]
    if isinstance(below, Node | SymInt):
        yield f"missing factor {reciprocal(factor_text(below))}", only_at(0, as_it_is)
    if isinstance(below, Node):
        yield f"{said(below)} in place of its square", only_at(
            1, lambda s, n, _, a, g: unbroadcast(
                minus(over(times(g, operand(top)), array_of(a))), array_of(a), array_of(n)
            )
        )


def of_matrix_product(node: Node) -> Iterator[tuple[str, HandOn]]:
    if node.operation not in ("matmul", "dot") or any(not isinstance(a, Node) or a.ndim != 2 for a in node.args):
        return
    a, b = node.args
    yield f"{said(b)} in place of its transpose", only_at(
        0, lambda s, n, _, x, g: np.matmul(full(g, array_of(n)), array_of(b))
    )
    yield f"{said(a)} in place of its transpose", only_at(
        1, lambda s, n, _, x, g: np.matmul(array_of(a), full(g, array_of(n)))
    )
    for place in (0, 1):
        yield "result transposed", only_at(place, lambda s, n, k, x, g: swap(s.array(s.right(n, k, x, g))))


def operand(x: Any) -> Any:
    return array_of(x) if isinstance(x, Node) else x


def only_at(place: int, rule: HandOn) -> HandOn:
    """This mistake in the gradient of one argument, the others right."""

    def handed(s: ChangedSweep, n: Node, k: int, a: Node, g: Any) -> Any:
        return rule(s, n, k, a, g) if k == place else s.array(s.right(n, k, a, g))

    return handed


def on_the_diagonal(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    """g ∂out/∂a taken at the same entry of both."""
    return diagonal(s, n, a, n.entries.at, g)


def diagonal(s: ChangedSweep, n: Node, a: Node, term: Callable[..., Any], g: Any) -> SymArray:
    upstream = s.node(full(g, array_of(n)))
    covered(isinstance(upstream, Node) and n.shape == a.shape)

    def entry(at: tuple[Any, ...]) -> Any:
        return mul(upstream.value.term(at), chained(term(*at), a, at))  # type: ignore[union-attr]

    return SymArray(Value(a.shape, "real", entry), scalar=not a.shape)


# --- mistakes in the gradients of softmax, normalisations and their like: something left out, or another axis ---


def of_compact_forms(reverse: Reverse) -> Iterator[Change]:
    """Softmax, normalisations: their forms with something left out, or along another axis."""
    for step in reverse.steps:
        starts = [to for to, _ in (*step.into, *step.dropped)]
        form = found_form(reverse, step) if len(starts) == 1 else None
        if form is None:
            continue
        region = {step.node: Region(starts[0], step.opened)}
        for name, rule in (*incomplete(form), *other_axes(form, step.node)):
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


# Forms with something left out: of the upstream gradient, the output, and sums along the row.
LEFT_OUT: Mapping[str, Mapping[str, Callable[[Any, Any, Function], Any]]] = {
    "softmax": {
        "softmax differentiated entry by entry: the entries off the diagonal of its Jacobian are missing":
            lambda g, y, rows: times(g, times(y, less(1, y))),
        "missing derivative of softmax: the gradient is handed on unchanged": lambda g, y, rows: g,
        "missing factor softmax in the sum over the row": lambda g, y, rows: times(y, less(g, rows(g))),
        "missing factor softmax in front": lambda g, y, rows: less(g, rows(times(g, y))),
    },
    "log-softmax": {
        "log-softmax: the sum of dy y in place of softmax times the sum of dy":
            lambda g, y, rows: less(g, rows(times(g, y))),
        "log-softmax: missing factor softmax on the sum of dy": lambda g, y, rows: less(g, rows(g)),
        "log-softmax: missing sum of dy": lambda g, y, rows: less(g, np.exp(y)),
        "log-softmax: missing sum over dy": lambda g, y, rows: less(g, times(g, np.exp(y))),
        "log-softmax: the gradient of softmax":
            lambda g, y, rows: times(np.exp(y), less(g, rows(times(g, np.exp(y))))),
        "missing derivative of log-softmax: the gradient is handed on unchanged": lambda g, y, rows: g,
    },
}  # fmt: skip


def incomplete(form: Form) -> Iterator[tuple[str, HandOn]]:
    """The form with something left out."""
    rows = partial(np.sum, axis=form.axis, keepdims=True)
    for name, f in LEFT_OUT.get(form.name, {}).items():
        yield name, lambda s, n, k, a, g, f=f: f(full(g, array_of(n)), array_of(n), rows)  # type: ignore[misc]


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
                (f"{name}' at the wrong value: {AT_INPUT}", lambda a, out, h=slope: h(a)),
                (f"{name} in place of {name}'", lambda a, out: out),
            ):
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
