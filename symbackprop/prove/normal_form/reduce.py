"""Rewriting sums of products by proved equations, keeping the account that the kernel checks.

A `Reduction` holds a collected sum of products and the steps so far: at any time

    start - current  =  Σ over steps of  Σ_{dummies} factor * (lhs - rhs),

where each step's lhs = rhs has a proof.  Rules say what to rewrite; this file says where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from symbackprop.clock import check_time
from symbackprop.core.indices import Affine, Index, SymbackpropError
from symbackprop.core.kernel import Inside, Linear, Proof
from symbackprop.core.sums import Expansion, Factors, Monomial, canonical, collect, monomial_key
from symbackprop.core.terms import Entry, Key, Mul, Num, Power, ProofError, Term, Whole, add, free, key, mul, over

from .session import Session, joined

# --- the shared content of monomials: what comes out of a function of their sum ---


def shared_content(
    monomials: list[Monomial], movable: Callable[[Term], bool], unit: Callable[[Term], bool], *, signed: bool
) -> tuple[Monomial, list[Monomial]]:
    """What all monomials share, so that the first by key has coefficient 1; and what is left.

    A unit, which is not zero, is shared with its least power: s^{-2} + 1 = s^{-2} (1 + s^2).
    """
    first = leading(monomials)
    c = first.coefficient if signed else abs(first.coefficient)
    shared: list[tuple[Term, Fraction]] = []
    for b, _ in {f[0]: f for m in monomials for f in m.factors}.values():
        if any(i in free(b) for m in monomials for i in m.dummies) or not movable(b):
            continue
        least = min(exponent(m, b) for m in monomials)
        if least and (unit(b) or all(has(m, b) for m in monomials)):
            shared.append((b, least))
    content = Monomial(c, (), tuple(shared))
    rest = []
    for m in monomials:
        factors = dict(m.factors)
        for b, e in shared:
            factors[b] = factors.get(b, Fraction(0)) - e
        kept: Factors = tuple((b, e) for b, e in factors.items() if e)
        rest.append(Monomial(m.coefficient / c, m.dummies, kept))
    return content, rest


def carry_sign(normal: Session, base: Term, left: Term, content: Monomial) -> None:
    """left = base / content is positive when both are."""
    if key(left) in normal.known or not normal.positive(base):
        return
    base, shown, equal = normal.known.get(key(base), (base, base, None))
    inverse = Power(content.term(), Fraction(-1))
    whole = Mul((inverse, shown))
    first = Inside(whole, ((1, equal),)) if equal is not None else None
    normal.note_sign(left, whole, joined(first, Linear(Mul((inverse, base)), left)))


def leading(monomials: Iterable[Monomial]) -> Monomial:
    return min(monomials, key=monomial_key)


def total(monomials: list[Monomial]) -> Term:
    """The sum as a term, in the order of the keys."""
    return add(*(ordered(m) for m in sorted(monomials, key=monomial_key)))


def has(m: Monomial, b: Term) -> bool:
    return any(f == b for f, _ in m.factors)


def exponent(m: Monomial, b: Term) -> Fraction:
    return next((e for f, e in m.factors if f == b), Fraction(0))



class TooLarge(SymbackpropError):
    """The search gave up for reasons of size; nothing is claimed."""


FAILED = (ProofError, TooLarge, RecursionError)  # what a search ends in that finds nothing


class Move:
    """A rewrite of one monomial: keep * lhs -> keep * rhs under the dummies that stay."""

    __slots__ = ("dummies", "keep", "lhs", "proof", "rhs")

    def __init__(self, dummies: tuple[Index, ...], keep: Term, lhs: Term, rhs: Term, proof: Proof) -> None:
        self.dummies, self.keep, self.lhs, self.rhs, self.proof = dummies, keep, lhs, rhs, proof


Rule = Callable[[Monomial], Move | None]


class About(NamedTuple):
    """A rule, and the kinds of factors of which one must be there for it to say anything; all monomials without."""

    rule: Rule
    kinds: frozenset[type] = frozenset()


def kinds_in(m: Monomial) -> set[type]:
    """The classes of the factors; `Affine` where one is an entry at another place than an index."""
    places = (e for b, _ in m.factors if isinstance(b, Entry | Whole) for e in b.at)
    return {type(b) for b, _ in m.factors} | {Affine for e in places if isinstance(e, Affine)}


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

    def exhaust(self, rules: Sequence[About]) -> None:
        """Apply the rules until none applies."""
        queue = list(self.current)
        while queue:
            check_time()
            k = queue.pop()
            m = self.current.get(k)
            if m is None:
                continue
            kinds = kinds_in(m)
            for rule, needed in rules:
                move = None if needed and kinds.isdisjoint(needed) else rule(m)
                if move is not None:
                    queue.extend(self.apply(move))
                    if k in self.current:
                        queue.append(k)
                    break

    def has(self, kind: type) -> bool:
        return any(isinstance(b, kind) for m in self.current.values() for b, _ in m.factors)

    def result(self) -> Term:
        """The current sum as a term, in the order of the keys."""
        return add(*(ordered(self.current[k]) for k in sorted(self.current)))

    def proof(self) -> Proof:
        return Linear(self.start, self.result(), tuple(self.steps))


def ordered(m: Monomial) -> Term:
    """The monomial with its sums in canonical order."""
    return m._replace(dummies=canonical(m)[1]).term()
