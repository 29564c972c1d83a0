"""NumPy that a stranger typed is carried out by a table of what is understood; nothing of it is executed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.core.terms import SymbackpropError
from symbackprop.functions.explaining import explain
from symbackprop.read.formulas.numpy_text import NumpyText

RMSNORM = "r = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + eps)\nn = x * r\ny = n * w"
SHAPES = {"x": "B D", "w": "D", "eps": ""}
BACKWARD = """
def backward(x, w, eps, dy):
    r = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + eps)
    dn = dy{factor}
    return r * dn - x * r**3 * (dn * x).mean(-1, keepdims=True)
"""
PROGRAMS = [
    RMSNORM,
    "import numpy as np\ndef f(x, w):\n    '''words'''\n    y = x @ w.T\n    y += 1\n    return np.tanh(y)",
    "x[:, 1:] * 2 - x[:, :-1]",
    "e = np.exp(x - x.max(axis=-1, keepdims=True))\ne / e.sum(axis=-1, keepdims=True)",
    "np.einsum('ij,kj->ik', x, w)",
    "np.where(x > 0, x, 0.1 * x) + len(x) / x.shape[1]",
    "np.concatenate([x, -x], axis=1)[..., None]",
    "np.linalg.inv(x @ x.T + np.eye(x.shape[0]))",
    "-(+x) ** 2 + np.pi",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_it_computes_what_python_would(text: str) -> None:
    program = NumpyText(text)
    rng = np.random.default_rng(1)
    given = {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(2, 4)), "eps": 0.1}
    given = {n: (given[n] if text is not RMSNORM or n != "w" else given[n][0]) for n in program.parameters}
    scope = {"np": np, **given}
    if "def " in text:
        exec(text, scope)
        wanted = scope["f"](**given)  # type: ignore[operator]
    else:
        *lines, last = text.splitlines()
        exec("\n".join(lines), scope)
        wanted = eval(last.partition(" = ")[2] if " = " in last else last, scope)
    np.testing.assert_allclose(program(**given), wanted)


def test_lines_become_named_steps_of_a_derivation() -> None:
    program = NumpyText(RMSNORM)
    assert program.parameters == ["x", "eps", "w"]
    found = explain(program, SHAPES, "x")
    assert [p.name for p in found.plan.passages] == ["n", "x"] and found.derivative.verdict.status == "proved"


@pytest.mark.parametrize(("factor", "status"), [(" * w", "proved"), ("", "refuted")])
def test_a_gradient_that_is_typed_gets_a_verdict(factor: str, status: str) -> None:
    verdict = sb.check_gradient(NumpyText(RMSNORM), NumpyText(BACKWARD.replace("{factor}", factor)), SHAPES, "x")
    assert verdict.status == status


HOSTILE = [
    "import os\nos.system('touch {mark}')",
    "__import__('os').system('touch {mark}')",
    "y = x.__class__.__mro__[1].__subclasses__()",
    "y = open('{mark}', 'w')",
    "exec('open(\"{mark}\", \"w\")')",
    "eval('1')",
    "y = (lambda: open('{mark}', 'w'))()",
    "y = [open('{mark}', 'w') for a in (1,)]",
    "np.save('{mark}', x)",
    "x.tofile('{mark}')",
    "np.load('{mark}')",
    "np.fromfile('/etc/passwd')",
    "np.lib.format.open_memmap('{mark}')",
    "while True: pass",
    "for i in range(3): x = x + i",
    "class A: pass",
    "y = f'{{x.__class__}}'",
    "y = x if True else x",
    "(y := x)",
    "x.shape.__class__",
    "def f(x, *args): return x",
    "@print\ndef f(x): return x",
    "9**9**9",
    "y = 1" + "0" * 30,
    "x +",
    "np.__dict__",
    "np.core.multiarray",
    "x.sum.__globals__",
    "getattr(x, 'T')",
    "del x",
    "global x",
    "yield x",
    "await x",
    "",
    "x" + " + x" * 3000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_understood_is_refused_and_leaves_no_trace(text: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(SymbackpropError) as problem:
        program = NumpyText(text.replace("{mark}", str(mark)))
        program(**{n: np.ones((2, 2)) for n in program.parameters})
    assert not mark.exists() and str(problem.value)


def test_an_error_names_its_line() -> None:
    with pytest.raises(SymbackpropError, match="line 2: q is not known here"):
        NumpyText("def f(x):\n    return x + q")(x=1.0)
