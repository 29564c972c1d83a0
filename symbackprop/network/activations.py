"""Activations, each with its derivative, and losses, each with its seed.

The derivative is computed here by the rules of a first course and is not trusted: the derivations prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import TypeAlias, TypeVar, assert_never

from symbackprop.core.functions import COMPOSED
from symbackprop.core.context import EMPTY
from symbackprop.core.matrix import (
    UNIT, ElementPower, Elementwise, Given, Hadamard, Leaf, Matrix, Ones, Plus, Product, Scale, entry, shape, times,
)  # fmt: skip
from symbackprop.core.matrix import Softmax as SoftmaxForm
from symbackprop.core.terms import (
    ONE, Apply, Array, Entry, IndexExpr, SymbackpropError, Term, dummy, mul, num, replaced, sum_over, whole,
)  # fmt: skip
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.working_out import Tidy

T = TypeVar("T")
Z = Entry(Array("z"), ())  # the variable of every activation


@dataclass(frozen=True, slots=True)
class Activation:
    """a = value(z) at each entry; value and slope are terms in Z."""

    name: str
    value: Term
    slope: Term


@dataclass(frozen=True, slots=True)
class Softmax:
    """a_k = e^{z_k} / Σ_m e^{z_m} within each sample."""

    name: str = "softmax"


AnyActivation: TypeAlias = Activation | Softmax


def abstract(name: str = "f") -> Activation:
    """An unknown differentiable function; its derivative is written f'."""
    return Activation(name, Apply(name, Z), Apply(name, Z, 1))


def scalar_activation(name: str, value: Term, slope: Term | None = None) -> Activation:
    """An activation given by a term in Z; its derivative may be given in the form to compute, and is proved then."""
    return Activation(name, value, derivative(value) if slope is None else slope)


def activation(name: str) -> AnyActivation:
    """The activation of this name.  Raises SymbackpropError, with the nearest name, for an unknown one."""
    if name in ("f", "g", "h"):
        return abstract(name)
    everything: dict[str, AnyActivation] = {**ACTIVATIONS, "softmax": Softmax()}
    return known("activation", name, everything, "f, g, h for abstract ones")


def known(what: str, name: str, table: Mapping[str, T], more: str = "") -> T:
    """What is called so.  Raises SymbackpropError, with the nearest name, where nothing is."""
    if name not in table:
        near = get_close_matches(name, table, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(table)}{', and ' * bool(more)}{more}"
        raise SymbackpropError(f"unknown {what} {name!r}: {hint}")
    return table[name]


# --- as matrix forms ---------------------------------------------------------------------------


def applied(f: AnyActivation, z: Matrix, sample_axis: int) -> Matrix:
    """A = f(Z).  `sample_axis` is the axis along which one sample lies: 1 for rows, 0 for columns."""
    return SoftmaxForm(z, sample_axis) if isinstance(f, Softmax) else at_entries(f.value, z, f.name)


def pulled_back(f: AnyActivation, z: Matrix, a: Matrix, g: Matrix, sample_axis: int) -> Matrix:
    """∂C/∂Z from G = ∂C/∂A: G ∘ f'(Z), and for softmax A ∘ (G - Σ_k G_k A_k), from s_i (δ_ij - s_j)."""
    match f:
        case Activation(name, _, slope):
            return g if slope == ONE else Hadamard(g, at_entries(slope, z, f"{name}'"))
        case Softmax():
            n = shape(z)[sample_axis]
            every = Ones((n, n))  # sums over a sample and spreads the sum over it again
            weighted = Hadamard(g, a)
            mean = Product(weighted, every) if sample_axis == 1 else Product(every, weighted)
            return Hadamard(a, Plus((g, Scale(num(-1), mean))))
        case _:
            assert_never(f)


def at_entries(t: Term, z: Matrix, name: str = "") -> Matrix:
    """The term in Z at each entry of the matrix z; `name` is what people call the function."""
    match t:
        case Apply(fn, arg, order) if arg == Z:
            return Elementwise(fn, z, order)
        case Entry() if t == Z:
            return z
    rows, columns = shape(z)
    i, j = dummy(rows, "i"), dummy(columns, "j")
    return Given(i, j, replaced(t, Z, entry(z, i, j)), name)


# --- derivatives -------------------------------------------------------------------------------


def derivative(t: Term) -> Term:
    """dt/dZ by the laws.  A step has slope 0 here, also at its jump.  Raises ProofError where a law refuses."""
    return Tidy()(differentiate(t, Z, EMPTY, Names())[0])


ACTIVATIONS: dict[str, Activation] = {
    name: scalar_activation(name, c.value(Z), c.slope and c.slope(Z)) for name, c in COMPOSED.items() if c.activation
} | {name: scalar_activation(name, Apply(name, Z)) for name in ("tanh", "sigmoid", "softplus", "sin")}


# --- losses of a prediction A and a target T, and their gradients by A ---
# The cost is `weight` times the sum over samples of L(a, t); weight is 1/N where the cost is a mean.  Entries are
# summed over the sample, so L = ½ |a - t|² for the squared error and L = -Σ_k t_k log a_k for cross-entropy.


OfBoth: TypeAlias = Callable[[Matrix, Matrix], Matrix]  # of A and T


@dataclass(frozen=True, slots=True)
class Formula:
    """`factor` times the sum of the entries of `value`, and `sign` times `slope` is its gradient by A."""

    factor: Fraction
    value: OfBoth
    sign: int
    slope: OfBoth


