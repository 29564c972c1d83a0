"""Random pairs of a forward and a claimed gradient, given to the verdict; an independent judge looks for wrong ones.

    python fuzz/theorems.py [--seed 0] [--seconds 60] [--pairs 100000] [--show]

The forward is a small NumPy program, the claim its gradient by reverse mode, written another way, or changed: on an
open set, on zeros, ties and thresholds only, or so that it has no value somewhere.  The judge (`judge.py`) works out
both exactly, with the steps that have no value or derivative.  A verdict is wrong where

    proved    the judge knows a point inside the hypotheses where each step has a value and a derivative, and the claim
              has no value or another one
    refuted   at the exhibited point the claim is right, or a step is excused, or a hypothesis does not hold

Exit code 1 if any is.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice, product
from types import FrameType
from typing import Any

import numpy as np
from expressions import (
    Node,
    binary,
    compare,
    const,
    gradient,
    leaf,
    mul,
    ones,
    outer,
    power,
    reduced,
    replaced,
    unary,
    walk,
    where,
)
from judge import MAYBE, Doubtful, Judge, NoValue, Number, as_array, filled, same, sign

from symbackprop import check_gradient
from symbackprop.core.terms import Array
from symbackprop.core.theorem import Theorem
from symbackprop.decide.decide import FEW, counterexample, prove
from symbackprop.functions.claims import Setting, gradient_claims, problem_of
from symbackprop.functions.request import read_request
from symbackprop.functions.verdict import Verdict
from symbackprop.numbers.duals import to_float
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.read.numpy import TraceError

Draw = random.Random
CONSTANTS = (0, 0, 1, 2, -1, 0.5, 3, -2, 1.5)
VALUES = tuple(map(Fraction, (0, 0, 1, -1, 2, -2, "1/2", "-1/2", 3, -3, "1/4", "3/2", "-5/4", 5)))
POINTS, LARGEST = 24, 8
LONGEST = 260
OTHERWISE = {">": "<=", "<=": ">", ">=": "<", "<": ">=", "==": "!=", "!=": "=="}
TESTS, HOW_OFTEN = (">", ">=", "<", "<=", "==", "!="), (4, 3, 3, 2, 1, 1)
DOOR = 0.1  # pairs that take the way of users
SLOW = "slow"
WRONG_PROOF, WRONG_REFUTATION, CRASH = "wrong proof", "wrong refutation", "crash"
WRONG = (WRONG_PROOF, WRONG_REFUTATION, CRASH)


class TooSlow(BaseException):
    """What no handler of an Exception takes for its own."""


@dataclass(frozen=True)
class Pair:
    """Gradient by x, of the shape given; `kind` says how the claim was made."""

    forward: Node
    claim: Node
    shape: str
    hypotheses: tuple[Node, ...]
    kind: str

    @property
    def shapes(self) -> dict[str, str]:
        used = self.forward.source + self.claim.source + " ".join(h.source for h in self.hypotheses)
        every = {"x": self.shape, "w": self.shape, "a": "", "idx": "int[n] n"}
        return {k: s for k, s in every.items() if k == "x" or k in names(used)}

    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any] | None]:
        arguments = ", ".join(self.shapes)
        texts = [self.forward.source, self.claim.source, f"[{', '.join(h.source for h in self.hypotheses)}]"]
        f, g, h = (eval(f"lambda {arguments}: {t}", {"np": np}) for t in texts)
        return f, g, h if self.hypotheses else None

    def __str__(self) -> str:
        given = f"\n  assuming {', '.join(h.source for h in self.hypotheses)}" if self.hypotheses else ""
        return (
            f"{self.kind}, shapes {self.shapes}\n  forward {self.forward.source}\n  claim   {self.claim.source}{given}"
        )


def names(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c in "_." else " " for c in text).split()) | {
        k for k in ("w", "a", "idx") if f"({k} " in text or f" {k})" in text or f"({k})" in text or f"{k}[" in text
    }


# --- forwards ------------------------------------------------------------------------------------------------------


class Maker:
    """Random expressions over x, w and a."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.text = draw.choices(("n", "n m", ""), (6, 2, 2))[0]
        self.shape = tuple(self.text.split())
        self.x, self.w, self.a = leaf("x", self.shape), leaf("w", self.shape), leaf("a", ())

    def constant(self) -> Node:
        return const(self.draw.choice(CONSTANTS))

    def atom(self) -> Node:
        return self.draw.choices((self.x, self.w, self.a, self.constant()), (7, 3, 1, 1))[0]

    def entries(self, depth: int) -> Node:
        """An expression with the axes of x, or without axes."""
        draw, go = self.draw, self.entries
        if depth == 0:
            return self.atom()
        match draw.randrange(22):
            case 0 | 1 | 2:
                return binary(draw.choice(("add", "sub")), go(depth - 1), go(depth - 1))
            case 3 | 4 | 5 | 6:
                return binary("mul", go(depth - 1), go(depth - 1))
            case 7 | 8:
                return binary("div", go(depth - 1), go(depth - 1))
            case 9 | 10:
                return binary(
                    draw.choice(("max2", "min2")), go(depth - 1), draw.choice((go(depth - 1), self.constant()))
                )
            case 11 | 12:
                one, other = go(depth - 1), go(depth - 1)
                return where(self.test(depth - 1), one, other if other != one else self.constant())
            case 13:
                return binary("mul", self.test(depth - 1), go(depth - 1))
            case 14:
                return power(go(depth - 1), Fraction(draw.choice((2, 2, 3, -1, -2, "1/2", "3/2", "-1/2"))))
            case 15 | 16:
                return unary(draw.choice(("abs", "sign", "abs")), go(depth - 1))
            case 17:
                return unary(draw.choice(("exp", "log", "sqrt", "tanh", "neg")), go(depth - 1))
            case 18 | 19:
                return self.normalised(go(depth - 1))
            case 20 if self.shape == ("n",):
                return self.moved(self.with_axes(go(depth - 1)))
            case _:
                return go(depth - 1)

    def test(self, depth: int) -> Node:
        other = self.constant() if self.draw.random() < 0.6 else self.entries(depth)
        return compare(self.entries(depth), self.draw.choices(TESTS, HOW_OFTEN)[0], other)

    def with_axes(self, t: Node) -> Node:
        return t if t.shape == self.shape else mul(ones(self.x), t)

    def moved(self, t: Node) -> Node:
        draw = self.draw
        match draw.randrange(6):
            case 0 | 1:
                return unary("gather", t)
            case 2:
                return unary("rev", t)
            case 3:
                return unary("cumsum", t)
            case 4:
                pairs = outer(draw.choice(("sub", "mul", "add")), t, draw.choice((t, self.w)))
                return reduced("sum", self.about_pairs(pairs), draw.choice((0, 1)))
            case _:
                return Node("matvec", (outer("mul", self.w, t), self.x), ("n",), draw.choice("ij"))

    def about_pairs(self, pairs: Node) -> Node:
        draw = self.draw
        eye = Node("eye", (), ("n", "n"))
        match draw.randrange(4):
            case 0:
                return unary("abs", pairs)
            case 1:
                return binary("max2", pairs, const(0))
            case 2:
                return binary("mul", pairs, binary("sub", const(1), eye))
            case _:
                return power(pairs, 2)

    def normalised(self, t: Node) -> Node:
        if not t.shape:
            return t
        axis, keep = (-1, True) if self.draw.random() < 0.5 else (None, False)
        match self.draw.randrange(5):
            case 0:
                e = unary("exp", binary("sub", t, reduced("max", t, axis, keep)))
                return binary("div", e, reduced("sum", e, axis, keep))
            case 1:
                return binary("sub", t, reduced("mean", t, axis, keep))
            case 2:
                return binary("div", t, reduced("sum", t, axis, keep))
            case 3:
                return binary("div", t, unary("sqrt", reduced("sum", power(t, 2), axis, keep)))
            case _:
                return binary("mul", t, reduced(self.draw.choice(("max", "min", "sum", "prod")), t, axis, keep))

    def loss(self) -> Node:
        """A forward in which x occurs."""
        draw = self.draw
        while True:
            t = self.entries(draw.choice((0, 1, 1, 1, 2, 2)))
            t = self.reduced_away(t) if t.shape else t
            if t.moves:
                return t

    def reduced_away(self, t: Node) -> Node:
        draw = self.draw
        match draw.randrange(14):
            case 0:
                return reduced("max", t)
            case 1:
                return reduced("prod", t)
            case 2:
                return reduced("mean", t)
            case 3:
                return unary("log", reduced("sum", unary("exp", t)))
            case 4:
                return unary("sqrt", reduced("sum", power(t, 2)))
            case 5 if self.shape == ("n",):
                return Node("dot", (t, self.w), ())
            case 6 if self.shape == ("n",):
                steps = binary("sub", Node("tail", (t,), ("n-1",)), Node("head", (t,), ("n-1",)))
                return reduced("sum", unary("abs", steps) if draw.random() < 0.5 else power(steps, 2))
            case 7:
                return reduced("sum", binary("mul", self.w, t))
            case _:
                return reduced("sum", t)


