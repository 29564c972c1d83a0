"""Lines of a derivation in a terminal of 80 columns and in LaTeX: sentences, reasons beside them, where to break."""

from __future__ import annotations

import re
import textwrap

from .term_parts import SIGNS, escaped

# --- how wide LaTeX comes out, roughly, and where a long line of it can be broken ---


FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
LIMITS = re.compile(r"\\(?:sum|prod|max)_\{[^{}]*\}(?:\^\{[^{}]*\})?")
GROUP = re.compile(r"[_^]\{([^{}]*)\}")
KEPT = (r"\frac", r"\sum", r"\prod", r"\max")
WORDS = {r"\log": "xxx", r"\tanh": "xxxx", r"\sin": "xxx", r"\cos": "xxx", r"\exp": "xxx", r"\det": "xxx"}


def width(tex: str) -> int:
    """The width in letters of a formula."""
    tex = re.sub(r"\\(?:left|right|operatorname|mathsf|mathbf|mathrm|mathcal|,)", "", tex)
    tex = re.sub(r"\\[A-Za-z]+", lambda m: m[0] if m[0] in KEPT else WORDS.get(m[0], "x"), tex)
    while True:
        shorter = LIMITS.sub("XXX", tex)
        shorter = GROUP.sub(lambda m: "." * round(0.7 * len(m[1])), shorter)
        shorter = FRACTION.sub(lambda m: "x" * (max(len(m[1]), len(m[2])) + 1), shorter)
        shorter = re.sub(r"\{([^{}\\]*)\}(?!\{)", r"\1", shorter) if shorter == tex else shorter
        if shorter == tex:
            return len(re.sub(r"[{}^_ \\]", "", tex)) + tex.count(" + ") + tex.count(" - ")
        tex = shorter


def broken(tex: str, limit: int) -> list[str]:
    """The formula in lines no wider than the limit, if it can be: broken before + and -, else before a factor."""
    if width(tex) <= limit:
        return [tex]
    for pattern in (r" (?=[+-] )", r" (?=\\sum|\\left\(|\\frac|\()", r" (?=\\circ )"):
        cuts = [m.start() for m in re.finditer(pattern, tex) if outside(tex, m.start())]
        if cuts:
            return filled(tex, cuts, limit)
    return [tex]


def filled(tex: str, cuts: list[int], limit: int) -> list[str]:
    pieces = [tex[a:b] for a, b in zip([0, *cuts], [*cuts, len(tex)], strict=True)]
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if width(lines[-1] + piece) <= limit:
            lines[-1] += piece
        else:
            lines.append(piece.strip())
    return [part for line in lines for part in (broken(line, limit) if line != tex else [line])]


def outside(tex: str, at: int) -> bool:
    """Whether the place is outside all brackets."""
    depth = 0
    for token in re.findall(r"\\left|\\right|\\.|[{}()]", tex[:at]):
        if token in ("{", "\\left", "("):
            depth += 1
        elif token in ("}", "\\right", ")"):
            depth -= 1
    # \left( counts twice and so does \right)
    return depth == 0


# --- sentences with formulas between backticks: "only `a` depends on `z`", for LaTeX and for the terminal ---

QUOTED = re.compile(r"`([^`]*)`")


def plain_prose(text: str) -> str:
    """The sentence without backticks."""
    return QUOTED.sub(r"\1", text)


def latex_prose(text: str) -> str:
    """The sentence with its formulas in math mode."""
    parts = QUOTED.split(text)
    return "".join(f"${latex_formula(p)}$" if n % 2 else escaped(p) for n, p in enumerate(parts))


def latex_formula(text: str) -> str:
    text = re.sub(r"_(\w\w+)", r"_{\1}", text)
    return "".join(SIGNS[c] + " " if c in SIGNS else c for c in text if c.isascii() or c in SIGNS)


# --- how a line of a derivation stands beside its reason: in a terminal of 80 columns, and in LaTeX ---


COLUMNS, REASON = 80, 54  # of a terminal; where reasons begin
WIDEST, FULL = 46, 62  # letters of a formula beside a reason, and of one that is made smaller


def beside(formula: str, reason: str, indent: int = 2, columns: int = COLUMNS) -> list[str]:
    """The formula with its reason beside it, or below it, to the right, where one of them is long."""
    lines = [" " * indent + part for part in in_columns(formula, columns - indent)]
    start = min(REASON, columns - len(reason))
    if reason and len(lines[-1]) <= start - 2:  # in one row, further to the left where it is long
        return [*lines[:-1], f"{lines[-1]:<{start}}{reason}"]
    why = textwrap.wrap(reason, columns - REASON) or [""]
    if len(lines[-1]) <= REASON - 2 and len(why) < 3:
        last = lines.pop()
        return [*lines, f"{last:<{REASON}}{why[0]}".rstrip(), *(f"{'':<{REASON}}{w}" for w in why[1:])]
    below = textwrap.wrap(reason, columns - 8)
    start = min(REASON, columns - max(map(len, below)))
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
