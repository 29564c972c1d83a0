"""Statements in the styles of real repositories: strides, reshapes, gathers, masks, kinks; the true ones are proved."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "benchmarks"))

from decide import Case, cases, decided  # noqa: E402

CASES = {c.name: c for c in cases(json.loads((HERE / "data" / "statements.json").read_text(encoding="utf-8")))}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_statement(case: Case) -> None:
    result: Any = decided(case, 60)
    assert result.right, result.reason
