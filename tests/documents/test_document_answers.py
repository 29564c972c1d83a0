"""What a document does not say yet: the formula that stands for a ?, the declarations that were inferred."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.documents.check import check_text, declared, pasted
from symbackprop.documents.judging import Judge
from symbackprop.read.notes.files.sources import read_text

STYLES = Path(__file__).parents[1] / "data" / "styles"
LAYER = r"$z = Wx + b$, $a = \tanh(z)$, $L = \frac12\|a - y\|^2$, with $W \in \mathbb{R}^{m \times n}$. "
LOGISTIC = r"$p = \sigma(w^T x + b)$ with the logistic function, $L = -y \log p - (1-y) \log(1-p)$. "
SOFTMAX = r"$p_i = e^{z_i}/\sum_j e^{z_j}$ and $L = -\sum_i t_i \log p_i$ with $\sum_i t_i = 1$. "
FORM = r"$f(x) = x^T A x + b^T x$ for $A \in \mathbb{R}^{n \times n}$. "
SQUARES = r"Let $X \in \mathbb{R}^{n\times d}$ and $J(w) = \|Xw - y\|^2$. "
ASKED = [
    (SQUARES, r"\nabla J(w)", "2 X^T (X w - y)"),
    (SQUARES, r"\nabla^2 J(w)", "2 X^T X"),
    (SQUARES, r"\frac{\partial J}{\partial y}", "-2 (X w - y)"),
    (LAYER, r"\frac{\partial L}{\partial W}", r"((a - y) \odot (1 - a^{2})) x^T"),
    (LAYER, r"\frac{\partial L}{\partial x}", r"W^T ((a - y) \odot (1 - a^{2}))"),
    (LAYER, r"\frac{\partial L}{\partial W_{ij}}", r"(a_{i} - y_{i}) (1 - a_{i}^{2}) x_{j}"),
    (LOGISTIC, r"\frac{\partial L}{\partial w}", "(p - y) x"),
    (LOGISTIC, r"\frac{\partial L}{\partial b}", "p - y"),
    (SOFTMAX, r"\frac{\partial L}{\partial z_i}", "p_{i} - t_{i}"),
    (SOFTMAX, r"\frac{\partial L}{\partial z}", "p - t"),
    (FORM, r"\nabla f(x)", "A x + A^T x + b"),
    ("For matrices $A$ and $X$: ", r"\frac{\partial}{\partial X} \operatorname{tr}(X^T A X)", "A X + A^T X"),
    ("For matrices $A$ and $X$: ", r"\frac{\partial \operatorname{tr}(AX)}{\partial X}", "A^T"),
    ("For a matrix $X$: ", r"\frac{\partial}{\partial X} \log\det X", "(X^{-1})^T"),
    ("With $g(t) = t^3 - 2t$: ", "g'(t)", "3 t^{2} - 2"),
]


@pytest.mark.parametrize(("head", "left", "right"), ASKED, ids=[left for _, left, _ in ASKED])
def test_a_question_mark_is_answered(head: str, left: str, right: str) -> None:
    found = check_text(f"{head}\n\n$${left} = ?$$\n")[-1]
    assert found.asked and found.verdict is None and found.outcome.repair is not None
    assert found.outcome.repair.latex == f"{left} = {right}"
    again = check_text(f"{head}\n\n$${found.outcome.repair.latex}$$\n")[-1]
    assert again.verdict == "proved"


def test_what_nothing_defines_has_no_answer() -> None:
    found = check_text("$$\\frac{\\partial L}{\\partial q} = ?$$")[-1]
    assert found.verdict is None and found.outcome.repair is None


def test_what_is_refuted_gets_the_right_formula_though_nothing_like_it_was_written() -> None:
    found = check_text(LOGISTIC + "\n\n$$\\frac{\\partial L}{\\partial w} = \\|x\\|^2 w$$\n")[-1]
    assert found.verdict == "refuted" and found.outcome.repair is not None
    assert found.outcome.repair.latex.endswith("= (p - y) x")


RIDGE = r"$J(w) = \|Xw - y\|^2 + n\lambda\|w\|^2$ and $\nabla J(w) = 2X^T(Xw - y) + 2n\lambda w$, so that "
ROWS = r"Let $X \in \mathbb R^{n\times d}$ with rows $x_i^T$, $y\in\mathbb R^n$ and $J(w) = \|Xw - y\|^2$. "
MENDED = [
    (RIDGE, "w^* = (X^T X - n\\lambda I)^{-1} X^T y", "w^* = (X^T X + n\\lambda I)^{-1} X^T y"),
    (RIDGE, "w^* = -(X^T X + n\\lambda I)^{-1} X^T y", "w^* = (X^T X + n\\lambda I)^{-1} X^T y"),
    (RIDGE, "w^* = (X X^T + n\\lambda I)^{-1} X^T y", "w^* = X^T (X X^T + n\\lambda I)^{-1} y"),
    (ROWS, r"\nabla_{w_j} J = \sum_i (x_i^T w - y_i) x_{ij}", r"\nabla_{w_j} J = 2 \sum_i (x_i^T w - y_i) x_{ij}"),
    (ROWS, r"\nabla_w J = 2\sum_i (x_i^T w - y_i)", r"\nabla_w J = 2 \sum_i (x_i^T w - y_i) x_i"),
    (ROWS, r"\nabla_{w_j} J = 2\sum_i (x_i^T w - y_i)", r"\nabla_{w_j} J = 2 \sum_i (x_i^T w - y_i) x_{ij}"),
    (SOFTMAX, r"\frac{\partial p_1}{\partial z_2} = p_1 p_2", r"\frac{\partial p_1}{\partial z_2} = -p_1 p_2"),
    (SOFTMAX, r"\frac{\partial L}{\partial z_i} = p_i (1 - t_i)", r"\frac{\partial L}{\partial z_i} = p_{i} - t_{i}"),
    (
        SOFTMAX + r"For $i \neq j$, ",
        r"\frac{\partial p_i}{\partial z_j} = p_i p_j",
        r"\frac{\partial p_i}{\partial z_j} = -p_i p_j",
    ),
    (ROWS, r"\nabla_w J = 2\sum_i (y_i - x_i^T w) x_i", r"\nabla_w J = -2\sum_i (y_i - x_i^T w) x_i"),
]


@pytest.mark.parametrize(("head", "wrong", "right"), MENDED, ids=[wrong for _, wrong, _ in MENDED])
def test_what_is_refuted_is_mended_in_the_letters_of_the_author(head: str, wrong: str, right: str) -> None:
    found = check_text(f"{head}${wrong}$.\n")[-1]
    assert found.verdict in ("refuted", "ill-formed") and found.outcome.repair is not None
    assert found.outcome.repair.latex == right


@pytest.mark.parametrize("name", ["chapters.md", "physics.md", "lecture.md", "regression.ipynb"])
def test_the_block_of_what_was_inferred_changes_no_verdict(name: str) -> None:
    text, judge = read_text(STYLES / name), Judge(repair=False)
    first = check_text(text, name, judge)
    block = declared(STYLES / name, first, judge)
    assert "letters:" in block and block.count("\n") >= 4
    lines = [x for x in block.split("\n") if "symbackprop" not in x and x != "-->"]
    second = check_text(pasted(text, name, "\n".join(lines)), name, judge)
    assert [(c.latex, c.verdict) for c in first] == [(c.latex, c.verdict) for c in second]


def test_a_block_of_letters_settles_what_the_text_leaves_open() -> None:
    text = "$$\\frac{\\partial}{\\partial c} c^T A c = 2 A c$$\n"
    symmetric = "<!-- symbackprop:\nletters:\n  A: n x n\n  c: n\n-->\n\n"
    assert check_text(symmetric + text)[-1].verdict == "refuted"
    number = "<!-- symbackprop:\nletters:\n  A: scalar\n  c: scalar\n-->\n\n"
    assert check_text(number + text)[-1].verdict == "proved"


def test_a_call_whose_formula_is_put_in_is_written_as_the_call() -> None:
    found = check_text(r"""Let $f(x) = \tanh(w^T x)$ for $w \in \mathbb{R}^n$, and $J = \frac12 (f(u) - y)^2$.
    $$\nabla_w J = (f(u) + y) (1 - f(u)^2) u$$""")[-1]
    assert found.outcome.repair is not None
    assert found.outcome.repair.latex == r"\nabla_w J = (f(u) - y) (1 - f(u)^2) u"
