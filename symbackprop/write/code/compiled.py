"""A generated function with its source, its inputs and its outputs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.core.terms import Size, SymbackpropError, sized


@dataclass(frozen=True, slots=True)
class Compiled:
    """A generated function.

    `function` takes the arrays in the order of `inputs` and returns a tuple in the order of `outputs`, unchecked and
    fast.  Calling the object checks shapes first, takes arrays by position or by name, and returns a dict.
    """

    source: str
    function: Callable[..., tuple[Any, ...]]
    inputs: tuple[tuple[str, tuple[Size, ...]], ...]
    outputs: tuple[str, ...]
    may_overflow: bool  # a sigmoid's exp may pass infinity on its way to 0

    def __call__(self, *arrays: Any, **named: Any) -> dict[str, Any]:
        """The outputs by name.  Raises SymbackpropError for a missing array or a shape that does not fit."""
        names = [name for name, _ in self.inputs]
        given = dict(zip(names, arrays, strict=False)) | named
        if len(arrays) > len(names) or given.keys() != set(names) or len(given) != len(arrays) + len(named):
            raise SymbackpropError(f"the arrays {', '.join(names)} are needed, each once")
        values = [given[name] if not shape else np.asarray(given[name]) for name, shape in self.inputs]
        sizes: dict[str, tuple[int, str]] = {}
        for (name, shape), value in zip(self.inputs, values, strict=True):
            _check_shape(name, shape, np.shape(value), sizes)
        with np.errstate(over="ignore") if self.may_overflow else nullcontext():
            return dict(zip(self.outputs, self.function(*values), strict=True))


def _check_shape(name: str, shape: tuple[Size, ...], found: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    wanted = " × ".join(map(str, shape)) or "a scalar"
    if len(found) != len(shape):
        raise SymbackpropError(f"{name} is {wanted}, not an array of {len(found)} axes")
    for axis, length in zip(shape, found, strict=True):
        if len(axis.symbols) == 1 and axis == sized(axis.symbols[0]):
            sizes.setdefault(axis.symbols[0], (length, name))
    for axis, length in zip(shape, found, strict=True):
        known = {s: n for s, (n, _) in sizes.items()}
        if set(axis.symbols) <= known.keys() and axis.at(known) != length:
            why = "".join(f", where {s} = {known[s]} as in {sizes[s][1]}" for s in axis.symbols)
            raise SymbackpropError(f"{name} is {wanted}, not {' × '.join(map(str, found))}{why}")
