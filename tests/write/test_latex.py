"""LaTeX, one-line text, SymPy and compact forms of terms."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy
from evaluator import Evaluator
from sympy_terms import sympy_term

from symbackprop.core.indices import Index, Pick, affine, sized
from symbackprop.core.matrix import (
    Determinant,
    Diagonal,
    ElementPower,
    Elementwise,
    Hadamard,
    Identity,
    Inverse,
    Leaf,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Trace,
    Transpose,
    entry,
)
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
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
from symbackprop.story.pages import STORIES, story
from symbackprop.write.code.compact import compact
from symbackprop.write.paper.latex import latex, latex_matrix, latex_predicate
from symbackprop.write.paper.text import Plain, text

ROOT = Path(__file__).parents[2]
N, M, P = sized("n"), sized("m"), sized("p")
i, j, k, b = (Index(x, N) for x in "ijkb")
l1 = sized("l") + 1


def E(name: str, *at: object) -> Entry:
    return Entry(Array(name), at)  # type: ignore[arg-type]


def W(*at: Index) -> Entry:
    return Entry(Array("W", l1), at)


TERMS: list[tuple[Term, str, str]] = [
    (num(-3), "-3", "-3"),
    (num(Fraction(3, 2)), r"\frac{3}{2}", "3/2"),
    (ZERO, "0", "0"),
    (Add(()), "0", "0"),
    (Mul(()), "1", "1"),
    (W(i, j), "W^{l+1}_{ij}", "W^(l+1)_ij"),
    (Power(W(i, j), Fraction(2)), "(W^{l+1}_{ij})^{2}", "(W^(l+1)_ij)^2"),
    (Power(E("x", i), Fraction(2)), "x_{i}^{2}", "x_i^2"),
    (E("x", affine(0, ((i, 1), (j, 1)))), "x_{i+j-1}", "x_(i+j-1)"),
    (E("x", affine(0, ())), "x_{1}", "x_1"),
    (E("eps"), r"\mathrm{eps}", "eps"),
    (E("delta", i), r"\delta_{i}", "δ_i"),
    (E("x", Pick("y", (i,), N)), "x_{y_{i}}", "x_(y_i)"),
    (Ordinal(i), "i - 1", "i - 1"),
    (Delta(i, j), r"\delta_{ij}", "δ_ij"),
    (N * M + 1, "m n + 1", "m n + 1"),
    (sub(E("x", i), E("y", i)), "x_{i} - y_{i}", "x_i - y_i"),
    (add(neg(E("x", i)), E("y", i)), "-x_{i} + y_{i}", "-x_i + y_i"),
    (neg(sub(E("x", i), ONE)), "-(x_{i} - 1)", "-(x_i - 1)"),
    (sub(E("x", i), neg(E("y", i))), "x_{i} + y_{i}", "x_i + y_i"),
    (mul(E("x", i), add(E("y", i), ONE)), "x_{i} (y_{i} + 1)", "x_i (y_i + 1)"),
    (mul(num(2), num(3)), "6", "6"),
    (mul(E("x", i), N * 2), r"x_{i} \cdot 2 n", "x_i · 2 n"),
    (div(ONE, E("x", i)), r"\frac{1}{x_{i}}", "1/x_i"),
    (Power(add(E("x", i), E("c")), Fraction(-1, 2)), r"\frac{1}{\sqrt{x_{i} + c}}", "1/(√(x_i + c))"),
    (Power(Power(E("x", i), Fraction(2)), Fraction(1, 3)), "(x_{i}^{2})^{1/3}", "(x_i^2)^(1/3)"),
    (mul(num(Fraction(1, 2)), Power(N, Fraction(-1)), over(k, E("x", k))),
     r"\frac{1}{2 n} \sum_{k=1}^{n} x_{k}", "1/(2 n) Σ_k x_k"),
    (mul(over(k, E("x", k)), E("y", i)), r"\left(\sum_{k=1}^{n} x_{k}\right) y_{i}", "(Σ_k x_k) y_i"),
    (over(k, add(E("x", k), ONE)), r"\sum_{k=1}^{n} (x_{k} + 1)", "Σ_k (x_k + 1)"),
    (add(over(k, E("x", k)), ONE), r"\sum_{k=1}^{n} x_{k} + 1", "Σ_k x_k + 1"),
    # a dummy never takes a letter that is free, bound outside, or the name of a size or a scalar
    (over(k, mul(E("x", k), over(k, mul(E("y", k), E("z", i))))),
     r"\sum_{k=1}^{n} x_{k} \sum_{m=1}^{n} y_{m} z_{i}", "Σ_k x_k Σ_m y_m z_i"),
    (mul(E("x", k), over(k, E("y", k))), r"x_{k} \sum_{m=1}^{n} y_{m}", "x_k Σ_m y_m"),
    (over(Index("n", N), E("x", Index("n", N))), r"\sum_{k=1}^{n} x_{k}", "Σ_k x_k"),
    (mul(E("k"), over(k, E("y", k))), r"k \sum_{m=1}^{n} y_{m}", "k Σ_m y_m"),
    (over(Index("~7", N), E("x", Index("~7", N))), r"\sum_{k=1}^{n} x_{k}", "Σ_k x_k"),
    (Apply("exp", neg(E("x", i))), "e^{-x_{i}}", "exp(-x_i)"),
    (Power(Apply("exp", E("x", i)), Fraction(2)), "(e^{x_{i}})^{2}", "(exp(x_i))^2"),
    (Apply("f", E("x", i), 1), "f'(x_{i})", "f'(x_i)"),
    (Apply("f", E("x", i), 4), "f^{(4)}(x_{i})", "f^(4)(x_i)"),
    (Apply("sigmoid", E("x", i)), r"\sigma(x_{i})", "σ(x_i)"),
    (Apply("softplus", E("x", i)), r"\operatorname{softplus}(x_{i})", "softplus(x_i)"),
    (Apply("log", over(k, E("x", k))), r"\log\left(\sum_{k=1}^{n} x_{k}\right)", "log(Σ_k x_k)"),
    (div(Apply("exp", E("z", i)), over(k, Apply("exp", E("z", k)))),
     r"\frac{e^{z_{i}}}{\sum_{k=1}^{n} e^{z_{k}}}", "exp(z_i)/(Σ_k exp(z_k))"),
    (Holds(Positive(E("z", i))), r"\left[z_{i} > 0\right]", "[z_i > 0]"),
    (Holds(NonNegative(affine(0, ((j, 1), (i, -1))))), r"\left[i \le j\right]", "[i ≤ j]"),
    (Holds(NonNegative(affine(-1, ((j, 1), (i, -1))))), r"\left[i \le j - 1\right]", "[i ≤ j - 1]"),
    (Diff(E("z", i), W(j, k)), r"\frac{\partial z_{i}}{\partial W^{l+1}_{jk}}", "∂z_i/∂W^(l+1)_jk"),
    (Diff(over(b, mul(W(i, b), E("x", b))), W(j, k)),
     r"\frac{\partial}{\partial W^{l+1}_{jk}} \sum_{b=1}^{n} W^{l+1}_{ib} x_{b}", "∂/∂W^(l+1)_jk Σ_b W^(l+1)_ib x_b"),
    (mul(Diff(mul(E("x", i), E("c")), E("c")), E("y", i)),
     r"\left(\frac{\partial}{\partial c} (x_{i} c)\right) y_{i}", "(∂/∂c (x_i c)) y_i"),
    (whole("L", 0, (i,), E("y", i), ()), "L(y)", "L(y)"),
    (whole("L", 1, (i,), E("y", i), (j,)), r"\frac{\partial L}{\partial y_{j}}", "∂L/∂y_j"),
    (whole("L", 2, (i,), E("y", i), (j, k)),
     r"\frac{\partial^{2} L}{\partial y_{j} \, \partial y_{k}}", "∂²L/∂y_j∂y_k"),
    (whole("L", 1, (i,), Apply("f", E("y", i)), (j,)),
     r"\partial_{j} L\left(\left[f(y_{i})\right]_{i}\right)", "∂_j L([f(y_i)]_i)"),
    (whole("inv", 0, (i, j), E("A", i, j), (k, b)), r"\left(A^{-1}\right)_{kb}", "(A^-1)_kb"),
    (whole("det", 0, (i, j), E("A", i, j), ()), r"\det A", "det(A)"),
    (whole("max", 0, (k,), E("x", k), ()), r"\max_{k} (x_{k})", "max_k(x_k)"),
]  # fmt: skip


@pytest.mark.parametrize(("t", "tex", "line"), TERMS, ids=[line for _, _, line in TERMS])
def test_terms_as_latex_and_as_text(t: Term, tex: str, line: str) -> None:
    assert latex(t) == tex
    assert text(t) == line


A, B = Leaf(Array("A"), "matrix", (N, M)), Leaf(Array("B"), "matrix", (M, P))
S = Leaf(Array("S", sized(2)), "matrix", (N, N))
V = Leaf(Array("v"), "column", (N, sized(1)))
ONES = Ones((sized(1), N))
MATRICES = [
    (Product(A, B), r"A \, B", "A B"),
    (Product(Plus((A, A)), B), r"(A + A) \, B", "(A + A) B"),
    (Product(Hadamard(A, A), B), r"(A \circ A) \, B", "(A ∘ A) B"),
    (Hadamard(Product(A, B), Product(A, B)), r"A \, B \circ A \, B", "A B ∘ A B"),
    (Hadamard(A, Plus((A, A))), r"A \circ (A + A)", "A ∘ (A + A)"),
    (Transpose(S), r"(S^{2})^{\mathsf{T}}", "(S^2)^T"),
    (Transpose(Product(A, B)), r"(A \, B)^{\mathsf{T}}", "(A B)^T"),
    (Product(ONES, A), r"\mathbf{1}_{n}^{\mathsf{T}} \, A", "1_n^T A"),
    (Plus((A, Scale(num(-1), A))), "A - A", "A - A"),
    (Scale(Power(N, Fraction(-1)), Plus((A, A))), r"\frac{1}{n} (A + A)", "1/n (A + A)"),
    (Scale(num(Fraction(-1, 2)), A), r"-\frac{1}{2} A", "-1/2 A"),
    (Elementwise("f", A, 1), "f'(A)", "f'(A)"),
    (Elementwise("exp", A), r"\exp(A)", "exp(A)"),
    (ElementPower(A, Fraction(2)), r"A^{\circ 2}", "A^(∘2)"),
    (Diagonal(V), r"\operatorname{diag}(v)", "diag(v)"),
    (Trace(S), r"\operatorname{tr}(S^{2})", "tr(S^2)"),
    (Product(Inverse(S), V), r"(S^{2})^{-1} \, v", "(S^2)^(-1) v"),
    (Determinant(S), r"\det(S^{2})", "det(S^2)"),
    (Softmax(V, 0), r"\operatorname{softmax}(v)", "softmax(v)"),
    (Plus((Identity(N), Scale(num(-1), S))), "I_{n} - S^{2}", "I_n - S^2"),
]


@pytest.mark.parametrize(("m", "tex", "line"), MATRICES, ids=[line for _, _, line in MATRICES])
def test_matrix_forms_as_latex_and_as_text(m: object, tex: str, line: str) -> None:
    assert latex_matrix(m) == tex  # type: ignore[arg-type]
    assert Plain().matrix(m) == line  # type: ignore[arg-type]


def test_conditions() -> None:
    assert latex_predicate(Nonzero(E("x", i))) == r"x_{i} \ne 0"
    assert latex_predicate(Positive(over(k, E("x", k)))) == r"\sum_{k=1}^{n} x_{k} > 0"
    assert latex_predicate(NonNegative(affine(M, ((i, -1),)))) == r"i \le m + 1"


HOSTILE = [r"\input{/etc/passwd}", "a}b{c", "$x$", "%", "x_{\\write18}", "é\n\\end", "__import__", "^^M", "~1"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_spelled_out_and_never_obeyed(name: str) -> None:
    tex = latex(mul(E(name, i), Entry(Array("x"), (Index(name, N),)), sized(name) + 1, Apply(name, E("x", i))))
    commands = set(re.findall(r"\\([A-Za-z]+)", tex))
    assert commands <= {"mathrm", "operatorname", "cdot", "left", "right", "textbackslash", "textasciitilde",
                        "textasciicircum", "frac"}  # fmt: skip
    assert "\n" not in tex
    plain = tex.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}") and "$" not in plain.replace(r"\$", "")


def test_latex_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from symbackprop.story.pages import latex_document\n"
        "from symbackprop.story.pages import story\n"
        "import hashlib\n"
        "text = latex_document('x', story('softmax') + story('means'))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    digests = set()
    for seed in ("0", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


# --- SymPy ---------------------------------------------------------------------------------------

SIZES = {"n": 3, "m": 2, "p": 4}


def random_term(r: random.Random, depth: int, free_now: tuple[Index, ...]) -> Term:
    """A random term in x (n), A (n × n) and c, with the indices given."""
    if depth == 0:
        a, b = r.choice(free_now), r.choice(free_now)
        return r.choice([E("x", a), E("A", a, b), E("c"), Delta(a, b), num(r.randint(-3, 3)), N, Ordinal(a)])

    def go() -> Term:
        return random_term(r, depth - 1, free_now)

    match r.randrange(6):
        case 0:
            return add(go(), go())
        case 1:
            return mul(go(), go())
        case 2:
            return Apply(r.choice(["tanh", "exp", "sin", "sigmoid"]), mul(num(Fraction(1, 4)), go()))
        case 3:
            return Power(add(num(2), Power(go(), Fraction(2))), Fraction(r.choice([-1, 2]), r.choice([1, 2])))
        case 4:
            d = Index("k", N)
            return over(d, random_term(r, depth - 1, (*free_now, d)))
        case _:
            return Holds(Positive(go())) if r.random() < 0.3 else sub(go(), go())


def test_sympy_terms_have_the_same_values() -> None:
    r = random.Random(1)
    values = {"x": np.array([0.3, -1.2, 0.7]), "A": np.arange(9).reshape(3, 3) / 7 - 0.4, "c": np.array(0.6)}
    for _ in range(60):
        t = random_term(r, 3, (i, j))
        want = Evaluator(SIZES, values).term(t, (), {"i": 1, "j": 2})
        got = numeric(sympy_term(t), values, {"i": 2, "j": 3})
        assert got == pytest.approx(want, rel=1e-9, abs=1e-9), text(t)


def numeric(e: sympy.Expr, values: dict[str, np.ndarray], at: dict[str, int]) -> float:
    """SymPy's own evaluation, sums written out by hand: every index is a number then."""
    e = e.xreplace({s: sympy.Integer(at.get(s.name, SIZES.get(s.name, 0))) for s in e.free_symbols if s.is_integer})
    while e.atoms(sympy.Sum):
        inner = min(e.atoms(sympy.Sum), key=lambda s: len(s.atoms(sympy.Sum)))
        total = inner.function
        for d, low, high in inner.limits:  # nested sums have become one
            n = int(high.xreplace({s: sympy.Integer(SIZES[s.name]) for s in high.free_symbols}))
            total = sympy.Add(*(total.xreplace({d: sympy.Integer(v)}) for v in range(int(low), n + 1)))
        e = e.xreplace({inner: total})
    entries = {x: float(values[str(x.base)][tuple(int(a) - 1 for a in x.indices)]) for x in e.atoms(sympy.Indexed)}
    scalars = {s: float(values[s.name]) for s in e.free_symbols if s.name == "c"}
    return float(e.xreplace(entries).xreplace(scalars))


