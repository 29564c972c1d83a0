"""Derived gradients of random forwards, as NumPy code, against those of autograd (HIPS) at random points.

    python fuzz/gradients.py [--seed 0] [--seconds 60] [--gradients 10000] [--show]

A gradient is wrong where the two differ by more than 1e-9 of their size, at a point where each step of the forward has
a value and a derivative (`judge.py`).  Exit code 1 if any is.
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
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from expressions import binary, leaf, reduced
from judge import Doubtful, Judge, filled
from theorems import CRASH, SLOW, Maker, Pair, TooSlow, derivative, hypotheses, inside, judge_at, stop

from symbackprop import SymbackpropError, derive
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry
from symbackprop.functions.claims import Setting, objective
from symbackprop.functions.request import flattened, read_request
from symbackprop.gradients.lemmas import indices
from symbackprop.prove.working_out import derived
from symbackprop.read.numpy import Declared
from symbackprop.write.code.index_code import compile_tensors

DOOR = 0.2  # gradients that are proved as well
AGREED, NONE, NOWHERE, WRONG = "agreed", "no gradient found", "compared at no point", "wrong"
SIZES = ((1, 1), (2, 1), (3, 2), (2, 3))
TOLERANCE = 1e-9


def forward_of(draw: random.Random) -> Pair:
    """A forward without axes, or with those of x: then with an upstream gradient."""
    while True:
        m = Maker(draw)
        try:
            t = m.loss() if draw.random() < 0.7 else m.entries(2)
        except ValueError:
            continue
        if t.moves and t.shape in ((), m.shape) and len(t.source) < 200:
            return Pair(t, m.w, m.text, hypotheses(m) if draw.random() < 0.3 else (), "derive")


def arrays_at(judge: Judge) -> dict[str, Any]:
    reals = {k: np.array([float(u.v) for u in v.reshape(-1)]).reshape(v.shape) for k, v in judge.arrays.items()}
    return {**reals, "idx": judge.idx}


def points(p: Pair, draw: random.Random) -> Iterator[Judge]:
    """Multiples of 1/64 that satisfy the hypotheses if they are about signs."""
    positive = any(h.par in (">", ">=") for h in p.hypotheses)
    for n, m in SIZES:
        shape = tuple({"n": n, "m": m}[s] for s in p.shape.split())

        def entry(*_: int) -> Fraction:
            v = Fraction(draw.randint(-160, 160), 64)
            return abs(v) + Fraction(1, 64) if positive else v

        x, w, g = (filled(shape, entry) for _ in range(3))
        judge = judge_at(x, w, entry(), np.array([draw.randrange(n) for _ in range(n)]))
        judge.arrays = {**judge.arrays, "g": judge_at(g, g, 0, judge.idx).arrays["w"]}
        yield judge


def compared(p: Pair, found: Callable[..., Any], draw: random.Random) -> tuple[str, str]:
    scalar, outcome = not p.forward.shape, NOWHERE
    g = leaf("g", p.forward.shape)
    loss = p.forward if scalar else reduced("sum", binary("mul", g, p.forward))
    names = [k for k in p.shapes if k in p.shapes and used(k, p)]
    f = eval(f"lambda x, w, a, idx, g: 1.0 * {loss.source}", {"np": anp})
    slope = autograd.grad(f)
    for judge in points(p, draw):
        try:
            asked = Pair(loss, p.claim, p.shape, p.hypotheses, p.kind)
            if not inside(p, judge) or isinstance(derivative(asked, judge), str):
                continue
        except Doubtful:
            continue
        given = arrays_at(judge)
        here = {k: given[k] for k in names} | ({} if scalar else {"g": given["g"]})
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            mine = np.asarray(found(**here), dtype=float)
            other = np.asarray(slope(given["x"], given["w"], given["a"], given["idx"], given["g"]), dtype=float)
        if mine.shape != other.shape:
            return WRONG, f"shape {mine.shape}, not {other.shape}"
        if not np.isfinite(other).all():  # 0 * inf in a branch that was not taken
            continue
        if not np.allclose(mine, other, rtol=TOLERANCE, atol=TOLERANCE * (1 + np.abs(other).max(initial=0))):
            return WRONG, f"{mine.tolist()}, autograd {other.tolist()}, at {given}"
        outcome = AGREED
    return outcome, ""


def used(name: str, p: Pair) -> bool:
    return name == "x" or name in Pair(p.forward, leaf("x", ()), p.shape, p.hypotheses, "").shapes


def shapes_of(p: Pair) -> Mapping[str, str]:
    return {k: s for k, s in p.shapes.items() if used(k, p)}


def judged(p: Pair, draw: random.Random, limit: float) -> tuple[str, str]:
    asked = Pair(p.forward, leaf("x", ()), p.shape, p.hypotheses, p.kind)
    f, _, h = asked.functions()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            found = derived_code(asked)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            result = compared(asked, found, draw)
            if result[0] == WRONG or draw.random() < DOOR:  # what derive returns it has proved, and its code is guarded
                signal.setitimer(signal.ITIMER_VIRTUAL, 20 * limit)
                result = compared(asked, derive(f, asked.shapes, "x", assuming=h), draw)
        return result
    except TooSlow:
        return SLOW, ""
    except SymbackpropError as error:
        return NONE, str(error)
    except Exception as error:
        return CRASH, "".join(traceback.format_exception(error)[-3:])
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def derived_code(p: Pair) -> Callable[..., Any]:
    """The gradient by the laws, not yet proved, as a NumPy function."""
    f, _, h = p.functions()
    request = read_request("derive", f, None, p.shapes, "x", h, {})
    (output,) = flattened(request.outputs().outputs, "the forward")
    upstream = ("g",) if output.axes else ()
    inputs = {**request.declared, **dict.fromkeys(upstream, Declared(output.shape))}
    axes, at = indices(request.declared["x"].shape, "w")
    context = Setting(request.hypotheses(), repair=False).context
    term = derived(Diff(objective([output], upstream), Entry(Array("x"), at)), context)
    if term is None:
        raise SymbackpropError("no law differentiates it")
    run = compile_tensors({"x": Tensor(axes, term)}, inputs)
    return lambda **arrays: run(**arrays)["x"]


def run(seed: int, seconds: float, most: int, limit: float, show: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    start = time.perf_counter()
    for number in range(seed, seed + most):
        if time.perf_counter() - start > seconds:
            break
        draw = random.Random(number)
        p = forward_of(draw)
        status, why = judged(p, draw, limit)
        counts[status] += 1
        if status in (WRONG, CRASH):
            print(f"\nseed {number}: {status}: {why}\n  {p}", flush=True)
        elif status == NONE:
            reasons[why[:70]] += 1
    spent, total = time.perf_counter() - start, counts.total()
    print(f"seeds {seed} to {seed + total - 1}, {total} gradients in {spent:.0f} s ({total / max(spent, 1e-9):.0f}/s): "
          + ", ".join(f"{counts[k]} {k}" for k in (AGREED, NONE, NOWHERE, SLOW, WRONG, CRASH)))  # fmt: skip
    if show:
        print("\n".join(f"{n:7} {reason}" for reason, n in reasons.most_common(20)))
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--gradients", type=int, default=10**9)
    parser.add_argument("--limit", type=float, default=1, help="seconds for a gradient, before the next one")
    parser.add_argument("--show", action="store_true", help="why there is no gradient")
    given = parser.parse_args()
    signal.signal(signal.SIGVTALRM, stop)
    counts = run(given.seed, given.seconds, given.gradients, given.limit, given.show)
    return int(bool(counts[WRONG] or counts[CRASH]))


if __name__ == "__main__":
    sys.exit(main())
