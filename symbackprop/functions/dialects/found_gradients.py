"""Finding the gradient of a parameter on an object, by the usual names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symbackprop.functions.calling import INPUT
from symbackprop.functions.request import gradient_of, plain
from symbackprop.read.numpy import SymArray

from .places import Place, label, parts_of, read

TABLES = (
    "grads", "gradients", "grad", "gradient", "dparams", "gradparams", "paramsgrad", "deltas", "dweights", "paramgrads",
    "derivatives", "nabla", "dtheta", "gradbuffer",
)  # fmt: skip
HELD = ("grad", "gradient", "d", "g", "delta", "dvalue", "grad_value", "dw")  # beside the array that a holder holds


def gradient_place(owner: Any, place: Place, names: Sequence[str]) -> Place | None:
    """Where the gradient of the array at `place` is: beside it, or in a table of gradients on the way to it.

    `names` are other names of the array.
    """
    called = [n for n in dict.fromkeys([label(place), *names]) if n]
    for depth in range(len(place) - 1, -1, -1):
        holder = place[:depth]
        found = beside(owner, holder, place[depth:], called)
        if found is not None:
            return found
    return None


def beside(owner: Any, holder: Place, rest: Place, names: Sequence[str]) -> Place | None:
    """In one object: under its own name there, in a table, or at the same place of a list."""
    parts = dict(parts_of(read(holder, owner)))
    arrays = {str(k): (kind, k) for (kind, k), x in parts.items() if isinstance(x, SymArray)}
    if len(rest) == 1:
        single = [n for n in HELD if n in arrays and label((*holder, *rest)) != str(rest[-1][1])]
        if single:
            return (*holder, arrays[single[0]])
    for name in names:
        key = gradient_of(arrays, name)
        if key is not None:
            return (*holder, arrays[key])
    for (kind, key), table in parts.items():
        if plain(str(key)) in TABLES or (
            isinstance(key, str) and len(rest) > 1 and key == gradient_of([key], str(rest[0][1]))
        ):
            found = in_table(table, rest, names)
            if found is not None:
                return (*holder, (kind, key), found)
    for step, table in parts.items():  # a dict of anything, with a gradient in it
        if isinstance(table, dict):
            found = in_table(table, (("attribute", "?"),), names, own=False)
            if found is not None:
                return (*holder, step, found)
    return None


def in_table(table: Any, rest: Place, names: Sequence[str], own: bool = True) -> tuple[str, Any] | None:
    """grads["W"] (its `own` name), grads["dW"], grads[0] for params[0]."""
    parts = {key: (kind, key) for (kind, key), x in parts_of(table) if isinstance(x, SymArray)}
    for name in names:
        if own and name in parts:
            return parts[name]
        key = gradient_of([k for k in parts if isinstance(k, str)], name)
        if key is not None:
            return parts[key]
    last = rest[-1][1]
    return parts.get(last) if isinstance(last, int) and len(rest) > 1 else None


def input_place(owner: Any, names: Sequence[str], alone: bool) -> Place | None:
    """Where an object leaves the gradient of an input that is called so; `alone`: it has no other input."""
    arrays = {str(k): (kind, k) for (kind, k), x in parts_of(owner) if isinstance(x, SymArray)}
    for name in names:
        key = gradient_of(arrays, name)
        if key is not None:
            return (arrays[key],)
    for (kind, key), table in parts_of(owner):
        if plain(str(key)) in TABLES:
            found = in_table(table, (("attribute", names[0]),), names)
            if found is not None:
                return ((kind, key), found)
    generic = [n for n in arrays if n.lower() in INPUT]
    return (arrays[generic[0]],) if alone and generic else None


def parameters_on(owner: Any, before: Mapping[Place, Any], taken: Sequence[Any]) -> Iterator[tuple[Place, Place]]:
    """Arrays that were there before the forward ran and have a gradient now, with its place; not those `taken`."""
    gradients: set[Place] = set()
    found = []
    for place, array in before.items():
        if any(array is t for t in taken):
            continue
        gradient = gradient_place(owner, place, ())
        if gradient is not None and gradient != place:
            gradients.add(gradient)
            found.append((place, gradient))
    yield from ((p, g) for p, g in found if p not in gradients)