# --- claims --------------------------------------------------------------------------------------------------------


def rewritten(t: Node, m: Maker) -> Iterator[Node]:
    """Other ways to write a node, right almost everywhere or everywhere."""
    u = t.args[0] if t.args else t
    v = t.args[-1] if t.args else t
    match t.op:
        case "mul" if u.op != "cmp":
            yield binary("mul", v, u)
            yield binary("div", u, power(v, -1))
        case "mul":
            yield where(u, v, const(0.0))
        case "div":
            yield binary("mul", u, power(v, -1))
            yield binary("div", u, where(compare(v, "==", const(0)), const(1), v))
            yield where(compare(v, "==", const(0)), const(0), t)
        case "pow" if t.par == 2:
            yield binary("mul", u, u)
            yield power(unary("abs", u), 2)
        case "abs":
            yield binary("max2", u, unary("neg", u))
            yield unary("sqrt", power(u, 2))
            yield where(compare(u, ">", const(0)), u, unary("neg", u))
            yield binary("mul", u, unary("sign", u))
        case "sign":
            yield binary("div", u, unary("abs", u))
            yield where(compare(u, ">", const(0)), const(1), const(-1))
            yield where(compare(u, ">=", const(0)), const(1), const(-1))
            yield binary("sub", unary("number", compare(u, ">", const(0))), unary("number", compare(u, "<", const(0))))
        case "max2":
            yield where(compare(u, ">", v), u, v)
            yield where(compare(u, ">=", v), u, v)
            yield binary("mul", binary("add", binary("add", u, v), unary("abs", binary("sub", u, v))), const(0.5))
            yield binary("max2", v, u)
        case "cmp":
            other = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "==": "==", "!=": "!="}[t.par]
            yield compare(u, other, v)
            yield compare(binary("sub", u, v), t.par, const(0))
        case "where":
            c, p, q = t.args
            yield binary("add", binary("mul", c, p), binary("mul", binary("sub", const(1), unary("number", c)), q))
            if c.op == "cmp":
                yield where(compare(c.args[0], OTHERWISE[c.par], c.args[1]), q, p)
        case "exp":
            yield power(unary("exp", unary("neg", u)), -1)
        case "log":
            yield unary("neg", unary("log", power(u, -1)))
            yield mul(const(0.5), unary("log", power(u, 2)))
        case "sqrt":
            yield power(u, Fraction(1, 2))
            yield binary("div", u, unary("sqrt", u))
        case "max" | "prod" | "sum" if t.shape == () and t.par == (None, False):
            yield reduced(t.op, binary("mul", u, const(1)))
        case _:
            pass


