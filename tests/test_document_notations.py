"""Short ways of writing: what is true is proved, what is false refuted, what the text leaves open is unknown."""

from __future__ import annotations

import pytest

from symbackprop.documents.check import check_text

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
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_notations(name: str) -> None:
    text, wanted = TEXTS[name]
    found = [c.verdict for c in check_text(text) if c.kind == "claim"]
    assert found == wanted
