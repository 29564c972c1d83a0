"""What a verdict shows: text, rich text, LaTeX, HTML, JSON; conditions, hypotheses, witness."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from symbackprop import check_gradient
from symbackprop.core.indices import Index, sized
from symbackprop.core.terms import (
    Apply,
    Array,
    Delta,
    Entry,
    Holds,
    Mul,
    Nonzero,
    Num,
    Positive,
    Power,
    Term,
    add,
    div,
    mul,
    neg,
    num,
    over,
    sub,
    whole,
)
from symbackprop.decide.outcomes import Condition
from symbackprop.functions.deciding import together
from symbackprop.functions.verdict import Verdict
from symbackprop.write.paper.array_text import latex, predicate_text, text

N, M = sized("n"), sized("m")
I, J, K, I2 = Index("w0", N), Index("w1", M), Index("~1", M), Index("w2", N)


def x(*at: Index) -> Entry:
    return Entry(Array("x"), at)


NOTATION: list[tuple[Term, str]] = [
    (over(K, mul(x(I, K), x(J, K))), "Σ_k x[i,k] x[j,k]"),
    (div(over(K, x(I, K)), M), "(Σ_j x[i,j]) / m"),
    (sub(x(I), num(1)), "x[i] - 1"),
    (neg(add(x(I), x(J))), "-(x[i] + x[j])"),
    (Power(add(x(I), num(2)), num(1).value / 2), "√(x[i] + 2)"),
    (Power(x(I), num(-2).value), "1 / x[i]^2"),
    (mul(num(3), x(I), Power(N, num(-1).value)), "3 x[i] / n"),
    (mul(Num(num(1).value / 2), x(I)), "x[i] / 2"),
    (Apply("exp", neg(x(I))), "exp(-x[i])"),
    (Apply("f", x(I), 2), "f''(x[i])"),
    (Delta(I, J), "[i = j]"),
    (Holds(Positive(sub(x(I), x(J)))), "[x[i] > x[j]]"),
    (whole("max", 0, (K,), x(I, K), ()), "max_j(x[i,j])"),
    (whole("inv", 0, (I, I2), x(I, I2), (I, I2)), "inv(x)[i,j]"),
    (mul(over(K, x(K)), over(K, x(I, K))), "(Σ_j x[j]) Σ_j x[i,j]"),
    (mul(add(x(I), x(J)), x(I)), "(x[i] + x[j]) x[i]"),
    (over(K, add(x(K), x(I))), "Σ_j (x[j] + x[i])"),
    (mul(num(0), x(I)), "0"),
    (Mul(()), "1"),
]


@pytest.mark.parametrize(("term", "shown"), NOTATION, ids=[s for _, s in NOTATION])
def test_notation(term: Term, shown: str) -> None:
    assert text(term) == shown
    assert latex(term).count("{") == latex(term).count("}")


def test_letters_are_never_names_of_the_formula() -> None:
    term = mul(Entry(Array("i"), (I,)), Entry(Array("k"), (J,)))
    assert text(term) == "i[j] k[l]"
    assert predicate_text(Nonzero(sub(x(I), num(2)))) == "x[i] ≠ 2"


def test_a_proved_verdict() -> None:
    v = check_gradient(
        lambda x, w, eps: (np.maximum(x, 0) * w / np.sqrt(eps)).sum(), lambda x, w, eps: w * (x > 0) / np.sqrt(eps),
        {"x": "n", "w": "n", "eps": ""}, "x", lambda eps: [eps > 0],
    )  # fmt: skip
    assert v and v.status == "proved" and v.name == "x"
    assert v.hypotheses == ("eps > 0",)
    assert [str(c) for c in v.conditions] == ["x[i] ≠ 0  (a kink of the forward)"] or "x[j] ≠ 0" in str(v.conditions[0])
    assert v.counterexample is None and v.repair is None and v.recheck()
    assert next(value for array, _, value in v.witness.entries if array == Array("eps")) > 0
    shown = str(v)
    assert shown.startswith("x: proved\n  claim   ∂L/∂x[i] = w[i] [x[i] > 0] / √eps")
    assert "assuming eps > 0" in shown and "where x[" in shown
    tex = v._repr_latex_()
    assert tex is not None and tex.startswith("$\\displaystyle") and r"\frac{\partial L}{\partial x}" in tex


def wrong() -> Verdict:
    return check_gradient(lambda x: (x**2).mean(), lambda x: 2 * x, {"x": "n"})


def test_a_refuted_verdict() -> None:
    v = wrong()
    assert not v and v.mistake == "missing factor 1/n" and v.special_cases == ("n = 1",)
    assert (v.counterexample.sizes == {"n": 2} and v.counterexample.index == {"w0": 0}) or v.counterexample.index
    lines = str(v).splitlines()
    assert lines[0] == "x: refuted: missing factor 1/n"
    assert "  claim   ∂L/∂x[i] = 2 x[i]" in lines
    assert any(line.startswith("  derivative") for line in lines) and any(
        line.startswith("  backward") for line in lines
    )
    assert "  proved  ∂L/∂x[i] = 2 x[i] / n" in lines
    assert "  the claim is true when n = 1" in lines
    assert v.repair is not None and "def compute(" in v.repair.code
    tex = v._repr_latex_()
    assert tex is not None and r"\frac{2}{n}" in tex


def test_rich_and_html_show_the_same() -> None:
    v = wrong()
    stream = io.StringIO()
    Console(file=stream, width=200, force_terminal=False).print(v)
    shown = stream.getvalue()
    assert "✗ x: refuted: missing factor 1/n" in shown and "proved  ∂L/∂x[i] = 2 x[i] / n" in shown
    html = v._repr_html_()
    assert html.count("<div") == html.count("</div>") and "missing factor 1/n" in html and "<details>" in html


def test_html_escapes_what_a_user_wrote() -> None:
    hostile = Verdict("unknown", "<script>alert(1)</script>", reason="<img src=x onerror=alert(2)>")
    assert "<script" not in hostile._repr_html_() and "<img" not in hostile._repr_html_()


def test_json_is_plain_and_complete() -> None:
    for v in (wrong(), check_gradient(lambda x: x, lambda x, g: g.sum(), {"x": "n"})):
        found = json.loads(json.dumps(v.as_json()))
        assert found["status"] == "refuted" and found["name"] == "x"
        assert found["counterexample"]["sizes"] and found["repair"]["text"].startswith("∂L/∂x")
    assert set(found) == {
        "status", "name", "statement", "reason", "hypotheses", "conditions", "mistake", "repair", "special_cases",
        "counterexample",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (("proved", "proved"), "proved"),
        (("proved", "unknown"), "unknown"),
        (("unknown", "refuted"), "refuted"),
        (("proved", "ill-formed"), "ill-formed"),
        (("refuted", "ill-formed"), "refuted"),
    ],
)
def test_several_variables_get_the_worst_of_their_verdicts(statuses: tuple[str, ...], worst: str) -> None:
    parts = {f"v{k}": Verdict(s, f"v{k}", conditions=(Condition(f"c{k}"),)) for k, s in enumerate(statuses)}
    v = together(parts)
    assert v.status == worst and bool(v) == (worst == "proved") and v.gradients == parts
    assert str(v).splitlines()[0] == f"{worst}: {statuses.count('proved')} of 2 proved"
    if worst == "proved":
        assert [c.text for c in v.conditions] == ["c0", "c1"]


def test_a_result_without_a_value_is_refuted() -> None:
    v = check_gradient(lambda x: np.maximum(x, 0).sum(), lambda x: np.maximum(x, 0) / np.maximum(x, 0), {"x": "n"})
    assert v.status == "refuted" and v.counterexample.kind == "no value"
    assert "no value: 0/0" in str(v)


def test_shapes_are_shown_with_sizes() -> None:
    v = check_gradient(lambda x, b: x + b, lambda x, b, g: g, {"x": "B D", "b": "D"}, "b")
    assert "the result has shape (1, 1) where b needs (1,)" in str(v)
    assert v.repair is not None and v.repair.text == "∂L/∂b[i] = Σ_j g[j,i]"


def test_long_formulas_are_cut() -> None:
    def f(x: Any) -> Any:
        return sum(np.sin(k * x) for k in range(1, 40)).sum()

    v = check_gradient(f, lambda x: sum(k * np.cos(k * x) for k in range(1, 40)), {"x": "n"}, seek_repair=False)
    assert v.status == "proved" and max(map(len, str(v).splitlines())) < 520
