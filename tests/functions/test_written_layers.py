"""Backward passes as people write them: proved as they are, refuted with a mistake in them."""

from __future__ import annotations

import linecache
import sys
import types

import numpy as np
import pytest
from written_layers import WRITTEN, Written, layer

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


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("(1 - self.a**2)", "(1 - self.a)", "(self.a - self.t) * (1 - self.a ** 2)"),
        ("self.cache['x'].T @ dz", "self.cache['x'].T @ dout", 'derived dW = self.cache["x"].T @ ('),
        ("2 * (self.a - self.t) / self.t.size", "2 * (self.a - self.t)", "derived dout = "),
    ],
)
def test_the_line_of_a_layer_is_mended(old: str, new: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = MENDED.replace(old, new)
    w = layer("mended", code, "Layer", {"x": "B D", "W": "D M", "t": "B M"}, wrt=["x", "W"], seek_repair=True)
    assert code != MENDED and asked(w, MENDED, monkeypatch).status == "proved"
    found = str(asked(w, code, monkeypatch))
    assert line in found, found


MENDED = """
class Layer:
    def __init__(self, W):
        self.W = W
        self.cache = {}

    def forward(self, x, t):
        self.cache['x'], self.t = x, t
        self.a = np.tanh(x @ self.W)
        return ((self.a - t) ** 2).mean()

    def backward(self):
        dout = 2 * (self.a - self.t) / self.t.size
        dz = dout * (1 - self.a**2)
        dW = self.cache['x'].T @ dz
        self.dW = dW
        return dz @ self.W.T
"""


WRONG = [(w, old, new) for w in WRITTEN for old, new in w.wrong]


@pytest.mark.parametrize(("w", "old", "new"), WRONG, ids=[f"{w.name}: {new.strip()[:40]}" for w, _, new in WRONG])
def test_wrong(w: Written, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert w.code.count(old) >= 1
    verdict = asked(w, w.code.replace(old, new), monkeypatch)
    assert verdict.status == "refuted", str(verdict)
