"""Declarations: YAML blocks, what the text says itself, what is refused."""

from __future__ import annotations

import pytest

from symbackprop.read.notes.declared.declarations import declare
from symbackprop.read.notes.declared.said_in_prose import declared_in_prose
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.place import Place, ReadError, Source
from symbackprop.read.notes.files.sources import read_document
from symbackprop.read.notes.grammar.tree import Label, Symbol
from symbackprop.read.notes.statements.sections import read_statements
from symbackprop.read.notes.statements.statements import Reading

EMPTY = Declarations()
n, m = Symbol("n"), Symbol("m")


def test_a_block_declares_all_kinds() -> None:
    table = declare(
        r"""
convention: row
layout: denominator
batch: N
layers: l, k = 1..L
sizes: n_l, m, n\text{-outputs} = n_L
indices: i = m, j
samples: s = N
arrays:
  W^l, V^l: n_l x n_{l-1}
  \hat{y}: m
  t: m x 1
  r: 1 × m
  C: scalar
  T: {shape: N x m, of: x}
  dZ^l: n_l
  c: integer N
constants: t, W^l
functions:
  f: elementwise
  \sigma(z): \frac{1}{1+e^{-z}}
  \mathcal{L}(\hat{y}, t): loss
alias: y = \hat{y}
identity: I
hypotheses:
  - \sum_i t_i = 1
""",
        EMPTY,
    )
    assert (table.convention, table.layout, table.batch) == ("row", "gradient", "N")
    assert set(table.layers) == {"l", "k", "L"} and table.last == "L"
    assert table.layered["W"].shape == (Symbol("n", Label("l")), Symbol("n", Label("l", -1)))
    assert table.layered["W"].role == "constant" and table.layered["V"].role == "variable"
    assert table.arrays["\\hat{y}"].orientation == "vector"
    assert table.arrays["t"].orientation == "column" and table.arrays["r"].orientation == "row"
    assert table.arrays["C"].shape == () and table.arrays["\\mathcal{L}"].shape == ()
    assert table.arrays["T"].of == "x" and table.arrays["c"].integer
    assert table.indices["i"].size == m and table.indices["j"].size is None and table.indices["s"].sample
    assert table.functions["\\mathcal{L}"].args == ("\\hat{y}", "t")
    assert table.functions["σ"].body.startswith("\\frac")
    assert table.aliases["y"] == Symbol("\\hat{y}") and table.identities == {"I"}
    assert len(table.hypotheses) == 1 and "dZ" in table.words


def test_later_blocks_override_from_there_on() -> None:
    first = declare("convention: column\narrays: {W: n x m}", EMPTY)
    second = declare("convention: row\narrays: {W: m x n}", first)
    assert (first.convention, second.convention) == ("column", "row")
    assert first.arrays["W"].shape == (n, m) and second.arrays["W"].shape == (m, n)
    assert not declare("reset: true", second).arrays


def test_new_layer_letters_forget_the_old_ones() -> None:
    text = "layers: l = 1..L\narrays: {a^l: n_l}\ndefinitions: ['a^L = a^{L-1}']"
    table = declare("layers: L = 1..D", declare(text, EMPTY))
    assert not table.definitions and not table.layered