def test_every_theorem_is_available_to_sympy() -> None:
    for name in STORIES:
        for told in story(name):
            for t in told.theorems:
                for side in (t.equation.lhs, t.equation.rhs):
                    assert isinstance(sympy_term(side), sympy.Expr)
    sums = sympy_term(over(k, mul(W(i, k), E("x", k))))
    assert str(sums) == "Sum(W^{l+1}[i, k]*x[k], (k, 1, n))"
    assert str(sympy_term(Diff(E("z", i), E("w", j)))) == "Derivative(z[i], w[j])"


# --- compact forms -------------------------------------------------------------------------------

c, d = Index("c", M), Index("d", P)
e, s = Index("e", P), Index("s", N)


def softmax(row: Index) -> Term:
    return div(Apply("exp", E("Z", i, row)), over(s, Apply("exp", E("Z", i, s))))


COMPACT: list[tuple[Term, Index | None, Index | None, str]] = [
    (over(d, mul(E("A", i, d), E("B", d, c))), i, c, "A B"),
    (over(d, mul(E("B", c, d), E("A", i, d))), i, c, "A B^T"),
    (over(d, mul(E("A", i, d), E("v", d), E("B", c, d))), i, c, "A diag(v) B^T"),
    (over(d, over(e, mul(E("A", i, d), E("Q", d, e), E("B", e, c)))), i, c, "A Q B"),
    (mul(E("u", i), E("v", c)), i, c, "u v^T"),
    (mul(E("u", i), E("M", i, c), E("v", c)), i, c, "diag(u) M diag(v)"),
    (mul(E("A", i, c), E("B", i, c)), i, c, "A ∘ B"),
    (over(d, E("A", i, d)), i, None, "A 1_p"),
    (over(d, E("A", d, c)), None, c, "1_p^T A"),
    (over(d, mul(E("A", i, d), E("B", d, i))), i, None, "(A ∘ B^T) 1_p"),
    (over(d, over(c, mul(E("A", c, d), E("B", d, c)))), None, None, "tr(A B)"),
    (over(d, E("S", d, d)), None, None, "tr(S)"),
    (over(d, mul(E("x", d), E("y", d))), None, None, "x^T y"),
    (mul(E("x", i), over(d, mul(E("t", d), E("s", d)))), i, None, "x s^T t"),
    (mul(E("u", i), Delta(i, s)), i, s, "diag(u)"),
    (sub(mul(E("s", i), Delta(i, s)), mul(E("s", i), E("s", s))), i, s, "diag(s) - s s^T"),
    (mul(whole("L", 1, (i,), E("y", i), (i,)), Apply("f", E("z", i), 1), E("a", c)), i, c, "(f'(z) ∘ ∂L/∂y) a^T"),
    (over(d, mul(E("W", d, i), E("g", d), Apply("f", E("z", i), 1))), i, None, "f'(z) ∘ W^T g"),
    (mul(Power(P, Fraction(-1)), over(d, mul(E("A", d, i), E("D", d, c)))), i, c, "1/p A^T D"),
    (softmax(j), i, j, "softmax(Z)"),
    (over(i, mul(softmax(j), E("A", i, c))), c, j, "A^T softmax(Z)"),
    (E("a", c), None, c, "a^T"),
    (num(2), i, c, "2 1_n 1_m^T"),
    (ZERO, i, c, "0"),
    (Power(add(E("x", i), ONE), Fraction(-1, 2)), i, None, "(x + 1_n)^(∘-1/2)"),
]


