"""Gradients explained line by line: typed formulas, statements of documents, functions, in each form."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop.cli import main
from symbackprop.core.terms import SymbackpropError
from symbackprop.documents.check import check_text
from symbackprop.documents.judging import Judge
from symbackprop.functions.explaining import explain, explain_statement
from symbackprop.read.formulas import arrays, contraction
from symbackprop.read.formulas.program import Program
from symbackprop.read.formulas.typed import read_typed
from symbackprop.read.notes.statements.sections import read_file

ROOT = Path(__file__).parents[2]
NOTES = ROOT / "derivations" / "notes-corrected.md"
UNWANTED = ("Derivative(", "KroneckerDelta(", r"\mathrm{part}", r"\mathrm{tidy}", "%", "°")

# (formula, variable, a line of its passage): each is proved, so a formula that is read in another way is seen here
GRADIENTS = [
    ("L = sum((tanh(X W + b) - T)^2)", "W", "∂L/∂W = X^T ∂L/∂Z"),
    ("L = sum((tanh(X W + b) - T)^2)", "b", "∂L/∂b = 1_n^T ∂L/∂Z"),
    ("z = W x + b; a = tanh(z); L = 1/2 norm(a - t)^2", "W", "∂L/∂W = ∂L/∂z x^T"),
    ("z = W x + b; a = tanh(z); L = 1/2 norm(a - t)^2", "x", "∂L/∂x = W^T ∂L/∂z"),
    ("L = -sum_i t_i log(y_i); y_i = exp(z_i)/(sum_k exp(z_k)); z = W x", "W", "∂L/∂W = ∂L/∂z x^T"),
    ("x'*A*x + c'*sin(y)", "x", "∂L/∂x = (A + A^T) x"),
    ("x' A x", "A", "∂L/∂A = x x^T"),
    ("log(det(X)) + tr(A X)", "X", "∂L/∂X = A^T + X^(-T)"),
    ("f = a' X^{-1} b", "X", "∂f/∂X = -X^(-T) a b^T X^(-T)"),
    ("L = tr(A X B X.T)", "A", "∂L/∂A = X B^T X^T"),
    (r"\frac12 \|X w - y\|^2", "w", "∂L/∂w = X^T (X w - y)"),
    ("L = sum_i log(1 + exp(-y_i (X w)_i))", "y", "∂L/∂y = -t ∘ ∂L/∂z"),
    (r"L = \sum_{i,j} M_{ij} (R_{ij} - \sum_k U_{ik} V_{jk})^2", "U", "∂L/∂U = -2 ((R - U V^T) ∘ M) V"),
    ("L = sum(A .* B)", "A", "∂L/∂A = B"),
    ("L = sum(A .^ 3)", "A", "∂L/∂A = 3 A^(∘2)"),
    ("L = a' b", "a", "∂L/∂a = b"),
    ("a' (x .^ 3)", "x", "∂L/∂x = 3 (a ∘ x^(∘2))"),
    ("logdet(X)", "X", "∂L/∂X = X^(-T)"),
    ("var(x)", "x", "∂L/∂x = 2/n (x - mean(x) 1_n)"),
    ("norm(x, 1)", "x", "∂L/∂x = sign(x)"),
    ("norm(A*X*B - C, 'fro')^2", "X", "∂L/∂X = 2 A^T (A X B - C) B^T"),
    ("dot(x, A y)", "A", "∂L/∂A = x y^T"),
    ("tr(inverse(X) A)", "X", "∂L/∂X = -X^(-T) A^T X^(-T)"),
    ("einsum('ij,jk,ki->', A, B, C)", "B", "∂L/∂B = A^T C^T"),
    ("C = einsum('ij,jk->ik', A, B); L = sum(C .* C)", "A", "∂L/∂A = 2 A B B^T"),
    ("einsum('ij,ij->i', A X, B)' c", "A", "∂L/∂A = diag(c) B X^T"),
]


BY_PARTS = [  # whose definitions have determinants of entries, which documents do not write
    ("log(det(X' A X))", "X", "∂L/∂X = A^T X (X^T A X)^(-T) + A X (X^T A X)^(-1)"),
    ("logdet(I + X X')", "X", "∂L/∂X = 2 (X X^T + I_n)^(-1) X"),
    ("det(X' X)", "X", "∂L/∂X = 2 L X (X^T X)^(-1)"),
    ("tr(inv(X' C X) A)", "C", "∂L/∂C = -X (X^T C X)^(-T) A^T (X^T C X)^(-T) X^T"),
]


@pytest.mark.parametrize(("formula", "variable", "wanted"), [*GRADIENTS, *BY_PARTS])
def test_typed_formulas(formula: str, variable: str, wanted: str) -> None:
    found = explain(formula, wrt=variable)
    assert found.derivative.verdict.status == "proved" and all(p.proved for p in found.plan.passages)
    lines = [f"{x.left} = {x.right}" for p in found.plan.passages if p.name == variable for x in p.lines]
    assert wanted in lines
    for form in ("text", "markdown", "latex", "fragment", "html", "svg"):
        body = found.to(form, 3).split(r"\begin{document}")[-1]
        shown = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", body, flags=re.DOTALL)
        assert not any(u in shown for u in UNWANTED), form
    assert max(map(len, found.to("text", 3).splitlines())) <= 80


def test_shapes_that_are_given_and_names_of_several_letters() -> None:
    found = explain("loss = sum((xhat W - target)^2)", {"xhat": "N D", "W": "D K", "target": "N K"}, "W")
    assert found.derivative.derived is not None
    shapes = found.derivative.derived.reverse.declared
    assert {n: str(d) for n, d in shapes.items()} == {"W": "D K", "target": "N K", "xhat": "N D"}
    assert r"\hat{x}" in found.to("latex")


def test_the_program_computes_what_the_formula_says() -> None:
    program = Program(read_typed("L = sum((tanh(X W + b) - T)^2)").asked.formulas)
    found = explain("L = sum((tanh(X W + b) - T)^2)", wrt=program.parameters)
    scope: dict[str, object] = {}
    exec(found.to("numpy"), scope)
    rng = np.random.default_rng(0)
    X, W, b, T = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=(4, 2))
    gradient = scope["gradient"](X=X, W=W, b=b, T=T)  # type: ignore[operator]

    def loss(W: np.ndarray) -> float:
        return float(((np.tanh(X @ W + b) - T) ** 2).sum())

    for at in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[at] = 1e-6
        np.testing.assert_allclose(gradient["W"][at], (loss(W + step) - loss(W - step)) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("formula", "shapes", "message"),
    [
        ("L = ((", None, "the formula ends"),
        ("", None, "a formula is needed"),
        ("L = x + ", None, "nothing after +"),
        ("L = x' y", {"x": "n", "y": "m"}, "product"),
        ("L = frobnicate(x)", None, "no function that is known"),
        ("tr(kron(A, X))", None, "a Kronecker product is read in functions"),
        ("norm(X, 'nuc')", None, "the orders 1, 2 and 'fro' are read"),
        ("dot(x)", None, "2 arguments expected"),
        ("einsum('ij,kj', A)", None, "an index for each axis"),
        ("L = " + "x + " * 6000 + "x", None, "at most"),
    ],
)
def test_what_cannot_be_read_is_one_clear_message(formula: str, shapes: dict[str, str] | None, message: str) -> None:
    with pytest.raises(SymbackpropError) as problem:
        explain(formula, shapes)
    assert message in str(problem.value) and "\n" not in str(problem.value).strip()


def test_a_variable_that_is_not_there() -> None:
    with pytest.raises(SymbackpropError, match="V is no variable of the formula: it has A, x"):
        explain("L = x' A x", wrt="V")


# --- documents -----------------------------------------------------------------------------------

STATEMENTS = {  # line of the notes: the last line of the derivation
    146: "∂L/∂w^L = a^(L-1) ∂L/∂z^L",  # columns and numerator layout, as the section says
    217: "∂L/∂w^L = a^(L-1) ∂L/∂z^L",
    249: "∂L/∂z^l = ∂L/∂a^l ∘ (f'(z^l))^T",
    395: "∂y/∂z^L = diag(y) - y^T y",
    302: "∂L/∂z^l = ∂L/∂a^l ∘ f'(z^l)",  # rows
    530: "∂L/∂w^l = (a^(l-1))^T ∂L/∂z^l",
}


def test_statements_of_the_notes() -> None:
    readings = [r for r in read_file(NOTES) if r.kind in ("claim", "definition") and r.rhs is not None]
    found = {}
    for r in readings:
        if r.line in STATEMENTS and r.line not in found:
            found[r.line] = explain_statement(r)
    for line, wanted in STATEMENTS.items():
        e = found[line]
        assert all(p.proved for p in e.plan.passages)
        assert wanted in [f"{x.left} = {x.right}" for x in e.plan.passages[-1].lines], line
        assert r"\mathcal" not in e.to("text") and max(map(len, e.to("text", 3).splitlines())) <= 80


def test_the_line_of_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", f"{NOTES}:249"]) == 0
    out, err = capsys.readouterr()
    assert "chain rule" in out and f"{NOTES}:249: proved: " in err
    assert main(["explain", f"{NOTES}:2"]) == 2
    assert "no statement stands here; the nearest is in line" in capsys.readouterr().err


def test_a_wrong_statement_is_derived_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.md"
    path.write_text("$$f = x^T A x$$\n\nIn gradient layout\n\n$$\\frac{\\partial f}{\\partial x} = 2 A x$$\n", "utf-8")
    assert main(["explain", f"{path}:5"]) == 1
    out, err = capsys.readouterr()
    assert "refuted" in err and "∂f/∂x = (A + A^T) x" in out


# --- forms ---------------------------------------------------------------------------------------

FORMULA = "L = sum((tanh(X W + b) - T)^2)"


def test_forms_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "svg", "torch"):
        path = tmp_path / form
        assert main(["explain", FORMULA, "--wrt", "W", "--to", form, "-o", str(path)]) == 0
        assert path.read_text(encoding="utf-8").strip()
    assert main(["explain", FORMULA, "--to", "pdf"]) == 2
    assert "add -o page.pdf" in capsys.readouterr().err
    assert main(["explain", FORMULA, "--assuming", "eps > 0"]) == 2
    assert "never executed" in capsys.readouterr().err


def test_the_drawing_is_well_formed_and_has_all_names_and_flows() -> None:
    drawing = ET.fromstring(explain(FORMULA, wrt="W").to("svg"))
    texts = {t.text for t in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert {"X", "W", "b", "T", "Z", "A", "R", "L", "n × d", "∂L/∂W", "∂L/∂Z"} <= texts and "∂L/∂X" not in texts
    flows = [p for p in drawing.iter("{http://www.w3.org/2000/svg}path") if p.get("class") == "flow"]
    assert len(flows) == 4
    boxes = [tuple(float(r.get(k, "0")) for k in ("x", "y", "width", "height"))
             for r in drawing.iter("{http://www.w3.org/2000/svg}rect")]  # fmt: skip
    for k, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x and x + w <= float(drawing.get("width", "0")) and y + h <= float(drawing.get("height", "0"))
        for u, v, a, b in boxes[k + 1 :]:
            assert x + w <= u or u + a <= x or y + h <= v or v + b <= y, "boxes overlap"


def test_what_a_person_typed_is_never_markup() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        return x * 2

    found = explain(f, {"x": "n"}, title="<script>alert(1)</script> & $x$ \\input{/etc/passwd}")
    assert "<script>alert" not in found.to("html")
    assert r"\input" not in found.to("latex").replace(r"\inputenc", "").replace("[utf8]{inputenc}", "")
    assert "\\textbackslash{}input" in found.to("latex")


def test_shapes_for_the_pointer_are_json() -> None:
    html = explain(FORMULA, wrt="W").to("html")
    found = re.search(r'data-shapes="([^"]*)"', html)
    assert found is not None and json.loads(found[1].replace("&quot;", '"'))["W"] == "m × d"


def test_a_notebook_typesets_it() -> None:
    found = explain(FORMULA, wrt="W")
    assert "$$" in found._repr_html_() and "htmlClass" not in found._repr_html_()
    assert found._repr_latex_().count(r"\begin{aligned}") == len(found.plan.passages)
    assert "$$" in found.derivative.verdict._repr_html_() or found.derivative.verdict.statement_latex == ""


def test_the_largest_entry_is_where_it_is_equal_to_the_maximum() -> None:
    *_, line = [x for x in explain("L = max(x)").plan.passages[-1].lines if x.left == "∂L/∂x_i"]
    assert line.right == "[x_i = L]" and line.latex_right == r"\left[x_{i} = L\right]"


def test_the_jacobian_of_a_vector() -> None:
    lines = [f"{x.left} = {x.right}" for p in explain("y = softmax(z)").plan.passages for x in p.lines]
    assert "∂y_i/∂z_j = y_i (δ_ij - y_j)" in lines
    assert any(x.startswith("∂y/∂z = ") and "diag(y)" in x and "y y^T" in x for x in lines)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_pdf_is_the_same_in_every_run() -> None:
    found = explain("L = 1/2 norm(W x - t)^2", wrt="W")
    first = found.pdf()
    assert first.startswith(b"%PDF") and first == found.pdf()


def test_pages_are_the_same_under_other_hashes() -> None:
    code = "from symbackprop.functions.explaining import explain\n"
    code += f"e = explain({FORMULA!r}, wrt='W')\nprint(e.to('latex', 3), e.to('svg'), e.to('text', 3))"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "4711", "PYTHONIOENCODING": "utf-8"}
    there = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
    e = explain(FORMULA, wrt="W")
    assert there.decode() == f"{e.to('latex', 3)} {e.to('svg')} {e.to('text', 3)}\n"


# --- what a page says, read again as a document ---------------------------------------------------

STEPS = ("all entries at once", "put together", "the deltas contract", "chain rule", "power rule", "quotient rule")


def as_document(formula: str, variable: str, altered: bool = False) -> str:
    """The definitions of the derivation and its lines as claims, under the shapes that were inferred."""
    found = explain(formula, wrt=variable)
    lines = [x for p in found.plan.passages for x in p.lines]
    defined = dict.fromkeys((x.latex_left, x.latex_right) for x in lines if x.reason[:7] in ("definit", "abbrevi"))
    assert found.derivative.derived is not None
    declared = found.derivative.derived.reverse.declared.items()
    shapes = "".join(f"  {n}: {' x '.join(map(str, d.shape)) or 'scalar'}\n" for n, d in declared)
    convention = "row" if "convention: row" in read_typed(formula).text else "column"
    text = f"<!-- symbackprop:\nconvention: {convention}\nlayout: gradient\narrays:\n{shapes}-->\n\n"
    claims = [(x.latex_left, x.latex_right) for x in lines if x.reason in STEPS]
    if altered:
        claims = [(a, rf"2 \left({b}\right)") for a, b in claims]
    return text + "\n\n".join(f"$${a} = {b}$$" for a, b in (*defined, *claims)) + "\n"


@pytest.mark.parametrize(("formula", "variable"), {f: v for f, v, _ in GRADIENTS}.items())
def test_each_line_of_a_page_is_proved_by_the_reader_of_documents(formula: str, variable: str) -> None:
    claims = [c for c in check_text(as_document(formula, variable), judge=Judge(repair=False)) if c.kind == "claim"]
    assert claims and [c.latex for c in claims if c.verdict != "proved"] == []


@pytest.mark.parametrize(("formula", "variable"), [("x' A x", "x"), ("a = tanh(W x); L = 1/2 norm(a - t)^2", "W")])
def test_no_altered_line_is(formula: str, variable: str) -> None:
    text = as_document(formula, variable, altered=True)
    claims = [c for c in check_text(text, judge=Judge(repair=False)) if c.kind == "claim"]
    assert claims and [c.latex for c in claims if c.verdict == "proved"] == []


def test_the_page_of_a_document_has_derivations_by_intermediates(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    notes = tmp_path / "notes.md"
    notes.write_text("$$L = \\tfrac12 \\|W x - t\\|^2$$\n\n$$\\nabla_W L = (W x - t) x^T$$\n", encoding="utf-8")
    assert main(["check", str(notes), "--html", str(page)]) == 0
    html = page.read_text(encoding="utf-8")
    assert html.count('<div class="derivation">') == 1 and "all entries at once" in html and "algebra" not in html


def test_w1_is_one_name() -> None:
    found = explain("h = tanh(W1 x + b1); y = W2 h + b2; L = 1/2 norm(y - t)^2", wrt=["W1", "b2"])
    lines = [f"{x.left} = {x.right}" for p in found.plan.passages for x in p.lines]
    assert "∂L/∂W1 = (W2^T (y - t) ∘ (1 - h^(∘2))) x^T" in lines and "∂L/∂b2 = y - t" in lines
    assert "dW1 = " in found.to("numpy") and "W_{1}" in found.to("latex") and "acute" not in found.to("latex")
    for formula, name in ((r"y = \acute{v} v1", "v1"), ("y = gamma12 x", "γ12"), (r"y = \hat{x} x7", "x7")):
        assert name in {names[0] for names, _ in explain(formula).plan.shapes}


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("L = (X w - y)'(X w - y)", "∂L/∂y_i = 2 y_i - 2 Σ_j X_ij w_j"),
        ("L = x'diag(d)x", "∂L/∂x_i = d_i x_i + x_i d_i"),
        ("L = sum(abs(x))", "∂L/∂x = sign(x)"),
        ("L = sum(relu(W x))", "∂L/∂x_i = Σ_j W_ji [Σ_k W_jk x_k > 0]"),
        ("a = sigma(z); L = sum(a)", "∂L/∂z = σ'(z)"),
        ("L = lambda * x' x", "∂L/∂λ = Σ_i x_i^2"),
        ("S = Q K'; P = softmax(S); L = sum(P .* P)", "∂L/∂Q = ∂L/∂S K"),
    ],
)
def test_signs_of_the_keyboard(formula: str, wanted: str) -> None:
    lines = [f"{x.left} = {x.right}" for p in explain(formula).plan.passages for x in p.lines]
    assert wanted in lines, lines


def test_a_computation_that_is_not_the_formula_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded from a formula is proved to be it, opened down to the variables."""
    explain("L = sum(A .* B .* A)", wrt="A")
    right = contraction.contracted
    monkeypatch.setattr(arrays, "contracted", lambda parts, dummies: right(parts[:2], dummies))
    with pytest.raises(SymbackpropError, match="could not be shown to be what was differentiated"):
        explain("L = sum(A .* B .* A)", wrt="A")


def scaled_and_centred(x, s):
    m = x.mean(-1, keepdims=True)
    return s * (x - m) / (3 * x.shape[0])


def shifted_by_sizes(x, w):
    m = x.mean(-1, keepdims=True)
    return (x - m - (x.shape[1] + 1)) * w


@pytest.mark.parametrize(("function", "shapes", "variable", "wanted"), [
    (scaled_and_centred, {"x": "N D", "s": ""}, "x", "∂L/∂x = 1/(3 N) s ∂L/∂Y - 1/(3 D N) s sum_rows(∂L/∂Y)"),
    (shifted_by_sizes, {"x": "N D", "w": "N D"}, "w", "∂L/∂w = ∂L/∂Y ∘ (x - m - (D + 1))"),
])  # fmt: skip
def test_numbers_and_sizes_in_forms_of_a_program(
    function: Callable[..., Any], shapes: dict[str, str], variable: str, wanted: str
) -> None:
    lines = [f"{x.left} = {x.right}" for p in explain(function, shapes, variable).plan.passages for x in p.lines]
    assert wanted in lines, lines
