"""More than one file: books by \\input, folders with a cache, answers against a reference; and what is kept quiet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbackprop.cli import main
from symbackprop.commands.check_document import documents_in
from symbackprop.decide.outcomes import RULES, rule_of
from symbackprop.documents.check import check_document, check_text
from symbackprop.write.notes.page import html_page
from symbackprop.write.reports import document_sarif

CHAPTER = r"Let $X \in \R^{n \times d}$ and $\loss(w) = \|Xw - y\|^2$. \[ \nabla \loss(w) = X^T (Xw - y) \]"
BOOK = r"""\documentclass{book}
\input{macros}
\newtheorem{thm}{Theorem}
\begin{document}
\chapter{Squares}
\include{parts/squares}
\input{missing}
\begin{thm}[Gradient] With $\loss$ as above, $\nabla \loss = 2X^T(Xw - y)$.\end{thm}
\input{main}
\end{document}
"""
SQUARES = "# One\n\nLet $X \\in \\mathbb{R}^{n \\times d}$ and $J(w) = \\|Xw - y\\|^2$.\n\n"
WRONG = "$$\\nabla J(w) = X^T (Xw - y)$$\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "macros.tex").write_text("\\newcommand{\\loss}{J}\\newcommand{\\R}{\\mathbb{R}}\n")
    (tmp_path / "parts" / "squares.tex").write_text(CHAPTER)
    (tmp_path / "main.tex").write_text(BOOK)
    return tmp_path


def test_a_book_is_read_through_its_files(book: Path) -> None:
    found = check_document(book / "main.tex")
    claims = [(Path(c.file).name, c.line, c.verdict) for c in found if c.kind == "claim"]
    assert claims == [
        ("squares.tex", 1, "refuted"), ("main.tex", 7, "unknown"), ("main.tex", 8, "proved"), ("main.tex", 9, "unknown")
    ]  # fmt: skip
    messages = [c.outcome.message for c in found if c.verdict == "unknown"]
    assert "missing.tex: No such file" in messages[0] and "\\input leads back to it" in messages[1]


SYMMETRIC = r"Let $A \in \mathbb{R}^{n \times n}$ be symmetric. Then $\nabla_x (x^T A x) = 2 A x$."
DROPPED = r"Now drop the assumption of symmetry. Then $\nabla_x (x^T A x) = 2 A x$."


@pytest.mark.parametrize("before", ["", "\\input{part}\n"])
def test_what_is_dropped_behind_a_lemma_holds_in_it(tmp_path: Path, before: str) -> None:
    (tmp_path / "part.tex").write_text("$y = Wx$ and $z = 2y$.\n\nIt is $z = 2Wx$.\n")
    lemma = f"\\begin{{lemma}}\n{SYMMETRIC}\n\\end{{lemma}}\n"
    text = f"\\newtheorem{{lemma}}{{Lemma}}\n\\begin{{document}}\n{before}{lemma}{DROPPED}\n\\end{{document}}\n"
    (tmp_path / "main.tex").write_text(text)
    verdicts = [c.verdict for c in check_document(tmp_path / "main.tex") if "nabla" in c.latex]
    assert verdicts == ["proved", "refuted"]


def test_what_is_dropped_in_the_next_cell_holds_in_the_first(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": [text]} for text in (f"{SYMMETRIC} No formula follows.", DROPPED)]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    verdicts = [c.verdict for c in check_document(tmp_path / "n.ipynb") if c.kind == "claim"]
    assert verdicts == ["proved", "refuted"]


def test_text_that_is_no_file_reads_no_files(book: Path) -> None:
    assert [c.verdict for c in check_text(BOOK, str(book / "main.tex")) if "missing" in c.latex] == []


def test_a_folder_is_checked_once_and_remembered(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (book / "notes.md").write_text(SQUARES + WRONG)
    (book / ".hidden").mkdir()
    (book / ".hidden" / "other.md").write_text(WRONG)
    assert [Path(p).name for p in documents_in(str(book))] == ["main.tex", "notes.md"]
    call = ["check", str(book), "--cache", str(book / ".cache"), "--json"]
    assert main(call) == 1
    first = json.loads(capsys.readouterr().out)
    assert len(list((book / ".cache").iterdir())) == 2
    assert main(call) == 1
    assert json.loads(capsys.readouterr().out) == first
    (book / "parts" / "squares.tex").write_text(CHAPTER.replace("= X^T", "= 2 X^T"))
    (book / "notes.md").write_text(SQUARES + WRONG.replace("= X", "= 2 X"))
    assert main(call) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["refuted"] == 0


def test_a_torn_cache_is_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes, cache = tmp_path / "notes.md", tmp_path / "cache"
    notes.write_text(SQUARES + WRONG)
    call = ["check", str(notes), "--cache", str(cache)]
    assert main(call) == 1
    (kept,) = cache.iterdir()
    kept.write_text(kept.read_text()[:40])
    assert main(call) == 1
    assert json.loads(kept.read_text())["wrong"] is True


def test_an_empty_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "no documents" in capsys.readouterr().err


# --- grading ---------------------------------------------------------------------------------


def test_answers_are_graded_against_a_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = "# Two\n\n$z = Wx + b$ with $W \\in \\mathbb{R}^{m \\times k}$, $J = \\frac12 \\|z - y\\|^2$.\n"
    (tmp_path / "reference.md").write_text(SQUARES + two)
    answers = tmp_path / "answers"
    answers.mkdir()
    right = "$$\\frac{\\partial J}{\\partial W} = (z - y) x^T$$\n"
    (answers / "a.md").write_text("# Two\n\n" + right + "\n# One\n\n" + WRONG.replace("= X", "= 2X"))
    (answers / "b.md").write_text("# One\n\n" + WRONG + "\n# Two\n\n" + right.replace("(z - y)", "(y - z)"))
    assert main(["grade", str(tmp_path / "reference.md"), str(answers)]) == 0
    _, a, b = capsys.readouterr().out.splitlines()
    assert a.split("a.md")[1] == ",2,2,0,0,0,,,,,"
    assert b.split("b.md")[1].startswith(",2,0,2,0,0,3,SB105,missing factor 2,")


# --- codes -----------------------------------------------------------------------------------

CODES = {
    "transpose missing on W": "SB101", "indices of W in the wrong order": "SB101", "sign": "SB102",
    "sign of one term": "SB102", "factors in the wrong order": "SB103",
    "Hadamard product for a matrix product": "SB104",
    "missing factor 2": "SB105",
    "extra term x": "SB106", "sum over n missing": "SB107", "f(z) for f'(z)": "SB108", "wrong index of x": "SB109",
    "wrong power": "SB110", "wrong layer: W for V": "SB111", "∂/∂x for ∂/∂w": "SB112", "x for y": "SB113",
    "shapes differ": "SB114",
}  # fmt: skip


@pytest.mark.parametrize("mistake", CODES)
def test_each_mistake_has_a_code(mistake: str) -> None:
    found = rule_of("refuted", mistake)
    assert found is not None and found.code == CODES[mistake]


def test_codes_are_one_table() -> None:
    codes = [r.code for r in RULES]
    assert len(set(codes)) == len(codes) == len({r.name for r in RULES}) and codes == sorted(codes)
    assert rule_of("proved", None) is None
    described = (Path(__file__).parents[2] / "docs" / "documents.md").read_text()
    assert all(f"`{r.code}`" in described for r in RULES)


@pytest.mark.parametrize(
    ("comment", "quiet"),
    [("ignore SB105", True), ("ignore", True), ("ignore SB101, SB105", True), ("ignore SB101", False)],
)
def test_a_comment_keeps_a_statement_quiet(comment: str, quiet: bool) -> None:
    (_, _, c, again) = check_text(f"{SQUARES}<!-- symbackprop: {comment} -->\n\n{WRONG}\n{WRONG}")
    assert c.verdict == again.verdict == "refuted"
    assert (c.ignored, c.bad, again.bad) == (quiet, not quiet, True)
    tex = f"Let $X \\in \\mathbb{{R}}^{{n \\times d}}$, $J(w) = \\|Xw - y\\|^2$.\n% symbackprop: {comment}\n{WRONG}"
    assert check_text(tex, "a.tex")[-1].bad is not quiet


def test_sarif_has_the_right_formula_as_a_fix() -> None:
    text = SQUARES + WRONG.replace("$$\n", ".$$\n")
    (found,) = document_sarif(check_text(text), "0")["runs"][0]["results"]
    (change,) = found["fixes"][0]["artifactChanges"][0]["replacements"]
    region, new = change["deletedRegion"], change["insertedContent"]["text"]
    lines = text.split("\n")
    line = lines[region["startLine"] - 1]
    lines[region["startLine"] - 1] = line[: region["startColumn"] - 1] + new + line[region["endColumn"] - 1 :]
    assert found["ruleId"] == "SB105" and lines[-2].endswith(".$$")
    assert check_text("\n".join(lines))[-1].verdict == "proved"


def test_the_page_of_a_book_holds_its_chapters_each_with_a_table_of_readings(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    book = tmp_path / "book.tex"
    book.write_text(
        "\\newcommand{\\R}{\\mathbb{R}}\\begin{document}\\section{One}Let $x \\in \\R^n$ and $f(x) = \\|x\\|^2$.\n"
        "\\[\\nabla f(x) = 2x\\]\\input{parts/two}Then $a = b$.\\end{document}"
    )
    (tmp_path / "parts" / "two.tex").write_text("\\section{Two}For $W \\in \\R^{m \\times n}$ and $y = W x$.")
    page = html_page(book, book.read_text(), check_document(book))
    shown = page[page.index("<main>") : page.index("</main>")]
    order = [shown.index(s) for s in ("<h2>One", "read as", "nabla f", "<h2>Two", "y = W x", "a = b")]
    assert order == sorted(order) and shown.count('class="readings"') == 2
    assert "<td>number</td><td></td><td>defined, line 1</td>" in shown
    assert "<td>vector</td><td>n</td><td>said, line 1</td>" in shown
    assert "<td>matrix</td><td>m×n</td><td>said, line 1</td>" in shown
