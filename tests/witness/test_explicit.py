"""Explicit small networks: three independent derivations that agree, and claims that do not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Symbol, exp, sqrt, tanh

from symbackprop import ExplicitNetwork, SymbackpropError, explicit
from symbackprop.witness.compare import Point, Ring, atoms_of
from symbackprop.witness.parts import ACTIVATIONS, LOSSES, KinkError, Node, Scalar, Z, slope_in_value

z = Symbol("z")

# --- the three derivations agree -------------------------------------------------------------

AGREE: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    *(((2, 3, 2), {"activation": name}) for name in ACTIVATIONS),
    *(((2, 3, 2), {"loss": loss, "batch": 2}) for loss in LOSSES),
    *(((2, 3, 2), {"loss": loss, "batch": 2, "convention": "row"}) for loss in LOSSES),
    *(((3, 2), {"loss": loss, "activation": "sigmoid", "convention": "row"}) for loss in LOSSES),
    ((3, 2, 4, 1), {}),
    ((1, 1, 1, 1, 1), {"activation": "tanh", "loss": "squared-error"}),
    ((2, 4, 3, 2), {"convention": "row", "loss": "cross-entropy", "activation": "relu"}),
    ((2, 3, 3), {"output": "softmax"}),
    ((2, 2, 3), {"output": "softmax", "batch": 2, "convention": "row"}),
    ((2, 2, 3), {"output": "softmax", "batch": 2, "loss": "squared-error"}),
    ((2, 2, 2), {"output": "softmax", "loss": "binary-cross-entropy"}),
    ((2, 2, 3), {"loss": "cross-entropy", "targets": "sum to one"}),
    ((2, 2, 3), {"loss": "cross-entropy", "targets": "sum to one", "batch": 3, "convention": "row"}),
    ((2, 2, 2), {"loss": "cross-entropy", "output": "tanh"}),
    ((2, 2, 2), {"loss": "binary-cross-entropy", "output": "abstract", "batch": 2}),
    ((2, 2, 1), {"output": "identity", "loss": "squared-error", "activation": "tanh"}),
    ((2, 3, 1), {"activation": z / (1 + exp(-z))}),
    ((2, 2, 2), {"activation": z**3 - sqrt(z**2 + 1), "loss": "squared-error"}),
]


@pytest.mark.parametrize(("widths", "options"), AGREE, ids=str)
def test_sums_compact_forms_and_sympy_agree(widths: tuple[int, ...], options: dict[str, Any]) -> None:
    network = explicit(*widths, **options)
    verdicts = network.verdicts()
    assert len(verdicts) == 4 * network.depth
    assert [v for v in verdicts if not v.equal] == []
    entries = sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))
    assert sum(v.equal_entries for v in verdicts) == 2 * entries


def test_eight_by_eight_at_depth_two() -> None:
    assert all(v.equal for v in explicit(8, 8, 8).verdicts())


def test_shapes_and_names() -> None:
    column, row = explicit(2, 3, 4, batch=5), explicit(2, 3, 4, batch=5, convention="row")
    assert column.W[1].shape == (3, 2) and row.W[1].shape == (2, 3)
    assert column.z[2].shape == (4, 5) and row.z[2].shape == (5, 4)
    assert column.b[2].shape == (4, 1) and row.b[2].shape == (1, 4)
    assert column.weight_gradient(2).shape == (4, 3) and row.weight_gradient(2).shape == (3, 4)
    assert row.W[1] == column.W[1].T.applyfunc(lambda s: Symbol(_swapped(str(s))))
    assert str(column.z[1][0, 0]) == "W^{1}_{11}*x_{11} + W^{1}_{12}*x_{21} + b^{1}_{1}"
    assert str(explicit(10, 1).W[1][0, 9]) == "W^{1}_{1,10}"


def _swapped(name: str) -> str:
    return name[:-3] + name[-2] + name[-3] + name[-1]


# --- against stock SymPy, and against numbers ------------------------------------------------


@pytest.mark.parametrize("activation", ["abstract", "sigmoid", "tanh", "softplus"])
@pytest.mark.parametrize("convention", ["column", "row"])
def test_nodes_change_nothing(activation: str, convention: Any) -> None:
    """Written out in stock functions first and differentiated then, the gradient is the same expression."""
    network = explicit(2, 2, 1, activation=activation, convention=convention)
    cost = network.substituted(network.cost)
    assert not cost.atoms(Node)
    for layer in (1, 2):
        for variable, entry in zip(network.W[layer], network.weight_gradient(layer), strict=True):
            stock = sympy.diff(cost, variable)
            assert sympy.expand(stock.doit() - network.substituted(entry).doit()) == 0


def test_entries_against_finite_differences() -> None:
    """The gradient of a batch in floating point, by an implementation that shares nothing with the symbols."""
    network = explicit(2, 3, 2, activation="tanh", loss="cross-entropy", batch=2, convention="row")
    point = Point(7)
    point.settle([network.cost])

    def array(matrix: Any) -> np.ndarray[Any, Any]:
        return np.array([[float(point.value(entry)) for entry in matrix.row(r)] for r in range(matrix.rows)])

    values = {(kind, l): array(getattr(network, kind)[l]) for kind in "Wb" for l in (1, 2)}
    x, t = array(network.a[0]), array(network.t)

    def cost(v: dict[tuple[str, int], np.ndarray[Any, Any]]) -> float:
        logits = np.tanh(x @ v["W", 1] + v["b", 1]) @ v["W", 2] + v["b", 2]
        softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return float(-(t * np.log(softmax)).sum(axis=1).mean())

    for (kind, layer), value in values.items():
        gradient = network.weight_gradient(layer) if kind == "W" else network.bias_gradient(layer)
        exact, h = array(gradient), 1e-6
        for place in product(*map(range, value.shape)):
            up, down = (dict(values) for _ in range(2))
            up[kind, layer], down[kind, layer] = value.copy(), value.copy()
            up[kind, layer][place] += h
            down[kind, layer][place] -= h
            assert exact[place] == pytest.approx((cost(up) - cost(down)) / (2 * h), rel=1e-6, abs=1e-8)


def test_the_softmax_jacobian_is_what_sympy_finds() -> None:
    network = explicit(2, 3, output="softmax")
    u = sympy.symbols("u_1:4")
    stock = [sympy.exp(v) / sum(map(sympy.exp, u)) for v in u]
    jacobian = network.substituted(network.softmax_jacobian())
    logits = dict(zip(u, network.z[1], strict=True))
    for i, j in product(range(3), repeat=2):
        expected = sympy.diff(stock[i], u[j])
        at = jacobian[i, j].subs({v: k for v, k in zip(network.W[1], (1, -2, 3, 1, 0, 2), strict=True)})
        same = expected.xreplace(logits).subs({v: k for v, k in zip(network.W[1], (1, -2, 3, 1, 0, 2), strict=True)})
        point = {s: sympy.Rational(1, 2 + n) for n, s in enumerate(sorted(at.free_symbols, key=str))}
        assert abs((at - same).subs(point).evalf(30)) < 1e-25


def test_second_derivatives_pass_through_nodes() -> None:
    network = explicit(1, 1, 1)
    w = network.W[1][0]
    hessian = sympy.diff(network.cost, w, 2)
    f, loss = sympy.Function("f"), sympy.Function("L")
    (w2,), (b1,), (b2,), (x,) = network.W[2], network.b[1], network.b[2], network.a[0]
    stock = sympy.diff(loss(f(w2 * f(w * x + b1) + b2)), w, 2)
    assert sympy.expand(network.substituted(hessian).doit() - stock.doit()) == 0


def test_substituting_in_a_node_writes_it_out() -> None:
    network = explicit(1, 1, activation="sigmoid")
    a, (w,), (b,) = network.a[1][0], network.W[1], network.b[1]
    assert a.subs(w, 0) == 1 / (1 + exp(-b))
    assert a.xreplace({w: sympy.S.Zero}) == 1 / (1 + exp(-b))
    assert a.subs(Symbol("other"), 0) == a
    assert sympy.latex(a**2) == r"\left(a^{1}_{1}\right)^{2}"


# --- wrong claims, each with numbers that differ -----------------------------------------------

N = ExplicitNetwork
Claim = Callable[[N], tuple[Any, Any]]

ROW = {"convention": "row"}
WRONG: list[tuple[str, dict[str, Any], Claim]] = [
    ("weight gradient transposed", {"widths": (2, 2)}, lambda n: (n.weight_gradient(1), (n.delta(1) * n.a[0].T).T)),
    ("missing slope, last layer", {}, lambda n: (n.weight_gradient(2), n.upstream * n.a[1].T)),
    ("missing slope, hidden", {}, lambda n: (n.weight_gradient(1), n.W[2].T * n.delta(2) * n.a[0].T)),
    ("slope of the wrong layer", {"widths": (2, 2, 2)},
     lambda n: (n.weight_gradient(1), (n.W[2].T * n.delta(2)).multiply_elementwise(n.slope(2)) * n.a[0].T)),
    ("weights not transposed", {"widths": (2, 2, 2)},
     lambda n: (n.weight_gradient(1), (n.W[2] * n.delta(2)).multiply_elementwise(n.slope(1)) * n.a[0].T)),
    ("weights of the wrong layer", {"widths": (2, 2, 2)},
     lambda n: (n.weight_gradient(1), (n.W[1].T * n.delta(2)).multiply_elementwise(n.slope(1)) * n.a[0].T)),
    ("activation of the wrong layer", {"widths": (2, 2, 2)}, lambda n: (n.weight_gradient(2), n.delta(2) * n.a[0].T)),
    ("pre-activation for activation", {}, lambda n: (n.weight_gradient(2), n.delta(2) * n.z[1].T)),
    ("signal of the wrong layer", {"widths": (2, 2, 2)}, lambda n: (n.weight_gradient(1), n.delta(2) * n.a[0].T)),
    ("sign", {}, lambda n: (n.weight_gradient(1), -n.compact_weight_gradient(1))),
    ("factor 2", {}, lambda n: (n.bias_gradient(1), 2 * n.delta(1))),
    ("bias gradient is the upstream", {}, lambda n: (n.bias_gradient(2), n.upstream)),
    ("value for slope", {"activation": "sigmoid"},
     lambda n: (n.bias_gradient(2), n.upstream.multiply_elementwise(n.a[2]))),
    ("sigmoid' = a (1 + a)", {"activation": "sigmoid"},
     lambda n: (n.bias_gradient(2), n.upstream.multiply_elementwise(n.a[2].applyfunc(lambda a: a * (1 + a))))),
    ("tanh' = 1 - a", {"activation": "tanh"},
     lambda n: (n.bias_gradient(2), n.upstream.multiply_elementwise(n.a[2].applyfunc(lambda a: 1 - a)))),
    ("relu' = 1", {"activation": "relu"}, lambda n: (n.bias_gradient(1), n.W[2].T * n.delta(2))),
    ("softplus' = tanh", {"activation": "softplus"},
     lambda n: (n.slope(1), explicit(2, 3, 2, activation="tanh").a[1])),
    ("missing 1/N", {"loss": "squared-error", "batch": 2},
     lambda n: (n.weight_gradient(2), 2 * n.delta(2) * n.a[1].T)),
    ("missing sum over the batch", {"batch": 2}, lambda n: (n.bias_gradient(2), n.delta(2)[:, 0])),
    ("missing sum over the batch, rows", {"batch": 2, **ROW}, lambda n: (n.bias_gradient(2), n.delta(2)[0, :])),
    ("squared error without 1/2", {"loss": "squared-error"}, lambda n: (n.upstream, 2 * (n.a[2] - n.t))),
    ("t - y", {"loss": "squared-error", "output": "identity"}, lambda n: (n.delta(2), n.t - n.a[2])),
    ("s - t without sum t = 1", {"loss": "cross-entropy"}, lambda n: (n.bias_gradient(2), n.a[2] - n.t)),
    ("softmax Jacobian is diagonal", {"output": "softmax"},
     lambda n: (n.bias_gradient(2), n.upstream.multiply_elementwise(n.a[2].applyfunc(lambda s: s * (1 - s))))),
    ("y - t for tanh outputs", {"loss": "binary-cross-entropy", "output": "tanh"},
     lambda n: (n.bias_gradient(2), n.a[2] - n.t)),
    ("slope kept with binary cross-entropy", {"loss": "binary-cross-entropy"},
     lambda n: (n.bias_gradient(2), (n.a[2] - n.t).multiply_elementwise(n.slope(2)))),
    ("row form in column order", {"widths": (2, 2), **ROW}, lambda n: (n.weight_gradient(1), n.delta(1).T * n.a[0])),
    ("bias of the wrong layer", {"widths": (2, 2, 2)}, lambda n: (n.bias_gradient(1), n.delta(2))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "claim"), WRONG, ids=[name for name, *_ in WRONG])
def test_wrong_claims_differ_in_numbers(name: str, options: dict[str, Any], claim: Claim) -> None:
    network = explicit(*options.get("widths", (2, 3, 2)), **{k: v for k, v in options.items() if k != "widths"})
    verdict = network.compare(*claim(network), name)
    assert verdict.verdict == "unequal", verdict
    assert verdict.counterexample is not None and verdict.place is not None
    assert abs(verdict.counterexample.left - verdict.counterexample.right) > sympy.Rational(1, 10**20)
    assert str(verdict.counterexample)


def test_counterexamples_of_abstract_networks_are_exact() -> None:
    network = explicit(2, 3, 2)
    verdict = network.compare(network.weight_gradient(1), -network.weight_gradient(1))
    assert verdict.counterexample is not None and verdict.counterexample.exact
    numbers = verdict.counterexample.point
    assert all(numbers[w].is_Rational for w in network.W[1])
    assert verdict.counterexample.left == -verdict.counterexample.right


def test_evaluation_at_given_numbers() -> None:
    network = explicit(1, 1, loss="squared-error", activation="relu")
    (w,), (b,), (x,), (t,) = network.W[1], network.b[1], network.a[0], network.t
    gradient = network.weight_gradient(1)[0]
    assert network.evaluate(gradient, {w: 2, b: Fraction(1, 2), x: 3, t: 1}) == sympy.Rational(33, 2)
    assert network.evaluate(gradient, {w: -2, b: 0, x: 3, t: 1}) == 0
    assert network.evaluate(gradient, seed=1) == network.evaluate(gradient, seed=1)
    with pytest.raises(SymbackpropError, match="kink"):
        network.evaluate(gradient, {w: 0, b: 0})
    with pytest.raises(SymbackpropError, match="whole number or a fraction"):
        network.evaluate(gradient, {w: 0.5})
    entropy = explicit(1, 1, loss="binary-cross-entropy", output="identity")
    (w,), (b,), (x,) = entropy.W[1], entropy.b[1], entropy.a[0]
    with pytest.raises(SymbackpropError, match="not real"):
        entropy.evaluate(entropy.cost, {w: -2, b: 0, x: 3})


def test_shapes_that_differ() -> None:
    network = explicit(2, 3, 2)
    verdict = network.compare(network.weight_gradient(1), network.weight_gradient(2))
    assert verdict.verdict == "unequal" and "3×2 and 2×3" in verdict.note


def test_true_relations_beyond_the_recurrence() -> None:
    sigmoid, hyperbolic = explicit(2, 2, activation="sigmoid"), explicit(2, 2, activation=2 * tanh(3 * z) + 1)
    assert sigmoid.compare(sigmoid.slope(1), sigmoid.a[1].applyfunc(lambda a: a * (1 - a))).equal
    square = hyperbolic.a[1].applyfunc(lambda a: 6 * (1 - ((a - 1) / 2) ** 2))
    assert hyperbolic.compare(hyperbolic.slope(1), square).equal
    softmax = explicit(2, 3, output="softmax")
    assert softmax.compare(sum(softmax.a[1]), sympy.S.One).equal


def test_what_the_ring_cannot_decide_is_said() -> None:
    """relu(z)·relu'(z) = relu(z) holds where relu is differentiable, but not between independent generators."""
    network = explicit(2, 2, activation="relu")
    verdict = network.compare(network.a[1].multiply_elementwise(network.slope(1)), network.a[1])
    assert verdict.verdict == "undecided" and verdict.counterexample is None


