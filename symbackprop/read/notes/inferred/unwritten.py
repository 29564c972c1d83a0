"""What an author does not write: names of sizes, axes and sums, L of one sample i, x_i for a row of X."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar, cast

from ..declared.symbols import ArraySymbol, Declarations, SizeSymbol
from ..grammar.tree import All, Chain, Entry, Expr, IndexName, Label, Num, Symbol, Transpose
from ..grammar.walking import mapped, walk
from ..meaning.lints import indices
from .conform_operations import Unifier, unknown
from .options import Option

_SIZES = ("n", "m", "d", "p", "q", "r", "k", "h", "s")


def fresh_names(taken: Collection[str]) -> Iterator[str]:
    return (n for n in (*_SIZES, *(f"{a}_{k}" for k in range(1, 20) for a in "nmd")) if n not in taken)


def with_named_sizes(
    rough: Declarations, here: Mapping[str, Option], sizes: Unifier, taken: Collection[str]
) -> Declarations:
    """The table with every unknown size under a name that nothing else has."""
    names: dict[object, str] = {}
    fresh = fresh_names(taken)
    more: dict[str, SizeSymbol] = {}

    def size(e: Expr) -> Expr:
        if not (isinstance(e, Symbol) and "." in e.name):
            return e
        root = sizes.find(e.name)
        if isinstance(root, int):
            return Num(Fraction(root))
        if unknown(root):
            if root not in names:
                names[root] = next(fresh)
                more[names[root]] = SizeSymbol(names[root])
            return Symbol(names[root])
        return size_expression(root, rough)

    def settled(symbol: ArraySymbol) -> ArraySymbol:
        return replace(symbol, shape=tuple(map(size, symbol.shape)))

    arrays = {**rough.arrays, **{k: settled(rough.arrays[k]) for k in here if k in rough.arrays}}
    layered = {k: settled(s) for k, s in rough.layered.items()}
    return replace(
        rough, arrays=arrays, layered=layered, sizes={**rough.sizes, **more}, fresh=frozenset(more) | rough.fresh
    )


def size_expression(root: str, table: Declarations) -> Expr:
    """n, 3, n_{l-1} from the text that sizes are compared by."""
    for symbol in table.layered_sizes.values():
        if root.startswith(f"{symbol.name}_"):
            text = root.removeprefix(f"{symbol.name}_")
            base = text.rstrip("+-0123456789") or None
            rest = text[len(base or "") :]
            return Symbol(symbol.name, Label(base, int(rest) if rest else 0))
    return Num(Fraction(int(root))) if root.lstrip("-").isdigit() else Symbol(root)


def range_in(node: Expr, index: str, table: Declarations) -> Expr | None:
    """The size of an axis on which an index stands."""
    for n in walk(node):
        if isinstance(n, Entry) and isinstance(n.base, Symbol) and n.base.name in table.arrays:
            shape = table.arrays[n.base.name].shape
            for k, i in enumerate(n.at):
                if i == IndexName(index) and k < len(shape):
                    return shape[k]
    return None


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
