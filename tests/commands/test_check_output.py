"""What `symbackprop check` prints and writes for documents: report, JSON, SARIF, the page; exit codes; watching."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from symbackprop.cli import main
from symbackprop.commands import check_document as command
from symbackprop.decide.outcomes import Checked
from symbackprop.documents.check import check_text
from symbackprop.write.notes.as_json import statement_json, summed_up
from symbackprop.write.notes.derivation import derivation
from symbackprop.write.notes.page import html_page
from symbackprop.write.notes.terminal import report
from symbackprop.write.reports import document_sarif

ROOT = Path(__file__).parents[2]
HEAD = r"""---
title: A test
---

# Linear maps

<!-- symbackprop:
convention: column
layout: gradient
sizes: n, m
indices: i, j, k
arrays:
  x, u: n
  z, b: m
  A, B: n x n
  W: m x n
definitions:
  - z = W x + b
-->

"""
TEXT = (
    HEAD
    + r"""The map $z_i = \sum_j W_{ij} x_j + b_i$ is linear.

$$\frac{\partial z_i}{\partial W_{jk}} = \delta_{ij} x_k$$

$$\frac{\partial z_i}{\partial x_j} = -W_{ij}$$

| a table | with $A B = B A$ in it |
|---|---|
| <script>alert(1)</script> | ![picture](http://example.com/a.png) |

$$W x + u$$

$$z + x = z$$
"""
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@cache
def found() -> list[Checked]:
    return check_text(TEXT, "maps.md")


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "maps.md"
    path.write_text(TEXT)
    return path


# --- the report ------------------------------------------------------------------------------


def printed(everything: bool = False, color: bool = False) -> str:
    out = io.StringIO()
    report(found(), Console(file=out, force_terminal=color, color_system="standard" if color else None), everything)
    return out.getvalue()


def test_the_report_is_that_of_a_compiler() -> None:
    text = printed()
    assert text.startswith(
        "maps.md:25:3: refuted: sign  SB102\n"
        "  $$\\frac{\\partial z_i}{\\partial x_j} = -W_{ij}$$\n"
        f"    {'^' * len(found()[2].latex)}\n"
    )
    assert "proved instead: A B = A B" not in text
    assert "  proved instead: \\frac{\\partial z_i}{\\partial x_j} = W_{ij}\n" in text
    block = text[text.index("A B = B A") - 60 :]
    assert "counterexample: n = 2" in block and "left side" in block
    lines = text.split("\n")
    at = next(k for k, line in enumerate(lines) if line.endswith("z + x = z$$"))
    assert lines[at + 1].strip() == "^" and lines[at + 1].index("^") == lines[at].index("x")
    assert "because: sum of m×1 and n×1" in text or "sum of m×1 and n×1" in lines[at - 1]
    assert "delta_{ij} x_k" not in text and "delta_{ij} x_k" in printed(everything=True)


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" not in printed() and "\x1b[1;31mrefuted" in printed(color=True)


# --- JSON and SARIF --------------------------------------------------------------------------


def test_json_is_as_documented() -> None:
    schema = json.loads((ROOT / "docs" / "check.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    result = json.loads(json.dumps(summed_up([("maps.md", list(map(statement_json, found())))])))
    Draft202012Validator(schema).validate(result)
    keys = set(schema["$defs"]["statement"]["properties"])
    described = (ROOT / "docs" / "json.md").read_text()
    assert all(set(s) == keys for s in result["statements"]) and all(f"`{k}`" in described for k in keys)
    assert result["summary"] == {
        "statements": 6, "proved": 2, "refuted": 2, "ill-formed": 1, "unknown": 0, "null": 1,
    }  # fmt: skip
    transposed = result["statements"][2]
    assert (transposed["verdict"], transposed["kind"]) == ("refuted", "claim")
    assert transposed["repair"] == r"\frac{\partial z_i}{\partial x_j} = W_{ij}" and transposed["mistake"] == "sign"
    assert transposed["counterexample"]["index"] == {"i": 0, "j": 0} and transposed["at"] is None


def test_sarif_points_at_the_places() -> None:
    log = document_sarif(found(), "0.1.0")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == 3
    for r in run["results"]:
        assert rules[r["ruleIndex"]] == r["ruleId"] and r["level"] == "error" and r["message"]["text"]
        region = r["locations"][0]["physicalLocation"]["region"]
        line = TEXT.split("\n")[region["startLine"] - 1]
        assert 1 <= region["startColumn"] < region["endColumn"] <= len(line) + 1


# --- derivations -----------------------------------------------------------------------------


def test_a_derivation_goes_law_by_law() -> None:
    c = next(c for c in found() if "delta" in c.latex)
    assert c.outcome.proof is not None
    lines = derivation(c.outcome.proof)
    assert lines[0].reason == "definition" and lines[0].opens
    reasons = [line.reason for line in lines]
    assert reasons[2:5] == [
        "the definition of $z$", "$b$ and $x$ do not depend on $W$", "the entries of $W$ are independent of each other",
    ]  # fmt: skip
    assert reasons[-1] == "the deltas contract"
    assert lines[-1].latex == r"\delta_{ij} x_{k}"
    assert not any("~" in line.latex or "°" in line.latex for line in lines)


# --- the page --------------------------------------------------------------------------------


def test_the_page_needs_no_network_and_obeys_no_document() -> None:
    page = html_page("maps.md", TEXT, found())
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", page.split("<body>")[1].split("<script>")[0])
    assert "url(fonts/" not in page and page.count("data:font/woff2;base64,") == 20
    assert "<script>alert" not in page and "example.com/a.png" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert 400_000 < len(page) < 1_500_000
    font = re.search(r"data:font/woff2;base64,([A-Za-z0-9+/=]+)", page)
    assert font is not None and base64.b64decode(font[1])[:4] == b"wOF2"


def test_latex_files_and_notebooks_become_pages(tmp_path: Path) -> None:
    paper = ROOT / "tests" / "data" / "documents" / "paper.tex"
    page = html_page(paper, paper.read_text(), check_text(paper.read_text(), "paper.tex"))
    assert "<h2>Model</h2>" in page and page.count('class="statement') >= 11 and "documentclass" not in page
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": HEAD + "$$A B = B A$$"},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "print(1)", "outputs": [], "execution_count": None},
    ]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    found = check_text(text, "book.ipynb")
    assert [(c.cell, c.verdict) for c in found] == [(1, "refuted")]
    page = html_page("book.ipynb", text, found)
    assert "print(1)" in page and "counterexample" in page


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """KaTeX has set every formula that shows, and complains about none."""
    path = tmp_path / "maps.html"
    path.write_text(html_page("maps.md", TEXT, found()))
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [CHROMIUM, *options, "--virtual-time-budget=8000", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    dom = done.stdout
    assert 'data-ready="1"' in dom, done.stderr[-500:]
    body = dom.split("<body")[1].split("<script")[0]
    assert body.count('class="katex"') >= 8 and "katex-error" not in body
    shown = re.sub(r"<details data-lazy.*?</details>", "", body, flags=re.DOTALL)
    assert re.findall(r'<(?:div|span) class="tex"(?![^>]*data-done)', shown) == []


# --- the command -----------------------------------------------------------------------------


def test_exit_codes(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(document)]) == 1
    Path("right.md").write_text(HEAD + "$$A x = A x$$\n")
    assert main(["check", "right.md"]) == 0
    assert "1 statement: 1 proved" in capsys.readouterr().out
    assert main(["check", "missing.md"]) == 2
    assert capsys.readouterr().err == "symbackprop: missing.md: No such file or directory\n"
    Path("binary.md").write_bytes(bytes(range(256)) * 20)
    assert main(["check", "binary.md", "right.md"]) == 2
    assert "1 proved" in capsys.readouterr().out
    Path("broken.md").write_text("<!-- symbackprop:\narrays: {x: [}\n-->\n")
    assert main(["check", "broken.md"]) == 2
    assert capsys.readouterr().err.startswith("symbackprop: broken.md:")


def test_results_are_printed_or_written(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "maps.md", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["summary"]["refuted"] == 2
    assert main(["check", "maps.md", "--sarif", "out.sarif"]) == 1
    assert json.loads(Path("out.sarif").read_text())["version"] == "2.1.0"
    assert main(["check", "--html", "maps.md"]) == 1
    assert Path("maps.html").read_text().startswith("<!DOCTYPE html>")
    assert main(["check", "maps.md", "--html", "page.html"]) == 1 and Path("page.html").exists()
    capsys.readouterr()
    assert main(["check", "maps.md", "--json", "--sarif"]) == 2
    assert "cannot both be printed" in capsys.readouterr().err
    assert main(["check", "maps.md", "other.md", "--html", "page.html"]) == 2


def test_the_order_of_runs_does_not_matter(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "maps.md", "--json"])
    first = capsys.readouterr().out
    main(["check", "maps.md", "--json"])
    assert capsys.readouterr().out == first


def test_watching_checks_again_and_proves_only_what_changed(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def saves(paths: object) -> object:
        yield set()
        document.write_text(TEXT + "\n$$B A = A B B$$\n")
        yield {"maps.md"}
        document.unlink()
        yield {"maps.md"}
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "saves", saves)
    assert main(["check", "--watch", "maps.md"]) == 2
    out, err = capsys.readouterr()
    assert re.findall(r"(\d+) proved anew", out) == ["5", "1"]
    assert "--- maps.md changed" in out and "No such file" in err


def test_polling_sees_a_save(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([lambda: None, lambda: document.write_text(TEXT + "more")])
    monkeypatch.setattr(command, "sleep", lambda _: next(waits)())
    assert next(command.polled([str(document)])) == {str(document)}
