"""The NumPy tracer against NumPy: a table of functions, and every function of the public corpus and museum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_table import TABLE
from numpy_witness import agrees, compiled, declared_argument

from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Add, Apply, Delta, Holds, Mul, NonNegative, Num, Positive, Power, Sum, Whole
from symbackprop.read.numpy import Declared, ShapeMismatch, TraceError, parse_shape, parse_shapes, trace

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize("literal", [False, True], ids=["symbolic", "literal"])
@pytest.mark.parametrize(("name", "function", "shapes"), TABLE, ids=[row[0] for row in TABLE])
def test_agrees_with_numpy(name: str, function: Any, shapes: dict[str, str], literal: bool) -> None:
    assert agrees(function, parse_shapes(shapes), literal) == ""


# --- corpus and museum -----------------------------------------------------------------------


def corpus() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every distinct function with its arguments: (id, code, declarations)."""
    seen = set()
    for e in json.loads((DATA / "corpus.json").read_text()):
        arguments = {a["name"]: declared_argument(a) for a in e["args"]}
        yield from fresh(seen, f"{e['id']} forward", e["forward"], "forward", arguments)
        if e["kind"] == "vjp":
            try:
                shape = trace(compiled(e["forward"], "forward"), arguments).outputs.shape
            except TraceError:
                if not e["id"].startswith("rec-"):
                    continue
                shape = ()  # the recurrences end in a number
            arguments = {**arguments, "g": Declared(shape)}
        yield from fresh(seen, f"{e['id']} backward", e["backward"], "backward", arguments)


def museum() -> Iterator[tuple[str, str, dict[str, Any]]]:
    seen: set[str] = set()
    for e in json.loads((DATA / "museum.json").read_text())["exhibits"]:
        arguments = {i["name"]: parse_shape(" ".join(i["shape"])) for i in e["forward"]["inputs"]}
        yield from fresh(seen, f"{e['id']} forward", e["forward"]["code"], "forward", arguments)
        upstream = {
            n: parse_shape(" ".join(s)) for n, s in zip(e["upstream"], e["forward"]["output_shapes"], strict=False)
        }
        for name in ("fixed_backward", "buggy_backward", "equivalent_backward"):
            if e.get(name):
                yield from fresh(seen, f"{e['id']} {name}", e[name], name, {**arguments, **upstream})


def fresh(seen: set[str], label: str, code: str, name: str, arguments: dict[str, Any]) -> Iterator[Any]:
    if f"{code}{arguments}" not in seen:
        seen.add(f"{code}{arguments}")
        yield label, compiled(code, name), arguments


# Formulas whose shapes conform only when two named sizes are equal: NumPy refuses them at other sizes.
MISMATCHED = {
    "affine-llmc-matmul-dinp-F1 backward", "affine-cs231n-matmul-dX-F1 backward", "affine-d2l-matfac-V-F1 backward",
    "affine-nielsen-bp-w1-F1 backward", "affine-nielsen-bp-w1-F2 backward", "affine-nielsen-bp-b2-F1 backward",
    "loss-cs224d-skipgram-vc-F1 backward", "mc-78-F1 backward", "mc-101-F1 backward", "mc-102-F1 backward",
    "tdi-63-F1 backward", "bat-tg-l2-W-F1 backward",
    "attorch-17-rmsnorm-row-term-broadcast-on-columns buggy_backward",
}  # fmt: skip
# A value goes from one iteration to the next over a symbolic number of steps; min(n, m) is no size.
UNTRACED = {
    "rec-d2l-Wqh forward", "rec-d2l-Wqh backward", "rec-d2l-Whh backward", "rec-d2l-Wqh-F1 backward",
    "rec-d2l-Whh-F1 backward", "rec-d2l-Whh-F2 forward", "rec-d2l-Whh-F2 backward", "tdi-ag-diag-F1 forward",
}  # fmt: skip
POWERS = {  # whole exponents that may be negative
    "mamba-598-reverse-scan-matrix forward", "mamba-598-reverse-scan-matrix fixed_backward",
}  # fmt: skip
SIZED = {  # their sizes are numbers of the program
    f"{name} {part}"
    for name in (
        "tt-metal-6232-embedding-repeated-index", "jax-40421-cholesky-other-triangle",
        "unsky-focal-loss-1-off-diagonal",
    )
    for part in ("forward", "fixed_backward", "buggy_backward")
}  # fmt: skip
SMALL = ((2, 3, 4, 3, 2), (1, 2, 1, 2, 1))


@pytest.mark.parametrize("literal", [False, True], ids=["symbolic", "literal"])
@pytest.mark.parametrize("source", [corpus, museum])
def test_public_functions(source: Any, literal: bool) -> None:
    mismatched, untraced, wrong = set(), set(), []
    for label, function, arguments in source():
        try:
            found = agrees(function, arguments, literal, SMALL)
            if found and found != "NumPy refuses every size":
                wrong.append((label, found))
        except ShapeMismatch:
            mismatched.add(label)
        except TraceError:
            untraced.add(label)
    assert wrong == []
    if literal:
        assert untraced <= POWERS and mismatched <= MISMATCHED
    else:
        assert mismatched <= MISMATCHED and untraced <= UNTRACED | POWERS | SIZED
        assert len(mismatched) + len(untraced) == (20 if source is corpus else 12)