def test_kinks_are_no_points() -> None:
    relu = ACTIVATIONS["relu"]
    assert relu.number((1,), (sympy.Rational(-1, 2),)) == 0
    assert relu.number((1,), (sympy.Integer(3),)) == 1
    with pytest.raises(KinkError):
        relu.number((1,), (sympy.S.Zero,))
    leaky = Scalar("g", "g", sympy.Piecewise((Z, Z > 1), (Z / 10, True)))
    assert leaky.number((1,), (sympy.Integer(2),)) == 1
    with pytest.raises(KinkError):
        leaky.number((1,), (sympy.Integer(1),))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (1 / (1 + exp(-Z)), (0, 1, -1)),
        (exp(Z) / (1 + exp(Z)), (0, 1, -1)),
        (tanh(Z), (1, 0, -1)),
        (exp(Z), (0, 1, 0)),
        (exp(-2 * Z), (0, -2, 0)),
        (Z, (1, 0, 0)),
        (sympy.log(1 + exp(Z)), None),
        (Z / (1 + exp(-Z)), None),
        (sympy.sin(Z), None),
        (None, None),
    ],
)
def test_slopes_that_are_polynomials_in_the_value(expression: Any, expected: Any) -> None:
    assert slope_in_value(expression) == expected


# --- the ring --------------------------------------------------------------------------------


