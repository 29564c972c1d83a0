"""Meaning: shapes, derivatives, definitions; documents in several styles, with planted mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from document_oracle import judged

from symbackprop.read.notes.declared.declarations import declare
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.items import Formula
from symbackprop.read.notes.files.place import Place, ReadError, Source
from symbackprop.read.notes.files.sources import read_document
from symbackprop.read.notes.statements.claims import Claim, elaborate
from symbackprop.read.notes.statements.sections import read_statements
from symbackprop.read.notes.statements.statements import Reading

DOCUMENTS = Path(__file__).parents[2] / "data" / "documents"


def readings(text: str, table: Declarations) -> list[Reading]:
    return list(read_statements([Formula(text, Place(Source("notes.md", text), 0))], table))


SINGLE = declare(
    r"""
convention: column
layout: gradient
sizes: n, m
indices: i, j, k
arrays:
  A, S: n x n
  B: n x m
  x, y, c, p: n
  u: m
  v: 1 x n
  r, \lambda: scalar
  E: scalar
constants: c
functions:
  g: elementwise
  s: softmax
  \sigma(z): \frac{1}{1 + e^{-z}}
  H(x, y): loss
identity: I
hypotheses:
  - S = S^T
""",
    Declarations(),
)

HOLDS = [
    r"\nabla_x (c^T x) = c",
    r"\nabla_x c^T x = c",
    r"\nabla_x (x^T A x) = (A + A^T) x",
    r"\nabla_x (x^T S x) = 2 S x",
    r"\nabla_A \operatorname{tr}(A S) = S",
    r"\nabla_A \log\det A = A^{-T}",
    r"\nabla_x \|x\|^2 = 2x",
    r"\nabla_x \|x\|_2 = \frac{x}{\|x\|_2}",
    r"\nabla_x \frac{1}{2}\|B^T x - u\|^2 = B (B^T x - u)",
    r"\nabla_x (p^T x + \lambda \|x\|^2) = p + 2\lambda x",
    r"\sigma'(r) = \sigma(r)(1 - \sigma(r))",
    r"\frac{d}{dr} \tanh(r) = 1 - \tanh^2(r)",
    r"\frac{\partial}{\partial x_i} \sum_j g(x_j) = g'(x_i)",
    r"\nabla_x \mathbf{1}^T g(x) = g'(x)",
    r"\nabla_x \log \sum_k e^{x_k} = s(x)",
    r"\frac{\partial^2}{\partial x_i \partial x_j} \frac{1}{2} \sum_k x_k^2 = \delta_{ij}",
    r"x^T y = y^T x",
    r"(A S)^T = S A^T",
    r"A I = A",
    r"\langle x, y \rangle = \sum_i x_i y_i",
    r"x \otimes y = x y^T",
    r"x \circ (1 - x) = x - x^2",
    r"x \circ \frac{y}{x} = y",
    r"\sum_j A_{ij} x_j = (A x)_i",
    r"\nabla_x H(x, y) = \frac{\partial H}{\partial x}",
    r"\frac{\partial x}{\partial x} = I",
    r"\frac{\partial (A x)}{\partial x} = A^T",
    r"\operatorname{relu}'(r) = [r > 0]",
    r"\frac{\partial s_i(x)}{\partial x_j} = s_i(x) (\delta_{ij} - s_j(x))",
    r"x \circ y = \operatorname{diag}(x) y",
    r"\begin{bmatrix} 1 & r \\ 0 & 1 \end{bmatrix}^T = \begin{bmatrix} 1 & 0 \\ r & 1 \end{bmatrix}",
    r"\left[\frac{\partial x_i}{\partial x_j}\right]_{ij} = I",
    r"e^{r} e^{-r} = 1",
    r"\sum_{k=1}^n x_k = \mathbf{1}_n^T x",
]
REFUTED = [
    r"\nabla_x (x^T A x) = 2 A x",
    r"\nabla_x \frac{1}{2}\|B^T x - u\|^2 = B (u - B^T x)",
    r"\sigma'(r) = \sigma(r)(1 + \sigma(r))",
    r"\nabla_B (x^T B u) = u x^T",
    r"x y^T = y x^T",
    r"(A S)^T = A^T S",
    r"\frac{\partial (A x)}{\partial x} = A",
    r"\nabla_x \log \sum_k e^{x_k} = x",
    r"\frac{\partial s_i(x)}{\partial x_j} = s_i(x) (1 - s_j(x))",
    r"A x = B u",
    r"\frac{x}{y} = x \circ y",
    r"1 - x = x - 1",
    r"\nabla_x \mathbf{1}^T g(x) = g(x)",
]
ILL_FORMED = [
    (r"\nabla_x \frac{1}{2}\|B^T x - u\|^2 = B^T (B^T x - u)", "product of m×n and m×1"),
    (r"S + r = S", "sum of a number and a n×n array"),
    (r"x + v = y", "sum of n×1 and 1×n; transpose missing?"),
    (r"x \circ v = y", "Hadamard of n×1 and 1×n: transpose missing? v^T"),
    (r"x \cdot y = r", "inner product is written with ^T"),
    (r"x * y = y", "* between arrays"),
    (r"\frac{x}{y} = r", "an array n×1 on the left, a number on the right"),
    (r"\frac{A}{S} = A", "division by an array"),
    (r"S + 1 = S", "sum of a number and a n×n array"),
    (r"A_{ij} x_j = y_i", "the index j is free on the left side only"),
    (r"\sum_k x_i = x_i", "does not occur under it"),
    (r"x_k = \sum_k A_{ik} x_k", "free here and summed"),
    (r"\sum_i \sum_i A_{ij} = r", "summed twice"),
    (r"A_{ij} = B_{ij}", "the index j runs over n values elsewhere, but this axis has m"),
    (r"s(x_i) = x_i", "a function of a whole vector"),
    (r"s'(x) = x", "has a Jacobian"),
    (r"x = r", "an array n×1 on the left, a number on the right"),
    (r"g = x", "needs an argument"),
    (r"x^T y y = y", "parentheses around the number"),
    (r"\operatorname{tr}(B) = r", "a square matrix is needed"),
    (r"B^2 = B", "a power of a n×m array"),
    (r"g(r = E) = r = E =", "nothing stands after ="),
    (r"x_{ij} = A_{ij}", "one axis, but two subscripts"),
    (r"x_0 = r", "outside an axis"),
    (r"x_{1 \times n} = x", "this is n×1, not 1×n"),
]  # fmt: skip
UNKNOWN = [
    (r"\frac{\partial y}{\partial x} = A", "nothing says how y depends on x"),
    (r"\frac{\partial A}{\partial B} = A", "nothing says"),
    (r"\frac{\partial \|x\|^2}{\partial r} = 0", "nothing says"),
]


@pytest.mark.parametrize("text", HOLDS)
def test_true_equations(text: str) -> None:
    assert [judged(r)[0] for r in readings(text, SINGLE)] == ["holds"]


@pytest.mark.parametrize("text", REFUTED)
def test_false_equations(text: str) -> None:
    assert [judged(r)[0] for r in readings(text, SINGLE)] == ["refuted"]


@pytest.mark.parametrize(("text", "message"), ILL_FORMED, ids=[t for t, _ in ILL_FORMED])
def test_ill_formed(text: str, message: str) -> None:
    found = [judged(r) for r in readings(text, SINGLE)]
    assert any(verdict == "ill-formed" and message in why for verdict, why in found), found


@pytest.mark.parametrize(("text", "message"), UNKNOWN)
def test_what_the_definitions_do_not_settle(text: str, message: str) -> None:
    verdict, why = judged(readings(text, SINGLE)[0])
    assert verdict == "unknown" and message in why


NETWORK = r"""
convention: column
layout: gradient
layers: l = 1..L
sizes: n
indices: i, j
arrays:
  W^l: n x n
  a^l, z^l, \delta^l: n
  t: n
  U: n x n
