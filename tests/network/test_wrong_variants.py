"""Mistakes that people make in backpropagation: none is proved, and each has a witness.

The witness is an explicit network whose every entry SymPy differentiates on its own; it knows nothing of the prover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from witness import Witness

from symbackprop import explicit
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.matrix import (
    ZERO_INDEX,
    Elementwise,
    Given,
    Hadamard,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    Transpose,
    shape,
)
from symbackprop.core.terms import Entry, Power, mul, num, sized
from symbackprop.network.activations import gradient
from symbackprop.network.dense import DenseNetwork, dense
from symbackprop.network.theorems import prove_equation

# --- networks: symbolic for the prover, small for the witness ----------------------------------

DISTINCT, SQUARE = ("n_0", "n_1", "n_2"), ("n", "n", "n")
SIZES = {"n_0": 2, "n_1": 3, "n_2": 2, "n": 2, "N": 2}


@dataclass(frozen=True)
class Kind:
    """One sort of network: its last activation and loss, convention and batch."""

    last: str
    loss: str
    convention: Any
    batch: str | None

    def symbolic(self, square: bool) -> DenseNetwork:
        widths = SQUARE if square else DISTINCT
        return dense(widths, ("f", self.last), self.loss, self.convention, self.batch, mean=self.loss != "L")

    def small(self, square: bool, targets: Any) -> Any:
        widths = (2, 2, 2) if square else (2, 3, 2)
        output = {"f": "abstract"}.get(self.last, self.last)
        loss: Any = "abstract" if self.loss == "L" else self.loss
        return explicit(*widths, loss=loss, convention=self.convention, output=output, targets=targets,
                        batch=None if self.batch is None else SIZES["N"])  # fmt: skip


KINDS = {
    "column": Kind("f", "L", "column", None),
    "row": Kind("f", "L", "row", None),
    "column batch": Kind("f", "squared-error", "column", "N"),
    "row batch": Kind("f", "squared-error", "row", "N"),
    "softmax": Kind("softmax", "cross-entropy", "row", "N"),
    "softmax column": Kind("softmax", "cross-entropy", "column", None),
    "softmax error": Kind("softmax", "squared-error", "row", "N"),
    "sigmoid": Kind("sigmoid", "binary-cross-entropy", "row", "N"),
}

# --- pieces of claims --------------------------------------------------------------------------

Form = Callable[[DenseNetwork], Matrix]


def right(net: DenseNetwork, variable: str, l: int) -> Matrix:
    """The network's own form."""
    if variable == "δ":
        return dict(net.deltas())[net.delta(l)]
    return dict(net.gradients())[net.w(l) if variable == "W" else net.b(l)]


def scaled(factor: Any, m: Matrix) -> Matrix:
    return Scale(num(factor) if isinstance(factor, int | Fraction) else factor, m)


def minus(a: Matrix, b: Matrix) -> Matrix:
    return Plus((a, scaled(-1, b)))


def slope(net: DenseNetwork, l: int) -> Matrix:
    return Elementwise("f", net.z(l), 1)


def back(net: DenseNetwork, w: Matrix, delta: Matrix) -> Matrix:
    """W^T δ in columns, δ W^T in rows, for the matrix given (transposed or not)."""
    return Product(w, delta) if net.convention == "column" else Product(delta, w)


def outer(net: DenseNetwork, delta: Matrix, a: Matrix) -> Matrix:
    return Product(delta, Transpose(a)) if net.convention == "column" else Product(Transpose(a), delta)


def upstream(net: DenseNetwork) -> Matrix:
    return gradient(net.loss, net.a(2), net.t, net.weight)


def first_sample(net: DenseNetwork, of: Leaf, like: Leaf) -> Matrix:
    """A bias gradient that takes the first sample only."""
    n, k = shape(like)
    row, column = Index("r", n), Index("c", k)
    at = (row, ZERO_INDEX) if net.convention == "column" else (ZERO_INDEX, column)
    return Given(row, column, Entry(of.array, at))


