"""Declarations that the text itself makes: shapes said in a formula, functions said in words."""

from __future__ import annotations

import re

from .parser import parse_leniently, parse_statement
from .place import Place, ReadError, Span
from .symbols import (
    ArraySymbol,
    Declarations,
    FunctionSymbol,
    LayerSymbol,
    Orientation,
)
from .table import shape_parts, with_sizes
from .tree import Expr, Label, Num, Reals, Shape, ShapeWord, Symbol
from .vocabulary import NEUTRAL


def declared_in_text(text: str, decl: Declarations, where: Place | None = None) -> Declarations | None:
    r"""The table after a formula that says the shape of undeclared names: W^l \in ℝ^{…}, w \sim n.  Else None."""
    if not re.search(r"\\sim|\\in(?![a-z])|∈|∼|\\mathbb\s*\{?\s*R|ℝ", text):
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
    for symbol, rhs in heads:
        added = _with_head(new, symbol, rhs)
        if added is None:
            return None
        new = added
    return new if heads else None


def _within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _with_layers(decl: Declarations, heads: list[Symbol], sizes: list[tuple[str, object, Span]]) -> Declarations:
    """W^l in ℝ^{n_l × …}: an undeclared l on both sides counts layers."""
    for h in heads:
        base = h.label.base if h.label else None
        if base and base not in decl.layers and any(isinstance(s[1], Label) and s[1].base == base for s in sizes):
            decl = decl.with_layer(LayerSymbol(base, "L" if base != "L" else "D"))
    return decl


def _with_head(decl: Declarations, symbol: Symbol, rhs: Expr) -> Declarations | None:
    name = symbol.name
    found = re.match(r"\\(\w+)\{(.+)\}(.*)\Z", name)
    if found and found[1] in NEUTRAL:
        name = found[2] + found[3]
    layer = ""
    if symbol.label is not None:
        if symbol.label.base not in decl.layers or symbol.label.shift or symbol.label.base == decl.last:
            return None
        layer = symbol.label.base or ""
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


_WISE = r"\b(?:element|component|entry|coordinate)[\s-]?wise\b"
_ELEMENTWISE = re.compile(
    rf"\$(?P<before>\\?[A-Za-z]+)\$[^.;$]{{0,60}}?{_WISE}|{_WISE}[^.;$]{{0,40}}?\$(?P<after>\\?[A-Za-z]+)\$"
    rf"|(?<![\w$\\])(?P<bare>[B-HJ-Zb-z]|\\[a-z]+)\s+(?:(?:acts|acting|is|works|applied)\s+)*{_WISE}",
    re.IGNORECASE,
)


def declared_in_prose(prose: str, decl: Declarations) -> Declarations:
    """“$f$ acts elementwise”, “applied element-wise by $f$”, “f elementwise”: f becomes an elementwise function."""
    for found in _ELEMENTWISE.finditer(prose):
        written = found["before"] or found["after"] or found["bare"]
        try:
            statement, free = parse_leniently(written, decl)
        except ReadError:
            continue
        node = statement.parts[0].chain.subjects[-1]
        if len(free) == 1 and isinstance(node, Symbol) and node.label is None:  # a known name is left alone
            decl = decl.with_function(FunctionSymbol(node.name, "elementwise"))
    return decl
