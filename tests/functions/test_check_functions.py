"""`symbackprop check file.py::forward,backward`, and `symbackprop.functions.testing`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop import check_gradient, cli
from symbackprop.core.terms import SymbackpropError
from symbackprop.functions.dialects.conventions import in_annotations, in_docstring
from symbackprop.functions.testing import (
    assert_derivative,
    assert_equal,
    assert_function,
    assert_gradient,
    assert_hessian,
    assert_hvp,
    assert_jacobian,
    assert_layer,
)
from symbackprop.write.reports import one_line

LAYERS = """
import numpy as np
from helpers import scaled

def forward(x, w, eps):
    return scaled(x, eps) * w

def backward(x, w, eps, g):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    gw = g * w
    return {"x": r * gw - x * r**3 * (gw * x).mean(-1, keepdims=True), "w": (g * x * r).sum(0)}

def transposed(x, w, eps, g):
    return {"x": g * w, "w": g * x}

def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()

def softmax_jacobian(z):
    return np.diag(softmax(z)) - np.outer(softmax(z), softmax(z))

def power(x, p):
    return (x**p).sum()

def power_gradient(x, p):
    return p * x ** (p - 1)

def quadratic(x, A):
    return x @ A @ x

def hessian(x, A):
    return A + A.T

def product(x, A, v):
    return (A + A.T) @ v
"""
HELPERS = """
import numpy as np

