"""`symbackprop explain FILE::FUNCTION`: the gradient of a forward function, derived line by line."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Derive the gradient of a forward function in NumPy line by line, each line proved."
    parser.epilog = (
        'example: symbackprop explain layers.py::layernorm --shapes "x: B D; eps: " --wrt x --assuming "eps > 0"'
    )
    parser.add_argument("target", metavar="FILE::FUNCTION", help="a forward function")
    parser.add_argument("--shapes", metavar="TEXT", help='axes of each argument: "x: B D; w: D; y: int[V] B; eps: "')
    parser.add_argument("--wrt", metavar="NAMES", help="the variables, with commas (default: all)")
    parser.add_argument("--assuming", metavar="TEXT", action="append", default=[], help='a hypothesis, "eps > 0"')
    parser.add_argument(
        "--value", metavar="NAME=NUMBER", action="append", default=[], help="an argument that is a number"
    )
    parser.add_argument("--to", choices=("text", "markdown", "latex", "html"), default="text", help="(default: text)")
    parser.add_argument(
        "--detail", type=int, choices=(1, 2, 3), default=2, help="results, usual steps, every derivative"
    )
    parser.add_argument("-o", "--output", metavar="PATH", help="write to a file instead")


def run(args: argparse.Namespace) -> int:
    from .derive import derive_function

    return derive_function(args)
