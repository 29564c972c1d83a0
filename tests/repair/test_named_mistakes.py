"""A mistake is named by the reverse sweep that makes it: kinds of mistakes, each in several forwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbackprop import check_gradient

# --- the slope of an activation after each of several layers ---------------------------------------------------------

BEFORE: dict[str, tuple[Any, Any, dict[str, str]]] = {  # layer, its gradient by x, shapes
    "dense": (lambda x, w: x @ w, lambda x, w, g: g @ w.T, {"x": "B D", "w": "D M"}),
    "scaled": (lambda x, w: x * w, lambda x, w, g: g * w, {"x": "B D", "w": "D"}),
    "square": (lambda x, w: x * x + w, lambda x, w, g: 2 * g * x, {"x": "B D", "w": "D"}),
    "centred": (lambda x, w: w * (x - x.mean(0)), lambda x, w, g: g * w - (g * w).mean(0), {"x": "B D", "w": "D"}),
    "divided": (lambda x, w: x / w, lambda x, w, g: g / w, {"x": "B D", "w": "D"}),
}


def logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


ACTIVATIONS: dict[str, tuple[Any, dict[str, Any]]] = {  # function, and wrong slopes by name
    "tanh": (np.tanh, {
        "missing factor tanh'": lambda z: 1.0,
        "tanh' at the wrong value: tanh applied twice": lambda z: 1 - np.tanh(np.tanh(z)) ** 2,
        "tanh' at the wrong value: at its input, by the formula for its output": lambda z: 1 - z**2,
        "tanh in place of tanh'": np.tanh,
    }),
    "sigmoid": (logistic, {
        "missing factor sigmoid'": lambda z: 1.0,
        "sigmoid' at the wrong value: sigmoid applied twice":
            lambda z: logistic(logistic(z)) * (1 - logistic(logistic(z))),
        "sigmoid' at the wrong value: at its input, by the formula for its output": lambda z: z * (1 - z),
        "sigmoid in place of sigmoid'": logistic,
    }),
}  # fmt: skip
# names of the same mistakes where a change of the formula itself undoes them
ALIKE = {
    "tanh' at the wrong value: at its input, by the formula for its output": "tanh not applied",
    "tanh' at the wrong value: tanh applied twice": "tanh applied twice",
    "sigmoid' at the wrong value: sigmoid applied twice": "sigmoid applied twice",
}
SLOPES = [
    (layer, f, name)
    for k, layer in enumerate(BEFORE) for m, (f, (_, wrong)) in enumerate(ACTIVATIONS.items()) for name in wrong
    if (k + m) % 2 or layer == "dense"
]  # fmt: skip


@pytest.mark.parametrize(("layer", "activation", "name"), SLOPES)
def test_slopes(layer: str, activation: str, name: str) -> None:
    before, back, shapes = BEFORE[layer]
    f, wrong = ACTIVATIONS[activation]

    def forward(x, w):
        z = before(x, w)
        return f(z)

    def backward(x, w, dy):
        z = before(x, w)
        return back(x, w, dy * wrong[name](z))

    found = check_gradient(forward, backward, shapes, "x", timeout=60)
    assert found.status == "refuted"
    assert found.mistake in (name, ALIKE.get(name))


# --- statistics held constant ----------------------------------------------------------------------------------------


def layernorm(x, eps):
    mean = x.mean(1, keepdims=True)
    var = ((x - mean) ** 2).mean(1, keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


def batchnorm(x, eps):
    mean = x.mean(0)
    var = x.var(0)
    return (x - mean) / np.sqrt(var + eps)


def rmsnorm(x, eps):
    square = (x * x).mean(1, keepdims=True)
    return x / np.sqrt(square + eps)


def unit(x, eps):
    square = (x * x).sum(1, keepdims=True) + eps
    return x / np.sqrt(square)


def shares(x, eps):
    total = (x * x).sum(0) + eps
    return x * x / total


def deviation(x):
    return 1 / np.sqrt(((x - x.mean(1, keepdims=True)) ** 2).mean(1, keepdims=True) + 1)


HELD: list[tuple[str, Any, Any]] = [
    ("`var`", layernorm, lambda x, eps, dy: (dy - dy.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + eps)),
    ("`var`", batchnorm, lambda x, eps, dy: (dy - dy.mean(0)) / np.sqrt(x.var(0) + eps)),
    ("`mean` and `var`", batchnorm, lambda x, eps, dy: dy / np.sqrt(x.var(0) + eps)),
    ("`square`", rmsnorm, lambda x, eps, dy: dy / np.sqrt((x * x).mean(1, keepdims=True) + eps)),
    ("`square`", unit, lambda x, eps, dy: dy / np.sqrt((x * x).sum(1, keepdims=True) + eps)),
    ("`total`", shares, lambda x, eps, dy: 2 * dy * x / ((x * x).sum(0) + eps)),
]


@pytest.mark.parametrize(("what", "forward", "backward"), HELD)
def test_held_constant(what: str, forward: Any, backward: Any) -> None:
    found = check_gradient(forward, backward, {"x": "N D", "eps": ""}, "x", lambda eps: [eps > 0], timeout=60)
    assert found.status == "refuted"
    assert found.mistake is not None and "held constant" in found.mistake
    assert all(name in found.mistake for name in what.split(" and ")) or "`sum`" in found.mistake


# --- softmax and its axis --------------------------------------------------------------------------------------------


def softmax(z: Any, axis: int = -1) -> Any:
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


LOSSES: dict[str, tuple[Any, Any]] = {  # of the probabilities, and the gradient by them
    "squares": (lambda p, t: ((p - t) ** 2).sum(), lambda p, t: 2 * (p - t)),
    "mean": (lambda p, t: (p * t).mean(), lambda p, t: t / p.size),
    "products": (lambda p, t: (p * p * t).sum(), lambda p, t: 2 * p * t),
    "roots": (lambda p, t: (t * np.sqrt(p)).sum(), lambda p, t: t / (2 * np.sqrt(p))),
    "both": (lambda p, t: (p * t).sum() + (p**3).sum(), lambda p, t: t + 3 * p**2),
}
OF_SOFTMAX: dict[str, Any] = {
    "entry by entry": lambda p, u: u * p * (1 - p),
    "missing factor softmax": lambda p, u: p * (u - u.sum(-1, keepdims=True)),
    "wrong axis": lambda p, u: p * (u - (u * p).sum(0, keepdims=True)),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", OF_SOFTMAX)
def test_softmax(loss: str, name: str) -> None:
    value, slope = LOSSES[loss]

    def forward(z, t):
        p = softmax(z)
        return value(p, t)

    def backward(z, t):
        p = softmax(z)
        return OF_SOFTMAX[name](p, slope(p, t))

    found = check_gradient(forward, backward, {"z": "N K", "t": "N K"}, "z", timeout=60)
    assert found.status == "refuted"
    assert found.mistake is not None and name in found.mistake


# --- paths, blocks, order --------------------------------------------------------------------------------------------


def steps(x, h, w):
    first = np.tanh(x + h @ w)
    return np.tanh(x + first @ w)


def steps_without_the_first(x, h, w, dy):
    first = np.tanh(x + h @ w)
    return dy * (1 - np.tanh(x + first @ w) ** 2)


def gates(x, w):
    a = x @ w
    return np.tanh(a[:, : a.shape[1] // 2]) * a[:, a.shape[1] // 2 :]


def gates_exchanged(x, w, dy):
    a = x @ w
    p, q = a[:, : a.shape[1] // 2], a[:, a.shape[1] // 2 :]
    return x.T @ np.concatenate([dy * np.tanh(p), dy * q * (1 - np.tanh(p) ** 2)], axis=1)


PATHS: list[tuple[Any, Any, dict[str, str], str, str]] = [
    (lambda x, w: x + np.tanh(x @ w), lambda x, w, dy: (dy * (1 - np.tanh(x @ w) ** 2)) @ w.T, {"x": "B D", "w": "D D"},
     "x", "the gradient that comes back to `x`"),
    (lambda x, w: x * np.exp(x @ w), lambda x, w, dy: dy * np.exp(x @ w), {"x": "B D", "w": "D D"},
     "x", "`matmul`"),
    (steps, steps_without_the_first, {"x": "B D", "h": "B D", "w": "D D"}, "x", "`first`"),
    (lambda x: np.tanh(x) - np.tanh(x).mean(0), lambda x, dy: (1 - np.tanh(x) ** 2) * dy, {"x": "B D"}, "x",
     "`mean`"),
    (lambda x: x * x.sum(1, keepdims=True), lambda x, dy: dy * x.sum(1, keepdims=True), {"x": "B D"}, "x", "`sum`"),
    (gates, gates_exchanged, {"x": "B D", "w": "D 2*H"}, "w", "blocks along axis 1 in the order 2, 1"),
    (lambda x: np.abs(x) ** 3, lambda x, dy: 3 * dy * x**2 * x, {"x": "n"}, "x", "in place of its sign"),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "backward", "shapes", "wrt", "name"), PATHS, ids=[p[-1] for p in PATHS])
def test_paths(forward: Any, backward: Any, shapes: dict[str, str], wrt: str, name: str) -> None:
    found = check_gradient(forward, backward, shapes, wrt, timeout=60)
    assert found.status == "refuted"
    assert found.mistake is not None and name in found.mistake


def test_two_mistakes_have_no_single_name() -> None:
    def forward(x, w):
        z = x @ w
        return np.tanh(z) - np.tanh(z).mean(0)

    def backward(x, w, dy):
        z = x @ w
        return (dy * np.cos(z) * z) @ w.T

    found = check_gradient(forward, backward, {"x": "B D", "w": "D M"}, "x", timeout=60)
    assert found.status == "refuted"
    assert str(found.mistake).startswith("`dy * np.cos(z) * z` in place of `") and "held" not in found.mistake.split()


def test_an_axis_that_was_not_kept() -> None:
    def forward(x):
        return x / x.sum(1, keepdims=True)

    found = check_gradient(forward, lambda x, dy: dy / x.sum(1), {"x": "B D"}, "x", lambda x: [x > 0])
    assert found.status == "ill-formed"
    assert str(found.mistake).startswith("(B,) is broadcast along the wrong axis")
