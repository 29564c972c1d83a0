"""Activations: a function of one variable z with its derivative, or softmax over the entries of a sample.

The derivative is computed here by the rules of a first course and is not trusted: the derivations prove it.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias, assert_never

from symbackprop.core.composed import COMPOSED
from symbackprop.core.context import EMPTY
from symbackprop.core.matrix import Elementwise, Given, Hadamard, Matrix, Ones, Plus, Product, Scale, entry, shape
from symbackprop.core.matrix import Softmax as SoftmaxForm
from symbackprop.core.terms import ONE, Apply, Array, Entry, SymbackpropError, Term, dummy, num, replaced
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.tidying import Tidy

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
    if name == "softmax":
        return Softmax()
    if name in ("f", "g", "h"):
        return abstract(name)
    if name not in ACTIVATIONS:
        names = [*ACTIVATIONS, "softmax"]
        near = get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}, and f, g, h for abstract ones"
        raise SymbackpropError(f"unknown activation {name!r}: {hint}")
    return ACTIVATIONS[name]


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
