"""Dense networks: shapes of the compact forms, and generated gradients against HIPS autograd and differences."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
import sympy
from autograd import grad
from autograd.scipy.special import erf
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.core.matrix import Hadamard, Ones, Plus, Product, Scale, Softmax, shape
from symbackprop.core.terms import SymbackpropError, num, sized
from symbackprop.network.activations import ACTIVATIONS, abstract, activation, scalar_activation
from symbackprop.network.activations import Z as VARIABLE
from symbackprop.network.dense import dense
from symbackprop.read.sympy_scalar import scalar_term
from symbackprop.write.code.network_code import (
    compile_cost,
    compile_forms,
    compile_gradient,
    compile_prediction,
    parameter_names,
)


def sigmoid(z):
    return 1 / (1 + anp.exp(-z))


def softmax(z, axis):
    e = anp.exp(z - anp.max(z, axis=axis, keepdims=True))
    return e / anp.sum(e, axis=axis, keepdims=True)


FUNCTIONS = {
    "identity": lambda z: z,
    "tanh": anp.tanh,
    "sigmoid": sigmoid,
    "relu": lambda z: anp.maximum(z, 0.0),
    "softplus": lambda z: anp.logaddexp(0.0, z),
    "gelu": lambda z: z * (1 + erf(z / anp.sqrt(2.0))) / 2,
    "silu": lambda z: z * sigmoid(z),
    "softsign": lambda z: z / (1 + anp.abs(z)),
    "sin": anp.sin,
}
LOSSES = {
    "squared-error": lambda a, t: anp.sum((a - t) ** 2) / 2,
    "cross-entropy": lambda a, t: -anp.sum(t * anp.log(a)),
    "binary-cross-entropy": lambda a, t: -anp.sum(t * anp.log(a) + (1 - t) * anp.log(1 - a)),
}


def cost(parameters, x, t, net):
    """The cost of the network, written by hand for autograd, in either convention."""
    column, single = net.convention == "column", net.batch is None
    a = x
    for l, f in enumerate(net.activations):
        w, b = parameters[2 * l : 2 * l + 2]
        if column:
            z = anp.dot(w, a) + (b if single else b[:, None])
        else:
            z = anp.dot(a, w) + b
        a = softmax(z, 0 if column or single else 1) if f.name == "softmax" else FUNCTIONS[f.name](z)
    samples = 1 if single or not net.mean else x.shape[net.sample_axis - 1]
    return LOSSES[net.loss.name](a, t) / samples


def drawn(net, sizes, seed, targets="free"):
    """Random parameters, inputs and targets in the shapes of the network."""
    g = np.random.default_rng(seed)

    def array(leaf):
        axes = {"matrix": leaf.shape, "row": leaf.shape[1:], "column": leaf.shape[:1]}[leaf.kind]
        return g.normal(size=tuple(n.at(sizes) for n in axes))

    parameters = [array(p) for p in net.parameters]
    x, t = array(net.x), array(net.t)
    if targets != "free":
        t = np.abs(t) / (1 + np.abs(t))
    if targets == "sum to one":
        t = t / t.sum(axis=net.sample_axis if t.ndim == 2 else 0, keepdims=True)
    return parameters, x, t


KINDS = {  # last activation and loss, and what the targets have to be
    ("softmax", "cross-entropy"): "sum to one",
    ("sigmoid", "binary-cross-entropy"): "between 0 and 1",
    ("sigmoid", "cross-entropy"): "between 0 and 1",
    ("sigmoid", "squared-error"): "free",
    ("softmax", "squared-error"): "free",
    ("identity", "squared-error"): "free",
    ("gelu", "squared-error"): "free",
}


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.data(),
    st.sampled_from(list(KINDS)),
    st.sampled_from(["row", "column"]),
    st.sampled_from([None, 1, 4, "N"]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_generated_gradients_equal_autograds(widths, data, last, convention, batch, mean, seed):
    hidden = [data.draw(st.sampled_from([*FUNCTIONS, "softmax"])) for _ in widths[2:]]
    net = dense(widths, [*hidden, last[0]], last[1], convention, batch, mean)
    parameters, x, t = drawn(net, {"N": 3}, seed, KINDS[last])
    out = compile_gradient(net, cost=True)(x, t, *parameters)
    want = grad(cost)(parameters, x, t, net)
    for name, p, g in zip(parameter_names(net), parameters, want, strict=True):
        got = out[f"d{name}"]
        assert got.shape == p.shape and got.dtype == np.float64
        np.testing.assert_allclose(got, g, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(out["cost"], cost(parameters, x, t, net), rtol=1e-10)
    assert np.shape(out["cost"]) == ()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("convention", ["row", "column"])
def test_generated_gradients_equal_central_differences(name, convention):
    net = dense((4, 3, 2), (name, "softmax"), "cross-entropy", convention, "N")
    parameters, x, t = drawn(net, {"N": 5}, 7, "sum to one")
    out = compile_gradient(net)(x, t, *parameters)
    f = compile_cost(net)
    for k, p in enumerate(parameters):
        for place in np.ndindex(p.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [q.copy() for q in parameters]
                moved[k][place] += step
                sides.append(f(x, t, *moved)["cost"])
            got = out[f"d{parameter_names(net)[k]}"][place]
            assert abs((sides[0] - sides[1]) / 2e-6 - got) < 1e-7


def test_both_conventions_give_the_same_gradients():
    row, column = (dense((4, 3, 5, 2), ("tanh", "relu", "softmax"), "cross-entropy", c, "N") for c in ("row", "column"))
    parameters, x, t = drawn(row, {"N": 6}, 3, "sum to one")
    one = compile_gradient(row)(x, t, *parameters)
    two = compile_gradient(column)(x.T, t.T, *(p.T for p in parameters))
    for name in one:
        np.testing.assert_allclose(one[name], two[name].T, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("batch", [None, 7, "N"])
@pytest.mark.parametrize("convention", ["row", "column"])
def test_shapes_conform_for_symbolic_widths(convention, batch):
    net = dense(("n_0", "n_1", "n_2", 10), ("f", "g", "softmax"), "cross-entropy", convention, batch)
    for name, form in (*net.forward(), *net.deltas(), *net.gradients()):
        assert shape(form) == name.shape
    assert shape(net.cost_form()) == (1, 1) or [n.constant for n in shape(net.cost_form())] == [1, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("last", KINDS)
def test_the_type_of_numbers_stays(name, last, dtype):
    net = dense((3, 4, 2), (name, last[0]), last[1], "row", "N")
    parameters, x, t = drawn(net, {"N": 5}, 1, KINDS[last])
    values = [np.asarray(v, dtype) for v in (x, t, *parameters)]
    assert {v.dtype for v in compile_gradient(net, cost=True)(*values).values()} == {np.dtype(dtype)}
    assert compile_prediction(net)(values[0], *values[2:])["y"].dtype == dtype


def test_batches_of_any_size_go_through_one_function():
    net = dense((3, 2), ("softmax",), "cross-entropy", "row", "N")
    compiled = compile_gradient(net)
    for n in (1, 2, 9):
        parameters, x, t = drawn(net, {"N": n}, n, "sum to one")
        want = grad(cost)(parameters, x, t, net)
        np.testing.assert_allclose(compiled(x, t, *parameters)["dW1"], want[0], rtol=1e-10)


def test_softmax_without_sum_one():
    """s Σt - t is the gradient for any targets; s - t is not."""
    net = dense((3, 4), ("softmax",), "cross-entropy", "row", "N")
    assert net.needs_targets_sum_one
    parameters, x, t = drawn(net, {"N": 5}, 2, "between 0 and 1")
    z = x @ parameters[0] + parameters[1]
    want = grad(lambda z: LOSSES["cross-entropy"](softmax(z, 1), t) / 5)(z)
    s, sums = Softmax(net.z(1), 1), Product(net.t, Ones((sized(4), sized(4))))
    general = Scale(net.weight, Plus((Hadamard(s, sums), Scale(num(-1), net.t))))
    got = compile_forms({"Z": net.z(1), "T": net.t}, {"d": (net.z(1), general)})(z, t)["d"]
    np.testing.assert_allclose(got, want, rtol=1e-10)
    claimed = net.deltas()[0]
    short = compile_forms({"A": net.a(1), "T": net.t}, {"d": claimed})(softmax(z, 1), t)["d"]
    assert np.abs(short - want).max() > 0.01


Z = sympy.Symbol("z", real=True)
EXPRESSIONS = {
    "leaky relu": (sympy.Piecewise((Z, Z > 0), (Z / 10, True)), lambda z: anp.where(z > 0, z, z / 10)),
    "elu": (sympy.Piecewise((Z, Z > 0), (sympy.exp(Z) - 1, True)), lambda z: anp.where(z > 0, z, anp.exp(z) - 1)),
    "mish": (Z * sympy.tanh(sympy.log(1 + sympy.exp(Z))), lambda z: z * anp.tanh(anp.logaddexp(0.0, z))),
    "softsign": (Z / (1 + sympy.Abs(Z)), lambda z: z / (1 + anp.abs(z))),
    "gelu by tanh": (
        Z / 2 * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (Z + sympy.Float("0.044715") * Z**3))),
        lambda z: z / 2 * (1 + anp.tanh(anp.sqrt(2 / anp.pi) * (z + 0.044715 * z**3))),
    ),
    "hard tanh": (sympy.Max(-1, sympy.Min(1, Z)), lambda z: anp.maximum(-1.0, anp.minimum(1.0, z))),
    "logistic": (1 / (1 + sympy.exp(-Z)), sigmoid),
    "square": (Z**2, lambda z: z * z),
}


def own_activation(expression):
    return scalar_activation("own", scalar_term(expression, {Z: VARIABLE}))


@pytest.mark.parametrize(("expression", "f"), EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_activations_from_sympy(expression, f, monkeypatch):
    own = own_activation(expression)
    monkeypatch.setitem(FUNCTIONS, "own", f)
    net = dense((3, 5, 2), (own, "softmax"), "cross-entropy", "row", "N")
    parameters, x, t = drawn(net, {"N": 4}, 5, "sum to one")
    want = grad(cost)(parameters, x, t, net)
    out = compile_gradient(net)(x, t, *parameters)
    for got, g in zip(out.values(), want, strict=True):
        np.testing.assert_allclose(got, g, rtol=1e-10, atol=1e-10)


def test_elu_does_not_overflow_where_it_is_not_exp():
    net = dense((1, 1), (own_activation(EXPRESSIONS["elu"][0]),), "squared-error", "row", "N")
    out = compile_gradient(net, cost=True)(
        *(np.array(v, np.float32) for v in ([[2e3], [-2e3]], [[0], [0]], [[1.0]], [0.0]))
    )
    assert out["dW1"] == pytest.approx(np.array([[2e6]])) and np.isfinite(out["cost"])


BAD = {
    "activation": (lambda: dense((2, 2), ("sigmoit",), "squared-error"), "'sigmoit': did you mean sigmoid"),
    "far activation": (lambda: activation("qqq"), "known are"),
    "loss": (lambda: dense((2, 2), ("tanh",), "cross-entropi"), "'cross-entropi': did you mean cross-entropy"),
    "negative width": (lambda: dense((2, -1), ("tanh",), "squared-error"), "at least 1, not -1"),
    "zero width": (lambda: dense((0, 2), ("tanh",), "squared-error"), "at least 1, not 0"),
    "zero batch": (lambda: dense((2, 2), ("tanh",), "squared-error", batch=0), "at least 1, not 0"),
    "one width": (lambda: dense((2,), (), "squared-error"), "at least two widths"),
    "too few activations": (lambda: dense((2, 3, 2), ("tanh",), "squared-error"), "2 layers need as many activations"),
    "convention": (lambda: dense((2, 3), ("tanh",), "squared-error", "diagonal"), "unknown convention"),
    "abstract loss": (lambda: compile_gradient(dense((2, 3), ("tanh",), "L", "row", "N")), "is abstract"),
    "symbolic width": (lambda: compile_cost(dense(("n", 3), ("tanh",), "squared-error")), "widths are numbers"),
    "abstract activation": (
        lambda: compile_gradient(dense((2, 3), (abstract(),), "squared-error", "row", "N")), "no NumPy code"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "message"), BAD.values(), ids=BAD.keys())
def test_bad_networks_are_refused_in_one_line(build, message):
    with pytest.raises(SymbackpropError, match=message) as failure:
        build()
    assert "\n" not in str(failure.value)


def test_every_activation_is_tested_here():
    assert set(FUNCTIONS) - {"own"} == set(ACTIVATIONS)
