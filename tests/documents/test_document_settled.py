"""What the text itself settles, without declarations: shapes said further on, functions given by a formula, definitions
that are meant as such, conventions said in words.  And what it does not settle: a message, never a guess.

`data/settled.txt` holds a document behind each `=== name = verdicts + head`; heads are the blocks without verdicts.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symbackprop.documents.check import check_text

VERDICTS = {"P": "proved", "R": "refuted", "I": "ill-formed", "U": "unknown", "-": None}
_TITLE = re.compile(
    r"^=== (?P<name>[^=+\n]+?)(?: = (?P<verdicts>[PRIU\- ]+?))?(?: \+ (?P<head>[A-Z]+))?\n", re.MULTILINE
)


def documents() -> dict[str, tuple[str, list[str | None]]]:
    text = (Path(__file__).parents[1] / "data" / "settled.txt").read_text()
    titles = [*_TITLE.finditer(text)]
    heads: dict[str, str] = {"": ""}
    out: dict[str, tuple[str, list[str | None]]] = {}
    for m, following in zip(titles, [*titles[1:], None], strict=True):
        body = text[m.end() : following.start() if following else len(text)].strip("\n")
        if m["verdicts"] is None:
            heads[m["name"]] = f"{body}\n\n"
        else:
            out[m["name"]] = heads[m["head"] or ""] + body, [VERDICTS[v] for v in m["verdicts"].split()]
    return out


DOCUMENTS = documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_the_text_settles(name: str) -> None:
    text, expected = DOCUMENTS[name]
    found = check_text(text)
    assert [c.verdict for c in found] == expected, [(c.latex, c.verdict, c.outcome.message) for c in found]
