"""A function whose result depends on how often it was called, on chance or on the time is none of its arguments.

Nor is there an answer where lists or ranges of symbolic length are compared: at one size they may be equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbackprop import check_gradient

PREPARED = {  # what stands before the function, and how its body counts the calls
    "default list": ("", "memo=[]", "memo.append(1)", "len(memo)"),
    "default dict": ("", "memo={}", "memo['k'] = memo.get('k', 0) + 1", "memo['k']"),
    "list": ("memo = [0]", "", "memo[0] += 1", "memo[0]"),
    "global": ("count = 0", "", "global count; count += 1", "count"),
    "attribute": ("", "", "f.c = getattr(f, 'c', 0) + 1", "f.c"),
    "set": ("memo = set()", "", "memo.add(len(memo))", "len(memo)"),
    "deque": ("memo = collections.deque()", "", "memo.append(1)", "len(memo)"),
    "Counter": ("memo = collections.Counter()", "", "memo['a'] += 1", "memo['a']"),
    "defaultdict": ("memo = collections.defaultdict(int)", "", "memo['a'] += 1", "memo['a']"),
    "count": ("memo = itertools.count(1)", "", "k = next(memo)", "k"),
    "iterator": ("memo = iter([1, 2, 3, 4, 5, 6, 7, 8, 9])", "", "k = next(memo)", "k"),
    "instance": ("class A: n = 0\na = A()", "", "a.n += 1", "a.n"),
    "class": ("class A: n = 0", "", "A.n += 1", "A.n"),
    "array": ("W = np.zeros(3)", "", "W[0] += 1", "W[0]"),
    "rebound array": ("W = np.ones(1)", "", "global W; w = W[0]; W = W + 1", "w"),
    "nested list": ("memo = {'a': [1]}", "", "k = len(memo['a']); memo['a'].append(2)", "k"),
    "nested dict": ("memo = {'a': {'b': 1}}", "", "k = memo['a']['b']; memo['a']['b'] = 2", "k"),
    "after many calls": ("memo = []", "", "memo.append(1)", "(2 if len(memo) > 50 else 1)"),
    "first call": ("first = [True]", "", "k = 1 if first[0] else 2; first[0] = False", "k"),
    "slot": ("class A:\n    __slots__ = 'n'\na = A(); a.n = 0", "", "a.n += 1", "a.n"),
    "counter that is looked at": ("memo = [0]", "", "memo[0] += 1", "(1 if memo[0] < 9 else 2)"),
    "two in a row": ("memo = [0, 0]", "", "k = memo[1]; memo[1] = memo[0]; memo[0] += 1", "(1 if k < 9 else 2)"),
    "running mean": ("m = [np.zeros(1)]", "", "m[0] = 0.9*m[0] + 0.1*x.mean()", "(1 + 0*m[0].sum())"),
    "new dict": ("a = [0]; d = [{'n': 0}]", "", "k = d[0]['n']; a[0] += 1; d[0] = {'n': a[0]}", "(1 if k < 5 else 2)"),
    "in a tuple": ("a = [(0, 0)]", "", "a[0] = (a[0][0] + 1, 0)", "(1 if a[0][0] < 5 else 2)"),
    "a look that is caught": (
        "memo = [0]", "", "memo[0] += 1\n    try: k = 1 if memo[0] < 9 else 2\n    except Exception: k = 1", "k",
    ),
    "a remainder that is caught": (
        "memo = [0]", "", "memo[0] += 1\n    try: k = 1 + memo[0] % 1\n    except Exception: k = 1", "k",
    ),
    "a log that is looked at": (
        "memo = []", "", "memo.append(1)\n    try: k = len(memo) // 9 + 1\n    except Exception: k = 1", "k",
    ),
    "an attribute": ("memo = [0]", "", "memo[0] += 1", "(memo[0] // 9 + 1 if hasattr(memo[0], 'real') else 1)"),
    "a pattern": (
        "memo = [0]", "", "memo[0] += 1\n    match memo[0]:\n        case int() if memo[0] > 9: k = 2\n"
        "        case _: k = 1", "k",
    ),
    "a kind": ("memo = [0]", "", "memo[0] += 1", "(memo[0] // 9 + 1 if isinstance(memo[0], int) else 1)"),
    "a type": ("memo = [0]", "", "memo[0] += 1", "(memo[0] // 9 + 1 if type(memo[0]) is int else 1)"),
    "random": ("import random", "", "k = round(1 + random.random()/4)", "k"),
    "random by name": ("from random import uniform", "", "k = round(uniform(1, 1.2))", "k"),
    "time": ("import time", "", "k = 1 if time.time() < 1e12 else 2", "k"),
    "time by name": ("from time import perf_counter", "", "k = 1 if perf_counter() < 1e12 else 2", "k"),
}  # fmt: skip


def compiled(source: str) -> Any:
    names: dict[str, Any] = {"np": np}
    exec("import collections, itertools\n" + source, names)
    return names["f"]


def answer(forward: Any, factor: float) -> str:
    claim = lambda x: factor + 0 * x  # noqa: E731
    return check_gradient(forward, claim, {"x": "n"}, "x", seek_repair=False).status


@pytest.mark.parametrize("kind", PREPARED)
def test_what_counts_its_calls_is_refused(kind: str) -> None:
    before, default, counting, factor = PREPARED[kind]
    parameters = f"x, {default}" if default else "x"
    forward = compiled(f"{before}\ndef f({parameters}):\n    {counting}\n    return {factor}*x.sum()")
    assert answer(forward, 1.0) == "unknown"


KEPT = {  # written to, and the same at each call
    "cache": "cache = {}\ndef f(x):\n    cache['x'] = x\n    return 3*x.sum()",
    "log": "log = []\ndef f(x):\n    log.append(x.sum())\n    return 3*x.sum()",
    "layer": "class A:\n    def __call__(self, x):\n        self.x, self.m = x, x.mean()\n        return 3*x.sum()\n"
    "a = A()\ndef f(x): return a(x)",
    "memo": "memo = {}\ndef fib(n):\n    if n not in memo: memo[n] = 1 if n < 2 else fib(n - 1) + fib(n - 2)\n"
    "    return memo[n]\ndef f(x): return fib(3)*x.sum()",
    "set default": "def f(x, memo={}):\n    return memo.setdefault('w', 3)*x.sum()",
    "lru_cache": "import functools\n@functools.lru_cache(None)\ndef h(n): return 3*n\n"
    "def f(x): return h(len(x))*x.mean()",
    "counter": "class A: pass\na = A()\na.n, a.seen = 0, {'k': 0}\ndef f(x):\n    a.n += 1; a.seen['k'] += len(x)\n"
    "    return 3*x.sum()",
    "running mean": "class A:\n    def __init__(self): self.m = np.zeros(1)\na = A()\ndef f(x):\n"
    "    a.m = 0.1*x.mean() + 0.9*a.m\n    return 3*x.sum()",
    "counter in a slot": "class A:\n    __slots__ = ('n',)\na = A()\na.n = 0\ndef f(x):\n    a.n = a.n + 1\n"
    "    return 3*x.sum()",
    "list filled anew": "seen = []\ndef f(x):\n    seen.clear()\n    for t in range(len(x)): seen.append(3*x[t])\n"
    "    return np.array(seen).sum()",
}  # fmt: skip


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_the_same_at_each_call_is_read(kind: str) -> None:
    assert answer(compiled(KEPT[kind]), 3.0) == "proved"


COMPARED = (
    "[0]*len(x) == [0]*4", "[0]*len(x) != [0]*4", "[0]*4 == [0]*len(x)", "range(len(x)) == range(4)",
    "range(4) != range(len(x))", "list(range(len(x))) == [0, 1, 2]", "[i for i in range(len(x))] == [0, 1]",
    "(0,)*len(x) == (0, 0)", "list(x) == [1.0]", "[[0]*len(x)] == [[0, 0]]", "[0]*len(x) in ([0], [0, 0])",
    "{'a': [0]*len(x)} == {'a': [0]}",
)  # fmt: skip


@pytest.mark.parametrize("comparison", COMPARED)
def test_lists_of_symbolic_length_are_not_compared(comparison: str) -> None:
    forward = compiled(f"f = lambda x: (2.0 if {comparison} else 1.0)*x.sum()")
    assert "proved" not in (answer(forward, 1.0), answer(forward, 2.0))
