"""The derivations of layers and losses: the committed LaTeX is what is generated, and prints without overfull lines."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.story import Forward, tell

ROOT = Path(__file__).parents[2]
TEX = ROOT / "derivations" / "tex"
FORWARDS: dict[str, Forward] = {
    **runpy.run_path(str(ROOT / "derivations" / "layers.py"))["LAYERS"],
    **runpy.run_path(str(ROOT / "derivations" / "losses.py"))["LOSSES"],
}
SLOW = ("multi_head_attention", "lstm")  # seconds each: their LaTeX is looked at as it is committed
UNWANTED = ("Derivative(", "KroneckerDelta(", r"\mathrm{part}", "tidy", "%", "°", "algebra", "??")


@pytest.mark.parametrize("name", [n for n in FORWARDS if n not in SLOW])
def test_the_committed_latex_is_what_is_generated(name: str) -> None:
    committed = (TEX / f"{name}.tex").read_text(encoding="utf-8")
    assert FORWARDS[name].explained("latex", 3) == committed, "run `make run`"


@pytest.mark.parametrize("name", FORWARDS)
def test_the_latex_is_clean_and_each_line_has_its_reason(name: str) -> None:
    body = (TEX / f"{name}.tex").read_text(encoding="utf-8").split(r"\begin{document}")[1]
    assert not any(u in body for u in UNWANTED)
    passages = body.split(r"\begin{align*}")[1:]
    assert len(passages) == body.count(r"\subsection*") >= len(FORWARDS[name].wrt)
    for p in passages:
        rows = p.split(r"\end{align*}")[0].split("\\\\\n")
        starts = [r for r in rows if not r.strip().startswith(r"&\quad")]
        assert starts and all(r"\why{" in r for r in starts)
        reason = starts[-1].rpartition(r"\why{")[2]
        assert len(reason) < 90 and "definition" not in reason


def test_it_is_the_same_under_other_hashes(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "31337", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(ROOT / "derivations" / "losses.py"), "triplet", "--tex", str(tmp_path / "tex")]
    subprocess.run(command, env=env, capture_output=True, check=True)
    assert (tmp_path / "tex" / "triplet.tex").read_bytes() == (TEX / "triplet.tex").read_bytes()


def test_names_that_are_not_there_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception, match="nothing is called 'dropout': there are"):
        tell(FORWARDS, ["dropout"])
    tell(FORWARDS, ["ridge"])
    assert "Least squares with an L2 penalty" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", FORWARDS)
def test_no_line_is_overfull(name: str, tmp_path: Path) -> None:
    command = ["pdflatex", "-interaction=nonstopmode", f"-output-directory={tmp_path}", TEX / f"{name}.tex"]
    log = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout
    assert "Overfull" not in log and "Missing character" not in log
