"""One letter for two things: a size and an array, a function and a family of functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ..grammar.tree import (
    Add, Derivative, Expr, Name, Neg, Num, Operator, Paren, Product, Quotient, Reals, Script, Sum,
)  # fmt: skip
from ..grammar.walking import EQUATIONS, Statement, rewritten, walk
from ..inferred.occurrences import key_of, names_in
from ..inferred.said import head_of


def sizes_apart(trees: Sequence[Statement | None]) -> list[Statement | None]:
    """m ∈ ℝ^n is no size, though B ∈ ℝ^{m × r} has one of that name: that is another letter, which stands in shapes."""
    chains = tuple(p.chain for s in trees if s is not None for p in s.parts)
    shapes = [n.shape for n in walk(chains) if isinstance(n, Reals) and n.shape is not None]
    sizes = {n.letter for n in names_in(tuple(shapes)) if not n.sub}
    linked = [c for c in chains if c.links]
    members = {key_of(x) for c in linked if c.links[0].relation == "∈" for x in c.subjects if isinstance(x, Name)}
    given = {h.key for c in linked if c.links[0].relation in EQUATIONS and (h := head_of(c.subjects[-1]))}
    by = (x for n in walk(chains) if isinstance(n, (Derivative, Operator)) for x in n.wrt if isinstance(x, Name))
    both = sizes & (members | (given & {key_of(x) for x in by}))

    def apart(node: object) -> object | None:
        match node:
            case Reals(shape):
                return replace(node, shape=cast("Expr | None", rewritten(shape, renamed)))
        return None

    def renamed(node: object) -> object | None:
        return replace(node, letter=f"{node.letter}ₛ") if isinstance(node, Name) and node.letter in both else None

    return [cast("Statement | None", rewritten(s, apart)) for s in trees] if both else list(trees)


def counts_apart(trees: list[Statement | None]) -> list[Statement | None]:
    """N_k = Σ_{n=1}^N r_{nk}: the N_k are no entries of N, which is a size, and another letter."""
    chains = tuple(p.chain for s in trees if s is not None for p in s.parts)
    counts = {b.high.letter for n in walk(chains) if isinstance(n, Sum) for b in n.binders if isinstance(b.high, Name)}
    heads = (head_of(c.subjects[-1]) for c in chains if c.links and c.links[0].relation in EQUATIONS)
    apart = counts & {h.key for h in heads if h is not None and h.name.sub is not None and indexed(h.name)}
    bare = {n.letter for n in walk(chains) if isinstance(n, Name) and n.sub is None}

    def renamed(node: object) -> object | None:
        match node:
            case Name(letter) if letter in apart & bare and indexed(node):
                return replace(node, letter=f"{letter}ᵢ")
        return None

    return [cast("Statement | None", rewritten(s, renamed)) for s in trees] if apart else trees


def indexed(name: Name) -> bool:
    return name.sub is not None and all(isinstance(i, Name) and i.letter.islower() for i in name.sub.items)


def families_apart(trees: list[Statement | None]) -> list[Statement | None]:
    """f(x) = 1/n Σ_i f_i(x): the functions f_i are no entries of f, and another letter."""
    linked = (p.chain for s in trees if s is not None for p in s.parts if p.chain.links)
    apart = set[str]()
    for sides in (c.sides for c in linked):
        sums = [(n, called(n.body)) for n in walk(sides) if isinstance(n, Sum) and n.kind == "sum"]
        within = {f.letter for n, f in sums if f and f.sub and f.sub.text in [b.name for b in n.binders]}
        terms = (t for x in sides for t in (x.args if isinstance(x, Add) else (x,)))
        whole = (called(t.arg if isinstance(t, Neg) else t) for t in terms)
        apart |= within & {f.letter for f in whole if f is not None and f.sub is None}

    def renamed(node: object) -> object | None:
        match node:
            case Name(letter, sub=Script(items=(Name(),))) if letter in apart:
                return replace(node, letter=f"{letter}ᵢ")
        return None

    return [cast("Statement | None", rewritten(s, renamed)) for s in trees] if apart else trees


def called(node: Expr) -> Name | None:
    """The f of f(x), ∇f(x), η ∇f(x)."""
    args = node.args if isinstance(node, Product) else ()
    kept = [a for a in args if not isinstance(a, (Num, Quotient, Operator, Paren))]
    plain = all(isinstance(a, Name) and not a.sups for a in kept)
    return cast(Name, kept[-1]) if kept and plain and isinstance(args[-1], Paren) else None
