"""What symbackprop says about a file of gradient statements whose truth is known.

    python benchmarks/decide.py statements.json [--only TEXT] [--seconds 20] [--json out.json] [--show]
                                               [--no-repair]

Two formats are read: a list of statements (`forward`, `backward`, `args` with name, shape and domain, `wrt`, `kind`,
`truth`), and a list of exhibits (`forward.code`, `forward.inputs`, `wrt`, `upstream`, and the functions
`buggy_backward`, `fixed_backward`, `equivalent_backward`; `check` says what they claim to be, `assuming` holds
comparisons in NumPy, an input of the kind `int[V]` holds labels).  The code in the file is executed: it is the thing to
check.

Domains become hypotheses: `pos` is a > 0, `prob` is a > 0 and a.sum(-1) == 1, `sym` is A == A.T.  What has no such form
(invertible, positive definite) only limits where counterexamples are looked for.  Exit code 1 if anything is decided
wrongly.
"""

from __future__ import annotations

import argparse
import json
import linecache
import os
import re
import statistics
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import scipy.special

from symbackprop.core.terms import SymbackpropError
from symbackprop.functions.checks import check_gradient, check_hessian, check_hvp, check_jacobian
from symbackprop.functions.verdict import Verdict

CHECKS = {
    "vjp": check_gradient, "gradient": check_gradient, "jacobian": check_jacobian, "hessian": check_hessian,
    "hvp": check_hvp,
}  # fmt: skip

# Hypotheses as NumPy text, with {a} for the argument.
HYPOTHESES: dict[str, tuple[str, ...]] = {
    "pos": ("{a} > 0",), "neg": ("{a} < 0",), "gt1": ("{a} > 1",), "nonzero": ("{a} != 0",),
    "unit": ("{a} > 0", "{a} < 1"), "open11": ("{a} > -1", "{a} < 1"),
    "bin": ("{a} * {a} == {a}",), "mask": ("{a} * {a} == {a}",), "pm1": ("{a} * {a} == 1",),
    "prob": ("{a} > 0", "{a}.sum(-1) == 1"), "logprob": ("np.exp({a}).sum(-1) == 1",),
    "onehot": ("{a} * {a} == {a}", "{a}.sum(-1) == 1"),
    "sym": ("{a} == np.swapaxes({a}, -1, -2)",), "spd": ("{a} == np.swapaxes({a}, -1, -2)",),
    "lower": ("{a} == np.tril({a})",), "inv": ("np.linalg.det({a}) != 0",), "posdet": ("np.linalg.det({a}) > 0",),
    "singular": ("np.linalg.det({a}) == 0",),
}  # fmt: skip
BAD = ("refuted", "ill-formed")
POINTS_ONLY = ("inv", "spd", "posdet")  # domains that limit counterexamples beyond the hypotheses
ROLES = {  # how exhibits say it
    r"positive": "pos", r"0/1|binary": "bin", r"one-hot": "onehot", r"\+1/-1|\+-1": "pm1",
    r"non-zero|nonzero": "nonzero",
}  # fmt: skip


@dataclass(slots=True)
class Case:
    name: str
    truth: bool
    kind: str
    forward: Any
    backward: Any
    shapes: dict[str, str]
    wrt: Any
    assuming: Any
    values: dict[str, Any]
    domains: dict[str, str]


@dataclass(slots=True)
class Result:
    case: Case
    status: str
    reason: str
    seconds: float
    verdict: Verdict | None = field(default=None, repr=False)

    @property
    def wrong(self) -> bool:
        return self.status in BAD if self.case.truth else self.status == "proved"

    @property
    def right(self) -> bool:
        return self.status == "proved" if self.case.truth else self.status in BAD

    @property
    def repaired(self) -> bool:
        if self.verdict is None or self.case.truth:
            return False
        parts = [v for v in (self.verdict.gradients or {"": self.verdict}).values() if v.status in BAD]
        return bool(parts) and all(v.repair is not None for v in parts)


# --- reading ---------------------------------------------------------------------------------


def cases(document: Any) -> Iterator[Case]:
    entries = document if isinstance(document, list) else document.get("exhibits") or document.get("statements")
    for e in entries:
        yield from statement(e) if isinstance(e["forward"], str) else exhibit(e)


