"""Names of a document on paper, and symbols and numbers of its grammar as LaTeX."""

from __future__ import annotations

import re
from fractions import Fraction

from symbackprop.core.terms import Array, Predicate
from symbackprop.read.notes.grammar.tree import Label, Symbol
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


_SCRIPT = r"\s*(?:\{\s*(?P<braced>[^{}]*?)\s*\}|(?P<single>[^\s{}\\]|\\[a-zA-Z]+))"
_OPENERS = re.compile(r"\\left\b|\\right\b")


def relabelled(text: str, old: Label, new: Label) -> str | None:
    for caret in (r"\^", "_"):
        for m in re.finditer(caret + _SCRIPT, text):
            inside = m["braced"] if m["braced"] is not None else m["single"]
            bare = re.sub(r"\s", "", inside).strip("[]()").replace("\\ell", "ℓ")
            if bare != str(old):
                continue
            opening, closing = ("[", "]") if "[" in inside else ("(", ")") if "(" in inside else ("", "")
            label = str(new).replace("ℓ", "\\ell ")
            return f"{text[: m.start()]}{m[0][0]}{script(f'{opening}{label.strip()}{closing}')}{text[m.end() :]}"
    return None


def bare_symbol(text: str, s: Symbol) -> str:
    r"""The text of a symbol without the scripts that are not its own: subscripts of an entry, ^T, a power.

    The first script of its kind is kept when the name has one, and the label, alone or beside others: W^{[l]T}.
    """
    head, scripts = taken_apart(text)
    named = {c for c in "_^" if c in s.name}
    label = None if s.label is None else str(s.label)
    out = head
    for caret, inside in scripts:
        if caret in named:
            named.discard(caret)
            out += caret + script(re.sub(r"([\])])\s*,?\s*(?:T|\\top|\\intercal)\Z", r"\1", inside))
            continue
        parts = [p.strip() for p in inside.split(",")]
        own = next((p for p in parts if label is not None and is_label(p, label)), None)
        if own is not None:
            label = None
            out += caret + script(re.sub(r"([\])])\s*(?:T|\\top)\Z", r"\1", own))
    return out


def is_label(text: str, label: str) -> bool:
    bare = re.sub(r"\s|\\left|\\right", "", re.sub(r"([\])])\s*(?:T|\\top)\Z", r"\1", text)).strip("[]()")
    return bare.replace("\\ell", "ℓ") == label


def taken_apart(text: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the scripts, and the scripts (^ or _, and what is inside)."""
    depth, k = 0, 0
    while k < len(text) and not (depth == 0 and text[k] in "_^"):
        depth += (text[k] == "{") - (text[k] == "}")
        k += 1
    head, scripts = text[:k].strip().rstrip("'"), []
    while k < len(text):
        m = re.compile(r"([_^])\s*(\{|\\[a-zA-Z]+|\S)").match(text, k)
        if m is None:
            k += 1
            continue
        if m[2] != "{":
            scripts.append((m[1], m[2]))
            k = m.end()
            continue
        level, end = 1, m.end()
        while end < len(text) and level:
            level += (text[end] == "{") - (text[end] == "}")
            end += 1
        scripts.append((m[1], text[m.end() : end - 1].strip()))
        k = end
    return head, scripts


def script(text: str) -> str:
    return text if len(text) == 1 or re.fullmatch(r"\\[a-zA-Z]+", text) else f"{{{text}}}"


def subscripts(texts: list[str]) -> str:
    return "".join(texts) if all(len(t) == 1 for t in texts) else ", ".join(texts)


def bracketed(text: str) -> str:
    return rf"\left({text}\right)" if any(t in text for t in (r"\frac", r"\sum", r"\left")) else f"({text})"


def number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    text = rf"\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return text if value > 0 else f"-{text}"


def balanced(text: str) -> bool:
    depth = 0
    for c in re.sub(r"\\[\\{}]", "", text):
        depth += (c in "{(") - (c in "})")
        if depth < 0:
            return False
    sides = [m[0] for m in _OPENERS.finditer(text)]
    return depth == 0 and sides.count("\\left") == sides.count("\\right")
