"""Sizes as polynomials, shapes and definitions added to the table, and what a name such as n-neurons may stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import assert_never

from symbackprop.core.terms import Size, sized

from ..files.place import Place, ReadError, Span
from ..grammar.resolve import parse_leniently
from ..grammar.tree import Add, Chain, Expr, IndexName, Label, Neg, Num, Product, Shape, Symbol
from ..meaning.definitions import circular, head
from .symbols import Declarations, Definition, Orientation, SizeSymbol

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


Dims = tuple["Size | Dims", ...]
"""The shape of something: (n, m), or with an inner shape (n, (n, m)); () for a scalar."""


def label_size(label: Label) -> Size:
    """The layer as a number: l + 1."""
    return sized(label.shift) if label.base is None else sized(label.base) + label.shift


def layered_name(name: str, label: Label) -> str:
    """The size symbol of one layer: n_{l-1}."""
    text = str(label)
    return f"{name}_{text}" if len(text) == 1 else f"{name}_{{{text}}}"


@dataclass(slots=True)
class Sizes:
    """Reads sizes under declarations; remembers which size symbol belongs to which layer."""

    decl: Declarations
    layer_of: dict[str, Label] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def size(self, node: Expr) -> Size:
        match node:
            case Num(value) if value.denominator == 1:
                return sized(int(value))
            case Symbol(name, None):
                symbol = self.decl.sizes.get(name)
                if symbol is None:
                    raise ReadError(f"{name} is no size", node.span)
                if symbol.hidden:
                    self.hidden.add(name)
                return sized(name) if symbol.value is None else self.size(symbol.value)
            case Symbol(name, label) if label is not None:
                symbol = self.decl.layered_sizes.get(name)
                if symbol is None:
                    raise ReadError(f"{name} is no size for each layer", node.span)
                whole = layered_name(name, label)
                self.layer_of[whole] = label
                return sized(whole)
            case IndexName(name) if name in self.decl.layers:
                return sized(name)
            case Add(args):
                return sum(map(self.size, args), start=sized(0))
            case Neg(arg):
                return -self.size(arg)
            case Product(args):
                return prod(map(self.size, args), start=sized(1))
            case _:
                raise ReadError("this is no size", node.span)

    def dims(self, node: Expr) -> Dims:
        """A written shape; one size n is the shape (n,)."""
        if isinstance(node, Shape):
            return tuple(self.dims(p) if isinstance(p, Shape) else self.size(p) for p in node.parts)
        return (self.size(node),)


@dataclass(slots=True)
class Match:
    """Compares what a shape is with what is said of it; collects the conditions under which they agree."""

    sizes: Sizes
    conditions: list[str] = field(default_factory=list)
    met: dict[str, Label] = field(default_factory=dict)

    def same(self, actual: Dims, claimed: Dims) -> bool:
        if len(actual) != len(claimed):
            return False
        return all(self.one(a, c) for a, c in zip(actual, claimed, strict=True))

    def one(self, actual: Size | Dims, claimed: Size | Dims) -> bool:
        if isinstance(actual, tuple) or isinstance(claimed, tuple):
            return isinstance(actual, tuple) and isinstance(claimed, tuple) and self.same(actual, claimed)
        if actual == claimed:
            return True
        name = lone_symbol(claimed)
        if name is None or name not in self.sizes.hidden:
            return False
        symbol = lone_symbol(actual)
        label = self.sizes.layer_of.get(symbol) if symbol is not None else None
        if label is None or self.sizes.decl.is_last(label) or (label.base is None and label.shift == 0):
            return False
        before = self.met.setdefault(name, label)
        if before != label:
            self.add("all hidden layers have the same width")
        if label.base is not None:
            self.add(f"layer {label} is hidden")
        return True

    def add(self, condition: str) -> None:
        if condition not in self.conditions:
            self.conditions.append(condition)


def lone_symbol(s: Size) -> str | None:
    """n for the size n; None for 2, n+1, n*m."""
    if len(s.monomials) == 1 and s.monomials[0][1] == 1 and len(s.monomials[0][0]) == 1:
        return s.monomials[0][0][0]
    return None


def shown_dims(dims: Dims) -> str:
    """1×n_L, n×(n×m), scalar"""
    if not dims:
        return "scalar"

    def one(part: Size | Dims) -> str:
        match part:
            case tuple():
                return f"({shown_dims(part)})"
            case Size():
                return str(part)
            case _:
                assert_never(part)

    return "×".join(map(one, dims))
