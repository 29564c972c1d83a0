"""Results as SARIF 2.1.0, which editors and code hosting show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from symbackprop.decide.outcomes import RULES, Checked, Rule
from symbackprop.read.notes.files.place import Place

LEVELS = {"SB1": "error", "SB2": "error", "SB3": "warning"}


def sarif_log(results: Iterable[dict[str, Any]], version: str) -> dict[str, Any]:
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "symbackprop", "version": version, "rules": list(map(rule, RULES))}},
                "columnKind": "unicodeCodePoints",
                "results": list(results),
            }
        ],
    }


def rule(r: Rule) -> dict[str, Any]:
    return {
        "id": r.code,
        "name": r.name,
        "shortDescription": {"text": r.what},
        "defaultConfiguration": {"level": LEVELS[r.code[:3]]},
    }


def result(r: Rule, verdict: str, text: str, physical: dict[str, Any]) -> dict[str, Any]:
    """One result, at a place: `physical` as SARIF calls it."""
    return {
        "ruleId": r.code,
        "ruleIndex": RULES.index(r),
        "level": LEVELS[r.code[:3]],
        "message": {"text": text},
        "locations": [{"physicalLocation": physical}],
        "properties": {"verdict": verdict},
    }


def uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def document_sarif(statements: Iterable[Checked], version: str) -> dict[str, Any]:
    """A log with one result for each statement that is not proved."""
    return sarif_log((of_statement(c, r) for c in statements if (r := c.rule) is not None), version)


def of_statement(c: Checked, r: Rule) -> dict[str, Any]:
    o = c.outcome
    said = [x for x in (o.mistake, o.message) if x]
    text = ": ".join(dict.fromkeys(said)) or r.what
    if o.repair is not None:
        text += f". Proved instead: {o.repair.latex}"
    assert o.verdict is not None
    out = result(r, o.verdict, text, location(c))
    if c.cell is not None:
        out["properties"]["cell"] = c.cell
    if (change := fix(c)) is not None:
        out["fixes"] = [change]
    if c.ignored:
        out["suppressions"] = [{"kind": "inSource"}]
    return out


def fix(c: Checked) -> dict[str, Any] | None:
    """The proved formula in place of the wrong one, where that stands in the file as it was read."""
    place, (start, end) = c.reading.where, c.reading.span
    repair = c.outcome.repair
    if repair is None or c.cell is not None or end <= start:
        return None
    first, last = place.offset(start), place.offset(end - 1) + 1
    written = c.reading.formula.text[start:end]
    new = repair.latex.removeprefix(c.reading.left).strip() if c.reading.left else repair.latex
    if place.source.text[first:last] != written:
        return None
    tail = written[len(written.rstrip().rstrip(",.;").rstrip()) :]
    return {
        "description": {"text": f"{c.outcome.mistake or 'the right formula'}: the formula that is proved"},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": uri(c.file)},
                "replacements": [{"deletedRegion": region(c, start, end), "insertedContent": {"text": new + tail}}],
            }
        ],
    }


def region(c: Checked, start: int, end: int, place: Place | None = None) -> dict[str, int]:
    place = place or c.reading.where
    line, column = place.at(start)
    end_line, end_column = place.at(max(start, end - 1))
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column + 1}


def location(c: Checked) -> dict[str, Any]:
    place, span = c.trouble()
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(c.file)}}
    if c.cell is None:  # lines of a cell are no lines of the file
        physical["region"] = region(c, *span, place)
    return physical