# --- how terms are written -------------------------------------------------------------------


def body(function: Any, **shapes: str) -> Any:
    found = trace(function, parse_shapes(shapes)).outputs
    assert isinstance(found, Tensor)
    return found.body


def test_encodings() -> None:
    half = Power(body(lambda x: x, x=""), Num(1).value / 2)  # type: ignore[arg-type]
    assert isinstance(half, Power)
    assert isinstance(body(lambda x: np.maximum(x, 0), x="n"), Mul)
    assert isinstance(body(lambda x: x > 0, x="n"), Holds)
    assert isinstance(body(lambda x: np.sqrt(x), x="n"), Power)
    assert isinstance(body(lambda x: x.sum(), x="n"), Sum)
    assert body(lambda x: np.sum(x, 0), x="n m") == body(lambda x: x.sum(axis=0), x="n m")
    assert isinstance(body(lambda x: x.max(), x="n"), Whole)
    assert isinstance(body(lambda x: np.exp(x), x="n"), Apply)
    assert isinstance(body(lambda x: np.eye(len(x)), x="n"), Delta)
    assert body(lambda x: np.tril(np.ones((len(x), len(x)))), x="n").predicate.__class__ is NonNegative
    assert body(lambda x: (x > 0) * 1.0, x="n").predicate.__class__ is Positive
    assert body(lambda x: np.zeros_like(x), x="n") == Num(0)  # type: ignore[arg-type]
    assert isinstance(body(lambda x, y: x + y, x="n", y="n"), Add)


def test_in_place_sums_are_sums() -> None:
    """p[np.arange(n), y] -= 1 is p - δ, whatever p is."""

    def subtract(p: Any, y: Any) -> Any:
        q = p.copy()
        q[np.arange(len(y)), y] -= 1
        return q

    t = body(subtract, p="n K", y="int[K] n")
    assert isinstance(t, Add) and len(t.args) == 2


def test_structure_is_kept() -> None:
    def outputs(x: Any) -> Any:
        return x, [x.sum(), {"a": x.T}], None, 2.5, len(x)

    found = trace(outputs, parse_shapes({"x": "n m"})).outputs
    assert isinstance(found, tuple) and len(found) == 5
    assert isinstance(found[1], list) and isinstance(found[1][1]["a"], Tensor)
    assert found[1][1]["a"].shape == (parse_shape("m n").shape)
    assert found[2] is None and found[3].body == Num(found[3].body.value) and found[4].axes == ()


def test_constants_and_rounding() -> None:
    found = trace(lambda x: x * np.pi + 1 / 3 + 0.1 + 0.7978845608028654, parse_shapes({"x": ""}))
    assert found.constants == ("pi",)
    rounded = dict(found.rounded_constants)
    assert str(rounded[1 / 3]) == "1/3" and 0.7978845608028654 in rounded and 0.1 not in rounded
    assert trace(lambda x: x * 0.044715 + 1e-5, parse_shapes({"x": ""})).rounded_constants == ()


def test_plain_arguments_and_defaults() -> None:
    def power(x: Any, p: int, scale: float = 0.5) -> Any:
        return sum(x**k for k in range(p)) * scale

    assert agrees(power, {"x": parse_shape("n"), "p": 4}, False) == ""
    kernel = np.array([1.0, 2.0, 3.0])
    assert agrees(lambda x, w: np.convolve(x, w), {"x": parse_shape("n"), "w": kernel}, False) == ""


def test_the_users_function_is_not_changed() -> None:
    seen: list[Any] = []

    def record(x: Any) -> Any:
        seen.append(1)
        return x * 2

    trace(record, parse_shapes({"x": "n"}))
    assert seen == []


def test_other_namespaces() -> None:
    """autograd.numpy (and jax.numpy) functions, the array API's own module, JAX's .at updates."""
    anp = pytest.importorskip("autograd.numpy")

    def with_autograd(x: Any) -> Any:
        return anp.sum(anp.tanh(x) ** 2) + anp.zeros(len(x)) + anp.linalg.norm(x)

    def with_namespace(x: Any) -> Any:
        xp = x.__array_namespace__()
        return xp.matrix_transpose(x) @ x

    def scatter(x: Any, y: Any) -> Any:
        return np.zeros_like(x).at[y].add(1.0).at[0].set(x[0])

    assert agrees(with_autograd, parse_shapes({"x": "n"}), False) == ""
    assert agrees(with_namespace, parse_shapes({"x": "n m"}), False) == ""
    assert trace(scatter, parse_shapes({"x": "V", "y": "int[V] n"})).outputs.shape == parse_shape("V").shape


def test_a_size_as_an_argument() -> None:
    found = trace(lambda x, K: x / K + np.eye(K).sum(), {"x": parse_shape("n"), "K": parse_shape("K").shape[0]})
    assert found.outputs.shape == parse_shape("n").shape
