"""Derivations as text, Markdown and LaTeX."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

from symbackprop.write.paper.derivations import PREAMBLE
from symbackprop.write.paper.layout import COLUMNS, beside, latex_rows
from symbackprop.write.paper.term_parts import GREEK, SPECIAL

from .derivation import USUAL, Derivation, Line, Passage

SIGNS = {
    "∂": r"\partial", "²": "^2", "√": r"\surd", "≥": r"\ge", "≤": r"\le", "≠": r"\ne", "∘": r"\circ",
    "×": r"\times", "·": r"\cdot", "∇": r"\nabla", **{k: "\\" + v for k, v in GREEK.items()},
}  # fmt: skip
MACROS = r"""\providecommand{\why}[1]{\parbox[t]{5.2cm}{\raggedright\footnotesize #1}}
"""


# --- text ----------------------------------------------------------------------------------------


def as_text(d: Derivation, detail: int = USUAL) -> str:
    """For a terminal of 80 columns."""
    lines = [*textwrap.wrap(d.title, COLUMNS), "=" * min(len(d.title), COLUMNS), "", *shapes(d), *remarks(d), ""]
    for p in d.passages:
        lines += [f"by {p.name}", "-" * (3 + len(p.name))]
        for line in p.shown(detail):
            lines += beside(f"{line.left} = {line.right}", line.reason)
        lines.append("")
    return "\n".join([*lines, footing(d), ""])


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
    """The reason of a line, with the variable's name as a formula."""
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
        shown = p.shown(detail)
        rows = [row for x in shown for row in latex_rows(x.latex_left, x.latex_right, why(x, p, tex_text))]
        parts.append(rf"\subsection*{{The gradient by ${p.latex_name}$}}")
        parts.append("\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}")
    said = footing(d)
    return "\n".join([*parts, with_names(said[0].upper() + said[1:], d) + ".", ""])


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

