"""`symbackprop explicit 2-3-2`: a small network written out, its gradients compared three ways, on the terminal."""

from __future__ import annotations

import argparse
import re
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from symbackprop.commands.activations import name_or_expression
from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically
from symbackprop.witness.compare import Comparison
from symbackprop.witness.explicit import SUPERSCRIPTS, ExplicitNetwork, compact_forms, explicit
from symbackprop.witness.network import Network


def run(args: argparse.Namespace) -> int:
    network: ExplicitNetwork = explicit(
        *_widths(args.widths),
        activation=name_or_expression(args.activation),
        loss=args.loss,
        convention=args.convention,
        batch=args.batch,
        output=None if args.output is None else name_or_expression(args.output),
        targets="sum to one" if args.targets_sum_to_one else "free",
    )
    holds = report(network, entries=args.entries)
    if args.latex:
        write_atomically(args.latex, network.latex())
    return 0 if holds else 1


def _widths(text: str) -> list[int]:
    parts = text.split("-")
    # The length is checked because Python refuses to read integers of thousands of digits in its own words.
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise SymbackpropError(f"widths are whole numbers joined by '-', as in 2-3-2, got {text[:60]!r}")
    return [int(part) for part in parts]


SUBSCRIPTS = str.maketrans("0123456789,", "₀₁₂₃₄₅₆₇₈₉,")
STYLES = {"equal": "green", "unequal": "bold red", "undecided": "yellow"}


def report(network: Network, entries: bool, console: Console | None = None) -> bool:
    """Prints the network, the compact forms, the comparisons and, if asked, every entry; True when all agree."""
    out = console or Console(highlight=False)
    shape = "-".join(map(str, network.widths))
    out.print(f"[bold]network {shape}[/bold]: {_description(network)}")
    for layer in range(network.depth, 0, -1):
        out.print(Text("  " + ";  ".join(compact_forms(network, layer))))
    table = Table("gradient", "entries", "compact form", "sums with δ", box=None, pad_edge=False, header_style="bold")
    verdicts: list[Comparison] = []
    with out.status("differentiating every entry ..."):
        for layer in range(1, network.depth + 1):
            found = network.layer_verdicts(layer)
            verdicts += found
            for compact, sums in (found[:2], found[2:]):
                name = compact.name.split(",")[0]
                label = f"∂L/∂{name[0]}{name[1:].translate(SUPERSCRIPTS)}"
                table.add_row(label, str(compact.entries), _verdict(compact), _verdict(sums))
    out.print(table)
    if entries:
        _print_entries(network, out)
    return all(verdict.equal for verdict in verdicts)


def plain(expression: Any) -> str:
    """An expression in letters of the terminal: `W^{2}_{11}*x_{1}` becomes `W²₁₁·x₁`."""
    text = re.sub(r"\^\{([\d,]+)\}", lambda m: m[1].translate(SUPERSCRIPTS), str(expression))
    text = re.sub(r"_\{([\d,]+)\}", lambda m: m[1].translate(SUBSCRIPTS), text)
    return re.sub(r"(?<!\*)\*(?!\*)", "·", text)


def _description(network: Network) -> str:
    layer = "z = W a + b" if network.convention == "column" else "z = a W + b"
    output = "softmax" if network.output is None else network.output.name
    batch = "one sample" if network.batch is None else f"a batch of {network.batch}, one for each {network.convention}"
    targets = ", targets that sum to one" if network.targets == "sum to one" else ""
    return f"{layer}, activation {network.activation.name}, output {output}, loss {network.loss}{targets}, {batch}"


def _print_entries(network: Network, out: Console) -> None:
    for layer in range(1, network.depth + 1):
        for variables, gradient in (
            (network.W[layer], network.weight_gradient(layer)),
            (network.b[layer], network.bias_gradient(layer)),
        ):
            for variable, entry in zip(variables, gradient, strict=True):
                out.print(Text(f"∂L/∂{plain(variable)} = {plain(entry)}"))


def _verdict(comparison: Comparison) -> Text:
    return Text(comparison.verdict if comparison.equal else _difference(comparison), STYLES[comparison.verdict])


def _difference(comparison: Comparison) -> str:
    where = f" at {comparison.place}" if comparison.place else ""
    shown = f": {comparison.counterexample}" if comparison.counterexample else f" ({comparison.note})"
    return f"{comparison.verdict}{where}{shown}"
