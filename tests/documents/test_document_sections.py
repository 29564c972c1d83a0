"""Documents that are checked again: what did not change is neither read nor judged, and the answer is that of a first
check, with its places."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.decide.outcomes import Checked
from symbackprop.documents.check import check_text
from symbackprop.documents.judging import Judge
from symbackprop.read.notes.files.sources import read_text

STYLES = Path(__file__).parents[1] / "data" / "styles"
NOTES = """# Least squares

Let $X \\in \\mathbb{R}^{n \\times d}$, $y \\in \\mathbb{R}^n$ and $J(w) = \\|Xw - y\\|^2$.

$$\\nabla J(w) = 2 X^T(Xw - y)$$

$$\\nabla J(w) = 2 X (Xw - y)$$

# A layer

$z = Ax + b$ and $L = \\frac12\\|z - t\\|^2$ with $A \\in \\mathbb{R}^{m \\times k}$.

$$\\frac{\\partial L}{\\partial A} = (z - t) x^T$$

# Later

$$\\frac{\\partial L}{\\partial b} = z - t$$

$$\\nabla^2 J(w) = 2 X^T X$$
"""
EDITS = {
    "another claim": ("2 X (Xw - y)", "2 X^T X w - 2 X^T y", 1),
    "another definition": ("\\frac12\\|z - t\\|^2", "\\|z - t\\|^2", 2),
    "a definition that nothing rests on is gone": ("# A layer", "# A layer\n\nNothing here.", 1),
    "a line more above": ("# Least squares", "\n\n# Least squares", 0),
    "another shape": ("A \\in \\mathbb{R}^{m \\times k}", "A \\in \\mathbb{R}^{p \\times k}", 2),
    "a word more": ("Let $X", "Now let $X", 1),
    "a section less": ("# Later\n", "", 1),
    "a definition that cannot be read": ("z = Ax + b", "z = \\oint Ax + b", 2),
    "other letters": ("A", "B", 3),
}


def answers(found: list[Checked]) -> list[tuple[object, ...]]:
    return [
        (c.line, c.column, c.kind, c.latex, c.verdict, c.outcome.message, c.outcome.hypotheses, c.trouble()[0].at())
        for c in found
    ]


@pytest.mark.parametrize("name", EDITS)
def test_a_second_check_is_like_a_first(name: str) -> None:
    old, new, read = EDITS[name]
    judge = Judge()
    check_text(NOTES, judge=judge)
    before = judge.sections.read
    changed = NOTES.replace(old, new)
    assert changed != NOTES
    assert answers(check_text(changed, judge=judge)) == answers(check_text(changed))
    assert judge.sections.read - before <= read


TEX = r"""\section{A form}
Let $B \in \mathbb{R}^{n \times n}$.
\[ \frac{\partial}{\partial v} v^T B v = (B + B^T) v \]
\begin{align} v^T B v &= v^T B^T v \\ &= v^T B v + 1 \end{align}
"""
MOVED = {
    "notes.tex": (TEX, "%\n" + TEX),
    **{n: (text := read_text(STYLES / n), "\n\n" + text) for n in ("jacobians.md", "physics.md")},
    "regression.ipynb": (
        text := read_text(STYLES / "regression.ipynb"),
        text.replace('"cells": [', '"cells": [{"cell_type": "code", "source": ["1"]}, ', 1),
    ),
}


@pytest.mark.parametrize("name", MOVED)
def test_documents_that_move_down(name: str) -> None:
    judge, (text, moved) = Judge(), MOVED[name]
    first = check_text(text, name, judge)
    read = judge.sections.read
    second = check_text(moved, name, judge)
    assert judge.sections.read == read and moved != text
    assert [c.outcome.verdict for c in second] == [c.outcome.verdict for c in first]
    for c in second:
        place = c.reading.where
        assert c.reading.formula.text[:4] in place.source.text[place.offset(0) :][:8]


def test_what_is_wrong_in_a_definition_is_shown_where_the_definition_stands_now() -> None:
    block = "<!-- symbackprop:\narrays: {A: n x n, x: n, y: n, B: m x m}\ndefinitions:\n  - x = B y\n-->"
    text = block + "\n\n# One\n\n$$A x = x$$\n"
    judge = Judge()
    first = check_text(text, judge=judge)
    again = check_text("\n\n" + text, judge=judge)
    assert [c.trouble()[0].at()[0] + 2 for c in first] == [c.trouble()[0].at()[0] for c in again]
