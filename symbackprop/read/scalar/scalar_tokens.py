"""Scalar LaTeX cut into tokens: numbers, known commands, letters, signs; other spellings become the usual one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from symbackprop.core.composed import COMPOSED
from symbackprop.core.functions import ROWS
from symbackprop.core.terms import SymbackpropError

_TOKEN = re.compile(r"\s*(?:(\\[A-Za-z]+|\\[,;:! {}|])|(\d+(?:\.\d+)?|\.\d+)|(.))", re.DOTALL)
_SPACE: Final = frozenset(
    [*r"\, \; \: \! \quad \qquad \left \right \big \Big \bigl \bigr \Bigl \Bigr \displaystyle".split(), "\\ "]
)
_SAME: Final = {
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\ln": r"\log", r"\{": "(", r"\}": ")", r"\lvert": "|", r"\rvert": "|",
    r"\times": r"\cdot", "*": r"\cdot", r"\gt": ">", r"\lt": "<",
}  # fmt: skip
_WORDS: Final = {
    **{word: f.words[0] for f in ROWS for word in f.words},
    **{word: name for name, c in COMPOSED.items() for word in c.words if name not in ("sqrt", "abs", "step")},
    "max": "max", "min": "min",
}  # fmt: skip


def tokens(text: str, variables: Sequence[str]) -> list[str]:
    """Numbers, commands, letters and signs; a variable of several characters is one token."""
    names = sorted((v for v in variables if len(v) > 1), key=len, reverse=True)
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        name = next((v for v in names if text.startswith(v, at) and not continues(v, text, at)), None)
        if name is not None:
            out.append(name)
            at += len(name)
            continue
        m = _TOKEN.match(text, at)
        assert m is not None
        at = m.end()
        token = m[1] or m[2] or m[3]
        if token in (r"\operatorname", r"\mathrm", r"\text"):
            word = re.compile(r"\s*\{\s*([A-Za-z]+)\s*\}").match(text, at)
            if word is None or word[1] not in _WORDS:
                raise SymbackpropError(f"{token} here is no function that is known: {', '.join(sorted(_WORDS))}")
            token, at = f"\\{_WORDS[word[1]]}", word.end()
        if token not in _SPACE:
            out.append(_SAME.get(token, token))
    return out


def continues(name: str, text: str, at: int) -> bool:
    r"""\theta in \thetaX is no match."""
    after = text[at + len(name) : at + len(name) + 1]
    return name.startswith("\\") and name[-1].isalpha() and after.isalpha()
