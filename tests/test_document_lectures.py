"""Lecture notes, blogs and exercise sheets: kinds of text that were misread, found by writing such documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.documents.check import check_document, check_text

P, R, U = "proved", "refuted", "unknown"
CLAIMS = {
    "a second differential is no product with d": (
        r"Let $f = x^T A x$. $d^2 f = 2 dx^T A dx$, $d^2f = dx^T A dx$, $df = x^T(A + A^T) dx$.",
        [P, R, P],
    ),
    "a second differential in the space of size d": (
        r"Let $x\in\mathbb{R}^d$ and $f(x) = x^Tx$. $d^2 f = 2 dx^T dx$, $d^2 f = dx^T dx$.",
        [P, R],
    ),
    "dx^2 beside a second differential": (
        r"Let $f(x) = \sin(x)$. $d^2 f = -\sin(x)\, dx^2$, $d^2 f = \sin(x)\, dx^2$.",
        [P, R],
    ),
    "a squared distance": (
        r"Let $d^2(x) = (x-a)^T B(x-a)$ with symmetric $B$. $\nabla_x d^2 = 2B(x-a)$, $\nabla_x d^2 = B(x-a)$.",
        [P, R],
    ),
    "a sum over two terms": (
        r"$$L = -\frac1m\sum_{i=1}^m y_i \log p_i + (1 - y_i) \log (1 - p_i) + \lambda\sum_j w_j^2$$"
        r"$$\frac{\partial L}{\partial p_i} = -\frac1m\left(\frac{y_i}{p_i} - \frac{1-y_i}{1-p_i}\right)$$"
        r"$$\frac{\partial L}{\partial p_i} = -\frac1m\frac{y_i}{p_i} + \frac{1-y_i}{1-p_i}$$"
        r"$$\frac{\partial L}{\partial w_j} = 2\lambda w_j$$",
        [P, R, P],
    ),
    "any one of the samples": (
        r"Let $x_1,\dots,x_n\in\mathbb{R}^d$. For a point $x$ with label $y$ let $\ell(w) = (y - w^Tx)^2$. Then "
        r"$\nabla_w \ell = -2(y-w^Tx)x$ and $\nabla_w\ell = 2(y-w^Tx)x$.",
        [P, R],
    ),
    "one example of a labelled set": (
        r"We have $(x^{(i)}, y^{(i)})$ with $x^{(i)} \in \mathbb{R}^n$, $y^{(i)} \in \mathbb{R}$. For one example let "
        r"$e = \frac12 (\theta^T x - y)^2$. $$\frac{\partial e}{\partial \theta_j} = (\theta^Tx - y)x_j$$"
        r"$$\frac{\partial e}{\partial \theta_j} = (y - \theta^Tx)x_j$$",
        [P, R],
    ),
    "a loss of all and the gradient of one": (
        r"With $x^{(i)} \in \mathbb{R}^n$ let $J(\theta) = \sum_{i=1}^m (\theta^T x^{(i)} - y^{(i)})^2$. For one "
        r"example, $$\nabla_\theta J(\theta) = 2(\theta^Tx - y)x.$$",
        [U],
    ),
    "a function of a function above": (
        "With $x^{(i)} \\in \\mathbb{R}^n$ let $h_\\theta(x) = g(\\theta^Tx)$, where $g(z) = \\frac{1}{1+e^{-z}}$.\n\n"
        "# Loss\n\n$\\ell(\\theta) = \\sum_{i=1}^m y^{(i)}\\log h_\\theta(x^{(i)}) + (1-y^{(i)})"
        "\\log(1-h_\\theta(x^{(i)}))$\n\n# Gradient\n\n"
        "$\\nabla_\\theta \\ell(\\theta) = \\sum_{i=1}^m (y^{(i)} - h_\\theta(x^{(i)}))x^{(i)}$\n\n"
        "$\\nabla_\\theta \\ell(\\theta) = \\sum_{i=1}^m (h_\\theta(x^{(i)}) - y^{(i)})x^{(i)}$\n\n"
        "The update is $\\theta := \\theta + \\alpha \\nabla_\\theta \\ell(\\theta)$.",
        [P, R],
    ),
    "a loss above, of which only its value at w is spoken": (
        "# Loss\n\n$\\ell(w) = \\sum_{i=1}^m (y_i - w x_i)^2$\n\n# Other\n\n$f(t) = t^2$, $f'(t) = 2t$.\n\n# Gradient"
        "\n\n$\\nabla_w \\ell(w) = -2\\sum_{i=1}^m (y_i - w x_i)x_i$, "
        "$\\nabla_w \\ell(w) = 2\\sum_{i=1}^m (y_i - w x_i)x_i$"
        "\n\nSo $w_{t+1} = w_t - \\eta\\nabla\\ell(w_t)$.",
        [P, P, R],
    ),
    "the parameter of a density": (
        r"The density is $p(x) = \frac{1}{\sqrt{2\pi}\sigma}\exp(-\frac{(x-\mu)^2}{2\sigma^2})$. We have data "
        "$x_1,\\dots,x_N$.\n\n# Score\n\n"
        r"$\frac{\partial}{\partial\mu}\log p(x) = \frac{x-\mu}{\sigma^2}$, "
        r"$\frac{\partial}{\partial\mu}\log p(x) = \frac{\mu-x}{\sigma^2}$, "
        r"$\frac{\partial}{\partial x}\log p(x) = -\frac{x-\mu}{\sigma^2}$, "
        r"$\frac{\partial}{\partial\sigma}\log p(x) = -\frac1\sigma + \frac{(x-\mu)^2}{\sigma^3}$",
        [P, R, P, P],
    ),
    "the same in other letters": (
        r"Let $\ell(a, B) = \log\det B - a^TB^{-1}a$ with $B$ symmetric. "
        r"$\frac{\partial \ell}{\partial a} = -2B^{-1}a$, "
        r"$\frac{\partial \ell}{\partial a} = -2Ba$. With $C = B^{-1}$ we have $\ell(a, C) = -\log\det C - a^TCa$ and "
        r"$\frac{\partial \ell}{\partial a} = -2Ca$, $\frac{\partial \ell}{\partial a} = 2Ca$.",
        [P, R, P, R],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_true_is_proved_and_what_is_false_is_not(name: str) -> None:
    text, verdicts = CLAIMS[name]
    found = [c for c in check_text(text) if c.kind == "claim"]
    assert [c.verdict for c in found] == verdicts, [(c.latex, c.verdict, c.outcome.message) for c in found]
    assert all(c.verdict is None for c in check_text(text) if c.kind != "claim")


ZERO = (
    r"Setting ${0}$ yields", r"We set ${0}$ and solve.", r"From ${0}$ we get", r"At the optimum we have ${0}$.",
    r"At the minimum $${0}$$", r"where ${0}$", r"Equating ${0}$ gives",
)  # fmt: skip


@pytest.mark.parametrize("said", ZERO)
@pytest.mark.parametrize("derivative", [r"\nabla f(w)", r"\frac{\partial f}{\partial w}", r"\nabla_w f"])
def test_what_is_set_to_zero_is_no_claim(said: str, derivative: str) -> None:
    text = r"Let $f(w) = \|Xw-y\|^2$. " + said.format(derivative + " = 0")
    assert [c.kind for c in check_text(text) if "= 0" in c.latex] == ["condition"]


@pytest.mark.parametrize("loss", ["L", r"\mathcal{L}"])
def test_the_layout_goes_together_with_the_definitions(loss: str) -> None:
    """A bias that may be a row or a column does not turn the derivatives by what it is added to."""
    text = (
        r"$X \in \mathbb{R}^{N \times D}$, $W \in \mathbb{R}^{D \times C}$, $Z = X W + b$, $P = \mathrm{softmax}(Z)$ "
        rf"(row-wise), ${loss} = -\frac1N\sum_{{i=1}}^N\sum_{{c=1}}^C Y_{{ic}}\log P_{{ic}}$ with one-hot $Y$. "
        rf"$$\frac{{\partial {loss}}}{{\partial Z}} = \frac1N(P - Y)$$"
        rf"$$\frac{{\partial {loss}}}{{\partial W}} = X^T\frac{{\partial {loss}}}{{\partial Z}}$$"
        rf"$$\frac{{\partial {loss}}}{{\partial b}} = \mathbf 1^T\frac{{\partial {loss}}}{{\partial Z}}$$"
    )
    found = [c for c in check_text(text) if c.kind == "claim"]
    assert [c.verdict for c in found][:2] == [P, P], [(c.latex, c.verdict, c.outcome.message) for c in found]


MACROS = (r"$\mS$ is symmetric", r"$\mS \in \R^{n \times n}$ is symmetric", r"the symmetric matrix $\mS$")


@pytest.mark.parametrize("said", MACROS)
def test_what_prose_says_of_macros(said: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.tex"
    path.write_text(
        r"\newcommand{\mS}{\mathbf{S}}\newcommand{\vx}{\mathbf{x}}\newcommand{\R}{\mathbb{R}}\begin{document}"
        rf"Here {said}. \[ \nabla_{{\vx}}(\vx^T\mS\vx) = 2\mS\vx \] \[ \nabla_{{\vx}}(\vx^T\mS\vx) = \mS\vx \]"
        r"\end{document}"
    )
    assert [c.verdict for c in check_document(path) if c.kind == "claim"] == [P, R]
