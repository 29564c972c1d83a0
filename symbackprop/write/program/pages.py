"""Derivations as text, Markdown, LaTeX, PDF and as one HTML page that needs no network."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from html import escape

from symbackprop.write.html import page
from symbackprop.write.paper.layout import COLUMNS, QUOTED, beside, latex_rows
from symbackprop.write.paper.term_parts import latex_words, words
from symbackprop.write.program.drawing import as_svg
from symbackprop.write.program.lines import EVERYTHING, USUAL, Derivation, Line, Passage

CONTINUED = 6  # letters before a line that goes on
PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb,graphicx}
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


def why(line: Line, p: Passage, said_as: Callable[[str], str], formula: str = "${}$") -> str:
    """The reason of a line, with the names in it as formulas."""
    if line.why:
        parts = QUOTED.split(line.why)
        return "".join(formula.format(x) if n % 2 else said_as(x) for n, x in enumerate(parts))
    said, variable = line.reason.removesuffix(f" in {p.name}"), formula.format(p.latex_name)
    return said_as(line.reason) if said == line.reason else f"{said_as(said)} in {variable}"


# --- LaTeX ---------------------------------------------------------------------------------------


def as_latex(d: Derivation, detail: int = USUAL) -> str:
    """A document that compiles by itself; the same text in every run."""
    return PREAMBLE + sections(d, detail) + "\\end{document}\n"


def as_fragment(d: Derivation, detail: int = USUAL) -> str:
    r"""To be put into a document that uses amsmath and graphicx."""
    return MACROS + sections(d, detail)


def sections(d: Derivation, detail: int) -> str:
    parts = [rf"\section*{{{latex_words(d.title)}}}", "With " + ", ".join(latex_shapes(d)) + "."]
    parts += [latex_words(r[0].upper() + r[1:]) + "." for r in d.remarks]
    for p in d.passages:
        parts.append(rf"\subsection*{{The gradient by ${p.latex_name}$}}")
        parts.append("\\begin{align*}\n" + " \\\\\n".join(latex_lines(p, detail)) + "\n\\end{align*}")
    said = footing(d)
    return "\n".join([*parts, with_names(said[0].upper() + said[1:], d) + ".", ""])


def latex_lines(p: Passage, detail: int) -> Iterator[str]:
    for x in p.shown(detail):
        yield from latex_rows(x.latex_left, x.latex_right, why(x, p, latex_words))


def with_names(text: str, d: Derivation) -> str:
    """Words for LaTeX in which the names of the page are formulas."""
    known = {name[0]: f"${name[1]}$" for name, _ in d.shapes}
    return "".join(known.get(w) or latex_words(w) for w in re.split(r"(\w+)", text))


def latex_shapes(d: Derivation) -> list[str]:
    known = []
    for name, s in d.shapes:
        sizes = r" \times ".join(str(x).replace("*", r" \, ") for x in s)
        known.append(f"${name[1]}$" + (f" of ${sizes}$" if s else " a number"))
    return known


SUBSCRIPT = re.compile(r"(?<=_\{)[a-z](?:,?[a-z])*(?=\})")
SIGMA = re.compile(r"(?<=\\sum_\{)([a-z])(?==)")
HUES = 7  # classes of the style sheet


# --- HTML -----------------------------------------------------------------------------------------


def as_html(d: Derivation) -> str:
    """The derivatives of each step are there to unfold; indices are coloured, shapes shown when pointed at."""
    return page(d.title, f'<main class="derivation" data-shapes="{pointed_at(d)}">{html_body(d)}</main>')


def pointed_at(d: Derivation) -> str:
    """The shapes of letters, as JSON in an attribute."""
    known = {v.name: " × ".join(map(str, v.shape)) or "a number" for v in d.picture.vertices if len(v.name) == 1}
    return escape(json.dumps(known, ensure_ascii=False), quote=True)


def html_body(d: Derivation, notebook: bool = False) -> str:
    """What stands in the page; a notebook typesets formulas between dollars and has no style of ours."""
    parts = [f"<h1>{escape(d.title)}</h1>", html_shapes(d)]
    parts += [f'<p class="remark">{escape(r)}</p>' for r in d.remarks]
    if d.picture.edges:
        parts.append(f'<figure class="graphs">{as_svg(d.picture, False)}</figure>')
    parts += map(html_passage, d.passages)
    whole = "".join([*parts, f"<p>{escape(footing(d))}.</p>"])
    return in_dollars(whole) if notebook else whole


def passages(d: Derivation) -> str:
    """The passages alone."""
    return f'<div class="derivation">{"".join(map(html_passage, d.passages))}</div>'


def in_dollars(html: str) -> str:
    """The formulas as a notebook typesets them, in black."""
    html = re.sub(r'<div class="tex" data-display="true">(.*?)</div>', r"<div>$$\1$$</div>", html)
    html = re.sub(r'<span class="tex">(.*?)</span>', r"$\1$", html)
    return re.sub(r"\\htmlClass\{index\d\}\{(.)\}", r"\1", html)


def html_shapes(d: Derivation) -> str:
    known = []
    for name, s in d.shapes:
        sizes = r" \times ".join(str(x).replace("*", r" \, ") for x in s)
        said = rf"{name[1]} \in \mathbb{{R}}^{{{sizes}}}" if s else rf"{name[1]} \in \mathbb{{R}}"
        known.append(f'<span class="tex">{escape(said)}</span>')
    return f'<p class="shapes">{" ".join(known)}</p>'


def html_passage(p: Passage) -> str:
    usual = "".join(step(x, p) for x in p.lines if x.level < EVERYTHING)
    more = "".join(step(s, p) for x in p.lines if x.level == EVERYTHING for s in x.steps or (x,))
    unfold = f"<details><summary>local derivatives</summary>{more}</details>" if more else ""
    return f'<section><h2>by <span class="tex">{escape(p.latex_name)}</span></h2>{usual}{unfold}</section>'


def step(line: Line, p: Passage) -> str:
    tex = escape(coloured(rf"{line.latex_left} = {line.latex_right}".strip()))
    reason = why(line, p, escape, '<span class="tex">{}</span>')
    return f'<div class="step"><div class="tex" data-display="true">{tex}</div><div class="reason">{reason}</div></div>'


def coloured(tex: str) -> str:
    """Each index letter in a colour of its own, the same through a formula."""
    letters = dict.fromkeys(c for m in SUBSCRIPT.findall(tex) for c in m if c != ",")
    letters |= dict.fromkeys(SIGMA.findall(tex))
    hue = {c: k % HUES for k, c in enumerate(sorted(letters))}

    def marked(text: str) -> str:
        return "".join(rf"\htmlClass{{index{hue[c]}}}{{{c}}}" if c in hue else c for c in text)

    return SIGMA.sub(lambda m: marked(m[1]), SUBSCRIPT.sub(lambda m: marked(m[0]), tex))


WRITERS: Mapping[str, Callable[[Derivation, int], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "latex": as_latex,
    "fragment": as_fragment,
    "html": lambda d, _: as_html(d),
    "svg": lambda d, _: as_svg(d.picture),
}
