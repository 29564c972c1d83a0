"""Calculus as in a school text, densities, names for derivatives, derivatives along a parameter: each kind in several
phrasings, true and false ones."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

P, R, U = "proved", "refuted", "unknown"
RULES = [
    (r"\frac{d}{dx}x^n = nx^{n-1}", r"\frac{d}{dx}x^n = nx^n"),
    (r"\frac{d}{dt}t^k = kt^{k-1}", r"\frac{d}{dt}t^k = t^{k-1}"),
    (r"(x^n)' = nx^{n-1}", r"(x^n)' = (n-1)x^{n-1}"),
    (r"(fg)' = f'g+fg'", r"(fg)' = f'g'"),
    (r"(uv)' = u'v+uv'", r"(uv)' = u'v-uv'"),
    (r"(f+g)' = f'+g'", r"(f+g)' = f'-g'"),
    (r"(fg)'' = f''g+2f'g'+fg''", r"(fg)'' = f''g+f'g'+fg''"),
    (r"(f^2)' = 2ff'", r"(f^2)' = 2f"),
    (r"(fgh)' = f'gh+fg'h+fgh'", r"(fgh)' = f'g'h'"),
    (r"(f\circ g)'(x) = f'(g(x))g'(x)", r"(f\circ g)'(x) = f'(g(x))"),
    (r"(f(g(x)))' = f'(g(x))g'(x)", r"(f(g(x)))' = f'(g'(x))"),
    (r"(e^{3x})' = 3e^{3x}", r"(e^{3x})' = e^{3x}"),
    (r"(\sin x)' = \cos x", r"(\cos x)' = \sin x"),
    (r"\frac{d}{dx}\ln(x+\sqrt{x^2+1}) = \frac1{\sqrt{x^2+1}}", r"\frac{d}{dx}\ln(x+\sqrt{x^2+1}) = \frac1{x^2+1}"),
    (r"\frac{d}{dx}2^x = 2^x\ln 2", r"\frac{d}{dx}2^x = x2^{x-1}"),
    (r"\frac{d}{dx}x^x = x^x(1+\ln x)", r"\frac{d}{dx}x^x = x\cdot x^{x-1}"),
    (r"\frac{d}{dx}\log_a x = \frac1{x\ln a}", r"\frac{d}{dx}\log_a x = \frac1x"),
    (r"\frac{d}{dx}\cot x = -\csc^2 x", r"\frac{d}{dx}\cot x = \csc^2 x"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong"), RULES)
def test_rules(right: str, wrong: str) -> None:
    assert last(f"A rule: ${right}$.") == P
    assert last(f"A rule: ${wrong}$.") == R


def last(text: str) -> str | None:
    return [c.verdict for c in verdicts_of(text) if c.kind == "claim"][-1]


def test_a_rule_is_of_any_function_where_the_text_gives_another_one_below() -> None:
    below = r"For $f(x_1,x_2) = x_1^2x_2$ we find $\nabla f = \begin{pmatrix}2x_1x_2\\x_1^2\end{pmatrix}$."
    assert verdicts(rf"$(fg)' = f'g+fg'$ and $(fg)' = f'g'$. {below}") == [P, R, P]


def verdicts(text: str) -> list[str | None]:
    return [c.verdict for c in verdicts_of(text) if c.kind == "claim"]


DOCUMENTS = {
    "a function without its argument": (
        r"Let $f(x) = x^2e^{-x}$. Then $f' = (2x-x^2)e^{-x}$, $f'' = (x^2-4x+2)e^{-x}$, not $f' = "
        r"2xe^{-x}$.", [P, P, R],
    ),
    "a value with a prime": (
        r"Let $y = e^{-kx}\sin(ax)$. $y' = -ky+ae^{-kx}\cos(ax)$, $y''+2ky'+(k^2+a^2)y = 0$, $y'' = -a^2y$.", [P, P, R],
    ),
    "definitions beside the word gradient": (
        r"Gradient: for $f(x_1,x_2) = x_1^2x_2+3x_2$, $\nabla f = "
        r"\begin{pmatrix}2x_1x_2\\x_1^2+3\end{pmatrix}$ and the "
        r"Hessian is $\nabla^2f = \begin{pmatrix}2x_2&2x_1\\2x_1&0\end{pmatrix}$. "
        r"$\nabla f = (2x_1x_2, x_1^2)^T$", [P, P, R],
    ),
    "a Jacobian of coordinates": (
        r"Jacobian of polar coordinates: $x = r\cos\theta$, $y = r\sin\theta$; "
        r"$\frac{\partial x}{\partial r}\frac{\partial y}{\partial\theta}-\frac{\partial x}{\partial\theta}"
        r"\frac{\partial y}{\partial r} = r$, $\frac{\partial x}{\partial\theta} = r\sin\theta$.", [P, R],
    ),
    "a gradient that is stated below": (
        r"Let $f(x) = \frac12x^TQx-c^Tx$ with $Q$ symmetric. The gradient $g = Qx-c$ vanishes at the minimum. "
        r"$\nabla f(x) = g$ $\nabla f(x) = 2g$", [P, R],
    ),
    "a penalty is no gradient": (
        r"WGAN gradient penalty: for $D(x) = w^\top x$, $\nabla_xD(x) = w$, $\nabla_xD(x) = 2w$.", [P, R],
    ),
    "what is called a derivative of nothing": (r"The error signal is $\delta = y-t$.", [U]),
    "numbers in capitals": (
        r"Production $Y = AK^\alpha L^{1-\alpha}$: $\frac{\partial Y}{\partial K} = \alpha\frac YK$, "
        r"$\frac{\partial^2Y}{\partial K\partial L} = \alpha(1-\alpha)\frac Y{KL}$, "
        r"$\frac{\partial Y}{\partial K} = \alpha\frac KY$", [P, P, R],
    ),
    "densities": (
        r"**Exponential.** $p(x;\lambda) = \lambda e^{-\lambda x}$: "
        r"$\frac{\partial}{\partial\lambda}\log p(x;\lambda) = "
        r"\frac1\lambda-x$. **Bernoulli.** $p(x;\theta) = \theta^x(1-\theta)^{1-x}$: $\frac{\partial}{\partial\theta}"
        r"\log p(x;\theta) = \frac x\theta-\frac{1-x}{1-\theta}$, $\frac{\partial}{\partial\theta}\log p(x;\theta) = "
        r"\frac x\theta+\frac{1-x}{1-\theta}$. **Gamma** with shape $k$: $\log p(x;\beta) = k\log\beta-\log\Gamma(k)+"
        r"(k-1)\log x-\beta x$, so $\frac{\partial}{\partial\beta}\log p(x;\beta) = \frac k\beta-x$.", [P, P, R, P],
    ),
    "the gamma function": (r"It is known that $\Gamma(a+1) = a\Gamma(a)$ and $\Gamma(a+1) = \Gamma(a)$.", [U]),
    "survival": (
        r"Let $H' = h$ and $S(t) = e^{-H(t)}$. $S'(t) = -h(t)S(t)$, $\frac{d}{dt}\log S(t) = "
        r"-h(t)$, $S'(t) = h(t)S(t)$.",
        [P, P, R],
    ),
    "a function of what depends on more": (
        r"$S(t) = e^{-H(t)}$ with $H(t) = (t/\lambda)^k$. $\frac{\partial S}{\partial\lambda} = "
        r"\frac k\lambda H(t)S(t)$, "
        r"$S'(t) = -H'(t)S(t)$, $S'(t) = -H(t)S(t)$.", [P, P, R],
    ),
    "a name for a derivative": (
        r"$r_i = y_i-x_i^\top\beta$, $Q(\beta) = \sum_{i=1}^n\rho(r_i)$ with $\psi = \rho'$. "
        r"$\frac{\partial Q}{\partial\beta} = -\sum_{i=1}^n\psi(r_i)x_i$, $\frac{\partial Q}{\partial\beta} = "
        r"\sum_{i=1}^n\psi(r_i)x_i$.", [P, R],
    ),
    "a line search": (
        r"$f(x) = \frac12x^TQx-c^Tx$ with symmetric $Q$. Along $p$: $\phi(\alpha) = f(x+\alpha p)$ "
        r"has $\phi'(\alpha) = "
        r"p^\top(Q(x+\alpha p)-c)$, $\phi''(\alpha) = p^\top Qp$, $\phi'(\alpha) = p^\top Q(x+\alpha p)$.", [P, P, R],
    ),
    "data of a process": (
        r"The process $x_t = c+\phi x_{t-1}+\varepsilon_t$ has $J(c,\phi) = \sum_{t=2}^T(x_t-c-\phi x_{t-1})^2$. "
        r"$\frac{\partial J}{\partial\phi} = -2\sum_{t=2}^T(x_t-c-\phi x_{t-1})x_{t-1}$, "
        r"$\frac{\partial J}{\partial\phi} = -2\sum_{t=2}^T(x_t-c-\phi x_{t-1})x_t$.", [P, R],
    ),
    "along a parameter": (
        r"$\frac{d}{dt}X^{-1} = -X^{-1}\frac{dX}{dt}X^{-1}$, $\frac{d}{dt}\det X = \det X\operatorname{tr}(X^{-1}"
        r"\frac{dX}{dt})$, $\frac{d}{dt}X^3 = 3X^2\frac{dX}{dt}$.", [P, P, R],
    ),
    "along a hyperparameter": (
        r"$K$ is symmetric. $\frac{\partial}{\partial\theta}\left(y^TK^{-1}y\right) = -y^TK^{-1}\frac{\partial K}"
        r"{\partial\theta}K^{-1}y$, $\frac{\partial\log|K|}{\partial\theta} = \mathrm{tr}\left(K^{-1}\frac{\partial K}"
        r"{\partial\theta}\right)$, $\frac{\partial\log|K|}{\partial\theta} = \mathrm{tr}\left(K\frac{\partial K}"
        r"{\partial\theta}\right)$.", [P, P, R],
    ),
    "matrices with their argument": (
        r"$$\frac{d}{dt}A(t)^{-1} = -A(t)^{-1}\frac{dA(t)}{dt}A(t)^{-1}$$ $$\frac{d}{dt}A(t)^{-1} = A(t)^{-1}"
        r"\frac{dA(t)}{dt}A(t)^{-1}$$", [P, R],
    ),
    "what moves too is not held": (
        r"$\frac{d}{dt}(AB) = \frac{dA}{dt}B+A\frac{dB}{dt}$, $\frac{d}{dt}(AB) = \frac{dA}{dt}B$.", [P, U],
    ),
    "a derivative that is a function known already": (
        r"Let $\sigma(x) = 1/(1+e^{-x})$ and $\zeta(x) = \log(1+e^x)$. $\zeta'(x) = \sigma(x)$, "
        r"$\sigma(-x) = 1-\sigma(x)$, $\zeta'(x) = 1-\sigma(x)$.", [P, P, R],
    ),
    "an equation of motion": (
        r"Decay: $\frac{dx}{dt} = -kx$. With $V = \frac12x^2$: $x\frac{dx}{dt} = -kx^2$.", [U],
    ),
    "an equation of motion beside its field": (
        r"The equation $\frac{dy}{dt} = -2ty$ has the field $f(t,y) = -2ty$. $\frac{\partial f}{\partial y} = -2t$, "
        r"$\frac{\partial f}{\partial t} = -2t$.", [U, P, R],
    ),
    "values at the optimum": (
        r"$f(x) = \frac12x^\top Qx-c^\top x$, $Q$ symmetric. Setting the gradient to zero gives $x^\star = Q^{-1}c$. "
        r"$f(x)-f(x^\star) = \frac12(x-x^\star)^TQ(x-x^\star)$, $f(x^\star) = -\frac12c^Tx^\star$, $f(x^\star) = "
        r"\frac12c^Tx^\star$.", [P, P, P, R],
    ),
    "an optimum that no equation gives": (
        r"$f(w) = \frac12w^THw-g^Tw$ has the optimum $w^*$; $H$ is symmetric. $f(w)-f(w^*) = "
        r"\frac12(w-w^*)^TH(w-w^*)$, $\nabla f(w) = Hw+g$.", [U, R],
    ),
    "an argument beside entries of its name": (
        r"Residuals $r_i = y_i-x_i^\top\beta$, $Q(\beta) = \sum_i\rho_3(r_i)$. Welsch: $\rho_3(r) = \frac{c^2}{2}(1-"
        r"e^{-(r/c)^2})$, $\rho_3'(r) = re^{-(r/c)^2}$, $\rho_3''(r) = (1-\frac{2r^2}{c^2})e^{-(r/c)^2}$, "
        r"$\rho_3'(r) = 2re^{-(r/c)^2}$, $\rho_3'(r) = r\sqrt{1+r^2}$.", [P, P, R, R],
    ),
    "the loss of a margin beside margins": (
        r"$z_i = w^\top x_i$, $L(w) = \sum_i\ell(z_i)$, $\ell(z) = \log(1+e^{-z})$. $\ell'(z) = -\frac1{1+e^z}$, "
        r"$\ell'(z) = ze^{-z}$, $\frac{\partial L}{\partial w} = \sum_i\ell'(z_i)x_i$, $\frac{\partial L}{\partial w}"
        r" = -\sum_i\ell'(z_i)x_i$.", [P, R, P, R],
    ),
    "a target with a star": (
        r"$L = \frac12\|y-y^*\|^2$. $\frac{\partial L}{\partial y} = y-y^*$, $\frac{\partial L}{\partial y} = y^*-y$.",
        [P, R],
    ),
    "a first approximation": (r"Of any smooth $f$: $f(x+h) = f(x)+hf'(x)$.", [U]),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name: str) -> None:
    text, expected = DOCUMENTS[name]
    assert verdicts(text) == expected
