"""Rules of jax.custom_vjp and jax.custom_jvp: right ones are proved, wrong ones refuted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")

import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402
from jax_rules import RULES, jvp, vjp  # noqa: E402

from symbackprop import SymbackpropError, check_function, check_jvp  # noqa: E402

QUICK: dict[str, Any] = {"seek_repair": False, "timeout": 60}


@pytest.mark.parametrize("name", RULES)
def test_a_right_rule_is_proved(name: str) -> None:
    r = RULES[name]
    verdict = check_function(r.right, shapes=r.shapes, **QUICK, **r.asked)
    assert verdict.status == "proved", str(verdict)


@pytest.mark.parametrize("name", RULES)
def test_a_wrong_rule_is_refuted(name: str) -> None:
    r = RULES[name]
    verdict = check_function(r.wrong, shapes=r.shapes, **QUICK, **r.asked)
    assert verdict.status == "refuted", str(verdict)


# --- through the public checks -------------------------------------------------------------------


def product(x: Any, w: Any) -> Any:
    return x @ w


def product_fwd(x: Any, w: Any) -> Any:
    return x @ w, (x, w)


def product_bwd(res: Any, g: Any) -> Any:
    x, w = res
    return g @ w.T, x.T @ g


def product_jvp(primals: Any, tangents: Any) -> Any:
    (x, w), (s, t) = primals, tangents
    return x @ w, s @ w + x @ t


XW = {"x": "B D", "w": "D K"}


@pytest.mark.parametrize("given", [
    (vjp(product, product_fwd, product_bwd), None), ((product, product_fwd, product_bwd), None),
    (jvp(product, product_jvp), None),
])  # fmt: skip
def test_objects_and_functions_with_their_rules(given: Any) -> None:
    assert check_function(*given, XW).status == "proved"


def test_a_parameter_without_shape_is_any_number_or_a_container() -> None:
    right, wrong = RULES["huber"].right, RULES["huber"].wrong
    verdict = check_function(right, shapes={"y": "N", "t": "N"}, seek_repair=False)
    assert verdict.status == "proved" and "the argument delta is any positive number" in str(verdict)
    assert check_function(wrong, shapes={"y": "N", "t": "N"}, seek_repair=False).status == "refuted"
    params = RULES["params_dict"]
    verdict = check_function(params.right, shapes=params.shapes, seek_repair=False)
    assert verdict.status == "proved" and "the argument p is a dict of w1, b1, w2" in str(verdict)
    assert check_function(RULES["power_jvp"].right, shapes={"x": "N"}, n=3).status == "proved"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: check_function(f, shapes={"x": "B D"}), "does not run as it was read .the argument w is any"),
        (lambda f: check_function(f, shapes={**XW, "v": "D"}), "has no argument 'v'"),
        (lambda f: check_function(f, shapes=XW, args=["x"]), "'w' has a shape and is no argument"),
        (lambda f: check_function(f, shapes=XW, args="x, w"), "args is a list of arguments"),
        (lambda f: check_function(f, shapes=XW, args=["x", "open('/tmp/x')"]), "is not understood"),
        (lambda f: check_function(f, shapes=XW, args=["x", "x.T"]), "is not understood"),
        (lambda f: check_function(f, shapes=XW, args=["x", "("]), "is not understood"),
        (lambda f: check_function(f, shapes=XW, order=3), "order is 1 or 2"),
        (lambda f: check_function(f, shapes=XW, wrt="z"), "wrt names 'z'"),
        (lambda f: check_function(jax.custom_vjp(product), shapes=XW), "has no rule of its own"),
        (lambda f: check_jvp(f, shapes=XW), "has a rule in reverse mode"),
        (lambda f: check_jvp(product, 3, XW), "jvp is a int, not a function"),
    ],
)
def test_a_request_that_makes_no_sense_says_what_to_write(ask: Any, message: str) -> None:
    with pytest.raises(SymbackpropError, match=message):
        ask(vjp(product, product_fwd, product_bwd))


@pytest.mark.parametrize("bwd", [
    lambda r, g: (g @ r[1].T, r[0].T @ g, g), lambda r, g: (g @ r[1], r[0].T @ g), lambda r, g: g @ r[1].T,
    lambda r, g: {"x": g @ r[1].T, "w": r[0].T @ g}, lambda r, g: ((g @ r[1].T, None), r[0].T @ g),
])  # fmt: skip
def test_what_jax_refuses_is_ill_formed(bwd: Any) -> None:
    verdict = check_function(vjp(product, product_fwd, bwd), shapes=XW)
    assert verdict.status == "ill-formed" and "JAX: " in verdict.reason, str(verdict)


@pytest.mark.parametrize(("bwd", "mistake"), [
    (lambda r, g: (g @ r[1].T, g.T @ r[0]), "result transposed"),
    (lambda r, g: (g @ r[1].T, (r[0].T @ g).sum(0)), "the result has another shape than the variable"),
    (lambda r, g: (g.sum(), r[0].T @ g), "the result is a scalar where an array is needed"),
])  # fmt: skip
def test_a_gradient_of_another_shape_is_refuted(bwd: Any, mistake: str) -> None:
    verdict = check_function(vjp(product, product_fwd, bwd), shapes=XW, seek_repair=False)
    assert verdict.status == "refuted" and mistake in str(verdict), str(verdict)


def test_a_rule_that_branches_on_data_is_unknown() -> None:
    branching = vjp(product, product_fwd, lambda r, g: product_bwd(r, g) if g.sum() > 0 else (r[0], r[1]))
    verdict = check_function(branching, shapes=XW)
    assert verdict.status == "unknown" and "TracerBoolConversionError" in verdict.reason


@pytest.mark.parametrize("name", ["sigmoid_by_output", "residual_dict", "mse", "product_jvp"])
def test_the_second_order_of_a_right_rule(name: str) -> None:
    r = RULES[name]
    verdict = check_function(r.right, shapes=r.shapes, order=2, **QUICK, **r.asked)
    assert verdict.status == "proved" and any("second order" in v for v in verdict.gradients), str(verdict)


@pytest.mark.parametrize("fwd, bwd", [
    (lambda x: (jnp.sin(x), x), lambda x, g: (g * lax.stop_gradient(jnp.cos(x)),)),
    (lambda x: (jnp.sin(x), lax.stop_gradient(jnp.cos(x))), lambda c, g: (g * c,)),
    (lambda x: (jnp.sin(x), x), lambda x, g: (lax.stop_gradient(g) * jnp.cos(x),)),
])  # fmt: skip
def test_a_rule_that_is_right_once_and_wrong_twice(fwd: Any, bwd: Any) -> None:
    rule = vjp(jnp.sin, fwd, bwd)
    assert check_function(rule, shapes={"x": "N"}).status == "proved"
    assert check_function(rule, shapes={"x": "N"}, order=2, seek_repair=False).status == "refuted"


TANH_JVPS: list[tuple[Any, str]] = [
    (lambda x, w, s, t: (1 - np.tanh(x @ w) ** 2) * (s @ w + x @ t), "proved"),
    (lambda p, d: (np.tanh(p[0] @ p[1]), (1 - np.tanh(p[0] @ p[1]) ** 2) * (d[0] @ p[1] + p[0] @ d[1])), "proved"),
    (lambda x, w, s, t: (1 - np.tanh(x @ w) ** 2) * (s @ w), "refuted"),
    (lambda p, d: (np.sin(p[0] @ p[1]), (1 - np.tanh(p[0] @ p[1]) ** 2) * (d[0] @ p[1] + p[0] @ d[1])), "refuted"),
    (lambda x, w, s, t: (1 - np.tanh(x @ w) ** 2) * (s @ w + x @ t + s @ t), "refuted"),
]


@pytest.mark.parametrize(("rule", "status"), TANH_JVPS)
def test_jvps_of_numpy_functions(rule: Any, status: str) -> None:
    verdict = check_jvp(lambda x, w: np.tanh(x @ w), rule, XW, seek_repair=False)
    assert verdict.status == status, str(verdict)


def test_jvps_of_jax_functions() -> None:
    assert check_jvp(jvp(product, product_jvp), shapes=XW).status == "proved"
    assert check_jvp(lambda x: jnp.sin(x), lambda x, t: jnp.cos(x) * t, {"x": "n"}).status == "proved"
    assert check_jvp(lambda x: jnp.sin(x), lambda p, t: jnp.sin(p[0]) * t[0], {"x": "n"}).status == "refuted"
    assert check_jvp(product, lambda p, t: (p[0] @ p[1], t[0] @ p[1]), XW, wrt="x").status == "proved"


class Layer(NamedTuple):
    w: Any
    b: Any


def test_arguments_may_be_any_container() -> None:
    rule = vjp(
        lambda p, x: jnp.sin(x @ p.w + p.b), lambda p, x: (jnp.sin(x @ p.w + p.b), (p, x, jnp.cos(x @ p.w + p.b))),
        lambda r, g: (Layer(r[1].T @ (g * r[2]), (g * r[2]).sum(0)), (g * r[2]) @ r[0].w.T),
    )  # fmt: skip
    shapes = {"x": "B D", "w": "D K", "b": "K"}
    assert check_function(rule, shapes=shapes, args=[Layer("w", "b"), "x"]).status == "proved"


def test_the_users_object_is_untouched() -> None:
    rule = vjp(product, product_fwd, product_bwd)
    before = dict(vars(rule))
    check_function(rule, shapes=XW, order=2)
    assert dict(vars(rule)) == before
