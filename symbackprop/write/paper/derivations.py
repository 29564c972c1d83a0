"""Derivations as LaTeX documents that compile by themselves, as Markdown, and for the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TypeGuard, cast, get_args

from symbackprop.core.context import Same
from symbackprop.core.matrix import UNIT, Matrix, shape
from symbackprop.core.terms import Term, predicate_key
from symbackprop.network.derivation import At, Derivation, Expression
from symbackprop.write.paper.layout import COLUMNS, QUOTED, beside, latex_formula, latex_prose, latex_rows, plain_prose
from symbackprop.write.paper.matrix_writer import MatrixWriter
from symbackprop.write.paper.term_parts import latex_name, plain_name
from symbackprop.write.paper.text import Latex, Plain

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


def latex_document(title: str, derivations: Iterable[Derivation]) -> str:
    """A whole document; the same text in every run."""
    body = "\n".join(line for d in derivations for line in section(d))
    return f"{PREAMBLE}\\section*{{{latex_prose(title)}}}\n{body}\\end{{document}}\n"


def section(d: Derivation) -> Iterator[str]:
    """One derivation: what is given, the theorem, the lines, and what the theorem rests on."""
    writer = writer_for(d)
    yield rf"\subsection*{{{latex_prose(d.title)}}}"
    given = [f"  {side(a, writer)} &= {side(b, writer)}" for a, b in d.setting if d.claim is None or b != d.claim.lhs]
    yield latex_prose(d.about) + (" Let" if given else "")
    if given:
        yield "\\begin{align*}\n" + " \\\\\n".join(given) + "\n\\end{align*}"
    yield f"Then\n\\[\n  {theorem(d, writer)}\n\\]\n{scope(d, writer)}"
    yield "\\begin{align*}\n" + " \\\\\n".join(aligned(d, writer)) + "\n\\end{align*}\n"


def writer_for(d: Derivation) -> Latex:
    return Latex(d.sizes, d.layout == "numerator")


def theorem(d: Derivation, writer: MatrixWriter) -> str:
    """The compact form of the theorem, with the name of its left side if it has one, or the index form."""
    if d.claim is None:
        return f"{writer(d.theorem.lhs)} = {writer(d.theorem.rhs)}"
    names = [f"{side(a, writer)} = " for a, b in d.setting if b == d.claim.lhs]
    return f"{''.join(names)}{writer.matrix(d.claim.lhs)} = {writer.matrix(d.claim.rhs)}"


def scope(d: Derivation, writer: Latex) -> str:
    """For which sizes, under which hypotheses and conditions."""
    text = "for all sizes $" + ", ".join(map(latex_name, d.sizes)) + "$"
    for name in sorted(d.theorem.hypotheses):
        h = d.context.hypotheses[name]
        said = f"{writer(h.lhs)} = {writer(h.rhs)}" if isinstance(h, Same) else writer.condition(h)
        text += f", provided that ${said}$ ({latex_prose(name)})"
    conditions = [writer.condition(c) for c in sorted(d.theorem.conditions, key=predicate_key)]
    if conditions:
        text += ", where $" + "$, $".join(conditions) + "$"
    return text + "."


def aligned(d: Derivation, writer: Latex) -> Iterator[str]:
    first, *rest = d.lines
    left = expression(first.expression, writer)
    for n, line in enumerate(rest):
        right = expression(line.expression, writer)
        yield from latex_rows(left if n == 0 else "", right, latex_prose(line.reason))


def expression(e: Expression, writer: MatrixWriter) -> str:
    """A line: a term, or an entry of a form in brackets with its indices."""
    if not isinstance(e, At):
        return writer(e)
    subs = [writer.index(i) for i, n in zip((e.row, e.column), shape(e.form), strict=True) if n != UNIT]
    inner = writer.matrix(e.form)
    return writer.entries(inner, subs) if subs else inner


def side(e: Expression | Matrix, writer: MatrixWriter) -> str:
    """A side of a given equation: a term, an entry of a form, or a form."""
    if isinstance(e, At):
        return writer(e.term)
    return writer.matrix(e) if is_matrix(e) else writer(cast(Term, e))


def is_matrix(e: Expression | Matrix) -> TypeGuard[Matrix]:
    return isinstance(e, get_args(Matrix))


def plain_derivation(d: Derivation) -> str:
    """The derivation as it is read in a terminal."""
    writer = plain_writer(d)
    title = plain_prose(d.title)
    lines = [title, "-" * len(title), *wrapped(plain_prose(d.about))]
    lines += [f"    {side(a, writer)} = {side(b, writer)}" for a, b in d.setting if d.claim is None or b != d.claim.lhs]
    first, *rest = d.lines
    lines += ["", f"  {expression(first.expression, writer)}"]
    for line in rest:
        lines += beside(f"= {expression(line.expression, writer)}", plain_prose(line.reason), 4)
    return "\n".join([*lines, "", f"  proved: {plain_theorem(d)}", f"  {plain_scope(d)}"])


def plain_theorem(d: Derivation) -> str:
    return theorem(d, plain_writer(d))


def plain_writer(d: Derivation) -> Plain:
    return Plain(d.sizes, d.layout == "numerator")


def plain_scope(d: Derivation) -> str:
    """For which sizes, under which hypotheses and conditions."""
    return ", ".join(x for x in (f"for all {plain_sizes(d)}", plain_terms(d)) if x)


def plain_sizes(d: Derivation) -> str:
    return ", ".join(map(plain_name, d.sizes))


def plain_terms(d: Derivation) -> str:
    """What the theorem needs: its hypotheses, and conditions that are not plain."""
    writer = plain_writer(d)
    parts = []
    for name in sorted(d.theorem.hypotheses):
        h = d.context.hypotheses[name]
        said = f"{writer(h.lhs)} = {writer(h.rhs)}" if isinstance(h, Same) else writer.condition(h)
        parts.append(f"provided that {said}")
    parts += [f"where {writer.condition(c)}" for c in sorted(d.theorem.conditions, key=predicate_key)]
    return ", ".join(parts)


def wrapped(text: str) -> list[str]:
    return [f"  {line}" for line in wrap(text, COLUMNS - 2)]


def markdown_document(title: str, derivations: Iterable[Derivation]) -> str:
    """A Markdown page with display formulas, as GitHub and Jupyter show them."""
    return "\n".join([f"# {markdown_prose(title)}", "", *(part for d in derivations for part in markdown_section(d))])


def markdown_section(d: Derivation) -> list[str]:
    writer = writer_for(d)
    given = [f"{side(a, writer)} = {side(b, writer)}" for a, b in d.setting if d.claim is None or b != d.claim.lhs]
    lines = [f"## {markdown_prose(d.title)}", "", markdown_prose(d.about), ""]
    if given:
        lines += ["Let", "", "$$" + r", \qquad ".join(given) + "$$", ""]
    lines += ["Then", "", f"$${theorem(d, writer)}$$", "", scope(d, writer), ""]
    first, *rest = d.lines
    rows = [rf"{expression(first.expression, writer)} &= {expression(rest[0].expression, writer)}"]
    rows += [rf"&= {expression(line.expression, writer)}" for line in rest[1:]]
    lines += ["$$\\begin{aligned}", " \\\\\n".join(rows), "\\end{aligned}$$", ""]
    lines += [f"{n}. {markdown_prose(line.reason)}" for n, line in enumerate(rest, 1)]
    return [*lines, ""]


def markdown_prose(text: str) -> str:
    return QUOTED.sub(lambda m: f"${latex_formula(m[1])}$", text)
