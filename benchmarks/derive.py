"""Gradients derived from 20 forward functions, against NumPy written by hand and against autograd.

    python benchmarks/derive.py [NAME ...] [--controls] [--json]

For each: seconds to derive and prove all its gradients; the run time of the derived code as a multiple of code by hand
(tests/tables/derive_by_hand.py, each the quickest idiomatic version we know), and autograd's; the largest relative
difference to autograd; statements derived and by hand (a long one may go over several rows in both, and neither rolls
layers that the forward writes out into a loop); whether it stays finite where the inputs are a thousand times larger.
`--controls` alters each step of each derivation in 14 ways and counts how many altered steps are proved: none may be.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import os
import statistics
import sys
import time
import types
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tables"))

import derive_by_hand as by_hand
from derive_alterations import altered_steps
from derive_cases import CASES, Case

from symbackprop.gradients.derived import Derived, derived
from symbackprop.read.numpy import parse_shapes, trace_assumptions
from symbackprop.write.program.source import Program

Arrays = dict[str, Any]
BUDGET, RUNS = 0.5, 300


def derive(case: Case) -> Derived:
    declared = parse_shapes(case.shapes)
    hypotheses = () if case.assuming is None else trace_assumptions(case.assuming, declared)
    named = {f"h{k}": h for k, h in enumerate(hypotheses)}
    return derived(case.forward, declared, case.variables, hypotheses=named)


def drawn(case: Case, sizes: dict[str, int], scale: float = 1.0) -> Arrays:
    rng = np.random.default_rng(0)
    found: Arrays = {}
    for name, d in parse_shapes(case.shapes).items():
        shape = tuple(s.at(sizes) for s in d.shape)
        if d.values is not None:
            found[name] = rng.integers(0, d.values.at(sizes), shape)
        elif not shape:
            found[name] = 0.5
        else:
            found[name] = rng.normal(size=shape) * scale
    return found


def with_autograd(f: Any) -> Any:
    """The same code with autograd's NumPy."""
    import autograd.numpy as anp
    import autograd.scipy.special as asp

    names = {"np": anp, "erf": asp.erf, "expit": asp.expit}
    for name in f.__code__.co_names:
        helper = f.__globals__.get(name)
        if isinstance(helper, types.FunctionType) and helper is not f:
            names.setdefault(name, with_autograd(helper))
    return types.FunctionType(f.__code__, {**f.__globals__, **names}, f.__name__, f.__defaults__, f.__closure__)


def seconds(*functions: Any) -> list[float]:
    """The least time of each, in turn, on the clock of this process: other work on the machine does not count."""
    best = [1e9] * len(functions)
    end = time.process_time() + BUDGET * len(functions)
    for k in range(RUNS):
        for n, f in enumerate(functions):
            start = time.process_time()
            f()
            best[n] = min(best[n], time.process_time() - start)
        if k > 3 and time.process_time() > end:
            break
    return best


def statements(source: str) -> int:
    """Assignments, and results that are worked out in the return; those of softmax count where it is called."""
    called = inspect.getsource(by_hand.softmax) if "softmax(" in source else ""
    count = 0
    functions = [f for f in ast.parse(source + called).body if isinstance(f, ast.FunctionDef) and f.name[0] != "_"]
    for statement in (s for f in functions for s in ast.walk(f)):
        match statement:
            case ast.Assign() | ast.AugAssign():
                count += 1
            case ast.Return(ast.Tuple(parts)):
                count += sum(not isinstance(p, ast.Name) for p in parts)
    return count


def measure(name: str) -> dict[str, Any]:
    from autograd import grad

    case, sizes = CASES[name], by_hand.SIZES[name]
    start = time.process_time()
    found = derive(case)
    spent = time.process_time() - start
    program = Program(found.reverse)
    function = program.compiled(tuple((n, found.reverse.declared[n].shape) for n in program.arguments)).function
    arrays = drawn(case, sizes)
    outputs = case.forward(**arrays)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    rng = np.random.default_rng(1)
    upstream = {
        str(u.name): rng.normal(size=np.shape(o))
        for u, o in zip(found.reverse.upstream.values(), outputs, strict=bool(found.reverse.upstream))
    }
    given = [*arrays.values(), *upstream.values()]
    hand = by_hand.BACKWARDS[name]
    by = with_autograd(by_hand.FOR_AUTOGRAD.get(name, case.forward))

    def loss(*args: Any) -> Any:
        import autograd.numpy as anp

        out = by(*args)
        out = out if isinstance(out, tuple) else (out,)
        return sum(anp.sum(o * u) for o, u in zip(out, upstream.values(), strict=True)) if upstream else out[0]

    places = tuple(list(arrays).index(v) for v in case.variables)
    automatic = grad(loss, places)
    mine = dict(zip(case.variables, function(*given), strict=True))
    wanted = dict(zip(case.variables, automatic(*arrays.values()), strict=True))
    other = dict(zip(case.variables, hand(*given), strict=True))
    times = seconds(lambda: hand(*given), lambda: function(*given), lambda: automatic(*arrays.values()))
    large = drawn(case, sizes, 1000.0)
    with np.errstate(all="ignore"):
        forward = case.forward(**large)
        finite = all(np.isfinite(o).all() for o in (forward if isinstance(forward, tuple) else (forward,)))
        stays = all(np.isfinite(g).all() for g in function(*large.values(), *upstream.values()))
    return {
        "name": name, "derive and prove": round(spent, 2), "by hand": times[0], "derived / hand": times[1] / times[0],
        "autograd / hand": times[2] / times[0], "error": difference(mine, wanted),
        "hand error": difference(other, wanted),
        "statements": statements(program.source()), "statements by hand": statements(inspect.getsource(hand)),
        "finite at 1000": "forward is not" if not finite else "yes" if stays else "NO",
    }  # fmt: skip


def difference(a: Arrays, b: Arrays) -> float:
    return max(float(np.abs(a[v] - b[v]).max() / max(1e-300, np.abs(b[v]).max())) for v in a)


def controls(names: list[str]) -> None:
    total = proved = 0
    for name in names:
        steps = list(altered_steps(name, CASES[name]))
        accepted = [s for s in steps if s.accepted()]
        total, proved = total + len(steps), proved + len(accepted)
        print(f"{name:20} {len(steps):5} altered steps, {len(accepted)} proved", flush=True)
    print(f"{'together':20} {total:5} altered steps, {proved} proved")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of the functions (default: all)")
    parser.add_argument("--controls", action="store_true", help="altered steps instead")
    parser.add_argument("--json", action="store_true", help="one object a function")
    args = parser.parse_args()
    names = args.names or list(by_hand.BACKWARDS)
    if args.controls:
        controls(names)
        return
    rows = []
    print(f"{'':16} {'derive':>7} {'run/hand':>9} {'autograd':>9} {'error':>8} {'lines':>6} {'hand':>5}  at 1000")
    for name in names:
        r = measure(name)
        rows.append(r)
        print(
            f"{name:16} {r['derive and prove']:6.2f}s {r['derived / hand']:9.2f} {r['autograd / hand']:9.2f} "
            f"{r['error']:8.0e} {r['statements']:6} {r['statements by hand']:5}  {r['finite at 1000']}",
            flush=True,
        )
    median = statistics.median(r["derived / hand"] for r in rows)
    print(f"median of run/hand {median:.2f}, largest {max(r['derived / hand'] for r in rows):.2f}")
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
