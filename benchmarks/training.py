"""A training step with the generated gradient beside one written by hand in idiomatic NumPy.

    python benchmarks/training.py [--rounds 25] [--case 64-32-10]

Both run in this process on the same batches, in turns and in changing order, on one thread; a round times a few
milliseconds of steps of each.  The ratio is the median over rounds of generated / by hand within the round, so that
what else the machine does meets both.  Before timing, both are trained for some steps and must agree.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported

import numpy as np  # noqa: E402

from symbackprop.network.dense import dense  # noqa: E402
from symbackprop.train.optimisers import SGD  # noqa: E402

LR = 0.1
GOAL = 1.05
CASES = [("2-8-1", 4), ("64-32-10", 32), ("784-128-10", 64)]
ACTIVATIONS = ["relu", "tanh", "sigmoid"]
DTYPES = ["float64", "float32"]


# --- by hand -----------------------------------------------------------------------------------


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# f(z), and f'(z) from a = f(z)
BY_HAND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "sigmoid": (sigmoid, lambda a: a * (1 - a)),
}


class ByHand:
    """The step as one writes it: a loop over layers forward, a loop over layers backward."""

    def __init__(self, activation: str, parameters: list[Any]) -> None:
        self.f, self.slope = BY_HAND[activation]
        self.W, self.b = parameters[::2], parameters[1::2]
        self.last = sigmoid if self.b[-1].size == 1 else softmax

    def __call__(self, x: Any, t: Any) -> None:
        W, b = self.W, self.b
        a = [x]
        for l in range(len(W)):
            z = a[-1] @ W[l] + b[l]
            a.append(self.f(z) if l < len(W) - 1 else self.last(z))
        delta = (a[-1] - t) / len(x)
        for l in reversed(range(len(W))):
            dW = a[l].T @ delta
            db = delta.sum(axis=0)
            if l > 0:
                delta = (delta @ W[l].T) * self.slope(a[l])
            W[l] -= LR * dW
            b[l] -= LR * db


# --- generated ---------------------------------------------------------------------------------


class Generated:
    """The step of `symbackprop train --optimizer sgd`."""

    def __init__(self, activation: str, widths: list[int], parameters: list[Any]) -> None:
        last, loss = ("sigmoid", "binary-cross-entropy") if widths[-1] == 1 else ("softmax", "cross-entropy")
        network = dense(widths, [activation] * (len(widths) - 2) + [last], loss, "row", "N")
        self.step, self.parameters = SGD(LR).step(network), parameters

    def __call__(self, x: Any, t: Any) -> None:
        self.step(x, t, self.parameters)


# --- timing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    case: str
    batch: int
    dtype: str
    activation: str
    by_hand: float  # microseconds a step, median
    generated: float
    ratio: float
    difference: float  # of the parameters after the same steps


def drawn(widths: list[int], batch: int, dtype: str, batches: int = 8) -> tuple[list[Any], list[tuple[Any, Any]]]:
    g = np.random.default_rng(0)
    parameters: list[Any] = []
    for n, m in pairwise(widths):
        parameters += [(g.normal(size=(n, m)) / n**0.5).astype(dtype), (0.01 * g.normal(size=m)).astype(dtype)]
    data = []
    for _ in range(batches):
        x = g.uniform(size=(batch, widths[0])).astype(dtype)
        labels = g.integers(max(2, widths[-1]), size=batch)
        t = (labels[:, None] if widths[-1] == 1 else np.eye(widths[-1])[labels]).astype(dtype)
        data.append((x, t))
    return parameters, data


def seconds(step: Callable[[Any, Any], None], data: list[tuple[Any, Any]], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        for x, t in data:
            step(x, t)
    return (perf_counter() - start) / (repeats * len(data))


def measured(case: str, batch: int, dtype: str, activation: str, rounds: int, block: float) -> Row:
    widths = [int(n) for n in case.split("-")]
    parameters, data = drawn(widths, batch, dtype)
    mine, theirs = [p.copy() for p in parameters], [p.copy() for p in parameters]
    generated, by_hand = Generated(activation, widths, mine), ByHand(activation, theirs)
    for x, t in data:
        generated(x, t)
        by_hand(x, t)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(mine, theirs, strict=True))
    assert difference < (1e-12 if dtype == "float64" else 1e-5), f"they disagree by {difference}"
    assert {p.dtype.name for p in (*mine, *theirs)} == {dtype}
    once = min(seconds(by_hand, data, 1) for _ in range(5))
    repeats = max(1, round(block / (once * len(data))))
    times: dict[str, list[float]] = {"generated": [], "by hand": []}
    contenders: list[tuple[str, Callable[[Any, Any], None], list[Any]]] = [
        ("generated", generated, mine),
        ("by hand", by_hand, theirs),
    ]
    for k in range(rounds):
        order = contenders if k % 2 else contenders[::-1]
        spent = dict.fromkeys(times, 0.0)
        for name, step, own in (*order, *order[::-1]):  # A B B A: a drift of the machine meets both
            for p, start in zip(own, parameters, strict=True):
                p[...] = start  # the same values in every round
            spent[name] += seconds(step, data, repeats) / 2
        for name, found in times.items():
            found.append(spent[name])
    ratio = statistics.median(a / b for a, b in zip(times["generated"], times["by hand"], strict=True))
    micro = {name: 1e6 * statistics.median(found) for name, found in times.items()}
    return Row(case, batch, dtype, activation, micro["by hand"], micro["generated"], ratio, difference)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--block", type=float, default=0.004, help="seconds a contender runs in a round")
    parser.add_argument("--case", choices=[case for case, _ in CASES], action="append", help="only these networks")
    options = parser.parse_args()
    for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        if variable in os.environ:
            print(f"note: {variable} is set, which changes the speed of NumPy; unset it to compare machines")
    print(f"{'network':>12} {'batch':>5} {'type':>8} {'activation':>10} {'by hand':>9} {'generated':>9} {'ratio':>6}")
    rows = []
    for case, batch in CASES:
        if options.case and case not in options.case:
            continue
        for dtype in DTYPES:
            for activation in ACTIVATIONS:
                row = measured(case, batch, dtype, activation, options.rounds, options.block)
                rows.append(row)
                times = f"{row.by_hand:>6.1f} µs {row.generated:>6.1f} µs {row.ratio:>6.3f}"
                print(f"{case:>12} {batch:>5} {dtype:>8} {activation:>10} {times}", flush=True)
    worst = max(rows, key=lambda row: row.ratio)
    print(f"largest ratio {worst.ratio:.3f} ({worst.case}, {worst.dtype}, {worst.activation}); goal at most {GOAL}")
    return 0 if worst.ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
