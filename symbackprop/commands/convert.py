"""`symbackprop convert`: formulas and documents in another convention or layout, each translation proved."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbackprop.documents.converting import Converted

TO = ("row", "column", "numerator", "gradient")
EPILOG = """\
row, column: vectors stand as rows or as columns. Each array is called as before and is the transpose of what it was:
z = W x + b becomes z = x W + b. numerator, gradient: ∂s/∂W has the shape of W^T, or of W; arrays stay as they are.

examples:
  symbackprop convert notes.md --to row -o notes-rows.md
  symbackprop convert '\\nabla_W L = \\delta x^T; z = W x' --to row

What cannot be translated and proved is left as it is, with a note on stderr.
exit codes: 0 everything was translated, 1 something was left as it is, 2 nothing could be read"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write formulas in another convention or layout; the translation of each is proved."
    parser.epilog = EPILOG
    parser.add_argument("target", metavar="DOCUMENT | FORMULA", help="what is to be translated")
    parser.add_argument("--to", choices=TO, required=True, help="the convention or layout")
    parser.add_argument("-o", "--output", metavar="PATH", help="write to a file instead")


def run(args: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from symbackprop.files import write_atomically

    text, found = converted_target(args.target, args.to)
    if args.output is None:
        print(text.rstrip("\n"))
    else:
        write_atomically(Path(args.output), text)
    what = "1 statement translated, and" if found.proved == 1 else f"{found.proved} statements translated, each"
    print(f"{what} proved", file=sys.stderr)
    for note in found.notes:
        print(note, file=sys.stderr)
    return 1 if found.notes else 0


def converted_target(target: str, to: str) -> tuple[str, Converted]:
    """The text that is written, and how it was found."""
    from pathlib import Path

    from symbackprop.core.terms import SymbackpropError
    from symbackprop.documents.converting import converted
    from symbackprop.read.notes.files.sources import read_text

    path = Path(target)
    if "=" not in target and (path.suffix or path.exists()):
        if path.suffix.lower() == ".ipynb":
            raise SymbackpropError(f"{target}: a notebook is not translated; Markdown and LaTeX are")
        found = converted(target, read_text(path), to)  # type: ignore[arg-type]
        return found.text, found
    return of_formulas(target, to)


def of_formulas(text: str, to: str) -> tuple[str, Converted]:
    """Formulas with semicolons between them, which stand in the other convention or layout."""
    import re

    from symbackprop.documents.converting import converted
    from symbackprop.read.formulas.keyboard import in_documents, written_out

    now = {"row": "column", "column": "row", "numerator": "gradient", "gradient": "numerator"}[to]
    said = {"convention": "column", "layout": "gradient"}
    said["convention" if to in ("row", "column") else "layout"] = now
    pieces = [in_documents(p, []) for p in written_out([p.strip() for p in text.split(";") if p.strip()], [])]
    block = "".join(f"{k}: {v}\n" for k, v in said.items())
    whole = f"<!-- symbackprop:\n{block}-->\n\n" + "\n\n".join(f"$${p}$$" for p in pieces) + "\n"
    found = converted("formula.md", whole, to)  # type: ignore[arg-type]
    return "\n".join(re.findall(r"\$\$(.*?)\$\$", found.text, re.DOTALL)), found
