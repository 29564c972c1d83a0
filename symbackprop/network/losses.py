"""Losses of a prediction A and a target T, and their gradients by A.

The cost is `weight` times the sum over samples of L(a, t); weight is 1/N where the cost is a mean.  Entries are
summed over the sample, so L = ½ |a - t|² for the squared error and L = -Σ_k t_k log a_k for cross-entropy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import TypeAlias, assert_never

from symbackprop.core.matrix import (
    UNIT,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Product,
    Scale,
    entry,
    shape,
)  # fmt: skip
from symbackprop.core.terms import (
    ONE,
    Apply,
    IndexExpr,
    Power,
    SymbackpropError,
    Term,
    add,
    dummy,
    mul,
    num,
    over,
    sub,
    whole,
)  # fmt: skip

from .activations import ACTIVATIONS, AnyActivation, Softmax, pulled_back


@dataclass(frozen=True, slots=True)
class AbstractLoss:
    """C = L(A): any differentiable function of all predictions."""

    name: str = "L"


@dataclass(frozen=True, slots=True)
class SquaredError:
    """½ Σ (a - t)²"""

    name: str = "squared-error"


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """-Σ_k t_k log a_k"""

    name: str = "cross-entropy"


@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy:
    """-Σ_k t_k log a_k + (1 - t_k) log(1 - a_k)"""

    name: str = "binary-cross-entropy"


Loss: TypeAlias = AbstractLoss | SquaredError | CrossEntropy | BinaryCrossEntropy

LOSSES: dict[str, Loss] = {
    loss.name: loss for loss in (SquaredError(), CrossEntropy(), BinaryCrossEntropy(), AbstractLoss())
}


def loss(name: str) -> Loss:
    """The loss of this name.  Raises SymbackpropError, with the nearest name, for an unknown one."""
    if name not in LOSSES:
        near = get_close_matches(name, LOSSES, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(LOSSES)}"
        raise SymbackpropError(f"unknown loss {name!r}: {hint}")
    return LOSSES[name]


def usual_output(loss: Loss) -> AnyActivation:
    """The last activation that goes with this loss."""
    match loss:
        case CrossEntropy():
            return Softmax()
        case BinaryCrossEntropy():
            return ACTIVATIONS["sigmoid"]
        case SquaredError() | AbstractLoss():
            return ACTIVATIONS["identity"]
        case _:
            assert_never(loss)


def cost_form(loss: Loss, a: Matrix, t: Matrix, weight: Term) -> Matrix:
    """The cost as a 1×1 matrix form."""
    match loss:
        case AbstractLoss(name):
            return Given(dummy(UNIT), dummy(UNIT), _weighted(weight, _abstract(name, a, ())), f"{name}(A)")
        case SquaredError():
            return _total(mul(weight, num(Fraction(1, 2))), ElementPower(_minus(a, t), Fraction(2)))
        case CrossEntropy():
            return _total(mul(weight, num(-1)), Hadamard(t, Elementwise("log", a)))
        case BinaryCrossEntropy():
            yes = Hadamard(t, Elementwise("log", a))
            no = Hadamard(_complement(t), Elementwise("log", _complement(a)))
            return _total(mul(weight, num(-1)), Plus((yes, no)))
        case _:
            assert_never(loss)


def cost_term(loss: Loss, a: Matrix, t: Matrix, weight: Term) -> Term:
    """The cost as an index term: what is differentiated."""
    if isinstance(loss, AbstractLoss):
        return _weighted(weight, _abstract(loss.name, a, ()))
    i, k = (dummy(n, letter) for n, letter in zip(shape(a), "ik", strict=True))
    a_ik, t_ik = entry(a, i, k), entry(t, i, k)
    return _weighted(weight, over(i, over(k, _at_one(loss, a_ik, t_ik))))


def gradient(loss: Loss, a: Matrix, t: Matrix, weight: Term) -> Matrix:
    """∂C/∂A."""
    match loss:
        case AbstractLoss(name):
            i, j = (dummy(n, letter) for n, letter in zip(shape(a), "ij", strict=True))
            return Given(i, j, _weighted(weight, _abstract(name, a, (i, j))), f"∂{name}/∂A")
        case SquaredError():
            return _scaled(weight, _minus(a, t))
        case CrossEntropy():
            return _scaled(mul(num(-1), weight), Hadamard(t, ElementPower(a, Fraction(-1))))
        case BinaryCrossEntropy():
            spread = Hadamard(a, _complement(a))
            return _scaled(weight, Hadamard(_minus(a, t), ElementPower(spread, Fraction(-1))))
        case _:
            assert_never(loss)


PulledBack: TypeAlias = Callable[[AnyActivation, Matrix, Matrix, Matrix, int], Matrix]


def output_delta(
    loss: Loss, last: AnyActivation, z: Matrix, a: Matrix, t: Matrix, weight: Term, axis: int,
    back: PulledBack = pulled_back,
) -> Matrix:  # fmt: skip
    """δ^L = ∂C/∂Z^L, with `back` from ∂C/∂A^L to it where nothing cancels.

    Cross-entropy on softmax is A - T provided that the targets of each sample sum to 1 (`needs_targets_sum_one`);
    binary cross-entropy on a sigmoid is A - T always.
    """
    on_softmax = isinstance(loss, CrossEntropy) and isinstance(last, Softmax)
    on_sigmoid = isinstance(loss, BinaryCrossEntropy) and last == ACTIVATIONS["sigmoid"]
    if on_softmax or on_sigmoid:
        return _scaled(weight, _minus(a, t))
    return back(last, z, a, gradient(loss, a, t, weight), axis)


def needs_targets_sum_one(loss: Loss, last: AnyActivation) -> bool:
    """Whether `output_delta` used Σ_k t_k = 1 for each sample."""
    return isinstance(loss, CrossEntropy) and isinstance(last, Softmax)


# --- pieces ------------------------------------------------------------------------------------


def _at_one(loss: SquaredError | CrossEntropy | BinaryCrossEntropy, a: Term, t: Term) -> Term:
    """The loss of one entry."""
    match loss:
        case SquaredError():
            return mul(num(Fraction(1, 2)), Power(sub(a, t), Fraction(2)))
        case CrossEntropy():
            return mul(num(-1), t, Apply("log", a))
        case BinaryCrossEntropy():
            no = mul(sub(ONE, t), Apply("log", sub(ONE, a)))
            return mul(num(-1), add(mul(t, Apply("log", a)), no))
        case _:
            assert_never(loss)


def _abstract(name: str, a: Matrix, at: tuple[IndexExpr, ...]) -> Term:
    """L(A), or ∂L(A)/∂A_ij when `at` is (i, j).  A single sample is a vector, and has one index."""
    axes = tuple(dummy(n, letter) for n, letter in zip(shape(a), "pq", strict=True))
    body = entry(a, *axes)
    if isinstance(a, Leaf) and a.kind in ("column", "row"):
        keep = 0 if a.kind == "column" else 1
        axes, at = (axes[keep],), at[keep : keep + 1]
    return whole(name, 1 if at else 0, axes, body, at)


def _total(factor: Term, m: Matrix) -> Matrix:
    """factor times the sum of all entries, 1^T M 1."""
    rows, columns = shape(m)
    return Scale(factor, Product(Product(Ones((UNIT, rows)), m), Ones((columns, UNIT))))


def _minus(a: Matrix, b: Matrix) -> Matrix:
    return Plus((a, Scale(num(-1), b)))


def _complement(m: Matrix) -> Matrix:
    return _minus(Ones(shape(m)), m)


def _scaled(factor: Term, m: Matrix) -> Matrix:
    return m if factor == ONE else Scale(factor, m)


def _weighted(factor: Term, t: Term) -> Term:
    return t if factor == ONE else mul(factor, t)
