r"""What the text settles about a name that nothing declares: its shape is said further on ("where θ ∈ ℝ^D"), or it is
defined by an equation that is meant to (L := …, "the loss is $E = …$").  Nothing else: other names get a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from symbackprop.core.terms import ProofError, Size
from symbackprop.core.terms import free as free_indices

from ..files.items import Formula
from ..files.place import ReadError
from ..grammar.resolve import parse_leniently
from ..grammar.tree import Chain, Expr, Num, Symbol
from ..meaning.definitions import circular
from ..meaning.elaborate import Elaborator
from ..meaning.model import Model
from ..meaning.values import Algebra, Mat, Scalar
from .in_text import DECLARES, declared_in_text
from .said_functions import dependent_said
from .sizes import Sizes, lone_symbol
from .symbols import ArraySymbol, Declarations, Orientation

_DEFINES = re.compile(
    r"\b(?:define[sd]?|denote[sd]?|let|set|write|call|introduce|abbreviate|where|with|is|are|given by|becomes?|"
    r"consider|computes?|computed|output|outputs|loss|cost|error|score|objective|energy|have|as|by)\b[^.;=]{0,60}\Z",
    re.IGNORECASE,
)
_STATED = (":=", "≡")
MAX_AHEAD = 60


def said_later(name: str, decl: Declarations, following: Sequence[Formula]) -> Declarations | None:
    """The table with the shape of a name that a later formula says; None when none does, or they differ."""
    found: list[tuple[ArraySymbol, Declarations]] = []
    for formula in following[:MAX_AHEAD]:
        if formula.error is not None or not DECLARES.search(formula.text):
            continue
        table = declared_in_text(formula.text, decl, formula.where)
        if table is None:
            continue
        symbol = table.arrays.get(name) or table.layered.get(name)
        if symbol is None:  # b in b_1 ∈ ℝ^n
            new = table.composite.get(name, frozenset()) - decl.composite.get(name, frozenset())
            script = min(new, default="")
            symbol = table.arrays.get(name + script) if script else None
        if symbol is not None:
            found.append((symbol, table))
    if not found or any(s != found[0][0] for s, _ in found if s.name == found[0][0].name):
        return None
    return found[0][1]


def defined_here(text: str, name: str, before: str, decl: Declarations) -> Declarations | None:
    """The table with the left side of an equation that is said to define it, in the shape of the right side."""
    dependent = dependent_said(text, decl)
    if dependent is not None and dependent[0] == name:
        start, end = dependent[2]
        text = text[:start] + " " * (end - start) + text[end:]
    try:
        statement, free = parse_leniently(text, decl)
    except ReadError:
        return None
    for k, part in enumerate(statement.parts):
        chain = part.chain
        subject = chain.subjects[-1]
        if len(chain.subjects) != 1 or not chain.links or not isinstance(subject, Symbol):
            continue
        base = re.match(r"\\?\w+(?:\{\w+\})?", subject.name)
        if base is None or (subject.name != name and base.group() != name) or subject.sample is not None:
            continue
        stated = chain.links[0].relation in _STATED
        if not stated and (chain.links[0].relation != "=" or (k == 0 and not _DEFINES.search(before))):
            return None
        rhs = chain.links[0].rhs
        if any(rhs.span[0] <= s[0] and s[1] <= rhs.span[1] for _, _, s in free) or circular(subject, rhs, decl):
            return None
        return with_shape_of(chain, subject, rhs, text, decl, dependent[1] if dependent else "")
    return None


def with_shape_of(
    chain: Chain, subject: Symbol, rhs: Expr, text: str, decl: Declarations, of: str
) -> Declarations | None:
    label = subject.label
    letters = indices_of(subject, text, decl)
    name = subject.name
    if letters and label is not None:
        label = None
    elif letters:
        name = name.split("_")[0]
    if label is not None:
        return None
    e = Elaborator(decl, Model(decl), Sizes(decl), Algebra(), text=text)
    try:
        e.model.prepare([rhs])
        value = e.together(rhs)[0]
    except (ReadError, ProofError, RecursionError):
        return None
    parts: tuple[Expr, ...]
    orientation: Orientation
    match value:
        case Scalar() if letters:
            sizes = {i.name: i.size for i in free_indices(value.term)}
            found = [size_tree(sizes[i], decl) if i in sizes else None for i in letters]
            if any(f is None for f in found) or sorted(sizes) != sorted(letters):
                return None
            parts, orientation = tuple(f for f in found if f is not None), "vector" if len(found) == 1 else "matrix"
        case Scalar() if not free_indices(value.term):
            parts, orientation = (), "scalar"
        case Mat() if not letters:
            rows, columns = (size_tree(s, decl) for s in value.shape)
            if rows is None or columns is None:
                return None
            one = Num(Fraction(1))
            if rows == columns == one:
                parts, orientation = (), "scalar"
            elif columns == one or rows == one:
                parts, orientation = ((rows,), "column") if columns == one else ((columns,), "row")
            else:
                parts, orientation = (rows, columns), "matrix"
        case _:
            return None
    return decl.with_array(ArraySymbol(name, parts, orientation, of=of))


def indices_of(subject: Symbol, text: str, decl: Declarations) -> list[str]:
    """The i, j of z_{ij} on the left, when each is an index."""
    here = text[subject.span[0] : subject.span[1]]
    found = re.search(r"_\s*(?:\{([^{}]*)\}|(\w))\s*\Z", here)
    if found is None:
        return []
    letters = re.findall(r"[A-Za-z]", found[1] or found[2])
    return letters if letters and all(c in decl.indices or c in "ijk" for c in letters) else []


def size_tree(size: Size, decl: Declarations) -> Expr | None:
    """A size as it would be written; None for a polynomial, or a size of one layer."""
    if size.constant is not None:
        return Num(Fraction(size.constant))
    name = lone_symbol(size)
    return Symbol(name) if name is not None and name in decl.sizes else None


def undeclared_names(text: str, decl: Declarations) -> list[str]:
    try:
        _, free = parse_leniently(text, decl)
    except ReadError:
        return []
    return list(dict.fromkeys(name.split("_")[0] for name, _, _ in free))


def following(formulas: Sequence[Formula], at: int) -> Iterable[Formula]:
    """The formulas behind one, to the end of its section."""
    section = formulas[at].section
    for formula in formulas[at + 1 : at + 1 + MAX_AHEAD]:
        if formula.section != section:
            return
        yield formula
