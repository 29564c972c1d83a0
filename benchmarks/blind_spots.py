"""Wrong gradients from public threads: what a numerical check says in their blind spot, and what symbackprop says.

    python benchmarks/blind_spots.py tests/data/museum.json

Prints the table of docs/what-gradcheck-does-not-see.md.  The numerical check is the usual one: central differences
with a step of 1e-6, passed when every entry is within 1e-5 + 1e-3 |difference quotient|, all at three random draws.
The code in the file is executed: it is the thing to check.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import decide
import numpy as np

STEP, ATOL, RTOL, DRAWS = 1e-6, 1e-5, 1e-3, 3
Arrays = dict[str, Any]


def drawn(e: Mapping[str, Any], spot: Mapping[str, Any], seed: int) -> tuple[Arrays, Arrays]:
    """Inputs and upstream gradients of an exhibit, as its blind spot has them."""
    sizes = spot["dims"] or e["trials"][0]
    rng = np.random.default_rng(seed)
    names: dict[str, Any] = {"np": np, "rng": rng, **sizes}
    for i in e["forward"]["inputs"]:
        value = np.array(eval(spot["inputs"].get(i["name"], i["gen"]), names), dtype=float)
        names[i["name"]] = value if value.ndim else float(value)
    inputs = {i["name"]: names[i["name"]] for i in e["forward"]["inputs"]}
    upstream = {}
    for name, shape in zip(e["upstream"], e["forward"]["output_shapes"], strict=True):
        counts = tuple(int(eval(s, {}, dict(sizes))) for s in shape)
        text = spot["upstream"].get(name)
        value = np.array(eval(text, names) if text else rng.standard_normal(counts), dtype=float)
        upstream[name] = value if value.ndim else float(value)
    return inputs, upstream


def quotients(forward: Any, inputs: Arrays, upstream: Arrays, wrt: str) -> Any:
    """Central differences of Σ upstream * output."""

    def loss(x: Any) -> float:
        out = forward(**{**inputs, wrt: x if np.ndim(x) else float(x)})
        outs = out if isinstance(out, tuple) else (out,)
        return sum(float(np.sum(u * o)) for u, o in zip(upstream.values(), outs, strict=True))

    base = np.array(inputs[wrt], dtype=float)
    found = np.zeros(base.shape)
    for at in np.ndindex(base.shape):
        up, down = base.copy(), base.copy()
        up[at] += STEP
        down[at] -= STEP
        found[at] = (loss(up) - loss(down)) / (2 * STEP)
    return found


def passes(e: Mapping[str, Any], spot: Mapping[str, Any]) -> tuple[bool, float]:
    """Whether the numerical check passes at every draw, and the largest difference it saw."""
    forward = decide.namespace(e["forward"]["code"])["forward"]
    backward = decide.namespace(e["buggy_backward"])["buggy_backward"]
    passed, largest = True, 0.0
    for seed in range(DRAWS):
        inputs, upstream = drawn(e, spot, seed)
        with np.errstate(all="ignore"):
            result = backward(**inputs, **upstream)
        for v in e["wrt"]:
            numbers = quotients(forward, inputs, upstream, v)
            claimed = np.asarray(result[v], dtype=float)
            if claimed.shape != numbers.shape:  # a leading axis of length 1
                claimed = claimed.reshape(numbers.shape)
            gap = np.abs(claimed - numbers)
            passed &= bool((gap <= ATOL + RTOL * np.abs(numbers)).all())
            largest = max(largest, float(gap.max(initial=0.0)))
    return passed, largest


def rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    cases = {c.name: c for c in decide.cases(document)}
    table = []
    for e in document["exhibits"]:
        spots = [s for s in e["invisible_when"] if s["checked"]]
        if not spots or not e["buggy_backward"] or e["category"] not in ("bug", "fix_still_wrong"):
            continue
        case = cases[f"{e['id']} [buggy]"]
        start = time.perf_counter()
        decided = decide.asked(case, repair=False)
        spent = 1000 * (time.perf_counter() - start)
        verdict = decide.asked(case, repair=True)
        bad = next((v for v in verdict.gradients.values() if v.status != "proved"), verdict)
        sizes = (
            ", ".join(f"{s} = {n}" for s, n in sorted(bad.counterexample.sizes.items())) if bad.counterexample else ""
        )
        for spot in spots:
            passed, largest = passes(e, spot)
            table.append((
                f"[{e['source']['repo']} {e['source']['thread'].split(' (')[0]}]({e['source']['url']})",
                e["title"], spot["description"], f"{'passes' if passed else 'fails'} ({largest:.0e})",
                f"{decided.status} at {sizes or 'any size'}", bad.mistake or "", "yes" if bad.repair else "no",
                f"{spent:.0f} ms",
            ))  # fmt: skip
    return table


HEADER = ("thread", "what is wrong", "where nobody sees it", "numerical check there", "symbackprop", "kind of mistake",
          "repaired", "time")  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    args = parser.parse_args(argv)
    table = rows(json.loads(args.file.read_text(encoding="utf-8")))
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER))
    for row in table:
        print("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |")
    passed = sum(r[3].startswith("passes") for r in table)
    refuted = sum(not r[4].startswith(("proved", "unknown")) for r in table)
    said = f"symbackprop says refuted or ill-formed in {refuted} of {len(table)}."
    print(f"\n{passed} of {len(table)} numerical checks pass; {said}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
