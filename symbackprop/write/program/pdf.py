"""LaTeX as PDF, by pdflatex where it is installed: the same bytes in every run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from symbackprop.core.terms import SymbackpropError

SECONDS = 60
FIXED = r"\pdftrailerid{}" + "\n"


def as_pdf(tex: str) -> bytes:
    """The document compiled.  Raises SymbackpropError where pdflatex is missing, fails or takes too long."""
    program = shutil.which("pdflatex")
    if program is None:
        raise SymbackpropError("a PDF needs pdflatex (TeX Live, MiKTeX); --to latex writes its source")
    with tempfile.TemporaryDirectory() as home:
        Path(home, "page.tex").write_text(FIXED + tex, encoding="utf-8")
        command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
        clock = {**os.environ, "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
        try:
            done = subprocess.run(command, cwd=home, env=clock, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise SymbackpropError(f"pdflatex took more than {SECONDS} s") from None
        if done.returncode:
            said = [x for x in done.stdout.decode(errors="replace").splitlines() if x.startswith("!")]
            raise SymbackpropError(f"pdflatex failed: {said[0] if said else 'it does not say why'}")
        return Path(home, "page.pdf").read_bytes()
