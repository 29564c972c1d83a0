"""What a mistake is called: each wrong gradient is refuted, named and repaired."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbackprop import check_gradient


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def normal(x: Any, eps: Any) -> Any:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)


def dice(p: Any, t: Any, eps: Any) -> Any:
    return (2 * (p * t).sum() + eps) / (p.sum() + t.sum() + eps)


def dice_left(p: Any, t: Any, eps: Any) -> Any:
    u = p.sum() + t.sum()
    return (2 * t * u - 2 * (p * t).sum()) / u**2


def overwriting(W: Any, i: Any, dy: Any) -> Any:
    d = np.zeros(W.shape)
    d[i] = dy
    return d


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def batchwise(x: Any, dy: Any) -> Any:
    return dy - dy.sum(0) / x.shape[1]


XG = {"x": "n m"}
POSITIVE = {"eps": lambda eps: [eps > 0]}
MISTAKES: list[tuple[Any, Any, dict[str, str], str, str]] = [
    (lambda x: x * sigmoid(x), lambda dy, x: x * (sigmoid(dy) + dy * sigmoid(dy) * (1 - sigmoid(dy))), XG, "x",
     "dy and x exchanged"),
    (lambda x: sigmoid(x), lambda x, dy: dy * sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x))), XG, "x",
     "sigmoid applied twice"),
    (lambda x: sigmoid(x).sum(1), lambda x, dy: dy[:, None] * np.ones(x.shape), XG, "x", "missing factor sigmoid'"),
    (lambda x: np.clip(x, -1, 1) ** 2, lambda x, dy: dy * 2 * np.clip(x, -1, 1), XG, "x", "missing mask"),
    (lambda x: np.where(x > 1, x**3, x), lambda x, dy: dy * np.where(x > 1, np.exp(x), 1), XG, "x",
     "wrong on one branch"),
    (lambda x: x - x.mean(0), batchwise, XG, "x", "size m in place of n in one term"),
    (lambda z: softmax(z), lambda z, dy: dy, {"z": "n m"}, "z",
     "missing derivative of softmax: the gradient is handed on unchanged"),
    (lambda W, i: W[i], overwriting, {"W": "V D", "i": "int[V] B"}, "W",
     "a repeated index overwrites instead of adding"),
    (lambda p, t, eps: dice(p, t, eps), lambda p, t, eps: dice_left(p, t, eps), {"p": "n", "t": "n", "eps": ""}, "p",
     "missing term eps"),
    (lambda x, w: np.stack([x[:-1] * w[0] + x[1:] * w[1]]), lambda x, w, dy: np.concatenate([dy[0] * w[1], [0.0]])
     + np.concatenate([[0.0], dy[0] * w[0]]), {"x": "n+1", "w": "2"}, "x", "w to be reversed along axis 0"),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "backward", "shapes", "wrt", "name"), MISTAKES, ids=[m[-1] for m in MISTAKES])
def test_named_and_repaired(forward: Any, backward: Any, shapes: dict[str, str], wrt: str, name: str) -> None:
    assuming = (lambda eps, p, t: [eps > 0, p > 0, t > 0]) if "eps" in shapes else None
    found = check_gradient(forward, backward, shapes, wrt, assuming, timeout=60)
    assert (found.status, found.mistake) == ("refuted", name)
    assert found.repair is not None


@pytest.mark.parametrize("value", ["dy", "7.0", "m", "0*x + s"])
def test_what_is_wrong_at_0_only_is_called_so(value: str) -> None:
    """Everywhere else it is right, and so is what has its factors exchanged."""

    def forward(x, m, s):
        return s * m * x

    def backward(x, m, s, dy):
        other = {"dy": dy, "7.0": 7.0, "m": m, "0*x + s": 0 * x + s}[value]
        return np.where(x == 0, other, dy * s * m)

    found = check_gradient(forward, backward, shapes={"x": "N", "m": "N", "s": ""}, wrt="x")
    assert (found.status, found.mistake) == ("refuted", "wrong at special points only")
    assert found.repair is not None and found.repair.theorem is not None


WITHOUT_VALUE = [
    ("lambda x: x.prod()", "lambda x: x.prod() / x", {"x": "n"}, "x[i] ≠ 0"),
    ("lambda X: np.linalg.det(X)", "lambda X: np.linalg.det(X) * np.linalg.inv(X).T", {"X": "n n"}, "det(X) ≠ 0"),
    ("lambda x: (x**2).sum()", "lambda x: 2 * x * x / x", {"x": "n"}, "x[i] ≠ 0"),
    ("lambda x: (x**3).sum()", "lambda x: 3 * x**4 / x**2", {"x": "n"}, "x[i]^2 ≠ 0"),
    ("lambda x, y: (x * y).sum()", "lambda x, y: y * y / y", {"x": "n", "y": "n"}, "y[i] ≠ 0"),
    ("lambda x: x.sum()**2", "lambda x: 2 * x.sum()**2 / x.sum() + 0*x", {"x": "n"}, "Σ_j x[j] ≠ 0"),
    ("lambda x: (x**2).sum()", "lambda x: 2 * np.sqrt(x)**2", {"x": "n"}, "x[i] >= 0"),
    ("lambda x: (x**4).sum()", "lambda x: 4 * np.exp(3 * np.log(x))", {"x": "n"}, "x[i] > 0"),
]


@pytest.mark.parametrize(("forward", "backward", "shapes", "needed"), WITHOUT_VALUE)
def test_what_a_claim_needs_to_have_a_value_is_said(
    forward: str, backward: str, shapes: dict[str, str], needed: str
) -> None:
    known = {"np": np}
    found = check_gradient(eval(forward, known), eval(backward, known), shapes, next(iter(shapes)), timeout=60)
    assert found.status == "refuted" and found.counterexample.kind == "no value"
    assert found.special_cases == (needed,)
    assert found.mistake is not None
    if found.repair is None or "/" in backward:
        assert found.mistake == "no value where the gradient exists"
