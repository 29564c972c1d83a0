"""An explicit network as a LaTeX document: the forward pass, the gradients in three forms, the verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy

from .network import Network

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


def formulas(network: Network, layer: int) -> dict[str, str]:
    """The compact forms of one layer as LaTeX: `delta`, `W`, `b`."""
    rows, batch, top = network.convention == "row", network.batch is not None, layer == network.depth
    mean = r"\tfrac{1}{N}" if batch and network.loss != "abstract" else ""
    source = f"a^{{{layer - 1}}}" if layer > 1 else "x"
    delta = rf"\delta^{{{layer}}}"
    after, weight = rf"\delta^{{{layer + 1}}}", rf"(W^{{{layer + 1}}})^{{\mathsf T}}"
    back = (
        _last_delta(network, mean)
        if top
        else rf"{after}\, {weight} \circ f'(z^{{{layer}}})"
        if rows
        else rf"{weight} {after} \circ f'(z^{{{layer}}})"
    )
    if rows:
        w = rf"{_transposed(source)} {delta}"
        b = rf"\mathbf 1^{{\mathsf T}} {delta}" if batch else delta
    else:
        w = rf"{delta}\, {_transposed(source)}"
        b = rf"{delta}\, \mathbf 1" if batch else delta
    return {"delta": f"{delta} = {back}", "W": _partial(f"W^{{{layer}}}", w), "b": _partial(f"b^{{{layer}}}", b)}


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
    compact = formulas(network, layer)
    yield r"\begin{gather*}" + "\n" + ",\\\\\n".join(compact.values()) + "\n" + r"\end{gather*}"
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


def _last_delta(network: Network, mean: str) -> str:
    top = network.depth
    upstream = r"\frac{\partial L}{\partial y}"
    match network.loss, network.output:
        case "cross-entropy", None:
            total = "" if network.targets == "sum to one" else r"\textstyle\sum_k t_k"
            return rf"{mean} (s\, {total} - t)" if total else rf"{mean} (s - t)"
        case "binary-cross-entropy", output if output is not None and output.name == "σ":
            return rf"{mean} (y - t)"
        case _, None:
            row, column = r"\bigl(\operatorname{diag}(s) - s s^{\mathsf T}\bigr)", rf"{upstream}"
            return rf"{row} {column} \quad\text{{for each sample}}"
        case "squared-error", _:
            return rf"{mean} (y - t) \circ f'(z^{{{top}}})"
        case _:
            return rf"{upstream} \circ f'(z^{{{top}}})"


def _partial(below: str, value: str) -> str:
    return rf"\frac{{\partial L}}{{\partial {below}}} = {value}"


def _transposed(name: str) -> str:
    return rf"({name})^{{\mathsf T}}" if "^" in name else rf"{name}^{{\mathsf T}}"


def _matrix(matrix: Any) -> str:
    rows = " \\\\ ".join(" & ".join(sympy.latex(entry) for entry in matrix.row(r)) for r in range(matrix.rows))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _function(function: Any) -> str:
    if function is None:
        return "softmax"
    if function.expression is None:
        return r"any differentiable $f$"
    return rf"${function.latex}(z) = {sympy.latex(function.expression)}$"
