"""Functions of one number in documents, by every word that authors have for them: from the table, none forgotten."""

from __future__ import annotations

import pytest
from document_verdicts import verdicts_of

from symbackprop.core.functions import COMPOSED, FUNCTIONS, UNREAD

SLOPES = {  # of g(z), and the sign with which it would be wrong
    "exp": r"e^z", "log": r"\frac{1}{z}", "tanh": r"1 - \tanh^2 z", "sin": r"\cos z", "cos": r"-\sin z",
    "sinh": r"\cosh z", "cosh": r"\sinh z", "atan": r"\frac{1}{1 + z^2}", "erf": r"\frac{2}{\sqrt{\pi}} e^{-z^2}",
    "sigmoid": r"\sigma(z)(1 - \sigma(z))", "softplus": r"\frac{1}{1 + e^{-z}}", "sqrt": r"\frac{1}{2\sqrt{z}}",
    "relu": r"[z > 0]", "abs": r"\operatorname{sign}(z)", "tan": r"\frac{1}{\cos^2 z}",
    "softsign": r"\frac{1}{(1 + |z|)^2}", "silu": r"\sigma(z) + z \sigma(z)(1 - \sigma(z))",
    "arcsin": r"\frac{1}{\sqrt{1 - z^2}}", "arccos": r"-\frac{1}{\sqrt{1 - z^2}}",
    "arcsinh": r"\frac{1}{\sqrt{1 + z^2}}", "arccosh": r"\frac{1}{\sqrt{z^2 - 1}}", "arctanh": r"\frac{1}{1 - z^2}",
    "cot": r"-1 - \frac{\cos^2 z}{\sin^2 z}", "sec": r"\frac{\sin z}{\cos^2 z}", "csc": r"-\frac{\cos z}{\sin^2 z}",
    "csch": r"-\frac{\cosh z}{\sinh^2 z}", "sech": r"-\frac{\sinh z}{\cosh^2 z}", "coth": r"-\frac{1}{\sinh^2 z}",
    "erfc": r"-\frac{2}{\sqrt{\pi}} e^{-z^2}", "expm1": r"e^z", "log1p": r"\frac{1}{1 + z}",
    "logit": r"\frac{1}{z(1 - z)}", "logsigmoid": r"1 - \sigma(z)",
    "gelu": r"\frac{1}{2}(1 + \operatorname{erf}(\frac{z}{\sqrt{2}})) + \frac{z}{\sqrt{2\pi}} e^{-\frac{z^2}{2}}",
}  # fmt: skip
ROWS = {**FUNCTIONS, **COMPOSED}
WORDS = [(name, word) for name, row in ROWS.items() if name in SLOPES for word in row.words]


def test_every_function_is_here() -> None:
    assert {name for name, row in ROWS.items() if row.words} - set(SLOPES) == {"step", "sign", "mish"}


@pytest.mark.parametrize(("name", "word"), WORDS, ids=[w for _, w in WORDS])
def test_slopes(name: str, word: str) -> None:
    text = rf"Let $\sigma$ be the sigmoid, $z \in \mathbb{{R}}$, $g = \operatorname{{{word}}}(z)$." "\n\n"
    right, wrong = rf"$$\frac{{dg}}{{dz}} = {SLOPES[name]}$$", rf"$$\frac{{dg}}{{dz}} = 1 + {SLOPES[name]}$$"
    found = [c for c in verdicts_of(text + right + "\n\n" + wrong) if c.kind == "claim"]
    assert [c.verdict for c in found] == ["proved", "refuted"], [c.outcome.message for c in found]


@pytest.mark.parametrize("word", sorted(UNREAD))
def test_what_has_no_meaning_decides_nothing(word: str) -> None:
    text = rf"Let $z \in \mathbb{{R}}$ and $g = \operatorname{{{word}}}(z)$. $$\frac{{dg}}{{dz}} = 2$$"
    assert {c.verdict for c in verdicts_of(text)} <= {"unknown", None}


@pytest.mark.parametrize("spelled", [r"\operatorname{%s}(z)", r"\mathrm{%s}(z)", r"\text{%s}(z)"])
@pytest.mark.parametrize("word", ["bump", "score", "squash"])
def test_a_word_before_brackets_is_no_factor(spelled: str, word: str) -> None:
    claims = r"$$\frac{dg}{dz} = 2$$ $$\frac{dg}{dz} = 3$$"
    text = rf"Let $z \in \mathbb{{R}}$ and $g = 3 {spelled % word}$. {claims}"
    assert {c.verdict for c in verdicts_of(text)} <= {"unknown", None}


PI = r"Let $z \in \mathbb{R}$ and $g = \sin(\pi z)$."
BERNOULLI = r"$B = x \log \pi + (1 - x) \log(1 - \pi)$ with $x \in \mathbb{R}$."


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        (PI + r"$$\frac{dg}{dz} = \pi \cos(\pi z)$$ $$\frac{dg}{dz} = 3 \cos(3 z)$$", ["proved", "refuted"]),
        (BERNOULLI + r"$$\frac{\partial B}{\partial \pi} = \frac{x}{\pi} - \frac{1 - x}{1 - \pi}$$", ["proved"]),
        (BERNOULLI + r"$$\frac{\partial B}{\partial \pi} = \frac{x}{\pi} + \frac{1 - x}{1 - \pi}$$", ["refuted"]),
    ],
)
def test_pi_is_the_number_unless_it_is_a_variable(text: str, verdicts: list[str]) -> None:
    assert [c.verdict for c in verdicts_of(text) if c.kind == "claim"] == verdicts
