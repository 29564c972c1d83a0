"""Scalar LaTeX: read as it is meant, refused where it is ambiguous or hostile; what we emit comes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import sympy

from symbackprop.commands.activations import is_formula, name_or_expression, named_or_formula
from symbackprop.core.terms import (
    PI,
    Add,
    Apply,
    Array,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    SymbackpropError,
    Term,
)
from symbackprop.network.activations import ACTIVATIONS, Activation, Z
from symbackprop.read.scalar import scalar_latex, scalar_sympy
from symbackprop.write.paper.latex import latex

NAMES = ("z", "y", "t", r"\hat{y}", "y_1", r"\theta")
VARIABLES = {name: Entry(Array(name.strip("\\")), ()) for name in NAMES}
VALUES = {"z": 0.7, "y": 0.4, "t": 0.9, "hat{y}": 0.3, "y_1": 1.1, "theta": -0.6}
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "log": math.log, "tanh": math.tanh, "sin": math.sin, "cos": math.cos, "sinh": math.sinh,
    "cosh": math.cosh, "atan": math.atan, "erf": math.erf, "softplus": lambda u: math.log1p(math.exp(u)),
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)), "f": lambda u: u**3 + 1,
}  # fmt: skip


def value(t: Term) -> float:
    match t:
        case Num(v):
            return float(v)
        case Entry(array, ()):
            return math.pi if t == PI else VALUES[array.name]
        case Add(args):
            return sum(map(value, args))
        case Mul(args):
            return math.prod(map(value, args))
        case Power(base, q):
            return float(value(base) ** float(q))
        case Apply(fn, arg, 0):
            return FUNCTIONS[fn](value(arg))
        case Apply("f", arg, 1):
            return 3 * value(arg) ** 2
        case Holds(Positive(u)):
            return float(value(u) > 0)
    raise AssertionError(t)


z, y, t = 0.7, 0.4, 0.9
READ = {
    r"\frac{1}{1+e^{-z}}": 1 / (1 + math.exp(-z)),
    r"z e^{-z^2}": z * math.exp(-(z**2)),
    r"\max(0, z)": z,
    r"\min\{z, y, 1\}": y,
    r"\max(0, \min(z, 1) + 1)": z + 1,
    r"\log(1+e^z)": math.log(1 + math.exp(z)),
    r"\ln y": math.log(y),
    r"\log y_1 - \log z": math.log(1.1) - math.log(z),
    r"|y - t|": t - y,
    r"\left|y - t\right|": t - y,
    r"-t\log y - (1-t)\log(1-y)": -t * math.log(y) - (1 - t) * math.log(1 - y),
    r"\frac{1}{2}(y-t)^2": (y - t) ** 2 / 2,
    r"\frac12 z": z / 2,
    r"z/2": z / 2,
    r"0.5z": z / 2,
    r"\sqrt{z^2+1}": math.sqrt(z * z + 1),
    r"\sqrt[3]{z}": z ** (1 / 3),
    r"\frac{e^{z}-e^{-z}}{e^{z}+e^{-z}}": math.tanh(z),
    r"\sin^2 z + \cos^2 z": 1,
    r"\sin z \cos z": math.sin(z) * math.cos(z),
    r"2^{-z}": 2**-z,
    r"\sigma(z)(1-\sigma(z))": FUNCTIONS["sigmoid"](z) * (1 - FUNCTIONS["sigmoid"](z)),
    r"\sigma(\sigma(z) + 1)": FUNCTIONS["sigmoid"](FUNCTIONS["sigmoid"](z) + 1),
    r"\operatorname{softplus}(z) \operatorname{erf}(y)": FUNCTIONS["softplus"](z) * math.erf(y),
    r"\left[z > y\right] z": z,
    r"\left[z < y\right] z": 0,
    r"y(z)": y * z,
    r"-z^2": -(z**2),
    r"2 \pi z": 2 * math.pi * z,
    r"\hat{y} \theta": 0.3 * -0.6,
    r"\frac{1}{2} z (1 + \tanh(\sqrt{\frac{2}{\pi}}(z + 0.044715 z^3)))": z / 2 * (1 + math.tanh(
        math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    r"t^y": t**y, r"e": math.e, r"e^2 z": math.e**2 * z, r"\log 2z": math.log(2 * z), r"\coth z": 1 / math.tanh(z),
    r"f(z) + f'(z)": z**3 + 1 + 3 * z * z,
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    assert value(scalar_latex(text, VARIABLES, ["f"])) == pytest.approx(READ[text], rel=1e-12, abs=1e-12)


REFUSED = {
    r"\lcm(z)": r"unknown command \lcm",
    r"2 3": "two numbers",
    r"x+1": "x is not declared",
    r"z+1)+2": "“)” is not expected",
    r"(z": "( is not closed",
    r"a": "a is not declared",
    r"\sin^{-1} z": "the inverse function of sin",
    r"z/y t": "write \\frac or parentheses",
    r"z_{2}": "entry is not read",
    r"99999999!": "above 1,000,000",
    r"9^{9^{9^9}}": "go to 64",
    r"z^{100}": "above 64",
    r"z^y^t": "tower",
    "9" * 40: "above 1,000,000",
    "(" * 200 + "z" + ")" * 200: "nested deeper",
    "z+" * 5000 + "z": "10,001 characters",
    r"c_{+open(chr(80),chr(119))}": "c is not declared",
    r"\text{__import__('os')}": "words is not read",
    r"\operatorname{eval}(z)": "eval is not declared",
    "__import__('os').system('id')": "“_” is not expected",
    r"\begin{bmatrix} z \end{bmatrix}": "matrix is not read",
    r"\sum_{i=1}^n z": "n is not declared",
    r"\frac{d}{dz} z": "derivative is not read",
    r"\int z": "∫ is not supported",
    "ż": "is not declared",
    "": "ends where a value",
    r"\frac{1}{0}": "no value",
}


@pytest.mark.parametrize("text", REFUSED, ids=[t[:20] for t in REFUSED])
def test_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SymbackpropError) as refusal:
        scalar_latex(text, VARIABLES)
    assert REFUSED[text] in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_as_sympy() -> None:
    u = sympy.Symbol("u", real=True)
    assert scalar_sympy(r"z\sigma(z)", {"z": u}).equals(u / (1 + sympy.exp(-u)))
    assert scalar_sympy(r"\max(0, z)", {"z": u}).subs(u, -2) == 0


EMITTED: dict[str, Term] = {name: a.value for name, a in ACTIVATIONS.items()}
EMITTED |= {f"{name}'": a.slope for name, a in ACTIVATIONS.items()}
EMITTED |= {
    text: scalar_latex(text, {k: v for k, v in VARIABLES.items() if k in "zyt"}, ["f"])
    for text in READ if "hat" not in text and "theta" not in text and "y_1" not in text
}  # fmt: skip


@pytest.mark.parametrize("name", EMITTED)
def test_what_is_emitted_is_read_back_and_means_the_same(name: str) -> None:
    term = EMITTED[name]
    text = latex(term)
    again = scalar_latex(text, {"z": Z, "y": VARIABLES["y"], "t": VARIABLES["t"]}, ["f"])
    assert value(again) == pytest.approx(value(term), rel=1e-12, abs=1e-12), text


def test_on_the_command_line() -> None:
    assert [is_formula(s) for s in ("relu", "binary cross-entropy", "z", r"\tanh z")] == [False, False, True, True]
    found = named_or_formula(r"\frac{z}{1+e^{-z}}")
    assert isinstance(found, Activation) and value(found.slope) == pytest.approx(
        (1 + math.exp(-z) + z * math.exp(-z)) / (1 + math.exp(-z)) ** 2
    )
    assert name_or_expression("tanh") == "tanh" and name_or_expression("z^2") == sympy.Symbol("z") ** 2
