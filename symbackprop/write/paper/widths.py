"""How wide LaTeX comes out, roughly, and where a long line of it can be broken."""

from __future__ import annotations

import re

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
