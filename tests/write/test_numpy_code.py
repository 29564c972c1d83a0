"""Generated NumPy code means what the entries of its forms mean, in float64 and in float32."""

from __future__ import annotations

import ast
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.core.matrix import (
    UNIT,
    ElementPower,
    Elementwise,
    Given,
    Hadamard,
    Inverse,
    Leaf,
    Ones,
    Plus,
    Product,
    Scale,
    Softmax,
    Transpose,
    Zeros,
    entry,
    shape,
)  # fmt: skip
from symbackprop.core.terms import (
    Add,
    Affine,
    Apply,
    Array,
    Delta,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    Size,
    Sum,
    SymbackpropError,
    Whole,
    affine,
    dummy,
    num,
    opened,
    opened_whole,
    over,
    sized,
    substitute,
)  # fmt: skip
from symbackprop.write.code.compiled import NUMPY, UnsafeSource
from symbackprop.write.code.network_code import compile_forms

SIZES = {"n": 3}  # of a batch; other sizes are numbers
FUNCTIONS = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
    "softplus": lambda u: math.log(1 + math.exp(u)),
    "relu": lambda u: max(u, 0.0),
    "erf": math.erf,
    "sin": math.sin,
    "cos": math.cos,
    "abs": abs,
    "sign": lambda u: float((u > 0) - (u < 0)),
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "gelu": lambda u: u * (1 + math.erf(u / math.sqrt(2))) / 2,
}
SLOPES = {
    "relu": lambda u: float(u > 0),
    "tanh": lambda u: 1 - math.tanh(u) ** 2,
    "softplus": FUNCTIONS["sigmoid"],
    "gelu": lambda u: (1 + math.erf(u / math.sqrt(2))) / 2 + u * math.exp(-u * u / 2) / math.sqrt(2 * math.pi),
}


def value(t, arrays):
    """A closed term as a number, entry by entry: slow, short, and nothing to do with the code under test."""
    match t:
        case Num(v):
            return float(v)
        case Size():
            return float(t.at(SIZES))
        case Entry(array, at):
            return math.pi if array.name == "pi" else float(arrays[array.name][tuple(place(i) for i in at)])
        case Add(args):
            return sum(value(a, arrays) for a in args)
        case Mul(args):
            return math.prod(value(a, arrays) for a in args)
        case Power(base, exponent):
            return value(base, arrays) ** float(exponent)
        case Apply(fn, arg, order):
            return (FUNCTIONS, SLOPES)[order][fn](value(arg, arrays))
        case Delta(i, j):
            return float(place(i) == place(j))
        case Holds(p):
            return float(value(p.term, arrays) > 0)
        case Sum(size):
            i = dummy(size)
            body = opened(t, i)
            return sum(value(substitute(body, {i: affine(k, ())}), arrays) for k in range(size.at(SIZES)))
        case Whole(fn, 0, sizes, _, at):
            axes = tuple(dummy(s) for s in sizes)
            body = opened_whole(t, axes)
            r, c = (s.at(SIZES) for s in sizes)
            a = [
                [value(substitute(body, {axes[0]: affine(p, ()), axes[1]: affine(q, ())}), arrays) for q in range(c)]
                for p in range(r)
            ]
            return float(np.linalg.det(a) if fn == "det" else np.linalg.inv(a)[tuple(place(i) for i in at)])
    raise AssertionError(t)


def place(i):
    assert isinstance(i, Affine) and not i.parts
    return i.constant.constant


def meaning(m, arrays):
    rows, columns = (s.at(SIZES) for s in shape(m))
    return np.array(
        [[value(entry(m, affine(i, ()), affine(j, ())), arrays) for j in range(columns)] for i in range(rows)]
    )


def size(name):
    return sized({"m": 4, "k": 2}.get(name, name))


def leaf(name, rows, columns, kind="matrix"):
    return Leaf(Array(name), kind, (size(rows), size(columns)))


