"""check_gradient and its siblings: families of layers proved, wrong variants refuted, requests that make no sense."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from families import FAMILIES, Family

from symbackprop import check_equal, check_gradient, check_hessian, check_hvp, check_jacobian, derive
from symbackprop.core.terms import SymbackpropError
from symbackprop.functions.verdict import Verdict

# Cells with many gradients: some of them, so that the test is quick.
SOME = {"LSTM cell": ("c",), "GRU cell": ("h",), "causal attention": ("k",), "attention with softcap": ("q",)}
SIZES = dict(B=2, H=3, T=2, D=4, N=3, G=2, C=2, L=3, K=3, n=3, m=4, d=2, e=3, M=2, P=3, Q=2)


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_proved_for_all_sizes(name: str) -> None:
    f = FAMILIES[name]
    wrt = SOME.get(name, f.wrt)
    verdict = check_gradient(f.forward, f.backward, f.shapes, wrt, f.assuming, seek_repair=False, **f.values)
    assert verdict.status == "proved", str(verdict)
    assert verdict.recheck()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_table_is_right_by_central_differences(name: str) -> None:
    f = FAMILIES[name]
    arguments = drawn(f)
    rng = np.random.default_rng(1)
    output = f.forward(**arguments)
    outputs = output if isinstance(output, tuple) else (output,)
    upstream = [n for n in parameters(f.backward) if n not in arguments]
    gs = [rng.normal(size=np.shape(o)) if upstream else 1.0 for o in outputs]
    found = f.backward(**arguments, **dict(zip(upstream, gs, strict=False)))
    items = list(found.values()) if isinstance(found, dict) else list(found) if isinstance(found, tuple) else [found]
    for v, value in zip(f.wrt, items, strict=True):
        direction = rng.normal(size=np.shape(arguments[v]))
        slope = (along(f, arguments, v, 1e-5 * direction, gs) - along(f, arguments, v, -1e-5 * direction, gs)) / 2e-5
        assert np.shape(value) == np.shape(arguments[v])
        np.testing.assert_allclose(np.sum(value * direction), slope, rtol=1e-6, atol=1e-7)


def along(f: Family, arguments: dict[str, Any], v: str, step: Any, gs: list[Any]) -> float:
    output = f.forward(**{**arguments, v: arguments[v] + step})
    return sum(
        float(np.sum(g * o)) for g, o in zip(gs, output if isinstance(output, tuple) else (output,), strict=True)
    )


def parameters(f: Callable[..., Any]) -> tuple[str, ...]:
    return f.__code__.co_varnames[: f.__code__.co_argcount]


def drawn(f: Family) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    arguments: dict[str, Any] = {}
    for name, shape in f.shapes.items():
        integer = shape.startswith("int[")
        axes = shape.partition("]")[2] if integer else shape
        size = [eval(a, {}, SIZES) for a in axes.split()]
        if integer:
            arguments[name] = rng.integers(0, SIZES[shape[4]], size)
        else:
            arguments[name] = np.abs(rng.normal(size=size)) + 0.1 if f.assuming else rng.normal(size=size)
        if not size:
            arguments[name] = float(arguments[name])
    return arguments


def on_autograd(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function over autograd's NumPy, helpers included."""
    used = {k: v for k, v in f.__globals__.items() if k in f.__code__.co_names}
    names = {k: on_autograd(v) if isinstance(v, types.FunctionType) and v is not f else v for k, v in used.items()}
    return types.FunctionType(f.__code__, {**names, "np": anp}, f.__name__, f.__defaults__, f.__closure__)


def by_autograd(f: Callable[..., Any], arguments: dict[str, Any], v: str, g: Any) -> Any:
    again = on_autograd(f)
    return autograd.grad(lambda x: anp.sum(g * again(**{**arguments, v: x})))(arguments[v])


# --- derive ----------------------------------------------------------------------------------


def mlp(x, W, b, V):
    return np.tanh(x @ W + b) @ V


def cross_entropy(z, t):
    return -(t * (z - np.log(np.exp(z).sum(-1, keepdims=True)))).sum()


def correlation(x, w):
    n = x.shape[-1] - 2
    return sum(x[..., k : n + k] * w[k] for k in range(3))