def test_rational_expressions() -> None:
    a, b, c = sympy.symbols("a b c")

    def equal(left: Any, right: Any) -> bool:
        sides = sympy.sympify(left), sympy.sympify(right)
        ring = Ring(atoms_of(sides))
        return ring.equal(*map(ring.convert, sides))

    assert equal(1 / (a * (1 - a)), 1 / a + 1 / (1 - a))
    assert equal((a**2 - b**2) / (a - b), a + b)
    assert equal(a / (a + b + c) + b / (a + b + c) + c / (a + b + c), 1)
    assert equal((a + b) ** -2 * (a + b) ** 3, a + b)
    assert equal(1 / (1 / a + 1 / b), a * b / (a + b))
    assert equal(1 / (1 / (1 / a + b) + c), (1 + a * b) / (a + c * (1 + a * b)))
    assert equal(sympy.Rational(1, 3) * a + sympy.Rational(2, 3) * a, a)
    assert not equal(1 / (a + b), 1 / a + 1 / b)
    assert not equal(1 / (1 / a + b) ** 2, a**2 / (1 + a * b))
    assert not equal(a * b, a * c)
    for zero in (sympy.Add(sympy.Mul(a, b - c), -a * b, a * c, evaluate=False), 1 / (1 + 1 / a) - a / (1 + a)):
        with pytest.raises(SymbackpropError, match="division by zero"):
            equal(1 / zero, b)
    for strange in (exp(a), sqrt(a)):
        with pytest.raises(SymbackpropError, match="no rational expression"):
            equal(strange, a)