def hidden(t: Node, u: Node) -> Iterator[Node]:
    """The same as t, where u is not 0, or not negative, or where there are enough entries."""
    zero = const(0)
    yield binary("div", binary("mul", t, u), u)
    yield binary("mul", t, power(u, 0)) if u.shape == t.shape else binary("mul", t, binary("div", u, u))
    yield where(compare(u, "==", zero), const(0), t)
    yield where(compare(u, "!=", zero), t, const(7))
    yield binary("mul", compare(u, "!=", zero), t)
    yield binary("add", t, unary("number", compare(u, "==", zero)))
    yield binary("add", t, binary("sub", unary("log", u), unary("log", u)))
    yield binary("add", t, binary("sub", power(u, -1), power(u, -1)))
    yield binary("add", t, binary("mul", const(0), unary("log", unary("abs", u))))
    yield binary("add", binary("sub", t, u), unary("exp", unary("log", u)))
    yield binary("add", binary("sub", t, u), binary("div", power(u, 2), u))
    yield binary("add", binary("sub", t, unary("sqrt", power(u, 2))), unary("abs", u))
    yield binary("mul", t, power(unary("sign", u), 2))
    yield binary("mul", t, unary("abs", unary("sign", u)))
    safe = where(compare(u, "==", zero), const(1), u)
    yield binary("div", binary("mul", t, safe), safe)
    yield where(compare(u, "==", zero), t, binary("div", binary("mul", t, u), u))
    yield where(compare(u, ">", zero), binary("add", binary("sub", t, unary("log", u)), unary("log", u)), t)
    yield binary("add", t, binary("sub", unary("sign", u), binary("div", u, unary("abs", u))))
    yield binary("add", t, binary("sub", binary("max2", u, zero), binary("mul", compare(u, ">=", zero), u)))
    yield binary("add", t, binary("sub", binary("max2", u, zero), binary("mul", u, compare(u, ">", const(1)))))
    length = Node("size", (), (), "len(x) - 1") if t.shape else const(1)
    yield binary("div", binary("mul", t, length), length)


