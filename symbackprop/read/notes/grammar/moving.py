r"""Dots over letters that are derivatives by time: \dot x = dx/dt, also where x is any function of time.

Where a letter is given by t, its dot is d/dt; else y = A x moves as x does, \dot y = A \dot x, which is a relation
between differentials.  An equation of motion, \dot x = f(x) of an x that nothing gives, is put in where others move by
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from .statement import Statement
from .tree import At, Chain, Derivative, Differential, Expr, Link, Name, Paren, Product, Script
from .walking import mapped, respan, walk

DOTS = {"dot": 1, "ddot": 2}


class Moving:
    """`said`: the words say that a dot is a derivative by time, or a tangent."""

    def __init__(self, statements: Sequence[Statement], above: Iterable[Chain], said: bool) -> None:
        chains = [p.chain for s in statements for p in s.parts]
        self.time = next((t for c in chains if (t := time_of(c)) is not None), None)
        self.given: dict[str, frozenset[str]] = {}
        self.motions: dict[str, Chain] = {}
        for chain in (*above, *chains):
            self.gives(chain)
        dotted = {n.letter for c in chains for n in walk(c) if isinstance(n, Name) and n.mark in DOTS}
        self.reaches = {letter: self.reach(letter) for letter in self.given} if dotted else {}
        by_time = any(isinstance(n, Name) and n.letter == "t" for c in chains for n in walk(c))
        self.time = self.time or (Name("t") if by_time else None)
        timed = by_time and any("t" in self.reaches.get(letter, ()) for letter in dotted)
        self.on = bool(dotted) and (said or timed or any(time_of(c) is not None for c in chains))
        self.motions = {x: c for x, c in self.motions.items() if x not in self.given}

    def gives(self, chain: Chain) -> None:
        if len(chain.links) < 1 or len(chain.subjects) != 1 or chain.links[0].relation not in ("=", ":=", "≡"):
            return
        names = frozenset(n.letter for n in walk(chain.links[0].rhs) if isinstance(n, Name))
        match chain.subjects[0]:
            case Name(x, "dot", None, ()) if time_of(chain) is None:
                inside = list(walk(chain.links[0].rhs))
                if not any(isinstance(n, Derivative) or (isinstance(n, Name) and n.mark in DOTS) for n in inside):
                    self.motions.setdefault(x, Chain(chain.subjects, chain.links[:1], chain.span))
            case Name(x, mark, _, (), 0) if mark not in DOTS:
                self.given.setdefault(x, names)
            case Product((Name(x, mark, None, (), 0), Paren(args, "("))) if mark not in DOTS:
                of = {c.subjects[-1].letter for c in args if isinstance(c.subjects[-1], Name)}
                self.given.setdefault(x, names | of)

    def reach(self, letter: str) -> frozenset[str]:
        found, work = {letter}, [letter]
        while work:
            new = self.given.get(work.pop(), frozenset()) - found
            found |= new
            work += new
        return frozenset(found)

    # --- rewriting ---------------------------------------------------------------------------

    def statement(self, s: Statement) -> Statement:
        if not self.on:
            return s
        return replace(s, parts=tuple(replace(p, chain=self.chain(p.chain)) for p in s.parts))

    def chain(self, chain: Chain) -> Chain:
        if time_of(chain) is not None:
            return chain
        first = chain.subjects[-1]
        if isinstance(first, Name) and first.letter in self.motions and first.mark == "dot":
            return chain
        new = cast(Chain, self.of(chain))
        if new is chain or not new.links:
            return new
        moved = {n.body.letter for n in walk(new) if isinstance(n, Differential) and isinstance(n.body, Name)}
        reached = frozenset(moved).union(*(self.reaches.get(x, frozenset()) for x in moved))
        lhs = new.subjects[-1]
        for x in sorted(reached & self.motions.keys()):
            motion = self.motions[x]
            start = replace(cast(Name, motion.subjects[0]), mark="", span=lhs.span)
            rate = cast(Expr, respan(motion.links[0].rhs, (0, 0)))  # it has no text here
            link = Link("=", rate, lhs.span, lhs.span)
            lhs = At(lhs, Chain((Differential(start, lhs.span),), (link,), lhs.span), lhs.span)
        return replace(new, subjects=(*new.subjects[:-1], lhs))

    def of(self, node: object) -> object:
        if isinstance(node, Script):
            return node
        new = mapped(node, self.of)
        return self.derivative(new) if isinstance(new, Name) and new.mark in DOTS else new

    def derivative(self, name: Name) -> Expr:
        bare, order = replace(name, mark=""), DOTS[name.mark]
        if self.time is not None and self.time.letter in self.reaches.get(name.letter, ()):
            plain = replace(bare, sups=())
            out = Derivative(plain, (self.time,) * order, True, name.span)
            return out if not name.sups else replace(name, mark=name.mark)
        return Differential(bare, name.span) if order == 1 and not name.sups else name


def time_of(chain: Chain) -> Name | None:
    r"""The t of \dot x = dx/dt."""
    match chain:
        case Chain((Name(x, "dot"),), (Link(rhs=Derivative(Name(y), (Name() as t,))),)) if x == y:
            return t
        case Chain((Name(x, "dot"),), (Link(rhs=Derivative(Product((Name(y), Paren())), (Name() as t,))),)) if x == y:
            return t
    return None