def log_determinant(X):
    return np.log(np.linalg.det(X @ X.T + np.eye(X.shape[0])))


def hinge(x, W):
    return np.maximum(x @ W, 0)


DERIVED: list[tuple[Callable[..., Any], dict[str, str]]] = [
    (mlp, {"x": "B D", "W": "D H", "b": "H", "V": "H K"}),
    (cross_entropy, {"z": "B K", "t": "B K"}),
    (correlation, {"x": "B L+2", "w": "3"}),
    (log_determinant, {"X": "n m"}),
    (hinge, {"x": "B D", "W": "D H"}),
]


@pytest.mark.parametrize(("forward", "shapes"), DERIVED, ids=lambda v: getattr(v, "__name__", ""))
def test_derived_gradients_run_and_equal_autograd(forward: Callable[..., Any], shapes: dict[str, str]) -> None:
    found = derive(forward, shapes)
    agrees_with_autograd(found, Family(forward, forward, shapes, tuple(found.terms)))


@pytest.mark.parametrize("name", ["layernorm", "batchnorm", "rmsnorm", "groupnorm", "KL", "JSD"])
def test_derived_gradients_of_the_families(name: str) -> None:
    f = FAMILIES[name]
    agrees_with_autograd(derive(f.forward, f.shapes, f.wrt, f.assuming), f)


def agrees_with_autograd(found: Any, f: Family) -> None:
    assert found.verdict.status == "proved"
    arguments = drawn(f)
    output = f.forward(**arguments)
    g = np.random.default_rng(2).normal(size=np.shape(output)) if found.upstream else 1.0
    result = found(**arguments, **dict.fromkeys(found.upstream, g))
    result = result if isinstance(result, dict) else {next(iter(found.terms)): result}
    for v in found.terms:
        wanted = by_autograd(f.forward, arguments, v, g)
        assert np.shape(result[v]) == np.shape(wanted)
        np.testing.assert_allclose(result[v], wanted, rtol=1e-9, atol=1e-10)
    assert found.code.startswith(("import numpy", "from numpy import")) and str(found).startswith("∂L/∂")


def test_derive_says_what_it_cannot_do() -> None:
    with pytest.raises(SymbackpropError, match="depends on the data"):
        derive(lambda x: x.sum() if x[0] > 0 else x.mean(), {"x": "n"})


# --- wrong claims ----------------------------------------------------------------------------


def linear(x, W):
    return x @ W


REFUTED: list[tuple[str, Callable[..., Any], Callable[..., Any], dict[str, str], str, str]] = [
    ("factor", lambda x: (x**2).sum(), lambda x: x, {"x": "n"}, "x", "missing factor 2"),
    ("sign", lambda x: (x**2).sum(), lambda x: -2 * x, {"x": "n"}, "x", "sign"),
    ("mean", lambda x: x.mean(), lambda x: np.ones_like(x), {"x": "n"}, "x", "missing factor 1/n"),
    ("transposed square", linear, lambda x, W, g: g @ W, {"x": "B n", "W": "n n"}, "x", "W in place of its transpose"),
    ("batch sum", lambda x, b: x + b, lambda x, b, g: g, {"x": "B D", "b": "D"}, "b", "missing sum over B"),
    ("scalar", lambda x: x.sum(), lambda x: 1.0, {"x": "n"}, "x", "scalar where an array is needed"),
    ("kept axis", lambda x, b: x + b, lambda x, b, g: g.sum(0, keepdims=True), {"x": "B D", "b": "D"}, "b", "length 1"),
    ("mask", lambda x: np.maximum(x, 0).sum(), lambda x: np.ones_like(x), {"x": "n"}, "x", "mask"),
    ("small", lambda x: (x**2).sum() / 10**6, lambda x: 0 * x, {"x": "n"}, "x", "not zero"),
    ("nearly", lambda x: (x**2).sum(), lambda x: 2.0018 * x, {"x": "n"}, "x", "factor"),
]


@pytest.mark.parametrize(("forward", "backward", "shapes", "wrt", "mistake"), [r[1:] for r in REFUTED],
                         ids=[r[0] for r in REFUTED])  # fmt: skip
