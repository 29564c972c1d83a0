"""Derivations for the terminal, and as Markdown with LaTeX formulas."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from symbackprop.core.context import Same
from symbackprop.core.terms import predicate_key
from symbackprop.network.derivation import Derivation

from .derivation_latex import expression, scope, side, theorem, writer_for
from .layout import COLUMNS, QUOTED, beside, latex_formula, plain_prose
from .term_parts import plain_name
from .text import Plain


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