def scaled(x, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
"""
SHAPES = "x: B D; w: D; eps: "


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    (tmp_path / "helpers.py").write_text(HELPERS, encoding="utf-8")
    file = tmp_path / "layers.py"
    file.write_text(LAYERS, encoding="utf-8")
    return file


PROVED = [
    ("forward,backward", ["--shapes", SHAPES, "--wrt", "x, w", "--assuming", "eps > 0"]),
    ("softmax,softmax_jacobian", ["--shapes", "z: n", "--kind", "jacobian"]),
    ("power,power_gradient", ["--shapes", "x: n", "--value", "p=3"]),
    ("quadratic,hessian", ["--shapes", "x: n; A: n n", "--wrt", "x", "--kind", "hessian"]),
    ("quadratic,product", ["--shapes", "x: n; A: n n", "--wrt", "x", "--kind", "hvp"]),
    ("softmax,softmax", ["--shapes", "z: n", "--kind", "equal"]),
]


@pytest.mark.parametrize(("names", "options"), PROVED, ids=[p[0] for p in PROVED])
def test_proved(layers: Path, names: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", f"{layers}::{names}", *options]) == 0
    assert "✓" in capsys.readouterr().out


def test_refuted_with_repairs(layers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", f"{layers}::forward,transposed", "--shapes", SHAPES, "--wrt", "x,w"]) == 1
    shown = capsys.readouterr().out
    assert "✗ refuted: 0 of 2 proved" in shown and "proved  ∂L/∂w[i] = Σ_j" in shown


def test_one_line_each(layers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [f"{layers}::softmax,softmax", f"{layers}::softmax,softmax_jacobian"]
    code = cli.main(["check", *pairs, "--shapes", "z: n", "--kind", "equal", "--short"])
    first, second = capsys.readouterr().out.splitlines()
    assert code == 1 and first.endswith("softmax,softmax: proved")
    assert "ill-formed (" in second or "refuted (" in second


def test_one_line_names_the_mistake() -> None:
    verdict = check_gradient(lambda x, w: x @ w, lambda x, w, g: (g @ w.T, 2 * x.T @ g), {"x": "n d", "w": "d m"})
    assert one_line("dense", verdict) == "dense: refuted (x proved; w missing factor 1/2)"
    assert len(one_line("d" * 300, verdict)) == 120


def test_json(layers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main([
        "check", f"{layers}::forward,backward", f"{layers}::forward,transposed", "--shapes", SHAPES, "--wrt", "w",
        "--assuming", "eps > 0", "--json", "--no-repair",
    ])  # fmt: skip
    first, second = json.loads(capsys.readouterr().out)
    assert code == 1
    assert first["status"] == "proved" and first["target"].endswith("forward,backward")
    assert first["hypotheses"] == ["eps > 0"]
    assert second["status"] == "refuted" and second["counterexample"]["message"] and second["repair"] is None


REFUSED = [
    (["check"], "the following arguments are required: TARGET"),
    (["check", "LAYERS::forward,backward"], "--shapes is needed"),
    (["check", "LAYERS::forward", "--shapes", SHAPES], "returns one array, no loss with its gradient"),
    (["check", "LAYERS::forward,backward,more", "--shapes", SHAPES], "two functions are needed"),
    (["check", "LAYERS::forward,backwrd", "--shapes", SHAPES], "no function 'backwrd'; did you mean 'backward'?"),
    (["check", "HELPERS"], "say which functions"),
    (["check", "missing.py::f,g", "--shapes", "x: n"], "missing.py: no such file"),
    (["check", "LAYERS::forward,backward", "--shapes", "x B D"], "'x B D' is not of the form NAME: AXES"),
    (["check", "LAYERS::forward,backward", "--shapes", "x: B D; x: B"], "x is given twice"),
    (["check", "LAYERS::forward,backward", "--shapes", "x: B D; w: D"], "the argument 'eps' of forward() has no shape"),
    (["check", "LAYERS::forward,backward", "--shapes", SHAPES, "--assuming", "eps >"], "is no Python expression"),
    (["check", "LAYERS::forward,backward", "--shapes", SHAPES, "--assuming", "ops > 0"], "'ops' in 'ops > 0'"),
    (["check", "LAYERS::forward,backward", "--shapes", SHAPES, "--assuming", "np.load('x') > 0"], "only comparisons"),
    (["check", "LAYERS::forward,backward", "--shapes", SHAPES, "--assuming", "x.__class__ > 0"], "only comparisons"),
    (["check", "LAYERS::power,power_gradient", "--shapes", "x: n", "--value", "p"], "not of the form NAME=NUMBER"),
    (
        ["check", "LAYERS::power,power_gradient", "--shapes", "x: n", "--value", "p=three"],
        "not of the form NAME=NUMBER",
    ),
    (["check", "LAYERS::forward,backward", "--shapes", SHAPES, "--kind", "laplacian"], "invalid choice: 'laplacian'"),
]


@pytest.mark.parametrize(("argv", "message"), REFUSED, ids=lambda v: v if isinstance(v, str) else None)
def test_refused_in_one_line(argv: list[str], message: str, layers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    helpers = layers.with_name("helpers.py")
    assert cli.main([a.replace("LAYERS", str(layers)).replace("HELPERS", str(helpers)) for a in argv]) == 2
    error = capsys.readouterr().err
    assert error.startswith("symbackprop: ") and message in error and error.count("\n") == 1


BROKEN = [
    ("def f(:\n", ":1: "),
    ("import numpy\n\n1 / 0\n", ":3: ZeroDivisionError"),
    ("import nothing_here\n", "nothing_here"),
]


@pytest.mark.parametrize(("source", "message"), BROKEN)
def test_a_file_that_does_not_run(
    source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(source, encoding="utf-8")
    assert cli.main(["check", f"{file}::f,g", "--shapes", "x: n"]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


# --- in tests of the user's ------------------------------------------------------------------


def test_assertions_pass_and_return_the_verdict() -> None:
    assert assert_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, shapes={"x": "n"}).status == "proved"
    assert_jacobian(lambda x: x**2, lambda x: np.diag(2 * x), {"x": "n"})
    assert_hessian(lambda x: (x**3).sum(), lambda x: np.diag(6 * x), {"x": "n"})
    assert_hvp(lambda x: (x**3).sum(), lambda x, v: 6 * x * v, {"x": "n"})
    assert_equal(lambda x: x + x, lambda x: 2 * x, {"x": "n"})


def test_a_failed_assertion_has_the_report_as_its_message() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_gradient(lambda x: (x**2).sum(), lambda x: x, shapes={"x": "n"})
    message = str(failure.value)
    assert message.startswith("x: refuted: missing factor 2") and "proved  ∂L/∂x[i] = 2 x[i]" in message


def test_unknown_fails_too() -> None:
    with pytest.raises(AssertionError, match="depends on the data"):
        assert_gradient(lambda x: x.sum() if x[0] > 0 else 0 * x.sum(), lambda x: x, shapes={"x": "n"})
    with pytest.raises(SymbackpropError):
        assert_gradient(lambda x: x.sum(), lambda x: x, shapes={})


# --- what there is in a file -----------------------------------------------------------------

FILE = '''
import numpy as np
from jaxtyping import Array, Float, Int

class Dense:
    """y = x W + b

    shapes: x: B D
    """
    def __init__(self, D, M):
        self.W, self.b = np.random.randn(D, M), np.zeros(M)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(0)
        return dout @ self.W.T

def affine_forward(x, w, b):
    """
    - x: A numpy array containing input data, of shape (N, D)
    - w: A numpy array of weights, of shape (D, M)
    - b: A numpy array of biases, of shape (M,)

    Returns a tuple of:
    - out: output, of shape (N, M)
    """
    return x @ w + b, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.mean(0)

def relu(x: Float[Array, "B D"]) -> Float[Array, "B D"]:
    return np.maximum(x, 0)

def relu_prime(x):
    return (x > 0).astype(float)

def softmax_loss(scores: Float[Array, "N K"], labels: Int[Array, "N"]):
    """
    labels : array, shape (N,), where
        0 <= labels[i] < K
    """
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = np.arange(len(labels))
    loss = -np.log(p[n, labels]).mean()
    p[n, labels] -= 1
    return loss, p / len(labels)

def scale_fwd(z, factor):
    return z * factor, factor

def scale_bwd(dout, cache):
    return dout * cache

def leaky(x, slope=0.1):
    return np.where(x > 0, x, slope * x)

def leaky_prime(x, slope=0.1):
    return np.where(x > 0, 1.0, slope * x)

def helper(x):
    return x
'''


def test_a_file_says_itself_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.py"
    file.write_text(FILE, encoding="utf-8")
    assert cli.main(["check", str(file), "--json", "--no-repair"]) == 1
    found = {v["target"].rpartition("::")[2]: v for v in json.loads(capsys.readouterr().out)}
    assert {n: v["status"] for n, v in found.items()} == {
        "Dense": "proved", "affine_forward,affine_backward": "refuted", "relu,relu_prime": "proved",
        "softmax_loss": "proved", "scale_fwd,scale_bwd": "unknown", "leaky,leaky_prime": "refuted",
    }  # fmt: skip
    assert found["Dense"]["gradients"].keys() == {"x", "W", "b"}
    assert found["affine_forward,affine_backward"]["gradients"]["b"]["status"] == "refuted"
    assert '--shapes "z: ...; factor: ..."' in found["scale_fwd,scale_bwd"]["reason"]
    more = ["--shapes", "z: n; factor: ", "--wrt", "z", "--no-repair"]
    assert cli.main(["check", f"{file}::scale_fwd,scale_bwd", *more]) == 0
    assert cli.main(["check", f"{file}::Dense"]) == cli.main(["check", f"{file}::softmax_loss"]) == 0


def test_sarif_points_at_the_backward(tmp_path: Path) -> None:
    file, log = tmp_path / "net.py", tmp_path / "log.sarif"
    file.write_text(FILE.replace("dout.sum(0)", "dout.mean(0)"), encoding="utf-8")
    assert cli.main(["check", str(file), "--sarif", str(log), "--no-repair"]) == 1
    (run,) = json.loads(log.read_text(encoding="utf-8"))["runs"]
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert all(p["artifactLocation"]["uri"].endswith("net.py") for p in places)
    lines = [FILE.splitlines()[p["region"]["startLine"] - 1].strip() for p in places]
    assert lines == ["def backward(self, dout):", "def affine_backward(dout, cache):", "def scale_bwd(dout, cache):",
                     "def leaky_prime(x, slope=0.1):"]  # fmt: skip
    assert [r["ruleId"] for r in run["results"]] == ["SB199", "SB199", "SB399", "SB199"]
    assert "the gradient of b is refuted" in run["results"][0]["message"]["text"]


SHAPES_IN_TEXT = [
    ("shapes: x: B D; w: D M", {"x": "B D", "w": "D M"}),
    ("x: (N, D)\ny: (N,)", {"x": "N D", "y": "N"}),
    ("Parameters\n----------\nx : ndarray of shape (n, 2*h)\n    The input.\neps : float", {"x": "n 2*h", "eps": ""}),
    ("- y: labels of shape (N,) where y[i] is a label\n      and 0 <= y[i] < C", {"y": "int[C] N"}),
    ("x, y: arrays, shape = [B, D]", {"x": "B D", "y": "B D"}),
    ("x: data of shape (N, d_1, ..., d_k)", {}),
    ("It says nothing (N, D) of x.", {}),
]


@pytest.mark.parametrize(("text", "shapes"), SHAPES_IN_TEXT)
def test_shapes_in_docstrings(text: str, shapes: dict[str, str]) -> None:
    assert in_docstring(text) == shapes


def test_shapes_in_annotations() -> None:
    def f(*_: object) -> None: ...

    f.__annotations__ = {
        "x": 'Float[Array, "B D"]', "y": "jt.Float64[np.ndarray, 'n+1']", "n": 'Int[Array, "B"]', "z": int,
        "a": "list[int]", "m": 'Float[Array, "*batch D"]', "return": 'Float[Array, "B"]',
    }  # fmt: skip
    assert in_annotations(f) == {"x": "B D", "y": "n+1"}


# --- under pytest ----------------------------------------------------------------------------


def test_the_plugin_makes_tests_of_what_is_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(FILE, encoding="utf-8")
    program = [sys.executable, "-m", "pytest", "-q", "-p", "symbackprop.pytest_plugin", "--symbackprop", str(file)]
    path = os.pathsep.join(p for p in (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")) if p)
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        program, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120, check=False
    )
    assert "3 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "b: refuted: missing factor N" in done.stdout and "AssertionError" not in done.stdout
    assert "the shape of z, factor is needed" in done.stdout


def test_assertions_for_layers_and_their_like() -> None:
    assert_derivative(np.tanh, lambda a: 1 - a**2, {"x": "n"})
    assert_function(lambda w: ((w**2).sum(), 2 * w), shapes={"w": "d"})
    with pytest.raises(AssertionError, match="w: refuted: missing factor 2"):
        assert_function(lambda w: ((w**2).sum(), w), shapes={"w": "d"})

    class Twice:
        def forward(self, x: Any) -> Any:
            return 2 * x

        def backward(self, dout: Any) -> Any:
            return 2 * dout

    assert assert_layer(Twice, shapes={"x": "n"}).status == "proved"


WRONG = """
import numpy as np

def forward(x, w, scale=2.0):
    return scale * np.tanh(x) * w

def backward(x, w, dy, scale=2.0):
    return {"x": scale * dy * w * (1 - np.tanh(x)), "w": scale * (dy * np.tanh(x)).sum(axis=0)}

def energy(z):
    return (z**2).sum()

def energy_grad(z):
    return z

def right_forward(z):
    return z**3

def right_backward(z, g):
    return 3 * z**2 * g
"""


def test_a_counterexample_is_a_test_that_fails_until_it_is_mended(layers: Path) -> None:
    file, tests = layers.with_name("wrong.py"), layers.with_name("test_wrong.py")
    file.write_text(WRONG, encoding="utf-8")
    pairs = ["forward,backward", "energy,energy_grad", "right_forward,right_backward"]
    shapes = ["x: B D; w: D", "z: n", "z: n"]
    for pair, axes in zip(pairs, shapes, strict=True):
        cli.main(["check", f"{file}::{pair}", "--shapes", axes, "--no-repair", "--tests", str(tests)])
        text = tests.read_text(encoding="utf-8")
        names: dict[str, Any] = {}
        if "def test_" not in text:
            assert pair.startswith("right")
            continue
        for source, fails in ((WRONG, True), (WRONG.replace("(1 - np.tanh(x))", "(1 - np.tanh(x) ** 2)")
                                              .replace("return z\n", "return 2 * z\n"), False)):  # fmt: skip
            module = types.ModuleType("wrong")
            exec(source, vars(module))
            sys.modules["wrong"] = module
            try:
                exec(text, names)
            finally:
                del sys.modules["wrong"]
            (test,) = (f for n, f in names.items() if n.startswith("test_"))
            if fails:
                with pytest.raises(AssertionError):
                    test()
            else:
                test()
