"""`symbackprop check`: a verdict for functions (`file.py::forward,backward`) or for every statement of a document."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from . import check_functions
from .parsing import TIMEOUT, timeout

DOCUMENTS = "symbackprop.commands.check_document"


def configure(parser: argparse.ArgumentParser) -> None:
    documents = document_half()
    parser.description = (
        "Gives a verdict (proved, refuted, ill-formed or unknown) for gradients written as NumPy functions"
        + (", or for every\nstatement of a document (.md, .tex, .ipynb)." if documents else ".")
    )
    parser.add_argument(
        "target",
        metavar="TARGET",
        nargs="+",
        help="file.py, file.py::Layer, file.py::loss or file.py::forward,backward"
        + (", or documents" if documents else ""),
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON (the keys are listed below)")
    parser.add_argument("--timeout", type=timeout, metavar="SECONDS", help=TIMEOUT)
    parser.add_argument(
        "--certificate", metavar="FILE", help="write the proofs of what is proved, for `symbackprop verify`"
    )
    check_functions.add_options(parser.add_argument_group("for functions"))
    parser.epilog = check_functions.EPILOG
    if documents is not None:
        documents.add_options(parser.add_argument_group("for documents"))
        parser.epilog += "\n\n" + documents.EPILOG


def run(args: argparse.Namespace) -> int:
    from symbackprop.core.terms import SymbackpropError

    functions = [t for t in args.target if "::" in t or t.endswith(".py")]
    documents = [t for t in args.target if t not in functions]
    if functions and documents:
        raise SymbackpropError("check functions and documents one after the other, not in one command")
    if functions:
        return check_functions.run(args, functions)
    half = document_half()
    if half is None:
        raise SymbackpropError(f"{documents[0]}: this is no function; write file.py::forward,backward")
    code = half.run(args, documents)
    assert isinstance(code, int)
    return code


def document_half() -> ModuleType | None:
    """The other module, if it is there: `add_options(group)`, `EPILOG`, `run(args, documents) -> exit code`."""
    return import_module(DOCUMENTS) if find_spec(DOCUMENTS) is not None else None