def test_wrong_gradients_are_refuted_and_repaired(
    forward: Any, backward: Any, shapes: dict[str, str], wrt: str, mistake: str
) -> None:
    verdict = check_gradient(forward, backward, shapes, wrt)
    assert verdict.status == "refuted" and not verdict
    assert verdict.mistake is not None and mistake in verdict.mistake
    assert verdict.counterexample is not None
    assert verdict.repair is not None and verdict.repair.theorem is not None
    assert verdict.repair.text.startswith(f"∂L/∂{wrt}")


@pytest.mark.parametrize("name", ["rmsnorm", "batchnorm", "KL"])
def test_counterexamples_hold_in_float64(name: str) -> None:
    """The values of the counterexample, put into the user's own functions."""
    f = FAMILIES[name]
    names = parameters(f.backward)
    scope: dict[str, Any] = {"double": first_doubled, "original": f.backward}
    exec(f"def backward({', '.join(names)}):\n    return double(original({', '.join(names)}))\n", scope)
    verdict = check_gradient(f.forward, scope["backward"], f.shapes, f.wrt, f.assuming, seek_repair=False)
    bad = next(iter(verdict.gradients.values()))
    assert bad.status == "refuted"
    c = bad.counterexample
    values = {n: np.array(as_floats(v)) if isinstance(v, list) else as_floats(v) for n, v in c.values.items()}
    arguments = {
        n: values[n] if n in values else np.ones([c.sizes[s] for s in shape.split()])  # the claim does not look at it
        for n, shape in f.shapes.items()
    }
    upstream = [n for n in names if n not in f.shapes]
    g = values[upstream[0]] if upstream else 1.0
    at = tuple(c.index.values())
    wanted = by_autograd(f.forward, arguments, bad.name, g)[at]
    result = scope["backward"](**arguments, **dict.fromkeys(upstream, g))
    found = (result[0] if isinstance(result, tuple) else result[bad.name])[at]
    shown = c.as_json()
    assert abs(wanted - shown["lhs_float"]) < 1e-9
    assert abs(found - shown["rhs_float"]) < 1e-9
    assert abs(wanted - found) > 1e-9


def first_doubled(found: Any) -> Any:
    if isinstance(found, dict):
        first = next(iter(found))
        return {**found, first: 2 * found[first]}
    return (2 * found[0], *found[1:])


def as_floats(v: Any) -> Any:
    return [as_floats(x) for x in v] if isinstance(v, list) else 0.0 if v is None else float(v)


# --- ways to write it ------------------------------------------------------------------------


def two_outputs(x, y):
    return {"sum": x + y, "product": x * y}


WAYS: list[tuple[str, Any, Any, dict[str, str], Any]] = [
    (
        "dict of outputs and gradients",
        two_outputs,
        lambda x, y, gs, gp: {"y": gs + gp * x, "x": gs + gp * y},
        {"x": "n", "y": "n"},
        None,
    ),
    (
        "tuple in the order of wrt",
        two_outputs,
        lambda x, y, gs, gp: (gs + gp * x, gs + gp * y),
        {"x": "n", "y": "n"},
        ("y", "x"),
    ),
    ("nested outputs", lambda x: (x, [2 * x, x.sum()]), lambda x, a, b, c: a + 2 * b + c, {"x": "n"}, "x"),
    ("a default stays concrete", lambda x, p=2: (x**p).sum(), lambda x, p=2: p * x ** (p - 1), {"x": "n"}, None),
    (
        "arguments in another order",
        lambda a, b: a @ b,
        lambda g, b, a: (g @ b.T, a.T @ g),
        {"a": "n m", "b": "m p"},
        None,
    ),
    ("an axis of length 1", lambda x: x * 3, lambda x, g: 3 * g, {"x": "n 1"}, None),
    ("scalars", lambda a, b: a * b, lambda a, b: (b, a), {"a": "", "b": ""}, None),
    ("entries of a short axis", lambda v: v[0] * v[1], lambda v: np.array([v[1], v[0]]), {"v": "2"}, None),
    ("the upstream's shape is given", lambda x: 2 * x, lambda x, g: 2 * g, {"x": "n", "g": "n"}, "x"),
]


