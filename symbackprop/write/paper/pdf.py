"""LaTeX as PDF, by the LaTeX of this machine: the same bytes in every run of pdflatex."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from symbackprop.core.terms import SymbackpropError

ENGINES = ("pdflatex", "lualatex", "xelatex", "tectonic")
SECONDS = 120
QUIET = ("-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape")
FIXED = r"\pdftrailerid{}" + "\n"


def as_pdf(source: str, instead: str) -> bytes:
    """The document compiled; `instead` is the option that writes its source.

    Raises SymbackpropError where there is no LaTeX, where it refuses a formula, or takes too long.
    """
    engine = next((found for name in ENGINES if (found := shutil.which(name))), None)
    if engine is None:
        raise SymbackpropError(f"no LaTeX is on this machine ({', '.join(ENGINES)}): {instead} writes the source")
    with TemporaryDirectory() as folder:
        page = Path(folder, "page.tex")
        page.write_text((FIXED if engine.endswith("pdflatex") else "") + source, encoding="utf-8")
        command = [engine, *(() if engine.endswith("tectonic") else QUIET), page.name]
        closed = {"openin_any": "p", "openout_any": "p"}  # TeX reads and writes nothing outside
        clock = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
        try:
            run = subprocess.run(
                command, cwd=folder, env={**os.environ, **closed, **clock}, timeout=SECONDS, check=False,
                stdin=subprocess.DEVNULL, capture_output=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise SymbackpropError(f"LaTeX did not end within {SECONDS} s: {instead} writes the source") from None
        made = page.with_suffix(".pdf")
        if run.returncode or not made.is_file():
            said = re.search(r"^! (.*)$", run.stdout.decode(errors="replace"), re.MULTILINE)
            reason = said[1] if said else "it gave no reason"
            raise SymbackpropError(f"LaTeX refuses the page: {reason} ({instead} writes the source)")
        return made.read_bytes()
