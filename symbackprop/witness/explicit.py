"""The way in to explicit networks: `explicit` makes one."""

from __future__ import annotations

from dataclasses import dataclass

from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError

from . import parts
from .latex import document
from .network import Network
from .parts import Convention, Loss, Targets


@dataclass(frozen=True)
class ExplicitNetwork(Network):
    """An explicit network; make one with `explicit`.

    Layers are counted from 1 (the input is layer 0).  Matrices are SymPy's, of symbols and of nodes: a node is the
    value of an activation, of its slope `f'(z)` or of `∂L/∂y`, by name; `substituted` writes it out.
    """

    def latex(self) -> str:
        """A LaTeX document with the network, its gradients in all three forms, and the verdicts."""
        return document(self)


def explicit(
    *widths: int,
    activation: str | Expr = "abstract",
    loss: Loss = "abstract",
    convention: Convention = "column",
    batch: int | None = None,
    output: str | Expr | None = None,
    targets: Targets = "free",
) -> ExplicitNetwork:
    """A dense network `widths[0]-widths[1]-...-widths[L]` with symbolic weights, every layer with biases.

    activation: of the hidden layers (and of the output unless `output` or the loss says otherwise): 'abstract' (any
        differentiable f), 'identity', 'relu', 'sigmoid', 'softplus', 'tanh', 'gelu', or a SymPy expression in one
        symbol.
    loss: 'abstract' (any differentiable L of all outputs), 'squared-error' 1/2 Σ (y - t)², 'cross-entropy' -Σ t log y,
        'binary-cross-entropy' -Σ t log y + (1 - t) log(1 - y).  All but the abstract one are means over the batch.
    output: activation of the last layer; also 'softmax'.  By default softmax for the cross-entropy, sigmoid for the
        binary cross-entropy, else `activation`.
    convention: 'column' (z = W a + b, W is n_l × n_{l-1}, a batch has one column for each sample) or 'row'
        (z = a W + b, W is n_{l-1} × n_l, a batch has one row for each sample).
    targets: 'free' symbols, or 'sum to one': the last target of each sample is 1 minus the others.

    Raises SymbackpropError for anything else, and for networks too large to write out.
    """
    sizes, samples = parts.widths_of(widths), parts.samples_of(batch)
    chosen = parts.loss_of(loss)
    if convention not in ("column", "row"):
        raise SymbackpropError(f"unknown convention {convention!r}: column or row")
    if targets not in ("free", "sum to one"):
        raise SymbackpropError(f"unknown targets {targets!r}: free, or sum to one")
    if chosen == "abstract" and targets != "free":
        raise SymbackpropError("an abstract loss has no targets that could sum to one")
    hidden = parts.activation_of(activation)
    match output, chosen:
        case (None, "cross-entropy") | (parts.SOFTMAX, _):
            last = None
        case None, "binary-cross-entropy":
            last = parts.SIGMOID
        case None, _:
            last = hidden
        case _:
            last = parts.activation_of(output)
    parts.refuse_large(sizes, samples, softmax=last is None)
    return ExplicitNetwork(sizes, hidden, last, chosen, convention, samples, targets)
