"""`symbackprop convert`: formulas and documents in another convention or layout, each translation proved."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from symbackprop.core.terms import SymbackpropError
from symbackprop.documents.converting import Converted, converted
from symbackprop.files import put
from symbackprop.read.formulas.keyboard import in_documents, written_out
from symbackprop.read.notes.files.sources import read_text


def run(args: argparse.Namespace) -> int:
    text, found = converted_target(args.target, args.to)
    put(text, args.output)
    many = f"{found.proved} statement{'' if found.proved == 1 else 's'} translated"
    print(f"{many} and proved" if found.proved else "nothing was translated", file=sys.stderr)
    for note in found.notes:
        print(note, file=sys.stderr)
    return 1 if found.notes else 0


def converted_target(target: str, to: str) -> tuple[str, Converted]:
    """The text that is written, and how it was found."""
    path = Path(target)
    if "=" not in target and (path.suffix or path.exists()):
        if path.suffix.lower() == ".ipynb":
            raise SymbackpropError(f"{target}: a notebook is not translated; Markdown and LaTeX are")
        found = converted(target, read_text(path), to)  # type: ignore[arg-type]
        return found.text, found
    return of_formulas(target, to)


def of_formulas(text: str, to: str) -> tuple[str, Converted]:
    """Formulas with semicolons between them, which stand in the other convention or layout."""
    now = {"row": "column", "column": "row", "numerator": "gradient", "gradient": "numerator"}[to]
    said = {"convention": "column", "layout": "gradient"}
    said["convention" if to in ("row", "column") else "layout"] = now
    pieces = [in_documents(p, []) for p in written_out([p.strip() for p in text.split(";") if p.strip()], [])]
    block = "".join(f"{k}: {v}\n" for k, v in said.items())
    whole = f"<!-- symbackprop:\n{block}-->\n\n" + "\n\n".join(f"$${p}$$" for p in pieces) + "\n"
    found = converted("formula.md", whole, to)  # type: ignore[arg-type]
    return "\n".join(re.findall(r"\$\$(.*?)\$\$", found.text, re.DOTALL)), found
