"""Rewriting sums of products by proved equations, keeping the account that the kernel checks.

A `Reduction` holds a collected sum of products and the steps so far: at any time

    start - current  =  Σ over steps of  Σ_{dummies} factor * (lhs - rhs),

where each step's lhs = rhs has a proof.  Rules say what to rewrite; this file says where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from symbackprop.clock import check_time
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.kernel import Linear, Proof
from symbackprop.core.ordering import Key
from symbackprop.core.sums import Expansion, Factors, Monomial, canonical, collect, monomial_key
from symbackprop.core.terms import Num, Power, Term, add, mul, over


class TooLarge(SymbackpropError):
    """The search gave up for reasons of size; nothing is claimed."""


class Move:
    """A rewrite of one monomial: keep * lhs -> keep * rhs under the dummies that stay."""

    __slots__ = ("dummies", "keep", "lhs", "proof", "rhs")

    def __init__(self, dummies: tuple[Index, ...], keep: Term, lhs: Term, rhs: Term, proof: Proof) -> None:
        self.dummies, self.keep, self.lhs, self.rhs, self.proof = dummies, keep, lhs, rhs, proof


Rule = Callable[[Monomial], Move | None]


def product_of(coefficient: Fraction, factors: Factors) -> Term:
    return mul(Num(coefficient), *(b if e == 1 else Power(b, e) for b, e in factors))


def summed(dummies: Iterable[Index], body: Term) -> Term:
    for i in reversed(tuple(dummies)):
        body = over(i, body)
    return body


class Reduction:
    def __init__(self, start: Term, run: Expansion, limit: int = 4000) -> None:
        self.start, self.run, self.limit = start, run, limit
        self.current: dict[Key, Monomial] = collect(run.raw(start))
        self.steps: list[tuple[tuple[Index, ...], Term, Proof]] = []

    def apply(self, move: Move) -> list[Key]:
        """Do the move; returns the keys of the monomials that are new or changed."""
        check_time()
        before = self.run.under(move.dummies, mul(move.keep, move.lhs))
        after = self.run.under(move.dummies, mul(move.keep, move.rhs))
        self.steps.append((move.dummies, move.keep, move.proof))
        changed = []
        for m in [m._replace(coefficient=-m.coefficient) for m in before] + after:
            k = monomial_key(m)
            old = self.current.get(k)
            c = m.coefficient + (old.coefficient if old else 0)
            if c:
                self.current[k] = (old or m)._replace(coefficient=c)
                changed.append(k)
            else:
                self.current.pop(k, None)
        if len(self.current) > self.limit or len(self.steps) > self.limit:
            raise TooLarge(f"more than {self.limit} terms or steps")
        return changed

    def exhaust(self, rules: Iterable[Rule]) -> None:
        """Apply the rules until none applies."""
        rules = tuple(rules)
        queue = list(self.current)
        while queue:
            check_time()
            k = queue.pop()
            m = self.current.get(k)
            if m is None:
                continue
            for rule in rules:
                move = rule(m)
                if move is not None:
                    queue.extend(self.apply(move))
                    if k in self.current:
                        queue.append(k)
                    break

    def result(self) -> Term:
        """The current sum as a term, in the order of the keys."""
        return add(*(ordered(self.current[k]) for k in sorted(self.current)))

    def proof(self) -> Proof:
        return Linear(self.start, self.result(), tuple(self.steps))


def ordered(m: Monomial) -> Term:
    """The monomial with its sums in canonical order."""
    return m._replace(dummies=canonical(m)[1]).term()