# --- refused ---------------------------------------------------------------------------------

REFUSED: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((), {}, "at least an input and an output"),
    ((3,), {}, "at least an input and an output"),
    ((2, 0, 1), {}, "width 1 of the network must be at least 1, got 0"),
    ((2, -3, 1), {}, "at least 1, got -3"),
    ((2, 2.5), {}, "whole number, got 2.5"),
    ((2, "3"), {}, "whole number, got '3'"),
    ((2, True), {}, "whole number, got True"),
    ((100, 100, 100), {}, "too large"),
    ((10**30, 10**30), {}, "too large"),
    ((2,) * 100, {}, "too many"),
    ((2, 2), {"activation": "sigmod"}, "unknown activation 'sigmod'"),
    ((2, 2), {"activation": "__import__('os').system('true')"}, "unknown activation"),
    ((2, 2), {"activation": 3}, "not int"),
    ((2, 2), {"activation": sympy.Integer(3)}, "one symbol; 3 has none"),
    ((2, 2), {"activation": z * Symbol("c")}, "one symbol"),
    ((2, 2), {"activation": sympy.Function("h")(z)}, "undefined function"),
    ((2, 2), {"loss": "hinge"}, "unknown loss 'hinge'"),
    ((2, 2), {"output": "hardmax"}, "unknown activation 'hardmax'"),
    ((2, 2), {"convention": "diagonal"}, "unknown convention"),
    ((2, 2), {"targets": "one-hot", "loss": "cross-entropy"}, "unknown targets"),
    ((2, 2), {"targets": "sum to one"}, "abstract loss"),
    ((2, 2), {"batch": 0}, "the batch size must be at least 1"),
]


