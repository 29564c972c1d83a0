"""The author's derivations written out, law by law, as a LaTeX document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symbackprop.decide.outcomes import DIFFER, Checked, Line
from symbackprop.write.paper.term_parts import SIGNS, latex_words

from .derivation import derivation
from .terminal import details

PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage{amsmath,amssymb,bm,xcolor,graphicx}
\usepackage[margin=2.2cm]{geometry}
\setlength{\parindent}{0pt}\setlength{\parskip}{3pt}
\newsavebox{\formula}
\newcommand{\fit}[2]{\sbox{\formula}{$\displaystyle #2$}%
  \ifdim\wd\formula>#1\resizebox{#1}{!}{\usebox{\formula}}\else\usebox{\formula}\fi}
\newcommand{\step}[2]{\par\hspace*{1.5em}\makebox[.7\linewidth][l]{\fit{.7\linewidth}{#1}}\hfill
  \parbox{.24\linewidth}{\raggedright\footnotesize\color{gray}#2}}
\newcommand{\said}[3]{\par\medskip\makebox[.7\linewidth][l]{\fit{.7\linewidth}{#1}}\hfill
  \parbox{.24\linewidth}{\raggedright\footnotesize\textbf{#2} #3}}
\newcommand{\note}[2]{\par\hspace*{1.5em}{\footnotesize\textit{#1}\quad #2}}
"""


def latex_page(title: str, statements: Sequence[Checked]) -> str:
    """One document: headings, definitions, each claim with its derivation or with what is wrong."""
    lines = [PREAMBLE, rf"\title{{{latex_words(title)}}}\date{{}}", r"\begin{document}\maketitle"]
    section: tuple[str, ...] = ()
    for c in statements:
        found = c.reading.formula.section
        if found != section:
            level = r"\section*" if len(found) <= 1 else r"\subsection*"
            lines.append(rf"{level}{{{mixed(found[-1]) if found else ''}}}")
            section = found
        lines += statement(c)
    return "\n".join([*lines, r"\end{document}", ""])


def statement(c: Checked) -> Iterator[str]:
    where = f"line {c.line}" if c.cell is None else f"cell {c.cell}, line {c.line}"
    if c.verdict is None and c.kind != "definition" and not c.asked:
        return
    shown = c.outcome.repair.latex if c.asked and c.outcome.repair is not None else c.latex
    yield rf"\said{{{formula(shown)}}}{{{c.verdict or ('answer' if c.asked else c.kind)}}}{{{where}}}"
    if c.outcome.proof is not None:
        yield from map(step, derivation(c.outcome.proof))
        if c.outcome.hypotheses:
            yield rf"\note{{rests on}}{{{mixed('; '.join(c.outcome.hypotheses))}}}"
    elif c.bad or c.open:
        said = c.outcome.mistake or c.outcome.message
        if said and said != DIFFER:
            yield rf"\note{{{'why' if c.open else 'mistake'}}}{{{mixed(said)}}}"
        for label, value in details(c.outcome, said):
            if label == "proved instead":
                yield rf"\step{{{formula(value)}}}{{proved instead}}"
            elif label == "true only when":
                yield rf"\note{{{label}}}{{{mixed(value)}}}"


def step(line: Line) -> str:
    sign = "" if line.opens else "= "
    return rf"\step{{{formula(sign + line.latex)}}}{{{mixed(line.reason)}}}"


def formula(latex: str) -> str:
    """As the author wrote it, in signs that every LaTeX has; without labels, tabs of align and loose ends."""
    latex = re.sub(r"\\(?:label|tag\*?|notag|nonumber)(?:\{[^{}]*\})?", " ", latex)
    latex = re.sub(r"(?<!\\)[&%#~]|\n\s*\n", " ", latex)
    return (
        "".join(f"{SIGNS[c]} " if c in SIGNS else c if ord(c) < 128 else "?" for c in latex)
        .strip()
        .rstrip("\\")
        .strip()
    )


def mixed(words: str) -> str:
    """Words among which formulas stand."""
    out = []
    for piece in re.split(r"(\$[^$]*\$|\S*\\\S+)", words):
        inner = piece.strip("$")
        out.append(f"${formula(inner)}$" if "\\" in inner or piece.startswith("$") else latex_words(piece))
    return "".join(out)
