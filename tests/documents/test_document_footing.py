"""What refutes nothing: rounded numbers, values put in for letters, conditions, held letters, implied sums.

Each kind in variants, true and wrong ones side by side."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of


def verdicts(text: str) -> list[tuple[str, str | None]]:
    return [(c.reading.kind, c.verdict) for c in verdicts_of(text) if c.reading.kind not in ("remark", "definition")]


def last(text: str) -> str | None:
    return verdicts(text)[-1][1]


ROUNDED = [
    (r"0.6028 \times 0.3972 = 0.2394", r"0.6028 \times 0.3972 = 0.2354"),
    (r"\frac{1}{3} = 0.33", r"\frac{1}{3} = 0.34"),
    (r"\exp(0.5) = 1.649", r"\exp(0.5) = 2.649"),
    (r"\frac{1}{1 + e^{-0.5}} = 0.6225", r"\frac{1}{1 + e^{0.5}} = 0.6225"),
    (r"\begin{bmatrix} 0.6 \\ -0.4 \end{bmatrix} \cdot 0.19 = \begin{bmatrix} 0.11 \\ -0.08 \end{bmatrix}",
     r"\begin{bmatrix} 0.6 \\ -0.4 \end{bmatrix} \cdot 0.19 = \begin{bmatrix} 0.11 \\ 0.08 \end{bmatrix}"),
    (r"0.5 \cdot 0.3 + 0.1 = 0.25", r"0.5 \cdot 0.3 + 0.1 = 0.45"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong"), ROUNDED)
def test_decimals_are_read_as_rounded(right: str, wrong: str) -> None:
    assert last(f"$${right}$$") in ("proved", "unknown")
    assert last(f"$${wrong}$$") == "refuted"


@pytest.mark.parametrize("text", [
    r"Let $L = (y - t)^2$. $$\frac{\partial L}{\partial y} = 2(y - t) = 2(3 - 1) = 4$$",
    r"Let $L = (y - t)^2$. $$\frac{\partial L}{\partial y} = 2(y - t) = 0.8$$",
    r"With $x = 2$ and $f(x) = x^3$: $$f'(x) = 3x^2 = 12$$",
])  # fmt: skip
def test_values_that_are_put_in_are_no_mistake(text: str) -> None:
    assert "refuted" not in [v for _, v in verdicts(text)]


def test_a_number_in_place_of_a_derivative_is_one() -> None:
    assert last(r"Let $y = 2x$. $$\frac{\partial y}{\partial x} = 3$$") == "refuted"
    assert last(r"Let $y = x^2$. $$\frac{\partial y}{\partial x} = 2$$") == "refuted"


@pytest.mark.parametrize("condition", [r"x^T z = 0", r"u^T u = 1", r"A = A^T", r"x^2 + y^2 = 1", r"\|v\| = 1"])
def test_a_condition_is_no_identity(condition: str) -> None:
    found = verdicts(f"This is so where ${condition}$, that is on the surface, with $A$, $u$ and $v$ from above.")
    assert "refuted" not in [v for _, v in found]


PREMISES = [  # a formula, and what is said of its parts
    (r"A = A^\top \Rightarrow \nabla f = 2Ax", "proved"),
    (r"A = A^\top \Rightarrow \nabla f = 3Ax", "refuted"),
    (r"\nabla f = 2Ax \text{ if } A = A^\top", "proved"),
    (r"\nabla f = 2Ax \text{ where } A = A^\top", "proved"),
    (r"Ax = cx \implies x^\top A x = c\|x\|^2", "proved"),
    (r"Ax = cx \implies x^\top A x = \|x\|^2", "refuted"),
    (r"\nabla g = 0 \Rightarrow x = B^{-1} b", "proved"),
    (r"\nabla g = 0 \Leftrightarrow x = B^{-1} b", "proved"),
    (r"\nabla g = Bx - b = 0 \Rightarrow x = B^{-1} b", "proved"),
    (r"\nabla g = 0 \Rightarrow x = B b", "refuted"),
    (r"\nabla g = 0 \Rightarrow Bx = b", None),
    (r"Bx = b \Rightarrow \nabla g = 0", None),
    (r"\nabla f = 2Ax \iff A = A^\top", None),
    (r"\nabla f = 2Ax \Rightarrow \nabla^2 f = 2A", "refuted"),  # a step of a derivation, which is claimed
]


@pytest.mark.parametrize(("formula", "verdict"), PREMISES)
def test_the_premise_of_an_arrow_is_not_claimed(formula: str, verdict: str | None) -> None:
    given = r"Let $A, B \in \mathbb{R}^{n\times n}$ with $B = B^\top$, $b, x \in \mathbb{R}^n$ and $c \in \mathbb{R}$."
    text = rf"{given} $$f = x^\top A x$$ $$g(x) = \frac12 x^\top B x - b^\top x$$ $${formula}$$"
    found = {v for _, v in verdicts(text) if v is not None}
    assert found - {"proved"} == {verdict} - {"proved", None} and (verdict in found or verdict is None)


CHAIN = r"\frac{\partial f}{\partial y_i} \frac{\partial y_i}{\partial \gamma}"
SUMMED = r"Let $y_i = \gamma x_i + \beta$ and $f = \sum_i y_i^3$. "


@pytest.mark.parametrize(("claim", "verdict"), [
    (rf"\frac{{\partial f}}{{\partial \gamma}} = {CHAIN}", "proved"),
    (rf"\frac{{\partial f}}{{\partial \gamma}} = 2 {CHAIN}", "refuted"),
    (rf"{CHAIN} = \sum_i \frac{{\partial f}}{{\partial y_i}} x_i", "proved"),
    (rf"{CHAIN} = \sum_i \frac{{\partial f}}{{\partial y_i}}", "refuted"),
])  # fmt: skip
def test_the_chain_rule_sums_over_what_stands_between(claim: str, verdict: str) -> None:
    assert last(f"{SUMMED}$${claim}$$") == verdict


NORMALISED = (
    r"Let $\mu = \frac1m \sum_{i=1}^m x_i$, $s = \frac1m \sum_{i=1}^m (x_i - \mu)^2$ and "
    r"$u_i = \frac{x_i - \mu}{\sqrt{s + \epsilon}}$. "
)


def test_what_the_text_differentiates_by_may_be_held_fixed() -> None:
    local = r"$$\frac{\partial u_i}{\partial x_i} = \frac{1}{\sqrt{s + \epsilon}}$$"
    named = r"$$\frac{\partial u_i}{\partial \mu} = \frac{-1}{\sqrt{s + \epsilon}}$$ "
    assert last(NORMALISED + local) == "refuted"
    assert last(NORMALISED + named + local) == "unknown"


@pytest.mark.parametrize("sigma", [r"\sigma", "s", r"\text{softmax}"])
@pytest.mark.parametrize("body", [r"\frac{e^{z_i}}{\sum_j e^{z_j}}", r"\frac{\exp(z_i)}{\sum_{k=1}^K \exp(z_k)}"])
def test_softmax_by_its_entries(sigma: str, body: str) -> None:
    loss = rf"L = -\sum_i y_i \log {sigma}(\mathbf{{z}})_i"
    head = rf"Let $${sigma}(\mathbf{{z}})_i = {body}$$ and ${loss}$ with $\sum_i y_i = 1$. "
    claim = rf"$$\frac{{\partial L}}{{\partial \mathbf{{z}}}} = {sigma}(\mathbf{{z}}) - \mathbf{{y}}$$"
    assert last(head + claim) == "proved"
    assert last(head + claim.replace("- ", "+ ")) == "refuted"


@pytest.mark.parametrize(("claim", "verdict"), [
    (r"\nabla f(\mathbf{x}) = \begin{bmatrix} 2 a_1 x_1 \\ \vdots \\ 2 a_n x_n \end{bmatrix}", "proved"),
    (r"\nabla f(\mathbf{x}) = \begin{bmatrix} a_1 x_1 \\ \vdots \\ a_n x_n \end{bmatrix}", "refuted"),
    (r"\nabla f(\mathbf{x}) = \begin{bmatrix} \frac{\partial f}{\partial x_1} \\ \frac{\partial f}{\partial x_2} \\ "
     r"\vdots \\ \frac{\partial f}{\partial x_n} \end{bmatrix}", "proved"),
    (r"\nabla f(\mathbf{x}) = \begin{bmatrix} a_1 & \cdots & x_n \end{bmatrix}", "unknown"),
])  # fmt: skip
def test_vectors_with_dots(claim: str, verdict: str) -> None:
    assert last(rf"Let $f(\mathbf{{x}}) = \sum_i a_i x_i^2$. $${claim}$$") == verdict


def test_matrices_with_dots() -> None:
    text = (
        r"Let $\mathbf{{a}} \in \mathbb{{R}}^m$ and $\mathbf{{b}} \in \mathbb{{R}}^n$. "
        r"$$\begin{{bmatrix}} {0} & \cdots & {1} \\ "
        r"\vdots & \ddots & \vdots \\ {2} & \cdots & {3} \end{{bmatrix}} = \mathbf{{a}} \mathbf{{b}}^T$$"
    )
    assert last(text.format("a_1 b_1", "a_1 b_n", "a_m b_1", "a_m b_n")) == "proved"
    assert last(text.format("b_1 a_1", "b_1 a_n", "b_m a_1", "b_m a_n")) != "proved"


@pytest.mark.parametrize(
    ("one", "verdict"), [("1(k = i)", "proved"), ("1(k == i)", "proved"), (r"1(k \neq i)", "refuted")]
)
def test_one_before_a_condition(one: str, verdict: str) -> None:
    assert last(rf"For $x \in \mathbb{{R}}^n$: $$\frac{{\partial x_k}}{{\partial x_i}} = {one}$$") == verdict


@pytest.mark.parametrize(("text", "kinds"), [
    ("Let \\\\( f(x) = x^2 \\\\). Then \\\\[ f'(x) = 2x \\\\]", ["proved"]),
    ("Let \\( f(x) = x^2 \\). Then\n\n\\[\nf'(x) = 3x\n\\]\n", ["refuted"]),
])  # fmt: skip
def test_formulas_in_round_and_square_brackets(text: str, kinds: list[str]) -> None:
    assert [v for _, v in verdicts(text)] == kinds


def test_code_and_the_end_of_a_row_open_no_formula() -> None:
    text = "`\\( x \\)` and $$\\begin{aligned} a &= b \\\\[2pt] a &= b \\end{aligned}$$"
    assert [c.latex.split() for c in verdicts_of(text)] == [["a", "=", "b"]] * 2


def test_a_heading_gives_a_function() -> None:
    text = "## (a) $f(x) = x^2$\n\n$$f'(x) = 2x$$\n\n## (b) $f(x) = x^3$\n\n$$f'(x) = {}$$\n"
    assert last(text.format("3x^2")) == "proved"
    assert last(text.format("2x")) == "refuted"


def test_an_item_of_a_list_gives_a_letter_anew() -> None:
    text = "a) $y = (3x + 1)^2$\n\nb) $y = \\tanh(2x)$\n\n$$\\frac{dy}{dx} = 2 (1 - \\tanh^2(2x))$$"
    assert [v for _, v in verdicts(text)] == ["proved"]


def test_a_condition_without_a_relation_is_not_understood() -> None:
    text = r"Let $x_i = \begin{cases} 0 & \text{with probability } p \\ 1 & \text{otherwise} \end{cases}$."
    assert "refuted" not in [v for _, v in verdicts(text)]
