"""Formulas and documents in another convention or layout: each translation is proved, what is not stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.cli import main
from symbackprop.documents.check import check_document, check_text
from symbackprop.documents.converting import converted
from symbackprop.documents.judging import Judge

ROOT = Path(__file__).parents[2]
NIELSEN = ROOT / "tests" / "data" / "documents" / "nielsen.md"

D = r"\frac{\partial L}{\partial "
FORMULAS = [  # (in the other convention or layout, to, what comes out)
    ("z = W x + b", "row", "z = x W + b"),
    ("z = x W + b", "column", "z = W x + b"),
    ("z_i = \\sum_k W_{ik} x_k", "row", "z_i = \\sum_k W_{ki} x_k"),
    (D + "W} = (z - t) x^T; z = W x; L = \\frac12 \\|z - t\\|^2", "row", D + "W} = x^T (z - t)"),
    (D + "W} = (z - t) x^T; z = W x; L = \\frac12 \\|z - t\\|^2", "numerator", D + "W} = x (z - t)^T"),
    (D + "x} = W^T (z - t); z = W x; L = \\frac12 \\|z - t\\|^2", "numerator", D + "x} = (z - t)^T W"),
    (D + "x} = x^T (A + A^T); L = x^T A x", "gradient", D + "x} = (A^T + A) x"),
    ("L = \\lVert W x - t \\rVert^2", "row", "L = \\lVert x W - t \\rVert^{2}"),
    ("L = a' x", "row", "L = x a^{T}"),
    ("L = sum((W x - t).^2)", "row", "L = sum((x W - t)^{\\circ 2})"),
    (r"\frac{\partial x^T A x}{\partial x} = (A + A^T) x", "numerator",
     r"\frac{\partial x^T A x}{\partial x} = x^T (A^T + A)"),
    (r"\frac{\partial}{\partial X} a^T X b = a b^T", "numerator", r"\frac{\partial}{\partial X} a^T X b = b a^T"),
    (r"\frac{\partial \log\det X}{\partial X} = X^{-\top}", "numerator",
     r"\frac{\partial \log\det X}{\partial X} = X^{-1}"),
    (r"\frac{\partial \operatorname{tr}(X B X^T)}{\partial X} = X (B + B^T)", "numerator",
     r"\frac{\partial \operatorname{tr}(X B X^T)}{\partial X} = (B^T + B) X^T"),
    (r"\nabla_X \operatorname{tr}(A X) = A^T", "numerator", r"\nabla_X \operatorname{tr}(A X) = A^T"),
]


def first_formula(text: str, to: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["convert", text, "--to", to])
    return code, capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(("given", "to", "wanted"), FORMULAS, ids=[f"{g[:40]} to {t}" for g, t, _ in FORMULAS])
def test_formulas(given: str, to: str, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert first_formula(given, to, capsys) == (0, wanted)


def test_there_and_back_again() -> None:
    text = NIELSEN.read_text(encoding="utf-8").partition("Wrong ones:")[0]
    rows = converted("nielsen.md", text, "row")
    assert rows.text != text and rows.proved >= 8 and not rows.notes
    assert converted("nielsen.md", rows.text, "column").text == text


@pytest.mark.parametrize("to", ["row", "numerator"])
def test_a_document_is_worth_what_it_was(to: str) -> None:
    """Each statement that was translated has the verdict that it had; the others are named in a note."""
    text = NIELSEN.read_text(encoding="utf-8")
    found = converted("nielsen.md", text, to)  # type: ignore[arg-type]
    noted = {int(note.split(":")[0].removeprefix("line ")) for note in found.notes}
    before = check_document(NIELSEN, Judge(repair=False))
    after = check_text(found.text, "nielsen.md", Judge(repair=False))
    assert len(before) == len(after)
    changed = {a.line for a, b in zip(before, after, strict=True) if a.verdict != b.verdict}
    assert changed <= noted
    assert noted <= {c.line for c in before if c.verdict != "proved"}


def test_shapes_and_declarations_go_along() -> None:
    text = (
        "<!-- symbackprop:\nconvention: column\nlayout: gradient\narrays:\n  W: n x m\n  x: m\n  z: n\n"
        "definitions:\n  - z = W x\n-->\n\nHere $V \\in \\mathbb{R}^{m \\times n}$ and $u = V z$.\n"
    )
    found = converted("a.md", text, "row")
    assert not found.notes
    for part in ("convention: row", "W: m x n", "- z = x W", r"V \in \mathbb{R}^{n \times m}", "u = z V"):
        assert part in found.text


def test_latex_says_its_convention_in_a_comment() -> None:
    for head, new in (("", "% symbackprop:\n% convention: row\n\n"), ("% symbackprop:\n%   convention: column\n", "")):
        found = converted("a.tex", head + "Let $z = W x + b$.\n", "row")
        assert (found.text, found.notes) == (new + head.replace("column", "row") + "Let $z = x W + b$.\n", ())


def test_what_is_not_proved_stays_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.md"
    matrix = r"$$v = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} u$$"
    path.write_text(f"<!-- symbackprop:\nlayout: gradient\n-->\n$$z = W x$$\n\n{matrix}\n", encoding="utf-8")
    assert main(["convert", str(path), "--to", "row"]) == 1
    out, err = capsys.readouterr()
    assert "$$z = x W$$" in out and "line 6: left as it is: " in err


def test_nothing_is_done_to_what_stands_as_it_should() -> None:
    text = "<!-- symbackprop:\nconvention: row\n-->\n\n$$z = x W + b$$\n"
    found = converted("a.md", text, "row")
    assert (found.text, found.proved, found.notes) == (text, 0, ())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.md", "--to", "row"], "no such file"),
        (["a.ipynb", "--to", "row"], "a notebook is not translated"),
        (["z = W x", "--to", "sideways"], "invalid choice"),
    ],
)
def test_bad_requests(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", *arguments]) == 2
    assert message in capsys.readouterr().err.lower()
