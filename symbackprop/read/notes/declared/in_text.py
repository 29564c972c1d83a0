"""Declarations that the formulas of a text make: shapes said in a formula."""

from __future__ import annotations

import re
from fractions import Fraction

from ..files.place import Place, ReadError, Span
from ..grammar.resolve import parse_leniently, parse_statement
from ..grammar.tree import Entry, Expr, Label, Num, Reals, Shape, ShapeWord, Statement, Symbol
from ..grammar.vocabulary import NEUTRAL
from .symbols import (
    ArraySymbol,
    Declarations,
    LayerSymbol,
    Orientation,
)
from .table import shape_parts, with_sizes

DECLARES = re.compile(r"\\sim|\\in(?![a-z])|∈|∼|\\mathbb\s*\{?\s*R|ℝ")


def declared_in_text(text: str, decl: Declarations, where: Place | None = None) -> Declarations | None:
    r"""The table after a formula that says the shape of undeclared names: W^l \in ℝ^{…}, w \sim n.  Else None."""
    if not DECLARES.search(text):
        return None
    for _ in range(4):  # what one part declares, the next may use
        new = _declared_heads(text, decl, where)
        if new is None:
            return None
        decl = new
        try:
            parse_statement(text, decl, where)
        except ReadError as error:
            if not error.undeclared:
                return None
            continue
        return decl
    return None


def _declared_heads(text: str, decl: Declarations, where: Place | None) -> Declarations | None:
    """The table with the undeclared symbols whose shape is said directly; None when there is none."""
    try:
        statement, free = parse_leniently(text, decl, where)
    except ReadError:
        return None
    heads: list[tuple[Symbol, Expr]] = []
    for part in statement.parts:
        if not part.chain.links or part.chain.links[0].relation not in ("∈", "~"):
            continue
        for subject in part.chain.subjects:
            if isinstance(subject, Symbol) and any(subject.span == span for _, _, span in free):
                heads.append((subject, part.chain.links[0].rhs))
    sizes = [f for f in free if any(_within(f[2], rhs.span) for _, rhs in heads)]
    new = _with_layers(with_sizes(decl, sizes), [h for h, _ in heads], sizes)
    heads.sort(key=lambda h: h[0].label is not None and h[0].label.base in _USUAL_INDICES)  # W_f beside W_i
    for symbol, rhs in heads:
        added = _with_head(new, symbol, rhs, text)
        if added is None:
            return None
        new = added
    return new if heads else None


def numbered(statement: Statement, decl: Declarations) -> Declarations | None:
    r"""The table after x_2, x_3 ∈ ℝ^K where x is a vector already: arrays of their own, for no entry has that shape.

    x_4 ∈ ℝ goes with them, if others are numbered so.
    """
    new = decl
    for part in statement.parts:
        if not part.chain.links or part.chain.links[0].relation not in ("∈", "~"):
            continue
        rhs = part.chain.links[0].rhs
        for subject in part.chain.subjects:
            match subject:
                case Entry(Symbol(name, None, None), (Num(k),)):
                    array = new.arrays.get(name)
                    if array is None or len(array.shape) != 1:
                        continue
                case _:
                    continue
            match rhs:
                case Reals(None) | ShapeWord("scalar"):
                    if not any(s[1:].isdigit() for s in new.composite.get(name, ())):
                        continue
                    parts: tuple[Expr, ...] = ()
                    orientation: Orientation = "scalar"
                case Reals(shape) if shape is not None:
                    parts, orientation = shape_parts(shape)
                case Shape():
                    parts, orientation = shape_parts(rhs)
                case _:
                    continue
            if parts != (Num(Fraction(1)),):
                new = new.with_array(ArraySymbol(f"{name}_{k}", parts, orientation))
    return None if new is decl else new


def _within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _with_layers(decl: Declarations, heads: list[Symbol], sizes: list[tuple[str, object, Span]]) -> Declarations:
    """W^l in ℝ^{n_l × …}: an undeclared l on both sides counts layers."""
    for h in heads:
        base = h.label.base if h.label else None
        if base and base not in decl.layers and any(isinstance(s[1], Label) and s[1].base == base for s in sizes):
            decl = decl.with_layer(LayerSymbol(base, "L" if base != "L" else "D"))
    return decl


_USUAL_INDICES = frozenset("ijkmnst")


def _script(written: str, label: Label) -> str:
    """The script that belongs to the name, as it is kept in the table: v_c, W^{(1)}."""
    sign = "^" if "^" in written else "_"
    bracketed = re.search(r"[\^_]\s*\{?\s*([(\[]" + re.escape(str(label)) + r"[)\]])", written)
    return f"{sign}{bracketed[1] if bracketed else label}"


def _is_sample(written: str, label: Label, decl: Declarations) -> bool:
    base = label.base or ""
    counts = base in ("i", "n") if base not in decl.indices else True
    return counts and not label.shift and re.search(rf"\^\s*\{{?\s*\(\s*{base}\s*\)", written) is not None


def _with_head(decl: Declarations, symbol: Symbol, rhs: Expr, text: str) -> Declarations | None:
    name = symbol.name
    found = re.match(r"\\(\w+)\{(.+)\}(.*)\Z", name)
    if found and found[1] in NEUTRAL:
        name = found[2] + found[3]
    layer = ""
    if symbol.label is not None and symbol.label.base in decl.layers:
        if symbol.label.shift or symbol.label.base == decl.last:
            return None
        layer = symbol.label.base or ""
    elif symbol.label is not None and _is_sample(text[symbol.span[0] : symbol.span[1]], symbol.label, decl):
        pass  # x^{(i)} ∈ ℝ^d is said of every sample
    elif symbol.label is not None:
        usual = symbol.label.base in _USUAL_INDICES and name not in decl.composite
        if symbol.label.base in decl.indices or usual:
            return None
        name += _script(text[symbol.span[0] : symbol.span[1]], symbol.label)
    parts: tuple[Expr, ...]
    orientation: Orientation
    match rhs:
        case Reals(None) | ShapeWord("scalar"):
            parts, orientation = (), "scalar"
        case Reals(shape) if shape is not None:
            parts, orientation = shape_parts(shape)
        case Shape() | Symbol() | Num():
            parts, orientation = shape_parts(rhs)
        case _:
            return None
    return decl.with_array(ArraySymbol(name, parts, orientation, layer))
