"""`symbackprop check`: a verdict for functions (`file.py::forward,backward`) or for every statement of a document.

A file of functions is executed, and nothing else: whoever names it as code asks for that.
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.text import Text

from symbackprop import __version__
from symbackprop.commands.asked_functions import asked_in
from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import PROVED
from symbackprop.files import put, write_atomically
from symbackprop.functions.verdict import Verdict
from symbackprop.write.certificate import write_certificates
from symbackprop.write.reports import counterexample_tests, function_sarif, one_line

from .parsing import is_code
from .progress import shown_when_slow


def run(args: argparse.Namespace) -> int:
    functions = [t for t in args.target if is_code(t)]
    documents = [t for t in args.target if t not in functions]
    if functions and documents:
        raise SymbackpropError("check functions and documents one after the other, not in one command")
    if functions:
        return check_functions(args, functions)
    code = import_module("symbackprop.commands.check_document").run(args, documents)
    assert isinstance(code, int)
    return code


def check_functions(args: argparse.Namespace, targets: list[str]) -> int:
    verdicts = []
    judged = []
    for asked in [part for t in targets for part in asked_in(t, args)]:
        with shown_when_slow(asked.name):
            verdict = asked.verdict()
        verdicts.append((asked.name, verdict))
        judged.append((asked.name.partition("::")[0], asked.line, verdict))
    if args.certificate is not None:
        write_proofs(args.certificate, [v for _, v in verdicts])
    if args.tests is not None:
        write_tests(args.tests, judged)
    if args.sarif is not None:
        put(json.dumps(function_sarif(judged, __version__), ensure_ascii=False, indent=2) + "\n", args.sarif or None)
    if args.json:
        print(json.dumps([{"target": t, **v.as_json()} for t, v in verdicts], indent=2, ensure_ascii=False))
    elif args.short:
        print(*(one_line(target, v) for target, v in verdicts), sep="\n")
    elif args.sarif != "":
        console = Console(highlight=False, soft_wrap=True)
        for target, v in verdicts:
            if len(verdicts) > 1:
                console.print(Text(target, style="bold"))
            console.print(v.__rich__())
    return 0 if all(v.status == PROVED for _, v in verdicts) else 1


def write_tests(path: str, judged: list[tuple[str, int, Verdict]]) -> None:
    found = (counterexample_tests(v, Path(file).stem) for file, _, v in judged)
    text = "\n\n".join(t for t in found if t)
    write_atomically(path, text or "# Nothing is refuted by values of two functions.\n")


def write_proofs(path: str, verdicts: list[Verdict]) -> None:
    """One certificate for each variable whose claim is proved."""
    parts = [part for v in verdicts for part in (v.gradients or {"": v}).values()]
    write_certificates(path, (c for part in parts if part.status == PROVED for c in part.certificates()))