def namespace(code: str) -> dict[str, Any]:
    """What the code defines; its lines can be shown, as those of a file."""
    names: dict[str, Any] = {"np": np, "scipy": scipy, "erf": scipy.special.erf}
    file = f"<statement {zlib.crc32(code.encode()):08x}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    exec(compile(code, file, "exec"), names)
    return names


def statement(e: Mapping[str, Any]) -> Iterator[Case]:
    arguments = [(a["name"], " ".join(map(str, a["shape"])), a["domain"]) for a in e["args"]]
    least = {s: d.get("min", 1) for s, d in (e.get("dims") or {}).items()}
    shapes, values, texts, domains = read_arguments(arguments, least)
    yield Case(
        e["id"], e["truth"], e["kind"], namespace(e["forward"])["forward"], namespace(e["backward"])["backward"],
        shapes, e["wrt"], assumptions(shapes, texts), values, domains,
    )  # fmt: skip


def exhibit(e: Mapping[str, Any]) -> Iterator[Case]:
    inputs = e["forward"]["inputs"]
    arguments = [(i["name"], " ".join(map(str, i["shape"])), input_domain(i)) for i in inputs]
    shapes, values, texts, domains = read_arguments(arguments, {})
    for h in e["hypotheses"]:
        texts += written_hypothesis(h, shapes)
    texts += e.get("assuming", [])
    forward = namespace(e["forward"]["code"])["forward"]
    for which, truth in (("buggy", False), ("fixed", True), ("equivalent", True)):
        code = e.get(f"{which}_backward")
        if code:
            yield Case(
                f"{e['id']} [{which}]", truth, e.get("check", "vjp"), forward, namespace(code)[f"{which}_backward"],
                shapes, e["wrt"], assumptions(shapes, texts), values, domains,
            )  # fmt: skip


def read_arguments(
    arguments: Sequence[tuple[str, str, str]], least: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, Any], list[str], dict[str, str]]:
    """Shapes, concrete values, hypotheses, and domains for points."""
    shapes: dict[str, str] = {}
    values: dict[str, Any] = {}
    texts: list[str] = []
    domains: dict[str, str] = {}
    for name, shape, domain in arguments:
        word, _, detail = domain.partition(":")
        if word == "int":
            shapes[name] = f"int[{detail}] {shape}".strip()
        elif word == "intconst":
            values[name] = int(detail)
        elif word in ("const", "smallpos") and not shape:
            values[name] = float(detail)
        else:
            shapes[name] = shape
            if word == "same":
                texts.append(f"{name} == {detail}")
            elif word in ("const", "smallpos"):
                texts.append(f"{name} == {detail}")
            elif word == "const2":
                texts.append(f"{name} == np.array([{detail.replace('|', ', ')}])")
            texts += [t.format(a=name) for t in HYPOTHESES.get(word, ())]
            if word in POINTS_ONLY:
                domains[name] = "inv" if word == "posdet" else word
    for symbol, n in least.items():
        place = next(((a, s.split().index(symbol)) for a, s in shapes.items() if symbol in s.split()), None)
        if n > 1 and place and "[" not in shapes[place[0]]:
            texts.append(f"{place[0]}.shape[{place[1]}] >= {n}")
    return shapes, values, texts, domains


def input_domain(given: Mapping[str, Any]) -> str:
    """The domain of an input of an exhibit: `int:V` for labels, else what its role says."""
    labels = re.fullmatch(r"int\[(.+)\]", given.get("kind", ""))
    return f"int:{labels[1]}" if labels else role_domain(given["role"])


def role_domain(role: str) -> str:
    return next((d for pattern, d in ROLES.items() if re.search(pattern, role)), "real")


def written_hypothesis(text: str, shapes: Mapping[str, str]) -> list[str]:
    """`eps > 0`, `x, s non-zero`: comparisons of arguments with a number, and nothing else."""
    found = re.fullmatch(r"([\w, ]+?)\s*(>|<|>=|<=|!=)\s*(\d+)", text) or re.fullmatch(
        r"([\w, ]+?)\s*(non-zero)()", text
    )
    if not found:
        return []
    names = [n.strip() for n in found[1].split(",")]
    if not all(n in shapes for n in names):
        return []
    return [f"{n} != 0" if found[2] == "non-zero" else f"{n} {found[2]} {found[3]}" for n in names]