def broken(t: Node, m: Maker) -> Iterator[Node]:
    """Something else on an open set."""
    u = t.args[0] if t.args else t
    yield unary("neg", t)
    yield mul(const(2), t)
    yield binary("add", t, m.constant())
    if u.shape == t.shape and t.op != "cmp":
        yield u
    if t.op in ("mul", "sub", "div") and t.args[0].op != "cmp":
        yield binary(t.op, t.args[1], t.args[0])
    yield where(compare(m.x, ">", m.constant()), t, const(0)) if t.shape in ((), m.shape) else unary("neg", t)


def pair(draw: Draw) -> Pair:
    while True:
        m = Maker(draw)
        try:
            forward = m.loss()
            claim = gradient(forward, m.x)
            right = claim
            if draw.random() < 0.25:
                forward = somewhere(forward, draw, partial(rewritten, m=m))
                claim = right if draw.random() < 0.5 else gradient(forward, m.x)
            kind = draw.choices(("gradient", "rewritten", "hidden", "mask of the output", "broken"), (3, 6, 8, 1, 2))[0]
            claim = changed(kind, forward, claim, m)
        except ValueError:
            continue
        if claim.shape == m.shape and len(claim.source) + len(forward.source) < LONGEST:
            return Pair(forward, claim, m.text, hypotheses(m), kind)


def changed(kind: str, forward: Node, claim: Node, m: Maker) -> Node:
    draw = m.draw
    inside = [t for _, t in walk(forward) if t.shape in ((), m.shape) and t.op != "cmp"]
    match kind:
        case "rewritten":
            for _ in range(draw.choice((1, 1, 2))):
                claim = somewhere(claim, draw, lambda t: rewritten(t, m))
        case "hidden":
            others = (binary("sub", m.x, m.w), binary("sub", m.x, m.constant()), reduced("sum", m.x))
            u = draw.choice((*inside, m.x, m.w, m.x, *others))
            if draw.random() < 0.6:
                return draw.choice(list(hidden(claim, u)))
            claim = somewhere(claim, draw, lambda t: hidden(t, u) if t.op != "cmp" else iter(()))
        case "mask of the output":
            u = draw.choice(inside)
            return where(compare(u, draw.choice(("==", ">", "!=")), m.constant()), claim, const(0))
        case "broken":
            claim = somewhere(claim, draw, lambda t: broken(t, m))
    return claim


def somewhere(t: Node, draw: Draw, change: Callable[[Node], Iterator[Node]]) -> Node:
    """Changed at one node where that keeps the shape."""
    places = list(walk(t))
    draw.shuffle(places)
    for path, s in places:
        try:
            found = [new for new in change(s) if new.shape == s.shape]
        except ValueError:
            continue
        if found:
            return replaced(t, path, draw.choice(found))
    return t


