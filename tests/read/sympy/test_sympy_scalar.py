"""SymPy expressions as scalar terms: the same numbers, or a refusal that names the part."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import sympy as sp

from symbackprop.core.terms import (
    Add,
    Apply,
    Entry,
    Holds,
    Mul,
    Num,
    Power,
    SymbackpropError,
)  # fmt: skip
from symbackprop.network.activations import Z, derivative
from symbackprop.read.sympy_scalar import scalar_term

z, y = sp.Symbol("z", real=True), sp.Symbol("y")
FUNCTIONS = {
    "exp": math.exp, "log": math.log, "tanh": math.tanh, "sin": math.sin, "cos": math.cos, "sinh": math.sinh,
    "cosh": math.cosh, "atan": math.atan, "erf": math.erf, "softplus": lambda u: math.log1p(math.exp(u)),
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
}  # fmt: skip


def value(t, at):
    match t:
        case Num(v):
            return float(v)
        case Entry(array, ()):
            return math.pi if array.name == "pi" else at
        case Add(args):
            return sum(value(a, at) for a in args)
        case Mul(args):
            return math.prod(value(a, at) for a in args)
        case Power(base, exponent):
            return value(base, at) ** float(exponent)
        case Apply(fn, arg, 0):
            return FUNCTIONS[fn](value(arg, at))
        case Holds(p):
            return float(value(p.term, at) > 0)
    raise AssertionError(t)


EXPRESSIONS = [
    sp.Integer(3), sp.Rational(2, 3), sp.Float("0.1"), sp.pi, sp.E, z, -z, z**3, z**-2, sp.sqrt(z**2 + 1),
    (z**2 + 1) ** sp.Rational(-3, 2), sp.exp(z), sp.exp(-(z**2) / 2), sp.log(1 + z**2), sp.log(1 + sp.exp(z)),
    sp.tanh(z), sp.sin(z), sp.cos(z), sp.tan(z), sp.sinh(z), sp.cosh(z), sp.atan(z), sp.erf(z), sp.erfc(z), sp.sech(z),
    sp.coth(z), 2**z, sp.E**z, sp.pi**z, sp.Abs(z), sp.sign(z), sp.Max(z, 0), sp.Min(z, 1, -z), sp.Max(z, -z, 1),
    sp.Heaviside(z), sp.Heaviside(z - sp.Rational(1, 3), 1), sp.Piecewise((z, z > 0), (z / 10, True)),
    sp.Piecewise((-1, z < -1), (z, z <= 1), (1, True)), sp.Piecewise((0, z >= sp.Rational(1, 2)), (z**2, True)),
    z / (1 + sp.exp(-z)), z * sp.tanh(sp.log(1 + sp.exp(z))), sp.sqrt(2 / sp.pi) * (z + sp.Float("0.044715") * z**3),
    1 / (1 + sp.Abs(z)),
]  # fmt: skip
POINTS = (-2.25, -0.75, 0.4, 1.5)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_the_term_has_the_values_of_the_expression(expression):
    term = scalar_term(expression, {z: Z})
    for at in POINTS:
        assert value(term, at) == pytest.approx(float(expression.subs(z, at).evalf(30)), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_the_derivative_is_the_slope(expression):
    term = scalar_term(expression, {z: Z})
    slope = derivative(term)
    for at in POINTS:
        difference = (value(term, at + 1e-6) - value(term, at - 1e-6)) / 2e-6
        assert value(slope, at) == pytest.approx(difference, rel=1e-6, abs=1e-8)


JUMPS = [(sp.Heaviside(z), 0.5), (sp.Heaviside(z, 1), 1.0), (sp.sign(z), 0.0)]


@pytest.mark.parametrize(("expression", "at_zero"), JUMPS)
def test_the_value_at_a_jump_is_sympys(expression, at_zero):
    assert value(scalar_term(expression, {z: Z}), 0.0) == at_zero


def test_conditions_count_their_border_as_written():
    for condition, at_one in ((z > 1, 0), (z >= 1, 1), (z < 1, 0), (z <= 1, 1)):
        assert value(scalar_term(sp.Piecewise((1, condition), (0, True)), {z: Z}), 1.0) == at_one


def test_a_decimal_is_the_decimal_that_was_written():
    assert scalar_term(sp.Float(0.1), {z: Z}) == Num(Fraction(1, 10))


REFUSED = {
    "text": ("z", "a SymPy expression is needed, not str"),
    "code": ("__import__('os')", "a SymPy expression is needed, not str"),
    "other symbol": (z + y, "the symbol 'y' is not the variable"),
    "unknown function": (sp.gamma(z), "gamma is no function"),
    "undefined function": (sp.Function("f")(z), "f is no function"),
    "variable power": (z**z, "a rational exponent or a positive base"),
    "large power": (z**65, "larger than 64"),
    "infinity": (z + sp.oo * sp.Symbol("z", real=True) ** 2, "is no function"),
    "imaginary": (sp.I * z, "is no function"),
    "derivative": (sp.Derivative(sp.sin(z), z), "Derivative is no function"),
    "gap": (sp.Piecewise((z, z > 0), (1, z < -1)), "leave a gap"),
    "equation": (sp.Eq(z, 1), "a SymPy expression is needed"),
}


@pytest.mark.parametrize(("expression", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_name_the_part(expression, message):
    with pytest.raises(SymbackpropError, match=message):
        scalar_term(expression, {z: Z})


def test_deep_nesting_is_refused():
    e = z
    for _ in range(150):
        e = sp.sin(e)
    with pytest.raises(SymbackpropError, match="nested more than 100 deep"):
        scalar_term(e, {z: Z})
