"""Where other tools are wrong, measured: each row is a claim, its status, and why it is a trap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbackprop import check_equal, check_gradient, check_hessian, check_jacobian


def relu(x):
    return np.maximum(x, 0)


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def trace_of_product(X, P, Y, S, A):
    return np.trace(((P @ Y) * S.T) @ A @ X.T)


def differences(x):
    return x[:, None] - x[None, :]


# (why, forward, backward, shapes, wrt, assuming, status)
GRADIENTS: list[tuple[str, Any, Any, dict[str, str], str, Any, str]] = [
    # --- kinks on the diagonal, where an entry is compared with itself
    (
        "all distances",
        lambda x: np.abs(differences(x)).sum(),
        lambda x: 2 * np.sign(differences(x)).sum(1),
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "all distances counted once",
        lambda x: np.abs(differences(x)).sum(),
        lambda x: np.sign(differences(x)).sum(1),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "all larger ones",
        lambda x: np.maximum(x[:, None], x[None, :]).sum(),
        lambda x: 2 * (differences(x) > 0).sum(1) + 1,
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "all larger ones without the diagonal",
        lambda x: np.maximum(x[:, None], x[None, :]).sum(),
        lambda x: 2 * (differences(x) > 0).sum(1),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    # --- what SymPy 1.14 answers with 0, and with a transpose in the wrong place
    (
        "tr X + tr A by X is the unit matrix",
        lambda X, A: np.trace(X) + np.trace(A),
        lambda X, A: np.eye(len(X)),
        {"X": "n n", "A": "n n"},
        "X",
        None,
        "proved",
    ),
    (
        "... and not 0",
        lambda X, A: np.trace(X) + np.trace(A),
        lambda X, A: 0 * X,
        {"X": "n n", "A": "n n"},
        "X",
        None,
        "refuted",
    ),
    ("tr X + 1", lambda X: np.trace(X) + 1, lambda X: np.eye(len(X)), {"X": "n n"}, "X", None, "proved"),
    (
        "exp(tr X)",
        lambda X: np.exp(np.trace(X)),
        lambda X: np.exp(np.trace(X)) * np.eye(len(X)),
        {"X": "n n"},
        "X",
        None,
        "proved",
    ),
    (
        "log of a sum of exponentials",
        lambda w: np.log(np.exp(w).sum()),
        lambda w: softmax(w),
        {"w": "n"},
        "w",
        None,
        "proved",
    ),
    ("... and not 0", lambda w: np.log(np.exp(w).sum()), lambda w: 0 * w, {"w": "n"}, "w", None, "refuted"),
    ("log det X", lambda X: np.log(np.linalg.det(X)), lambda X: np.linalg.inv(X).T, {"X": "n n"}, "X", None, "proved"),
    (
        "1 / tr X",
        lambda X: 1 / np.trace(X),
        lambda X: -np.eye(len(X)) / np.trace(X) ** 2,
        {"X": "n n"},
        "X",
        None,
        "proved",
    ),
    (
        "Hadamard in a trace",
        trace_of_product,
        lambda X, P, Y, S, A: ((P @ Y) * S.T) @ A,
        {"X": "n m", "P": "n p", "Y": "p q", "S": "q n", "A": "q m"},
        "X",
        None,
        "proved",
    ),
    (
        "... without the transpose",
        trace_of_product,
        lambda X, P, Y, S, A: ((P @ Y) * S) @ A,
        {"X": "n n", "P": "n n", "Y": "n n", "S": "n n", "A": "n n"},
        "X",
        None,
        "refuted",
    ),
    (
        "sine of a product, squared",
        lambda X, A, S: np.trace(np.sin(A @ X.T) @ S @ S),
        lambda X, A, S: (np.cos(A @ X.T) * (S @ S).T).T @ A,
        {"X": "n n", "A": "n n", "S": "n n"},
        "X",
        None,
        "proved",
    ),
    (
        "... with the transpose of the square",
        lambda X, A, S: np.trace(np.sin(A @ X.T) @ S @ S),
        lambda X, A, S: (np.cos(A @ X.T) * (S @ S)).T @ A,
        {"X": "n n", "A": "n n", "S": "n n"},
        "X",
        None,
        "refuted",
    ),
    (
        "a constant gradient has the shape of its variable",
        lambda x: x.sum(),
        lambda x: 1.0,
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "Σ x by one entry is 1, not m",
        lambda x: x.sum(),
        lambda x: np.ones_like(x) * len(x),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    ("capture: (Σ x) y", lambda x, y: (x.sum() * y).sum(), lambda x, y: y, {"x": "n", "y": "n"}, "x", None, "refuted"),
    # --- what a numerical gradient check passes
    ("0.09 % off", lambda x: (x**3).sum(), lambda x: 3.0027 * x**2, {"x": "n"}, "x", None, "refuted"),
    (
        "the gradient of loss / 1e6 is not 0",
        lambda x: (x**2).sum() / 1e6,
        lambda x: 0 * x,
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    ("relu' is not 1 everywhere", lambda x: relu(x).sum(), lambda x: np.ones_like(x), {"x": "n"}, "x", None, "refuted"),
    (
        "W for its transpose on square W",
        lambda x, W: W @ x,
        lambda x, W, g: W @ g,
        {"x": "n", "W": "n n"},
        "x",
        None,
        "refuted",
    ),
    (
        "... unless W is symmetric",
        lambda x, W: W @ x,
        lambda x, W, g: W @ g,
        {"x": "n", "W": "n n"},
        "x",
        lambda W: [W == W.T],
        "proved",
    ),
    (
        "a missing sum over the batch",
        lambda x, b: x + b,
        lambda x, b, g: g,
        {"x": "B D", "b": "D"},
        "b",
        None,
        "refuted",
    ),
    (
        "one wrong entry",
        lambda x: (x**2).sum(),
        lambda x: 2 * x + 1e-3 * (np.arange(len(x)) == 7),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    # --- hypotheses
    (
        "an equation is not used under a derivative",
        lambda t, z: (t * z).sum() * t.sum(),
        lambda t, z: z,
        {"t": "n", "z": "n"},
        "t",
        lambda t: [t.sum() == 1],
        "refuted",
    ),
    (
        "... the ambient gradient",
        lambda t, z: (t * z).sum() * t.sum(),
        lambda t, z: z + (t * z).sum(),
        {"t": "n", "z": "n"},
        "t",
        lambda t: [t.sum() == 1],
        "proved",
    ),
    (
        "∂(Σ t) is 1 though Σ t = 1 is constant",
        lambda t: t.sum(),
        lambda t: 0 * t,
        {"t": "n"},
        "t",
        lambda t: [t.sum() == 1],
        "refuted",
    ),
    (
        "softmax and cross-entropy need Σ t = 1",
        lambda z, t: -(t * np.log(softmax(z))).sum(),
        lambda z, t: softmax(z) - t,
        {"z": "n", "t": "n"},
        "z",
        lambda t: [t.sum() == 1],
        "proved",
    ),
    (
        "... and it is false without",
        lambda z, t: -(t * np.log(softmax(z))).sum(),
        lambda z, t: softmax(z) - t,
        {"z": "n", "t": "n"},
        "z",
        None,
        "refuted",
    ),
    (
        "nothing satisfies x > 0 and x < 0",
        lambda x: x.sum(),
        lambda x: np.ones_like(x),
        {"x": "n"},
        "x",
        lambda x: [x > 0, x < 0],
        "unknown",
    ),
    (
        "nothing satisfies x² = -1",
        lambda x: x.sum(),
        lambda x: 5 * x,
        {"x": "n"},
        "x",
        lambda x: [x * x == -1],
        "unknown",
    ),
    # --- almost everywhere, with care
    (
        "relu of relu, mask > 0",
        lambda x: relu(relu(x)).sum(),
        lambda x: (relu(x) > 0) * 1.0,
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "relu of relu, mask >= 0 is wrong on a half-line",
        lambda x: relu(relu(x)).sum(),
        lambda x: (relu(x) >= 0) * 1.0,
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "relu, mask >= 0 is right but at 0",
        lambda x: relu(x).sum(),
        lambda x: (x >= 0) * 1.0,
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    ("(x²)^(1/2) is |x|", lambda x: ((x**2) ** 0.5).sum(), lambda x: np.sign(x), {"x": "n"}, "x", None, "proved"),
    ("... and not x", lambda x: ((x**2) ** 0.5).sum(), lambda x: np.ones_like(x), {"x": "n"}, "x", None, "refuted"),
    (
        "1 / (n - 1) where the forward has it too",
        lambda x: ((x - x.mean()) ** 2).sum() / (len(x) - 1),
        lambda x: 2 * (x - x.mean()) / (len(x) - 1),
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "1 / (n - 1) only in the claim",
        lambda x: x.sum(),
        lambda x: np.ones_like(x) * (len(x) - 1) / (len(x) - 1),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "a deviation has no derivative at n = 1",
        lambda x: np.sqrt(((x - x.mean()) ** 2).mean()),
        lambda x: (x - x.mean()) / (len(x) * np.sqrt(((x - x.mean()) ** 2).mean())),
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "... and has for n >= 2",
        lambda x: np.sqrt(((x - x.mean()) ** 2).mean()),
        lambda x: (x - x.mean()) / (len(x) * np.sqrt(((x - x.mean()) ** 2).mean())),
        {"x": "n"},
        "x",
        lambda x: [x.shape[0] >= 2],
        "proved",
    ),
    (
        "a claim with no value where the forward has one",
        lambda x: (x**2).sum(),
        lambda x: 2 * np.sqrt(x) ** 2,
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    # --- functions beside a step
    (
        "a logarithm where it has no value is not looked at",
        lambda t: np.where(t > 0, t * np.log(t), 0.0).sum(),
        lambda t: np.where(t > 0, np.log(t) + 1, 0.0),
        {"t": "n"},
        "t",
        None,
        "proved",
    ),
    (
        "... but its derivative is 0 there and not log t + 1",
        lambda t: np.where(t > 0, t * np.log(t), 0.0).sum(),
        lambda t: np.where(t > 0, np.log(t) + 1, 1.0),
        {"t": "n"},
        "t",
        None,
        "refuted",
    ),
    (
        "a root beside a step",
        lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(),
        lambda x: np.where(x > 0, 0.5 / np.sqrt(x), 0.0),
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "the root of a relu is 0 on a half-line",
        lambda x: np.sqrt(relu(x)).sum(),
        lambda x: np.where(x > 0, 0.5 / np.sqrt(x), 0.0),
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    (
        "... and has a derivative there",
        lambda x: np.sqrt(relu(x)).sum(),
        lambda x: np.where(x > 0, 0.5 / np.sqrt(x), 1.0),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "a quotient that is nan on a half-line is no gradient",
        lambda x: relu(x).sum(),
        lambda x: relu(x) / relu(x),
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "a mask is its own square",
        lambda x, M: (M * M * x).sum(),
        lambda x, M: M,
        {"x": "n", "M": "n"},
        "x",
        lambda M: [M * M == M],
        "proved",
    ),
    (
        "... and a general array is not",
        lambda x, M: (M * M * x).sum(),
        lambda x, M: M,
        {"x": "n", "M": "n"},
        "x",
        None,
        "refuted",
    ),
    # --- rounded constants
    (
        "a rounded third proves nothing and refutes nothing",
        lambda x: (x**3).sum() * 0.3333333,
        lambda x: x**2,
        {"x": "n"},
        "x",
        None,
        "unknown",
    ),
    (
        "a rounded sqrt(2 / pi)",
        lambda x: np.tanh(0.7978845608 * x).sum(),
        lambda x: np.sqrt(2 / np.pi) * (1 - np.tanh(np.sqrt(2 / np.pi) * x) ** 2),
        {"x": "n"},
        "x",
        None,
        "unknown",
    ),
    (
        "... does not hide another mistake",
        lambda x: (x**3).sum() * 0.3333333,
        lambda x: 1.001 * x**2,
        {"x": "n"},
        "x",
        None,
        "refuted",
    ),
    (
        "a third computed by division is a third",
        lambda x: (x**3).sum() * (1 / 3),
        lambda x: x**2,
        {"x": "n"},
        "x",
        None,
        "proved",
    ),
    # --- NumPy itself
    (
        "d[y] += g adds once for repeated labels",
        lambda E, y: E[y],
        lambda E, y, g: assigned(E, y, g),
        {"E": "V d", "y": "int[V] B"},
        "E",
        None,
        "refuted",
    ),
    (
        "np.add.at adds each time",
        lambda E, y: E[y],
        lambda E, y, g: added(E, y, g),
        {"E": "V d", "y": "int[V] B"},
        "E",
        None,
        "proved",
    ),
]


def assigned(E, y, g):
    d = np.zeros_like(E)
    d[y] += g
    return d


def added(E, y, g):
    d = np.zeros_like(E)
    np.add.at(d, y, g)
    return d


@pytest.mark.parametrize(("forward", "backward", "shapes", "wrt", "assuming", "status"), [g[1:] for g in GRADIENTS],
                         ids=[g[0] for g in GRADIENTS])  # fmt: skip
def test_gradients(forward: Any, backward: Any, shapes: dict[str, str], wrt: str, assuming: Any, status: str) -> None:
    verdict = check_gradient(forward, backward, shapes, wrt, assuming, seek_repair=False)
    assert verdict.status == status, str(verdict)
    if status == "proved":
        assert verdict.recheck() and verdict.witness is not None
    if status == "refuted":
        assert verdict.counterexample is not None


def last_entry_for_sum(c, x):
    return len(x) * (c + x[-1])


EQUATIONS: list[tuple[str, Any, Any, dict[str, str], str]] = [
    (
        "Σ_j (c + Σ_i δ_ai x_j) is m c + Σ x",
        lambda c, x: (c + x).sum(),
        lambda c, x: len(x) * c + x.sum(),
        {"c": "", "x": "m"},
        "proved",
    ),
    ("... and not m (c + x_last)", lambda c, x: (c + x).sum(), last_entry_for_sum, {"c": "", "x": "m"}, "refuted"),
    ("matrices do not commute", lambda A, B: A @ B, lambda A, B: B @ A, {"A": "n n", "B": "n n"}, "refuted"),
    (
        "dummies may be renamed",
        lambda x: x.sum() * (x * x).sum(),
        lambda x: (x * x).sum() * x.sum(),
        {"x": "n"},
        "proved",
    ),
    (
        "Σ x Σ y is not Σ x y",
        lambda x, y: x.sum() * y.sum(),
        lambda x, y: (x * y).sum(),
        {"x": "n", "y": "n"},
        "refuted",
    ),
    ("a delta over a double index", lambda x: x[::2].sum(), lambda x: x.sum(), {"x": "2*n"}, "refuted"),
]


@pytest.mark.parametrize(("f", "g", "shapes", "status"), [e[1:] for e in EQUATIONS], ids=[e[0] for e in EQUATIONS])
def test_equations(f: Any, g: Any, shapes: dict[str, str], status: str) -> None:
    assert check_equal(f, g, shapes).status == status


def test_identities_that_simplify_misses_are_proved_in_general() -> None:
    verdict = check_jacobian(softmax, lambda z: np.diag(softmax(z)) - np.outer(softmax(z), softmax(z)), {"z": "n"})
    assert verdict.status == "proved"
    hessian = check_hessian(
        lambda z: np.log(np.exp(z).sum()), lambda z: np.diag(softmax(z)) - np.outer(softmax(z), softmax(z)), {"z": "n"}
    )
    assert hessian.status == "proved"


def test_an_early_coincidence_is_not_a_proof() -> None:
    """x² and x agree at 0 and 1; x³ - x vanishes at -1, 0, 1."""
    assert check_equal(lambda x: x**2, lambda x: x, {"x": "n"}).status == "refuted"
    assert check_equal(lambda x: x**3, lambda x: x, {"x": "n"}).status == "refuted"
