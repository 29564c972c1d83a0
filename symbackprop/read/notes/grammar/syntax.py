"""Questions about trees that decide what kind of statement something is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from ..declared.symbols import ArraySymbol, Declarations
from ..meaning.definitions import definition_of
from .tree import (
    Chain, Entry, Equated, Expr, Hadamard, IndexName, Label, Matrix, Num, Product, Quotient, Reals, Shape, ShapeWord,
    Symbol, Transpose,
)  # fmt: skip
from .walking import mapped, walk


def unnested(node: Expr, inner: list[Chain]) -> Expr:
    """f(z = W a + b) says f(z), and z = W a + b besides: equations inside are taken out into `inner`."""
    if isinstance(node, Equated):
        inner.append(node.chain)
        return node.chain.subjects[-1]
    if isinstance(node, Matrix):
        return node

    def child(c: object) -> object:
        return tuple(child(x) for x in c) if isinstance(c, tuple) else unnested(cast(Expr, c), inner)

    return cast(Expr, mapped(node, child))


def with_left(text: str, start: int) -> int:
    r"""The \left of a bracket belongs to it."""
    found = re.search(r"\\left\s*\Z", text[:start])
    return found.start() if found else start


def restates(lhs: Expr, rhs: Expr, known: Chain, table: Declarations) -> bool:
    """lhs = rhs is the known definition, whole or entry by entry, up to plain renamings such as a^0 := x."""
    subject, body = known.subjects[-1], renamed(known.links[0].rhs, table)
    rhs = cast(Expr, renamed(rhs, table))
    if lhs == subject and rhs == body:
        return True
    return isinstance(lhs, Entry) and lhs.base == subject and whole(rhs, lhs.at) == body


def renamed(node: object, table: Declarations) -> object:
    """The tree with every symbol that is defined to be just another one replaced by that."""
    if isinstance(node, Symbol):
        known = definition_of(node, table) if node.sample is None else None
        if known is not None and known.subjects[-1] == node and isinstance(known.links[0].rhs, Symbol):
            return replace(known.links[0].rhs, span=node.span)
        return node
    return mapped(node, lambda child: renamed(child, table))


def whole(node: object, at: tuple[Expr, ...]) -> object:
    """The tree with base_{at} replaced by base."""
    if isinstance(node, Entry) and node.at == at:
        return node.base
    return mapped(node, lambda child: whole(child, at))


def symbols(node: Expr) -> set[Symbol]:
    return {n for n in walk(node) if isinstance(n, Symbol)}


def free_indices(node: Entry) -> bool:
    """Each subscript is an index of its own: a_i, w_{jk}; not a_1 or w_{ii}."""
    names = [a.name for a in node.at if isinstance(a, IndexName)]
    return len(names) == len(node.at) == len(set(names))


def is_shape(node: Expr, table: Declarations) -> bool:
    match node:
        case Shape() | Reals() | ShapeWord():
            return True
        case Transpose(arg):
            return is_shape(arg, table)
        case Product(args) | Hadamard(args):
            return any(isinstance(a, Shape) for a in args) and all(is_shape(a, table) for a in args)
        case Quotient(top, bottom):
            return is_shape(bottom, table) or (is_shape(top, table) and not isinstance(top, (Symbol, Num)))
        case Symbol(name, label):
            return (name in table.sizes or name in table.layered_sizes) and not is_array(name, label, table)
        case _:
            return False


def is_array(name: str, label: Label | None, table: Declarations) -> bool:
    found: ArraySymbol | None = table.layered.get(name) if label else table.arrays.get(name)
    return found is not None
