"""How long the proofs take: each story, independence of the width, growth with the depth, a 6-layer softmax network.

    python benchmarks/proofs.py [ROUNDS]

Times are the best of ROUNDS (5), imports excluded.  "derive" is everything: the plan of the pages, the search for
the proofs and their check; "check" is the kernel reading the finished proof again.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from symbackprop.core.kernel import By, check
from symbackprop.network.dense import DenseNetwork, dense
from symbackprop.network.theorems import prove_equation, prove_network
from symbackprop.story.pages import STORIES

ROUNDS = 5


def best(f: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """(milliseconds of the fastest round, the result)."""
    times, result = [], None
    for _ in range(rounds):
        gc.collect()
        start = perf_counter()
        result = f()
        times.append(1000 * (perf_counter() - start))
    return min(times), result


def size_of(proof: Any) -> int:
    """The number of steps of a proof."""
    if isinstance(proof, tuple):
        return sum(map(size_of, proof))
    if isinstance(proof, By):
        return 1
    if type(proof).__module__.endswith("proofs"):
        return 1 + sum(size_of(getattr(proof, name)) for name in proof.__dataclass_fields__)
    return 0


def each_theorem(rounds: int) -> None:
    print(f"{'theorem':<64}{'derive':>9}{'check':>9}  steps")
    total = [0.0, 0.0]
    for name, (_, facts) in STORIES.items():
        print(name.replace("_", " "))
        for fact in facts:
            derive, d = best(fact, rounds)
            again, _ = best(lambda d=d: [check(t.proof, t.context) for t in d.theorems], rounds)  # type: ignore[misc]
            total[0] += derive
            total[1] += again
            label = d.statements[-1][0] + (f"  ({d.kind})" if d.kind else "")
            print(f"  {label:<62}{derive:>6.1f} ms{again:>6.1f} ms{sum(size_of(t.proof) for t in d.theorems):>7}")
    print(f"{'all of them':<64}{total[0]:>6.0f} ms{total[1]:>6.0f} ms\n")


def network(depth: int, width: Any = None, last: str = "softmax") -> DenseNetwork:
    widths = [f"n_{l}" if width is None else width for l in range(depth + 1)]
    loss = "cross-entropy" if last == "softmax" else "squared-error"
    return dense(widths, ("tanh",) * (depth - 1) + (last,), loss, "row", "N")


def widths(rounds: int) -> None:
    print("all gradients of 2 layers by width (tanh, tanh, squared error, batch N)")
    for n in ("n", 10, 1000, 100_000, 10**12):
        net = network(2, n, "tanh")
        spent, theorems = best(lambda net=net: [prove_equation(net, *g) for g in net.gradients()], rounds)  # type: ignore[misc]
        print(f"  {n!s:>14} units {spent:>9.1f} ms{sum(size_of(t.proof) for t in theorems):>7} steps")
    print()


def depths(rounds: int) -> None:
    print("all equations of a network by depth (tanh, softmax, cross-entropy, batch N in rows, symbolic widths)")
    for depth in (1, 2, 4, 6, 8, 16, 32):
        net = network(depth)
        spent, theorems = best(lambda net=net: prove_network(net), rounds)  # type: ignore[misc]
        again, _ = best(lambda theorems=theorems: [check(t.proof, t.context) for t in theorems], rounds)  # type: ignore[misc]
        each = spent / depth
        print(f"  {depth:>3} layers {len(theorems):>4} theorems {spent:>8.1f} ms, checked again in {again:>7.1f} ms"
              f" ({each:.1f} ms a layer)")  # fmt: skip
    print()


def six_layers(rounds: int) -> None:
    net = network(6)
    spent, theorems = best(lambda: prove_network(net), 2 * rounds)
    print(f"6-layer softmax network, all {len(theorems)} equations derived and proved: {spent:.1f} ms (wanted: 100 ms)")


def main(argv: list[str]) -> None:
    rounds = int(argv[1]) if len(argv) > 1 else ROUNDS
    each_theorem(rounds)
    widths(rounds)
    depths(rounds)
    six_layers(rounds)


if __name__ == "__main__":
    main(sys.argv)
