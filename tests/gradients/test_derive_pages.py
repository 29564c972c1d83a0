"""Code and derivations that are written from a derived gradient."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from derive_by_hand import BACKWARDS
from derive_cases import CASES
from test_derive_theorems import derive

import symbackprop as sb
from symbackprop.read.numpy import parse_shapes
from symbackprop.write.program.derivation import plan
from symbackprop.write.program.dialects import DIALECTS
from symbackprop.write.program.pages import as_html, as_latex, as_markdown, as_text
from symbackprop.write.program.source import Program

UNWANTED = ("Derivative(", "KroneckerDelta(", r"\mathrm{part}", "%", "°", "tidy", "#")
PAGES = ["cross-entropy", "layernorm", "attention", "embedding", "vae"]
DERIVED: dict[str, Any] = {}


def found(name: str) -> Any:
    if name not in DERIVED:
        DERIVED[name] = derive(name)
    return DERIVED[name]


@pytest.mark.parametrize("name", BACKWARDS)
def test_derived_code_gives_what_code_by_hand_gives(name: str) -> None:
    case, reverse = CASES[name], found(name).reverse
    program = Program(reverse)
    symbols = list(dict.fromkeys(s for d in parse_shapes(case.shapes).values() for s in d.symbols))
    sizes = {s: 2 + k % 3 if s != "K" else 2 for k, s in enumerate(symbols)}
    rng = np.random.default_rng(3)
    given = []
    for n, d in reverse.declared.items():
        shape = tuple(s.at(sizes) for s in d.shape)
        drawn = rng.normal(size=shape) if d.values is None else rng.integers(0, d.values.at(sizes), shape)
        given.append(0.7 if d.values is None and not shape and n in case.shapes else drawn)
    compiled = program.compiled(tuple((n, reverse.declared[n].shape) for n in program.arguments))
    for mine, by_hand in zip(compiled.function(*given), BACKWARDS[name](*given), strict=True):
        np.testing.assert_allclose(mine, by_hand, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_code_is_the_same_in_every_run_and_compiles(dialect: str) -> None:
    for name in PAGES:
        source = Program(found(name).reverse, dialect).source()
        again = derive(name) if name in ("layernorm", "embedding") else found(name)
        assert source == Program(again.reverse, dialect).source()
        compile(source, name, "exec")
        assert max(map(len, source.splitlines())) <= 125
        assert not re.search(r"\bv\d+\b|%\d", source)


def test_jax_code_runs() -> None:
    jax = pytest.importorskip("jax")
    scope: dict[str, Any] = {}
    exec(Program(found("rmsnorm").reverse, "jax").source(), scope)
    x, w, dy = (jax.numpy.ones(s) for s in ((2, 3), (3,), (2, 3)))
    assert scope["gradient"](x, w, 0.1, dy)["x"].shape == (2, 3)


@pytest.mark.parametrize("name", PAGES)
def test_passages_are_proved_and_pages_are_clean(name: str) -> None:
    planned = plan(found(name), name, ("eps > 0",))
    assert planned.passages and all(p.proved for p in planned.passages)
    for detail in (1, 2, 3):
        for text in (as_text(planned, detail), as_markdown(planned, detail)):
            assert not any(u in text.replace("# ", "").replace("#", "") for u in UNWANTED if u != "#")
    body = as_latex(planned, 3).split(r"\begin{document}")[1]
    assert not any(u in body for u in UNWANTED) and body.count(r"\begin{align*}") == len(planned.passages)
    assert as_html(planned).count("<section>") == len(planned.passages)


def test_a_careful_derivation_has_its_steps() -> None:
    planned = plan(found("cross-entropy"), "cross-entropy")
    (by_w,) = (p for p in planned.passages if p.name == "W")
    reasons = [line.reason for line in by_w.shown(2)]
    assert reasons == ["definition", "chain rule", "the deltas contract", "all entries at once"]
    local = [line for line in by_w.lines if line.steps]
    assert [line.reason for line in local] == ["linear in W"]
    assert [line.reason for line in local[0].steps] == [
        "the definition of z", "b and x do not depend on W", "the entries of W are independent of each other",
        "the deltas contract",
    ]  # fmt: skip
    assert by_w.lines[-1].right == "x^T ∂loss/∂z"
    (by_z,) = (p for p in planned.passages if p.name == "z")
    assert by_z.lines[0].reason == "definition; the shift by the maximum cancels"


def test_softmax_stays_finite() -> None:
    def softmax(z):
        e = np.exp(z - z.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    gradient = sb.derive(softmax, {"z": "n"})
    result = gradient(z=np.array([1000.0, 0.0]), **dict.fromkeys(gradient.upstream, np.array([1.0, 2.0])))
    assert np.isfinite(result).all()


def test_what_has_no_rule_is_index_terms() -> None:
    gradient = sb.derive(lambda x: np.prod(x), {"x": "n"})
    x = np.array([2.0, 3.0, 5.0])
    np.testing.assert_allclose(gradient(x=x), [15.0, 10.0, 6.0])
