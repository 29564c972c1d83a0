"""Documents in several styles through the prover: true statements proved, planted mistakes found and mended."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from exact_values import recheck

from symbackprop.core.indices import Index, sized
from symbackprop.core.kernel import check
from symbackprop.core.terms import Array, Entry, Positive
from symbackprop.core.theorem import theorem
from symbackprop.decide.outcomes import Checked
from symbackprop.documents.check import check_document, check_text
from symbackprop.documents.judging import Judge
from symbackprop.documents.outcome_of import worked_out
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.statements.claims import Claim, elaborate
from symbackprop.write.notes.letters import condition_latex, condition_text

DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"
P, R, I, U, N = "proved", "refuted", "ill-formed", "unknown", None

VERDICTS = {
    "nielsen.md": "N N N P P P P P P I I I I I R P P R P I",
    "ng.md": "P N P P P R P P P P I I R P P",
    "d2l.md": "P N P I P P P R P P R",
    "rnn.md": "P P P P R P R",
    "paper.tex": "N N N N N N N N N N P P P P I P R R",
}
REPAIRS = {
    ("nielsen.md", 37): (r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)", "transpose missing on w^{l+1}"),
    ("nielsen.md", 38): (r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)", "wrong layer: z^{l+1} for z^l"),
    ("nielsen.md", 39): (
        r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_{k} \delta^l_{j}", "indices j and k exchanged",
    ),
    ("nielsen.md", 40): (
        r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_{k} \delta^l_j", "wrong layer: a^l for a^{l-1}",
    ),
    ("nielsen.md", 41): (
        r"\delta^l_j = \sum_k w^{l+1}_{kj} \delta^{l+1}_k \sigma'(z^l_j)", "indices of w^{l+1} in the wrong order",
    ),
    ("nielsen.md", 42): (r"\delta^L = \nabla_a C \odot \sigma'(z^L)", r"missing factor \sigma'(z^L)"),
    ("nielsen.md", 52): (r"\delta^L = (a^L - y) \odot \sigma'(z^L)", "sign"),
    ("ng.md", 34): (r"dW^{[l]} = dZ^{[l]} A^{[l-1]T}", r"extra factor \frac{1}{m}"),
    ("ng.md", 39): (r"dZ^{[l]} = W^{[l+1]T} dZ^{[l+1]} \odot g'(Z^{[l]})", "transpose missing on W^{[l+1]}"),
    ("ng.md", 40): (r"dA^{[l-1]} = W^{[l]T} dZ^{[l]}", "transpose missing on W^{[l]}"),
    ("ng.md", 41): (r"db^{[l]} = dZ^{[l]} \mathbf{1}_{m}", "missing sum over m"),
    ("d2l.md", 29): (r"\partial_{o_j} l = \mathrm{softmax}(\mathbf{o})_j - y_j", "sign"),
    ("d2l.md", 32): (r"\frac{\partial \hat{y}_i}{\partial o_j} = \hat{y}_i (\delta_{ij} - \hat{y}_j)", "1 for δ_ij"),
    ("rnn.md", 29): (
        r"\frac{\partial E}{\partial h_{t-1}} = W^\top \left(\phi'(a_t) \odot \frac{\partial E}{\partial h_t}\right)",
        "transpose missing on W",
    ),
    ("rnn.md", 33): (r"\frac{\partial a_{t,i}}{\partial h_{t-1,j}} = W_{ij}", "indices of W in the wrong order"),
    ("paper.tex", 16): (
        r"\frac{\partial \ell}{\partial \mathbf{x}} = \mathbf{W}^\top \frac{\partial \ell}{\partial \mathbf{z}}",
        r"transpose missing on \mathbf{W}",
    ),
    ("paper.tex", 18): (r"= (\mathbf{v} \odot f'(\mathbf{z})) \mathbf{x}^\top", "result transposed"),
}  # fmt: skip


@cache
def checked(name: str) -> list[Checked]:
    return check_document(DOCUMENTS / name)


@pytest.mark.parametrize("name", VERDICTS)
def test_documents_of_several_styles(name: str) -> None:
    found = checked(name)
    expected = [{"P": P, "R": R, "I": I, "U": U, "N": N}[v] for v in VERDICTS[name].split()]
    assert [c.verdict for c in found] == expected, [(c.line, c.latex, c.verdict) for c in found]


@pytest.mark.parametrize(("name", "line"), REPAIRS)
def test_planted_mistakes_are_mended_in_the_notation_of_the_author(name: str, line: int) -> None:
    (c,) = [c for c in checked(name) if c.line == line and c.bad]
    assert c.outcome.repair is not None
    latex, mistake = REPAIRS[name, line]
    assert (c.outcome.repair.latex, c.outcome.mistake) == (latex, mistake)


def test_repairs_are_read_and_proved_again() -> None:
    """In the place of the wrong statement the repair is a proved statement."""
    for name in ("nielsen.md", "ng.md", "d2l.md", "rnn.md"):
        text = (DOCUMENTS / name).read_text()
        for c in checked(name):
            if c.outcome.repair is not None:
                text = text.replace(f"$${c.latex}$$", f"$${c.outcome.repair.latex}$$")
        again = {c.line: c for c in check_text(text, name)}
        for c in checked(name):
            if c.outcome.repair is not None:
                assert again[c.line].verdict == "proved", again[c.line].latex


def test_proofs_are_checked_again_from_nothing() -> None:
    for c in checked("nielsen.md") + checked("d2l.md"):
        proof = c.outcome.proof
        if proof is None:
            continue
        for step in (*proof.derivatives, proof.equality()):
            assert check(step.proof, step.context) == step.equation
        for t in proof.theorems:
            assert theorem(t.statement, t.rows, t.excused).statement.rhs == t.statement.rhs
        if proof.whole is not None:
            claim = elaborate(c.reading)
            assert isinstance(claim, Claim)
            assert (proof.whole.statement.lhs, proof.whole.statement.rhs) == (claim.lhs, claim.rhs)


def test_counterexamples_stand_in_floats_too() -> None:
    for name in VERDICTS:
        for c in checked(name):
            example = c.outcome.counterexample
            if c.verdict == "refuted" and hasattr(example, "point"):
                left, right = recheck(example)
                assert abs(left - right) > 1e-6 * max(1, abs(left)), (name, c.latex)


# --- a table of statements -------------------------------------------------------------------

HEAD = r"""<!-- symbackprop:
convention: column
layout: gradient
sizes: n, m
indices: i, j, k
arrays:
  x, g, u, v, y: n
  A, B: n x n
  W: m x n
  b: m
  c: scalar