WRONG = [
    ("convention: diagonal", "convention is column or row"),
    ("colour: red", "no kind of declaration"),
    ("arrays: W", "arrays are a mapping"),
    ("arrays: {W: [1, 2]}", "plain text is expected"),
    ("arrays: {W: n ×}", "nothing after ×"),
    ("arrays: {W: {form: n}}", "an array has a shape"),
    ("functions: {f: wobbly}", "no kind of function"),
    ("layers: many", "layers are declared as"),
    ("constants: q", "is no array"),
    ("alias: q", "what it stands for"),
    ("definitions: ['x = y']", "not declared"),
    ("arrays: {x: n}\ndefinitions: ['x = x + x']", "defined by itself"),
    ("arrays: {x: n, y: n}\ndefinitions: ['x = y', 'y = x']", "defined by itself"),
    ("arrays: {x: n}\nhypotheses: ['x']", "an equation or an inequality"),
    ("layers: l = 1..L\narrays: {W^L: n}", "for every layer"),
    ("[a", "not YAML"),
    ("a: b: c", "not YAML"),
    ("just words", "is a mapping"),
    ("a: &x 1\nb: *x", "anchors"),
    ("[" * 3000, "not YAML"),
    ("[" * 90_000, "inside one another"),
    ("a: " + "x" * 200_000, "at most"),
    ("hadamard: maybe", "strict or loose"),
    ("star: maybe", "elementwise or matrix"),
    ("arrays: {1: n}", "is not a name"),
    ("!!python/object/apply:os.system ['x']", "mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[t[:30] for t, _ in WRONG])
def test_wrong_blocks_say_why_and_where(text: str, message: str) -> None:
    source = Source("notes.md", "x\n" + text)
    with pytest.raises(ReadError) as caught:
        declare(text, EMPTY, Place(source, 2))
    assert message in caught.value.message
    assert str(caught.value).startswith("notes.md:")


def test_an_error_in_a_block_has_its_line_and_column() -> None:
    text = "# x\n\n<!-- symbackprop:\narrays:\n  x: n\ndefinitions:\n  - x = q\n-->\n"
    with pytest.raises(ReadError, match=r"notes.md:7:9 q is not declared"):
        list(read_statements(read_document("notes.md", text)))


IN_TEXT = [
    (r"W^l \in \mathbb{R}^{n_l \times n_{l-1}}", {"W"}, {"n"}),
    (r"w \sim n \times m", {"w"}, {"n", "m"}),
    (r"\vec a, \vec z \sim (n\text{-neurons} \times 1)", {"a", "z"}, {"n-neurons"}),
    (r"\mathbf{x} ∈ ℝ^d, \; C \in \mathbb{R}", {"x", "C"}, {"d"}),
    (r"X \sim (N, d)", {"X"}, {"N", "d"}),
]


@pytest.mark.parametrize(("text", "arrays", "sizes"), IN_TEXT)
def test_shapes_said_in_a_formula(text: str, arrays: set[str], sizes: set[str]) -> None:
    label = "^l" if "^l" in text else ""
    claims = " ".join(f"${n}{label} + {n}{label} = 2 {n}{label}$" for n in sorted(arrays))
    items = read_document("notes.md", f"${text}$. {claims}")
    found = [r.declarations for r in read_statements(items) if r.kind == "claim"]
    assert {n for d in found for n in (*d.arrays, *d.layered)} == arrays
    assert sizes <= {n for d in found for n in (*d.sizes, *d.layered_sizes)}


PROSE = [
    ("where $f$ acts elementwise", {"f"}),
    (r"the activation $\sigma$ is applied element-wise", {"σ"}),
    ("f elementwise", {"f"}),
    (r"applied component-wise by $g$", {"g"}),
    ("We work elementwise.", set()),
    ("a matrix is multiplied elementwise", set()),
    ("nothing here about $f$", set()),
]


@pytest.mark.parametrize(("text", "names"), PROSE)
def test_functions_said_in_words(text: str, names: set[str]) -> None:
    assert set(declared_in_prose(text, EMPTY).functions) == names


def kinds(text: str) -> list[tuple[str, str]]:
    return [(r.kind, r.latex) for r in read_statements(read_document("notes.md", text))]


def test_kinds_of_statements() -> None:
    text = r"""
<!-- symbackprop:
layout: gradient
arrays: {x: n, y: n, W: n x n, \eta: scalar, C: scalar}
functions: {f: elementwise, C(y): loss}
-->
We set $y = f(W x)$ with rate $\eta > 0$, and $q$ is a remark. Then $\nabla_y C = y = x$.
Assume $\sum_k x_k = 1$. $W \sim n \times n$, $W \leftarrow W - \eta \nabla_W C$, $\text{words}$, $x =$.
"""
    assert kinds(text) == [
        ("definition", "y = f(W x)"),
        ("remark", r"\eta > 0"),
        ("remark", "q"),
        ("claim", r"\nabla_y C = y"),
        ("claim", "y = x"),
        ("condition", r"\sum_k x_k = 1"),
        ("shape", r"W \sim n \times n"),
        ("remark", r"W \leftarrow W - \eta \nabla_W C"),
        ("remark", r"\text{words}"),
        ("claim", "x ="),
    ]


def test_rows_of_align_go_on_from_the_row_above() -> None:
    block = "<!-- symbackprop: {arrays: {x: n, y: n, z: n}, constants: x} -->\n\n"
    text = block + "\\begin{align}\nx &= y \\\\\n &= z\n\\end{align}\n"
    found: list[Reading] = list(read_statements(read_document("notes.md", text)))
    assert [(r.kind, r.lhs, r.rhs, r.line) for r in found] == [
        ("claim", Symbol("x"), Symbol("y"), 4),
        ("definition", Symbol("y"), Symbol("z"), 5),
    ]


def test_an_equation_as_argument_is_two_statements() -> None:
    block = "<!-- symbackprop:\narrays: {a: n, z: n, x: n, W: n x n}\nfunctions: {f: elementwise}\n-->\n\n"
    text = block + "$a = f(z = W x)$\n"
    found = list(read_statements(read_document("notes.md", text)))
    assert [(r.kind, type(r.rhs).__name__) for r in found] == [("definition", "Product"), ("definition", "Call")]


def test_letters_with_a_range() -> None:
    items = read_document("notes.md", r"For layers $l = 1, \dots, L$ and samples $i = 1, \ldots, N$ we do.")
    found = list(read_statements(items))
    assert [r.kind for r in found] == ["definition", "definition"]
    text = r"For layers $l = 1, \dots, L$, $W^l \in \mathbb{R}^{n_l \times n_{l-1}}$ is given; $W^l = W^{l-1}$."
    assert [r.kind for r in read_statements(read_document("notes.md", text))] == [
        "definition",
        "definition",
        "definition",
    ]
