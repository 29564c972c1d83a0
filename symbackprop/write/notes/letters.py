"""Terms of a document on paper: arrays and sizes have the names that the author gave them, which are LaTeX already."""

from __future__ import annotations

import re

from symbackprop.core.terms import Array, Predicate
from symbackprop.numbers.refute.search import Counterexample
from symbackprop.write.paper.latex import Latex
from symbackprop.write.paper.term_parts import latex_name, plain_name
from symbackprop.write.paper.text import Plain

_WORDED = re.compile(r"([A-Za-z])(-[A-Za-z]+)")  # n-neurons, from n\\text{-neurons}
ROW, COLUMN = "i°", "j°"  # the row and column of compared arrays


class DocumentLatex(Latex):
    def name(self, name: str) -> str:
        return author_latex(name)


class DocumentText(Plain):
    def name(self, name: str) -> str:
        return author_text(name)

    def array(self, array: Array, subs: list[str]) -> str:
        renamed = Array("x", array.label)
        text = super().array(renamed, subs)
        return author_text(array.name) + text[1:]


def author_latex(name: str) -> str:
    worded = _WORDED.fullmatch(name)
    if worded is not None:
        return rf"{latex_name(worded[1])}\text{{{worded[2]}}}"
    if "\\" in name:
        return name
    base, caret, script = name.replace("°", "").partition("^")  # s^2 is a name where s stands only squared
    return f"{latex_name(base)}^{{{script}}}" if caret and base else latex_name(base + caret + script)


def author_text(name: str) -> str:
    r"""\hat{y} is y with its mark in words: ŷ cannot be shown everywhere."""
    if "\\" not in name:
        return plain_name(name.replace("°", ""))
    bare = name.replace("\\mathcal", "").replace("\\mathbf", "").replace("\\boldsymbol", "").replace("\\", "")
    return bare.replace("{", "").replace("}", "")


def condition_latex(p: Predicate) -> str:
    return DocumentLatex().condition(p)


def condition_text(p: Predicate) -> str:
    return DocumentText().condition(p)


def tidy(c: Counterexample) -> Counterexample:
    """Only what is looked at; index names without marks are made where it is shown."""
    return c
