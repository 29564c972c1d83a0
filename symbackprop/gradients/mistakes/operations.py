"""Mistakes in the gradient of one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symbackprop.core.functions import ROWS
from symbackprop.core.terms import mul
from symbackprop.gradients.mistakes.changed_sweep import factor_text, reciprocal, said
from symbackprop.read.numpy import INPUT, Node, SymArray, SymInt, Value, array_of
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special

from ..compact import PRODUCTS
from ..formula import chained
from ..reverse import Reverse, arguments
from ..rules import RULES
from ..rules.products import swap
from ..rules.registry import covered, full, is_number, less, minus, over, shape, sizes, times, unbroadcast
from .changed_sweep import Change, ChangedSweep, HandOn

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
        yield f"{said(node.args[0])} in place of its sign", lambda s, n, k, a, g: times(g, array_of(a))
        yield f"the square of {said(node.args[0])} in place of its sign", lambda s, n, k, a, g: times(
            g, np.power(array_of(a), 2)
        )
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