def first_outer(net: DenseNetwork, delta: Leaf, a: Leaf, like: Leaf) -> Matrix:
    """A weight gradient that takes the first sample only."""
    n, k = shape(like)
    row, column = Index("r", n), Index("c", k)
    if net.convention == "column":
        return Given(row, column, mul(Entry(delta.array, (row, ZERO_INDEX)), Entry(a.array, (column, ZERO_INDEX))))
    return Given(row, column, mul(Entry(a.array, (ZERO_INDEX, row)), Entry(delta.array, (ZERO_INDEX, column))))


SHARE = Power(sized("N"), Fraction(-1))

# --- the table: what, network, variable, layer, the wrong form, square or not, what targets are -


@dataclass(frozen=True)
class Wrong:
    what: str
    kind: str
    variable: str
    layer: int
    form: Form
    square: bool = False
    any_targets: bool = False

    def __str__(self) -> str:
        return f"{self.kind}, {self.variable}{self.layer}: {self.what}"


def same(factor: Any, variable: str, l: int) -> Form:
    return lambda net: scaled(factor, right(net, variable, l))


WRONG = [
    # the signal of the last layer
    *(Wrong("sign", kind, "δ", 2, same(-1, "δ", 2)) for kind in KINDS),
    *(Wrong("no f'", kind, "δ", 2, lambda net: upstream(net))
      for kind in ("column", "row", "column batch", "row batch")),
    Wrong("f for f'", "column", "δ", 2, lambda net: Hadamard(upstream(net), Elementwise("f", net.z(2)))),
    Wrong("f' twice", "row", "δ", 2, lambda net: Hadamard(right(net, "δ", 2), slope(net, 2))),
    Wrong("f' at the wrong layer", "column", "δ", 2, lambda net: Hadamard(upstream(net), slope(net, 1)), True),
    *(Wrong("no 1/N", kind, "δ", 2, same(sized("N"), "δ", 2))
      for kind in ("column batch", "row batch", "softmax", "sigmoid")),
    Wrong("1/N twice", "row batch", "δ", 2, same(SHARE, "δ", 2)),
    Wrong("2 from the square left over", "row batch", "δ", 2, same(2, "δ", 2)),
    Wrong("no targets", "row batch", "δ", 2, lambda net: scaled(SHARE, Hadamard(net.a(2), slope(net, 2)))),
    # softmax
    Wrong("targets need not sum to 1", "softmax", "δ", 2, lambda net: right(net, "δ", 2), any_targets=True),
    Wrong("targets need not sum to 1", "softmax column", "δ", 2, lambda net: right(net, "δ", 2), any_targets=True),
    Wrong("no targets", "softmax", "δ", 2, lambda net: scaled(SHARE, net.a(2))),
    Wrong("s ∘ (s - t)", "softmax column", "δ", 2, lambda net: Hadamard(net.a(2), minus(net.a(2), net.t))),
    Wrong("the diagonal of the Jacobian only", "softmax error", "δ", 2, lambda net: Hadamard(
        Hadamard(net.a(2), minus(Ones(net.a(2).shape), net.a(2))), upstream(net))),
    Wrong("the gradient by s", "softmax error", "δ", 2, lambda net: upstream(net)),
    Wrong("the slope twice", "sigmoid", "δ", 2, lambda net: Hadamard(right(net, "δ", 2), Hadamard(
        net.a(2), minus(Ones(net.a(2).shape), net.a(2))))),
    # hidden layers
    *(Wrong("sign", kind, "δ", 1, same(-1, "δ", 1)) for kind in ("column", "row", "row batch")),
    *(Wrong("no f'", kind, "δ", 1, lambda net: back(net, Transpose(net.w(2)), net.delta(2)))
      for kind in ("column", "row", "column batch", "row batch", "softmax")),
    *(Wrong("W not transposed", kind, "δ", 1, lambda net: Hadamard(
        back(net, net.w(2), net.delta(2)), slope(net, 1)), True)
      for kind in ("column", "row", "row batch")),
    *(Wrong("f' of the next layer", kind, "δ", 1, lambda net: Hadamard(
        back(net, Transpose(net.w(2)), net.delta(2)), slope(net, 2)), True) for kind in ("column", "row")),
    Wrong("W of the wrong layer", "column", "δ", 1, lambda net: Hadamard(
        back(net, Transpose(net.w(1)), net.delta(2)), slope(net, 1)), True),
    Wrong("no W", "row", "δ", 1, lambda net: Hadamard(net.delta(2), slope(net, 1)), True),
    Wrong("1/N once more", "row batch", "δ", 1, same(SHARE, "δ", 1)),
    Wrong("1/N once more", "softmax", "δ", 1, same(SHARE, "δ", 1)),
    # weights
    *(Wrong("sign", kind, "W", 1, same(-1, "W", 1)) for kind in ("column", "row", "row batch", "softmax")),
    *(Wrong("transposed", kind, "W", 2, lambda net: Transpose(right(net, "W", 2)), True)
      for kind in ("column", "row", "column batch", "row batch")),
    Wrong("the activations after the layer", "column", "W", 2, lambda net: outer(net, net.delta(2), net.a(2)), True),
    Wrong("the inputs of the network", "row", "W", 2, lambda net: outer(net, net.delta(2), net.x), True),
    *(Wrong("the first sample only", kind, "W", 2, lambda net: first_outer(net, net.delta(2), net.a(1), net.w(2)))
      for kind in ("column batch", "row batch")),
    *(Wrong("1/N once more", kind, "W", 1, same(SHARE, "W", 1)) for kind in ("column batch", "softmax")),
    Wrong("f' once more", "column", "W", 2, lambda net: outer(net, Hadamard(net.delta(2), slope(net, 2)), net.a(1))),
    # biases
    *(Wrong("sign", kind, "b", 1, same(-1, "b", 1)) for kind in ("column", "row batch")),
    *(Wrong("the first sample only", kind, "b", 2, lambda net: first_sample(net, net.delta(2), net.b(2)))
      for kind in ("column batch", "row batch", "softmax")),
    *(Wrong("the mean instead of the sum", kind, "b", 1, same(SHARE, "b", 1))
      for kind in ("column batch", "row batch")),
    Wrong("f' once more", "row", "b", 1, lambda net: Hadamard(net.delta(1), slope(net, 1))),
]  # fmt: skip


