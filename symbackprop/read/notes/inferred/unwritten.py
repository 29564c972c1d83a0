"""Axes and sums that an author does not write: L of one sample i, x_i for a row of X."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar, cast

from ..declared.symbols import Declarations
from ..grammar.tree import All, Chain, Entry, IndexName, Symbol, Transpose
from ..grammar.walking import mapped
from ..meaning.ranges import indices
from .size_names import range_in

Tree = TypeVar("Tree")
RowsOf: TypeAlias = Mapping[str, tuple[str, str]]
"""By matrix: the letter of its rows, columns or entries, and which of these."""


class Unwritten(NamedTuple):
    """What the letters of a section stand for besides their table."""

    rows_of: RowsOf = MappingProxyType({})
    hidden: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    conditions: tuple[Chain, ...] = ()
    """On indices: for i ≠ j."""

    def written(self, node: Tree, table: Declarations) -> Tree:
        """With rows of X for x_i, and the axes that are not written."""
        return cast(Tree, explicit(node, table, self.rows_of, self.hidden))


def with_axes(
    key: str, chain: Chain, table: Declarations, rows_of: RowsOf, hidden: dict[str, tuple[str, ...]]
) -> tuple[Chain, Declarations]:
    """L = … y_i …: L of one sample i has i as an axis that is not written."""
    chain = cast(Chain, explicit(chain, table, rows_of, hidden))
    head, rhs = chain.subjects[-1], chain.links[0].rhs
    have, _ = indices(head, table)
    need, _ = indices(rhs, table)
    extra = tuple(sorted(i for i in need if i not in have and i not in table.layers))
    plain = isinstance(head, Symbol) and head.label is None and key in table.arrays and not table.arrays[key].shape
    if not extra or not plain:
        return chain, table
    hidden[key] = extra
    at = tuple(IndexName(i) for i in extra)
    axes = tuple(range_in(rhs, i, table) for i in extra)
    if any(a is None for a in axes):
        return chain, table
    shape = tuple(a for a in axes if a is not None)
    symbol = replace(table.arrays[key], shape=shape, orientation="vector" if len(shape) == 1 else "matrix")
    new = Chain((Entry(head, at, head.span),), chain.links, chain.span)
    return new, table.with_array(symbol)


def explicit(node: object, table: Declarations, rows_of: RowsOf, hidden: Mapping[str, tuple[str, ...]]) -> object:
    """Rows of X for x_i, axes that are not written, sums over repeated indices."""
    if isinstance(node, Entry) and isinstance(node.base, Symbol):
        for whole, (item, axis) in rows_of.items():
            if node.base.name == item and whole in table.arrays and item in table.arrays:
                x = Symbol(whole, None, None, node.base.span)
                if len(node.at) == 2:
                    return Entry(x, node.at[::-1] if axis == "column" else node.at, node.span)
                if len(node.at) == 1:
                    if axis == "row":
                        return Transpose(Entry(x, (node.at[0], All(node.span)), node.span), node.span)
                    return Entry(x, (All(node.span), node.at[0]), node.span)
    if isinstance(node, Entry) and isinstance(node.base, Symbol) and node.base.name in hidden:
        return node
    if isinstance(node, Symbol) and node.label is None and node.name in hidden and table.arrays[node.name].shape:
        return Entry(node, tuple(IndexName(i, node.span) for i in hidden[node.name]), node.span)
    return mapped(node, lambda child: explicit(child, table, rows_of, hidden))
