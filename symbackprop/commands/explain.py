"""`symbackprop explain`: a gradient line by line, with a reason for each, of a formula, a function, a statement."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from symbackprop.core.terms import SymbackpropError
from symbackprop.files import put, write_atomically
from symbackprop.functions.explaining import Explanation, explain, explain_statement
from symbackprop.read.notes.grammar.tree import Derivative, Gradient
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.statements.sections import read_file
from symbackprop.read.notes.statements.statements import Reading

from .asked_functions import asked_function, options_of, read_shapes, variables
from .parsing import is_code


def run(args: argparse.Namespace) -> int:
    found, code = explained(args)
    if args.to == "pdf":
        write_pdf(found, args)
    else:
        put(found.to(args.to, args.detail), args.output)
    return code


def explained(args: argparse.Namespace) -> tuple[Explanation, int]:
    """The explanation, and the exit code."""
    wrt = variables(args)
    if "::" in args.target:
        function, shapes = asked_function(args.target, args.shapes)
        return explain(function, shapes, wrt, **options_of(args, shapes)), 0
    statement = re.fullmatch(r"(.+\.(?:md|markdown|tex|ipynb|txt)):(\d+)", args.target)
    if statement is not None:
        return of_statement(statement[1], int(statement[2]), args)
    if re.fullmatch(r"[^=\s]+\.(?:md|markdown|tex|ipynb|txt|py)", args.target):
        what = "::FUNCTION is needed" if is_code(args.target) else ":LINE is needed, the line of a statement"
        raise SymbackpropError(f"{args.target}{what}")
    refuse_options(args)
    return explain(args.target, read_shapes(args.shapes or ""), wrt, timeout=args.timeout), 0


def refuse_options(args: argparse.Namespace) -> None:
    """Options that are code of the user's go with a file of his."""
    if args.assuming or args.value:
        raise SymbackpropError("--assuming and --value go with FILE::FUNCTION; a formula is read, never executed")


def of_statement(path: str, line: int, args: argparse.Namespace) -> tuple[Explanation, int]:
    """The statement in this line of a document, with its verdict."""
    from symbackprop.documents.judging import Judge  # heavy, and for documents only

    refuse_options(args)
    if args.shapes:
        raise SymbackpropError("--shapes goes with a formula or FILE::FUNCTION; a document says its own shapes")
    reading = statement_at(path, line)
    outcome = Judge(seconds=args.timeout).of(reading)
    verdict = outcome.verdict or "a definition"
    print(f"{path}:{reading.line}: {verdict}: {reading.latex}", file=sys.stderr)
    found = explain_statement(reading, variables(args), timeout=args.timeout)
    return found, 0 if outcome.verdict in (None, "proved") else 1


def statement_at(path: str, line: int) -> Reading:
    """The one that stands there, a derivative before others.  Raises SymbackpropError where there is none."""
    readings = [r for r in read_file(path) if r.kind in ("claim", "definition")]
    here = [r for r in readings if r.line <= line <= r.where.at(r.span[1])[0]]
    if not here:
        lines = sorted({r.line for r in readings}, key=lambda k: (abs(k - line), k))
        near = f"; the nearest is in line {lines[0]}" if lines else ""
        raise SymbackpropError(f"{path}:{line}: no statement stands here{near}")
    derivatives = [r for r in here if any(isinstance(n, Derivative | Gradient) for n in walk((r.lhs, r.rhs)))]
    return (derivatives or here)[0]


def write_pdf(found: Explanation, args: argparse.Namespace) -> None:
    if args.output is None:
        raise SymbackpropError("a PDF is written to a file: add -o page.pdf")
    write_atomically(Path(args.output), found.pdf(args.detail))