@pytest.mark.parametrize(("forward", "backward", "shapes", "wrt"), [w[1:] for w in WAYS], ids=[w[0] for w in WAYS])
def test_ways_to_write_a_gradient(forward: Any, backward: Any, shapes: dict[str, str], wrt: Any) -> None:
    verdict = check_gradient(forward, backward, shapes, wrt)
    assert verdict.status == "proved", str(verdict)


def test_concrete_values() -> None:
    verdict = check_gradient(lambda x, p: (x**p).sum(), lambda x, p: p * x ** (p - 1), {"x": "n"}, p=3)
    assert verdict.status == "proved"


def test_second_derivatives() -> None:
    A = {"x": "n", "A": "n n"}
    quadratic = lambda x, A: x @ A @ x  # noqa: E731
    assert check_hessian(quadratic, lambda x, A: A + A.T, A, "x").status == "proved"
    wrong = check_hessian(quadratic, lambda x, A: 2 * A, A, "x")
    assert wrong.status == "refuted" and wrong.repair is not None
    assert any("A is symmetric" in c for c in wrong.special_cases)
    assert check_hvp(quadratic, lambda x, A, v: A @ v + A.T @ v, A, "x").status == "proved"
    assert check_hvp(quadratic, lambda x, A, v: A @ v, A, "x").status == "refuted"
    rows = check_hessian(
        lambda x: x**3, lambda x: np.einsum("ij,jk,j->ijk", np.eye(len(x)), np.eye(len(x)), 6 * x), {"x": "n"}
    )
    assert rows.status == "proved"


def test_jacobians() -> None:
    def softmax(z):
        e = np.exp(z - z.max())
        return e / e.sum()

    def jacobian(z):
        s = softmax(z)
        return np.diag(s) - np.outer(s, s)

    assert check_jacobian(softmax, jacobian, {"z": "n"}).status == "proved"
    assert check_jacobian(softmax, lambda z: np.diag(softmax(z)), {"z": "n"}).status == "refuted"
    assert check_jacobian(lambda W, x: W @ x, lambda W, x: W, {"W": "n m", "x": "m"}, "x").status == "proved"
    assert check_jacobian(lambda W, x: W @ x, lambda W, x: W.T, {"W": "n m", "x": "m"}, "x").status == "refuted"


EQUAL: list[tuple[Any, Any, dict[str, str], str]] = [
    (lambda x: np.maximum(x, 0), lambda x: x * (x > 0), {"x": "n"}, "proved"),
    (lambda x: (x > 0) * 1.0, lambda x: (x >= 0) * 1.0, {"x": "n"}, "refuted"),
    (lambda x: np.sqrt(x**2), lambda x: np.abs(x), {"x": "n"}, "proved"),
    (lambda x: np.sqrt(x**2), lambda x: x, {"x": "n"}, "refuted"),
    (lambda A, B: A @ B, lambda A, B: B @ A, {"A": "n n", "B": "n n"}, "refuted"),
    (lambda A, B: np.trace(A @ B), lambda A, B: np.trace(B @ A), {"A": "n m", "B": "m n"}, "proved"),
    (lambda w, x: w @ x, lambda w, x: x @ w, {"w": "n", "x": "n"}, "proved"),
    (lambda x: {"a": x, "b": 2 * x}, lambda x: {"b": x + x, "a": x}, {"x": "n"}, "proved"),
]


@pytest.mark.parametrize(("f", "g", "shapes", "status"), EQUAL)
def test_equal_functions(f: Any, g: Any, shapes: dict[str, str], status: str) -> None:
    assert check_equal(f, g, shapes).status == status


# --- what cannot be said ---------------------------------------------------------------------


def test_shapes_that_do_not_conform_are_ill_formed() -> None:
    verdict = check_gradient(linear, lambda x, W, g: g @ W, {"x": "m n", "W": "n p"}, "x")
    assert verdict.status == "ill-formed"
    assert "matmul of shapes (m, p) and (n, p)" in verdict.reason
    assert verdict.counterexample.sizes == {"m": 1, "n": 1, "p": 2}
    assert verdict.repair is not None and verdict.repair.text == "∂L/∂x[i,j] = Σ_k g[i,k] W[j,k]"


