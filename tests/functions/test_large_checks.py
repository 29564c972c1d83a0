"""Checks of whole layers and networks: proved by their intermediates, refuted at the line that is wrong, and mended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from derive_by_hand import BACKWARDS
from derive_cases import CASES
from derive_wrong_lines import wrong_variants
from large_backwards import LARGE, changed

from symbackprop import Verdict, check_gradient, derive
from symbackprop.checker.recheck import recheck
from symbackprop.gradients.derived import BackwardCheck
from symbackprop.read.numpy import parse_shapes

SECONDS = 60.0
QUICK = ("rnn of three steps", "spatial groupnorm", "six layers")
MENDED = {"layernorm block": "x", "six layers": "W1", "softmax cross-entropy": "W"}


def asked(name: str, backward: Any, **options: Any) -> Verdict:
    case = LARGE[name]
    return check_gradient(
        case.forward, backward, case.shapes, case.wrt, case.assuming, timeout=SECONDS, **options
    )  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_a_long_backward_is_proved_by_its_intermediates(name: str) -> None:
    found = asked(name, LARGE[name].backward)
    assert found.status == "proved", str(found)
    first = next(iter(found.gradients.values())).theorem
    assert first is not None and first.statement.context.definitions
    assert len(found.recheck()) == len(found.gradients)
    recheck(found.certificates()[-1])


def test_what_is_excused_is_said_in_the_variables() -> None:
    found = asked("layernorm block", LARGE["layernorm block"].backward)
    (condition,) = found.gradients["W1"].conditions
    assert condition.why == "a kink of the forward" and "W1" in condition.text and "%" not in condition.text


@pytest.mark.parametrize("name", MENDED)
def test_the_wrong_line_is_named_and_mended(name: str) -> None:
    case, variable = LARGE[name], MENDED[name]
    found = asked(name, case.mistaken)
    wrong = found.gradients[variable]
    assert wrong.status == "refuted" and wrong.line is not None and wrong.line.place is not None
    assert wrong.line.place[1] == case.line and f"line {case.line}: " in str(found)
    assert wrong.repair is not None and wrong.repair.theorem is not None
    assert wrong.as_json()["line"]["line"] == case.line
    given = drawn(name)
    right, mended = (by_name(f(**given), case.wrt) for f in (case.backward, function_of(wrong.repair.code, case)))
    assert np.allclose(right[variable], mended[variable])
    others = {v for v, g in found.gradients.items() if g.status == "proved"}
    wrong_values = by_name(case.mistaken(**given), case.wrt)
    assert all(np.allclose(right[v], wrong_values[v]) for v in others)


def function_of(code: str, case: Any) -> Any:
    scope = dict(case.backward.__globals__)
    exec(code, scope)
    return scope.get(case.backward.__name__) or scope["gradient"]


def by_name(found: Any, wrt: tuple[str, ...]) -> dict[str, Any]:
    return found if isinstance(found, dict) else dict(zip(wrt, found, strict=True))


def drawn(name: str) -> dict[str, Any]:
    """Arguments of the backward at distinct sizes."""
    case, rng = LARGE[name], np.random.default_rng(0)
    declared = parse_shapes(case.shapes)
    sizes = {s: 3 + k for k, s in enumerate(dict.fromkeys(s for d in declared.values() for s in d.symbols))}
    given: dict[str, Any] = {}
    for n, d in declared.items():
        shape = tuple(s.at(sizes) for s in d.shape)
        if d.values is not None:
            given[n] = rng.integers(0, d.values.at(sizes), shape)
        else:
            given[n] = np.abs(rng.normal(size=shape)) if not shape else rng.normal(size=shape)
    out = case.forward(**given)
    names = case.backward.__code__.co_varnames[: case.backward.__code__.co_argcount]
    for g in names:
        if g not in given:
            given[g] = rng.normal(size=np.shape(out))
    return given


def test_nine_of_ten_wrong_lines_are_named_by_a_check() -> None:
    named = tried = 0
    for name in ("layernorm", "rmsnorm", "gaussian", "vae", "triplet", "gelu"):
        case = CASES[name]
        for variant in list(wrong_variants(BACKWARDS[name]))[::8]:
            found = check_gradient(
                case.forward, variant.function, case.shapes, case.variables, case.assuming, timeout=SECONDS
            )
            wrong = [g for g in (found.gradients or {"": found}).values() if g.status == "refuted" and g.name]
            conform = [g for g in wrong if not g.mistake or "axes" not in g.mistake]
            if conform and all(g.counterexample is not None for g in conform):
                tried += 1
                named += any(g.line is not None and g.line.place and g.line.place[1] == variant.line for g in conform)
    assert tried >= 6
    assert named >= 0.9 * tried, f"{named} of {tried}"


def test_a_swapped_long_backward_is_named() -> None:
    case = LARGE["six layers"]

    def swapped(x, y, W1, W2, W3, W4, W5, W6):
        a, b, *rest = case.backward(x, y, W1, W2, W3, W4, W5, W6)
        return b, a, *rest

    found = asked("six layers", swapped)
    assert found.gradients["W1"].mistake == "W1 and W2 are swapped" and found.gradients["W3"].status == "proved"


def test_a_long_gradient_is_derived_in_the_names_of_its_intermediates() -> None:
    case = LARGE["six layers"]
    found = derive(case.forward, case.shapes, case.wrt)
    assert found.verdict.status == "proved" and len(found.verdict.recheck()) == len(case.wrt)
    theorem = found.verdict.gradients["W1"].theorem
    assert theorem is not None and theorem.statement.context.definitions
    given = drawn("six layers")
    right = by_name(case.backward(**given), case.wrt)
    assert all(np.allclose(g, right[v]) for v, g in found(**given).items())


# --- lines of a loop, which run several times --------------------------------------------------------

IN_A_LOOP = {  # the right line, and what is wrong in its place
    "total = dhs[:, t, :] + dh": ("dhs[:, t, :]", "dhs[:, t, :] - dh"),
    "dz = total * (1 - hs[t + 1] ** 2)": ("total * (1 + hs[t + 1] ** 2)", "total * (1 - hs[t + 1])", "total * hs[t]"),
    "dWx += xs[:, t, :].T @ dz": ("2 * xs[:, t, :].T @ dz", "-xs[:, t, :].T @ dz"),
    "dWh += hs[t].T @ dz": ("hs[t + 1].T @ dz", "hs[t].T @ total"),
    "dh = dz @ Wh.T": ("dz @ Wh", "-dz @ Wh.T", "dh + dz @ Wh.T", "total @ Wh.T"),
    "dxs[:, t, :] = dz @ Wx.T": ("2 * dz @ Wx.T", "total @ Wx.T"),
}


@pytest.mark.parametrize("right", IN_A_LOOP)
def test_a_wrong_line_of_a_loop_is_named(right: str) -> None:
    case, name = LARGE["rnn of three steps"], "dhs"
    declared = parse_shapes(case.shapes)
    for wrong in IN_A_LOOP[right]:
        backward = changed(case.backward, right, f"{right.partition('= ')[0]}= {wrong}")
        variant = case._replace(right=right)
        found = BackwardCheck(
            case.forward, backward, declared, case.wrt, {}, (name,), {}, (*case.shapes, name)
        )  # fmt: skip
        assert found.wrong and {line.place and line.place[1] for line in found.lines.values()} == {variant.line}, wrong


# Nets of many layers: the line of a layer, and the parameters in it.
DEEP = {
    "relu": ("h = np.maximum(h @ U{k} + b{k}, 0)", ("U", "b")),
    "leaky relu": ("h = np.where(h @ U{k} > 0, h @ U{k}, 0.1 * (h @ U{k}))", ("U",)),
    "residual relu": ("h = h + np.maximum(h @ U{k}, 0) @ V{k}", ("U", "V")),
    "residual with dropout": ("h = h + (m * np.maximum(h @ U{k}, 0)) @ V{k}", ("U", "V")),
}


@pytest.mark.parametrize("kind", DEEP)
def test_nets_of_many_layers_with_kinks(kind: str) -> None:
    line, parameters = DEEP[kind]
    names = [f"{p}{k}" for k in range(12) for p in parameters]
    body = "\n".join(f"    {line.format(k=k)}" for k in range(12))
    scope: dict[str, Any] = {"np": np}
    exec(f"def f(h, m, {', '.join(names)}):\n{body}\n    return (h * h).sum()", scope)
    shapes = {"h": "N D", "m": "N D"} | {n: "D" if n[0] == "b" else "D D" for n in names}
    found = derive(scope["f"], shapes, ["U0"], timeout=SECONDS)
    assert found.verdict.status == "proved" and len(str(found.verdict)) < 10_000
    assert sum(c.why == "a kink of the forward" for c in found.conditions) == 12