def variable_of(net: DenseNetwork, wrong: Wrong) -> Leaf:
    return {"δ": net.z, "W": net.w, "b": net.b}[wrong.variable](wrong.layer)


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 40 and len({str(w) for w in WRONG}) == len(WRONG)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_mistake_is_not_proved(wrong: Wrong) -> None:
    net = KINDS[wrong.kind].symbolic(wrong.square)
    variable, form = variable_of(net, wrong), wrong.form(net)
    assert shape(form) == variable.shape
    with pytest.raises(SymbackpropError, match="is not proved"):
        prove_equation(net, variable, form, any_targets=wrong.any_targets)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_mistake_has_a_witness(wrong: Wrong) -> None:
    net = KINDS[wrong.kind].symbolic(wrong.square)
    assert witnessed(wrong, net, wrong.form(net)) == "unequal"


RIGHT = sorted({(w.kind, w.variable, w.layer, w.square) for w in WRONG if not w.any_targets})


@pytest.mark.parametrize(("kind", "variable", "layer", "square"), RIGHT)
def test_without_the_mistake_it_is_proved_and_the_witness_agrees(
    kind: str, variable: str, layer: int, square: bool
) -> None:
    wrong = Wrong("nothing", kind, variable, layer, lambda net: right(net, variable, layer), square)
    net = KINDS[kind].symbolic(square)
    theorem = prove_equation(net, variable_of(net, wrong), wrong.form(net))
    assert not theorem.equation.conditions
    assert witnessed(wrong, net, wrong.form(net)) == "equal"


def witnessed(wrong: Wrong, net: DenseNetwork, form: Matrix) -> str:
    """What the explicit network says of the claim; a signal is judged by the weight gradient that it gives."""
    assumed = net.needs_targets_sum_one and not wrong.any_targets
    small = KINDS[wrong.kind].small(wrong.square, "sum to one" if assumed else "free")
    claimed, l = Witness(small, SIZES).form(form), wrong.layer
    if wrong.variable == "δ":
        claimed = claimed * small.a[l - 1].T if net.convention == "column" else small.a[l - 1].T * claimed
    truth = small.bias_gradient(l) if wrong.variable == "b" else small.weight_gradient(l)
    assert claimed.shape == truth.shape
    return str(small.compare(truth, claimed).verdict)
