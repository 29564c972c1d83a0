"""Where what a text says holds: kinds of letters, assumptions, definitions that could not be read."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

SCALARS = {
    r"$J(w) = \frac12 (w x - y)^2$ has $\frac{dJ}{dw} = (wx - y)x$": "proved",
    r"$\frac{d}{dw} \frac12 (w x - y)^2 = (wx - y)w$": "refuted",
    r"$w$ enters by $a = \sigma(w)$, $\sigma(z) = \frac{1}{1+e^{-z}}$, so that $\frac{da}{dw} = a(1-a)$": "proved",
    r"$L = (y - w)^2$ and $\frac{\partial^2 L}{\partial w^2} = 2$": "proved",
    r"$\ell = -y\log w - (1-y)\log(1-w)$, so $\frac{d\ell}{dw} = \frac{w - y}{w(1-w)}$": "proved",
    r"$\ell = -y\log w - (1-y)\log(1-w)$, so $\frac{d\ell}{dw} = \frac{y - w}{w(1-w)}$": "refuted",
}
VECTORS = (
    r"Now let $w$ be a vector in $\mathbb{R}^d$; then $\nabla_w (w^T w) = 2w$.",
    r"For a whole layer, $w$ is a vector with $n$ entries, and $\nabla_w \|w\|^2 = 2w$.",
    r"In the vector case, with $w \in \mathbb{R}^n$, we find $\nabla_w \|w\|^2 = 2w$.",
)


@pytest.mark.parametrize("claim", SCALARS)
@pytest.mark.parametrize("between", ["\n\n", " "])
def test_what_a_letter_is_called_later_does_not_change_what_stands_above(claim: str, between: str) -> None:
    later = VECTORS[list(SCALARS).index(claim) % len(VECTORS)]
    found = [c for c in verdicts_of(f"{claim}.{between}{later}\n") if c.kind == "claim"]
    assert [c.verdict for c in found] == [SCALARS[claim], "proved"]


OPEN = (
    r"$h_i = \tanh(u_{ij} x_j + b_i)$ and $L = \sum_i h_i^2$. Then $\frac{\partial L}{\partial b_i} = 3$",
    r"$a_i = \sum_j w_j x_j$ and $L = \sum_i a_i^2$. Then $\frac{\partial L}{\partial w_j} = 7$",
    r"$p_{ij} = e^{s_i} / \sum_k e^{s_k}$ and $L = \sum_{i,j} p_{ij}^2$. So $\frac{\partial L}{\partial s_i} = 5$",
    r"$v_i = \text{mask}(z_i, i < \text{len})$, $E = \sum_i v_i$, and $\frac{\partial E}{\partial z_i} = 5$",
    r"$g(x) = \int_0^x K(t)\,dt$, $f(x) = g(x)^2$ and $f'(x) = 0$",
    r"$m_k = \max_{i \in \mathcal{N}(k)} x_i$, $S = \sum_k m_k$ and $\frac{\partial S}{\partial x_i} = 5$",
    r"$h_t = \lfloor\!\lfloor W h_{t-1} \rfloor\!\rfloor_{\circledast}$, $L = \sum_t \|h_t\|^2$, "
    r"$\frac{\partial L}{\partial h_t} = 2h_t$",
    "$r = x \\circledast y$ and $s = r + x$.\n\n# Below\n\n$\\frac{\\partial s}{\\partial x} = 7$",
)


@pytest.mark.parametrize("text", OPEN)
def test_what_rests_on_an_unread_definition_is_unknown(text: str) -> None:
    assert [c.verdict for c in verdicts_of(text + ".\n") if c.kind == "claim"][-1] == "unknown"


def test_how_a_letter_comes_about_does_not_matter_where_it_is_the_variable() -> None:
    text = r"$m_k = \max_{i \in \mathcal{N}(k)} x_i$, $S = \sum_k m_k^2$, $\frac{\partial S}{\partial m_k} = 2m_k$"
    assert [c.verdict for c in verdicts_of(text) if c.kind == "claim"][-1] == "proved"


GRADIENT = r"$\nabla_x (x^T A x) = 2Ax$"
ASSUMED = {
    f"Let $A$ be a symmetric matrix. Then {GRADIENT}.": "proved",
    f"For a matrix $A$ and a vector $x$, {GRADIENT}, where $A$ is symmetric.": "proved",
    f"We have {GRADIENT}. Here $A$ is a symmetric matrix.": "proved",
    f"We have {GRADIENT} for a matrix $A$.\n\nNow let $A$ be symmetric.": "refuted",
    f"We have {GRADIENT} for a matrix $A$. Now suppose that $A = A^T$.": "refuted",
    f"Let $A$ be a symmetric matrix. Now drop the assumption: {GRADIENT}.": "refuted",
    f"Let $A$ be a symmetric matrix.\n\nIf we no longer assume this symmetry, {GRADIENT}.": "refuted",
    f"Let $A$ be a symmetric matrix.\n\nWithout this assumption {GRADIENT}.": "refuted",
    f"Suppose that $A = A^T$. We now drop this assumption. Then {GRADIENT}.": "refuted",
    f"# One\n\nLet $A$ be a symmetric matrix.\n\n# Two\n\nWe have {GRADIENT}.": "proved",
    f"# One\n\nLet $A$ be a symmetric matrix.\n\n# Two\n\nWe no longer assume that $A$ is symmetric: {GRADIENT}.":
        "refuted",
    f"# One\n\nLet $A$ be a symmetric matrix.\n\nNow drop the assumption.\n\n# Two\n\nWe have {GRADIENT}.": "refuted",
    f"Let $A$ be symmetric and $Q$ orthogonal. We drop the orthogonality of $Q$. {GRADIENT}": "proved",
    f"Let $A$ be symmetric and let $x$ be a unit vector. Relaxing the last assumption, {GRADIENT}.": "proved",
    f"Let $A$ be symmetric and let $x$ be a unit vector. Without these assumptions, {GRADIENT}.": "refuted",
}


@pytest.mark.parametrize("text", ASSUMED)
def test_assumptions_hold_from_where_they_are_made_until_they_are_dropped(text: str) -> None:
    assert [c.verdict for c in verdicts_of(text) if c.kind == "claim"][-1] == ASSUMED[text]


NORMALISED = (r"\sum_i x_i = 1", r"\|x\| = 1", r"\sum_{i=1}^n x_i = 1")
SAID = (
    "For every vector $x \\in \\mathbb{{R}}^n$ we have ${0}$.", "$x \\in \\mathbb{{R}}^n$: ${0}$.",
    "Let $x \\in \\mathbb{{R}}^n$. It is easy to see that ${0}$.", "Let $x \\in \\mathbb{{R}}^n$. Then ${0}$.",
)  # fmt: skip


@pytest.mark.parametrize("formula", NORMALISED)
@pytest.mark.parametrize("said", SAID)
def test_what_is_said_to_follow_is_no_condition(said: str, formula: str) -> None:
    (found,) = [c for c in verdicts_of(said.format(formula)) if c.kind != "definition"]
    assert (found.kind, found.verdict) == ("claim", "refuted")


def test_what_stands_in_a_list_of_what_is_given_is_one() -> None:
    text = (
        r"$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$, $L = -\sum_k t_k \log p_k$, $\sum_k t_k = 1$. "
        r"So $\frac{\partial L}{\partial z_k} = p_k - t_k$."
    )
    found = [c for c in verdicts_of(text) if c.kind in ("claim", "condition")]
    assert [(c.kind, c.verdict) for c in found] == [("condition", None), ("claim", "proved")]
    assert any("t_k" in h for h in found[1].outcome.hypotheses)


ABOVE = r"# A\n\nLet $\sigma(z) = \frac{1}{1+e^{-z}}$.\n\n## B\n\n".replace(r"\n", "\n")
SLOPE = r"$\sigma'(z) = \sigma(z)(1-\sigma(z))$."
FUNCTIONS_ABOVE = {
    ABOVE + SLOPE: "proved",
    ABOVE + SLOPE.replace("-", "+"): "refuted",
    ABOVE + r"Let $y = \sigma(w x)$. Then $\partial y/\partial w = \sigma(w x)(1-\sigma(w x)) x$.": "proved",
    ABOVE + r"$\frac{d\sigma}{dz} = \sigma(z)(1-\sigma(z))$": "proved",
    ABOVE + r"$\sigma' = \sigma(1-\sigma)$": "proved",
    ABOVE + r"$\sigma'' = \sigma(1-\sigma)(1-2\sigma)$": "proved",
    ABOVE + r"$\sigma' = \sigma(1+\sigma)$": "refuted",
    ABOVE.replace("## B\n\n", "") + r"$\sigma' = \sigma(1-\sigma)$": "proved",  # no function is its own argument
    ABOVE + r"The function $\sigma$ acts elementwise. Then " + SLOPE: "unknown",  # said anew: any function
    ABOVE + r"Let $\sigma(z) = \tanh z$. Then " + SLOPE: "refuted",
}


@pytest.mark.parametrize("text", FUNCTIONS_ABOVE)
def test_a_function_given_above_is_that_where_nothing_is_said_of_it_anew(text: str) -> None:
    assert [c.verdict for c in verdicts_of(text) if c.kind == "claim"] == [FUNCTIONS_ABOVE[text]]


def test_brackets_behind_a_letter_that_hold_the_same_letter_are_no_call() -> None:
    text = r"""Let $x^{(i)} \in \mathbb{R}^d$, $J(\theta) = \frac{1}{2m} \sum_{i=1}^m (y^{(i)} - \theta^T x^{(i)})^2$.
    $$\nabla_\theta^2 J = \frac{1}{m} \sum_{i=1}^m x^{(i)} (x^{(i)})^T$$"""
    assert [c.verdict for c in verdicts_of(text)][-1] == "proved"
