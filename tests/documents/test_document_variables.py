"""By which variable, of what, and in which layout, where the text leaves it to the reader: ∇f(x), ∂β/∂λ, grad F."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

VERDICTS = {"P": "proved", "R": "refuted", "U": "unknown", "I": "ill-formed"}
RIDGE = r"Let $J(\beta) = \frac12\|y - X\beta\|^2 + \frac\lambda2\|\beta\|^2$ with $X \in \mathbb{R}^{n\times d}$. "
QUADRATIC = r"Let $f(x) = \frac12x^\top Qx-c^\top x$ with $Q$ symmetric. "
TEXTS = {
    "a function at the argument it is given with": (
        RIDGE + r"$\nabla J(\beta) = X^T(X\beta-y) + \lambda\beta$, $\nabla^2 J(\beta) = X^TX + \lambda I$, "
        r"$\nabla J = X^T(X\beta-y)$, $\nabla^2 J = X^TX$",
        "P P R R",
    ),
    "and by what else it holds": (
        RIDGE + r"The minimiser has $\nabla J(\hat\beta) = 0$."
        "\n\n# Exercises\n\n"
        r"$\frac{\partial J}{\partial\lambda} = \frac12\beta^T\beta$, $\frac{\partial J}{\partial y} = y-X\beta$, "
        r"$\frac{\partial J}{\partial X} = (X\beta-y)\beta^T$, $\frac{\partial J}{\partial\lambda} = \beta^T\beta$",
        "P P P R",
    ),
    "the letter that is no data": (
        r"$\nabla (a^Tx) = a$, $\nabla (x^TAx) = 2Ax$, $\nabla (x^TAx) = (A+A^T)x$, "
        r"$\nabla\operatorname{tr}(AX) = A^T$, "
        r"$\nabla\|X\theta-y\|^2 = 2X^T(X\theta-y)$, $\nabla\|Ax-b\|^2 = 2A(Ax-b)$",
        "P R P P P R",
    ),
    "which of two nothing says": (r"$\nabla(u^Tv) = v$, $\nabla(p^Tq) = p$", "U U"),
    "a formula without arguments": (
        r"$g = \frac12\|Ax-b\|^2$: $\nabla g = A^T(Ax-b)$, $\nabla^2g = A^TA$, $\nabla^2g = AA^T$, "
        r"$\nabla g = A(Ax-b)$",
        "P P R R",
    ),
    "other points": (
        QUADRATIC + r"$\nabla f(y) = Qy-c$, $\nabla f(x_0) = Qx_0-c$, $\nabla f(x_1)-\nabla f(x_0) = Q(x_1-x_0)$, "
        r"$\nabla f(x+2d) = Qx+2Qd-c$, $\nabla f(y) = Qy+c$, $\nabla f(2x) = 4Qx-2c$, $\nabla f(2x) = 2Qx-c$",
        "P P P P R U U",
    ),
    "at what is given": (QUADRATIC + r"At $x^* = Q^{-1}c$: $\nabla f(x^*) = 0$, $\nabla f(x^*) = c$", "P R"),
    "scripts behind the bracket belong to the gradient": (
        QUADRATIC + r"$\nabla f(x)^T d = d^TQx-c^Td$, $d^T\nabla^2f(x)d = d^TQd$, $\nabla f(x)^Td = d^TQx$, "
        r"$\nabla f(x)^\top = x^TQ-c^T$",
        "P P R P",
    ),
    "grad and Hess as words": (
        r"Sei $F(w) = \frac12\|Aw-b\|^2$. $\operatorname{grad} F(w) = A^T(Aw-b)$, $\mathrm{grad}\,F(w) = A(Aw-b)$, "
        r"$\text{grad } F(w) = A^TAw-A^Tb$, $\operatorname{Hess} F(w) = A^TA$, $\operatorname{Hess}F(w) = AA^T$",
        "P R P P R",
    ),
    "D as an operator": (QUADRATIC + r"$D^2f(x) = Q$, $Df(x) = x^TQ-c^T$, $D^2f(x) = 2Q$", "P P R"),
    "a vector by a number": (
        r"$\beta = (A+\lambda I)^{-1}b$: $\frac{\partial\beta}{\partial\lambda} = -(A+\lambda I)^{-1}\beta$, "
        r"$\frac{d\beta}{d\lambda} = (A+\lambda I)^{-1}\beta$",
        "P R",
    ),
    "laid out as a column or a row": (
        r"$z = Wx + sb$ with vectors $x, b$ and a number $s$. $\frac{\partial z}{\partial s} = b$, "
        r"$\frac{\partial z}{\partial s} = b^T$, $\frac{\partial z}{\partial s} = x^T$, "
        r"$\frac{\partial z}{\partial s} = 2b$",
        "P P R R",
    ),
    "a matrix by a number": (
        r"Let $M(t) = A + tB$ with matrices $A$ and $B$. $\frac{dM}{dt} = B$, $M'(t) = B$, $\frac{dM}{dt} = A$, "
        r"$\frac{d}{dt}\log\det M = \operatorname{tr}(M^{-1}B)$, $\frac{d^2}{dt^2}M = B$",
        "P P R P R",
    ),
    "a curve": (
        r"A line $x(t) = a + tb$ of vectors: $\dot x = b$, $\frac{d}{dt}\|x\|^2 = 2x^Tb$, $\dot x = a$", "P P R"
    ),
    "Cobb and Douglas": (
        r"$Y = AK^\alpha L^{1-\alpha}$ with $A,K,L>0$: $\frac{\partial Y}{\partial K} = \alpha\frac YK$, "
        r"$K\frac{\partial Y}{\partial K}+L\frac{\partial Y}{\partial L} = Y$, $\frac{\partial^2Y}{\partial K^2} = "
        r"\alpha(\alpha-1)\frac YK$, $\frac{\partial^2Y}{\partial K\partial L} = \alpha(1-\alpha)\frac Y{KL}$",
        "P P R P",
    ),
    "capitals of physics": (
        r"$P = \frac{nRT}{V}$. $\frac{\partial P}{\partial V} = -\frac PV$, "
        r"$\frac{\partial P}{\partial T} = \frac PT$, "
        r"$V\frac{\partial P}{\partial V} = P$",
        "P P R",
    ),
    "demand": (
        r"Revenue is $R = PQ$ with $Q = \frac aP - bP$. $\frac{dR}{dP} = -2bP$, $\frac{dR}{dP} = a - 2bP$", "P R"
    ),
    "capitals beside vectors are matrices": (
        r"$Y = \frac{1}{K}AB$ and $z = Av$ with a vector $v$. $\frac{\partial z}{\partial v} = A^T$, $AB = BA$", "P R"
    ),
    "the product of two numbers of matrices": (
        r"$\det A\operatorname{tr}B = \operatorname{tr}B\det A$, "
        r"$\det A\operatorname{tr}B = \det(A\operatorname{tr}B)$",
        "P R",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_reader_takes_it_by(name: str) -> None:
    text, verdicts = TEXTS[name]
    found = [c for c in verdicts_of(text) if c.kind == "claim"]
    expected = [VERDICTS[v] for v in verdicts.split()]
    assert [c.verdict for c in found] == expected, [(c.latex, c.verdict, c.outcome.message) for c in found]
