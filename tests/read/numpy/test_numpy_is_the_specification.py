"""What NumPy does in corners: each small program is read as NumPy computes it, or refused; never read otherwise.

`numpy_corners.json` has kinds of programs, as templates and what they are filled with, over x and y (n m), s (n n),
t (n), u (m), a (a number) and lab (n whole numbers 0 .. m-1).  Each runs at several sizes, 1 among them.
"""

from __future__ import annotations

import inspect
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_witness import agrees

from symbackprop.functions.checks import check_gradient
from symbackprop.read.numpy import TraceError, parse_shapes, trace
from symbackprop.read.numpy.context import SUPPORTED, Supported, call_names, parameters
from symbackprop.read.numpy.support import table

ROOT = Path(__file__).parents[3]
KINDS = json.loads((ROOT / "tests/data/numpy_corners.json").read_text())
SHAPES = {"x": "n m", "y": "n m", "s": "n n", "t": "n", "u": "m", "a": "", "lab": "int[m] n"}
SIZES = ((3, 2), (2, 3), (1, 1), (1, 3), (4, 1))


def programs(kind: str) -> list[str]:
    """Every template with every filling."""
    found = []
    for part in KINDS[kind]:
        for t, f in product(part["templates"], product(*part["fillings"])):
            found.append(t.format(*f) if f else t)
    return found


def compiled(program: str) -> Any:
    body = "".join(f"    {line}\n" for line in program.replace("; ", "\n").split("\n"))
    names: dict[str, Any] = {"np": np}
    exec(f"import math\ndef f({', '.join(SHAPES)}):\n    n, m = x.shape\n{body}    return r\n", names)
    return names["f"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_read_as_numpy_computes_or_refused(kind: str) -> None:
    sources = programs(kind)
    wrong, read = [], 0
    for source in sources:
        try:
            found = agrees(compiled(source), parse_shapes(SHAPES), False, SIZES)
        except TraceError:
            continue
        read += 1
        if found and found != "NumPy refuses every size":
            wrong.append((source, found))
    assert wrong == []
    assert len(sources) >= 20 and read >= 2  # not everything is refused


# What must be read, since people write it: a refusal would be a loss.
READ = [
    "r = np.nansum(t)", "r = np.nan_to_num(x)", "r = np.isclose(t, 0.5)", "r = x.astype(float, copy=False) * 2",
    "r = np.ascontiguousarray(x) + 1", "r = t[1:] - t[:-1]", "r = sum(t[i] for i in range(n - 1))",
    "r = np.einsum('ii->i', s)", "r = (x > 0).sum(axis=0)", "r = (t > 0).astype(np.float32) * t",
    "r = p = (lab[:, None] == np.arange(m)).astype(np.int32) - x", "r = a ** np.arange(n)", "r = t ** lab",
    "r = (-1) ** np.arange(n) * t", "r = np.sum(x, axis=0, where=x > 0)", "r = np.max(t, initial=0.0)",
    "r = np.vectorize(lambda v: v * v)(t)", "r = np.vectorize(lambda v: max(v, 0), otypes=[float])(t)",
    "r = x.squeeze(axis=()) * n", "r = t / len(t)", "d = {}\nfor i in range(n): d['k'] = t[i]\nr = d['k']",
    "h = x.T @ y; h = h.reshape(-1); h += 1; r = h", "print(n, t); r = t", "r = np.sum(x > 0, dtype=int)",
    "r = np.linalg.norm(x, ord='fro')", "r = np.full((n, m), 2, dtype=float) * x", "r = t.max()",
    "z = t.copy(); z[z > 0.5] = 0; r = z",
]  # fmt: skip


@pytest.mark.parametrize("source", READ)
def test_read(source: str) -> None:
    assert agrees(compiled(source), parse_shapes(SHAPES), False, SIZES) == ""


# --- guards ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "bracketed"),
    [
        ("r = np.where(x > 0, np.log(y), 0)", False),
        ("r = np.tril(np.log(s))", False),
        ("r = np.pad(np.log(t), 1)", False),
        ("r = (x > 0) * np.log(y)", True),
        ("r = (x > 0).astype(float) * np.sqrt(y)", True),
        ("r = np.eye(n) / t", True),
        ("r = 1 / y * (x > 0)", True),
        ("r = np.where(x > 0, y, 0) * np.log(x)", True),
        ("r = (x > 0) * y", False),  # what has a value everywhere needs no bracket
        ("r = (x > 0) / np.exp(y)", False),
    ],
)
def test_arithmetic_with_truth_values_guards_nothing(source: str, bracketed: bool) -> None:
    body = str(trace(compiled(source), parse_shapes(SHAPES)).outputs.body.__repr__())
    assert ("Add(args=(Holds" in body or "Add(args=(Delta" in body or "Add(args=(Mul" in body) == bracketed


