"""The table of scalar functions: every cell is filled or says why not, and what is in it is true."""

from __future__ import annotations

import importlib
import math
from dataclasses import fields
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from exact_values import evaluate, evaluate_floats
from scipy import special

from symbackprop.core.functions import COMPOSED, FUNCTIONS, ROWS, Absent, Function
from symbackprop.core.laws.functions import DERIVATIVES
from symbackprop.core.terms import Apply, Array, Entry, Term, sub
from symbackprop.network.activations import Z, derivative
from symbackprop.numbers.duals import KNOWN, STEPS, to_float
from symbackprop.numbers.exact_numbers import ball
from symbackprop.numbers.points import Point
from symbackprop.read.notes.meaning.functions import replaced

AT = Fraction(2, 5)
U = Entry(Array("u"), ())
TRUE = {
    "exp": math.exp, "log": math.log, "tanh": math.tanh, "sin": math.sin, "cos": math.cos, "sinh": math.sinh,
    "cosh": math.cosh, "atan": math.atan, "erf": math.erf, "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
}  # fmt: skip
COMPOSED_TRUE = {
    "identity": lambda x: x, "sqrt": math.sqrt, "step": lambda x: float(x > 0),
    "sign": lambda x: math.copysign(1, x), "abs": abs, "relu": lambda x: max(x, 0),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2, "silu": lambda x: x / (1 + math.exp(-x)),
    "softsign": lambda x: x / (1 + abs(x)), "tan": math.tan, "sech": lambda x: 1 / math.cosh(x),
    "coth": lambda x: 1 / math.tanh(x), "erfc": math.erfc, "cot": lambda x: 1 / math.tan(x),
    "sec": lambda x: 1 / math.cos(x), "csc": lambda x: 1 / math.sin(x), "csch": lambda x: 1 / math.sinh(x),
    "arcsin": math.asin, "arccos": math.acos, "arcsinh": math.asinh, "arccosh": math.acosh, "arctanh": math.atanh,
    "logit": lambda x: math.log(x / (1 - x)), "logsigmoid": lambda x: -math.log1p(math.exp(-x)),
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "expm1": math.expm1, "log1p": math.log1p,
}  # fmt: skip


def at(value: Fraction) -> Point:
    return Point({}, {Array("u"): {(): value}})


def floats(t: Term, value: Fraction) -> float:
    return float(evaluate_floats(t, at(value)))


def test_a_function_has_a_row_a_slope_and_values() -> None:
    assert set(FUNCTIONS) == set(DERIVATIVES) == set(KNOWN - STEPS) == set(TRUE)
    assert set(COMPOSED) == set(COMPOSED_TRUE)


def test_every_cell_is_filled_or_says_why_not() -> None:
    for row in ROWS:
        for cell in (getattr(row, f.name) for f in fields(Function)):
            assert cell.why if isinstance(cell, Absent) else cell not in ("", ())


def test_a_word_means_one_thing() -> None:
    words = [w for row in (*ROWS, *COMPOSED.values()) for w in row.words]
    assert len(words) == len(set(words))
    assert all(row.words[0] == name for name, row in COMPOSED.items() if row.words)


@pytest.mark.parametrize("f", ROWS, ids=lambda f: f.name)
def test_cells_are_true(f: Function) -> None:
    x, true = float(AT), TRUE[f.name](float(AT))
    for module, name in ((np, f.numpy), (special, f.scipy), (math, f.math)):
        if isinstance(name, str) and hasattr(module, name):  # an older SciPy lacks softplus
            assert getattr(module, name)(x) == pytest.approx(true)
    assert eval(f.code.format("x"), {**vars(np), "erf": special.erf, "x": x}) == pytest.approx(true)
    if isinstance(f.sympy, str):
        assert float(getattr(sympy, f.sympy)(sympy.Rational(2, 5))) == pytest.approx(true)
    if isinstance(f.ball, str):
        assert float(getattr(ball(AT), f.ball)().mid()) == pytest.approx(true)
    assert to_float(evaluate(Apply(f.name, U), at(AT))) == pytest.approx(true)
    assert floats(Apply(f.name, U), AT) == pytest.approx(true)
    if isinstance(f.at_zero, Fraction):
        assert float(f.at_zero) == pytest.approx(TRUE[f.name](0.0))
    assert f.everywhere == np.isfinite(floats(Apply(f.name, U), Fraction(-1)))


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_names_in_libraries(library: str) -> None:
    pytest.importorskip(library)
    for f in ROWS:
        name = getattr(f, library)
        path, _, last = (name if name.startswith(library) else f"{library}.{name}").rpartition(".")
        if library == "jax" and path == "jax":
            path = "jax.numpy"
        assert float(getattr(importlib.import_module(path), last)(array_of(library))) == pytest.approx(
            TRUE[f.name](float(AT)), rel=1e-5
        )


def array_of(library: str) -> Any:
    return importlib.import_module("jax.numpy" if library == "jax" else library).asarray(float(AT))


@pytest.mark.parametrize("name", COMPOSED)
@pytest.mark.parametrize("value", [AT, Fraction(-7, 3), Fraction(5, 2)])
def test_composed_functions(name: str, value: Fraction) -> None:
    row = COMPOSED[name]
    try:
        true = COMPOSED_TRUE[name](float(value))
    except ValueError:
        true = math.nan
    if math.isnan(true):
        assert math.isnan(floats(row.value(U), value))
        return
    assert floats(row.value(U), value) == pytest.approx(true)
    if row.slope is not None:
        by_rules = replaced(derivative(row.value(Z)), Z, U)
        assert floats(sub(row.slope(U), by_rules), value) == pytest.approx(0, abs=1e-12)
    if row.sympy:
        assert float(getattr(sympy, row.sympy)(value)) == pytest.approx(true)
