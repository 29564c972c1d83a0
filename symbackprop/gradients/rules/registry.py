"""The table of rules, and the small algebra in which they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from symbackprop.core.terms import Size
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import UNIT, Node, SymArray, array_of, node_of, size_number

Rule: TypeAlias = Callable[..., Any]
RULES: dict[str, Rule] = {}


class NoRule(Exception):
    """The rule does not cover these arguments: the formula of the derivative is used instead."""


def rows(table: Mapping[str, Rule]) -> None:
    """Rules of one line, by operation."""
    RULES.update(table)


def vjp(*operations: str) -> Callable[[Rule], Rule]:
    def register(f: Rule) -> Rule:
        rows(dict.fromkeys(operations, f))
        return f

    return register


def covered(condition: bool) -> None:
    if not condition:
        raise NoRule


# --- arrays and numbers --------------------------------------------------------------------------


def is_number(x: Any) -> bool:
    return isinstance(x, int | float)


def shape(x: Any) -> tuple[Size, ...]:
    return x.value.shape if isinstance(x, SymArray) else ()


def ndim(x: Any) -> int:
    return len(shape(x))


def times(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        return a * b
    if is_number(b) and not is_number(a):
        a, b = b, a
    if is_number(a) and a == 1:
        return b
    for x, y in ((a, b), (b, a)):
        cancelled, opposite = without_division(x, y), opposite_of(x)
        if cancelled is not None:
            return cancelled
        if opposite is not None:
            return minus(times(opposite, y))
    return np.negative(b) if is_number(a) and a == -1 else np.multiply(a, b)


def without_division(a: Any, b: Any) -> Any:
    """c where a is c / b, and -c where it is -(c / b): what a product of gradients often is."""
    n, by = node_of(a), node_of(b)
    if n is None or by is None or not n.backward or shape(a) != shape(b):
        return None
    if n.operation == "divide" and n.args[1] is by and isinstance(n.args[0], Node) and n.args[0].shape == n.shape:
        return array_of(n.args[0])
    return None


def over(a: Any, b: Any) -> Any:
    if is_number(b) and b == 1:
        return a
    opposite = opposite_of(a)
    return np.divide(a, b) if opposite is None else minus(over(opposite, b))


def minus(a: Any) -> Any:
    if is_number(a):
        return -a
    opposite = opposite_of(a)
    return np.negative(a) if opposite is None else opposite


def opposite_of(a: Any) -> Any:
    """x where a gradient is -x: signs go outwards, where they meet."""
    n = node_of(a)
    return array_of(n.args[0]) if n is not None and n.backward and n.operation == "negative" else None


def plus(a: Any, b: Any) -> Any:
    return a + b if is_number(a) and is_number(b) else np.add(a, b)


def less(a: Any, b: Any) -> Any:
    if is_number(b) and b == 0:
        return a
    return a - b if is_number(a) and is_number(b) else np.subtract(a, b)


def sizes(s: tuple[Size, ...]) -> tuple[Any, ...]:
    return tuple(map(size_number, s))


def full(g: Any, like: Any) -> Any:
    """g with all entries of an array of this shape."""
    wanted = shape(like)
    return g if not is_number(g) and shape(g) == wanted else np.broadcast_to(g, sizes(wanted))


def one_axis(axes: list[int]) -> Any:
    return axes[0] if len(axes) == 1 else tuple(axes)


def unbroadcast(g: Any, x: Any, out: Any) -> Any:
    """g summed over the axes along which x was broadcast to make `out`; an axis on which g is thin counts its size."""
    opposite = opposite_of(g)
    if opposite is not None:
        return minus(unbroadcast(opposite, x, out))
    xs, outs = shape(x), shape(out)
    gs = (UNIT,) * (len(outs) - ndim(g)) + shape(g)
    lead = len(outs) - len(xs)
    offset = len(outs) - ndim(g)
    gone: list[int] = []
    kept: list[int] = []
    count: Any = 1
    for k, size in enumerate(outs):
        missing = k < lead
        if (size == UNIT and not missing) or (not missing and xs[k - lead] != UNIT):
            continue
        if gs[k] == UNIT and size != UNIT:
            count = count * size_number(size)
        if missing and k >= offset:
            gone.append(k - offset)
        elif not missing and gs[k] != UNIT:
            kept.append(k - offset)
    if kept and gone:  # one sum, and the kept axes put back
        g = np.sum(g, axis=one_axis(sorted(kept + gone)))
        g = g[tuple(None if k in kept else slice(None) for k in range(len(gs)) if k not in gone)]
    elif kept:
        g = np.sum(g, axis=one_axis(kept), keepdims=True)
    elif gone:
        g = np.sum(g, axis=one_axis(gone))
    return g if is_number(count) and count == 1 else times(count, g)


def without_new_axes(g: Any, key: tuple[Any, ...]) -> Any:
    """g[key], where the key has 0 for new axes of one entry and takes the others whole."""
    n, opposite = node_of(g), opposite_of(g)
    if opposite is not None:
        return minus(without_new_axes(opposite, key))
    if n is None:
        return g[key]
    if n.operation == "getitem" and n.args[1] == tuple(None if k == 0 else k for k in key):
        return array_of(n.args[0])
    if n.backward and n.operation == "sum" and n.options.get("keepdims"):
        axis = n.options.get("axis")
        if axes_of(axis, n.ndim) == [k for k, item in enumerate(key) if item == 0]:
            return np.sum(array_of(n.args[0]), axis=axis)
    return g[key]


def axes_of(axis: Any, rank: int) -> list[int]:
    """The axes of a reduction, counted from the front."""
    given = range(rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return sorted(int(a) % rank for a in given)


def spread_back(g: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    """The gradient of a reduction with the reduced axes put back, thin."""
    rank = ndim(a)
    if is_number(g) or not shape(g) or keepdims:
        return g
    axes = axes_of(axis, rank)
    opposite = opposite_of(g)
    if opposite is not None:
        return minus(spread_back(opposite, a, axis, keepdims))
    if axes == list(range(len(axes))):
        return g
    return g[tuple(None if k in axes else slice(None) for k in range(rank))]


def count(a: Any, axis: Any) -> Any:
    """The number of entries that a reduction takes together."""
    n: Any = 1
    for k in axes_of(axis, ndim(a)):
        n = n * size_number(shape(a)[k])
    return n
