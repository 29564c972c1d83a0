"""benchmarks/decide.py: how it reads statements and exhibits, and what it counts."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "decide.py"
    spec = importlib.util.spec_from_file_location("decide", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["decide"] = module
    spec.loader.exec_module(module)
    return module


D = load()


def statement(
    name: str, args: list[tuple[str, str, str]], forward: str, backward: str, kind: str = "vjp", truth: bool = True,
    wrt: str = "x", dims: dict[str, int] | None = None,
) -> dict[str, Any]:  # fmt: skip
    names = ", ".join(a for a, _, _ in args)
    upstream = ", g" if kind == "vjp" else ""
    return {
        "id": name, "truth": truth, "kind": kind, "wrt": wrt,
        "args": [{"name": a, "shape": s.split(), "domain": d} for a, s, d in args],
        "dims": {s: {"min": n} for s, n in (dims or {"n": 1}).items()},
        "forward": f"def forward({names}):\n    return {forward}\n",
        "backward": f"def backward({names}{upstream}):\n    return {backward}\n",
    }  # fmt: skip


X = ("x", "n", "real")
STATEMENTS = [
    statement("pos", [X, ("s", "", "pos")], "x / np.sqrt(s * s)", "g / s"),
    statement("neg", [X, ("s", "", "neg")], "x / np.sqrt(s * s)", "-g / s"),
    statement("neg F", [X, ("s", "", "neg")], "x / np.sqrt(s * s)", "g / s", truth=False),
    statement("gt1", [X, ("s", "", "gt1")], "x * np.abs(s - 1)", "g * (s - 1)"),
    statement("unit", [X, ("s", "", "unit")], "x * np.abs(1 - s)", "g * (1 - s)"),
    statement("open11", [X, ("s", "", "open11")], "x * np.abs(1 + s)", "g * (1 + s)"),
    statement("bin", [X, ("m", "n", "bin")], "m * m * x", "g * m"),
    statement("pm1", [X, ("m", "n", "pm1")], "m * m * x", "g"),
    statement("prob", [X, ("t", "n", "prob")], "t.sum() * x", "g"),
    statement("onehot", [X, ("t", "n", "onehot")], "(t * t).sum() * x", "g"),
    statement("sym", [X, ("A", "n n", "sym")], "x @ A @ x", "2 * g * A @ x"),
    statement("sym F", [X, ("A", "n n", "real")], "x @ A @ x", "2 * g * A @ x", truth=False),
    statement("spd", [X, ("A", "n n", "spd")], "np.linalg.inv(A) @ x", "np.linalg.inv(A) @ g"),
    statement("inv", [X, ("A", "n n", "inv")], "np.linalg.inv(A) @ x", "np.linalg.inv(A).T @ g"),
    statement("int", [X, ("y", "", "int:n")], "x[y]", "g * (np.arange(len(x)) == y)"),
    statement("intconst", [X, ("p", "", "intconst:3")], "x**p", "g * p * x ** (p - 1)"),
    statement("const", [X, ("c", "", "const:0.5")], "x * c", "g / 2"),
    statement("same", [X, ("a", "n", "real"), ("b", "n", "same:a")], "x * (a - b + 1)", "g"),
    statement("const2", [("x", "2", "const2:1.0|2.0")], "(x * x).sum()", "g * np.array([2.0, 4.0])"),
    statement("nonzero", [X, ("s", "", "nonzero")], "x * s / s", "g"),
    statement("sizes", [X], "np.sqrt(((x - x.mean()) ** 2).mean())",
              "g * (x - x.mean()) / (len(x) * np.sqrt(((x - x.mean()) ** 2).mean()))", dims={"n": 2}),
    statement("jacobian", [X], "x**2", "np.diag(2 * x)", "jacobian"),
    statement("hessian", [X], "(x**3).sum()", "np.diag(6 * x)", "hessian"),
    statement("hvp", [X, ("v", "n", "real")], "(x**3).sum()", "6 * x * v", "hvp"),
    statement("hvp F", [X, ("v", "n", "real")], "(x**3).sum()", "3 * x * v", "hvp", truth=False),
    statement("shape F", [X], "x * 2", "g.sum()", truth=False),
]  # fmt: skip


@pytest.mark.parametrize("entry", STATEMENTS, ids=lambda e: e["id"])
def test_domains_and_kinds(entry: dict[str, Any]) -> None:
    (case,) = D.cases([entry])
    result = D.decided(case, 20.0)
    assert result.right and not result.wrong, result.reason


EXHIBIT = {
    "id": "scaled",
    "forward": {
        "code": "def forward(x, eps):\n    return x / np.sqrt(eps)\n",
        "inputs": [
            {"name": "x", "shape": ["N", "C"], "role": "variable"},
            {"name": "eps", "shape": [], "role": "positive constant"},
        ],
    },
    "wrt": ["x"], "upstream": ["dy"], "hypotheses": ["eps > 0", "x, eps non-zero", "some prose"],
    "buggy_backward": "def buggy_backward(x, eps, dy):\n    return {'x': dy / eps}\n",
    "fixed_backward": "def fixed_backward(x, eps, dy):\n    return {'x': dy / np.sqrt(eps)}\n",
    "equivalent_backward": "def equivalent_backward(x, eps, dy):\n    return {'x': dy * eps**-0.5}\n",
}  # fmt: skip


NEW = {
    "gather": {
        "check": "gradient", "assuming": ["s > 0"], "wrt": ["W"],
        "forward": {
            "code": "def forward(W, y, s):\n    return W[y] * np.sqrt(s * s)\n",
            "inputs": [
                {"name": "W", "shape": ["V", "D"], "role": "variable", "kind": "real"},
                {"name": "y", "shape": [], "role": "labels", "kind": "int[V]"},
                {"name": "s", "shape": [], "role": "scale", "kind": "real"},
            ],
        },
        "fixed": "W, y, s, dy", "returns": "{'W': s * (np.arange(W.shape[0]) == y)[:, None] * dy}",
    },
    "curved": {
        "check": "hessian", "assuming": [], "wrt": ["x"],
        "forward": {"code": "def forward(x):\n    return (x**3).sum()\n",
                    "inputs": [{"name": "x", "shape": ["N"], "role": "variable", "kind": "real"}]},
        "fixed": "x", "returns": "{'x': np.diag(6 * x)}",
    },
    "turned": {
        "check": "jacobian", "assuming": [], "wrt": ["x"],
        "forward": {"code": "def forward(x, A):\n    return A @ x\n",
                    "inputs": [{"name": "x", "shape": ["N"], "role": "variable", "kind": "real"},
                               {"name": "A", "shape": ["M", "N"], "role": "data", "kind": "real"}]},
        "fixed": "x, A", "returns": "{'x': A}",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NEW)
def test_exhibits_say_what_is_checked_and_assumed(name: str) -> None:
    given = NEW[name]
    code = f"def fixed_backward({given['fixed']}):\n    return {given['returns']}\n"
    (case,) = D.cases([{**given, "id": name, "hypotheses": [], "buggy_backward": None, "fixed_backward": code}])
    result = D.decided(case, 20.0)
    assert result.status == "proved", result.reason


def test_exhibits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "exhibits.json"
    file.write_text(json.dumps({"exhibits": [EXHIBIT]}), encoding="utf-8")
    out = tmp_path / "out.json"
    assert D.main([str(file), "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if line.startswith("all"))
    assert row.split() == ["all", "3", "3", "0", "0", "1"]
    found = {e["name"]: e["status"] for e in json.loads(out.read_text())}
    assert found == {"scaled [buggy]": "refuted", "scaled [fixed]": "proved", "scaled [equivalent]": "proved"}


def test_a_wrong_answer_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lie = {**STATEMENTS[0], "truth": False}
    file = tmp_path / "statements.json"
    file.write_text(json.dumps([lie]), encoding="utf-8")
    assert D.main([str(file)]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_time_is_limited() -> None:
    (case,) = D.cases([STATEMENTS[0]])

    def forever(x: Any, s: Any) -> Any:
        while True:
            pass

    case.forward = forever
    result = D.decided(case, 0.2)
    assert result.status == "unknown" and "no answer within 0.2 s" in result.reason
