"""Statements in the styles of real repositories: strides, reshapes, gathers, masks, kinks; the true ones are proved."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop.clock import ATTEMPTS, Effort
from symbackprop.functions.checks import check_gradient

HERE = Path(__file__).parents[1]
sys.path.insert(0, str(HERE.parent / "benchmarks"))

from decide import cases, decided  # noqa: E402

CASES = {c.name: c for c in cases(json.loads((HERE / "data" / "statements.json").read_text(encoding="utf-8")))}


# A clipped ratio beside the ratio itself is a tie wherever nothing is clipped: no proof yet of what is left.
UNDECIDED = {"loss-ppo-T1"}


@pytest.mark.parametrize("name", [n for n in CASES if n not in UNDECIDED])
def test_statement(name: str) -> None:
    result: Any = decided(CASES[name], 60)
    assert result.right, result.reason


@pytest.mark.parametrize("name", UNDECIDED)
def test_undecided(name: str) -> None:
    assert not decided(CASES[name], 1).wrong


def guarded(w: Any, x: Any) -> Any:
    return (np.where(w == 0, 0, 1 / w) * x).sum()


def test_the_search_for_reasons_ends_by_the_work_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a clock: what is beside w == 0 has no proof yet, and the search for one is cut off."""
    spent: list[Effort] = []
    monkeypatch.setattr(Effort, "spend", lambda e, spend=Effort.spend: spent.append(e) or spend(e))
    verdict = check_gradient(
        guarded, lambda w, x: np.where(w == 0, 0, 1 / w), {"w": "n", "x": "n"}, "x", timeout=None, seek_repair=False
    )
    assert verdict.status != "refuted"
    assert len(spent) > ATTEMPTS and all(e.left <= 0 for e in spent)
