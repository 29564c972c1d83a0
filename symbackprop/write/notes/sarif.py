"""The results as SARIF 2.1.0, which editors and code hosting show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from symbackprop.documents.results import Checked

RULES = {
    "refuted": ("A false equation", "The equation is false: there is a counterexample.", "error"),
    "ill-formed": ("An ill-formed statement", "Shapes do not conform, or the formula has no meaning.", "error"),
    "unknown": ("An undecided statement", "Neither a proof nor a counterexample was found.", "warning"),
}


def document_sarif(statements: Iterable[Checked], version: str) -> dict[str, Any]:
    """A log with one result for each statement that is not proved."""
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "symbackprop",
                        "version": version,
                        "rules": [
                            {
                                "id": name,
                                "name": title.title().replace(" ", "").replace("-", ""),
                                "shortDescription": {"text": title},
                                "fullDescription": {"text": text},
                                "defaultConfiguration": {"level": level},
                            }
                            for name, (title, text, level) in RULES.items()
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [result(c) for c in statements if c.verdict in RULES],
            }
        ],
    }


def result(c: Checked) -> dict[str, Any]:
    o = c.outcome
    assert o.verdict is not None
    said = [x for x in (o.mistake, o.message) if x]
    text = ": ".join(dict.fromkeys(said)) or o.verdict
    if o.repair is not None:
        text += f". Proved instead: {o.repair.latex}"
    out: dict[str, Any] = {
        "ruleId": o.verdict,
        "ruleIndex": list(RULES).index(o.verdict),
        "level": RULES[o.verdict][2],
        "message": {"text": text},
        "locations": [location(c)],
    }
    if c.cell is not None:
        out["properties"] = {"cell": c.cell}
    return out


def location(c: Checked) -> dict[str, Any]:
    place, span = c.trouble()
    line, column = place.at(span[0])
    end_line, end_column = place.at(max(span[0], span[1] - 1))
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column + 1}
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(c.file)}}
    if c.cell is None:  # lines of a cell are no lines of the file
        physical["region"] = region
    return {"physicalLocation": physical}


def uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
