"""The verdicts about functions as SARIF, each on the line that is wrong or where the backward begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from symbackprop.decide.codes import rule_of

from .judged import Judged
from .sarif import result, sarif_log, uri


def function_sarif(judged: Iterable[tuple[str, int, Judged]], version: str) -> dict[str, Any]:
    """A log with one result for each gradient that is not proved, of (file, line, verdict)."""
    return sarif_log((r for path, line, verdict in judged for r in results(path, line, verdict)), version)


def results(path: str, line: int, verdict: Judged) -> Iterator[dict[str, Any]]:
    for v in verdict.gradients.values() or [verdict]:
        if (rule := rule_of(v.status, v.mistake, v.reason)) is not None:
            step = getattr(v, "line", None)
            file, wrong = getattr(step, "place", None) or (path, line)
            physical = {"artifactLocation": {"uri": uri(file)}, "region": {"startLine": wrong}}
            yield result(rule, v.status, text_of(v), physical)


def text_of(v: Judged) -> str:
    said = v.mistake or v.reason or "there is a counterexample"
    text = f"the gradient of {v.name} is {v.status}: {said}" if v.name else said
    return text if v.repair is None else f"{text}. Proved instead: {v.repair.text}"