@dataclass(frozen=True, slots=True)
class Loss:
    """Without a formula any differentiable function of all predictions.  `usual` is the output that goes with it."""

    name: str
    formula: Formula | None = None
    usual: str = "identity"

    def __reduce__(self) -> tuple[Callable[[str], Loss], tuple[str]]:
        return loss, (self.name,)  # its formulas are no data


def minus(a: Matrix, b: Matrix) -> Matrix:
    return Plus((a, Scale(num(-1), b)))


def complement(m: Matrix) -> Matrix:
    return minus(Ones(shape(m)), m)


def log(m: Matrix) -> Matrix:
    return Elementwise("log", m)


def inverse(m: Matrix) -> Matrix:
    return ElementPower(m, Fraction(-1))


ABSTRACT = Loss("L")
SQUARED_ERROR = Loss("squared-error", Formula(
    Fraction(1, 2), lambda a, t: ElementPower(minus(a, t), Fraction(2)),
    1, minus,
))  # fmt: skip
CROSS_ENTROPY = Loss("cross-entropy", Formula(
    Fraction(-1), lambda a, t: Hadamard(t, log(a)),
    -1, lambda a, t: Hadamard(t, inverse(a)),
), "softmax")  # fmt: skip
BINARY_CROSS_ENTROPY = Loss("binary-cross-entropy", Formula(
    Fraction(-1), lambda a, t: Plus((Hadamard(t, log(a)), Hadamard(complement(t), log(complement(a))))),
    1, lambda a, t: Hadamard(minus(a, t), inverse(Hadamard(a, complement(a)))),
), "sigmoid")  # fmt: skip
LOSSES: dict[str, Loss] = {loss.name: loss for loss in (SQUARED_ERROR, CROSS_ENTROPY, BINARY_CROSS_ENTROPY, ABSTRACT)}


def loss(name: str) -> Loss:
    """The loss of this name.  Raises SymbackpropError, with the nearest name, for an unknown one."""
    return known("loss", name, LOSSES)


def cost_form(loss: Loss, a: Matrix, t: Matrix, weight: Term) -> Matrix:
    """The cost as a 1×1 matrix form."""
    if loss.formula is None:
        return Given(dummy(UNIT), dummy(UNIT), weighted(weight, abstract_loss(loss.name, a, ())), f"{loss.name}(A)")
    value = loss.formula.value(a, t)
    rows, columns = shape(value)
    total = Product(Product(Ones((UNIT, rows)), value), Ones((columns, UNIT)))
    return Scale(mul(weight, num(loss.formula.factor)), total)


def cost_term(loss: Loss, a: Matrix, t: Matrix, weight: Term) -> Term:
    """The cost as an index term: what is differentiated."""
    if loss.formula is None:
        return weighted(weight, abstract_loss(loss.name, a, ()))
    at = tuple(dummy(n, letter) for n, letter in zip(shape(a), "ik", strict=True))
    at_one = times(num(loss.formula.factor), entry(loss.formula.value(a, t), *at))
    return weighted(weight, sum_over(at, at_one))


def gradient(loss: Loss, a: Matrix, t: Matrix, weight: Term) -> Matrix:
    """∂C/∂A."""
    if loss.formula is None:
        i, j = (dummy(n, letter) for n, letter in zip(shape(a), "ij", strict=True))
        return Given(i, j, weighted(weight, abstract_loss(loss.name, a, (i, j))), f"∂{loss.name}/∂A")
    return scaled(weight if loss.formula.sign > 0 else mul(num(-1), weight), loss.formula.slope(a, t))


PulledBack: TypeAlias = Callable[[AnyActivation, Matrix, Matrix, Matrix, int], Matrix]


def output_delta(
    loss: Loss, last: AnyActivation, z: Matrix, a: Matrix, t: Matrix, weight: Term, axis: int,
    back: PulledBack = pulled_back,
) -> Matrix:  # fmt: skip
    """δ^L = ∂C/∂Z^L, with `back` from ∂C/∂A^L to it where nothing cancels.

    Cross-entropy on softmax is A - T provided that the targets of each sample sum to 1 (`needs_targets_sum_one`);
    binary cross-entropy on a sigmoid is A - T always.
    """
    on_sigmoid = loss == BINARY_CROSS_ENTROPY and last == ACTIVATIONS["sigmoid"]
    if on_sigmoid or needs_targets_sum_one(loss, last):
        return scaled(weight, minus(a, t))
    return back(last, z, a, gradient(loss, a, t, weight), axis)


def needs_targets_sum_one(loss: Loss, last: AnyActivation) -> bool:
    """Whether `output_delta` used Σ_k t_k = 1 for each sample."""
    return loss == CROSS_ENTROPY and isinstance(last, Softmax)


def abstract_loss(name: str, a: Matrix, at: tuple[IndexExpr, ...]) -> Term:
    """L(A), or ∂L(A)/∂A_ij when `at` is (i, j).  A single sample is a vector, and has one index."""
    axes = tuple(dummy(n, letter) for n, letter in zip(shape(a), "pq", strict=True))
    body = entry(a, *axes)
    if isinstance(a, Leaf) and a.kind in ("column", "row"):
        keep = 0 if a.kind == "column" else 1
        axes, at = (axes[keep],), at[keep : keep + 1]
    return whole(name, 1 if at else 0, axes, body, at)


def scaled(factor: Term, m: Matrix) -> Matrix:
    return m if factor == ONE else Scale(factor, m)


def weighted(factor: Term, t: Term) -> Term:
    return t if factor == ONE else mul(factor, t)
