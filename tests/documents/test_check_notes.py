"""The notes through the whole pipeline: expected and given, statement by statement, 117 of 117."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from symbackprop.decide.outcomes import Checked
from symbackprop.documents.check import check_document
from symbackprop.documents.judging import Judge
from symbackprop.read.notes.files.items import Formula

ROOT = Path(__file__).parents[2]
TABLE = json.loads((Path(__file__).parents[1] / "data" / "notes_statements.json").read_text())
MENTIONS = {r"\vec{t}", "L", "L-1", r"f'(\vec{z})", r"\vec{b}"}  # names that only stand in a sentence
TWO_IN_ONE = {61, 63, 105, 107}  # two equations in one display
LONE_PRODUCTS = {47, 115, 116, 117}  # nothing that could be decided, whatever is meant


@cache
def rows() -> dict[int, list[Checked]]:
    """The statements found for each number of the table, in the order of the document."""
    found: list[tuple[Formula, list[Checked]]] = []
    for c in check_document(ROOT / "derivations" / "notes.md", Judge()):
        if c.reading.formula.text.strip() in MENTIONS:
            continue
        if not found or found[-1][0] is not c.reading.formula:
            found.append((c.reading.formula, []))
        found[-1][1].append(c)
    out: dict[int, list[Checked]] = {}
    for _, statements in found:
        if 1 + len(out) in TWO_IN_ONE:
            assert len(statements) == 2
            out |= {1 + len(out): statements[:1], 2 + len(out): statements[1:]}
        else:
            out[1 + len(out)] = statements
    return out


def given(statements: list[Checked]) -> str:
    """The row's word for what was found: that of its worst statement, with its kind where it holds."""
    worst = min(statements, key=lambda c: ("ill-formed", "refuted", "unknown", "proved", None).index(c.verdict))
    match worst.verdict:
        case None:
            return worst.kind
        case "proved":
            if worst.kind in ("definition", "shape"):
                return worst.kind
            return "true under hypothesis" if worst.outcome.hypotheses else "true"
        case _:
            return worst.verdict


# A shape that declares is a definition as well as a shape; "true" may name the conventions it is read in.
EXPECTED = {
    "definition": {"definition", "shape", "true", "true under hypothesis"},  # a later link of a chain is a claim
    "shape-statement": {"shape", "definition"},
    "true": {"true", "true under hypothesis"},
    "true-under-hypothesis": {"true under hypothesis", "shape", "definition"},
    "ill-formed": {"ill-formed"},
}


def expected(row: dict[str, Any]) -> set[str]:
    if row["kind"] == "remark" or row["id"] in LONE_PRODUCTS:
        return {"remark"}
    if row["verdict"] == "false":
        return {"ill-formed"} if row["kind"] == "shape" else {"refuted", "ill-formed"}
    return EXPECTED[row["verdict"]]


def test_all_117_statements_are_there() -> None:
    assert list(rows()) == [row["id"] for row in TABLE]


@pytest.mark.parametrize("number", range(1, len(TABLE) + 1))
def test_statement_of_the_notes(number: int) -> None:
    row, statements = TABLE[number - 1], rows()[number]
    assert given(statements) in expected(row), [(c.latex, c.verdict, c.outcome.message) for c in statements]


@pytest.mark.parametrize(
    "number", [row["id"] for row in TABLE if row["verdict"] == "false" and row["kind"] == "equation"]
)
def test_a_false_equation_is_refuted_unless_it_has_no_meaning(number: int) -> None:
    statements = rows()[number]
    if number == 67:  # its mistake is in the shapes that it gives
        assert given(statements) == "ill-formed"
        return
    bad = [c for c in statements if c.bad]
    assert [c.verdict for c in bad] == ["refuted"]
    assert bad[0].outcome.counterexample is not None and bad[0].outcome.mistake


REPAIRS = {
    6: r"\vec{z}^l = w^l \vec{a}^{l-1} + \vec{b}^l",
    14: r"\frac{\partial \vec{z}}{\partial w} \sim n \times (n \times m)",
    32: r"n\text{-neurons} \times n\text{-outputs} = (n\text{-neurons} \times 1) (1 \times n\text{-outputs})",
    34: r"\vec{a}^{L-1} \left(\frac{\partial \mathcal{L}}{\partial \vec{y}} \circ f'(\vec{z}^L)\right)",
    40: r"w^L \sim n\text{-neurons} \times n\text{-outputs}",
    46: r"\vec{a}^{L-2} ((\delta^L)^T w^L \circ (f'(\vec{z}^{L-1}))^T)",
    67: r"\vec{b}^1_{1 \times n\text{-neurons}}",
    80: r"\frac{\partial \mathcal{L}}{\partial w^L} = \frac{\partial \mathcal{L}}{\partial \vec{y}} \frac",
    106: r"\frac{\partial \mathcal{L}}{\partial b^L} = \mathbf{1}_{N}^T \delta^L",
    108: r"\frac{\partial \mathcal{L}}{\partial b^L} = \mathbf{1}_{N}^T \delta^L",
}


@pytest.mark.parametrize("number", REPAIRS)
def test_corrections_in_the_notation_of_the_notes(number: int) -> None:
    repairs = [c.outcome.repair.latex for c in rows()[number] if c.outcome.repair is not None]
    assert len(repairs) == 1 and REPAIRS[number] in repairs[0], repairs


def test_most_false_statements_get_a_correction() -> None:
    """All but those that break off, that equate an entry with a matrix, and two whose letters are garbled."""
    without = {n for n, statements in rows().items() for c in statements if c.bad and c.outcome.repair is None}
    assert without == {19, 73, 96, 114}


def test_a_bias_gradient_of_a_batch_holds_for_one_sample() -> None:
    (c,) = rows()[106]
    assert c.outcome.special_cases == ("N = 1",)


def test_hypotheses_are_named() -> None:
    (c,) = rows()[86]
    assert c.outcome.hypotheses[0] == r"\sum_k t_{ik} = 1"
    (c,) = rows()[55]
    assert "L is a layer below the last" in c.outcome.hypotheses and "f acts elementwise" in c.outcome.hypotheses


def test_every_claim_of_the_corrected_notes_is_proved() -> None:
    statements = check_document(ROOT / "derivations" / "notes-corrected.md", Judge())
    assert {c.verdict for c in statements if c.kind != "remark"} <= {"proved", None}
    assert {c.verdict for c in statements if c.kind == "claim"} == {"proved"}
    assert sum(c.kind == "claim" for c in statements) > 45
