"""What letters mean: losses in other letters, backward passes without a loss, names of capitals, new exercises."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

VERDICTS = {"P": "proved", "R": "refuted", "U": "unknown", "I": "ill-formed"}
SHORT = r"We write $dT = \partial L/\partial T$ for the gradient of the loss. "
TEXTS = {
    "an upstream gradient is enough": (
        SHORT + r"$H = XW_1 + b_1$, $R = \max(0, H)$, $S = RW_2 + b_2$. Given $dS$: $dR = dS\,W_2^T$, $dW_2 = R^TdS$, "
        r"$db_2 = \sum_i dS_i$, $dH = dR\odot 1[H>0]$, $dX = W_1^TdH$, $dW_1 = X^TdH$, $db_1 = \mathbf 1^TdH$",
        "P P P P R P P",
    ),
    "whatever loss comes later": (
        SHORT + r"$S = XW$ gives $dW = X^TdS$, $dX = dS\,W^T$ and $dX = dS\,W$. "
        r"With decay, $L = \ell + \lambda\|W\|^2$.",
        "P P R",
    ),
    "a loss that stands below": (
        SHORT + r"$dS = S - Y$ and $dS = Y - S$, for $L = \frac12\|S-Y\|_F^2$.",
        "P R",
    ),
    "what is put in below": (
        r"1. Apply $\frac{\partial\operatorname{tr}(XB)}{\partial X} = B^T$, not $\frac{\partial\operatorname{tr}(XB)}"
        r"{\partial X} = B$. Set $B = X^T$.",
        "U R",
    ),
    "a loss of words": (
        r"$z_j = \mu_j+\epsilon_je^{\ell_j/2}$. With the reconstruction loss $R$, $\frac{\partial R}{\partial\mu_j} = "
        r"\frac{\partial R}{\partial z_j}$ and $\frac{\partial R}{\partial\ell_j} = \frac12\frac{\partial "
        r"R}{\partial z_j}"
        r"(z_j-\mu_j)$, $\frac{\partial R}{\partial\ell_j} = \frac{\partial R}{\partial z_j}(z_j-\mu_j)$",
        "P P R",
    ),
    "the formula that leads to the variable": (
        r"$\mathrm{KL} = \frac12\sum_j(\mu_j^2+\sigma_j^2-\log\sigma_j^2-1)$. With $\ell_j = \log\sigma_j^2$ this is "
        r"$\mathrm{KL} = \frac12\sum_j(\mu_j^2+e^{\ell_j}-\ell_j-1)$. $\frac{\partial\mathrm{KL}}{\partial\sigma_j} = "
        r"\sigma_j-\frac1{\sigma_j}$, $\frac{\partial\mathrm{KL}}{\partial\ell_j} = \frac12(e^{\ell_j}-1)$, "
        r"$\frac{\partial\mathrm{KL}}{\partial\ell_j} = e^{\ell_j}-1$",
        "P P P R",
    ),
    "a model said to be one": (
        r"Model: $\hat y = Xw + b$ with $X \in \mathbb{R}^{N\times D}$ and $b \in \mathbb{R}$. Loss: $L = \frac1N\sum_i"
        r"(\hat y_i-y_i)^2$."
        "\n\n# Gradients\n\n"
        r"$\frac{\partial L}{\partial w} = \frac2NX^T(\hat y-y)$, $\frac{\partial L}{\partial b} = \frac2N\sum_i"
        r"(\hat y_i-y_i)$, $\frac{\partial L}{\partial w} = \frac1NX^T(\hat y-y)$",
        "P P R",
    ),
    "a bias that is added to each row": (
        r"$H = XW + b$, $L = \frac12\|H-Y\|^2$: $\frac{\partial L}{\partial b} = \sum_i(H_i-Y_i)$, "
        r"$\frac{\partial L}{\partial W} = X^T(H-Y)$",
        "P P",
    ),
    "a function called as an index": (
        r"$k(x,z) = e^{-\gamma\|x-z\|^2}$. $W(\alpha) = \sum_{i=1}^n\alpha_i-\frac12\sum_{i=1}^n\sum_{j=1}^n"
        r"\alpha_i\alpha_jy_iy_jx_i^Tx_j$: $\frac{\partial W}{\partial\alpha_k} = "
        r"1-y_k\sum_{j=1}^n\alpha_jy_jx_j^Tx_k$, "
        r"$\frac{\partial W}{\partial\alpha_k} = 1-\frac12y_k\sum_{j=1}^n\alpha_jy_jx_j^Tx_k$, $\frac{\partial k}"
        r"{\partial\gamma} = -\|x-z\|^2k(x,z)$",
        "P R P",
    ),
    "letters below that are names": (
        r"$L_D = -\log\sigma(a)-\log(1-\sigma(b))$ with the logistic $\sigma$. For the gradient penalty let $D(x) = "
        r"w^\top x$. $\frac{\partial L_D}{\partial b} = \sigma(b)$, $\nabla_xD(x) = w$, $\frac{\partial "
        r"L_D}{\partial a} = "
        r"\sigma(a)$",
        "P P R",
    ),
    "capitals that are one name": (
        r"$SSR = \sum_i(y_i-x_i^T\beta)^2$: $\frac{\partial SSR}{\partial\beta} = -2\sum_i(y_i-x_i^T\beta)x_i$, "
        r"$\frac{\partial SSR}{\partial\beta} = 2\sum_i(y_i-x_i^T\beta)x_i$",
        "P R",
    ),
    "and in the next section": (
        r"$RSS = e^Te$ where $e = y-X\beta$."
        "\n\n# Next\n\n"
        r"$\frac{\partial RSS}{\partial\beta} = -2X^Te$, $\frac{\partial RSS}{\partial\beta} = 2X^Te$",
        "P R",
    ),
    "of a number": (
        r"$p=\sigma(z)$ with the sigmoid, $FL(z) = -(1-p)^\gamma\log p$. $\frac{dFL}{dz} = (1-p)^\gamma(\gamma "
        r"p\log p+p-1)$, "
        r"$\frac{dFL}{dz} = (1-p)^\gamma(\gamma p\log p-p+1)$",
        "P R",
    ),
    "costs": (r"$TC = F + cQ$, $AC = TC/Q$: $\frac{dTC}{dQ} = c$, $\frac{dAC}{dQ} = -\frac F{Q^2}$", "P P"),
    "products stay products": (
        r"With matrices $A$ and $B$: $\operatorname{tr}(AB) = \operatorname{tr}(BA)$, $AB = BA$", "P R"
    ),
    "titles in bold": (
        r"**Logistic.** $p=\sigma(z)$ with the sigmoid, $L = -\log p$. $\frac{dL}{dz} = p-1$."
        "\n\n"
        r"**Softmax.** $p=\mathrm{softmax}(z)$, $L=-\sum_{k=1}^Ky_k\log p_k$ with $\sum_ky_k=1$. $\frac{\partial L}"
        r"{\partial z_k} = p_k-y_k$, $\frac{\partial L}{\partial z_k} = y_k-p_k$"
        "\n\n"
        r"**Temperature.** $p_i=\frac{e^{z_i/\tau}}{\sum_je^{z_j/\tau}}$, $L=-\sum_ir_i\log p_i$ with $\sum_ir_i=1$. "
        r"$\frac{\partial L}{\partial z_i} = \frac1\tau(p_i-r_i)$, $\frac{\partial L}{\partial z_i} = p_i-r_i$",
        "P P R P R",
    ),
    "what is said to solve a function of other points, too": (
        r"$f(x) = \frac12x^\top Qx-c^\top x$ with $Q$ symmetric and invertible. The minimiser is $x^\star = Q^{-1}c$. "
        r"$f(x)-f(x^\star) = \frac12(x-x^\star)^\top Q(x-x^\star)$, $\nabla f(x^\star) = 0$",
        "P P P",
    ),
    "and what does not": (
        r"$f(x) = \frac12x^\top Qx-c^\top x$ with $Q$ symmetric. The minimiser is $x^* = Qc$. Surely $f(y) \geq "
        r"f(x^*)$.",
        "R",
    ),
    "repeated indices that are said to be summed": (
        r"Repeated indices are summed over. $V = \frac12k_{ij}q_iq_j$ with $k_{ij} = k_{ji}$. $\frac{\partial "
        r"V}{\partial q_l} "
        r"= k_{lj}q_j$, $\frac{\partial V}{\partial q_l} = \frac12k_{lj}q_j$, $q_l\frac{\partial V}{\partial "
        r"q_l} = 2V$, "
        r"$\frac{\partial^2V}{\partial q_l\partial q_m} = k_{lm}$",
        "P R P P",
    ),
    "and those that can only be": (
        r"$y_i = W_{ij}x_j + b_i$ and $L = \frac12y_iy_i$: $\frac{\partial L}{\partial W_{ij}} = y_ix_j$, "
        r"$\frac{\partial L}{\partial x_j} = W_{ij}y_i$, $\frac{\partial L}{\partial x_j} = W_{ji}y_i$",
        "P P R",
    ),
    "a quadratic form in indices": (
        r"$E = \frac12A_{ij}x_ix_j - b_ix_i$ with symmetric $A_{ij}$. $\frac{\partial E}{\partial x_k} = "
        r"A_{kj}x_j-b_k$, "
        r"$\frac{\partial E}{\partial x_k} = A_{kj}x_j+b_k$, $\frac{\partial^2E}{\partial x_k\partial x_l} = A_{kl}$",
        "P R P",
    ),
    "derivatives by coordinates": (
        r"Repeated indices are summed over. $r = \sqrt{x_ix_i}$: $\partial_ir = x_i/r$, $\partial_ix_j = \delta_{ij}$, "
        r"$\partial_ir = x_i$, $\partial_ix_i = 3$ in three dimensions",
        "P P R U",
    ),
    "entry by entry nothing is summed": (
        r"$y_i = a_ix_i$ and $L = \sum_iy_i$: $\frac{\partial L}{\partial x_i} = a_i$, $\frac{\partial "
        r"L}{\partial x_i} = a_ix_i$",
        "P R",
    ),
    "strains": (
        r"Repeated indices are summed. $U = \frac12\lambda\epsilon_{ii}\epsilon_{jj}+\mu\epsilon_{ij}\epsilon_{ij}$. "
        r"$\frac{\partial U}{\partial\epsilon_{kl}} = \lambda\epsilon_{ii}\delta_{kl}+2\mu\epsilon_{kl}$, "
        r"$\frac{\partial U}{\partial\epsilon_{kl}} = \lambda\epsilon_{kl}+2\mu\epsilon_{kl}$",
        "P R",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_what_letters_mean(name: str) -> None:
    text, verdicts = TEXTS[name]
    found = [c for c in verdicts_of(text) if c.kind == "claim"]
    expected = [VERDICTS[v] for v in verdicts.split()]
    assert [c.verdict for c in found] == expected, [(c.latex, c.verdict, c.outcome.message) for c in found]
