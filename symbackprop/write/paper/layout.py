"""How a line of a derivation stands beside its reason: in a terminal of 80 columns, and in LaTeX."""

from __future__ import annotations

import re
import textwrap

from .widths import broken, width

COLUMNS, REASON = 80, 54  # of a terminal; where reasons begin
WIDEST, FULL = 46, 62  # letters of a formula beside a reason, and of one that is made smaller


def beside(formula: str, reason: str, indent: int = 2) -> list[str]:
    """The formula with its reason beside it, or below it, to the right, where one of them is long."""
    lines = [" " * indent + part for part in in_columns(formula, COLUMNS - indent)]
    start = min(REASON, COLUMNS - len(reason))
    if reason and len(lines[-1]) <= start - 2:  # in one row, further to the left where it is long
        return [*lines[:-1], f"{lines[-1]:<{start}}{reason}"]
    why = textwrap.wrap(reason, COLUMNS - REASON) or [""]
    if len(lines[-1]) <= REASON - 2 and len(why) < 3:
        last = lines.pop()
        return [*lines, f"{last:<{REASON}}{why[0]}".rstrip(), *(f"{'':<{REASON}}{w}" for w in why[1:])]
    below = textwrap.wrap(reason, COLUMNS - 8)
    start = min(REASON, COLUMNS - max(map(len, below)))
    return [*lines, *(" " * start + w for w in below)]


def in_columns(text: str, columns: int) -> list[str]:
    """The text in lines, broken before a sign that stands in as few brackets as possible."""
    if len(text) <= columns:
        return [text]
    depth, places = 0, []
    for k, c in enumerate(text[: columns + 1]):
        depth += (c in "([") - (c in ")]")
        if c == " " and re.match(r" (?:[+∘=-] |Σ|∂|\()", text[k:]) and k > 12:
            places.append((depth, -k))
    at = -min(places)[1] if places else columns
    return [text[:at], *("    " + part for part in in_columns(text[at:].strip(), columns - 4))]


def latex_rows(left: str, right: str, why: str) -> list[str]:
    r"""Rows of an align*; `why` is LaTeX and stands in \why beside the first."""
    head, *tail = broken(right, WIDEST)
    return [rf"  {left} &= {fitting(head)} && \why{{{why}}}", *(rf"  &\quad {fitting(part)}" for part in tail)]


def fitting(tex: str) -> str:
    """A formula that cannot be broken, made smaller where it is too wide."""
    if width(tex) <= FULL:
        return tex
    return rf"\resizebox{{0.6\linewidth}}{{!}}{{$\displaystyle {tex}$}}"
