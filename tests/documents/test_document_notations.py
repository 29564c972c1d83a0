"""Short ways of writing: what is true is proved, what is false refuted, what the text leaves open is unknown."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

P, R, U = "proved", "refuted", "unknown"
TWO = r"Let $f(x, y) = x^2 y + \sin y$. "
QUADRATIC = r"Let $q(x) = x^T A x + b^T x$ with $x \in \mathbb{R}^n$. "
TEXTS = {
    "partial derivatives as subscripts": (
        TWO + r"Then $f_x = 2xy$, $f_y = x^2 + \cos y$, $f_{xx} = 2y$, $f_{xy} = 2x$, $f_{yy} = -\sin y$, "
        r"$f_x(x, y) = 2xy$, $f_y = x^2 - \cos y$, $f_{xy} = 2y$, $f_x(x, y) = xy$.",
        [P, P, P, P, P, P, R, R, R],
    ),
    "partial derivatives at a point": (
        TWO + r"$f_x(1, 2) = 4$, $f_x(a, b) = 2ab$, $f_{xy}(3, 0) = 6$, $f_y(0, 0) = 1$, $f_x(1, 2) = 2$, "
        r"$f_x(a, b) = ab$.",
        [P, P, P, P, R, R],
    ),
    "subscripts that are said to be derivatives": (
        r"Subscripts denote partial derivatives. Let $g(s) = s^3$. $g_s = 3s^2$, $g_{ss} = 6s$, $g_s = s^2$.",
        [P, P, R],
    ),
    "a subscript that is an index is none": (
        r"Let $f(x, i) = x_i^2$ with $x \in \mathbb{R}^n$. $\frac{\partial}{\partial x_j} \sum_i x_i^2 = 2 x_j$.",
        [P],
    ),
    "a subscript of a letter without a formula is a name": (
        r"$L = (v_x - v_y)^2$, $\frac{\partial L}{\partial v_x} = 2(v_x - v_y)$, $\frac{\partial L}{\partial v_x} = "
        r"2(v_y - v_x)$.",
        [P, R],
    ),
    "gradient and Hessian of several numbers": (
        TWO + r"$\nabla f(x, y) = \begin{bmatrix} 2xy \\ x^2 + \cos y \end{bmatrix}$, "
        r"$\nabla f = (2xy, x^2 + \cos y)$, "
        r"$\nabla f = \langle 2xy, x^2 + \cos y \rangle$, $\nabla f(1, 0) = [0, 2]^T$, "
        r"$H_f = \begin{bmatrix} 2y & 2x \\ 2x & -\sin y \end{bmatrix}$, "
        r"$\nabla^2 f(x, y) = \begin{pmatrix} 2y & 2x \\ 2x & -\sin y \end{pmatrix}$, "
        r"$\nabla f = (x^2 + \cos y, 2xy)$, $\nabla f(1, 0) = (0, 1)$, "
        r"$H_f = \begin{bmatrix} 2y & 2x \\ 2x & \sin y \end{bmatrix}$.",
        [P, P, P, P, P, P, R, R, R],
    ),
    "the Laplacian of several numbers": (
        r"Let $f(x, y) = x^2 y + y^3$. $\nabla^2 f = \frac{\partial^2 f}{\partial x^2} + \frac{\partial^2 "
        r"f}{\partial y^2}$, $\nabla^2 f = 8y$, $\nabla^2 f = 2y$, "
        r"$\nabla^2 f = \begin{pmatrix} 2y & 2x \\ 2x & 6y \end{pmatrix}$.",
        [P, P, R, P],
    ),
    "up to a factor": (
        r"$p(w) \propto \exp(-\frac{1}{2} w^T A w + b^T w)$ with $A$ symmetric and $w \in \mathbb{R}^n$. "
        r"$\nabla_w \log p(w) = b - A w$, $\nabla_w^2 \log p(w) = -A$, $\nabla_w \log p(w) = -Aw$.",
        [P, P, U],
    ),
    "the other letter of a condition under a sum": (
        r"Let $x \in \mathbb{R}^n$. $\sum_{k \neq i} x_k = \sum_k x_k - x_i$, $\sum_{i \neq j} x_i x_j = "
        r"(\sum_i x_i)^2 - \sum_i x_i^2$, $\sum_{k \neq i} x_k = \sum_k x_k + x_i$.",
        [P, P, R],
    ),
    "the gradient of a quadratic form": (
        r"If $A = A^T$ then $\nabla (x^T A x) = 2 A x$. $J(w) = w^T A w$: $\nabla_w \nabla_w^T J = A + A^T$.",
        [P, P],
    ),
    "limits of difference quotients": (
        r"Let $f(x) = x^2$. $f'(x) = \lim_{h \to 0} \frac{f(x+h) - f(x)}{h} = \lim_{h \to 0} \frac{(x+h)^2 - "
        r"x^2}{h} = 2x$, "
        r"$\lim_{h \to 0} \frac{f(x+h) - f(x-h)}{2h} = 2x$, $\lim_{h \to 0} \frac{f(x+h) - f(x-h)}{2h} = x$, "
        r"$\lim_{h \to 0} \frac{f(x+h) + f(x)}{h} = 2x$.",
        [P, P, P, P, R, U],
    ),
    "limits along a direction": (
        r"Let $g(x) = x^T A x$ with $x, v \in \mathbb{R}^n$. $\lim_{t \to 0} \frac{g(x + t v) - g(x)}{t} = "
        r"\nabla g(x)^T v$, $\lim_{t \to 0} \frac{g(x + t v) - g(x)}{t} = 2 x^T A v$.",
        [P, R],
    ),
    "limits of one of two numbers": (
        r"Let $f(x, y) = x^2 y$. $\frac{\partial f}{\partial x} = \lim_{\Delta x \to 0} \frac{f(x+\Delta x, y) - "
        r"f(x, y)}{\Delta x}$, $\frac{\partial f}{\partial y} = \lim_{h \to 0} \frac{f(x+h, y) - f(x, y)}{h}$.",
        [P, R],
    ),
    "the only letter that is differentiated by": (
        r"Let $J = \|A x - b\|^2$. $dJ = 2 (Ax-b)^T A\, dx$, so $\nabla J = 2 A^T(Ax-b)$, $\nabla J = A^T(Ax - b)$.",
        [P, P, R],
    ),
    "Jacobians of arrays": (
        r"Let $f(x) = Ax$ and $h(x) = \tanh(Ax)$, applied elementwise, and $g(x) = x^T x$, with $x \in "
        r"\mathbb{R}^n$. "
        r"$Df(x) = A$, $J_f = A$, $D h(x) = \operatorname{diag}(1 - h^2) A$, $Dg(x) = 2x^T$, $J_f(x) = A^T$, "
        r"$D h(x) = \operatorname{diag}(1 - h^2)$, $Dg(x) = x^T$.",
        [P, P, P, P, R, R, R],
    ),
    "Jacobians of several numbers": (
        r"Let $F(u, v) = (u^2 v, 5u + \sin v)$. $J_F(u, v) = \begin{bmatrix} 2uv & u^2 \\ 5 & \cos v \end{bmatrix}$, "
        r"$DF(1, 0) = \begin{bmatrix} 0 & 1 \\ 5 & 1 \end{bmatrix}$, "
        r"$J_F = \begin{bmatrix} 2uv & 5 \\ u^2 & \cos v \end{bmatrix}$, "
        r"$J_F = \begin{bmatrix} 2uv & u^2 \\ 5 & -\cos v \end{bmatrix}$.",
        [P, P, R, R],
    ),
    "a D with the letter below": (
        r"Let $f(x) = x^T A x$ and $g(t) = t^2 + 1$. $D_x f = x^T (A + A^T)$, $\mathrm{D}_t\, g(t) = 2t$, "
        r"$D_t g = 3t$, $D_x f = x^T A$.",
        [P, P, R, R],
    ),
    "a D_x that is a matrix stays one": (
        r"Let $D_x$ be a diagonal matrix and $f(x) = x^T D_x x$, where $D_x$ is constant. $D_x f(x) = D_x x^T D_x x$.",
        [P],
    ),
    "a D that is a matrix stays one": (
        r"Let $D$ be a diagonal matrix and $f(x) = x^T D x$. $\nabla f(x) = 2 D x$, $\nabla f(x) = D x$.",
        [P, R],
    ),
    "at a point": (
        QUADRATIC + r"$\nabla q(x)|_{x = 0} = b$, $\left.\frac{\partial q}{\partial x}\right|_{x = c} = Ac + A^Tc + "
        r"b$, "
        r"$\nabla q(x) \Big|_{a} = (A + A^T) a + b$, $\left. x^T x \right|_{x = c} = c^T c$, "
        r"$\nabla q(x)|_{x = 0} = 0$, $\nabla q(x) \Big|_{a} = 2 A a + b$.",
        [P, P, P, P, R, R],
    ),
    "along a line": (
        r"Let $x, v \in \mathbb{R}^n$ and $g(x) = x^T x$. $\frac{d}{dt} g(x + t v)\big|_{t=0} = 2 x^T v$, "
        r"$\left.\frac{d^2}{dt^2} g(x + t v)\right|_{t=0} = 2 v^T v$, $\frac{d}{dt} g(x + t v)|_{t=0} = x^T v$.",
        [P, P, R],
    ),
    "at a point of several numbers": (
        r"Let $L(w, b) = (y - w x - b)^2$, where all of these are numbers. $\frac{\partial L}{\partial w}|_{w=0, "
        r"b=0} = "
        r"-2xy$, $\frac{\partial L}{\partial b}|_{(w, b)=(0, 1)} = -2(y - 1)$, $\frac{\partial L}{\partial "
        r"w}|_{w=0, b=0} = "
        r"-2y$.",
        [P, P, R],
    ),
    "at a point beside the letter itself": (
        r"Let $f(x) = x^3$. $f(x) = f(a) + \frac{df}{dx}\Big|_{x=a} (x - a)$.",
        [U],
    ),
    "a dot for the derivative of a loss": (
        r"Let $\dot{W}$ denote $\partial L/\partial W$, and so for every variable. With $y = W x$ we have "
        r"$\dot{W} = \dot{y} x^T$, $\dot{x} = W^T \dot{y}$, $\dot x = W \dot y$, $\dot{W} = x \dot{y}^T$.",
        [P, P, R, R],
    ),
    "a bar for any variable": (
        r"For each variable $v$ let $\bar v = \frac{\partial L}{\partial v}$. With $z = W x + b$ and $h = \tanh(z)$, "
        r"$\bar z = \bar h \odot (1 - h^2)$, $\bar W = \bar z x^T$, $\bar b = \bar z$, $\bar x = W^T \bar z$, "
        r"$\bar z = \bar h \odot (1 - h)$, $\bar W = x \bar z^T$.",
        [P, P, P, P, R, R],
    ),
    "a dialect said in words": (
        r"In the following dX means $\partial L/\partial X$. $Z = X W$. $dW = X^T dZ$, $dX = dZ W^T$, $dX = dZ W$.",
        [P, P, R],
    ),
    "a dot for the derivative by time": (
        r"A dot denotes the derivative with respect to time. Let $y = A x$ and $V = x^T x$ with $x \in "
        r"\mathbb{R}^n$. "
        r"$\dot y = A \dot x$, $\dot V = 2 x^T \dot x$, $\dot V = x^T \dot x$, $\dot y = A^T \dot x$.",
        [P, P, R, R],
    ),
    "an equation of motion": (
        r"Time derivatives are written with a dot. Let $V(x) = x^T P x$ and $\dot x = A x$, $x \in \mathbb{R}^n$. "
        r"$\dot V = x^T (A^T P + P A) x$, $\dot V = x^T P A x$.",
        [P, R],
    ),
    "a dot over what t gives": (
        r"Let $x(t) = t^3$ and $y = x^2$. $\dot x = 3t^2$, $\ddot x = 6t$, $\dot y = 6t^5$, $\dot y = 2x \dot x$, "
        r"$\dot y = 2x$, $\ddot x = 6$.",
        [P, P, P, P, R, R],
    ),
    "a dot for tangents": (
        r"In forward mode the tangent of $v$ is written with a dot, $\dot v$. $z = \tanh(W x + b)$. "
        r"$\dot z = (1 - z^2) \odot (W \dot x)$, $\dot z = (1 - z^2) \odot (W \dot x + \dot W x + \dot b)$, "
        r"$\dot z = (1-z) \odot (W \dot x)$.",
        [P, P, R],
    ),
    "a dot that nothing explains is another name": (
        r"$L = (\dot q - a)^2$, $\frac{\partial L}{\partial \dot q} = 2(\dot q - a)$, "
        r"$\frac{\partial L}{\partial \dot q} = 2(a - \dot q)$.",
        [P, R],
    ),
    "another layout in mid-text": (
        "We use denominator layout. With $L = a^T x$, $\\frac{\\partial L}{\\partial x} = a$ and "
        r"$\frac{\partial (Ax)}{\partial x} = A^T$."
        "\n\nFrom now on we use numerator layout. "
        r"$\frac{\partial L}{\partial x} = a^T$, $\frac{\partial (Ax)}{\partial x} = A$, "
        r"$\frac{\partial (Ax)}{\partial x} = A^T$.",
        [P, P, P, P, R],
    ),
    "a layout for one sentence": (
        r"We use denominator layout. With $L = a^T x$, $\frac{\partial L}{\partial x} = a$. In numerator layout it "
        r"is "
        r"$\frac{\partial L}{\partial x} = a^T$. With $M = x^T x$ we have $\frac{\partial M}{\partial x} = 2x$.",
        [P, P, P],
    ),
    "a layout that the text goes over to": (
        r"With $L = a^T x$, $\frac{\partial L}{\partial x} = a$. Now we switch to the numerator layout. "
        r"$\frac{\partial L}{\partial x} = a^T$, $\frac{\partial L}{\partial x} = 2 a^T$.",
        [P, P, R],
    ),
    "expectations of a loss": (
        r"Let $J(w) = \mathbb{E}[(y - w x)^2]$. $J'(w) = -2 \mathbb{E}[x (y - w x)]$, "
        r"$J'(w) = -2 \mathbb{E}[xy] + 2 w \mathbb{E}[x^2]$, $J'(w) = 2 \mathbb{E}[x (y - w x)]$.",
        [P, P, R],
    ),
    "expectations of vectors": (
        r"$J(w) = \frac12 \mathbb{E}[(y - w^T x)^2]$ with $w, x \in \mathbb{R}^d$. "
        r"$\nabla J(w) = -\mathbb{E}[(y - w^T x) x]$, $\nabla^2 J(w) = \mathbb{E}[x x^T]$, "
        r"$\nabla J(w) = \mathbb{E}[(y - w^T x) x]$.",
        [P, P, R],
    ),
    "variances": (
        r"Let $X$ be a random variable. $\operatorname{Var}(X) = \mathbb{E}[X^2] - \mathbb{E}[X]^2$, "
        r"$\mathbb{E}[a X + b] = a \mathbb{E}[X] + b$, $\operatorname{Var}(aX + b) = a^2 \operatorname{Var}(X)$, "
        r"$\mathbb{E}[X^2] = \mathbb{E}[X]^2$, $\operatorname{Var}(aX + b) = a \operatorname{Var}(X)$, "
        r"$\operatorname{Cov}(X, Y) = \mathbb{E}[XY] - \mathbb{E}[X] \mathbb{E}[Y]$.",
        [P, P, P, R, R, P],
    ),
    "a distribution that is said refutes nothing": (r"Let $x$ be Gaussian. $\mathbb{E}[x^3] = 0$.", [U]),
    "a distribution that depends on the parameter": (
        r"$J(\theta) = \mathbb{E}_{x \sim p_\theta}[f(x)]$, $\nabla_\theta J = \mathbb{E}_{x \sim p_\theta}[x]$.",
        [U],
    ),
    "means over samples": (
        r"Overline denotes the average over the $n$ samples. Let $L = \overline{(y - w x)^2}$. "
        r"$\frac{\partial L}{\partial w} = -2\, \overline{x (y - w x)}$, $\frac{\partial L}{\partial w} = "
        r"-2\, \overline{x} (\overline{y} - w \overline{x})$. $\frac{\partial L}{\partial w} = 0$ gives "
        r"$w = \frac{\overline{xy}}{\overline{x^2}}$.",
        [P, R, P],
    ),
    "a bar over a formula that nothing explains": (r"$\overline{x + y} = \overline{xy}$.", [U]),
    "backpropagation through time": (
        r"For $t = 1, \dots, T$ let $h_t = \tanh(W h_{t-1} + U x_t)$ with $h_t \in \mathbb{R}^n$, $x_t \in "
        r"\mathbb{R}^d$. "
        r"With $z_t = W h_{t-1} + U x_t$, $h_t = \tanh(z_t)$. The loss is $L = \sum_{t=1}^T L_t$, where "
        r"$L_t = \frac12 \|V h_t - y_t\|^2$. $$\frac{\partial L}{\partial V} = \sum_{t=1}^T (V h_t - y_t) h_t^T$$ "
        r"Let $\delta_t = \frac{\partial L}{\partial z_t}$. Then "
        r"$$\delta_t = (1 - h_t^2) \odot (V^T (V h_t - y_t) + W^T \delta_{t+1})$$ "
        r"$$\delta_t = (1 - h_t^2) \odot (W^T \delta_{t+1})$$ "
        r"$$\frac{\partial L}{\partial W} = \sum_{t=1}^T \delta_t h_{t-1}^T$$ "
        r"$$\frac{\partial L}{\partial W} = \sum_{t=1}^T \delta_t h_t^T$$",
        [P, P, R, P, R],
    ),
    "through time with softmax": (
        r"Let $h_t = \sigma(W h_{t-1} + U x_t + b)$ with the logistic sigmoid $\sigma$, $o_t = V h_t + c$, "
        r"$\hat y_t = \operatorname{softmax}(o_t)$ and $L = \sum_{t=1}^{T} L_t$, "
        r"$L_t = -\sum_k y_{t,k} \log \hat y_{t,k}$, where $\sum_k y_{t,k} = 1$. "
        r"$$\frac{\partial L}{\partial o_t} = \hat y_t - y_t$$ $$\frac{\partial L}{\partial o_t} = y_t - \hat y_t$$ "
        r"$$\frac{\partial L}{\partial V} = \sum_{t=1}^{T} (\hat y_t - y_t) h_t^T$$"
        r"$$\frac{\partial L}{\partial c} = \sum_{t=1}^{T} (\hat y_t - y_t)$$"
        r"$$\frac{\partial L}{\partial h_t} = V^T \frac{\partial L}{\partial o_t} + W^T \left( h_{t+1} \odot "
        r"(1 - h_{t+1}) \odot \frac{\partial L}{\partial h_{t+1}} \right)$$"
        r"$$\frac{\partial L}{\partial h_t} = V^T \frac{\partial L}{\partial o_t}$$"
        r"$$\frac{\partial L}{\partial W} = \sum_{t=1}^{T} \left( h_t \odot (1 - h_t) \odot "
        r"\frac{\partial L}{\partial h_t} \right) h_{t-1}^T$$",
        [P, R, P, P, P, R, P],
    ),
    "numbers through time": (
        r"The state is a number: $h_t = \tanh(w h_{t-1} + u x_t)$ and $L = \sum_{t=1}^T \frac12 (h_t - y_t)^2$. "
        r"$$\frac{\partial h_t}{\partial h_{t-1}} = (1 - h_t^2) w$$ "
        r"$$\frac{\partial L}{\partial h_t} = (h_t - y_t) + \frac{\partial L}{\partial h_{t+1}} (1 - h_{t+1}^2) w$$ "
        r"$$\frac{\partial L}{\partial w} = \sum_{t=1}^T \frac{\partial L}{\partial h_t} (1 - h_t^2) h_{t-1}$$ "
        r"$$\frac{\partial L}{\partial u} = \sum_{t=1}^T \frac{\partial L}{\partial h_t} x_{t}$$ "
        r"$$\frac{\partial L}{\partial h_t} = h_t - y_t$$ $$\frac{\partial h_t}{\partial h_{t-1}} = w$$",
        [P, P, P, R, R, R],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_notations(name: str) -> None:
    text, wanted = TEXTS[name]
    found = [c.verdict for c in verdicts_of(text) if c.kind == "claim"]
    assert found == wanted
