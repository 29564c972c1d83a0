"""Sums whose end nobody marks: Σ_i a_i + b_i is Σ_i (a_i + b_i) where only the sum can say what i is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .tree import Add, Chain, Expr, Name, Neg, Product, Script, Sum
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


__all__ = ["with_wide_sums"]
