"""`symbackprop explicit 2-3-2`: a small network written out, and its gradients compared three ways."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbackprop.witness.explicit import ExplicitNetwork


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes out a small network with symbolic weights, differentiates every entry with SymPy, and compares the\n"
        "result with the chain rule as sums with Kronecker deltas and with the compact matrix form."
    )
    parser.epilog = "example: symbackprop explicit 2-3-2 --activation sigmoid --loss binary-cross-entropy --entries"
    parser.add_argument("widths", metavar="WIDTHS", help="units of each layer, input first: 2-3-2")
    parser.add_argument(
        "--activation",
        default="abstract",
        metavar="NAME",
        help="abstract (the default), identity, relu, sigmoid, softplus, tanh or gelu; or LaTeX in z, such as "
        "'\\frac{1}{1+e^{-z}}'",
    )
    parser.add_argument("--output", metavar="NAME", help="activation of the last layer, if another one; also softmax")
    parser.add_argument(
        "--loss",
        default="abstract",
        metavar="NAME",
        help="abstract (the default), squared-error, cross-entropy or binary-cross-entropy",
    )
    parser.add_argument(
        "--convention", default="column", choices=("column", "row"), help="z = W a + b (the default), or z = a W + b"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="a batch of N samples; the loss is their mean")
    parser.add_argument(
        "--targets-sum-to-one", action="store_true", help="assume that the targets of each sample sum to one"
    )
    parser.add_argument("--entries", action="store_true", help="print every entry of every gradient")
    parser.add_argument("--latex", metavar="FILE", help="also write everything as a LaTeX document")


def run(args: argparse.Namespace) -> int:
    from symbackprop.files import write_atomically
    from symbackprop.witness.explicit import explicit

    from .activations import name_or_expression
    from .explicit_report import report

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
    from symbackprop.core.terms import SymbackpropError

    parts = text.split("-")
    # The length is checked because Python refuses to read integers of thousands of digits in its own words.
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise SymbackpropError(f"widths are whole numbers joined by '-', as in 2-3-2, got {text[:60]!r}")
    return [int(part) for part in parts]
