"""Statements as people write them, found by writing documents anew: what is true must not be called wrong."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

P, R, U = "proved", "refuted", "unknown"
TEXTS = {
    "words below a name": (
        r"$c = f \odot c_{prev} + i \odot g$. $$\frac{\partial L}{\partial f} = \frac{\partial L}{\partial c} "
        r"\odot c_{prev}$$"
        r"$$\frac{\partial L}{\partial f} = \frac{\partial L}{\partial c} \odot i$$",
        [P, R],
    ),
    "words below a name in text": (
        r"$h = W h_{\text{prev}}$. $$\frac{\partial L}{\partial h_{\text{prev}}} = W^T \frac{\partial L}{\partial h}$$",
        [P],
    ),
    "a letter that ends like a transpose": (
        r"$p_i = \frac{e^{z_i/T}}{\sum_j e^{z_j/T}}$ and $\frac{\partial p_i}{\partial z_i} = \frac1T p_i(1-p_i)$, "
        r"$\frac{\partial p_i}{\partial z_i} = p_i(1-p_i)$",
        [P, R],
    ),
    "a diagonal matrix": (
        r"Let $J(w) = (y-Xw)^T D(y-Xw)$ with $D$ diagonal. $\nabla J(w) = -2X^T D(y-Xw)$, $\nabla J(w) = 2X^T D(y-Xw)$",
        [P, R],
    ),
    "a skew-symmetric matrix is not symmetric": (
        r"Let $S$ be a skew-symmetric matrix. $\nabla_x(x^T S x) = 0$, $\nabla_x(x^T S x) = 2Sx$",
        [P, R],
    ),
    "an asymmetric matrix is not symmetric": (r"Let $A$ be an asymmetric matrix. $\nabla_x(x^T A x) = 2Ax$", [R]),
    "what is said and not understood refutes nothing": (
        r"Let $P$ be a circulant matrix. $P^T P = P P^T$",
        [U],
    ),
    "orthonormal rows": (r"Let $Q$ be a matrix with orthonormal rows. $Q^TQ = I$", [U]),
    "an idempotent matrix": (r"Let $H$ be an idempotent matrix. $(I - H)(I - H) = I - H$", [P]),
    "when z is": (
        r"$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$, $L = -\sum_k t_k \log p_k$, $\sum_k t_k = 1$. When $z = W h + b$, "
        r"$\frac{\partial L}{\partial W} = (p-t)h^T$, $\frac{\partial L}{\partial W} = (p-t)b^T$",
        [P, R],
    ),
    "another loss below": (
        "# One\n\n$L = \\|s - t\\|^2$ and $\\frac{\\partial L}{\\partial s} = 2(s-t)$.\n\n# Two\n\n$y = Wx$ and "
        "$\\frac{\\partial L}{\\partial x} = W^T \\frac{\\partial L}{\\partial y}$, "
        "$\\frac{\\partial L}{\\partial x} = W \\frac{\\partial L}{\\partial y}$",
        [P, P, R],
    ),
    "another function of other arguments": (
        "$\\ell(\\mu, s) = -s\\|x - \\mu\\|^2$, $\\nabla_\\mu \\ell = 2s(x - \\mu)$.\n\n"
        "Now $\\ell(m, v) = -\\frac{(y-m)^2}{2v}$, $\\frac{\\partial \\ell}{\\partial m} = \\frac{y-m}{v}$",
        [P, P],
    ),
    "rows of a matrix in small letters": (
        r"Let $X \in \mathbb R^{n\times d}$ with rows $x_i^T$, $y\in\mathbb R^n$, "
        r"$J(w) = \frac{1}{2n}\|Xw - y\|^2$. "
        r"$\frac{\partial J}{\partial w_j} = \frac{2}{n} \sum_i (x_i^T w - y_i) x_{ij}$, "
        r"$\frac{\partial J}{\partial w_j} = \frac{1}{n} \sum_i (x_i^T w - y_i) x_{ij}$",
        [R, P],
    ),
    "what is to be solved is no assumption": (
        r"$J(w) = \|Xw - y\|^2$ has $\nabla_w J = 2X^T(Xw - y)$ and $\nabla_w J = 2X(Xw - y)^T$. Setting this to "
        r"zero gives the normal equations $X^T X w = X^T y$ and thus $w^* = (X^T X)^{-1} X^T y$.",
        [P, R, P],
    ),
    "a solution of the last condition": (
        r"$J(w) = \|Xw - y\|^2$. Setting its gradient to zero gives $X^T X w = X^T y$, thus "
        r"$w^* = (X^T X)^{-1} X^T y$. With $F(w) = J(w) + \lambda\|w\|^2$ we get "
        r"$\nabla F(w) = 2X^T(Xw - y) + 2\lambda w$, so that $w^* = (X^T X + \lambda I)^{-1} X^T y$.",
        [P, P, P],
    ),
    "a wrong solution of the last condition": (
        r"$J(w) = \|Xw - y\|^2 + \lambda\|w\|^2$ and $\nabla J(w) = 2X^T(Xw - y) + 2\lambda w$, "
        r"so that $w^* = (X^T X + 2 \lambda I)^{-1} X^T y$.",
        [P, R],
    ),
    "letters that come in give a name another meaning": (
        r"Let $p_k = e^{z_k}/\sum_j e^{z_j}$ and $\frac{\partial p_k}{\partial z_j} = p_k(\delta_{kj} - p_j)$. With "
        r"temperature $T$, $p_k = e^{z_k/T}/\sum_j e^{z_j/T}$ and $\frac{\partial p_k}{\partial z_j} = "
        r"\frac1T p_k(\delta_{kj} - p_j)$, $\frac{\partial p_k}{\partial z_j} = p_k(\delta_{kj} - p_j)$.",
        [P, P, R],
    ),
    "a term more": (
        r"$L = \frac12 (y - w^T x)^2$ and $\nabla_w L = -(y - w^T x) x$. Adding weight decay gives "
        r"$L = \frac12 (y - w^T x)^2 + \frac{\lambda}{2} \|w\|^2$ and $\nabla_w L = -(y - w^T x) x + \lambda w$, "
        r"$\nabla_w L = -(y - w^T x) x + 2 \lambda w$.",
        [P, P, R],
    ),
    "by letters that it was made of it is a claim": (
        r"$z = Wx + b$, $L = \frac12 \|z - y\|^2$. So $L = \frac12 (z - y)^T (z - y)$ and $L = \|Wx + b - y\|^2$.",
        [P, R],
    ),
    "the derivative of a formula in words": (
        r"The derivative of $\tanh x$ is $1 - \tanh^2 x$. The derivative of $\tanh x$ is $1 - \tanh x$. "
        r"The second derivative of $x^3$ is $6x$. The second derivative of $x^3$ is $3x^2$. "
        r"The third derivative of $x^3$ is $6$. The directional derivative of $x^3$ is $x^2$.",
        [P, R, P, R],
    ),
    "the gradient of a formula in words": (
        r"Let $p_k = e^{z_k}/\sum_j e^{z_j}$ and let $y$ be one-hot. The Hessian of $\log\sum_j e^{z_j}$ is "
        r"$\operatorname{diag}(p) - pp^T$. The gradient of $-\sum_k y_k \log p_k$ with respect to $z$ is $p - y$. The "
        r"gradient of $-\sum_k y_k \log p_k$ with respect to $z$ is $y - p$. The Hessian of "
        r"$\log\sum_j e^{z_j}$ is $pp^T$.",
        [P, P, R, R],
    ),
    "an index that is a dummy of what is put in": (
        r"$\pi(a) = \frac{e^{\theta_a}}{\sum_b e^{\theta_b}}$, $\frac{\partial \log \pi(a)}{\partial \theta_b} = "
        r"\delta_{ab} - \pi(b)$, $\frac{\partial \log \pi(a)}{\partial \theta_b} = \pi(b) - \delta_{ab}$",
        [P, R],
    ),
    "a sum from zero": (
        r"$y_i = \sum_{k=0}^{K-1} w_k x_{i+k}$. $\frac{\partial L}{\partial w_k} = \sum_i \frac{\partial "
        r"L}{\partial y_i} "
        r"x_{i+k}$, $\frac{\partial L}{\partial w_k} = \sum_i \frac{\partial L}{\partial y_i} x_i$",
        [P, R],
    ),
    "a comparison as a factor": (
        r"$A = \max(0, Z)$ with matrices $A$ and $Z$. $\frac{\partial L}{\partial Z} = \frac{\partial L}{\partial "
        r"A} \odot (Z > 0)$"
        r", $\frac{\partial L}{\partial Z} = \frac{\partial L}{\partial A} \odot (Z < 0)$",
        [P, R],
    ),
    "a name for what stood in a definition above": (
        r"For $h = (Ux) \odot \sigma(Vx)$ with the logistic $\sigma$, put $a = Ux$ and $b = Vx$. "
        r"$\frac{\partial L}{\partial a} = \frac{\partial L}{\partial h} \odot \sigma(b)$, "
        r"$\frac{\partial L}{\partial a} = \frac{\partial L}{\partial h} \odot b$",
        [P, R],
    ),
    "numbers among identities of arrays": (
        r"$\nabla_x (a^T x) = a$, $\frac{\partial x_i}{\partial x_j} = \delta_{ij}$,$\nabla_x (x^T A x) = (A + A^T)x$, "
        r"$\frac{d}{dx} x \log x = 1 + \log x$, $\frac{d}{dx} x \log x = \log x$",
        [P, P, P, P, R],
    ),
    "d is no factor": (
        "$\\nabla_x \\|x\\|^2 = 2x$.\n\n$d(XY) = dX\\,Y + X\\,dY$ and $d\\operatorname{tr}(X^2) = "
        "2\\operatorname{tr}(X\\,dX)$",
        [P, P, P],
    ),
    "d may be a distance": (
        r"$d(x,y) = (x-y)^T M (x-y)$ for symmetric $M$. $\nabla_x d(x,y) = 2M(x-y)$, $\nabla_y d(x,y) = 2M(x-y)$",
        [P, R],
    ),
    "a value with a hat solves": (
        r"$\ell(\theta) = k\log\theta + (n-k)\log(1-\theta)$, $\frac{d\ell}{d\theta} = \frac{k}{\theta} - "
        r"\frac{n-k}{1-\theta}$. Setting this to zero, $\hat\theta = \frac kn$.",
        [P, P],
    ),
    "a number times I": (
        r"$g(x) = x x^T a$ in numerator layout: $\frac{\partial g}{\partial x} = x^T a\, I + x a^T$", [P]
    ),
    "a recurrence over time": (
        r"$h_t = \tanh(W h_{t-1} + U x_t)$, $y_t = V h_t$ and $L = \sum_t L_t$. $\frac{\partial h_t}{\partial "
        r"h_{t-1}} = W$",
        [U, R],
    ),
    "the next step is reached by way of what it is made of": (
        r"$h_t = \tanh(a_t)$ with $a_t = W h_{t-1} + U x_t$ for $t = 1, \dots, T$; $o_t = V h_t$ and "
        r"$L = \sum_{t=1}^T L_t$ where $L_t = \frac12\|o_t - y_t\|^2$. "
        r"$$\frac{\partial L}{\partial h_t} = V^T(o_t - y_t)"
        r" + W^T((1 - h_{t+1}^2) \odot \frac{\partial L}{\partial h_{t+1}})$$"
        r"$$\frac{\partial L}{\partial h_t} = V^T(o_t - y_t)$$",
        [P, R],
    ),
    "another loss from now on": (
        r"Let $L = \frac12 \|Wx - y\|^2$. $\frac{\partial L}{\partial W} = (Wx - y) x^T$. "
        "From now on we use the loss $L = \\|Wx - y\\|^2$ instead.\n\n"
        r"$\frac{\partial L}{\partial W} = (Wx - y) x^T$, $\frac{\partial L}{\partial W} = 2(Wx - y) x^T$",
        [P, R, P],
    ),
    "what follows is no other loss": (
        r"Let $L = \frac12 \|z - y\|^2$. From here on we get $L = \|z - y\|^2$.",
        [R],
    ),
    "the second way to a loss that is said to be of both": (
        r"Let $u = Ax$, $v = Bx$ and let the loss $\ell$ be a function of $u$ and $v$. "
        r"$\frac{\partial \ell}{\partial x} = A^T \frac{\partial \ell}{\partial u}$, "
        r"$\frac{\partial \ell}{\partial A} = \frac{\partial \ell}{\partial u} x^T$",
        [U, P],
    ),
    "the second use of weights": (
        r"Let $u = Wa$, $v = Wb$ and let $\ell$ be a differentiable function of $u$ and $v$. "
        r"$\frac{\partial \ell}{\partial W} = \frac{\partial \ell}{\partial u} a^T$",
        [U],
    ),
    "what the step before left depends on the weights": (
        r"$h_t = W h_{t-1} + U x_t$ for $t = 1, \dots, T$ and $L = \sum_{t=1}^T L_t$ with "
        r"$L_t = \frac12 \|h_t - y_t\|^2$. "
        r"$$\frac{\partial L}{\partial U} = \sum_{t=1}^T (h_t - y_t) x_t^T$$"
        r"$$\frac{\partial L}{\partial U} = \sum_{t=1}^T \frac{\partial L}{\partial h_t} x_t^T$$",
        [U, P],
    ),
    "a loss of the steps from the second on": (
        r"$h_t = W h_{t-1} + U x_t$ for $t = 1, \dots, T$, $L = \sum_{t=2}^T \frac12 \|V h_t - y_t\|^2$. "
        r"$$\frac{\partial L}{\partial V} = \sum_{t=1}^T (V h_t - y_t) h_t^T$$"
        r"$$\frac{\partial L}{\partial V} = \sum_{t=2}^T (V h_t - y_t) h_t^T$$",
        [R, P],
    ),
    "an index of a mean stands on another axis elsewhere": (
        r"$R_{ij} = Y_{ij} - \frac1m \sum_k Y_{ik}$ with $Y \in \mathbb{R}^{n\times m}$. "
        r"$\frac{\partial R_{ij}}{\partial Y_{kl}} = \delta_{ik}\delta_{jl} - \frac1m \delta_{ik}$, "
        r"$\frac{\partial R_{ij}}{\partial Y_{kl}} = \delta_{ik}\delta_{jl} - \frac1m \delta_{jl}$",
        [P, R],
    ),
    "an argument that counts elsewhere": (
        r"$\pi(a) = \frac{e^{\theta_a}}{\sum_b e^{\theta_b}}$ and $J = \sum_a \pi(a) r(a)$. "
        r"$$\frac{\partial J}{\partial \theta_a} = \pi(a) (r(a) - J)$$"
        r"$$\frac{\partial \log \pi(a)}{\partial \theta_b} = \delta_{ab} - \pi(b)$$",
        [U, P],
    ),
    "one layout for both Jacobians": (
        r"Let $z, u, w \in \mathbb{R}^d$, $a = w^T z$ and $f = z + u \tanh(a)$. "
        r"$$\frac{\partial f}{\partial z} = I + (1-\tanh^2(a)) u w^T$$"
        r"$$\frac{\partial f}{\partial w} = (1 - \tanh^2(a)) z u^T$$",
        [U, U],
    ),
    "conditions behind a gap and in brackets": (
        r"$p_i = e^{z_i}/\sum_k e^{z_k}$. $$\frac{\partial p_i}{\partial z_j} = -p_ip_j \quad i \neq j$$"
        r"$$\frac{\partial p_i}{\partial z_j} = p_ip_j \quad (i \neq j)$$"
        r"$$\frac{\partial p_i}{\partial z_j} = p_i(1\{i=j\} - p_j)$$",
        [P, R, P],
    ),
    "entries in lower case": (
        r"Let $A \in \mathbb{R}^{n \times n}$. $\operatorname{tr}(A) = \sum_i a_{ii}$, $(A^T)_{ij} = a_{ij}$",
        [P, R],
    ),
    "an expectation is linear and more than that": (
        r"$\mathbb{E}[X + Y] = \mathbb{E}[X] + \mathbb{E}[Y]$, $\mathbb{E}[aX + b] = a\mathbb{E}[X] + b$", [P, P]
    ),
    "what makes a letter a number is no proof": (
        "# One\n\nWe use numerator layout.\n\n# Two\n\nFor $L(y)$ and $y = W x$, $\\frac{\\partial L}{\\partial x} = "
        "\\frac{\\partial L}{\\partial y} W$, $\\frac{\\partial L}{\\partial x} = W^T\\frac{\\partial L}{\\partial y}$",
        [P, R],
    ),
    "what has no d of its own may move, too": (
        r"$d(XY) = dX\,Y + X\,dY$, $d(XY) = dX\,Y$, $d(XY) = dX\,Y + Y\,dX$",
        [P, U, R],
    ),
    "letters of one kind move together": (r"$d(u^T v) = u^T dv$, $d(a^T x) = a^T dx$, $d(AB) = dA\,B$", [U, P, U]),
    "what is said to be fixed does not move": (
        "For fixed $Y$, $d(XY) = dX\\,Y$. In general, $d(XY) = dX\\,Y$.\n\n# Data\n\nLet $u$ be data. "
        "$d(u^T v) = u^T dv$, $d(u^T v) = 2u^T dv$",
        [P, U, P, R],
    ),
    "all arguments of a function move": (
        r"Let $f(X, Y) = \operatorname{tr}(XY)$. $df = \operatorname{tr}(dX\,Y)$, "
        r"$df = \operatorname{tr}(dX\,Y) + \operatorname{tr}(X\,dY)$",
        [U, P],
    ),
    "a partial derivative beside another way from its variable": (
        r"Let $z = f(x, y)$ with $y = g(x)$. $\frac{dz}{dx} = \frac{\partial f}{\partial x}$",
        [U],
    ),
    "a total derivative goes all ways": (
        r"Let $f(x, y) = x^2y$ and $y = \sin x$. $\frac{df}{dx} = 2xy + x^2\cos x$, $\frac{df}{dx} = 2xy$, "
        r"$\frac{df}{dx} = \frac{\partial f}{\partial x}$",
        [P, U, U],
    ),
    "the premise of an arrow holds in its formula": (
        r"Let $f(x) = x^T A x$ with $A \in \mathbb R^{n\times n}$. $$\nabla f(x) = 2Ax$$"
        r"$$A = A^T \Rightarrow \nabla f(x) = 2Ax$$ $$\nabla f(x) = 2Ax$$ $$\nabla f(x) = 3Ax$$",
        [R, P, U, R],
    ),
    "what is so in a case is not so in general": (
        r"If $S$ is symmetric, $\nabla_x(x^T S x) = 2Sx$. In general, $\nabla_x(x^T S x) = 2Sx$, "
        r"$\nabla_x(x^T S x) = Sx + S^Tx$.",
        [P, R, P],
    ),
    "a bold letter beside its entries is a vector": (
        r"The model is $y = \mathbf{w} \boldsymbol{\phi}^T = \sum_d w_d \phi_d$. "
        r"$$\frac{\partial y}{\partial w_d} = \phi_d$$"
        r"$$\frac{\partial y}{\partial w_d} = w_d$$",
        [P, P, R],
    ),
    "a size and an array of one letter": (
        r"$N_k = \sum_{n=1}^N r_{nk}$ and $h = \sum_k (N_k a_k - N a_k^2)$. "
        r"$$\frac{\partial h}{\partial a_k} = N_k - 2N a_k$$ $$\frac{\partial h}{\partial a_k} = N_k - 2 N_k a_k$$",
        [P, R],
    ),
    "a blank line in an environment": (
        "$L = \\frac12\\|y\\|^2$, $y = Wx$.\n\n$$\n\\begin{align}\n\\frac{\\partial L}{\\partial W} &= y x^T \\\\\n\n"
        "&= x y^T\n\n\\end{align}\n$$\n",
        [P, R],
    ),
    "columns of cases, a point as a product, an end of line": (
        "$p_i = \\frac{e^{a_i}}{\\sum_k e^{a_k}}$\n\n$$\\\n\\frac{\\partial p_j}{\\partial a_i} = "
        "\\begin{cases} p_i(1-p_j) & if & i=j \\\\ -p_j.p_i & if & i \\neq j\\end{cases}$$\n\n"
        "$$\\frac{\\partial p_j}{\\partial a_i} = "
        "\\begin{cases} p_i(1-p_j) & \\text{if} & i=j \\\\ p_j.p_i & \\text{if} & i \\neq j\\end{cases}$$",
        [P, R],
    ),
    "let an expression be called by a letter": (
        r"We let $\sum_{j} e^{f_j} = \Sigma$ and $p_k = \frac{e^{f_k}}{\sum_j e^{f_j}}$. "
        r"$$\frac{\partial p_k}{\partial f_k} = \frac{e^{f_k}(\Sigma - e^{f_k})}{\Sigma^2} = p_k^2$$",
        [P, R],
    ),
    "what a letter was is changed": (
        r"Let $W, D \in \mathbb{R}^{d \times k}$. The forward process is changed from $h = Wx$ to: $$h = Wx + Dx$$ "
        r"$$\frac{\partial h}{\partial x} = W^T + D^T$$ $$\frac{\partial h}{\partial x} = W^T + 2D^T$$",
        [P, R],
    ),
    "numbers, and a column written as a row": (r"$2 \times (-2) = -4$. Let $x = (1, 2)^T$. $x^T x = 5$", [P, P]),
    "a matrix at a parameter": (r"Let $K = u^T A(\theta) v$. $\nabla_\theta K = B^T u v^T$", [U]),
    "the heading says which function": (
        "# The logistic loss\n\n$L(w) = -\\sum_i \\log \\sigma(y_i w^T x_i)$. "
        "$\\nabla L(w) = -\\sum_i y_i \\sigma(-y_i w^T x_i) x_i$, "
        "$\\nabla L(w) = -\\sum_i y_i \\sigma(y_i w^T x_i) x_i$",
        [P, R],
    ),
    "the probability of an event": (
        r"$p(y=k \mid x) = \frac{e^{z_k}}{\sum_j e^{z_j}}$, $L = -\log p(y=c \mid x)$. "
        r"$$\frac{\partial L}{\partial z_k} = p(y=k\mid x) - 1_{k=c}$$ "
        r"$$\frac{\partial L}{\partial z_k} = p(y=k\mid x)$$",
        [P, R],
    ),
    "the probability of one event": (
        r"$P(t=1|z) = \frac{1}{1+e^{-z}}$. $\frac{d P(t=1|z)}{d z} = P(t=1|z)(1-P(t=1|z))$, "
        r"$\frac{d P(t=1|z)}{d z} = P(t=1|z)(1+P(t=1|z))$",
        [P, R],
    ),
    "an operation between matrices": (r"$A \sigma B$ is a mean. $$(CAC) \sigma (CBC) = C(A \sigma B)C$$", [U]),
    "a list of functions": (
        "Two functions:\n\n- a quadratic function: $$f(x, y) = x^2 + y^2$$\n- a non-quadratic function: "
        "$$f(x, y) = e^x + y^4$$",
        [],
    ),
    "a vector of its own entries": (
        r"Let $\mathbf{x} = [x_1, x_2, \ldots, x_n]^\top$, $f(\mathbf{x}) = \sum_i x_i^2$. $\nabla f(\mathbf{x}) = "
        r"2\mathbf{x}$, $\nabla f(\mathbf{x}) = \mathbf{x}$",
        [P, R],
    ),
    "a column of its own entries": (
        r"$$y = \begin{bmatrix} y_1 \\ \vdots \\ y_n \end{bmatrix}$$ $\nabla \|y\|^2 = 2y$, $\nabla \|y\|^2 = y$",
        [P, R],
    ),
    "what an optimum satisfies": (r"$f(x) = \frac12\|x\|^2$. The minimum of $f$ satisfies $\nabla f = 0$.", []),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_the_verdicts_of_claims(name: str) -> None:
    text, wanted = TEXTS[name]
    got = [c.verdict for c in verdicts_of(text) if c.kind == "claim"]
    assert [R if v == "ill-formed" else v for v in got] == wanted


def test_what_is_held_fixed_is_said() -> None:
    (found,) = verdicts_of(r"$d(a^T x) = a^T dx$")
    assert found.outcome.hypotheses == ("a is held fixed",)