def test_zero_times_nothing() -> None:
    """0 * log(x) is nan where log(x) is: it is not the number 0."""
    assert "log" in repr(trace(compiled("r = np.zeros(n) * np.log(t)"), parse_shapes(SHAPES)).outputs.body)


# --- mask constants --------------------------------------------------------------------------

MASKED = {
    "where": "np.where(keep, q @ k.T, {c})",
    "written": "written(q @ k.T, ~keep, {c})",
    "added": "q @ k.T + np.triu(np.ones((T, T)), 1) * {c}",
    "one minus": "q @ k.T + (1 - np.tril(np.ones((T, T)))) * {c}",
    "full": "q @ k.T + np.triu(np.full((T, T), {c}), 1)",
    "subtracted": "q @ k.T - np.triu(np.ones((T, T)), 1) * -({c})",
    "minus one": "q @ k.T + (np.tril(np.ones((T, T))) - 1) * -({c})",
}
SOFTMAX = """
def written(s, mask, c):
    s[mask] = c
    return s
def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
def forward(q, k):
    T = q.shape[0]
    keep = np.tril(np.ones((T, T), dtype=bool))
    return softmax({scores})
def backward(q, k, dp):
    T = q.shape[0]
    p = softmax(np.where(np.tril(np.ones((T, T), dtype=bool)), q @ k.T, -np.inf))
    return (p * (dp - (dp * p).sum(-1, keepdims=True))) @ k
"""


@pytest.mark.parametrize("way", MASKED)
@pytest.mark.parametrize("constant", ["-1e9", "-1e4", "-10**9", "np.finfo(float).min"])
def test_mask_constants_are_minus_infinity_and_the_verdict_says_so(way: str, constant: str) -> None:
    names: dict[str, Any] = {"np": np}
    exec(SOFTMAX.replace("{scores}", MASKED[way].format(c=constant)), names)
    traced = trace(names["forward"], parse_shapes({"q": "T d", "k": "T d"}))
    assert len(traced.notes) == 1 and "-inf" in traced.notes[0]
    if constant == "-1e9":
        verdict = check_gradient(names["forward"], names["backward"], {"q": "T d", "k": "T d"}, wrt="q")
        assert verdict.status == "proved" and "-inf" in str(verdict)


BINARY_MASKS = ("x + (1 - m)*-1e9", "x - (1 - m)*1e9", "x - 1e9*(1 - m)", "x + (m - 1)*1e9", "x + -1e9*(1 - m)")


@pytest.mark.parametrize("scores", BINARY_MASKS)
def test_a_mask_is_0_or_1_by_hypothesis(scores: str) -> None:
    forward = eval(f"lambda x, m: np.log(np.exp({scores}).sum())")
    shapes, binary = {"x": "n", "m": "n"}, lambda m: [m * m == m]
    right, wrong = lambda x, m: np.exp(x) * m / (np.exp(x) * m).sum(), lambda x, m: np.exp(x) / (np.exp(x) * m).sum()
    for claim, status in ((right, "proved"), (wrong, "refuted")):
        assert check_gradient(forward, claim, shapes, wrt="x", assuming=binary, seek_repair=False).status == status
    assert check_gradient(forward, right, shapes, wrt="x", seek_repair=False).status == "refuted"
    moving = check_gradient(forward, lambda x, m: 0 * m, shapes, wrt="m", assuming=binary, seek_repair=False)
    assert moving.status != "proved"  # a mask that moves is a number like others


def test_other_constants_are_numbers() -> None:
    for source in ("r = np.where(x > 0, x, -1e9)", "r = np.exp(x - 1e9)", "r = np.exp(np.where(x > 0, x, -9.0))"):
        assert trace(compiled(source), parse_shapes(SHAPES)).notes == ()


# --- the table of what is read ---------------------------------------------------------------


def test_the_table_in_the_docs_is_true() -> None:
    """Printed by: python -m symbackprop.read.numpy.support docs/numpy.md; NumPy's arguments differ by version."""
    printed = (ROOT / "docs/numpy.md").read_text()
    if np.__version__.startswith("2.4"):
        assert printed.endswith(table())
    for s in SUPPORTED.values():
        assert f"| `{s.name}` |" in printed


@pytest.mark.parametrize("s", SUPPORTED.values(), ids=lambda s: s.name)
def test_arguments_have_numpys_names(s: Supported) -> None:
    """Under NumPy's signature every argument that the reading needs is reached."""
    own = list(inspect.signature(s.run).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in own) or not parameters(s.home, s.name):
        return
    order, renamed = call_names(s.home, s.name, tuple(p.name for p in own))
    reached = {renamed.get(k, k) for k in order}
    assert [p.name for p in own if p.default is p.empty and p.name not in reached] == []
