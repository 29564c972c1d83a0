"""The results of a document as SARIF."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symbackprop.documents.results import Checked

from ..sarif import RULES, result, sarif_log, uri


def document_sarif(statements: Iterable[Checked], version: str) -> dict[str, Any]:
    """A log with one result for each statement that is not proved."""
    return sarif_log((of_statement(c) for c in statements if c.verdict in RULES), version)


def of_statement(c: Checked) -> dict[str, Any]:
    o = c.outcome
    assert o.verdict is not None
    said = [x for x in (o.mistake, o.message) if x]
    text = ": ".join(dict.fromkeys(said)) or o.verdict
    if o.repair is not None:
        text += f". Proved instead: {o.repair.latex}"
    out = result(o.verdict, text, location(c))
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
    return physical
