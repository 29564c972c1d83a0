"""Looking definitions up: the one for just this layer, or the general one with its layer put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from ..declared.symbols import ArraySymbol, Declarations
from ..grammar.tree import Chain, Entry, Expr, Symbol
from ..grammar.walking import relabel, walk


def plain(s: Symbol) -> Symbol:
    """The symbol as a key: without sample and place."""
    return s if s.sample is None else Symbol(s.name, s.label)


def array_of(s: Symbol, decl: Declarations) -> ArraySymbol | None:
    return decl.layered.get(s.name) if s.label is not None else decl.arrays.get(s.name)


def symbols(node: object) -> Iterator[Symbol]:
    return (plain(n) for n in walk(node) if isinstance(n, Symbol))


def head(node: Expr) -> Symbol | None:
    """The symbol that a left side defines: of z^l, of z^l_i."""
    if isinstance(node, Entry):
        node = node.base
    return node if isinstance(node, Symbol) else None


def definition_of(symbol: Symbol, table: Declarations) -> Chain | None:
    """The definition in force: the one for exactly this layer, else the general one with its layer put in."""
    general: Chain | None = None
    for d in table.definitions:
        defined = head(d.chain.subjects[-1])
        if defined is None or defined.name != symbol.name:
            continue
        if defined.label == symbol.label:
            return d.chain
        layer = defined.label
        if layer and symbol.label and layer.base and layer.base != table.last and not layer.shift:
            general = cast(Chain, relabel(d.chain, layer.base, symbol.label))
    return general


def opened(
    node: object, table: Declarations, through: Callable[[Expr], bool] = lambda rhs: True
) -> Iterator[object]:
    """Every node of a formula and of the definitions that it rests on, each name opened once for all layers."""
    seen, work = set[str](), [node]
    while work:
        for n in walk(work.pop()):
            yield n
            if isinstance(n, Symbol) and n.name not in seen:
                seen.add(n.name)
                known = definition_of(plain(n), table)
                work += [known.links[0].rhs] if known is not None and through(known.links[0].rhs) else []


def other_letter(a: Symbol, b: Symbol) -> bool:
    """The layers l and L, or l and 3, of one array: they may be the same."""
    return a.label is not None and b.label is not None and a.label.base != b.label.base


def circular(symbol: Symbol, rhs: Expr, table: Declarations) -> bool:
    """Whether a definition symbol := rhs would lead back to the symbol (at any near layer for a general one)."""
    seen: set[Symbol] = set()
    work: list[object] = [rhs]
    while work and len(seen) < 500:
        for s in [n for n in walk(work.pop()) if isinstance(n, Symbol)]:
            if s.name == symbol.name and (s.label == symbol.label or other_letter(s, symbol)):
                return True
            if s in seen or (
                s.label is not None and symbol.label is not None and abs(s.label.shift - symbol.label.shift) > 2
            ):
                continue
            seen.add(s)
            known = definition_of(Symbol(s.name, s.label), table)
            if known is not None and s != symbol:
                work.append(known.links[0].rhs)
    return False


def general_definitions(decl: Declarations) -> Iterator[tuple[Symbol, Expr]]:
    """Definitions for every layer: (the symbol, the right side)."""
    for d in decl.definitions:
        symbol = head(d.chain.subjects[-1])
        if symbol is not None and symbol.label is not None and symbol.label.base is not None and not symbol.label.shift:
            if symbol.label.base in decl.layers and not decl.is_last(symbol.label):
                yield symbol, d.chain.links[0].rhs
