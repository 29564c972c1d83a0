"""Adding definitions, sizes and shapes to the table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..files.place import Place, ReadError, Span
from ..grammar.resolve import parse_leniently
from ..grammar.tree import Chain, Expr, Num, Shape
from ..meaning.definitions import circular, head
from .symbols import (
    Declarations,
    Definition,
    Orientation,
    SizeSymbol,
)

_TIMES = re.compile(r"(?<=[\w})\]])\s+x\s+(?=[\w\\({])")


def define(decl: Declarations, chain: Chain, text: str, place: Place | None = None) -> Declarations:
    """Add symbol := expression; a definition of the same symbol is replaced."""
    symbol = head(chain.subjects[-1]) if len(chain.subjects) == 1 else None
    if symbol is None or len(chain.links) != 1 or chain.links[0].relation not in ("=", ":=", "≡"):
        raise ReadError("a definition is one equation for a symbol", chain.span, place)
    if circular(symbol, chain.links[0].rhs, decl):
        raise ReadError(f"{symbol.name} is defined by itself", chain.span, place)
    kept = tuple(d for d in decl.definitions if head(d.chain.subjects[-1]) != symbol)
    return replace(decl, definitions=(*kept, Definition(chain, text, place)))


def shape_parts(node: Expr) -> tuple[tuple[Expr, ...], Orientation]:
    if isinstance(node, Shape):
        parts = tuple(node.parts)
        if len(parts) == 2 and isinstance(parts[1], Num) and parts[1].value == 1:
            return parts[:1], "column"
        if len(parts) == 2 and isinstance(parts[0], Num) and parts[0].value == 1:
            return parts[1:], "row"
        return parts, "matrix"
    return (node,), "vector"


def size_expression(text: str, decl: Declarations, where: Place | None = None) -> tuple[Expr, Declarations]:
    """A size or shape; its undeclared names become sizes."""
    text = _TIMES.sub(r" \\times ", text)
    statement, free = parse_leniently(text, decl, where)
    chain = statement.parts[0].chain
    if len(statement.parts) != 1 or chain.links or len(chain.subjects) != 1:
        raise ReadError(f"{text!r} is no size", (0, len(text)), where)
    return chain.subjects[0], with_sizes(decl, free)


def with_sizes(decl: Declarations, free: Sequence[tuple[str, object, Span]]) -> Declarations:
    for name, label, _ in free:
        if name not in (decl.sizes if label is None else decl.layered_sizes):
            decl = decl.with_size(SizeSymbol(name, layered=label is not None))
    return decl