@pytest.mark.parametrize(("t", "rows", "columns", "line"), COMPACT, ids=[c[-1] for c in COMPACT])
def test_compact_forms_are_found_and_proved(t: Term, rows: Index | None, columns: Index | None, line: str) -> None:
    found = compact(t, rows, columns)
    assert found is not None and Plain().matrix(found) == line


def test_what_has_no_matrix_form() -> None:
    assert compact(over(d, mul(num(2), E("A", i, d), E("B", d, c), E("C", i, c, d))), i, c) is None
    assert compact(mul(E("A", i, j), E("x", k)), i, j) is None  # k is also free


def test_compact_forms_of_random_products_are_their_entries() -> None:
    r, count = random.Random(3), 0
    for _ in range(60):
        letters = [Index(x, N) for x in "abcde"]
        factors = [E(r.choice("ABC"), r.choice(letters), r.choice(letters)) for _ in range(r.randint(1, 4))]
        factors += [E(r.choice("uv"), r.choice(letters)) for _ in range(r.randint(0, 2))]
        t: Term = mul(*factors)
        for x in letters[2:]:
            t = over(x, t)
        found = compact(t, letters[0], letters[1])
        if found is None:
            continue
        count += 1
        lowered = entry(found, *letters[:2])
        g = np.random.default_rng(5)
        values = {**{x: g.normal(size=(3, 3)) for x in "ABC"}, **{x: g.normal(size=3) for x in "uv"}}
        at = {"a": 1, "b": 2}
        assert Evaluator(SIZES, values).term(lowered, (), at) == pytest.approx(Evaluator(SIZES, values).term(t, (), at))
    assert count > 20


def test_numbers_in_terms_stay_exact() -> None:
    assert latex(Num(Fraction(10**20, 3))) == r"\frac{100000000000000000000}{3}"
