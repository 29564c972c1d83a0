"""Sums that are not marked: Σ_i a_i + b_i that reaches over both terms, repeated indices that are summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from .tree import (
    Add, Chain, Derivative, Expr, Name, Neg, Num, Operator, Over, Paren, Product, Quotient, Script, Sum,
)  # fmt: skip
from .walking import outside_scripts, parts, walk


def with_wide_sums(chain: Chain) -> Chain:
    """A sum reaches over the terms behind it that hold its index, if nothing else in the equation does."""
    sides = chain.sides
    if not any(isinstance(n, Add) and any(map(last_sum, n.args)) for s in sides for n in outside_scripts(s)):
        return chain
    free = [frozenset(free_indices(s)) for s in sides]
    wide = [widened(s, frozenset().union(*free[:k], *free[k + 1 :])) for k, s in enumerate(sides)]
    subjects, right = wide[: len(chain.subjects)], wide[len(chain.subjects) :]
    links = tuple(replace(k, rhs=r) for k, r in zip(chain.links, right, strict=True))
    return replace(chain, subjects=tuple(subjects), links=links)


def widened(node: Expr, free: frozenset[str]) -> Expr:
    match node:
        case Neg(arg):
            return replace(node, arg=widened(arg, free))
        case Add(args):
            return wider(node, args, free)
        case Product(args):
            return replace(node, args=(*args[:-1], widened(args[-1], free)))
        case Sum():
            return replace(node, body=widened(node.body, free | {b.name for b in node.binders}))
        case _:
            return node


def wider(node: Add, args: tuple[Expr, ...], free: frozenset[str]) -> Expr:
    terms: list[Expr] = []
    for k, term in enumerate(args):
        found = last_sum(term)
        names = {b.name for b in found.binders} - free if found is not None else frozenset()
        before = names & frozenset(i for a in args[:k] for i in free_indices(a))
        reach = [n for n, a in enumerate(args) if n > k and names & set(free_indices(a))]
        if found is not None and reach and not before:
            inside = args[k + 1 : reach[-1] + 1]
            body = Add((found.body, *inside), (found.body.span[0], inside[-1].span[1]))
            rest = args[reach[-1] + 1 :]
            terms.append(with_last(term, replace(found, body=body)))
            terms += rest
            return terms[0] if len(terms) == 1 else replace(node, args=tuple(terms))
        terms.append(term)
    return node


def last_sum(term: Expr) -> Sum | None:
    """The sum that a term ends with: of -1/n Σ_i a_i."""
    match term:
        case Sum():
            return term
        case Neg(arg):
            return last_sum(arg)
        case Product(args):
            return last_sum(args[-1])
        case _:
            return None


def with_last(term: Expr, new: Sum) -> Expr:
    match term:
        case Neg(arg):
            return replace(term, arg=with_last(arg, new), span=(term.span[0], new.body.span[1]))
        case Product(args):
            return replace(term, args=(*args[:-1], with_last(args[-1], new)))
        case _:
            return new


def free_indices(node: object) -> Iterator[str]:
    """The letters that stand in scripts and are not bound there."""
    if isinstance(node, Sum):
        bound = {b.name for b in node.binders}
        yield from (i for i in free_indices(node.body) if i not in bound)
    elif isinstance(node, Script):
        yield from (n.letter for n in walk(node.items) if isinstance(n, Name))
        yield from (label.base for label, _ in node.labels or () if label.base is not None)
    else:
        children = node if isinstance(node, tuple) else [getattr(node, name) for name in parts(type(node)) or ()]
        for child in children:
            yield from free_indices(child)



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
