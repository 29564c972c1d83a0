"""Verdicts on questions that are easy to get wrong: a table, and variants of each of its kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from break_kinds import COVERED_BY, KINDS, Question

from symbackprop import SymbackpropError, check_document, check_equal, check_gradient, check_jacobian

DATA = Path(__file__).parents[1] / "data"
TABLE: list[dict[str, Any]] = json.loads((DATA / "breaks.json").read_text(encoding="utf-8"))
FUNCTIONS = {c["id"]: c for c in TABLE if c["ask"] != "document"}
DOCUMENTS = {
    f"{c['id']} {latex}": (c, latex, want) for c in TABLE if c["ask"] == "document" for latex, want in c["want"].items()
}
CHECKS = {"gradient": check_gradient, "jacobian": check_jacobian}
SECONDS = 5.0

Function = Callable[..., Any]


def function(code: str) -> Function:
    names: dict[str, Any] = {"np": np}
    exec(code if code.startswith("def") or "=" in code.partition("lambda")[0] else f"f = {code}", names)
    return next(v for k, v in reversed(names.items()) if callable(v) and k not in ("np", "__builtins__"))


def assuming(shapes: dict[str, str], texts: list[str] | tuple[str, ...]) -> Function | None:
    return function(f"lambda {', '.join(shapes)}: [{', '.join(texts)}]") if texts else None


def answer(ask: str, forward: str, backward: str, shapes: dict[str, str], wrt: str, texts: Any) -> str:
    f, g, known = function(forward), function(backward), assuming(shapes, texts)
    try:
        if ask == "equal":
            return check_equal(f, g, shapes, assuming=known, timeout=SECONDS).status
        return CHECKS[ask](f, g, shapes, wrt=wrt, assuming=known, seek_repair=False, timeout=SECONDS).status
    except SymbackpropError:
        return "unknown"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_table_of_functions(name: str) -> None:
    c = FUNCTIONS[name]
    assert answer(c["ask"], c["forward"], c["backward"], c["shapes"], c["wrt"], c["assuming"]) in c["want"], c["why"]


def test_each_kind_has_a_generator() -> None:
    for kind in {c["kind"] for c in FUNCTIONS.values()}:
        drawn = list(KINDS[COVERED_BY.get(kind, kind)](Random("kinds")))
        assert len(drawn) >= 20, kind


VARIANTS = {f"{kind} {n}": q for kind, make in KINDS.items() for n, q in enumerate(make(Random("kinds")))}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants(name: str) -> None:
    q: Question = VARIANTS[name]
    found = answer("gradient", q.forward, q.backward, q.shapes, q.wrt, q.assuming)
    assert found in q.want, (q.forward, q.backward, q.assuming)


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_the_table_of_documents(name: str, tmp_path: Path) -> None:
    case, latex, want = DOCUMENTS[name]
    path = tmp_path / f"case.{case.get('format', 'md')}"
    path.write_text(case["text"], encoding="utf-8")
    hits = [s for s in check_document(path) if latex in s.latex]
    found = (hits[-1].verdict or "none") if hits else "none"
    if hits and hits[-1].kind in ("definition", "remark") and found == "proved":
        found = "none"
    assert found in want, case["why"]
