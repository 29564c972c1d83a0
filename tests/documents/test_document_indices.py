"""Index notation: repeated indices, Kronecker's delta, entries that are set equal to their array."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

VERDICTS = {"P": "proved", "R": "refuted", "I": "ill-formed", "U": "unknown"}
TRACE = (
    r"$$\frac{\partial}{\partial X}\operatorname{tr}(AXB) = \frac{\partial(A_{ij}X_{jk}B_{ki})}{\partial X_{pq}} "
    r"= A_{ij}\frac{\partial X_{jk}}{\partial X_{pq}}B_{ki} = A_{ij}\delta_{jp}\delta_{kq}B_{ki} = A_{ip}B_{qi} "
)
TEXTS = {
    "a trace without a word on sums": (TRACE + r"= (BA)_{qp} = (BA)_{pq}^T = (BA)^T = A^TB^T$$", "P P P P P P P P"),
    "and with mistakes": (TRACE + r"= (BA)_{pq} = BA^T$$ $$A_{ip}B_{qi} = (AB)_{qp}$$", "P P P P R R R"),
    "the entry that is differentiated by says which is meant": (
        r"Repeated indices are summed; $A, X\in\mathbb{R}^{n\times n}$. $\frac{\partial}{\partial "
        r"X}\operatorname{tr}(XA) = \frac{\partial(X_{ij}A_{ji})}"
        r"{\partial X_{lk}}$, $\frac{\partial(X_{ij}A_{ji})}{\partial X_{lk}} = A^T$, "
        r"$\frac{\partial(X_{ij}A_{ji})}{\partial X_{lk}} = A$",
        "P P R",
    ),
    "entries in another order say nothing of it": (
        r"Let $A, B\in\mathbb{R}^{n\times n}$. $(AB)_{ij} = AB$, $(AB)_{ij} = BA$, $(AB)_{ji} = AB$", "P R I",
    ),
    "a transposed entry is one of the transpose": (
        r"Let $A, B\in\mathbb{R}^{n\times n}$. $A_{ij}^T = A_{ji}$, $A_{ij}^T = A_{ij}$, $(AB)_{ij}^T = \sum_kA_{jk}"
        r"B_{ki}$, $(AB)_{ij}^T = \sum_kA_{ik}B_{kj}$, $A_{ij}^2 = (A_{ij})^2$, $A^2_{ij} = \sum_kA_{ik}A_{kj}$",
        "P R P R P P",
    ),
    "what Kronecker's delta is": (
        r"Let $X\in\mathbb{R}^{m\times n}$. $\delta_{kl} = I$, $\delta_{ij} = \begin{cases}1&i=j\\0&i\neq "
        r"j\end{cases}$, "
        r"$\delta_{ij} = [i = j]$, $\delta_{ij} = \frac{\partial x_i}{\partial x_j}$, $\sum_k\delta_{ik}\delta_{kj} = "
        r"\delta_{ij}$, $\sum_k\delta_{ik}\delta_{kj} = 2\delta_{ij}$, $\delta_{ij} = [i\neq j]$, "
        r"$\frac{\partial X_{ij}}{\partial X_{kl}} = \delta_{ik}\delta_{jl}$",
        "P P P P P R R P",
    ),
    "a delta that is said to be something wrong is not assumed": (
        r"$\frac{\partial x_i}{\partial x_j} = \delta_{ij}$ where $\delta_{ij} = \begin{cases}0&\text{if } i=j\\1&"
        r"\text{otherwise}\end{cases}$. $\frac{\partial x_i}{\partial x_j} = 2\delta_{ij}$",
        "P R R",
    ),
    "a delta that is given is no Kronecker's": (
        r"$\delta_{nk} = y_{nk} - t_{nk}$, $E = \frac12\sum_n\sum_k(y_{nk}-t_{nk})^2$, $y_{nk} = \sum_iw_{ki}x_{ni}$. "
        r"$\frac{\partial E}{\partial y_{nk}} = \delta_{nk}$, $\frac{\partial E}{\partial w_{ki}} = "
        r"\sum_n\delta_{nk}x_{ni}$, "
        r"$\frac{\partial E}{\partial w_{ki}} = \sum_n\delta_{nk}x_{ki}$, $\frac{\partial E}{\partial y_{nk}} = "
        r"2\delta_{nk}$",
        "P P R R",
    ),
    "nor under the next heading": (
        "# A\n\n$\\delta_{ij} = \\frac{\\partial L}{\\partial z_{ij}}$ with $z_{ij} = \\sum_kx_{ik}w_{kj}$.\n\n# B\n\n"
        r"$\frac{\partial L}{\partial w_{kj}} = \sum_ix_{ik}\delta_{ij}$, $\frac{\partial L}{\partial w_{kj}} = "
        r"\sum_ix_{ki}\delta_{ij}$",
        "P R",
    ),
    "signals with one index beside Kronecker's with two": (
        r"Let $z_i = \sum_jW_{ij}x_j$, $L = \frac12\sum_i(z_i-t_i)^2$, $\delta_i = z_i - t_i$. $\frac{\partial z_i}"
        r"{\partial W_{kl}} = \delta_{ik}x_l$, $\frac{\partial L}{\partial W_{kl}} = \sum_i\delta_i\delta_{ik}x_l = "
        r"\delta_kx_l$, "
        r"$\frac{\partial L}{\partial W_{kl}} = \delta_lx_k$",
        "P P P R",
    ),
    "dummies in functions, and indices that are none": (
        r"With $z_i = W_{ij}x_j + b_i$, $a_i = \sigma(z_i)$ and $C = \frac12(a_i-y_i)(a_i-y_i)$ by Einstein's "
        r"convention: $\frac{\partial C}{\partial W_{kl}} = (a_k-y_k)\sigma'(z_k)x_l$, $\frac{\partial C}{\partial "
        r"W_{kl}}"
        r" = (a_l-y_l)\sigma'(z_l)x_k$, $\frac{\partial C}{\partial x_l} = (a_k-y_k)\sigma'(z_k)W_{kl}$, "
        r"$\frac{\partial C}{\partial x_l} = (a_k-y_k)\sigma'(z_k)W_{lk}$, "
        r"$\frac{\partial C}{\partial b_k} = (a_k-y_k)\sigma'(z_k)$",
        "P R P R P",
    ),
    "sums over deltas alone": (
        r"Repeated indices are summed. $\delta_{ik}\delta_{il} = \delta_{kl}$, $\delta_{ij}\delta_{jk}A_{kl} = "
        r"A_{il}$, "
        r"$A_{ij}\delta_{ij} = \operatorname{tr}A$, $\frac{\partial X_{ii}}{\partial X_{kl}} = "
        r"\delta_{ik}\delta_{il}$, "
        r"$\frac{\partial X_{ii}}{\partial X_{kl}} = 2\delta_{kl}$",
        "P P P P R",
    ),
    "the inverse": (
        r"$(X^{-1})_{ij}X_{jk} = \delta_{ik}$. $\frac{\partial(X^{-1})_{ij}}{\partial X_{kl}} = "
        r"-(X^{-1})_{ik}(X^{-1})_{lj}"
        r"$, $\frac{\partial(X^{-1})_{ij}}{\partial X_{kl}} = -(X^{-1})_{il}(X^{-1})_{kj}$",
        "P P R",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_index_notation(name: str) -> None:
    text, verdicts = TEXTS[name]
    found = [c for c in verdicts_of(text) if c.kind == "claim"]
    expected = [VERDICTS[v] for v in verdicts.split()]
    assert [c.verdict for c in found] == expected, [(c.latex, c.verdict, c.outcome.message) for c in found]


def test_sums_that_nobody_writes_are_shown() -> None:
    from symbackprop.write.notes.read_as import said

    claims = [c for c in verdicts_of(TEXTS["a trace without a word on sums"][0]) if c.kind == "claim"]
    assert "repeated indices are summed" in said(claims[1].reading)