def hypotheses(m: Maker) -> tuple[Node, ...]:
    draw, one, zero = m.draw, const(1), const(0)
    if draw.random() < 0.65:
        return ()
    given = [
        compare(m.x, ">", zero), compare(m.x, ">=", zero), compare(m.w, ">", zero), compare(m.w, ">=", zero),
        compare(m.w, "!=", zero), compare(m.x, "!=", zero), compare(binary("mul", m.w, m.w), "==", m.w),
        compare(m.a, ">", zero), compare(m.a, ">=", one), compare(m.a, "==", const(2)), compare(m.x, ">", m.w),
        compare(reduced("sum", m.w), "==", one), compare(reduced("sum", m.x), "==", one), compare(m.x, ">=", m.w),
        compare(reduced("sum", m.x), ">", zero), compare(m.a, "!=", zero), compare(m.x, "<", one),
        compare(m.w, "==", zero),
        compare(m.x, "==", m.w), compare(binary("mul", m.x, m.w), ">", zero), compare(m.x, "==", zero),
    ]  # fmt: skip
    return tuple(draw.sample(given, draw.choice((1, 1, 2))))


# --- points --------------------------------------------------------------------------------------------------------


def points(p: Pair, draw: Draw) -> Iterator[Judge]:
    """Small sizes; zeros, ties, the constants of the program, and points that are nothing special."""
    constants = [Fraction(t.par) for s in (p.forward, p.claim) for _, t in walk(s) if t.op == "const"]
    pool = [*VALUES, *constants, *(-c for c in constants)]
    for k in range(POINTS):
        n, m = (draw.choice((1, 2, 2, 3)), draw.choice((1, 2)))
        shape = tuple({"n": n, "m": m}[s] for s in p.shape.split())
        palette = draw.choices(pool, k=draw.choice((1, 2, 3))) if k % 3 else pool
        if k % 4 == 3:
            palette = [Fraction(draw.randint(-40, 40), 8) for _ in range(6)]
        x, w = drawn(shape, palette, draw), drawn(shape, palette, draw)
        if k % 5 == 2:
            x = w.copy()
        a = draw.choice(palette)
        x, w, a = adjusted(p, x, w, a, draw)
        yield judge_at(x, w, a, np.array([draw.randrange(n) for _ in range(n)]))


def drawn(shape: tuple[int, ...], palette: list[Fraction], draw: Draw) -> Any:
    return filled(shape, lambda *_: draw.choice(palette))


def adjusted(p: Pair, x: Any, w: Any, a: Any, draw: Draw) -> tuple[Any, Any, Any]:
    """Towards the hypotheses."""
    said = {h.source for h in p.hypotheses}

    def positive(v: Any) -> Any:
        return filled(v.shape, lambda *at: abs(v[at]) or Fraction(draw.randint(1, 3)))

    if "((w * w) == w)" in said:
        w = filled(w.shape, lambda *_: Fraction(draw.randrange(2)))
    if said & {"(x > 0)", "(x >= 0)"}:
        x = positive(x)
    if said & {"(w > 0)", "(w >= 0)"}:
        w = positive(w)
    if said & {"(x > w)", "(x >= w)"}:
        x = as_array(w + positive(as_array(x - w)))
    if said & {"(a == 2)", "(a >= 1)", "(a > 0)"}:
        a = Fraction(2) if "(a == 2)" in said else abs(a) + 1
    if "(np.sum(w) == 1)" in said:
        w[(-1,) * w.ndim] += 1 - w.sum()
    if "(np.sum(x) == 1)" in said:
        x[(-1,) * x.ndim] += 1 - x.sum()
    if "(w == 0)" in said:
        w = as_array(w - w)
    if "(x == 0)" in said:
        x = as_array(x - x)
    return (w.copy() if "(x == w)" in said else x), w, a


