"""Derivations as LaTeX and PDF, and the page in a notebook."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from symbackprop.cli import main
from symbackprop.core.terms import SymbackpropError
from symbackprop.documents.check import check_document, check_text
from symbackprop.write.notes import derivation
from symbackprop.write.notes.page import html_page
from symbackprop.write.notes.terminal import report
from symbackprop.write.paper.pdf import ENGINES, as_pdf

NOTES = r"""# 50 % & more: σ_1

Let $X \in \mathbb{R}^{n \times d}$ and $J(w) = \|Xw - y\|^2$.

$$\nabla J(w) = 2X^T(Xw - y) \tag{1}$$

$$\nabla J(w) = X^T(Xw - y)$$

$s^2 = \frac1n \sum_{i=1}^n (x_i - \bar x)^2$ with $\bar x = \frac1n \sum_{i=1}^n x_i$, and $δ = x_1 - \bar{x}$.

$$\frac{\partial s^2}{\partial x_i} = \frac{2}{n} (x_i - \bar x)$$

$$\nabla^2 J(w) = ?$$
"""


def test_each_claim_is_written_with_its_derivation_or_what_is_wrong() -> None:
    source = derivation.latex_page("notes.md", check_text(NOTES))
    assert r"\section*{50 \% \& more: $\sigma$\_1}" in source and source.isascii()
    assert r"{proved}{line 5}" in source and "power rule" in source and "tag" not in source
    assert r"{$X$ and $y$ do not depend on $w$}" in source and r"$\bar{x}$ does not" not in source
    assert r"\note{mistake}{missing factor 2}" in source
    assert r"\step{\nabla J(w) = 2 X^T (Xw - y)}{proved instead}" in source
    assert r"\said{\nabla^2 J(w) = 2 X^T X}{answer}" in source


@pytest.mark.skipif(not any(map(shutil.which, ENGINES)), reason="there is no LaTeX on this machine")
def test_the_pdf_of_the_machines_latex(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(NOTES)
    call = ["check", str(tmp_path / "notes.md"), "--pdf", str(tmp_path / "a.pdf"), "--latex", str(tmp_path / "a.tex")]
    assert main(call) == 1
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    with pytest.raises(SymbackpropError, match="LaTeX refuses the page: Undefined control sequence"):
        as_pdf((tmp_path / "a.tex").read_text().replace(r"\nabla", r"\nosuchthing"), "--latex FILE")


def test_without_latex_the_source_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SymbackpropError, match=r"no LaTeX is on this machine .*--latex FILE"):
        as_pdf("", "--latex FILE")


def test_in_a_notebook_a_document_shows_its_page(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(NOTES)
    found = check_document(tmp_path / "notes.md")
    shown = found._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "To mend" in shown and "<script" not in shown


def test_the_page_says_what_is_to_mend_refuted_first_and_what_was_not_read_once() -> None:
    text = (
        "$A \\in \\mathbb{R}^{n \\times d}$\n\n$$A A = A \\label{eq:a}$$\n\n$$Z = \\int A$$\n\n$$Z + 1 = A$$\n\n"
        "$$Z + 2 = A$$\n\n"
        "$$\\operatorname{tr}(A^T A) = 2 \\operatorname{tr}(A^T A) \\nonumber$$\n"
    )
    page = html_page("notes.md", text, check_text(text, "notes.md"))
    box = page[page.index("To mend") : page.index("</nav>")]
    order = [v for v in re.findall(r'badge ([a-z-]+)"', box)]
    assert order == ["refuted", "ill-formed", "unknown"] and box.count("could not be read") == 1
    page = page[page.index("</nav>") :].split("</main>")[0]
    assert "label{eq:a}" not in page and "nonumber" not in page and 'title="read as: A in R^(n×d)"' in page
    out = io.StringIO()
    report(check_text(text, "notes.md"), Console(file=out))
    assert out.getvalue().count("could not be read") == 1 and "the same: line 9" in out.getvalue()


def test_words_between_displays_on_one_line_keep_their_formulas() -> None:
    text = "$$a = b$$ or, with $c = a + 1$, $$ c = b + 1 $$ and $$ c = b + 2 $$\n\nNow $c = b + 3$.\n"
    found = check_text(text, "notes.md")
    assert [c.verdict for c in found if c.kind == "claim"] == ["proved", "refuted", "refuted"]
    page = html_page("notes.md", text, found)
    shown = page[page.index("</nav>") : page.index("</main>")]
    written = ("a = b", "or, with", "c = a + 1", "c = b + 1", " and", "c = b + 2", "Now", "c = b + 3")
    order = [shown.index(x) for x in written]
    assert order == sorted(order)
