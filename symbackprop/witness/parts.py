"""The parts an explicit network is made of: activations by name or by formula, losses, the size limit."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError

from .nodes import Scalar, Z, derivative

Convention: TypeAlias = Literal["column", "row"]
Loss: TypeAlias = Literal["abstract", "squared-error", "cross-entropy", "binary-cross-entropy"]
Targets: TypeAlias = Literal["free", "sum to one"]

SOFTMAX = "softmax"
ABSTRACT = Scalar("f", "f", None)
SIGMOID = Scalar("σ", r"\sigma", 1 / (1 + sympy.exp(-Z)))
EXP = Scalar("exp", r"\exp", sympy.exp(Z))
ACTIVATIONS: dict[str, Scalar] = {
    "abstract": ABSTRACT,
    "identity": Scalar("id", r"\mathrm{id}", Z),
    "relu": Scalar("relu", r"\mathrm{relu}", sympy.Max(0, Z)),
    "sigmoid": SIGMOID,
    "softplus": Scalar("softplus", r"\mathrm{softplus}", sympy.log(1 + sympy.exp(Z))),
    "tanh": Scalar("tanh", r"\tanh", sympy.tanh(Z)),
    "gelu": Scalar("gelu", r"\mathrm{gelu}", Z * (1 + sympy.erf(Z / sympy.sqrt(2))) / 2),
}
LOSSES: tuple[Loss, ...] = ("abstract", "squared-error", "cross-entropy", "binary-cross-entropy")

# Most steps of differentiation, and most products in all gradients together: about a minute and some 100 MB.
MOST_STEPS = 200_000
MOST_PRODUCTS = 1_000_000
# SymPy recurses some 25 frames a layer; Python allows about a thousand.
DEEPEST = 16


def activation_of(given: str | Expr) -> Scalar:
    """An activation by name, or by a SymPy expression in one symbol.  Strings are never parsed."""
    if isinstance(given, str):
        if given not in ACTIVATIONS:
            raise SymbackpropError(f"unknown activation {given!r}: one of {', '.join(ACTIVATIONS)}, or a formula in z")
        return ACTIVATIONS[given]
    if not isinstance(given, Expr):
        raise SymbackpropError(f"an activation is a name or a SymPy expression, not {type(given).__name__}")
    if len(given.free_symbols) != 1:
        names = ", ".join(sorted(map(str, given.free_symbols))) or "none"
        raise SymbackpropError(f"an activation is an expression in one symbol; {given} has {names}")
    (symbol,) = given.free_symbols
    expression = given.xreplace({symbol: Z})
    if expression.atoms(sympy.core.function.AppliedUndef):
        raise SymbackpropError(f"{given} holds an undefined function; use activation='abstract' for an unknown one")
    if derivative(expression, 1).atoms(sympy.Derivative, sympy.Subs):
        raise SymbackpropError(f"SymPy finds no derivative of {given}")
    return Scalar("g", "g", expression)


def widths_of(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Layer widths: at least two whole numbers, each at least 1."""
    if len(given) < 2:
        raise SymbackpropError(f"a network has at least an input and an output width, got {len(given)} of them")
    if len(given) > DEEPEST + 1:
        raise SymbackpropError(f"{len(given) - 1} layers are too many to write out (at most {DEEPEST})")
    return tuple(_count(width, f"width {place} of the network") for place, width in enumerate(given))


def samples_of(given: Any) -> int | None:
    return None if given is None else _count(given, "the batch size")


def _count(given: Any, what: str) -> int:
    try:
        if isinstance(given, bool):
            raise TypeError
        value = operator.index(given)
    except TypeError:
        raise SymbackpropError(f"{what} must be a whole number, got {given!r}") from None
    if value < 1:
        raise SymbackpropError(f"{what} must be at least 1, got {value}")
    return value


def refuse_large(widths: tuple[int, ...], samples: int | None, softmax: bool) -> None:
    """Stops before hours of work: every entry is differentiated, and has one product for every path to the outputs."""
    paths = (widths[-1] if softmax else 1) * (samples or 1)
    above = steps = products = 0
    for n_in, n_out in reversed(list(pairwise(widths))):
        entries = n_out * (n_in + 1)
        above += n_out
        steps += entries * above * (samples or 1)
        products += entries * paths
        paths *= n_out
        above += n_out * n_in - n_out
    if steps > MOST_STEPS or products > MOST_PRODUCTS:
        shape = "-".join(map(str, widths)) if len(widths) < 12 else f"of {len(widths) - 1} layers"
        batch = f" with a batch of {samples}" if samples else ""
        raise SymbackpropError(
            f"a network {shape}{batch} is too large to write out entry by entry "
            f"({steps:,} steps and {products:,} products; at most {MOST_STEPS:,} and {MOST_PRODUCTS:,})"
        )


def loss_of(name: str) -> Loss:
    for known in LOSSES:
        if name == known:
            return known
    raise SymbackpropError(f"unknown loss {name!r}: one of {', '.join(LOSSES)}")


def squared_error(y: list[Expr], t: list[Expr]) -> Expr:
    """`1/2 Σ_i (y_i - t_i)²`."""
    return sympy.Add(*((a - b) ** 2 / 2 for a, b in zip(y, t, strict=True)))


def cross_entropy(y: list[Expr], t: list[Expr]) -> Expr:
    """`-Σ_i t_i log y_i`."""
    return sympy.Add(*(-b * sympy.log(a) for a, b in zip(y, t, strict=True)))


def binary_cross_entropy(y: list[Expr], t: list[Expr]) -> Expr:
    """`-Σ_i (t_i log y_i + (1 - t_i) log(1 - y_i))`."""
    return sympy.Add(*(-b * sympy.log(a) - (1 - b) * sympy.log(1 - a) for a, b in zip(y, t, strict=True)))