def judge_at(x: Any, w: Any, a: Any, idx: Any) -> Judge:
    places = list(product(*map(range, x.shape)))

    def moving(*at: int) -> Number:
        k = places.index(at)
        return Number(x[at], tuple(Fraction(int(k == j)) for j in range(len(places))), k)

    still = {"w": filled(x.shape, lambda *at: Number(w[at])), "a": filled((), lambda: Number(a))}
    return Judge({"x": filled(x.shape, moving), **still}, idx, x.shape)


# --- judging -------------------------------------------------------------------------------------------------------


def inside(p: Pair, judge: Judge) -> bool:
    """Whether the hypotheses hold, those with >= strictly: borders are left out, but of what an equation is about."""
    bound = {name for h in p.hypotheses if h.par == "==" for name in leaves(h)}
    for h in p.hypotheses:
        gap = judge.value(binary("sub", *h.args))
        for u in gap.reshape(-1):
            s = sign(u.v)
            least = s > 0 or (s == 0 and bool(leaves(h) & bound))
            if not {">": s > 0, ">=": least, "<": s < 0, "==": s == 0, "!=": s != 0}[h.par]:
                return False
    return True


def leaves(t: Node) -> set[Any]:
    """The arrays in it."""
    return {s.par for _, s in walk(t) if s.op == "leaf" and s.par in ("x", "w", "a")}


def derivative(p: Pair, judge: Judge) -> tuple[Any, ...] | str:
    """The gradient, entry by entry, or why there is none."""
    try:
        found = judge.value(p.forward)[()]
    except NoValue:
        return "no value"
    if found.v is None:
        return "no value"
    return found.d or tuple(Fraction(0) for _ in range(judge.arrays["x"].size))  # type: ignore[no-any-return]


def claimed(p: Pair, judge: Judge) -> list[Any]:
    try:
        return [u.v for u in judge.value(p.claim).reshape(-1)]
    except NoValue:
        return [None] * judge.arrays["x"].size


def differs(p: Pair, judge: Judge) -> str:
    """Where and how the claim is wrong at this point; nothing where it is right, or nothing is claimed."""
    try:
        if not inside(p, judge):
            return ""
        right = derivative(p, judge)
        if isinstance(right, str):
            return ""
        for k, (g, c) in enumerate(zip(right, claimed(p, judge), strict=True)):
            if c is None or not same(g, c):
                return f"entry {k}: {g}, claimed {'no value' if c is None else c}, at {shown(judge)}"
    except Doubtful:
        pass
    return ""


def shown(judge: Judge) -> str:
    parts = [f"{k} = {[str(u.v) for u in v.reshape(-1)]}" for k, v in judge.arrays.items()]
    return ", ".join([*parts, f"shape {judge.shape}, idx {judge.idx.tolist()}"])


def unjust(p: Pair, found: Counterexample) -> str:
    """Why the exhibited point refutes nothing; nothing where it does."""
    judge = exhibited(p, found)
    if judge is None:
        return ""
    try:
        if not inside(p, judge):
            return f"a hypothesis does not hold at {shown(judge)}"
        right = derivative(p, judge)
        if isinstance(right, str):
            return "" if right == MAYBE or without_action(p.forward, judge) else f"excused ({right}) at {shown(judge)}"
        k = int(np.ravel_multi_index([found.index[i] for i in sorted(found.index)], judge.shape)) if judge.shape else 0
        claim = claimed(p, judge)[k]
        return f"entry {k} is right, {claim}, at {shown(judge)}" if claim is not None and same(right[k], claim) else ""
    except Doubtful:
        return ""


def without_action(forward: Node, judge: Judge) -> bool:
    """0 times something, whatever the arrays are: whether x acts through its steps is a matter of words."""

    def is_zero(t: Node) -> bool:
        fixed = all(s.op != "leaf" for _, s in walk(t))
        return fixed and all(u.v == 0 for u in judge.value(t).reshape(-1))

    return any(t.op == "mul" and any(map(is_zero, t.args)) for _, t in walk(forward))


