"""The equations that a training ran, each proved for all sizes: what a run folder shows, what certificates are of."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.core.context import EMPTY
from symbackprop.network.activations import Activation
from symbackprop.network.dense import DenseNetwork
from symbackprop.network.steps import (
    prove_adam_change, prove_adam_slot, prove_bias_gradients, prove_bias_row, prove_from_output, prove_penalty,
    slope_from_output,
)  # fmt: skip
from symbackprop.network.theorems import Theorem, generalised, prove_network
from symbackprop.write.paper.latex import latex, latex_matrix, latex_predicate
from symbackprop.write.paper.term_parts import latex_words
from symbackprop.write.program.pages import PREAMBLE

from .optimisers import Adam, Optimiser


def equations(network: DenseNetwork, optimiser: Optimiser, l2: float = 0.0) -> tuple[Theorem, ...]:
    """Everything that the step rests on, proved here.  Raises SymbackpropError where something is not."""
    return tuple(_all(generalised(network), optimiser, l2))


def _all(network: DenseNetwork, optimiser: Optimiser, l2: float) -> Iterator[Theorem]:
    yield from prove_network(network)
    used = {f.name: f for f in network.activations if isinstance(f, Activation) and slope_from_output(f) is not None}
    for name, f in sorted(used.items()):
        yield Theorem(f"{name}' from {name}", EMPTY, *prove_from_output(f))
    yield Theorem("bias as a row of ones", EMPTY, *prove_bias_row())
    for what, found in zip(("weights", "biases"), prove_bias_gradients(), strict=True):
        yield Theorem(f"the {what}' part of one product", EMPTY, *found)
    if l2:  # all layers' weights are matrices of any size, so one stands for all
        yield Theorem("penalty on the weights", EMPTY, *prove_penalty(network, 1))
    if isinstance(optimiser, Adam):
        yield Theorem("Adam's slots over 1 - β", EMPTY, *prove_adam_slot())
        yield Theorem("Adam's change of a parameter", EMPTY, *prove_adam_change())


def latex_page(title: str, proved: tuple[Theorem, ...]) -> str:
    """A LaTeX document with all of them."""
    lines = [PREAMBLE + rf"\section*{{{latex_words(title)}}}"]
    for p in proved:
        lines += [rf"\paragraph{{{latex_words(p.name)}}}", r"\[", f"  {statement(p)}", r"\]"]
        if p.equation.conditions:
            shown = ", ".join(sorted(f"${latex_predicate(c)}$" for c in p.equation.conditions))
            lines.append(f"where {shown}.")
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def statement(p: Theorem) -> str:
    right = latex(p.equation.rhs) if p.form is None else latex_matrix(p.form)
    left = latex(p.equation.lhs)
    return f"{left} = {right}" if p.form is None else rf"{left} = \left({right}\right)_{{rc}}"
