"""`symbackprop verify`: re-checks certificates with the independent checker."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Re-check certificates with the independent checker: one file of Python's standard library, which shares no\n"
        "code with what found and wrote the proofs (symbackprop/checker/recheck.py; it also runs by itself)."
    )
    parser.epilog = "example: symbackprop derive --no-tex --certificate stories.json && symbackprop verify stories.json"
    parser.add_argument("files", metavar="FILE", nargs="+", help="a certificate, or a list of them, as JSON")


def run(args: argparse.Namespace) -> int:
    from symbackprop.checker.recheck import verify

    return int(not all([verify(path) for path in args.files]))