A, B, C = leaf("A", "n", "m"), leaf("B", "n", "m"), leaf("C", "m", "k")
S, Q = leaf("S", "n", "n"), leaf("Q", "n", "n")
b, c, s = leaf("b", 1, "m", "row"), leaf("c", "n", 1, "column"), leaf("s", 1, 1, "scalar")
P = leaf("P", "n", "m")  # positive entries
INPUTS = {x.array.name: x for x in (A, B, C, S, Q, b, c, s, P)}


def arrays(dtype=np.float64, seed=0):
    g = np.random.default_rng(seed)
    found = {}
    for name, x in INPUTS.items():
        axes = {"matrix": x.shape, "row": x.shape[1:], "column": x.shape[:1], "scalar": ()}[x.kind]
        found[name] = np.asarray(g.normal(size=tuple(n.at(SIZES) for n in axes)), dtype)
    found["P"] = np.abs(found["P"]) + dtype(0.5)
    return found


def whole(form):
    """An output of two axes."""
    return Leaf(Array("out"), "matrix", shape(form)), form


def run(form, dtype=np.float64):
    """The compiled form at the arrays it needs."""
    return compile_forms(INPUTS, {"out": whole(form)})(**arrays(dtype))["out"]


def agrees(form):
    want = meaning(form, arrays())
    got = run(form)
    assert got.shape == want.shape and got.dtype == np.float64
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-11)
    low = run(form, np.float32)
    assert low.dtype == np.float32 and low.shape == want.shape


one_n, one_m = Ones((sized("n"), UNIT)), Ones((UNIT, size("m")))
ONES = Ones(A.shape)
i, j, k = (dummy(size(n)) for n in "nmm")


def at(name, *where):
    return Entry(Array(name), where)


a_ij = at("A", i, j)
half = Num(Fraction(1, 2))
root = Power(num(2), Fraction(1, 2))

