"""Derivations as LaTeX documents that compile by themselves, line by line with the reasons beside the lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeGuard, cast, get_args

from symbackprop.core.context import Same
from symbackprop.core.matrix import UNIT, Matrix, shape
from symbackprop.core.terms import Term, predicate_key
from symbackprop.network.derivation import At, Derivation, Expression

from .layout import latex_prose, latex_rows
from .matrix_writer import MatrixWriter
from .term_parts import latex_name
from .text import Latex

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