constants: t
functions:
  f: elementwise
  s: softmax
  C(a^L): loss
definitions:
  - z^l = W^l a^{l-1}
  - a^l = f(z^l)
  - \delta^l = \frac{\partial C}{\partial z^l}
"""
PLAIN = declare(NETWORK, Declarations())
BACK = r"\delta^l = ((W^{l+1})^T \delta^{l+1}) \odot f'(z^l)"
LAST = r"\delta^L = \frac{\partial C}{\partial a^L} \odot f'(z^L)"

NETS = [
    ("", BACK, "holds"),
    ("", LAST, "holds"),
    ("", r"\delta^{1} = ((W^{2})^T \delta^{2}) \odot f'(z^1)", "holds"),
    ("", r"\delta^{1} = (W^{2} \delta^{2}) \odot f'(z^1)", "refuted"),
    ("", r"\frac{\partial C}{\partial t} = 0", "unknown"),
    ("", r"\delta^l = \delta^L", "unknown"),
    ("", r"W^l = W^L", "refuted"),
    ("", r"\frac{\partial a^L}{\partial z^l} = 0", "unknown"),
    ("", r"\frac{\partial z^l}{\partial z^{l+1}} = 0", "holds"),
    # a skip connection: the rule of plain layers is not proved
    ("definitions: ['a^l = f(z^l) + a^{l-1}']", BACK, "unknown"),
    ("definitions: ['a^l = f(z^l) + a^{l-1}']", r"\delta^{L-1} = ((W^{L})^T \delta^{L}) \odot f'(z^{L-1})", "refuted"),
    ("definitions: ['a^l = f(z^l) + a^{l-1}']", r"\frac{\partial C}{\partial W^l} = \delta^l (a^{l-1})^T", "holds"),
    ("definitions: ['a^l = f(z^l) + a^{l-2}']", BACK, "unknown"),
    # tied weights: the derivative sums over the layers
    ("definitions: ['z^l = U a^{l-1}']", r"\frac{\partial C}{\partial U} = \delta^L (a^{L-1})^T", "unknown"),
    ("definitions: ['z^l = U a^{l-1}']", BACK.replace("(W^{l+1})", "U"), "holds"),
    # a loss that holds weights
    (r"definitions: ['C = \|a^L - t\|^2 + \operatorname{tr}(W^L)']",
     r"\frac{\partial C}{\partial W^l} = \delta^l (a^{l-1})^T", "unknown"),
    (r"definitions: ['C = \|a^L - t\|^2 + \operatorname{tr}(W^L)']",
     r"\frac{\partial C}{\partial W^L} = \delta^L (a^{L-1})^T", "refuted"),
    (r"definitions: ['C = \|a^L - t\|^2']", r"\delta^L = 2 (a^L - t) \odot f'(z^L)", "holds"),
    # the last layer is another one
    ("definitions: ['a^L = s(z^L)']", LAST, "refuted"),
    ("definitions: ['a^L = s(z^L)']", r"\delta^l = \frac{\partial C}{\partial a^l} \odot f'(z^l)", "holds"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "text", "expected"), NETS)
def test_networks(more: str, text: str, expected: str) -> None:
    table = declare(more, PLAIN) if more else PLAIN
    verdict, why = judged(readings(text, table)[0])
    assert verdict == expected, why


def test_conditions_on_the_layer_are_said() -> None:
    assert "l is a layer below the last" in judged(readings(BACK, PLAIN)[0])[1]
    softmax = declare("definitions: ['a^L = s(z^L)']", PLAIN)
    text = r"\delta^l = \frac{\partial C}{\partial a^l} \odot f'(z^l)"
    assert "layer l is not the last" in judged(readings(text, softmax)[0])[1]


def test_layouts_and_conventions() -> None:
    text = r"\frac{\partial C}{\partial W^l} = a^{l-1} (\delta^l)^T"
    assert judged(readings(text, PLAIN)[0])[0] == "refuted"
    assert judged(readings(text, declare("layout: numerator", PLAIN))[0])[0] == "holds"
    row = declare("convention: row\ndefinitions: ['z^l = a^{l-1} W^l']", PLAIN)
    assert judged(readings(r"\frac{\partial C}{\partial W^l} = (a^{l-1})^T \delta^l", row)[0])[0] == "holds"
    none = declare(NETWORK.replace("layout: gradient\n", ""), Declarations())
    verdict, why = judged(readings(text, none)[0])
    assert verdict == "unknown" and "declare the layout" in why


def test_a_claim_carries_what_a_proof_needs() -> None:
    claim = elaborate(readings(r"\frac{\partial C}{\partial W^L} = \delta^L (a^{L-1})^T", PLAIN)[0])
    assert isinstance(claim, Claim)
    assert {str(a) for a in claim.context.definitions} == {"C", "a^{L}", "z^{L}"}
    (z,) = (a for a in claim.context.definitions if a.name == "z")
    assert z not in claim.cut(z).definitions
    assert claim.lhs_form is not None and claim.rhs_form is not None
    assert len(claim.free) == 2


STYLES = {
    "nielsen.md": "holds " * 9 + "ill-formed " * 5 + "refuted holds holds refuted holds ill-formed",
    "ng.md": "holds holds holds holds holds refuted holds holds holds holds ill-formed ill-formed refuted holds holds",
    "d2l.md": "holds holds holds ill-formed holds holds holds refuted holds holds refuted",
    "paper.tex": "holds " * 6 + "remark " + "holds " * 7 + "ill-formed holds refuted refuted",
    "rnn.md": "holds holds holds holds refuted holds refuted",
}


@pytest.mark.parametrize("name", STYLES)
def test_documents_in_other_styles(name: str) -> None:
    found = list(read_statements(read_document(DOCUMENTS / name)))
    verdicts = [judged(r) for r in found]
    assert [v for v, _ in verdicts] == STYLES[name].split(), [
        (r.latex, v) for r, v in zip(found, verdicts, strict=True)
    ]


def test_messages_point_into_the_file() -> None:
    text = "# x\n\n<!-- symbackprop:\nconvention: column\narrays: {y: n, v: 1 x n}\n-->\n\nSo $y = y \\circ v$.\n"
    (reading,) = read_statements(read_document("notes.md", text))
    with pytest.raises(ReadError) as caught:
        elaborate(reading)
    assert str(caught.value) == "notes.md:8:9 Hadamard of n×1 and 1×n: transpose missing? v^T"


def test_a_thousand_statements_keep_their_declarations_once() -> None:
    block = "<!-- symbackprop:\n" + NETWORK + "-->\n"
    text = block + "".join(f"\n$${BACK}$$\n\nand ${LAST}$\n" for _ in range(500))
    found = list(read_statements(read_document("long.md", text)))
    assert len(found) == 1000
    assert len({id(r.declarations) for r in found}) == 1
