"""Statements in the styles of real repositories: strides, reshapes, gathers, masks, kinks; the true ones are proved."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
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
    assert not decided(CASES[name], 3).wrong