FORMS = {
    "leaf": A,
    "row": b,
    "column": c,
    "scalar": s,
    "transpose": Transpose(A),
    "transposed row": Transpose(b),
    "transposed column": Transpose(c),
    "product": Product(A, C),
    "product of three": Product(Product(S, A), C),
    "row times matrix": Product(b, C),
    "matrix times column": Product(S, c),
    "outer": Product(c, b),
    "inner": Product(Transpose(c), c),
    "inner of rows": Product(b, Transpose(b)),
    "scalar matrix times row": Product(s, b),
    "Hadamard": Hadamard(A, B),
    "relu by hand": Hadamard(A, Given(i, j, Holds(Positive(a_ij)))),
    "plus": Plus((A, Scale(num(-1), B), Scale(half, A))),
    "minus first": Plus((Scale(num(-1), A), Scale(num(-2), B))),
    "minus of a sum": Plus((A, Scale(num(-1), Plus((B, A))))),
    "broadcast row": Plus((A, Product(one_n, b))),
    "broadcast column": Plus((A, Product(c, one_m))),
    "only broadcasts": Plus((Product(one_n, b), Product(c, one_m))),
    "broadcast alone": Product(one_n, b),
    "column alone": Product(c, one_m),
    "broadcast of a function": Elementwise("exp", Product(one_n, b)),
    "sum over rows": Product(Transpose(one_n), A),
    "sum over columns": Product(A, Transpose(one_m)),
    "sum of a broadcast": Product(Transpose(one_n), Product(one_n, b)),
    "sum of what is broadcast": Product(Transpose(one_n), Hadamard(A, Product(one_n, b))),
    "sum over a row": Product(b, Transpose(one_m)),
    "total": Product(Product(Transpose(one_n), A), Transpose(one_m)),
    "total the other way": Product(Transpose(one_n), Product(A, Transpose(one_m))),
    "sums spread again": Product(A, Ones((size("m"), size("m")))),
    "scaled total": Scale(Power(sized("n"), Fraction(-1)), Product(Product(Transpose(one_n), A), Transpose(one_m))),
    "ones": Ones((sized("n"), size("m"))),
    "zeros": Zeros((sized("n"), size("m"))),
    "half of ones": Scale(half, Ones((sized("n"), size("m")))),
    "one plus one": Plus((Ones((sized("n"), size("m"))), Ones((sized("n"), size("m"))))),
    "product of ones": Product(Ones((sized("n"), size("k"))), Ones((size("k"), size("m")))),
    "ones times ones of another width": Product(Ones((sized("n"), size("m"))), C),
    "exp of ones": Elementwise("exp", Ones((sized("n"), size("m")))),
    "scaled by a size": Scale(Power(sized("n"), Fraction(-1)), A),
    "scaled by a root": Scale(root, A),
    "scaled by a root of a size": Scale(Power(size("m"), Fraction(-1, 2)), A),
    "scaled by a variable": Scale(Entry(Array("s"), ()), A),
    "scaled by pi": Scale(Mul((num(2), Power(Entry(Array("pi"), ()), Fraction(-1, 2)))), A),
    "scaled by a sum": Scale(Add((sized("n"), Entry(Array("s"), ()))), A),
    "large number": Scale(num(10**30), A),
    "square": ElementPower(A, Fraction(2)),
    "cube": ElementPower(Plus((A, B)), Fraction(3)),
    "root": ElementPower(P, Fraction(1, 2)),
    "inverse root": ElementPower(P, Fraction(-1, 2)),
    "reciprocal": ElementPower(A, Fraction(-1)),
    "inverse square": ElementPower(A, Fraction(-2)),
    "broken power": ElementPower(P, Fraction(2, 3)),
    "quotient": Hadamard(A, ElementPower(Plus((P, P)), Fraction(-1))),
    "softmax of rows": Softmax(A, 1),
    "softmax of columns": Softmax(A, 0),
    "softmax of a row": Softmax(b, 1),
    "softmax of a column": Softmax(c, 0),
    "log softmax": Elementwise("log", Softmax(A, 1)),
    "log softmax of a column": Elementwise("log", Softmax(c, 0)),
    "log sigmoid": Elementwise("log", Elementwise("sigmoid", A)),
    "log of one minus sigmoid": Elementwise("log", Plus((ONES, Scale(num(-1), Elementwise("sigmoid", A))))),
    "log of one plus exp": Elementwise("log", Plus((ONES, Elementwise("exp", A)))),
    "quadratic form": Product(Product(Transpose(c), S), c),
    "given entries": Given(i, j, Add((a_ij, Mul((num(-1), Power(a_ij, Fraction(2))))))),
    "step": Elementwise("relu", A, 1),
    "sum of steps": Plus((Elementwise("relu", A, 1), Elementwise("relu", B, 1))),
    "product of steps": Hadamard(Elementwise("relu", A, 1), Elementwise("relu", B, 1)),
    "scaled step": Scale(num(2), Elementwise("relu", A, 1)),
    "step times": Hadamard(A, Elementwise("relu", B, 1)),
    "gelu": Elementwise("gelu", A),
    **{f"{fn}'": Elementwise(fn, A, 1) for fn in SLOPES},
    **{fn: Elementwise(fn, P if fn == "log" else A) for fn in FUNCTIONS},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_code_means_the_entries(form):
    agrees(form)


def binary(kind, *parts):
    return st.tuples(*parts).map(lambda ab: kind(*ab))


def grown(forms):
    """Larger n×m forms from smaller ones."""
    square = Product(S, Q)
    return st.one_of(
        binary(Hadamard, forms, forms),
        binary(lambda x, y: Plus((x, y)), forms, forms),
        binary(lambda x, y: Plus((x, Scale(num(-1), y))), forms, forms),
        forms.map(lambda x: Scale(Fraction_(-2, 3), x)),
        forms.map(lambda x: Elementwise("tanh", x)),
        forms.map(lambda x: Elementwise("relu", x, 1)),
        forms.map(lambda x: ElementPower(x, Fraction(2))),
        forms.map(lambda x: Softmax(x, 1)),
        forms.map(lambda x: Softmax(x, 0)),
        forms.map(lambda x: Product(square, x)),
        forms.map(lambda x: Product(x, Ones((size("m"), size("m"))))),
        forms.map(lambda x: Product(one_n, Product(Transpose(one_n), x))),
        forms.map(lambda x: Transpose(Transpose(x))),
        forms.map(lambda x: Product(Product(x, Transpose(B)), A)),
        forms.map(lambda x: Scale(size("m"), x)),
    )


def Fraction_(p, q):
    return Num(Fraction(p, q))


LEAVES = st.sampled_from([A, B, Product(one_n, b), Product(c, one_m), Ones(A.shape), Zeros(A.shape), Product(c, b)])


@given(st.recursive(LEAVES, grown, max_leaves=5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_forms_mean_their_entries(form):
    want = meaning(form, arrays())
    np.testing.assert_allclose(run(form), want, rtol=1e-9, atol=1e-9 * (1 + np.abs(want).max()))
    assert run(form, np.float32).dtype == np.float32


def test_vectors_come_back_as_vectors():
    outputs = {
        "y1": (b, Product(Transpose(one_n), A)),
        "y2": (c, Product(A, Transpose(one_m))),
        "y3": (c, c),
        "y4": (s, Product(Transpose(c), c)),
    }
    out = compile_forms({"A": A, "c": c}, outputs)(**{name: arrays()[name] for name in "Ac"})
    assert [x.shape for x in out.values()] == [(4,), (3,), (3,), ()]


def test_results_share_no_memory():
    compiled = compile_forms({"A": A}, {"y1": whole(A), "y2": whole(Transpose(A)), "y3": whole(A)})
    given = arrays()["A"]
    out = list(compiled(given).values())
    for k, x in enumerate(out):
        assert not any(np.shares_memory(x, y) for y in [given, *out[:k]])


def test_nothing_is_computed_twice():
    z = Plus((Product(S, A), Product(one_n, b)))
    e = Elementwise("exp", z)
    code = compile_forms(INPUTS, {"x": whole(Hadamard(e, e)), "y": whole(Plus((e, Ones(A.shape))))}).source
    assert code.count("exp(") == 1 and code.count("@") == 1


def test_definitions_are_used_by_name_and_unused_ones_left_out():
    z, a, unused = leaf("z", "n", "m"), leaf("a", "n", "m"), leaf("u", "n", "m")
    lines = [(z, Product(S, A)), (a, Elementwise("tanh", z)), (unused, Elementwise("sin", z))]
    compiled = compile_forms({"S": S, "A": A}, {"d": whole(Elementwise("tanh", z, 1))}, lines)
    assert compiled.source.count("tanh(") == 1 and "sin(" not in compiled.source
    values = {name: arrays()[name] for name in "SA"}
    np.testing.assert_allclose(compiled(**values)["d"], 1 - np.tanh(values["S"] @ values["A"]) ** 2)


def test_source_is_what_runs_and_the_same_every_time():
    one, two = (compile_forms(INPUTS, {"y": whole(Softmax(Product(S, A), 1))}) for _ in range(2))
    assert one.source == two.source
    space: dict[str, object] = {}
    exec(one.source, space)
    values = [arrays()[name] for name in INPUTS]
    np.testing.assert_array_equal(space["compute"](*values)[0], one.function(*values)[0])


# --- large and special values ------------------------------------------------------------------

FAR = np.array([[-1e4, 0.0, 1e4], [-800.0, -90.0, 800.0], [1.0, 2.0, 3.0]])
Zf = leaf("Z", "n", "n")
STABLE = {
    "softmax": (Softmax(Zf, 1), lambda: np.array([[0, 0, 1], [0, 0, 1], np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()])),
    "log softmax": (
        Elementwise("log", Softmax(Zf, 1)),
        lambda: FAR - np.array([[1e4], [800.0], [3 + math.log(1 + math.exp(-1) + math.exp(-2))]]),
    ),
    "softplus": (Elementwise("softplus", Zf), lambda: np.logaddexp(0, FAR)),
    "log sigmoid": (Elementwise("log", Elementwise("sigmoid", Zf)), lambda: -np.logaddexp(0, -FAR)),
    "sigmoid": (Elementwise("sigmoid", Zf), lambda: np.exp(-np.logaddexp(0, -FAR))),
    "log(1 + e^z)": (
        Elementwise("log", Plus((Ones(Zf.shape), Elementwise("exp", Zf)))), lambda: np.logaddexp(0, FAR)
    ),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("form", "want"), STABLE.values(), ids=STABLE.keys())
def test_large_values_neither_overflow_nor_become_nan(form, want, dtype):
    got = compile_forms({"Z": Zf}, {"y": whole(form)})(FAR.astype(dtype))["y"]  # warnings are errors here
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want(), rtol=10 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


def test_source_says_that_softmax_is_shifted():
    assert "exp cannot overflow" in compile_forms({"Z": Zf}, {"y": whole(Softmax(Zf, 1))}).source


# --- names that would run ----------------------------------------------------------------------

HOSTILE = [
    "c_{+open(chr(80),chr(119))}",
    "__import__('os').system('true')",
    "x\nimport os",
    "v0); import os; (v0",
    "lambda: 0",
    "n0",
    "v1",
    "exp",
    "_generated",
    "\u2028import os",
    "# x\rimport os",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_never_reach_source(name):
    x, y = leaf("x", name, 2), leaf(name, name, 2)
    p, q = dummy(sized(name)), dummy(sized(2))
    form = Scale(Power(sized(name), Fraction(-1)), Plus((x, Given(p, q, Entry(x.array, (p, q))))))
    compiled = compile_forms({"x": x}, {"y": (y, y)}, [(y, form)])
    tree = ast.parse(compiled.source)
    nodes = list(ast.walk(tree))
    names = {n.id for n in nodes if isinstance(n, ast.Name)} | {a.arg for a in nodes if isinstance(a, ast.arg)}
    assert names <= {"x0", "y0", "n0", "v1", "v2"}
    assert [type(s).__name__ for s in tree.body if not isinstance(s, ast.ImportFrom)] == ["FunctionDef"]
    assert "import os" not in compiled.source and "open(" not in compiled.source
    np.testing.assert_allclose(compiled(np.ones((3, 2)))["y"], np.full((3, 2), 2 / 3))


@pytest.mark.parametrize("name", [n for n in HOSTILE if n not in ("n0", "v1")])
def test_hostile_names_of_inputs_are_refused(name):
    x = leaf("x", "n", 2)
    try:
        source = compile_forms({name: x}, {"y": whole(x)}).source
    except UnsafeSource:
        return
    assert "import os" not in source and "open(" not in source


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_functions_are_refused(name):
    if name == "exp":
        return
    with pytest.raises(SymbackpropError, match="no NumPy code for the function"):
        compile_forms({"A": A}, {"y": whole(Elementwise(name, A))})


HEAD = "def _generated(v0):\n"
UNSAFE = [
    "v0.__class__",
    "open('x')",
    "exp(v0)(v0)",
    "v0.tofile('x')",
    "[v for v in v0]",
    "lambda: v0",
    "v0 if v0 else v0",
    "'text'",
    "v0.T.tofile",
    "__import__('os')",
    "exp(v0, out=v0)",
    "exp(*v0)",
    "(v1 := v0)",
    "v0[exit]",
    "v00",
    "v0 and v1",
    "b'bytes'",
    "1j",
    "exp",
    "f'{v0}'",
    "v0 @",
    "",
]


@pytest.mark.parametrize("code", UNSAFE)
def test_unsafe_expressions_are_refused(code):
    source = f"{HEAD}    return ({code},)\n"
    if code == "exp":  # a name of the table alone is harmless
        NUMPY.checked(source, "_generated")
        return
    with pytest.raises(UnsafeSource):
        NUMPY.checked(source, "_generated")


UNSAFE_SOURCES = [
    "import os\n" + HEAD + "    return (v0,)\n",
    "@exit\n" + HEAD + "    return (v0,)\n",
    "def _generated(v0=exit()):\n    return (v0,)\n",
    "def _generated(v0: exit()):\n    return (v0,)\n",
    "def _generated(*v0):\n    return (v0,)\n",
    "def _generated(v0) -> exit():\n    return (v0,)\n",
    "def _generated(x):\n    return (x,)\n",
    "def other(v0):\n    return (v0,)\n",
    HEAD + "    exp = v0\n    return (v0,)\n",
    HEAD + "    v0[0] = v0\n    return (v0,)\n",
    HEAD + "    global v1\n    return (v0,)\n",
    HEAD + "    for v1 in v0: v2 = v1\n    return (v0,)\n",
    HEAD + "    v1 = v2 = v0\n    return (v0,)\n",
    HEAD + "    v1 += v0\n    return (v0,)\n",
    HEAD + "    return (v0,)\n    v1 = v0\n    return (v1,)\n",
    HEAD + "    return (v0,)\nexit()\n",
    HEAD + "    exp(v0)\n    return (v0,)\n",
    HEAD + "    return\n",
]


@pytest.mark.parametrize("source", UNSAFE_SOURCES)
def test_unsafe_sources_are_refused(source):
    with pytest.raises(UnsafeSource):
        NUMPY.checked(source, "_generated")


# --- what cannot be done -----------------------------------------------------------------------

REFUSED = {
    "unknown array": (lambda: compile_forms({"A": A}, {"y": whole(B)}), "B is neither an input nor defined"),
    "used before it is defined": (
        lambda: compile_forms({"A": A}, {"y": whole(A)}, [(B, C), (C, A)]), "C is neither an input nor defined"
    ),
    "other shape": (lambda: compile_forms({"A": leaf("A", "n", 2)}, {"y": whole(A)}), "is n×2 but is used as n×4"),
    "shapes": (lambda: compile_forms({"A": A, "B": B}, {"y": whole(Product(A, B))}), "shapes do not conform"),
    "abstract": (lambda: compile_forms({"A": A}, {"y": whole(Elementwise("f", A))}), "no NumPy code for the function"),
    "abstract slope": (lambda: compile_forms({"A": A}, {"y": whole(Elementwise("f", A, 1))}), "no NumPy code"),
    "sum": (lambda: compile_forms({"A": A}, {"y": whole(Given(i, j, over(k, at("A", i, k))))}), "no matrix form found"),
    "no network's": (lambda: compile_forms({"S": S}, {"y": whole(Inverse(S))}), "no NumPy code for a inverse"),
}  # fmt: skip


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_say_why(build, message):
    with pytest.raises(SymbackpropError, match=message):
        build()


CALLS = {
    "missing": (lambda f: f(np.ones((3, 4))), "are needed, each once"),
    "twice": (lambda f: f(np.ones((3, 4)), np.ones((4, 2)), A=1), "are needed, each once"),
    "unknown": (lambda f: f(A=np.ones((3, 4)), D=1), "are needed, each once"),
    "axes": (lambda f: f(np.ones(3), np.ones((4, 2))), "A is n × 4, not an array of 1 axes"),
    "sizes": (lambda f: f(np.ones((3, 4)), np.ones((5, 2))), "C is 4 × 2, not 5 × 2"),
}


@pytest.mark.parametrize(("call", "message"), CALLS.values(), ids=CALLS.keys())
def test_calls_check_shapes(call, message):
    compiled = compile_forms({"A": A, "C": C}, {"y": whole(Product(A, C))})
    with pytest.raises(SymbackpropError, match=message):
        call(compiled)
