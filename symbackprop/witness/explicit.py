"""The way in to explicit networks: `explicit` makes one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.core.expr import Expr

from symbackprop.core.terms import SymbackpropError
from symbackprop.witness import parts
from symbackprop.witness.network import Network
from symbackprop.witness.parts import Convention, Loss, Targets


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


# --- an explicit network as a LaTeX document: the forward pass, the gradients in three forms, the verdicts ---


WIDEST = 6  # columns of a matrix that still fit on a page
LONGEST = 130  # characters of LaTeX, roughly those of one printed line

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=2cm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\begin{document}
"""

VERDICT = {
    "equal": r"All %d entries of both agree.",
    "unequal": r"They differ.",
    "undecided": r"Whether they agree was not decided.",
}


def document(network: Network) -> str:
    """The whole document; the same text for the same network, always."""
    return PREAMBLE + "\n".join(_body(network)) + "\n\\end{document}\n"


SUPERSCRIPTS = str.maketrans("0123456789,", "⁰¹²³⁴⁵⁶⁷⁸⁹,")
IN_LATEX = {
    "δ": r"\delta", "ᵀ": r"^{\mathsf T}", "∘": r"\circ", "Σₖtₖ": r"\textstyle\sum_k t_k", "(1/N)": r"\tfrac{1}{N}",
    "diag": r"\operatorname{diag}",
}  # fmt: skip


def compact_forms(network: Network, layer: int) -> tuple[str, str, str]:
    """δ, ∂L/∂W and ∂L/∂b of one layer, in the letters of a terminal."""
    rows, batch = network.convention == "row", network.batch is not None
    here, above = (str(l).translate(SUPERSCRIPTS) for l in (layer, layer + 1))
    source = f"(a{str(layer - 1).translate(SUPERSCRIPTS)})ᵀ" if layer > 1 else "xᵀ"
    if layer == network.depth:
        delta = _last_delta(network, here)
    else:
        delta = f"δ{above} (W{above})ᵀ" if rows else f"(W{above})ᵀ δ{above}"
        delta += f" ∘ f'(z{here})"
    weight = f"{source} δ{here}" if rows else f"δ{here} {source}"
    bias = f"δ{here}" if not batch else f"1ᵀ δ{here}" if rows else f"δ{here} 1"
    return f"δ{here} = {delta}", f"∂L/∂W{here} = {weight}", f"∂L/∂b{here} = {bias}"


def _last_delta(network: Network, here: str) -> str:
    mean = "(1/N) " if network.batch is not None and network.loss != "abstract" else ""
    match network.loss, network.output:
        case "cross-entropy", None:
            return f"{mean}(s - t)" if network.targets == "sum to one" else f"{mean}(s Σₖtₖ - t)"
        case "binary-cross-entropy", parts.SIGMOID:
            return f"{mean}(y - t)"
        case _, None:
            return "(diag(s) - s sᵀ) ∂L/∂y"
        case "squared-error", _:
            return f"{mean}(y - t) ∘ f'(z{here})"
        case _:
            return f"∂L/∂y ∘ f'(z{here})"


def _latex(form: str) -> str:
    form = re.sub(r"∂L/∂(\S+)", r"\\frac{\\partial L}{\\partial \1}", form)
    form = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"^{{{unicodedata.normalize('NFKC', m[0])}}}", form)
    for sign, command in IN_LATEX.items():
        form = form.replace(sign, command)
    return form


def _body(network: Network) -> Iterator[str]:
    shape = "-".join(map(str, network.widths))
    yield rf"\section*{{The network {shape}, written out}}"
    orientation = {"column": "z^l = W^l a^{l-1} + b^l", "row": "z^l = a^{l-1} W^l + b^l"}[network.convention]
    yield rf"Layers ${orientation}$, $a^l = f(z^l)$, $y = a^{{{network.depth}}}$, $\delta^l = \partial L/\partial z^l$."
    yield rf"Activation: {_function(network.activation)}; output: {_function(network.output)}; loss: {network.loss}."
    if network.batch is not None:
        yield rf"A batch of $N = {network.batch}$ samples, one for each {network.convention}."
    for layer in range(1, network.depth + 1):
        if network.W[layer].cols <= WIDEST:
            weights, biases = _matrix(network.W[layer]), _matrix(network.b[layer])
            yield rf"\[ W^{{{layer}}} = {weights}, \qquad b^{{{layer}}} = {biases} \]"
    for layer in range(network.depth, 0, -1):
        yield from _layer(network, layer)


def _layer(network: Network, layer: int) -> Iterator[str]:
    yield rf"\section*{{Layer {layer}}}"
    compact = map(_latex, compact_forms(network, layer))
    yield r"\begin{gather*}" + "\n" + ",\\\\\n".join(compact) + "\n" + r"\end{gather*}"
    yield r"The chain rule, before the Kronecker deltas are summed:"
    sums = (_partial(f"W^{{{layer}}}_{{ab}}", sympy.latex(network.weight_sum(layer))),
            _partial(f"b^{{{layer}}}_{{a}}", sympy.latex(network.bias_sum(layer))))  # fmt: skip
    yield r"\begin{gather*}" + "\n" + ",\\\\\n".join(sums) + "\n" + r"\end{gather*}"
    yield r"Every entry, differentiated on its own:"
    yield r"\begin{align*}"
    lines = [
        line
        for variables, gradient in (
            (network.W[layer], network.weight_gradient(layer)),
            (network.b[layer], network.bias_gradient(layer)),
        )
        for variable, entry in zip(variables, gradient, strict=True)
        for line in _entry(variable, entry)
    ]
    yield "\\\\\n".join(lines)
    yield r"\end{align*}"
    for comparison in network.layer_verdicts(layer):
        name, form = comparison.name.split(", ")
        said = VERDICT[comparison.verdict]
        parameter = f"{name[0]}^{{{name[1:]}}}"
        against = "the compact form" if form.startswith("compact") else "the sums"
        yield (
            rf"$\partial L/\partial {parameter}$ entry by entry against {against}: "
            + (said % comparison.entries if "%d" in said else said)
            + r"\\"
        )


def _entry(variable: Any, entry: Any) -> Iterator[str]:
    """One entry, broken between its terms where it is long."""
    left = rf"\frac{{\partial L}}{{\partial {sympy.latex(variable)}}} &= "
    line, lines = "", list[str]()
    for term in entry.as_ordered_terms():
        text = sympy.latex(term)
        sign = "" if not line and not lines else "" if text.startswith("-") else "+ "
        if line and len(line) + len(text) > LONGEST:
            lines.append(line)
            line = ""
        line += f"{sign}{text} "
    lines.append(line)
    yield left + lines[0]
    yield from (rf"&\quad {line}" for line in lines[1:])


def _partial(below: str, value: str) -> str:
    return rf"\frac{{\partial L}}{{\partial {below}}} = {value}"


def _matrix(matrix: Any) -> str:
    rows = " \\\\ ".join(" & ".join(sympy.latex(entry) for entry in matrix.row(r)) for r in range(matrix.rows))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _function(function: Any) -> str:
    if function is None:
        return "softmax"
    if function.expression is None:
        return r"any differentiable $f$"
    return rf"${function.latex}(z) = {sympy.latex(function.expression)}$"
