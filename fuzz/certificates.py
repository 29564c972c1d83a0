"""Certificates with mistakes put into their rows, given to the kernel and to the independent checker.

    python fuzz/certificates.py [--seed 0] [--seconds 60] [--mutants N] [FILE...]

Mutates the proofs of the derivations, or those in the files.  A mutant may still be a proof: of what it then says.  It
is an error (exit code 1) if the checker accepts a claim that is not what the kernel says the rows prove, or if either
fails in another way than by refusing.  What one of them refuses and the other accepts is counted and the first few are
printed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from types import FrameType
from typing import Any

from kernel_account import argued

from symbackprop.checker.recheck import LAWS, NODES, STEPS, Refused, recheck
from symbackprop.core.kernel import check
from symbackprop.core.rows import Reader
from symbackprop.core.signs import says
from symbackprop.core.terms import ProofError

PREDICATES = ("gt0", "ne0", "ge0", "ge0i", "eq")
FRACTIONS = ("0", "1", "-1", "2", "-2", "1/2", "-1/2", "3", "1/3")
REASONS = (
    "sign", "weigh", "base", "split", "fixed", "nested", "knowing", "dense", "given", "continued", "cases",
    "steps",
)  # fmt: skip
TABLES = {
    "steps": 8, "nodes": 6, "claim": 3, "sizes": 1, "definitions": 1, "hypotheses": 1, "proof": 1, "least": 1,
    "reasons": 6, "argument": 3, "statement": 3,
}  # fmt: skip
SLOW = 10  # seconds of computing for one mutant


class TooSlow(Exception):
    pass


def originals(files: list[str]) -> list[dict[str, Any]]:
    """The certificates to mutate."""
    if files:
        found: list[dict[str, Any]] = []
        for path in files:
            with open(path, encoding="utf-8") as file:
                data = json.load(file)
            found += data if isinstance(data, list) else [data]
        return found
    from symbackprop.commands.derive import certificates_of
    from symbackprop.story.pages import STORIES

    return [c for _, facts in STORIES.values() for fact in facts for c in certificates_of(fact())]


def mutant(text: str, rng: Random) -> dict[str, Any]:
    """The certificate with one to three mistakes in it."""
    data: dict[str, Any] = json.loads(text)
    words = vocabulary(json.loads(text))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        tables = {table: weight for table, weight in TABLES.items() if table in data}
        (table,) = rng.choices(list(tables), list(tables.values()))
        if table == "proof":
            data["proof"] = rng.randrange(len(data["steps"]))
        elif table == "least":
            data["least"] = {rng.choice(["n", "m", "N", "k"]): rng.randrange(4)}
        else:
            places = list(slots(data[table]))
            if places:
                spoil(*rng.choice(places), data, words, rng)
    return data


def slots(x: Any) -> Iterator[tuple[Any, Any]]:
    """All places of a value in lists and tables."""
    for k, inner in list(x.items()) if isinstance(x, dict) else list(enumerate(x)):
        yield x, k
        if isinstance(inner, dict | list):
            yield from slots(inner)


def spoil(where: Any, k: Any, data: dict[str, Any], words: list[str], rng: Random) -> None:
    """Another value in this place."""
    match where[k]:
        case bool() | None:
            where[k] = rng.choice([None, 0, True])
        case int(n):
            where[k] = rng.choice([n - 1, n + 1, rng.randrange(max(n, 1)), rng.randrange(len(data["nodes"])), -n])
        case str(s):
            where[k] = rng.choice(alike(s, words))
        case list(xs) if xs:
            a, b = rng.randrange(len(xs)), rng.randrange(len(xs))
            match rng.randrange(5):
                case 0:
                    del xs[a]
                case 1:
                    xs.insert(a, xs[b])
                case 2:
                    xs[a] = xs[b]
                case 3 if isinstance(where, list):
                    where[k] = rng.choice(where)
                case _:
                    xs[a], xs[b] = xs[b], xs[a]
        case dict(xs) if xs:
            del xs[rng.choice(list(xs))]
        case _:
            where[k] = [0]


def alike(s: str, words: list[str]) -> list[str]:
    """Texts that may stand where this one does."""
    for family in (REASONS, tuple(LAWS), tuple(STEPS), (*NODES, "aff", "holds"), PREDICATES):
        if s in family:
            return list(family)
    return list(FRACTIONS) if s[:1].isdigit() or s[:1] == "-" else [*words, s + "'"]


def vocabulary(data: dict[str, Any]) -> list[str]:
    """The names in a certificate, and some functions."""
    names = {row[1] for row in data["nodes"] if row[0] in ("i", "app", "whole", "pick")}
    names |= {row[1][0] for row in data["nodes"] if row[0] == "entry"}
    symbols = {n for row in data["sizes"] for m, _ in row for n in m}
    return sorted(names | symbols | set(data["hypotheses"]) | {"exp", "max", "inv", "det"})


def by_kernel(data: dict[str, Any]) -> bool:
    """Whether the kernel proves from the rows what the claim says."""
    if "statement" in data:
        argued(data)
        return True
    reader = Reader()
    proof, context = reader.certificate(data)
    equation = check(proof, context)
    claim = data["claim"]
    read = reader.closed
    stated = {read["Predicate"](p) for p in claim["conditions"]}
    return (
        (equation.lhs, equation.rhs) == (read["Term"](claim["lhs"]), read["Term"](claim["rhs"]))
        and all(any(says(s, c, context.least) for s in stated) for c in equation.conditions)
        and equation.hypotheses <= set(claim["hypotheses"]) <= set(context.hypotheses)
    )


def accepted(decide: Any, data: dict[str, Any]) -> str:
    """accepts, refuses, is slow, or fails with the name of an error."""
    try:
        return "refuses: another claim" if decide(data) is False else "accepts"
    except (Refused, ProofError) as reason:
        return f"refuses: {reason.args[0]}"
    except TooSlow:
        return "is slow"
    except Exception as error:
        return f"fails with {type(error).__name__}: {error}"


def run(texts: list[str], seed: int, seconds: float, most: int | None) -> tuple[Counter[str], list[str]]:
    """Counts by what both say, and the disagreements."""
    rng, counts, finds, end = Random(seed), Counter[str](), list[str](), time.monotonic() + seconds
    weights = [1 / len(text) for text in texts]  # about as much time for each
    while time.monotonic() < end and (most is None or counts.total() < most):
        (text,) = rng.choices(texts, weights)
        data = mutant(text, rng)
        verdicts = []
        for decide in (by_kernel, recheck):
            signal.setitimer(signal.ITIMER_VIRTUAL, SLOW)
            verdicts.append(accepted(decide, data))
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        kernel, checker = verdicts
        if kernel == checker == "accepts":
            same = all(data[k] == json.loads(text)[k] for k in data if k not in ("steps", "proof", "reasons", "about"))
            counts["both accept, " + ("the same statement" if same else "what the mutant says")] += 1
        else:
            counts[f"kernel {kernel.split(':')[0]}, checker {checker.split(':')[0]}"] += 1
            if kernel.split(":")[0] != checker.split(":")[0]:
                finds.append(f"kernel {kernel}\nchecker {checker}\n{json.dumps(data)}")
    return counts, finds


def stop(signum: int, frame: FrameType | None) -> None:
    raise TooSlow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--mutants", type=int, default=None)
    parser.add_argument("--show", type=int, default=3, help="how many disagreements to print")
    parser.add_argument("files", metavar="FILE", nargs="*")
    args = parser.parse_args()
    signal.signal(signal.SIGVTALRM, stop)
    texts = list(map(json.dumps, originals(args.files)))
    start = time.monotonic()
    counts, finds = run(texts, args.seed, args.seconds, args.mutants)
    spent = time.monotonic() - start
    print(f"seed {args.seed}: {counts.total()} mutants of {len(texts)} certificates in {spent:.0f} s")
    for what, n in counts.most_common():
        print(f"{n:8} {what}")
    for find in finds[: args.show]:
        print(find)
    return int(any("fails" in what or what == "kernel refuses, checker accepts" for what in counts))


if __name__ == "__main__":
    sys.exit(main())
