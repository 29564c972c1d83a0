"""A sample of the table of verdicts, which `make verdicts` regenerates: what changes is to be seen in a diff."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import pytest

HERE = Path(__file__).parents[1]
sys.path.insert(0, str(HERE.parent / "benchmarks"))

from verdicts import CORPORA, SECONDS, TABLE, corpus, decided  # noqa: E402

KNOWN: dict[str, dict[str, list[str]]] = json.loads(TABLE.read_text(encoding="utf-8"))
CASES = {name: corpus(name) for name in CORPORA}
QUICK = [(c, n) for c in CORPORA for n, (_, time) in KNOWN.get(c, {}).items() if time == "quick" and n in CASES[c]]


@pytest.mark.parametrize(("name", "statement"), sorted(Random("verdicts").sample(QUICK, min(30, len(QUICK)))))
def test_a_verdict_is_as_in_the_table(name: str, statement: str) -> None:
    assert decided(CASES[name][statement], SECONDS).status == KNOWN[name][statement][0]


@pytest.mark.parametrize("name", CORPORA)
def test_the_table_has_every_statement(name: str) -> None:
    assert CASES[name].keys() == KNOWN[name].keys()


@pytest.mark.parametrize("name", CORPORA)
def test_no_verdict_is_wrong(name: str) -> None:
    for statement, (status, _) in KNOWN[name].items():
        true = CASES[name][statement].truth
        assert status not in (("refuted", "ill-formed") if true else ("proved",)), statement