def exhibited(p: Pair, found: Counterexample) -> Judge | None:
    sizes = found.sizes
    shape = tuple(sizes.get(s, 1) for s in p.shape.split())
    if any(n > LARGEST for n in shape):
        return None

    def entries(name: str) -> Any:
        known = found.point.arrays.get(Array(name), {})

        def entry(*at: int) -> Any:
            v = known.get(at, Fraction(1))
            return v if isinstance(v, Fraction) else to_float(v)

        return entry

    idx = found.point.integers.get("idx", {})
    return judge_at(
        filled(shape, entries("x")), filled(shape, entries("w")), entries("a")(),
        np.array([idx.get((k,), 0) for k in range(shape[0] if shape else 1)]),
    )  # fmt: skip


def asked(p: Pair) -> Verdict:
    """By the door of users: refuter, prover, and the functions themselves at a few points."""
    f, g, h = p.functions()
    return check_gradient(f, g, p.shapes, "x", assuming=h, seek_repair=False)


def decided(p: Pair) -> Verdict:
    """By the prover alone, which must not need the refuter to be right; by the refuter at a few points if it fails."""
    f, g, h = p.functions()
    request = read_request("check_gradient", f, g, p.shapes, "x", h, {})
    try:
        (claim,) = gradient_claims(request, lambda _: None)
    except TraceError as error:
        return Verdict("unknown", reason=str(error))
    shapes = {Array(n): d.shape for n, d in claim.inputs.items() if d.values is None}
    problem = problem_of(claim, Setting(request.hypotheses(), shapes, repair=False))
    shown = prove(problem)
    if isinstance(shown, Theorem):
        return Verdict("proved", theorem=shown)
    found = counterexample(problem, FEW)
    return Verdict("unknown" if found is None else "refuted", counterexample=found, reason=shown.stage)


def stop(signum: int, frame: FrameType | None) -> None:
    raise TooSlow


def judged(p: Pair, draw: Draw, limit: float) -> tuple[str, str]:
    """What became of the pair, and why that is wrong or unknown."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            verdict = asked(p) if draw.random() < DOOR else decided(p)
    except TooSlow:
        return SLOW, ""
    except Exception as error:
        return CRASH, "".join(traceback.format_exception(error)[-3:])
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if verdict.status == "proved":
        finds = (differs(p, judge) for judge in islice(points(p, draw), POINTS))
        found = next((x for x in finds if x), "")
        return (WRONG_PROOF, found) if found else ("proved", "")
    if verdict.status == "refuted" and isinstance(verdict.counterexample, Counterexample):
        found = unjust(p, verdict.counterexample)
        return (WRONG_REFUTATION, found) if found else ("refuted", "")
    return verdict.status, verdict.reason or ""


def run(seed: int, seconds: float, pairs: int, limit: float, show: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    start = time.perf_counter()
    for number in range(seed, seed + pairs):
        if time.perf_counter() - start > seconds:
            break
        draw = Draw(number)
        p = pair(draw)
        status, why = judged(p, draw, limit)
        counts[status] += 1
        kinds[p.kind, status] += 1
        if status in WRONG:
            print(f"\nseed {number}: {status}: {why}\n  {p}", flush=True)
        elif status == "unknown":
            reasons[why[:60]] += 1
    spent, total = time.perf_counter() - start, counts.total()
    shown = ("proved", "refuted", "unknown", "ill-formed", SLOW, *WRONG)
    print(f"seeds {seed} to {seed + total - 1}, {total} pairs in {spent:.0f} s ({total / max(spent, 1e-9):.0f}/s): "
          + ", ".join(f"{counts[k]} {k}" for k in shown))  # fmt: skip
    if show:
        print("\n".join(f"{n:7} {kind}, {status}" for (kind, status), n in sorted(kinds.items())))
        print("\n".join(f"{n:7} {reason}" for reason, n in reasons.most_common(20)))
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pairs", type=int, default=10**9)
    parser.add_argument("--limit", type=float, default=0.5, help="seconds for a verdict, before the next pair")
    parser.add_argument("--show", action="store_true", help="counts by kind of claim, and why verdicts are unknown")
    given = parser.parse_args()
    signal.signal(signal.SIGVTALRM, stop)
    counts = run(given.seed, given.seconds, given.pairs, given.limit, given.show)
    return int(any(counts[k] for k in WRONG))


if __name__ == "__main__":
    sys.exit(main())
