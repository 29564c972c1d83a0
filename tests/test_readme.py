"""The examples of the README and the docs run as written: sessions as doctests, commands with the output shown.

`...` in an output is anything.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The sessions of one page share their names.
SESSIONS = {
    page.name: "".join(found)
    for page in PAGES
    if (found := re.findall(r"```python\n(>>>.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
}
COMMANDS = re.findall(r"```console\n\$ (symbackprop [^\n]*)\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("page", SESSIONS)
def test_python_session(page: str) -> None:
    if "import jax" in SESSIONS[page]:
        pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")
    test = doctest.DocTestParser().get_doctest(SESSIONS[page], {}, page, page, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(test, out=report.append)
    assert test.examples and not report, "".join(report)


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[c for c, _ in COMMANDS])
def test_command(command: str, shown: str) -> None:
    program = [sys.executable, "-m", *shlex.split(command)]
    wide = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(
        program, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, env=wide, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert doctest.OutputChecker().check_output(shown, done.stdout, doctest.ELLIPSIS), done.stdout


def test_the_readme_has_examples() -> None:
    assert {"README.md", "functions.md"} <= SESSIONS.keys() and len(COMMANDS) >= 3
