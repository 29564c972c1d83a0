"""The entries of an explicit network: weights, units, targets and losses, counted from 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError

from . import parts, sums
from .nodes import AbstractLoss, Node, Scalar
from .parts import Convention, Loss, Targets

# SymPy has no types: this name only says what is meant.
Matrix: TypeAlias = Any


@dataclass(frozen=True)
class Units:
    """Layer l has units i = 1 .. widths[l], in samples n = 1 .. batch (1 without a batch)."""

    widths: tuple[int, ...]
    activation: Scalar
    output: Scalar | None  # None: softmax
    loss: Loss
    convention: Convention
    batch: int | None
    targets: Targets
    _kept: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def depth(self) -> int:
        """The number of layers with weights, L."""
        return len(self.widths) - 1

    @property
    def _rows(self) -> bool:
        return self.convention == "row"

    @property
    def _samples(self) -> range:
        return range(1, (self.batch or 1) + 1)

    @property
    def _mean(self) -> Expr:
        return sympy.Rational(1, self.batch or 1)

    def _checked(self, layer: int) -> int:
        if not 1 <= layer <= self.depth:
            raise SymbackpropError(f"there is no layer {layer}: the network has layers 1 to {self.depth}")
        return layer

    def _keep(self, what: str, layer: int, make: Callable[[], Matrix]) -> Matrix:
        key = (what, self._checked(layer))
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _layers(self, make: Callable[[int], Matrix]) -> Mapping[int, Matrix]:
        return MappingProxyType({l: make(l) for l in range(1, self.depth + 1)})

    def _oriented(self, units: int, others: int, entry: Callable[[int, int], Expr]) -> Matrix:
        """A matrix with units down (column convention) or across (row convention); `entry` counts from 1."""
        if self._rows:
            return sympy.ImmutableMatrix(others, units, lambda n, i: entry(i + 1, n + 1))
        return sympy.ImmutableMatrix(units, others, lambda i, n: entry(i + 1, n + 1))

    def _per_sample(self, layer: int, entry: Callable[[int, int], Expr]) -> Matrix:
        return self._oriented(self.widths[layer], len(self._samples), entry)

    def _subscript(self, *places: int) -> str:
        wide = max(*self.widths, self.batch or 0) > 9
        return "_{" + ("," if wide else "").join(map(str, places)) + "}"

    def _place(self, layer: int, i: int, n: int) -> str:
        places = (i,) if self.batch is None else (n, i) if self._rows else (i, n)
        return (f"^{{{layer}}}" if layer else "") + self._subscript(*places)

    def _weight(self, l: int, i: int, k: int) -> Expr:
        return sympy.Symbol(f"W^{{{l}}}" + (self._subscript(k, i) if self._rows else self._subscript(i, k)))

    def _weight_at(self, l: int, row: int, column: int) -> Expr:
        """The entry of the matrix, in which a row convention has the units in columns."""
        return self._weight(l, column, row) if self._rows else self._weight(l, row, column)

    def _slope(self, l: int, i: int, n: int) -> Expr:
        return self._node(l, i, n).partial(0)

    def _bias(self, l: int, i: int) -> Expr:
        return sympy.Symbol(f"b^{{{l}}}{self._subscript(i)}")

    def _target(self, i: int, n: int) -> Expr:
        if self.targets == "sum to one" and i == self.widths[-1]:
            return 1 - sympy.Add(*(self._target(k, n) for k in range(1, i)))
        return sympy.Symbol("t" + self._place(0, i, n))

    def _preactivation(self, l: int, i: int, n: int) -> Expr:
        inputs = range(1, self.widths[l - 1] + 1)
        return sympy.Add(*(self._weight(l, i, k) * self._activation(l - 1, k, n) for k in inputs), self._bias(l, i))

    def _function(self, layer: int) -> Scalar | None:
        return self.output if layer == self.depth else self.activation

    def _activation(self, l: int, i: int, n: int) -> Expr:
        if l == 0:
            return sympy.Symbol("x" + self._place(0, i, n))
        if self._function(l) is not None:
            return self._node(l, i, n)
        total = sympy.Add(*(self._node(l, k, n) for k in range(1, self.widths[l] + 1)))
        return self._node(l, i, n) / total

    def _node(self, l: int, i: int, n: int) -> Node:
        """The activation of a unit; of a softmax unit its exponential."""
        key = ("node", l, i, n)
        if key not in self._kept:
            function = self._function(l) or parts.EXP
            self._kept[key] = Node(function, (self._preactivation(l, i, n),), self._place(l, i, n), (0,))
        node: Node = self._kept[key]
        return node

    def _loss_node(self) -> Node:
        units = [(i, n) for n in self._samples for i in range(1, self.widths[-1] + 1)]
        names = tuple("y" + self._place(0, i, n) for i, n in units)
        outputs = tuple(self._activation(self.depth, i, n) for i, n in units)
        return Node(AbstractLoss(names), outputs, "", (0,) * len(units))

    def _upstream(self, i: int, n: int) -> Expr:
        y, t = self._activation(self.depth, i, n), self._target(i, n)
        match self.loss:
            case "abstract":
                return self._loss_node().partial((n - 1) * self.widths[-1] + i - 1)
            case "squared-error":
                return (y - t) * self._mean
            case "cross-entropy":
                return -t / y * self._mean
            case "binary-cross-entropy":
                return (-t / y + (1 - t) / (1 - y)) * self._mean

    @property
    def _lookup(self) -> sums.Lookup:
        """The entries behind the names of the sums, by indices as they are written there."""

        def oriented(entry: Callable[[int, int], Expr]) -> Callable[..., Expr]:
            if self.batch is None:
                return lambda i: entry(i, 1)
            return (lambda n, i: entry(i, n)) if self._rows else entry

        names: dict[str, Callable[..., Expr]] = {r"\partial L/\partial y": oriented(self._upstream)}
        for l in range(self.depth + 1):
            name = f"a^{{{l}}}" if l else "x"
            names[name] = oriented(partial(self._activation, l))
        for l in range(1, self.depth + 1):
            names[f"W^{{{l}}}"] = partial(self._weight_at, l)
            if self._function(l) is not None:
                names[f"f'(z^{{{l}}})"] = oriented(partial(self._slope, l))
        return names
