"""Names for the sizes that the author did not name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from ..declared.symbols import ArraySymbol, Declarations, SizeSymbol
from ..grammar.tree import Entry, Expr, IndexName, Label, Num, Symbol
from ..grammar.walking import walk
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
