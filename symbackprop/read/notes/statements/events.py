"""Probabilities of events that equations give: P(t = 1 | z) = σ(z) is a number, p(y = k | x) = e^{z_k} one for each k.

They are read as the entries P_1 and p_k of what the letter stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, cast

from ..grammar.tree import Chain, Expr, Link, Name, Num, Paren, Product, Script
from ..grammar.walking import EQUATIONS, Statement, chains_of, rewritten, walk
from ..inferred.occurrences import key_of

_LETTERS = ("p", "P", "q", "Q", "\\mathbb{P}")


class Event(NamedTuple):
    """p(y = k | x): the letter, what is k, and the rest."""

    name: Name
    value: Name | Num
    rest: tuple[object, ...]


def event_of(name: object, brackets: object) -> Event | None:
    if not isinstance(name, Name) or key_of(name) not in _LETTERS or name.sub or name.sups or name.primes:
        return None
    match brackets:
        case Paren((Chain((Name() as y,), (Link("=", (Name(sub=None, sups=()) | Num()) as value),)), *others), "("):
            if all(not c.links for c in others):
                return Event(name, value, (y, *others))
    return None


def events(node: object) -> Iterator[Event]:
    for product in (n for n in walk(node) if isinstance(n, Product)):
        yield from events_in(product.args)


def events_named(trees: Sequence[Statement | None]) -> list[Statement | None]:
    """Where a letter stands for nothing else, always for the same y and x, and an equation gives each of its values."""
    chains = tuple(chains_of(trees))
    found = [*events(chains)]
    names = [n for n in walk(chains) if isinstance(n, Name)]
    equations = (c for c in chains if c.links and c.links[0].relation in EQUATIONS)
    heads_of = (c.subjects[0].args for c in equations if isinstance(c.subjects[0], Product))
    given = [e for args in heads_of if len(args) == 2 for e in events_in(args)]
    known = set[str]()
    for key in {key_of(e.name) for e in given}:
        mine, heads = ([e for e in some if key_of(e.name) == key] for some in (found, given))
        alone = len(mine) == sum(key_of(n) == key for n in names) and len({e.rest for e in mine}) == 1
        any_value = any(isinstance(e.value, Name) for e in heads)
        if alone and (any_value or {e.value for e in mine} <= {e.value for e in heads}):
            known.add(key)

    def named(node: object) -> object | None:
        if not isinstance(node, Product) or not any(key_of(e.name) in known for e in events_in(node.args)):
            return None
        args, signs, at = list[Expr](), list[str](), 0
        while at < len(node.args):
            event = event_of(*node.args[at : at + 2]) if at + 1 < len(node.args) else None
            here = event is not None and key_of(event.name) in known
            args.append(entry(cast(Event, event)) if here else cast(Expr, rewritten(node.args[at], named)))
            at += 1 + here
            signs += node.signs[at - 1 : at]
        return args[0] if len(args) == 1 else replace(node, args=tuple(args), signs=tuple(signs))

    return [cast("Statement | None", rewritten(s, named)) for s in trees] if known else list(trees)


def events_in(args: tuple[Expr, ...]) -> Iterator[Event]:
    return filter(None, (event_of(a, b) for a, b in pairwise(args)))


def entry(event: Event) -> Name:
    text = event.value.letter if isinstance(event.value, Name) else str(event.value.value)
    return replace(event.name, sub=Script(text, (event.value,), span=event.name.span))
