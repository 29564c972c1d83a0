"""Repeated indices: whether an author sums over them without a word, by Einstein's convention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeAlias

from .tree import Add, Chain, Derivative, Entry, Expr, Name, Neg, Num, Operator, Paren, Product, Quotient, Script, Sum
from .walking import walk

Counts: TypeAlias = "Counter[str] | None"
"""How often each index stands in a product; None where that is not to be said."""
Free: TypeAlias = "Callable[[Counter[str]], frozenset[str] | None]"
"""Which indices are free in a product, by how often each stands there."""
_INDICES = frozenset("ijklmnpqrsabc")


def sums_are_meant(chains: Iterable[Chain]) -> bool:
    """Some equation has the same indices on both sides only if repeated ones are summed, and none only if not."""
    some = False
    for chain in chains:
        if any(isinstance(n, Sum) for n in walk(chain)):
            return False
        for left, right in pairwise(chain.sides if all(k.relation in ("=", ":=") for k in chain.links) else ()):
            summed, plain = (alike(left, right, by) for by in (open_indices, frozenset[str]))
            if plain and not summed:  # y_i = a_i x_i
                return False
            some |= summed and not plain
    return some


def alike(left: Expr, right: Expr, by: Free) -> bool:
    found = indices_of(left, by)
    return found is not None and found == indices_of(right, by)


def open_indices(found: Counter[str]) -> frozenset[str] | None:
    """What is free where repeated indices are summed; None where one stands three times."""
    return None if max(found.values(), default=0) > 2 else frozenset(i for i, n in found.items() if n == 1)


def indices_of(node: Expr, by: Free) -> frozenset[str] | None:
    """The indices that a side has; None where its terms differ."""
    match node:
        case Add(args):
            each = {indices_of(a, by) for a in args}
            return each.pop() if len(each) == 1 else None
        case Neg(arg) | Paren((Chain((arg,), ()),)):
            return indices_of(arg, by)
    found = counted(node, by)
    return None if found is None else by(found)


def counted(node: Expr, by: Free) -> Counts:
    match node:
        case Name(sub=Script(items=items), sups=sups) if items and all(s.transposes and s.value is None for s in sups):
            return below(items)
        case Name(sub=None):
            return Counter()
        case Entry(base, at) if not any(isinstance(n, Name) and n.sub is not None for n in walk(base)):  # (AB)_{ij}
            return below(at)
        case Num():
            return Counter()
        case Neg(arg) | Paren((Chain((Neg() | Name() | Product() | Quotient() as arg,), ()),)):
            return counted(arg, by)
        case Product(args):
            return together(counted(a, by) for a in args)
        case Quotient(top, bottom):
            return together((counted(top, by), counted(bottom, by)))
        case Derivative(body, wrt):
            return together((Counter(indices_of(body, by) or ()), *(counted(v, by) for v in wrt)))
        case Operator("derivative", _, wrt=wrt):
            return together(counted(v, by) for v in wrt)
        case Add() | Paren((Chain((Add(),), ()),)):
            inner = indices_of(node, by)
            return None if inner is None else Counter(inner)
        case _:
            return None if any(isinstance(n, Name) and n.sub is not None for n in walk(node)) else Counter()


def below(items: tuple[Expr, ...]) -> Counts:
    if all(isinstance(i, Name) and i.letter in _INDICES and i.sub is None for i in items):
        return Counter(i.letter for i in items if isinstance(i, Name))
    return None


def together(parts: Iterable[Counts]) -> Counts:
    out: Counter[str] = Counter()
    for p in parts:
        if p is None:
            return None
        out += p
    return out
