"""Kinds of text that were misread once: each as authors write it, with what is true and what is not."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

P, R, U, N = "proved", "refuted", "unknown", None
CLAIMS = {
    "a first approximation of any function": (r"$f(x + h) = f(x) + h \frac{df(x)}{dx}$.", [U]),
    "a wide gap": (
        r"$f(x,y) = x y$. $$\frac{\partial f}{\partial x} = y \hspace{0.5in} \frac{\partial f}{\partial y} = x "
        r"\hspace{0.5in} \frac{\partial f}{\partial y} = y$$",
        [P, P, R],
    ),
    "thin letters beside bold ones": (
        r"Let $\mathbf{x}$ be a vector and $A$ a matrix. $\frac{d}{d\mathbf{x}}(\mathbf{x}^\top A \mathbf{x}) = "
        r"(A + A^\top)\mathbf{x}$. In one variable $\frac{d}{dx}(ax^2) = 2ax$.",
        [P, P],
    ),
    "a loss that nothing gives, on one side only": (
        r"$\hat y = \sigma(z)$ with the logistic $\sigma$. $$\frac{\partial L_{CE}}{\partial z} = \hat y - y$$",
        [U],
    ),
    "a function that is only used at a number": (r"We see that $f'(1) = 2$.", [U]),
    "solutions of exercises with items": (
        "**a)** $f(w) = 3w^2 + 2w - 1$\n\n**b)** $f(w) = (5 - 2w)^2$\n\nSolutions\n\n"
        r"**a)** $\frac{df}{dw} = 6w + 2$",
        [U],
    ),
    "blanks are asked": (
        r"$f(w) = 3w^2$. $\frac{df}{dw} =$ ___ and $\frac{df}{dw} = 6w$, $\frac{df}{dw} = 3w$.", [P, R]
    ),
    "a sum under a brace": (
        r"$p_k = e^{z_k}/\sum_j e^{z_j}$, $L = -\sum_k t_k \log p_k$. $$\frac{\partial L}{\partial z_i} = p_i "
        r"\underbrace{\sum_k t_k}_{=1} - t_i = p_i - t_i$$",
        [P, P],
    ),
    "an error called e": (
        r"$e = \hat y - y$, $\hat y = \frac{1}{1 + e^{-z}}$ and $L = e^2$. $\frac{\partial L}{\partial e} = 2e$, "
        r"$\frac{d \hat y}{dz} = \hat y (1 - \hat y)$, $\frac{\partial L}{\partial e} = e$.",
        [P, P, R],
    ),
    "brackets end what is differentiated": (
        r"$\frac{d}{dx}[x^2]\,x^2 = 2x^3$, $\frac{d}{dx}[x^2]\,x^2 = 4x^3$.", [P, R]
    ),
    "a list that is considered": (
        "Let $y = h(t)$.\n\nConsider $$z = \\sin(x^2 + y^2), \\qquad x = e^t, \\qquad y = t^2.$$ "
        r"$$\frac{d y}{d t} = 2t, \quad \frac{d x}{d t} = e^t$$",
        [P, P],
    ),
    "one letter a function of several": (
        r"$f(x) = \sin x$, $y = 2x$. $\frac{df}{dx} = \frac{df}{dy} \frac{dy}{dx}$.", [U]
    ),
    "what a decomposition above says is not used": (
        "# One\n\nThe singular value decomposition is $X = U D V^T$.\n\n# Two\n\n$X^T X = V D^2 V^T$.", [U]
    ),
    "a function of two numbers": (
        r"Let $f(x, y) = \sin(xy)$. $\frac{\partial^2 f}{\partial x\,\partial y} = \frac{\partial^2 f}{\partial "
        r"y\,\partial x}$, $\frac{\partial f}{\partial x} = y \cos(xy)$, $\frac{\partial f}{\partial x} = \cos(xy)$, "
        r"$\frac{\partial f}{\partial x}[y \cos(xy)] = -y^2 \sin(xy)$.",
        [P, P, R, U],
    ),
    "a function that is named is not any function": (
        r"$h = \sigma(Wx + b)$, where $\sigma$ is the sigmoid function applied elementwise, $e = h - t$, $L = "
        r"\frac12 \|e\|^2$."
        r"$$\frac{\partial L}{\partial x} = W^T(e \odot h \odot (1-h))$$ $$\frac{\partial L}{\partial x} = "
        r"W^T(e \odot h)$$",
        [P, R],
    ),
    "what holds together with something else is not claimed": (
        r"For symmetric $A$ let $R(x) = \frac{x^T A x}{x^T x}$. Then $\nabla R(x) = 0$ iff $Ax = R(x) x$. "
        r"$$\nabla R(x) = A x$$",
        [R],
    ),
    "cases in words": (
        r"$L = \frac12 r^2$ if $|r| \le c$ and $L = c|r| - \frac12 c^2$ otherwise, with $c > 0$. "
        r"$$\frac{dL}{dr} = \begin{cases} r & |r| \le c \\ c \operatorname{sign}(r) & \text{otherwise} \end{cases}$$"
        r"$$\frac{dL}{dr} = \begin{cases} r & |r| \le c \\ c & \text{otherwise} \end{cases}$$",
        [P, R],
    ),
    "an update with a plain equality sign": (
        r"$E = (y - m x)^2$. $$\frac{\partial E}{\partial m} = -2x(y - mx)$$ Update: $m = m - \alpha "
        r"\frac{\partial E}{\partial m}$.",
        [P],
    ),
    "another name with a prime": (
        r"$z = \sigma(W x + U h)$, $n = \tanh(V x + Q h)$, $h' = (1 - z) \odot n + z \odot h$, $g = \partial "
        r"L/\partial h'$."
        r"$$\frac{\partial L}{\partial z} = g \odot (h - n)$$ $$\frac{\partial L}{\partial z} = g \odot (n - h)$$",
        [P, R],
    ),
    "subscripts that are words of a name": (
        r"$z = \tanh(W_z x + U_z h)$, $L = \|z\|^2$. $$\frac{\partial L}{\partial z} = 2z$$ $$\frac{\partial "
        r"L}{\partial z} = z$$",
        [P, R],
    ),
    "a logarithm that is defined": (
        r"$$\log p = -\frac12 y^T K^{-1} y - \frac12 \log |K|$$ with $K \in \mathbb{R}^{n \times n}$ symmetric. "
        r"$$\frac{\partial}{\partial y} \log p = -K^{-1} y$$ $$\frac{\partial}{\partial y} \log p = K^{-1} y$$",
        [P, R],
    ),
    "a square that is defined with its argument": (
        r"Let $\Lambda$ be symmetric and $d^2(x) = (x-\mu)^T \Lambda (x-\mu)$."
        r"$$\nabla_x d^2 = 2\Lambda(x-\mu)$$ $$\nabla_x d^2 = \Lambda(x-\mu)$$",
        [P, R],
    ),
    "digits of a fraction in an exponent": (
        r"$g(x) = e^{-\frac12 (x - m)^2}$, so $g'(x) = -(x-m) g(x)$ and $g'(x) = (x-m) g(x)$.",
        [P, R],
    ),
    "a definition with scripts that cannot be read": (
        r"$\gamma_{nk} = \oint \pi_k$. $$\sum_k \gamma_{nk} = 1$$",
        [U, U],
    ),
    "what is defined behind with": (
        r"$f(x) = \log \sum_i e^{x_i}$. Then $\nabla f(x) = \frac{1}{\mathbf 1^T z} z$ with $z_i = e^{x_i}$. "
        r"$$\nabla f(x) = \frac{1}{\mathbf 1^T x} z$$",
        [P, R],
    ),
    "an equation between data behind with": (
        r"$p_i = e^{z_i}/\sum_j e^{z_j}$ and $L = -\sum_i t_i \log p_i$ with $\sum_i t_i = 1$."
        r"$$\frac{\partial L}{\partial z_i} = p_i - t_i$$ $$\frac{\partial L}{\partial z_i} = t_i - p_i$$",
        [P, R],
    ),
    "a column of ones": (
        r"$X \in \mathbb{R}^{n \times d}$, $\bar{x} = \frac1n X^T \mathbf{1}$, $C = X - \mathbf 1 \bar x^T$."
        r"$$\mathbf 1^T C = 0$$ $$C^T C = X^T X - n \bar x \bar x^T$$ $$C^T C = X^T X - \bar x \bar x^T$$",
        [P, P, R],
    ),
    "the diagonal matrix of entries": (
        r"$p_n = \sigma(a_n)$ with the logistic function, $R = \operatorname{diag}(p_n (1 - p_n))$."
        r"$$\frac{\partial p_n}{\partial a_m} = R_{nm}$$ $$\frac{\partial p_n}{\partial a_m} = -R_{nm}$$",
        [P, R],
    ),
    "a kink that the variable does not move": (
        r"$z = Vx$, $h = \max(0, z)$, $o = Wh + b$, $J = \frac12\|o - t\|^2$."
        r"$$\frac{\partial J}{\partial W} = (o - t) h^T$$ $$\frac{\partial J}{\partial W} = (o - t) z^T$$",
        [P, R],
    ),
    "a name that is also a function's": (
        r"$$\mathrm{KL} = \frac12 \sum_j (\mu_j^2 + s_j^2 - \log s_j^2 - 1)$$ so $\frac{\partial "
        r"\mathrm{KL}}{\partial \mu_j} = \mu_j$"
        r" and $\frac{\partial \mathrm{KL}}{\partial \mu_j} = 2\mu_j$.",
        [P, R],
    ),
    "a size that only the statement itself makes": (
        r"For matrices $A$ and $X$: $$\frac{\partial \operatorname{tr}(AX)}{\partial X} = A^T$$ "
        r"$$\frac{\partial \operatorname{tr}(AX)}{\partial X} = 1$$",
        [P, "ill-formed"],
    ),
    "one of the letters that are summed over": (
        r"With $u_w, v_c \in \mathbb{R}^d$, $p(o|c) = \frac{\exp(u_o^T v_c)}{\sum_{w} \exp(u_w^T v_c)}$, $J = "
        r"-\log p(o|c)$. "
        r"$$\frac{\partial J}{\partial u_o} = (p(o|c) - 1) v_c$$",
        [U],
    ),
    "what may be held fixed": (
        r"$\mu = \frac1m \sum_{i=1}^m x_i$, $v = \frac1m \sum_{i=1}^m (x_i-\mu)^2$, $y_i = (x_i - \mu) v$."
        r"$$\frac{\partial y_i}{\partial \mu} = -v$$",
        [U],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_true_is_proved_and_what_is_false_is_not(name: str) -> None:
    text, verdicts = CLAIMS[name]
    found = verdicts_of(text)
    claims = [c for c in found if c.kind == "claim"]
    assert [c.verdict for c in claims] == verdicts, [(c.latex, c.verdict, c.outcome.message) for c in claims]
    assert all(c.verdict is N for c in found if c.kind != "claim")


AGAIN = {"p": ("softmax", "a"), "q": ("softmax", "z"), "s": ("\\sigma", "t")}
"""Letters that count samples above and are one vector further on."""


@pytest.mark.parametrize("letter", AGAIN)
@pytest.mark.parametrize("between", ["", "With weight decay, $\\frac{\\lambda}{2}\\|W\\|_F^2$ is added.\n\n"])
def test_a_letter_that_is_another_one_further_on_takes_no_definition_away(letter: str, between: str) -> None:
    function, of = AGAIN[letter]
    word = function if function.startswith("\\") else rf"\mathrm{{{function}}}"
    above = (
        rf"Let $x_i \in \mathbb{{R}}^D$ and $y_i \in \mathbb{{R}}^K$ for $i = 1, \dots, N$, and "
        rf"${letter}_i = {word}(W x_i + b)$. "
        rf"The loss is $J(W, b) = \frac{{1}}{{2N}} \sum_{{i=1}}^N \sum_{{k=1}}^K ({letter}_{{ik}} - y_{{ik}})^2$."
        "\n\n"
    )
    claim = rf"Then $\frac{{\partial J}}{{\partial {letter}_{{ik}}}} = \frac1N ({letter}_{{ik}} - y_{{ik}})$." + "\n\n"
    wrong = claim.replace(r"\frac1N (", "(")
    below = rf"Let ${letter} = {word}({of})$. Then $\sum_k {letter}_k^2 = {letter}^\top {letter}$."
    for said, verdict in ((claim, P), (wrong, R)):
        found = [c for c in verdicts_of(above + said + between + below) if c.kind == "claim"]
        assert [c.verdict for c in found] == [verdict, P], [(c.latex, c.verdict, c.outcome.message) for c in found]


@pytest.mark.parametrize("noun", ["gradient", "Hessian", "derivative", "Hessian matrix"])
@pytest.mark.parametrize("of", ["", "the function ", "the loss "])
def test_what_is_differentiated_is_given_there(noun: str, of: str) -> None:
    order = "^2" if "Hessian" in noun else ""
    right = "A + A^T" if order else "(A + A^T) x"
    text = r"Let $x \in \mathbb{R}^n$. The %s of %s$f(x) = x^T A x$ is $\nabla%s f = %s$."
    for said, verdict in ((right, P), (right.replace(" + A^T", ""), R)):
        found = [c for c in verdicts_of(text % (noun, of, order, said)) if c.kind == "claim"]
        assert [c.verdict for c in found] == [verdict], [(c.latex, c.verdict, c.outcome.message) for c in found]


@pytest.mark.parametrize("said", ["with $s_j > 0$", "with all $s_j > 0$", "where $s_j > 0$", ", where all $s_j > 0$"])
def test_what_is_said_of_a_given_letter_holds_from_there_on(said: str) -> None:
    text = rf"Let $s \in \mathbb{{R}}^d$ {said}. Let $K = \sum_j \sqrt{{s_j^2}}$. "
    found = verdicts_of(text + r"Then $\frac{\partial K}{\partial s_j} = 1$.")
    assert found[-1].verdict == P, found[-1].outcome.message


@pytest.mark.parametrize("value", [0, 1, 2])
def test_a_value_within_what_is_assumed_is_no_border(value: int) -> None:
    text = r"Let $F(p) = (2-p)^\gamma$ for $p \in (0, 1)$ with $\gamma \ge 0$. "
    right = {0: "0", 1: "-1", 2: "-2(2-p)"}[value]
    found = verdicts_of(text + rf"For $\gamma = {value}$ we have $\frac{{dF}}{{dp}} = {right}$.")
    assert found[-1].verdict == P, found[-1].outcome.message


SHIFTED = {
    "ridge": ("X^TX", r"\lambda I", ""), "shifted": ("A", r"\lambda I", ""), "twice": ("A", r"2 I + B", ""),
    "of three": ("X^TX", r"B + \lambda I", ""), "gain": ("H S H^T", "T", "Let $S$ and $T$ be symmetric."),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIFTED)
def test_a_sum_stands_beside_its_inverse(name: str) -> None:
    one, other, said = SHIFTED[name]
    given = (
        r"Let $X \in \mathbb{R}^{n \times p}$, $A, B, T \in \mathbb{R}^{p \times p}$, $H \in \mathbb{R}^{p \times "
        r"m}$, "
        r"$S \in \mathbb{R}^{m \times m}$, $\lambda \in \mathbb{R}$. "
    )
    inverse = rf"({one} + {other})^{{-1}}"
    claims = (rf"{one} {inverse} = I - ({other}) {inverse}", rf"{inverse} {one} = I - {inverse} ({other})",
              rf"({other}) {inverse} + {one} {inverse} = I", rf"{one} {inverse} = I + ({other}) {inverse}")  # fmt: skip
    found = [verdicts_of(given + said + f" Then ${c}$.")[-1] for c in claims]
    assert [c.verdict for c in found] == [P, P, P, R], [(c.latex, c.verdict, c.outcome.message) for c in found]


@pytest.mark.parametrize("to_zero", ["to zero gives", "equal to zero, we get", "to zero yields the minimiser"])
def test_what_is_set_to_zero_over_a_display_is_solved(to_zero: str) -> None:
    text = (
        r"Let $P \in \mathbb{R}^{n \times n}$, $R \in \mathbb{R}^{m \times m}$ be symmetric, "
        r"$H \in \mathbb{R}^{m \times n}$ and "
        r"$J(K) = \operatorname{tr}((I-KH)P(I-KH)^\top + KRK^\top)$. Setting"
        "\n\n$$\\frac{\\partial J}{\\partial K} = -2PH^\\top + 2K(HPH^\\top + R)$$\n\n"
    )
    for said, verdict in ((r"K = PH^\top(HPH^\top+R)^{-1}", P), (r"K = PH^\top(HPH^\top-R)^{-1}", R)):
        found = [c for c in verdicts_of(f"{text}{to_zero} ${said}$.") if c.kind == "claim"]
        assert [c.verdict for c in found] == [P, verdict], [(c.latex, c.verdict, c.outcome.message) for c in found]


SPOKEN = {
    "its": "Its gradient is $2X^T(Xw-y) + 2\\lambda w$.",
    "of and by": "The gradient of $E$ with respect to $w$ is therefore $2X^T(Xw-y) + 2\\lambda w$.",
    "of what is called so": "Hence the gradient of the loss with respect to $w$ is\n\n$$2X^T(Xw-y) + 2\\lambda w$$",
    "with a name": "The gradient w.r.t. $w$ is $g = 2X^T(Xw-y) + 2\\lambda w$.",
    "of an argument": "The derivative of $E(w)$ with respect to the weights $w$ equals $2X^T(Xw-y) + 2\\lambda w$.",
    "second": "The Hessian of $E$ is $2X^TX + 2\\lambda I$.",
    "second with a name": "The Hessian is $H = 2X^TX + 2\\lambda I$.",
}  # fmt: skip


@pytest.mark.parametrize("name", SPOKEN)
def test_a_derivative_that_the_prose_names(name: str) -> None:
    text = r"Let $E(w) = \|Xw-y\|^2 + \lambda\|w\|^2$ with $X\in\mathbb R^{n\times p}$. "
    for said, verdict in ((SPOKEN[name], P), (SPOKEN[name].replace(r"2\lambda", r"\lambda"), R)):
        found = [c for c in verdicts_of(text + said) if c.kind == "claim"]
        assert [c.verdict for c in found] == [verdict], [(c.latex, c.verdict, c.outcome.message) for c in found]


NOT_SPOKEN = (
    "The gradient is $d$-dimensional.", "The gradient of $E$ is $n \\times p$.", "The derivative is $O(n^2)$.",
    "The gradient of the sigmoid is $s(1-s)$.", "The derivative of the second term is $2w$.", "The gradient is $g$.",
    "The gradient is $2X^T$ times the residual.", "The gradient is $3$ at the optimum.",
    "The gradient of it is $-2X^Ty$ for small $w$.",
)  # fmt: skip


@pytest.mark.parametrize("said", NOT_SPOKEN)
def test_what_is_no_derivative_of_what_stands_above(said: str) -> None:
    text = r"Let $E(w) = \|Xw-y\|^2$ with $X\in\mathbb R^{n\times p}$. " + said
    assert all(c.verdict is not R for c in verdicts_of(text))


@pytest.mark.parametrize("said", ["The sigmoid satisfies ${0}$.", "For the logistic function $\\sigma$ we have ${0}$."])
def test_what_a_function_does_gives_no_function(said: str) -> None:
    right = (r"\sigma(-x) = 1 - \sigma(x)", r"\sigma'(x) = \sigma(x)(1 - \sigma(x))")
    wrong = (r"\sigma(-x) = \sigma(x) - 1", r"\sigma(-x) = -\sigma(x)")
    for claims, verdict in ((right, P), (wrong, R)):
        for c in claims:
            found = verdicts_of(said.format(c))[-1]
            assert (found.kind, found.verdict) == ("claim", verdict), (c, found.kind, found.outcome.message)


def test_what_is_called_symmetric_is_a_matrix() -> None:
    text = r"Maximise $J(w) = \frac{w^\top C w}{w^\top w}$, $C$ symmetric: "
    for said, verdict in ((r"2(C w - J(w) w)", P), (r"C w - J(w) w", R)):
        found = verdicts_of(text + rf"$\nabla J(w) = \frac{{1}}{{w^\top w}}\left({said}\right)$.")[-1]
        assert found.verdict == verdict, (said, found.verdict, found.outcome.message)


@pytest.mark.parametrize("said", ["Its gradient is $2v$.", "The gradient is $2v$.", "The Hessian is $H = 2I$."])
def test_which_of_two_losses_is_meant_is_not_guessed(said: str) -> None:
    text = r"Let $v \in \mathbb{R}^n$, $E(v) = 3 v^\top v$ and $F(v) = v^\top v$. "
    assert all(c.verdict not in (P, R) for c in verdicts_of(text + said))
    alone = [c for c in verdicts_of(text.replace(r"$E(v) = 3 v^\top v$ and ", "") + said) if c.kind == "claim"]
    assert [c.verdict for c in alone] == [P]