functions:
  f: elementwise
  \sigma(z): \frac{1}{1+e^{-z}}
  r(z): \max(0, z)
-->

"""
STATEMENTS = {
    r"\nabla_x (x^T A x) = (A + A^T) x": P,
    r"\nabla_x (x^T A x) = 2 A x": R,
    r"\nabla_x \|x\| = \frac{x}{\|x\|}": P,
    r"\nabla_A \operatorname{tr}(A B) = B^T": P,
    r"\nabla_A \operatorname{tr}(A B) = B": R,
    r"\nabla_A \log \det A = A^{-T}": P,
    r"\nabla_A \det A = \det(A) A^{-1}": R,
    r"\nabla_W \|W x - b\|^2 = 2 (W x - b) x^T": P,
    r"\nabla_x \|W x - b\|^2 = W^T (W x - b)": R,
    r"\nabla_x \log \sum_k e^{x_k} = \operatorname{softmax}(x)": P,
    r"\nabla_x (u^T f(x)) = u \odot f'(x)": P,
    r"\nabla_x (u^T f(x)) = u^T f'(x)": R,
    r"(A B)^T = B^T A^T": P,
    r"(A B)^T = A^T B^T": R,
    r"A B = B A": R,
    r"\sqrt{x_i^2} = |x_i|": P,
    r"\sqrt{x_i^2} = x_i": R,
    r"\frac{x_i}{x_i} = 1": P,
    r"e^{\log x_i} = x_i": P,
    r"\sum_i \sum_j x_i y_j = \left(\sum_i x_i\right) \left(\sum_j y_j\right)": P,
    r"\sum_i x_i y_i = \left(\sum_i x_i\right) \left(\sum_i y_i\right)": R,
    r"\sum_i (x_i - \frac{1}{n} \sum_j x_j)^2 = \sum_i x_i^2 - \frac{1}{n} \left(\sum_i x_i\right)^2": P,
    r"\nabla_x (x^T y) = y^T": R,
    r"\operatorname{diag}(x) y = x \odot y": P,
    r"\frac{\partial x_i}{\partial x_j} = 1": R,
    r"\sum_i \frac{\partial x_i}{\partial x_i} = n": P,
    r"\sigma'(x_i) = \sigma(x_i) (1 - \sigma(x_i))": P,
    r"\sigma'(x_i) = \sigma(x_i) (1 + \sigma(x_i))": R,
    r"\sigma(-x_i) = 1 - \sigma(x_i)": P,
    r"\tanh(x_i) = 2 \sigma(2 x_i) - 1": P,
    r"r(x_i) = \frac{x_i + |x_i|}{2}": P,
    r"r(x_i) = \max(x_i, 0)": P,
    r"\max(x_i, y_i) + \min(x_i, y_i) = x_i + y_i": P,
    r"\max(x_i, y_i) = x_i": R,
    r"\frac{\partial}{\partial x_j} \frac{1}{n} \sum_i x_i = \frac{1}{n}": P,
    r"A x = W x": R,
    r"A + W = A": I,
    r"A x = A x + 0": P,
    r"A x = A x + 1": R,
    r"x_i = q_i": U,
    r"x_i = y_j": I,
    r"\frac{1}{0} = 0": U,
    r"0 = 1": R,
}  # fmt: skip


@cache
def stated() -> dict[str, Checked]:
    return {c.latex: c for c in check_text(HEAD + "\n\n".join(f"$${s}$$" for s in STATEMENTS))}


@pytest.mark.parametrize("latex", STATEMENTS)
def test_statements(latex: str) -> None:
    c = stated()[latex]
    assert c.verdict == STATEMENTS[latex], c.outcome.message


def test_nothing_else_is_stated() -> None:
    assert stated().keys() == STATEMENTS.keys()


def test_special_cases_are_said() -> None:
    assert stated()[r"\nabla_x (x^T A x) = 2 A x"].outcome.special_cases == ("A is symmetric",)
    assert stated()[r"\nabla_x (x^T y) = y^T"].outcome.special_cases == ("n = 1",)


def test_conditions_are_listed_and_cost_nothing() -> None:
    found = {latex: [str(x) for x in c.outcome.conditions] for latex, c in stated().items()}
    assert found[r"\frac{x_i}{x_i} = 1"] == ["x_i ≠ 0 (a side has no value elsewhere)"]
    assert found[r"(A B)^T = B^T A^T"] == []
    inner = Positive(Entry(Array("x"), (Index("~1", sized("n")),)))
    assert (condition_text(inner), condition_latex(inner)) == ("x_i > 0", "x_{i} > 0")


def test_a_derivative_by_something_defined_is_a_theorem_of_its_own() -> None:
    c = checked("nielsen.md")[5]
    assert c.latex.startswith(r"\delta^l = ((w^{l+1})^T")
    assert c.outcome.proof is not None and c.outcome.proof.whole is None and c.outcome.proof.derivatives
    claim = elaborate(c.reading)
    assert isinstance(claim, Claim) and worked_out(claim).run.apart


def test_a_hypothesis_that_nothing_satisfies_proves_nothing() -> None:
    text = HEAD.replace("functions:", "hypotheses:\n  - \\sum_i x_i = 1\n  - \\sum_i x_i = 2\nfunctions:")
    (c,) = check_text(text + r"$$\sum_i x_i = 1$$")
    assert c.verdict == "unknown" and "no point" in c.outcome.message


def test_a_definition_that_contradicts_the_one_in_force_is_refuted() -> None:
    text = HEAD.replace("functions:", "definitions:\n  - y = A x\nfunctions:")
    assert [c.verdict for c in check_text(text + "$$y = A x$$\n\nWe define\n\n$$y = A^T x$$")] == [N, R]


# --- remembering -----------------------------------------------------------------------------


def test_unchanged_statements_are_not_proved_again() -> None:
    judge = Judge()
    text = HEAD + "$$A x + x = x + A x$$\n\n$$A B = B A$$\n"
    before = check_text(text, judge=judge)
    assert judge.settled == 2
    after = check_text("# A heading moves everything\n\n" + text + "\n\n$$B A = A B B$$\n", judge=judge)
    assert judge.settled == 3
    assert [c.line + 2 for c in before] == [c.line for c in after[:2]]
    assert after[0].outcome is before[0].outcome and after[1].outcome is before[1].outcome
    check_text(text.replace("A, B: n x n", "A, B: m x m").replace("x, g, u", "x: m\n  g, u"), judge=judge)
    assert judge.settled == 5  # other declarations, other statements


def test_the_same_statement_twice_is_proved_once() -> None:
    judge = Judge()
    assert [c.verdict for c in check_text(HEAD + "$$A x + x = x + A x$$\n\n" * 5, judge=judge)] == [P] * 5
    assert judge.settled == 1


# --- hostile text ----------------------------------------------------------------------------

SCALARS = "<!-- symbackprop:\narrays: {a: scalar, b: scalar}\n-->\n\n"
HOSTILE = {
    "long": HEAD + "$$x = " + "x + " * 24_000 + "x$$",
    "brackets": HEAD + "$$x = " + "(" * 10_000 + "x" + ")" * 10_000 + "$$",
    "tower": HEAD + "$$c = 9^{9^{9^9}}$$",
    "factorial": HEAD + "$$c = 99999999!$$",
    "large shape": HEAD + "$$Q \\sim 1000000 \\times 1000000$$\n\n$$Q Q = Q^T$$",
    "number": HEAD + "$$c = " + "9" * 50_000 + "$$",
    "python": HEAD + "$$c_{+open(chr(80),chr(119))} = 1$$",
    "import": HEAD + r"$$\text{__import__('os').system('id')} = c$$",
    "products": HEAD + "$$x = " + "A " * 1000 + "x$$",
    "sums": SCALARS + "$$a = " + "(a + b)" * 200 + "$$",
    "power": SCALARS + "$$(a + b)^{60} = a$$",
    "equal powers": SCALARS.replace("b: ", "b: scalar, c: scalar, d: ")
    + "$$(a + b + c + d)^{60} = (d + c + b + a)^{60}$$",
    "chain": SCALARS + "$$" + "a = " * 1_000 + "a$$",
    "macros": "$\\newcommand{\\a}{\\a\\a}$ $$x = \\a$$",
    "yaml": "<!-- symbackprop: {arrays: !!python/object/apply:os.system ['id']} -->\n\n$$c = c$$",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_gets_a_message(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        found = check_text(HOSTILE[name])
    except ReadError as error:
        assert str(error)
    else:
        assert all(c.verdict != "proved" or name == "chain" for c in found[-1:]) or name == "chain"
        assert all(c.outcome.message for c in found if c.verdict in ("ill-formed", "unknown"))
    assert list(tmp_path.iterdir()) == []
