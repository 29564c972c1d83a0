"""The results as JSON: only strings, numbers, lists, dicts and null; `docs/json.md` describes every key."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from symbackprop.decide.outcomes import Checked, Status

from . import read_as

FORMAT = 1
VERDICTS: tuple[Status, ...] = ("proved", "refuted", "ill-formed", "unknown")


def summed_up(named: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> dict[str, Any]:
    statements = [s for _, found in named for s in found]
    counts = Counter(s["verdict"] for s in statements)
    return {
        "format": FORMAT,
        "files": [name for name, _ in named],
        "summary": {"statements": len(statements), **{v: counts[v] for v in VERDICTS}, "null": counts[None]},
        "statements": statements,
    }


def statement_certificates(statements: Iterable[Checked]) -> Iterator[dict[str, Any]]:
    """The theorems of what is proved, each with where the statement stands and how it was read, for people."""
    for c in statements:
        theorems = () if c.outcome.proof is None else c.outcome.proof.theorems
        for k, theorem in enumerate(theorems, 1):
            where = {"file": c.file, "cell": c.cell, "line": c.line, "part": k, "parts": len(theorems)}
            resting = {"assuming": list(c.outcome.hypotheses), "excused": [str(x) for x in c.outcome.conditions]}
            told = {"claim": c.latex, "sha256": hashlib.sha256(c.latex.encode()).hexdigest(), **where, **resting}
            yield {**theorem.rows, "reading": told}


def statement_json(c: Checked) -> dict[str, Any]:
    o = c.outcome
    place, span = c.trouble()
    line, column = place.at(span[0])
    return {
        "file": c.file,
        "cell": c.cell,
        "line": c.line,
        "column": c.column,
        "end_line": c.end[0],
        "end_column": c.end[1],
        "section": list(c.reading.formula.section),
        "latex": c.latex,
        "kind": c.kind,
        "verdict": c.verdict,
        "read_as": read_as.read_as(c.reading),
        "layout": read_as.layout(c.reading) or None,
        "hypotheses": list(o.hypotheses),
        "conditions": [str(x) for x in o.conditions],
        "message": o.message,
        "at": {"line": line, "column": column} if o.verdict in ("ill-formed", "unknown") else None,
        "mistake": o.mistake,
        "code": c.rule.code if c.rule is not None else None,
        "ignored": c.ignored,
        "repair": None if o.repair is None else o.repair.latex,
        "repair_hypotheses": [] if o.repair is None else list(o.repair.hypotheses),
        "special_cases": list(o.special_cases),
        "counterexample": None if o.counterexample is None else cleaned(o.counterexample.as_json()),
        "proof": proof_json(c),
    }


def proof_json(c: Checked) -> str | None:
    """ "whole": one theorem that the kernel checked; "parts": the derivatives are theorems of their own."""
    if c.outcome.proof is None:
        return None
    return "whole" if c.outcome.proof.whole is not None else "parts"


def cleaned(value: Any) -> Any:
    """Row and column of compared arrays are called i and j."""
    match value:
        case dict():
            return {k.replace("°", ""): cleaned(v) for k, v in value.items()}
        case list():
            return [cleaned(v) for v in value]
        case _:
            return value
