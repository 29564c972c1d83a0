"""What a plan of a derivation is put together from: letters, sums, what a node rests on."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.core.indices import Index, IndexExpr, Size
from symbackprop.core.terms import Add, Apply, Delta, Mul, Power, Sum, Term, arguments, over, rebuilt, subterms
from symbackprop.read.numpy import UNIT, ZERO_AT, Node


def indices(shape: Sequence[Size], names: Sequence[str]) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
    """Indices by these letters for the axes longer than 1, and the index expressions of all axes."""
    pool = iter((*names, *(f"i{k}" for k in range(1, 100))))
    at: tuple[IndexExpr, ...] = tuple(ZERO_AT if s == UNIT else Index(next(pool), s) for s in shape)
    return tuple(i for i in at if isinstance(i, Index)), at


def summed(axes: Sequence[Index], body: Term) -> Term:
    for i in reversed(axes):
        body = over(i, body)
    return body


def read_by(n: Node) -> set[Node]:
    """What n is made from, and what that is made from."""
    found: set[Node] = set()
    todo = list(n.parents)
    while todo:
        p = todo.pop()
        if p not in found:
            found.add(p)
            todo += p.parents
    return found


def simpler(t: Term) -> Term:
    """exp(log(u)) as u: what a program computes for the sake of its range."""
    match t:
        case Apply("exp", Apply("log", u, 0), 0):
            return simpler(u)
        case Sum(size, body, hint):
            return Sum(size, simpler(body), hint)
        case Add() | Mul() | Power() | Apply():
            return rebuilt(t, tuple(map(simpler, arguments(t))))
        case _:
            return t


def has_delta(t: Term) -> bool:
    return any(isinstance(s, Delta) for s in subterms(t))
