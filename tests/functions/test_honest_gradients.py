"""Honest gradients are proved, each with the excused steps that one expects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from honest_gradients import HONEST

from symbackprop import check_gradient

DATA = Path(__file__).parents[1] / "data"
EXCUSED: dict[str, list[str]] = json.loads((DATA / "honest.json").read_text(encoding="utf-8"))
SECONDS = 120.0

@pytest.mark.parametrize("name", HONEST)
def test_honest_gradients_are_proved(name: str) -> None:
    h = HONEST[name]
    found = check_gradient(h.forward, h.backward, h.shapes, h.wrt, h.assuming, seek_repair=False, timeout=SECONDS)
    assert found.status == "proved", found.reason
    assert sorted(map(str, found.conditions)) == sorted(EXCUSED[name])
