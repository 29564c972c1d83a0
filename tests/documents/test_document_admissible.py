"""What public documents say and no reading may refute: conditions, other meanings of a letter, ways of writing.

Each kind in variants, with a statement beside it that is wrong all the same."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from document_verdicts import verdicts_of

from symbackprop.cli import main


def last(text: str) -> str | None:
    return [c.verdict for c in verdicts_of(text) if c.reading.kind in ("claim", "shape")][-1]


def none_wrong(text: str) -> bool:
    return not any(c.verdict in ("refuted", "ill-formed") for c in verdicts_of(text))


RELATIONS = (
    r"x = \sqrt2", r"t = 1", r"\gamma = 0", r"x = x_{\mathrm{A}}", r"x^3 - 2x = 0", r"X^T X \theta = 0", r"A x = b",
    r"\frac{k}{n} = \bar{x}", r"\sum_{i=1}^n x_i - n \mu = 0", r"H_{i,j} = H_{j,i}", r"b = b - \alpha",
)  # fmt: skip


@pytest.mark.parametrize("formula", RELATIONS)
@pytest.mark.parametrize("words", ["We look at what happens where {0}.", "so {0}, therefore", "{0}"])
def test_what_relates_letters_that_nothing_gives_is_no_identity(words: str, formula: str) -> None:
    assert none_wrong(words.format(f"${formula}$"))


@pytest.mark.parametrize(("right", "wrong"), [
    (r"(a + b)^2 = a^2 + 2ab + b^2", r"(a + b)^2 = a^2 + b^2 + ab"),
    (r"\frac{d}{dx} x^3 = 3x^2", r"\frac{d}{dx} x^3 = 3x"),
])  # fmt: skip
def test_an_identity_has_the_same_letters_on_both_sides(right: str, wrong: str) -> None:
    assert (last(f"$${right}$$"), last(f"$${wrong}$$")) == ("proved", "refuted")


WAYS = [
    (r"Let $a, b, x \in \mathbb{R}$ and $g(x) = a x^2 + b x$. $$\frac{dg}{dx}(x) = {0}$$", "2ax + b", "2ax"),
    (r"Let $x, y \in \mathbb{R}$ and $f(x, y) = x^2 y$. $$\frac{\partial f}{\partial x}(x, y) = {0}$$", "2xy", "2x"),
    (r"$\log{p(x \mid \mu, s)} = -\log s - \frac{(x - \mu)^2}{2 s^2}$. "
     r"$$\frac{\partial \log{p(x \mid \mu, s)}}{\partial \mu} = {0}$$", r"\frac{x - \mu}{s^2}", r"\frac{x - \mu}{s}"),
    (r"$$\text{softmax}(z_i) = {0}$$", r"\frac{e^{z_i}}{\sum_{j} e^{z_j}}", r"\frac{e^{2z_i}}{\sum_{j} e^{z_j}}"),
    (r"$$(\Delta x + y)^2 = (\Delta x)^2 + {0} + y^2$$", r"2 y \Delta x", r"y \Delta x"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "right", "wrong"), WAYS)
def test_ways_of_writing(text: str, right: str, wrong: str) -> None:
    assert [last(text.replace("{0}", x)) for x in (right, wrong)] == ["proved", "refuted"]


@pytest.mark.parametrize("text", [
    r"$P(t=1|z) = \sigma(z)$ and $P(t=0|z) = 1 - \sigma(z)$ with $\sigma(z) = \frac{1}{1 + e^{-z}}$.",
    r"For $\ell(\theta) = \theta^3$: $$-E\left[\frac{\partial^2 \ell}{\partial \theta^2}\right] = "
    r"E\left[\left(\frac{\partial \ell}{\partial \theta}\right)^2\right]$$",
    r"$\sigma(z) \in (0, 1)$, $f(x) \in [0, 1]$, $x \in (-1, 1)$ for $x, z \in \mathbb{R}^n$.",
    r"$$\frac{d}{dx} f(x) = Df(x) = D_x f(x)$$",
    r"The null space: $null(X^T X) = null(X)$.",
    r"By the singular value decomposition $X = U D V^T$. $$X^T X = V D^2 V^T$$",
    r"So $\frac{\partial L}{\partial x} = 0$, $\frac{\partial L}{\partial y} = 0$ with $L = x^2 + y^2$.",
    "# A\n\nLet $y \\in \\mathbb{R}^m$, $t \\in \\mathbb{R}^m$.\n\n# B\n\nConsider $y = t^2$. $$\\frac{dy}{dt} = 2t$$",
    r"$\sigma'(z) = \sigma(z) (1 - \sigma(z))$ for $z \in \mathbb{R}^n$.",
    r"Let $o = W h$ and $L = l(o, y)$. $$\frac{\partial L}{\partial o} \in \mathbb{R}^q$$",
])  # fmt: skip
def test_what_the_text_leaves_open_refutes_nothing(text: str) -> None:
    assert none_wrong(text)


GIVEN = ("3w^2 + 2w", "(5 - 2w)^2", r"\tanh(w)")
SLOPES = ("6w + 2", "8w - 20", r"1 - \tanh^2(w)")


@pytest.mark.parametrize(("k", "j"), list(product(range(3), range(3))))
def test_a_list_of_functions_and_then_their_derivatives(k: int, j: int) -> None:
    listed = "\n\n".join(f"**{x})** $f(w) = {body}$" for x, body in zip("abc", GIVEN, strict=True))
    slope = SLOPES[k] if k == j else f"{SLOPES[k]} + 1"
    found = last(f"{listed}\n\n**{'abc'[k]})** $\\frac{{df}}{{dw}} = {slope}$")
    assert found in (("proved", "unknown") if k == j else ("refuted",))


def test_what_was_used_before_it_was_given_anew_is_over() -> None:
    text = r"Let $p = x^2$. Then $\frac{dp}{dx} = 2x$. Now let $p = x^3$. Then $\frac{dp}{dx} = {0}$."
    assert last(text.replace("{0}", "3x^2")) == "proved"
    assert last(text.replace("{0}", "2x")) == "refuted"


@pytest.mark.parametrize("rank", ["full column rank", "full rank"])
def test_the_rank_of_a_matrix_says_nothing_of_its_shape(rank: str) -> None:
    text = rf"Let $J(w) = \|X w - y\|^2$, where $X$ has {rank}. $$\nabla_w J = 2 X^T (X w - y)$$"
    (claim,) = [c for c in verdicts_of(text) if c.kind == "claim"]
    rows, columns = claim.reading.declarations.arrays["X"].shape
    assert claim.verdict == "proved" and rows != columns


def test_declare_says_where_there_is_no_block_to_keep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (notes := tmp_path / "words.md").write_text("Just words and $x = 1$.\n")
    main(["check", str(notes), "--declare"])
    out, err = capsys.readouterr()
    assert not out.strip() and err.count("no block to keep") == 1