def assumptions(shapes: Mapping[str, str], texts: Sequence[str]) -> Any:
    texts = list(dict.fromkeys(texts))
    if not texts:
        return None
    return eval(f"lambda {', '.join(shapes)}: [{', '.join(texts)}]", {"np": np})


# --- running ---------------------------------------------------------------------------------


def asked(case: Case, repair: bool, seconds: float = 20.0) -> Verdict:
    return CHECKS[case.kind](
        case.forward, case.backward, case.shapes, case.wrt, case.assuming, domains=case.domains, seek_repair=repair,
        timeout=seconds, **case.values,
    )  # fmt: skip


def decided(case: Case, seconds: float, repair: bool = False) -> Result:
    start = time.perf_counter()
    verdict: Verdict | None = None
    try:
        verdict = asked(case, repair, seconds)
        status, reason = verdict.status, reason_of(verdict)
    except SymbackpropError as problem:
        status, reason = "unknown", f"{type(problem).__name__}: {problem}"
    except Exception as problem:
        status, reason = "unknown", f"a defect of symbackprop: {type(problem).__name__}: {problem}"
    return Result(case, status, reason, time.perf_counter() - start, verdict)


def reason_of(v: Verdict) -> str:
    if v.gradients and not v.reason:
        return "; ".join(f"{n}: {g.reason}" for n, g in v.gradients.items() if g.reason)
    return v.reason


def report(results: Sequence[Result]) -> None:
    print(f"{'':14}{'statements':>11}{'decided':>9}{'undecided':>11}{'wrong':>7}{'repaired':>10}")
    true, false = ([r for r in results if r.case.truth == truth] for truth in (True, False))
    for label, kept in (("true", true), ("false", false), ("all", list(results))):
        right, wrong = sum(r.right for r in kept), sum(r.wrong for r in kept)
        fixed = sum(r.repaired for r in kept)
        print(f"{label:14}{len(kept):11}{right:9}{len(kept) - right - wrong:11}{wrong:7}{fixed:10}")
    for title, kept in (("WRONG", [r for r in results if r.wrong]),
                        ("undecided", [r for r in results if not r.wrong and not r.right])):  # fmt: skip
        if kept:
            print(f"\n{title}")
        for r in kept:
            first = r.reason.splitlines()[0] if r.reason else ""
            print(f"  {r.case.name} ({'true' if r.case.truth else 'false'}): {r.status}. {first}")
    times = [r.seconds for r in results]
    print(f"\nmedian {1000 * statistics.median(times):.0f} ms; the slowest ten:")
    for r in sorted(results, key=lambda r: -r.seconds)[:10]:
        print(f"  {1000 * r.seconds:8.0f} ms  {r.case.name}: {r.status}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT", help="only names that contain this")
    parser.add_argument("--seconds", type=float, default=20.0, help="time limit for each statement")
    parser.add_argument("--no-repair", action="store_true", help="only decide, do not look for the right formulas")
    parser.add_argument("--show", action="store_true", help="print each verdict")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the verdicts")
    args = parser.parse_args(argv)
    results = []
    for case in cases(json.loads(args.file.read_text(encoding="utf-8"))):
        if args.only in case.name:
            r = decided(case, args.seconds)
            if r.status in BAD and not args.no_repair:
                again = decided(case, args.seconds, repair=True)  # the time shown is that of the decision
                r.verdict = r.verdict if again.verdict is None else again.verdict
            results.append(r)
            if args.show:
                print(f"--- {case.name} ({'true' if case.truth else 'false'}), {1000 * r.seconds:.0f} ms")
                print(r.verdict if r.verdict is not None else r.reason)
            if r.wrong:
                print(f"WRONG: {case.name} is {'true' if case.truth else 'false'} and was {r.status}", file=sys.stderr)
    if not results:
        parser.error("no statement has such a name")
    report(results)
    if args.json:
        found = [
            {"name": r.case.name, "truth": r.case.truth, "status": r.status, "reason": r.reason, "seconds": r.seconds,
             "verdict": r.verdict.as_json() if r.verdict else None}
            for r in results
        ]  # fmt: skip
        args.json.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if any(r.wrong for r in results) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # `... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
