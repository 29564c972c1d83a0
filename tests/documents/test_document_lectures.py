"""Lecture notes, blogs and exercise sheets: kinds of text that were misread, found by writing such documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from document_verdicts import verdicts_of

from symbackprop.documents.check import check_document

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
    "what is supposed and comes in there": (
        r"Suppose $\delta = \frac{\partial E}{\partial h}$ is given. For $h = o\odot\tanh(c)$, "
        r"$\frac{\partial E}{\partial o} = \delta\odot\tanh(c)$, $\frac{\partial E}{\partial o} = \delta\odot c$.",
        [P, R],
    ),
    "elementwise first, logistic then": (
        r"Let $\mu = \sigma(\eta)$ (elementwise) where $\sigma$ is the logistic function. "
        r"$\frac{\partial\mu_i}{\partial\eta_i} = \mu_i(1-\mu_i)$, $\frac{\partial\mu_i}{\partial\eta_i} = \mu_i$",
        [P, R],
    ),
    "a property as an equation in a list": (
        r"For $G(x) := \tfrac12\langle Ax-b, W(Ax-b)\rangle$, $W = W^T$, it holds $\nabla G(x) = A^TW(Ax-b)$, "
        r"$\nabla G(x) = AW(Ax-b)$.",
        [P, R],
    ),
    "several letters right before an adjective": (
        r"Let $\ell(x,u) = \frac12x^TQx + \frac12u^TRu$ with $Q$, $R$ symmetric. "
        r"$\frac{\partial \ell}{\partial x} = Qx$, $\frac{\partial \ell}{\partial u} = Ru$, "
        r"$\frac{\partial \ell}{\partial u} = Rx$",
        [P, P, R],
    ),
    "a vector called d": (
        r"Let $J = \frac12\|Cu - d\|^2$. Then $dJ = (Cu-d)^TC\,du$ and $dJ = (Cu+d)^TC\,du$.",
        [P, R],
    ),
    "a curve": (r"Consider $F(x,y) = x^2+xy+y^3$. On the curve $\frac{dy}{dx} = -\frac{2x+y}{x+3y^2}$.", [U]),
    "a loss that goes through what the section differentiates by": (
        r"Let $v\in\mathbb{R}^n$, $w = \frac{g}{\|v\|}v$. Then $\nabla_v L = \frac{g}{\|v\|}\nabla_w L - "
        r"\frac{g\,v^T\nabla_wL}{\|v\|^3}v$. So $v^T\nabla_vL = 0$.",
        [P, P],
    ),
    "a condition on an index in brackets": (
        r"Let $s_j = q^\top k_j$, $p_j = \frac{e^{s_j}}{\sum_{i=1}^Ne^{s_i}}$ and $\mathcal L = -s_1+\log\sum_{j=1}^N"
        "e^{s_j}$. For the negatives ($j\\neq1$)\n\n"
        r"$$\nabla_{k_j}\mathcal L = p_jq.$$ $$\nabla_{k_1}\mathcal L = (p_1-1)q$$ $$\nabla_{k_1}\mathcal L = p_1q$$",
        [P, P, R],
    ),
    "1/v is no mean": (
        r"$\ell = -\frac N2\log(2\pi v)-\frac1{2v}\sum_n(x_n-\mu)^2$, $\frac{\partial^2\ell}{\partial\mu^2} = "
        r"-\frac Nv$, $\bar x = \frac1N\sum_{n=1}^Nx_n$, $\frac{\partial^2\ell}{\partial\mu^2} = \frac Nv$.",
        [P, R],
    ),
    "a case to the end of the paragraph": (
        "Let $f(x) = x^TAx$. If $A = A^T$ then $\\nabla f(x) = 2Ax$. Also $\\nabla^2 f(x) = 2A$.\n\n"
        r"Always $\nabla f(x) = Ax + A^Tx$, and $\nabla f(x) = Ax$.",
        [P, U, P, R],
    ),
    "functions with a subscript": (
        r"$f_1(x) = x^2$, $f_1'(x) = 2x$, $f_1''(x) = x$. $\rho_2(r) = c^2\sqrt{1+r^2}$, $\rho_2'(r) = "
        r"\frac{c^2r}{\sqrt{1+r^2}}$",
        [P, R, P],
    ),
    "psi is the derivative of rho": (
        r"Residuals $r_i = y_i-x_i^\top\beta$, objective $Q(\beta) = \sum_{i=1}^n\rho(r_i)$ with a smooth $\rho$ "
        r"and $\psi = \rho'$. $\frac{\partial Q}{\partial\beta} = -\sum_{i=1}^n\psi(r_i)x_i$, "
        r"$\frac{\partial Q}{\partial\beta} = \sum_{i=1}^n\psi(r_i)x_i$.",
        [P, R],
    ),
    "a colon between factors": (
        r"Let $\phi = r^TWr$ with symmetric $W$. Then $d\phi = 2 (Wr)^T dr = 2 Wr : dr$.",
        [P, U],
    ),
    "a matrix that depends on p": (
        r"Let $u\in\mathbb{R}^n$ solve $A(p)u = b$ with $A$ invertible, and $J = u^Tu$. "
        r"$\frac{\partial J}{\partial u} = 2u$. Now $u = A^{-1}b$.",
        [P, P],
    ),
    "transposed and inverted gradients": (
        r"Let $f(x) = \frac12x^\top Qx-c^\top x$ with $Q$ symmetric. $\nabla f(x)^T = x^TQ - c^T$, "
        r"$\nabla f(x)^T\nabla f(x) = \|Qx-c\|^2$, $\nabla f(x)^T = x^TQ + c^T$.",
        [P, P, R],
    ),
    "energies of physics": (
        r"Let $V = \frac{1}{2} \sum_{i,j} k_{ij} q_i q_j$ with $k_{ij} = k_{ji}$. $\frac{\partial V}{\partial q_l} = "
        r"\sum_j k_{lj}q_j$, $\frac{\partial V}{\partial q_l} = 2\sum_j k_{lj}q_j$",
        [P, R],
    ),
    "the letter that a gradient is by": (
        r"$\nabla (a^Tx) = a$, $\nabla (x^TAx) = 2Ax$, $\nabla (x^TAx) = (A+A^T)x$, "
        r"$\operatorname{grad}(x^Tx) = 2x$",
        [P, R, P, P],
    ),
    "a process": (
        r"The likelihood of the process $x_t = c+\phi x_{t-1}+\varepsilon_t$ is $\ell(c,\phi) = "
        r"-\frac12\sum_{t=2}^T(x_t-c-\phi x_{t-1})^2$. "
        r"$\frac{\partial\ell}{\partial c} = \sum_{t=2}^T(x_t-c-\phi x_{t-1})$, "
        r"$\frac{\partial\ell}{\partial\phi} = \sum_{t=2}^T(x_t-c-\phi x_{t-1})x_t$",
        [P, R],
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
    "an equation solved for another letter": (
        r"For $y = x\odot e^s + t$ with $s, t$ constant, $\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}"
        r"\odot e^s$. The inverse is $x = (y - t)\odot e^{-s}$.",
        [P, P],
    ),
    "a model of the data": (
        r"The measurement is $y = Hx + v$ with noise covariance $R$ (symmetric, invertible). Minimise $J(x) = "
        r"\frac12(y-Hx)^TR^{-1}(y-Hx)$. $\nabla J(x) = -H^TR^{-1}(y-Hx)$, $\nabla J(x) = H^TR^{-1}(y-Hx)$",
        [P, R],
    ),
    "the target of a regression": (
        r"Let $y = Xw + u$ and $J(w) = \|y - Xw\|^2$. $\nabla J(w) = -2X^T(y-Xw)$",
        [U],
    ),
    "what is named by itself is none of the list": (
        r"Let $u_o$ be the outside vector and $u_1,\dots,u_K$ the negative samples. $\sigma$ is the sigmoid function. "
        r"$$J = -\log\sigma(u_o^Tv) - \sum_{k=1}^K\log\sigma(-u_k^Tv)$$"
        r"$$\frac{\partial J}{\partial u_o} = -\sigma(-u_o^Tv)v$$ $$\frac{\partial J}{\partial u_k} = \sigma(u_k^Tv)v$$"
        r"$$\frac{\partial J}{\partial u_k} = -\sigma(u_k^Tv)v$$",
        [P, P, R],
    ),
    "symmetry by entries, repeated indices": (
        r"Repeated indices are summed. Let $E = \frac12A_{ij}x_ix_j$ with $A_{ij} = A_{ji}$. Then "
        "$\\frac{\\partial E}{\\partial x_k} = A_{ki}x_i$, $\\frac{\\partial E}{\\partial x_k} = 2A_{ki}x_i$.\n\n"
        r"With $y_i = W_{ij}x_j$, $\frac{\partial L}{\partial x_j} = \frac{\partial L}{\partial y_i}W_{ij}$ and "
        r"$\frac{\partial L}{\partial x_j} = \frac{\partial L}{\partial y_i}W_{ji}$.",
        [P, R, P, R],
    ),
    "squares of matrices do not commute": (
        r"For $f(A) = A^2$: $df = A\,dA + dA\,A$ and $df = 2A\,dA$. "
        r"For $F(X) = \operatorname{tr}(X^TX)$: $\nabla F = 2X$.",
        [P, R, P],
    ),
    "determinants of numbers are no determinants": (r"$\det(3B) = 3\det B$ and $\det(B^T) = \det(B)$", [R, P]),
    "one wrong formula turns no letter of the sections above": (
        "Let $x\\in\\mathbb{R}^n$, $W\\in\\mathbb{R}^{m\\times n}$, $b\\in\\mathbb{R}^m$, $t\\in\\mathbb{R}^m$, "
        "$\\mathbf{z} = \\mathbf{W}\\mathbf{x} + \\mathbf{b}$, $\\mathbf{y} = \\tanh(\\mathbf{z})$ and "
        "$E = \\frac12\\|\\mathbf{y}-\\mathbf{t}\\|^2$.\n\n# Rule\n\nWith $\\mathbf{d} = \\frac{\\partial E}{\\partial "
        "\\mathbf{z}}$: $$\\frac{\\partial E}{\\partial\\mathbf{W}} = \\mathbf{d}\\mathbf{x}^T$$"
        r"$$\frac{\partial E}{\partial\mathbf{x}} = \mathbf{W}\mathbf{d}$$ In components $\frac{\partial E}{\partial "
        r"w_{ij}} = d_ix_j$.",
        [P, "ill-formed", P],
    ),
    "subscripts that tell one from the other": (
        r"For a real sample $\ell_r = -\log\sigma(a)$ and for a fake one $\ell_f = -\log(1-\sigma(a))$, with the "
        r"sigmoid $\sigma$. $\frac{\partial\ell_r}{\partial a} = \sigma(a) - 1$, "
        r"$\frac{\partial\ell_f}{\partial a} = \sigma(a)$, "
        r"$\frac{\partial\ell_f}{\partial a} = \sigma(a) - 1$",
        [P, P, R],
    ),
    "the state before": (
        r"Write $h'$ for the previous state: $a = W h' + U x$, $h = \tanh(a)$. $$\frac{\partial L}{\partial h'} = "
        r"W^T\frac{\partial L}{\partial a}$$ $$\frac{\partial L}{\partial W} = \frac{\partial L}{\partial a}h'^T$$"
        r"$$\frac{\partial L}{\partial h'} = W\frac{\partial L}{\partial a}$$",
        [P, P, R],
    ),
    "the softmax of each row, said above": (
        "Let $A = \\mathrm{softmax}(S)$ and $O = AV$, where the softmax is taken over each row.\n\n# Trick\n\nLet "
        "$D_i = \\sum_j A_{ij}\\frac{\\partial L}{\\partial A_{ij}}$. "
        r"$\frac{\partial L}{\partial S_{ij}} = A_{ij}\left(\frac{\partial L}{\partial A_{ij}} - D_i\right)$, "
        r"$\frac{\partial L}{\partial S_{ij}} = A_{ij}\left(\frac{\partial L}{\partial A_{ij}} + D_i\right)$",
        [P, R],
    ),
    "items of an exercise sheet": (
        "Compute the gradients.\n\n(a) $f(x) = \\|x\\|^2$: $\\nabla f(x) = 2x$.\n\n(b) $f(x) = \\frac{1}{1+x^Tx}$: "
        "$\\nabla f(x) = -\\frac{2x}{1+x^Tx}$.\n\n(c) $f(x) = e^{-\\|x\\|^2}$: $\\nabla f(x) = -2xe^{-\\|x\\|^2}$.\n\n"
        "(d) $f(x,y) = 100(y-x^2)^2$: $\\frac{\\partial f}{\\partial y} = 200(y-x^2)$.",
        [P, R, P, P],
    ),
    "letters in exponents": (
        r"$L(\theta) = \theta^h(1-\theta)^t$, $\log L(\theta) = h\log\theta + "
        r"t\log(1-\theta)$, $\frac{d\log L}{d\theta} = \frac h\theta - \frac{t}{1-\theta}$, "
        r"$\frac{d\log L}{d\theta} = \frac h\theta + \frac{t}{1-\theta}$",
        [P, P, R],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_true_is_proved_and_what_is_false_is_not(name: str) -> None:
    text, verdicts = CLAIMS[name]
    found = verdicts_of(text)
    claims = [c for c in found if c.kind == "claim"]
    assert [c.verdict for c in claims] == verdicts, [(c.latex, c.verdict, c.outcome.message) for c in claims]
    assert all(c.verdict is None for c in found if c.kind != "claim")


ZERO = (
    r"Setting ${0}$ yields", r"We set ${0}$ and solve.", r"From ${0}$ we get", r"At the optimum we have ${0}$.",
    r"At the minimum $${0}$$", r"where ${0}$", r"Equating ${0}$ gives",
)  # fmt: skip


@pytest.mark.parametrize("said", ZERO)
@pytest.mark.parametrize("derivative", [r"\nabla f(w)", r"\frac{\partial f}{\partial w}", r"\nabla_w f"])
def test_what_is_set_to_zero_is_no_claim(said: str, derivative: str) -> None:
    text = r"Let $f(w) = \|Xw-y\|^2$. " + said.format(derivative + " = 0")
    assert [c.kind for c in verdicts_of(text) if "= 0" in c.latex] == ["condition"]


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
    found = [c for c in verdicts_of(text) if c.kind == "claim"]
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
