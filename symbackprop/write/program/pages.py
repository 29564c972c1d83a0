"""Derivations as text, Markdown, LaTeX and one HTML page."""

from __future__ import annotations

from html import escape

from symbackprop.write.html import page
from symbackprop.write.paper.derivation_latex import PREAMBLE
from symbackprop.write.paper.widths import broken, width

from .derivation import EVERYTHING, USUAL, Derivation, Line, Passage
from .notation import pretty

TEX = {"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$", "∂": r"$\partial$", "{": r"\{", "}": r"\}"}
REASON, WIDEST, FULL = 64, 46, 62  # columns; letters of a formula beside a reason, and of one that is made smaller


def as_text(d: Derivation, detail: int = USUAL) -> str:
    """For a terminal."""
    lines = [d.title, "=" * len(d.title), "", *shapes(d), ""]
    for p in d.passages:
        lines += [f"by {p.name}", "-" * (3 + len(p.name))]
        for line in p.shown(detail):
            text = f"  {line.left} = {line.right}"
            lines += (
                [f"{text:<{REASON}}  {line.reason}"]
                if len(text) <= REASON
                else [text, f"{'':<{REASON}}  {line.reason}"]
            )
        lines.append("")
    return "\n".join([*lines, footing(d), ""])


def shapes(d: Derivation) -> list[str]:
    known = (f"{n}: {' × '.join(map(str, s)) or 'a number'}" for n, s in d.shapes.items())
    return [", ".join(known)]


def footing(d: Derivation) -> str:
    given = f", given {', '.join(d.given)}" if d.given else ""
    return f"proved for all sizes{given}"


def as_markdown(d: Derivation, detail: int = USUAL) -> str:
    """With display formulas, as GitHub and Jupyter show them."""
    lines = [f"# {d.title}", "", *shapes(d), ""]
    for p in d.passages:
        rows = [rf"{x.latex_left} &= {x.latex_right} && \text{{{x.reason}}}" for x in p.shown(detail)]
        lines += [f"## The gradient by ${p.latex_name}$", "", "$$", r"\begin{aligned}", " \\\\\n".join(rows)]
        lines += [r"\end{aligned}", "$$", ""]
    return "\n".join([*lines, f"*{footing(d)}*", ""])


def as_latex(d: Derivation, detail: int = USUAL) -> str:
    """A document that compiles by itself; the same text in every run."""
    parts = [PREAMBLE.replace(r"\begin{document}", "\\usepackage{graphicx}\n\\begin{document}"),
             rf"\section*{{{tex_text(d.title)}}}", latex_shapes(d)]  # fmt: skip
    for p in d.passages:
        parts.append(rf"\subsection*{{The gradient by ${p.latex_name}$}}")
        parts.append(
            "\\begin{align*}\n" + " \\\\\n".join(r for x in p.shown(detail) for r in rows(x)) + "\n\\end{align*}"
        )
    return "\n".join([*parts, tex_text(footing(d)) + ".", r"\end{document}", ""])


def rows(line: Line) -> list[str]:
    head, *tail = broken(line.latex_right, WIDEST)
    first = rf"  {line.latex_left} &= {fitting(head)} && \why{{{tex_text(line.reason)}}}"
    return [first, *(rf"  &\quad {fitting(part)}" for part in tail)]


def fitting(tex: str) -> str:
    """A formula that cannot be broken, made smaller where it is too wide."""
    if width(tex) <= FULL:
        return tex
    return rf"\resizebox{{0.6\linewidth}}{{!}}{{$\displaystyle {tex}$}}"


def latex_shapes(d: Derivation) -> str:
    known = []
    for n, s in d.shapes.items():
        sizes = r" \times ".join(str(x).replace("*", r" \, ") for x in s)
        known.append(f"${pretty(n)}$" + (f" of ${sizes}$" if s else " a number"))
    return "With " + ", ".join(known) + "."


def tex_text(text: str) -> str:
    return "".join(
        {"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$", "∂": r"$\partial$"}.get(c, c) for c in text
    )


def as_html(d: Derivation) -> str:
    """One page that needs no network; the derivatives of each step are there to unfold."""
    parts = [f"<h1>{escape(d.title)}</h1>", f"<p>{escape(shapes(d)[0])}</p>"]
    parts += [html_passage(p) for p in d.passages]
    return page(d.title, f'<main class="derivation">{"".join(parts)}<p>{escape(footing(d))}.</p></main>')


def html_passage(p: Passage) -> str:
    usual = "".join(html_line(x) for x in p.lines if x.level < EVERYTHING)
    more = "".join(html_line(x) for x in p.lines if x.level == EVERYTHING)
    unfold = f"<details><summary>local derivatives</summary>{more}</details>" if more else ""
    return f'<section><h2>by <span class="tex">{escape(p.latex_name)}</span></h2>{usual}{unfold}</section>'


def html_line(line: Line) -> str:
    tex = escape(rf"{line.latex_left} = {line.latex_right}")
    return (
        f'<div class="step" title="{escape(line.reason)}"><div class="tex" data-display="true">{tex}</div>'
        f'<div class="reason">{escape(line.reason)}</div></div>'
    )


WRITERS = {"text": as_text, "markdown": as_markdown, "latex": as_latex}