def test_hypotheses_about_sizes_make_shapes_conform_or_leave_it_open() -> None:
    verdict = check_gradient(
        linear, lambda x, W, g: g @ W, {"x": "m n", "W": "n p"}, "x", lambda x, W: [W.shape[0] == W.shape[1]]
    )
    assert verdict.status in ("refuted", "unknown")


def test_what_cannot_be_traced_is_unknown_or_refuted_at_small_sizes() -> None:
    def branch(x):
        return x.sum() if x[0] > 0 else x.mean()

    verdict = check_gradient(branch, lambda x: np.ones_like(x), {"x": "n"})
    assert verdict.status == "unknown" and "depends on the data" in verdict.reason

    def loop(x, w):
        h = x
        for k in range(x.shape[0]):
            if k % 2 == 0:
                h = np.tanh(h * w)
        return h.sum()

    refuted = check_gradient(loop, lambda x, w: x * 0 + 1, {"x": "n", "w": ""}, "x")
    assert refuted.status == "refuted" and "shown at the sizes n = 2" in refuted.reason
    # literal sizes leave nothing else to prove
    two = check_gradient(lambda x: sum(x[k] ** 2 for k in range(2)), lambda x: 2 * x, {"x": "2"})
    assert two.status == "proved"


NONSENSE: list[tuple[str, Callable[[], Verdict], str]] = [
    ("no shape", lambda: check_gradient(linear, linear, {"x": "B D"}), "the argument 'W' of linear() has no shape"),
    (
        "unknown name",
        lambda: check_gradient(linear, linear, {"x": "B D", "w": "D H"}),
        "no function has an argument 'w'",
    ),
    ("wrt", lambda: check_gradient(linear, linear, {"x": "B D", "W": "D H"}, "w"), "did you mean 'W'"),
    ("twice", lambda: check_gradient(linear, linear, {"x": "B D", "W": "D H"}, ("W", "W")), "a variable twice"),
    ("integers", lambda: check_gradient(lambda y: y, lambda y: y, {"y": "int[V] B"}, "y"), "integers"),
    ("no upstream", lambda: check_gradient(linear, lambda x, W: x, {"x": "B D", "W": "D H"}), "upstream gradient"),
    ("too many", lambda: check_gradient(linear, lambda x, W, g, h: x, {"x": "B D", "W": "D H"}), "1 output"),
    ("too few", lambda: check_gradient(linear, lambda x, W, g: g @ W.T, {"x": "B D", "W": "D H"}), "1 array for 2"),
    ("missing key", lambda: check_gradient(linear, lambda x, W, g: {"x": g @ W.T}, {"x": "B D", "W": "D H"}), "'W'"),
    (
        "None",
        lambda: check_gradient(linear, lambda x, W, g: (g @ W.T, None), {"x": "B D", "W": "D H"}),
        "returns nothing for 'W'",
    ),
    ("bad shape", lambda: check_gradient(linear, linear, {"x": "B D+", "W": "D H"}), "shape of 'x'"),
    ("no dict", lambda: check_gradient(linear, linear, "x: B D"), "shapes is a dict"),
    ("no function", lambda: check_gradient(3, linear, {}), "not a function"),
    ("star", lambda: check_gradient(lambda *a: a, linear, {}), "arguments are given by name"),
    ("assuming", lambda: check_gradient(linear, linear, {"x": "B D", "W": "D H"}, assuming=lambda q: [q > 0]), "'q'"),
    ("hessian", lambda: check_hessian(linear, lambda x, W, g: g, {"x": "B D", "W": "D H"}), "no upstream gradient"),
    ("hvp", lambda: check_hvp(linear, lambda x, W, v: v, {"x": "B D", "W": "D H"}, "x"), "no scalar"),
]


@pytest.mark.parametrize(("ask", "message"), [n[1:] for n in NONSENSE], ids=[n[0] for n in NONSENSE])
def test_requests_that_make_no_sense(ask: Callable[[], Verdict], message: str) -> None:
    with pytest.raises(SymbackpropError) as refusal:
        ask()
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
