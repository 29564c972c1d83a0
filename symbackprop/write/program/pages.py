"""Derivations as text, Markdown and LaTeX."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator

from symbackprop.write.paper.layout import COLUMNS, QUOTED, beside, latex_rows
from symbackprop.write.paper.term_parts import GREEK, SPECIAL

from .lines import USUAL, Derivation, Line, Passage

SIGNS = {
    "∂": r"\partial", "²": "^2", "√": r"\surd", "≥": r"\ge", "≤": r"\le", "≠": r"\ne", "∘": r"\circ",
    "×": r"\times", "·": r"\cdot", "∇": r"\nabla", **{k: "\\" + v for k, v in GREEK.items()},
}  # fmt: skip
CONTINUED = 6  # letters before a line that goes on
PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\usepackage[margin=2cm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.4em}
\newcommand{\why}[1]{\parbox[t]{5.2cm}{\raggedright\footnotesize #1}}
\begin{document}
"""
MACROS = r"""\providecommand{\why}[1]{\parbox[t]{5.2cm}{\raggedright\footnotesize #1}}
"""


# --- text ----------------------------------------------------------------------------------------


def as_text(d: Derivation, detail: int = USUAL) -> str:
    """For a terminal of 80 columns."""
    lines = [*textwrap.wrap(d.title, COLUMNS), "=" * min(len(d.title), COLUMNS), "", *shapes(d), *remarks(d), ""]
    for p in d.passages:
        lines += [f"by {p.name}", "-" * (3 + len(p.name))]
        lines += [*text_lines(p, detail), ""]
    return "\n".join([*lines, footing(d), ""])


def text_lines(p: Passage, detail: int, columns: int = COLUMNS) -> Iterator[str]:
    for line in p.shown(detail):
        indent = 2 if line.left else CONTINUED
        yield from beside(f"{line.left} = {line.right}".strip(), line.reason, indent, columns)


def shapes(d: Derivation) -> list[str]:
    known = (f"{name[0]}: {' × '.join(map(str, s)) or 'a number'}" for name, s in d.shapes)
    return textwrap.wrap(", ".join(known), COLUMNS)


def remarks(d: Derivation) -> list[str]:
    return [line for r in d.remarks for line in textwrap.wrap(f"({r})", COLUMNS)]


def footing(d: Derivation) -> str:
    given = f", given {', '.join(d.given)}" if d.given else ""
    return f"proved for all sizes{given}"


# --- Markdown ------------------------------------------------------------------------------------


def as_markdown(d: Derivation, detail: int = USUAL) -> str:
    """With display formulas, as GitHub and Jupyter show them."""
    lines = [f"# {d.title}", "", ", ".join(latex_shapes(d)), ""]
    lines += [f"*{r}*\n" for r in d.remarks]
    for p in d.passages:
        lines += [f"## The gradient by ${p.latex_name}$", "", "$$", aligned(p, detail), "$$", ""]
    return "\n".join([*lines, f"*{footing(d)}*", ""])


def aligned(p: Passage, detail: int = USUAL) -> str:
    rows = [rf"{x.latex_left} &= {x.latex_right} && \text{{{why(x, p, words)}}}" for x in p.shown(detail)]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def why(line: Line, p: Passage, words: Callable[[str], str], formula: str = "${}$") -> str:
    """The reason of a line, with the names in it as formulas."""
    if line.why:
        parts = QUOTED.split(line.why)
        return "".join(formula.format(x) if n % 2 else words(x) for n, x in enumerate(parts))
    said, variable = line.reason.removesuffix(f" in {p.name}"), formula.format(p.latex_name)
    return words(line.reason) if said == line.reason else f"{words(said)} in {variable}"


def words(text: str) -> str:
    r"""Inside \text{}: signs of mathematics in formulas of their own."""
    return "".join(f"${SIGNS[c]}$" if c in SIGNS else c for c in text)


# --- LaTeX ---------------------------------------------------------------------------------------


def as_latex(d: Derivation, detail: int = USUAL) -> str:
    """A document that compiles by itself; the same text in every run."""
    head = PREAMBLE.replace(r"\begin{document}", "\\usepackage{graphicx}\n\\begin{document}")
    return head + sections(d, detail) + "\\end{document}\n"


def as_fragment(d: Derivation, detail: int = USUAL) -> str:
    r"""To be put into a document that uses amsmath and graphicx."""
    return MACROS + sections(d, detail)


def sections(d: Derivation, detail: int) -> str:
    parts = [rf"\section*{{{tex_text(d.title)}}}", "With " + ", ".join(latex_shapes(d)) + "."]
    parts += [tex_text(r[0].upper() + r[1:]) + "." for r in d.remarks]
    for p in d.passages:
        parts.append(rf"\subsection*{{The gradient by ${p.latex_name}$}}")
        parts.append("\\begin{align*}\n" + " \\\\\n".join(latex_lines(p, detail)) + "\n\\end{align*}")
    said = footing(d)
    return "\n".join([*parts, with_names(said[0].upper() + said[1:], d) + ".", ""])


def latex_lines(p: Passage, detail: int) -> Iterator[str]:
    for x in p.shown(detail):
        yield from latex_rows(x.latex_left, x.latex_right, why(x, p, tex_text))


def with_names(text: str, d: Derivation) -> str:
    """Words for LaTeX in which the names of the page are formulas."""
    known = {name[0]: f"${name[1]}$" for name, _ in d.shapes}
    return "".join(known.get(w) or tex_text(w) for w in re.split(r"(\w+)", text))


def latex_shapes(d: Derivation) -> list[str]:
    known = []
    for name, s in d.shapes:
        sizes = r" \times ".join(str(x).replace("*", r" \, ") for x in s)
        known.append(f"${name[1]}$" + (f" of ${sizes}$" if s else " a number"))
    return known


def tex_text(text: str) -> str:
    """Words for LaTeX, which prints them and obeys nothing in them."""
    return "".join(f"${SIGNS[c]}$" if c in SIGNS else SPECIAL.get(c, c) if c.isascii() else "?" for c in text)

