"""Backward passes as people write them: proved as they are, refuted with a mistake in them."""

from __future__ import annotations

import linecache
import sys
import types

import numpy as np
import pytest
from written_layers import WRITTEN, Written

import symbackprop as sb


def asked(w: Written, code: str, monkeypatch: pytest.MonkeyPatch) -> sb.Verdict:
    """The verdict; without the search for the right formula, which is tested elsewhere."""
    file = f"<{w.name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    module = types.ModuleType("written")
    monkeypatch.setitem(sys.modules, "written", module)
    names = vars(module)
    names["np"] = np
    exec(compile(code, file, "exec"), names)
    more = {"seek_repair": False, **w.more}
    verdict = eval(w.ask, {**names, "sb": sb, "shapes": w.shapes, "more": more})
    assert isinstance(verdict, sb.Verdict)
    return verdict


@pytest.mark.parametrize("w", WRITTEN, ids=[w.name for w in WRITTEN])
def test_right(w: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = asked(w, w.code, monkeypatch)
    assert verdict.status == "proved", str(verdict)
    for said in w.says:
        assert said in str(verdict)


WRONG = [(w, old, new) for w in WRITTEN for old, new in w.wrong]


@pytest.mark.parametrize(("w", "old", "new"), WRONG, ids=[f"{w.name}: {new.strip()[:40]}" for w, _, new in WRONG])
def test_wrong(w: Written, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert w.code.count(old) >= 1
    verdict = asked(w, w.code.replace(old, new), monkeypatch)
    assert verdict.status == "refuted", str(verdict)
