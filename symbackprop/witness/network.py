"""Small networks written out entry by entry, as an independent witness of the matrix forms.

`explicit(2, 3, 2)` is a network of literal widths whose weights and biases are SymPy symbols.  Every entry of every
gradient is found three times: by `sympy.diff` of the loss, by the chain rule as sums with Kronecker deltas, and by the
compact recurrence in matrices.  `verdicts()` compares them in a polynomial ring.  Nothing here is shared with the
terms, laws and proofs of the rest of the program, so that a theorem and its witness cannot err together.

    >>> from symbackprop import explicit
    >>> network = explicit(2, 3, 2)
    >>> network.weight_gradient(2)[0, 0], network.compact_weight_gradient(2)[0, 0]
    >>> all(v.equal for v in network.verdicts())
    True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, TypeAlias

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError
from symbackprop.witness.parts import AbstractLoss, Convention, Loss, Node, Scalar, Targets, substituted

from . import parts, sums
from .compare import Comparison, Judge, evaluated

# SymPy has no types: this name only says what is meant.
Matrix: TypeAlias = Any


@dataclass(frozen=True)
class Network:
    """The mathematics of an explicit network; make one with `explicit.explicit`.

    Layers are counted from 1 (the input is layer 0).  Matrices are SymPy's, of symbols and of nodes: a node is the
    value of an activation, of its slope `f'(z)` or of `∂L/∂y`, by name; `substituted` writes it out.  Layer l has units
    i = 1 .. widths[l], in samples n = 1 .. batch (1 without a batch).
    """

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

    # --- the forward pass ---------------------------------------------------------------------

    @cached_property
    def W(self) -> Mapping[int, Matrix]:
        """The weight matrices `W[1] .. W[L]`, of symbols."""
        sizes = self.widths
        return self._layers(lambda l: self._oriented(sizes[l], sizes[l - 1], lambda i, k: self._weight(l, i, k)))

    @cached_property
    def b(self) -> Mapping[int, Matrix]:
        """The biases `b[1] .. b[L]`, columns or rows of symbols."""
        return self._layers(lambda l: self._oriented(self.widths[l], 1, lambda i, _: self._bias(l, i)))

    @cached_property
    def z(self) -> Mapping[int, Matrix]:
        """The pre-activations `z[1] .. z[L]`: units × samples (column convention), or samples × units (row)."""
        return self._layers(lambda l: self._per_sample(l, lambda i, n: self._preactivation(l, i, n)))

    @cached_property
    def a(self) -> Mapping[int, Matrix]:
        """The activations: `a[0]` is the input, `a[L]` the output; oriented as z."""
        layers = {l: self._per_sample(l, partial(self._activation, l)) for l in range(self.depth + 1)}
        return MappingProxyType(layers)

    @cached_property
    def t(self) -> Matrix:
        """The targets, oriented as the outputs."""
        return self._per_sample(self.depth, self._target)

    @cached_property
    def cost(self) -> Expr:
        """The scalar that is differentiated."""
        known = parts.LOSSES[self.loss]
        if known is None:
            return self._loss_node()
        value, _ = known
        units = [(i, n) for n in self._samples for i in range(1, self.widths[-1] + 1)]
        each = (value(self._activation(self.depth, i, n), self._target(i, n)) for i, n in units)
        return sympy.Add(*each) * self._mean

    def substituted(self, expression: Any) -> Any:
        """An expression or matrix of this network with every node written out, down to weights, biases and inputs."""
        return expression.applyfunc(substituted) if hasattr(expression, "applyfunc") else substituted(expression)

    # --- gradients, three ways ----------------------------------------------------------------

    def gradient(self, variables: Matrix) -> Matrix:
        """`∂cost/∂v` for every entry v of a matrix of symbols, by `sympy.diff`; shaped as `variables`."""
        return variables.applyfunc(lambda v: sympy.diff(self.cost, v))

    def weight_gradient(self, layer: int) -> Matrix:
        """`∂cost/∂W^l`, every entry by `sympy.diff`; shaped as W^l."""
        return self._keep("W", layer, lambda: self.gradient(self.W[layer]))

    def bias_gradient(self, layer: int) -> Matrix:
        """`∂cost/∂b^l`, every entry by `sympy.diff`; shaped as b^l."""
        return self._keep("b", layer, lambda: self.gradient(self.b[layer]))

    def weight_sum(self, layer: int) -> Expr:
        """`∂cost/∂W^l_ab` by the chain rule, as sums with Kronecker deltas and free indices a, b."""
        return sums.weight_sum(self._shape, self._checked(layer))

    def bias_sum(self, layer: int) -> Expr:
        """`∂cost/∂b^l_a` by the chain rule, as sums with Kronecker deltas and a free index a."""
        return sums.bias_sum(self._shape, self._checked(layer))

    def compact_weight_gradient(self, layer: int) -> Matrix:
        """`δ^l (a^{l-1})^T` (column) or `(a^{l-1})^T δ^l` (row): the sum over a batch is inside the product."""
        delta, source = self.delta(layer), self.a[layer - 1]
        return source.T * delta if self._rows else delta * source.T

    def compact_bias_gradient(self, layer: int) -> Matrix:
        """`δ^l 1` (column) or `1^T δ^l` (row)."""
        delta, ones = self.delta(layer), sympy.ones(len(self._samples), 1)
        return sympy.ImmutableMatrix(ones.T * delta if self._rows else delta * ones)

    def delta(self, layer: int) -> Matrix:
        """`δ^l = ∂cost/∂z^l` by the compact recurrence; oriented as z.

        Column: `δ^l = (W^{l+1})^T δ^{l+1} ∘ f'(z^l)`; row: `δ^l = δ^{l+1} (W^{l+1})^T ∘ f'(z^l)`.  The last one is
        `∂L/∂y ∘ f'(z^L)`; `(diag(s) - s s^T) ∂L/∂y` for softmax; `s Σt - t` for softmax with cross-entropy, which is
        `s - t` when the targets sum to one; `y - t` for sigmoid with binary cross-entropy; each over N for a mean.
        """
        return self._keep("delta", layer, lambda: self._delta(layer))

    def slope(self, layer: int) -> Matrix:
        """`f'(z^l)`, oriented as z.  Raises SymbackpropError for a softmax layer, whose derivative is not diagonal."""
        if self._function(self._checked(layer)) is None:
            raise SymbackpropError(f"layer {layer} is a softmax: its derivative is a matrix, not an elementwise slope")
        return self._per_sample(layer, partial(self._slope, layer))

    @cached_property
    def upstream(self) -> Matrix:
        """`∂cost/∂y`, oriented as the outputs: nodes for an abstract loss, a formula in y and t otherwise."""
        return self._per_sample(self.depth, self._upstream)

    def softmax_jacobian(self, sample: int = 1) -> Matrix:
        """`∂s_i/∂z_j = s_i (δ_ij - s_j)` of a softmax output, as `diag(s) - s s^T`."""
        if self.output is not None:
            raise SymbackpropError("the output is not a softmax")
        s = sympy.ImmutableMatrix([self._activation(self.depth, i, sample) for i in range(1, self.widths[-1] + 1)])
        return sympy.ImmutableMatrix(sympy.diag(*s) - s * s.T)

    # --- comparison ---------------------------------------------------------------------------

    def verdicts(self) -> tuple[Comparison, ...]:
        """For every weight matrix and bias: `sympy.diff` against the compact form and against the sums with deltas."""
        return tuple(v for layer in range(1, self.depth + 1) for v in self.layer_verdicts(layer))

    def layer_verdicts(self, layer: int) -> tuple[Comparison, ...]:
        """The four comparisons of one layer: weights and biases, against the compact form and against the sums."""
        self._checked(layer)
        rows = (
            (f"W{layer}", self.weight_gradient, self.compact_weight_gradient, self.weight_sum),
            (f"b{layer}", self.bias_gradient, self.compact_bias_gradient, self.bias_sum),
        )
        found = []
        for name, direct, compact, total in rows:
            found.append(self._judge.compare(direct(layer), compact(layer), f"{name}, compact form"))
            found.append(self._judge.compare_sum(direct(layer), total(layer), self._lookup, f"{name}, sums"))
        return tuple(found)

    def compare(self, left: Matrix, right: Matrix, name: str = "claim") -> Comparison:
        """Compares two expressions or matrices of this network entry by entry.

        Equal entries are equal as rational functions of weights, inputs, activations and slopes.  Different ones come
        with a counterexample: numbers for all symbols at which the two sides differ.
        """
        return self._judge.compare(left, right, name)

    def evaluate(self, expression: Expr, at: Mapping[Expr, Any] | None = None, seed: int = 0) -> Any:
        """The value of an expression: exact where it is rational, else a SymPy Float of 60 digits.

        at: whole numbers or fractions for symbols or nodes.  All others, and the values of abstract functions, are
            small rational numbers chosen by the seed.
        Raises SymbackpropError where the expression has no value (a kink, a logarithm of a negative number).
        """
        return evaluated(expression, at or {}, seed)

    # --- inside -------------------------------------------------------------------------------

    @property
    def _shape(self) -> sums.SumShape:
        return sums.SumShape(self.widths, self.batch, self._rows, self.output is None)

    @cached_property
    def _judge(self) -> Judge:
        return Judge()

    def _delta(self, layer: int) -> Matrix:
        if layer == self.depth:
            return self._last_delta()
        after = self.delta(layer + 1)
        back = after * self.W[layer + 1].T if self._rows else self.W[layer + 1].T * after
        return back.multiply_elementwise(self.slope(layer))

    def _last_delta(self) -> Matrix:
        y, t = self.a[self.depth], self.t
        match self.loss, self.output:
            case "cross-entropy", None:
                if self.targets == "sum to one":
                    return (y - t) * self._mean
                units = range(1, self.widths[-1] + 1)
                total = self._per_sample(self.depth, lambda _, n: sympy.Add(*(self._target(k, n) for k in units)))
                return (y.multiply_elementwise(total) - t) * self._mean
            case "binary-cross-entropy", parts.SIGMOID:
                return (y - t) * self._mean
            case _, None:
                return self._softmax_delta()
            case _:
                return self.upstream.multiply_elementwise(self.slope(self.depth))

    def _softmax_delta(self) -> Matrix:
        """Sample by sample `(diag(s) - s s^T) ∂L/∂y`."""
        columns = self.upstream.T if self._rows else self.upstream
        each = [self.softmax_jacobian(n) * columns[:, n - 1] for n in self._samples]
        result = sympy.ImmutableMatrix.hstack(*each)
        return result.T if self._rows else result

    # --- entries, counted from 1 ----------------------------------------------------------------

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
        known = parts.LOSSES[self.loss]
        if known is None:
            return self._loss_node().partial((n - 1) * self.widths[-1] + i - 1)
        _, slope = known
        return slope(self._activation(self.depth, i, n), self._target(i, n)) * self._mean

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
            weights = self.W[l]
            names[f"W^{{{l}}}"] = lambda row, column, weights=weights: weights[row - 1, column - 1]
            if self._function(l) is not None:
                names[f"f'(z^{{{l}}})"] = oriented(partial(self._slope, l))
        return names
