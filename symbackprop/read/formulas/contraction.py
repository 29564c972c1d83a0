"""Traced arrays whose axes stand for indices, and sums of their products as matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from symbackprop.core.indices import Index

from ..numpy import TRACED_NUMPY as np
from ..numpy import SymArray

LABELS = "abcdefghijklmnopqrstuvwxyz"


class Named(NamedTuple):
    """An array, a number or a size, with the index that each axis stands for."""

    array: Any
    axes: tuple[Index, ...] = ()


def aligned(x: Named, axes: Sequence[Index]) -> Any:
    """The array with these axes in this order, of length 1 where it has none."""
    if not isinstance(x.array, SymArray) or x.axes == tuple(axes):
        return x.array
    own = [i for i in axes if i in x.axes]
    order = tuple(x.axes.index(i) for i in own)
    array = x.array
    if order != tuple(range(len(order))):
        array = array.T if order == (1, 0) else np.transpose(array, order)
    missing = [i not in x.axes for i in axes]
    if not any(missing[missing.index(False) :] if False in missing else ()):
        return array  # NumPy puts axes of length 1 in front by itself
    return array[tuple(None if m else slice(None) for m in missing)]


def together(operation: Callable[..., Any], a: Named, b: Named) -> Named:
    """A binary operation, entry by entry."""
    wider, other = (a, b) if len(a.axes) >= len(b.axes) else (b, a)
    axes = (*wider.axes, *(i for i in other.axes if i not in wider.axes))
    if len(axes) == 2 and len(a.axes) == len(b.axes) == 1:
        axes = (*a.axes, *b.axes)
    return Named(operation(aligned(a, axes), aligned(b, axes)), axes)


def contracted(parts: Sequence[Named], dummies: Sequence[Index]) -> Named | None:
    """Σ over the dummies of the product; None for no factors at all."""
    left = list(parts)
    todo = [i for i in dummies if any(i in n.axes for n in left)]
    while todo:
        i = next((i for i in reversed(todo) if pair(left, i)), None)
        if i is None:
            break
        first, second = (k for k, n in enumerate(left) if i in n.axes)
        left[first] = matrix_product(left[first], left.pop(second), i)
        todo.remove(i)
    if todo:
        return with_sums(left, todo)
    result: Named | None = None
    for n in left:
        result = n if result is None else outer(result, n)
    return result


def pair(parts: Sequence[Named], i: Index) -> bool:
    """Whether i joins two factors, each of at most two axes, that have no other axis in common."""
    here = [n for n in parts if i in n.axes]
    return len(here) == 2 and all(len(n.axes) <= 2 for n in here) and set(here[0].axes) & set(here[1].axes) == {i}


def matrix_product(a: Named, b: Named, i: Index) -> Named:
    rows, columns = (tuple(k for k in n.axes if k != i) for n in (a, b))
    if not rows and not columns:
        return Named(np.sum(np.multiply(a.array, b.array)))
    if not rows and columns and len(b.axes) == 2 and b.axes[0] != i:
        return Named(np.matmul(b.array, a.array), columns)  # Σ_i x_i A_ki: A x
    return Named(np.matmul(aligned(a, (*rows, i)), aligned(b, (i, *columns))), (*rows, *columns))


def with_sums(parts: Sequence[Named], todo: Sequence[Index]) -> Named:
    """What is no chain of matrix products: sums of entrywise products, else an einsum."""
    inside = [n for n in parts if set(n.axes) & set(todo)]
    outside = [n for n in parts if not set(n.axes) & set(todo)]
    places = {i: max(n.axes.index(i) for n in inside if i in n.axes) for n in inside for i in n.axes}
    every = sorted(places, key=lambda i: places[i])
    widest = max(range(len(inside)), key=lambda k: len(inside[k].axes))
    if set(inside[widest].axes) == set(every):
        product = inside[widest]
        for k, n in enumerate(inside):
            if k != widest:
                product = together(np.multiply, product, n)
        where = tuple(product.axes.index(i) for i in todo)
        axis = None if len(where) == len(product.axes) else where[0] if len(where) == 1 else where
        found = Named(np.sum(product.array, axis=axis), tuple(i for i in product.axes if i not in todo))
    else:
        letter = dict(zip(every, LABELS, strict=False))
        kept = tuple(i for i in every if i not in todo)
        spec = ",".join("".join(letter[i] for i in n.axes) for n in inside)
        spec += "->" + "".join(letter[i] for i in kept)
        found = Named(np.einsum(spec, *(n.array for n in inside)), kept)
    for n in outside:
        found = together(np.multiply, n, found)
    return found


def outer(a: Named, b: Named) -> Named:
    if len(a.axes) == len(b.axes) == 1 and a.axes != b.axes:
        return Named(np.outer(a.array, b.array), (*a.axes, *b.axes))
    return together(np.multiply, a, b)