@pytest.mark.parametrize(("widths", "options", "message"), REFUSED, ids=str)
def test_refused(widths: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbackpropError, match=message.replace("(", r"\(")) as error:
        explicit(*widths, **options)
    assert "\n" not in str(error.value)


def test_refused_afterwards() -> None:
    network = explicit(2, 3, output="softmax")
    for attempt in (
        lambda: network.weight_gradient(0),
        lambda: network.delta(2),
        lambda: network.slope(1),
        lambda: explicit(2, 2).softmax_jacobian(),
        lambda: network.compare(network.a[1], "s"),
        lambda: network.compare(sympy.Float("0.5"), sympy.Rational(1, 2)),
    ):
        with pytest.raises(SymbackpropError):
            attempt()


# --- LaTeX -----------------------------------------------------------------------------------


def test_latex_has_every_entry_and_all_forms() -> None:
    text = explicit(2, 3, 2, activation="sigmoid").latex()
    assert text.isascii()
    assert r"\delta^{1} = (W^{2})^{\mathsf T} \delta^{2} \circ f'(z^{1})" in text
    assert r"\sum_{i_{2}=1}^{2}" in text and r"\delta_{a i_{1}}" in text
    for layer, (rows, columns) in {1: (3, 2), 2: (2, 3)}.items():
        for i, k in product(range(1, rows + 1), range(1, columns + 1)):
            assert rf"\frac{{\partial L}}{{\partial W^{{{layer}}}_{{{i}{k}}}}} &= " in text
    assert text.count("entries of both agree") == 8
    assert text.count("{") == text.count("}")
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_latex_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from symbackprop import explicit; import sys;"
        "sys.stdout.write(explicit(2, 3, 2, loss='cross-entropy', batch=2, convention='row').latex())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
