"""Repeated indices that are meant to be summed where nothing says so: then, and only then, both sides agree.

y_i = W_{ij} x_j + b_i, E = A_{ij} x_i x_j.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from .tree import (
    Add,
    Chain,
    Derivative,
    Expr,
    Name,
    Neg,
    Num,
    Operator,
    Over,
    Paren,
    Product,
    Quotient,
    Script,
    Sum,
)
from .walking import walk

Counts: TypeAlias = "Counter[str] | None"
"""How often each index stands in a product; None where that is not to be said."""
_INDICES = frozenset("ijklmnpqrsabc")


def sums_are_meant(chains: Iterable[Chain]) -> bool:
    """Every equation with indices has the same ones on both sides once repeated ones are summed, and some only so."""
    some = False
    for chain in chains:
        if any(isinstance(n, (Sum, Over)) for n in walk(chain)):
            return False
        if not chain.links or any(k.relation not in ("=", ":=") for k in chain.links):
            continue
        free = [open_indices(s) for s in chain.sides]
        if any(f is None for f in free) or any(f != free[0] for f in free):
            return False
        some |= any(2 in (counted(n) or {}).values() for s in chain.sides for n in walk(s) if isinstance(n, Product))
    return some


def open_indices(node: Expr) -> frozenset[str] | None:
    """The indices that a side has; None where its terms differ or one stands in it three times."""
    found = counted(node)
    if found is None or max(found.values(), default=0) > 2:
        return None
    return frozenset(i for i, n in found.items() if n == 1)


def counted(node: Expr) -> Counts:
    match node:
        case Name():
            return below(node)
        case Num():
            return Counter()
        case Neg(arg):
            return counted(arg)
        case Paren((Chain((inner,), ()),)):
            return counted(inner)
        case Product(args):
            return joined(map(counted, args))
        case Quotient(top, bottom):
            return joined((counted(top), counted(bottom)))
        case Derivative(body, wrt):
            return joined(map(counted, (body, *wrt)))
        case Operator("derivative", _, wrt=wrt):
            return joined(map(counted, wrt))
        case Add(args):
            each = [open_indices(a) for a in args]
            if None in each or any(e != each[0] for e in each):
                return None
            return Counter(each[0] or ())
        case _:
            return None if any(isinstance(n, Name) and n.sub is not None for n in walk(node)) else Counter()


def below(name: Name) -> Counts:
    match name:
        case Name(sub=Script(items=items), sups=()) if items:
            if not all(isinstance(i, Name) and i.letter in _INDICES and i.sub is None for i in items):
                return None
            return Counter(i.letter for i in items if isinstance(i, Name))
        case Name(sub=None):
            return Counter()
    return None


def joined(parts: Iterable[Counts]) -> Counts:
    out: Counter[str] = Counter()
    for p in parts:
        if p is None:
            return None
        out += p
    return out
