"""How the statements of derived code are written."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.write.program.source import rows


def half(x: Any) -> Any:
    return 0.5 * (x**2).mean()


def thirds(x: Any) -> Any:
    return (x**2).sum() / 3


def margins(a: Any, b: Any) -> Any:
    return np.maximum(0, (a - b) ** 2).sum() / a.shape[0]


def opposite(a: Any, b: Any) -> Any:
    return ((a - b) ** 3).sum()


def scaled(q: Any, k: Any) -> Any:
    s = q @ k.T / np.sqrt(q.shape[1])
    return (s**2).sum()


def gated(p: Any, y: Any) -> Any:
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def tail(x: Any, w: Any) -> Any:
    return (x[:, : w.shape[0]] * w).sum() + (x[:, w.shape[0] :] ** 2).sum()


def counted(x: Any) -> Any:
    return np.where(x > 0, x, -x).sum() / x.size


def cubic(x: Any, w: Any) -> Any:
    return (w[0] + w[1] * x**2 + w[2] * x**3).sum()


def regular(W: Any, c: Any) -> Any:
    return np.linalg.slogdet(W.T @ W + c * np.eye(W.shape[1]))[1]


def logistic(z: Any, y: Any) -> Any:
    return (np.logaddexp(0, z) - y * z).sum()


def affine(x: Any, gamma: Any) -> Any:
    return (gamma[None, :, None] * x) ** 2


def pairs(s: Any, t: Any) -> Any:
    d = s[:, None] - t[None, :]
    return np.exp(d).sum()


def attended(q: Any, k: Any) -> Any:
    return (q @ k.T) / (q @ k.sum(0) + 1)[:, None]


def glu(x: Any, W: Any) -> Any:
    g = x @ W
    return g * np.tanh(g)


# forward, shapes, variables, a line of the code, statements at most
LINES = [
    (half, {"x": "n m"}, ("x",), "dx = x / x.size", 1),
    (half, {"x": "n"}, ("x",), "dx = x / x.shape[0]", 1),
    (thirds, {"x": "n"}, ("x",), "dx = 2 / 3 * x", 1),
    (opposite, {"a": "n", "b": "n"}, ("a", "b"), "db = -da", 2),
    (scaled, {"q": "n d", "k": "m d"}, ("q",), "s = q @ k.T / np.sqrt(q.shape[1])", 3),
    (gated, {"p": "n", "y": "n"}, ("p",), "dp = (1 - y) / (1 - p) / p.shape[0] - y / p / p.shape[0]", 1),
    (tail, {"x": "n 2*d", "w": "d"}, ("w",), "dw = x[:, :w.shape[0]].sum(axis=0)", 1),
    (cubic, {"x": "n", "w": "3"}, ("x",), "dx = 3 * x ** 2 * w[2] + 2 * w[1] * x", 1),
    (regular, {"W": "n m", "c": ""}, ("W",), "u = np.linalg.inv(W.T @ W + c * np.eye(W.shape[1]))", 2),
    (logistic, {"z": "n", "y": "n"}, ("z",), "dz = scipy.special.expit(z) - y", 1),
    (affine, {"x": "b c h", "gamma": "c"}, ("gamma",), "* g * x, axis=(0, 2))", 3),
    (pairs, {"s": "n", "t": "m"}, ("s", "t"), "dt = -dd.sum(axis=0)", 4),
    (attended, {"q": "n d", "k": "m d"}, ("q",), "t1 = q @ t + 1", 3),
    (glu, {"x": "n d", "W": "d h"}, ("W",), "g = x @ W", 5),
]


@pytest.mark.parametrize(("forward", "shapes", "variables", "line", "most"), LINES)
def test_statements(forward: Any, shapes: dict[str, str], variables: tuple[str, ...], line: str, most: int) -> None:
    code = sb.derive(forward, shapes, variables).code
    assert line in code, code
    assert sum(isinstance(s, ast.Assign) for s in ast.walk(ast.parse(code))) <= most, code


@pytest.mark.parametrize("forward", [half, thirds, margins, opposite, scaled, gated, tail, counted])
def test_they_compute_the_gradient(forward: Any) -> None:
    names = forward.__code__.co_varnames[: forward.__code__.co_argcount]
    shapes = {"a": "n m", "b": "n m", "x": "n 2*m", "w": "m", "q": "n d", "k": "m d", "p": "n", "y": "n"}
    assuming = (lambda p: [p > 0, p < 1]) if "p" in names else None
    gradient = sb.derive(forward, {n: shapes[n] for n in names}, assuming=assuming)
    sizes, rng = {"n": 2, "m": 3, "2*m": 6, "d": 2}, np.random.default_rng(0)
    given = {n: rng.uniform(0.1, 0.9, [sizes[s] for s in shapes[n].split()]) for n in names}
    found = gradient(**given)
    for n in names:
        g = found[n] if isinstance(found, dict) else found
        for at in np.ndindex(given[n].shape):
            step = {n: given[n].copy()}
            step[n][at] += 1e-6
            slope = (forward(**{**given, **step}) - forward(**given)) / 1e-6
            np.testing.assert_allclose(g[at], slope, rtol=1e-4, atol=1e-4)


WRAPPED = [
    ("a = b + c", 20, ["a = b + c"]),
    ("total = first(x, y) + second(u - v) - third", 30,
     ["total = (", "    first(x, y)", "    + second(u - v)", "    - third", ")"]),
    ("total = (first(x, y) - second(u)) / third", 30, ["total = (", "    first(x, y)", "    - second(u)", ") / third"]),
    ("z = np.concatenate([alpha, beta * (1 - beta)], axis=1)", 30,
     ["z = np.concatenate(", "    [alpha, beta * (1 - beta)],", "    axis=1", ")"]),
    ('z = np.einsum("a,b->ab", alphabet, betabet)', 30,
     ['z = np.einsum(', '    "a,b->ab",', "    alphabet,", "    betabet", ")"]),
    ("z = alphabet * betabet / gammabet", 20, ["z = (", "    alphabet", "    * betabet", "    / gammabet", ")"]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "width", "wanted"), WRAPPED)
def test_long_statements_are_broken_where_a_person_would(statement: str, width: int, wanted: list[str]) -> None:
    assert rows(statement, width) == wanted
    assert ast.dump(ast.parse("\n".join(wanted))) == ast.dump(ast.parse(statement))


def written_row_by_row(x: Any, w: Any) -> Any:
    y = np.zeros(3)
    for k in range(3):
        y[k] = np.tanh((x[k] * w).sum())
    return y


def added_to_chosen(x: Any, w: Any, y: Any) -> Any:
    out = 2 * x
    np.add.at(out, y, w)
    return out * np.sin(out)


@pytest.mark.parametrize(
    ("forward", "shapes", "wrt"),
    [
        (written_row_by_row, {"x": "3 n", "w": "n"}, ("x", "w")),
        (added_to_chosen, {"x": "n", "w": "m", "y": "int[n] m"}, ("x", "w")),
    ],
)
def test_code_of_what_writes_in_place_runs(forward: Any, shapes: Any, wrt: Any) -> None:
    found, rng = sb.derive(forward, shapes, wrt), np.random.default_rng(0)
    given = {"x": rng.normal(size=(3, 4) if forward is written_row_by_row else 4), "w": rng.normal(size=4)}
    if "y" in shapes:
        given["y"] = rng.integers(0, 4, 4)
    g, step = rng.normal(size=forward(**given).shape), 1e-6
    gradients = found(**given, **{found.upstream[0]: g})
    for v in wrt:
        toward = rng.normal(size=given[v].shape)
        ends = (forward(**{**given, v: given[v] + s * step * toward}) for s in (1, -1))
        slope = (g * (next(ends) - next(ends))).sum() / (2 * step)
        assert np.isclose((gradients[v] * toward).sum(), slope, rtol=1e-6)
