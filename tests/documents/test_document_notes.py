"""The notes, statement by statement: what is found, against the table made by hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from document_oracle import judged

from symbackprop.read.notes.files.items import Formula
from symbackprop.read.notes.files.sources import read_document
from symbackprop.read.notes.statements.sections import read_statements
from symbackprop.read.notes.statements.statements import Reading

ROOT = Path(__file__).parents[2]
TABLE = json.loads((Path(__file__).parents[1] / "data" / "notes_statements.json").read_text())
MENTIONS = {r"\vec{t}", "L", "L-1", r"f'(\vec{z})", r"\vec{b}"}  # names that only stand in a sentence
TWO_IN_ONE = {61, 63, 105, 107}  # two equations in one display

EXPECTED = {
    "definition": {"holds", "remark"},
    "shape-statement": {"holds", "remark"},
    "true": {"holds", "remark"},
    "true-under-hypothesis": {"holds", "remark"},
    "false": {"refuted", "ill-formed"},
    "ill-formed": {"ill-formed"},
}
PROSE = {29, 35, 38, 59, 78, 81, 95, 100}  # sentences, pictures and margin notes
STRUCK_OUT = {47}


@cache
def rows() -> dict[int, list[Reading]]:
    """The statements found for each number of the table, in the order of the document."""
    found: list[tuple[Formula, list[Reading]]] = []
    for reading in read_statements(read_document(ROOT / "derivations" / "notes.md")):
        if reading.formula.text.strip() in MENTIONS:
            continue
        if not found or found[-1][0] is not reading.formula:
            found.append((reading.formula, []))
        found[-1][1].append(reading)
    out: dict[int, list[Reading]] = {}
    for _, readings in found:
        if 1 + len(out) in TWO_IN_ONE:
            assert len(readings) == 2
            out |= {1 + len(out): readings[:1], 2 + len(out): readings[1:]}
        else:
            out[1 + len(out)] = readings
    return out


def test_all_117_statements_are_there() -> None:
    assert list(rows()) == [row["id"] for row in TABLE]


@pytest.mark.parametrize("number", range(1, len(TABLE) + 1))
def test_statement_of_the_notes(number: int) -> None:
    row, readings = TABLE[number - 1], rows()[number]
    verdicts = [judged(r)[0] for r in readings]
    assert "unknown" not in verdicts
    if number in PROSE | STRUCK_OUT:
        assert set(verdicts) <= {"remark", "holds"}
        return
    order = ["ill-formed", "refuted", "holds", "remark"]
    worst = min(verdicts, key=order.index)
    assert worst in EXPECTED[row["verdict"]], [(r.latex, judged(r)) for r in readings]
    if row["verdict"] in ("true", "true-under-hypothesis") and row["kind"] == "equation" and "=" in row["latex_clean"]:
        assert worst == "holds"


def test_corrected_notes_have_nothing_wrong() -> None:
    for reading in read_statements(read_document(ROOT / "derivations" / "notes-corrected.md")):
        verdict, why = judged(reading)
        assert verdict in ("holds", "remark"), reading.render(f"{verdict}: {why}")
