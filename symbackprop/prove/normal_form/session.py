"""What one search for normal forms has at hand: the ways to look, context, signs, names given so far, the account.

A rewriting gives the new term and the proof that it is equal to the old one.  A `Reduction` holds a collected sum of
products and the steps so far: at any time

    start - current  =  Σ over steps of  Σ_{dummies} factor * (lhs - rhs),

where each step's lhs = rhs has a proof.  Rules say what to rewrite; `Reduction` says where.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from typing import NamedTuple

from symbackprop.clock import check_time
from symbackprop.core.context import Context
from symbackprop.core.indices import Affine, Index, ProofError, Size, SymbackpropError
from symbackprop.core.kernel import By, Chain, Flip, Instance, Let, Linear, Proof
from symbackprop.core.signs import NONNEGATIVE, NONZERO, POSITIVE, Signs, within
from symbackprop.core.sums import (
    Expansion, Factors, Monomial, canonical, collect, compound, monomial_key, surely_positive,
)  # fmt: skip
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Array, Entry, Holds, Key, Num, Positive, Power, Sum, Term, Whole, add, arguments, free, key, mul, neg, substitute,
    subterms,
)  # fmt: skip
from symbackprop.prove.differentiate import Names
from symbackprop.prove.matching import Rewritten, in_parts, unify

from .strides import Strides, strides


def joined(*proofs: Proof | None) -> Proof:
    """The chain of those that are there, as short as it can be: a = b and b = c by sums of products are one step."""
    links: list[Proof] = []
    for p in (link for q in proofs if q is not None for link in links_of(q)):
        if links and isinstance(p, Linear) and isinstance(last := links[-1], Linear):
            links[-1] = Linear(last.lhs, p.rhs, (*last.steps, *p.steps))
        else:
            links.append(p)
    kept = [p for p in links if not (isinstance(p, Linear) and p.lhs == p.rhs and not p.steps)] or links[:1]
    return kept[0] if len(kept) == 1 else Chain(kept[0], tuple(kept[1:]))


def either(*proofs: Proof | None) -> Proof | None:
    """The chain of those that are there, None where there are none."""
    return joined(*proofs) if any(p is not None for p in proofs) else None


def links_of(p: Proof) -> Iterator[Proof]:
    if isinstance(p, Chain):
        for part in (p.first, *p.rest):
            yield from links_of(part)
    else:
        yield p


def flipped(p: Proof | None) -> Proof | None:
    """From a = b the proof of b = a."""
    match p:
        case None:
            return None
        case Linear(lhs, rhs, steps):
            return Linear(rhs, lhs, tuple((dummies, neg(factor), q) for dummies, factor, q in steps))
        case Chain(first, rest):
            return joined(*(flipped(q) for q in reversed((first, *rest))))
        case Flip(inner):
            return inner
        case _:
            return Flip(p)


# --- how a proof is looked for: the ways to a normal form, the quickest first ---


@dataclass(frozen=True, slots=True)
class Way:
    """How a proof is looked for: `WAYS` has the quickest first, as measured on many gradients.

    `whole_exponents`: an exponent of several terms gets one name, so e^{a+b} is one thing (not e^a e^b).
    `rewrite_fractions`: t b^{-1} = 1 - rest b^{-1} for b = t + rest (else only common denominators are used).
    `exponentials`: tanh, sigmoid and their like are fractions of exponentials (else things of their own).
    `negated_steps`: [u > 0] and [-u > 0] are one thing and the other, where u is not 0 (else two things).
    `ranks_kept`: steps of steps (ranks) stay as they are written, which asks for no conditions.
    """

    whole_exponents: bool = False
    rewrite_fractions: bool = True
    exponentials: bool = True
    negated_steps: bool = True
    ranks_kept: bool = False


WAYS = (Way(True, False), Way(True, True), Way(False, True), Way(False, False))
AS_WRITTEN = tuple(replace(way, negated_steps=False) for way in WAYS[:2])
QUICK = Way(True, False, False)  # before these, where there are such functions
RANKS_KEPT = Way(True, False, ranks_kept=True)  # where there are steps of steps


def step_of_steps(t: Term) -> bool:
    """[.. [u > 0] .. > 0]: what is inside compares data."""
    inside = arguments(t)[0] if isinstance(t, Holds) and isinstance(t.predicate, Positive) else None
    within = () if inside is None else subterms(inside)
    return any(isinstance(s, Holds) and isinstance(s.predicate, Positive) for s in within)


# --- the rules and what they see: context, signs, and the names given so far ---


class Session(ABC):
    """Normal forms under one context, as the rules see them; what brings the rules together is `normal.Normal`."""

    def __init__(
        self, context: Context, names: Names | None = None, way: Way | None = None, strides: Strides | None = None
    ) -> None:
        self.context = context
        self.strides = strides or {}
        self.names = names or Names()
        self.signs = Signs(context)
        self.way = way or Way()
        # what shows that a canonical base is positive, by the key of the base: (base, plain form, proof plain = base)
        self.known: dict[Key, tuple[Term, Term, Proof | None]] = {}
        self.lets: dict[Key, tuple[Array, Tensor]] = {}  # names given to compound bases, by what they mean
        self.meanings: dict[Array, Tensor] = {}
        self.sides: dict[Term, bool] = {}

    @abstractmethod
    def of(self, t: Term) -> Rewritten:
        """The normal form of `t` and a proof of t = it, None where it is `t`.

        Raises ProofError or TooLarge when a limit is met.
        """

    @abstractmethod
    def inner(self, t: Term) -> Rewritten:
        """`t` with the inside of every function normalised and the rules for functions applied."""

    @abstractmethod
    def against_maxima(self, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        """[u > 0] where u compares an entry with the largest of its array."""

    def other_side(self, u: Term, negative: bool) -> bool:
        """Whether a step, of u or of -u, is the opposite of the one that was met first: [-u > 0] beside [u > 0].

        Only then is it written by the other, which is true for u != 0 alone.  The letters of indices do not count.
        """
        alike = substitute(u, {i: Index("~", i.size) for i in free(u)})
        return self.sides.setdefault(alike, negative) != negative and self.way.negated_steps

    def run(self, *terms: Term) -> Expansion:
        """An expansion whose dummies no term in play uses."""
        run = Expansion(frozenset[Index]().union(*map(free, terms)), least=self.context.least)
        run.count = max(run.count, self.names.count)
        self.names.count = run.count + 1_000_000  # room for the dummies of this run
        return run

    # --- names for compound bases ------------------------------------------------------------

    def named(self, t: Term) -> Rewritten:
        """A compound base by a name of its own, an entry whose indices are the base's free indices.

        So what is written inside a fraction is read once, however often the fraction is used.
        """
        if not compound(t):
            return t, None
        axes = tuple(sorted(free(t), key=lambda i: i.name))
        orders = [axes] if len(axes) > 3 else permutations(axes)
        k, axes = min(((key(t, {i: n for n, i in enumerate(o)}), o) for o in orders), key=lambda p: p[0])
        if k not in self.lets:
            array = self.names.array()
            own = tuple(Index(f"@{n}", i.size) for n, i in enumerate(axes))
            meaning = Tensor(own, substitute(t, dict(zip(axes, own, strict=True))))
            self.lets[k] = array, meaning
            self.meanings[array] = meaning
        array, meaning = self.lets[k]
        entry = Entry(array, axes)
        proof = flipped(joined(By("unfold", (entry,)), Linear(meaning.at(*axes), t)))
        if self.positive(t):
            base, shown, equal = self.known.get(key(t), (t, t, None))
            self.known.setdefault(key(entry), (entry, shown, joined(equal, Linear(base, t), proof)))
        return entry, proof

    def meaning(self, b: Term) -> Term | None:
        """What a name stands for; a compound base itself."""
        if isinstance(b, Entry) and b.array in self.meanings:
            return self.meanings[b.array].at(*b.at)
        return b if compound(b) else None

    def unfolded(self, t: Term) -> Rewritten:
        """`t` without the names given here, and the proof."""
        match t:
            case Entry(array, at) if array in self.meanings:
                value, rest = self.unfolded(self.meanings[array].at(*at))
                return value, joined(By("unfold", (t,)), rest)
            case _:
                return in_parts(t, self.unfolded, self.names.axes)

    def closed(self, proof: Proof) -> Proof:
        """The proof with every name introduced, innermost last."""
        for array, meaning in reversed(list(self.meanings.items())):
            proof = Let(array, meaning, proof)
        return proof

    # --- what is known to be positive ----------------------------------------------------------

    def note_sign(self, base: Term, shown_by: Term, equal: Proof | None) -> None:
        if self.signs.sign(shown_by) == POSITIVE:
            self.known.setdefault(key(base), (base, shown_by, equal))

    def shown(self, t: Term) -> tuple[Term, Proof | None] | None:
        """A term whose sign is plain to see and the proof that it is `t`, which may be an instance of a known base."""
        if key(t) in self.known:
            base, plain, equal = self.known[key(t)]
            return plain, either(equal, None if base == t else Linear(base, t))
        for base, plain, equal in list(self.known.values()):
            if type(base) is not type(t) or equal is None:
                continue
            unknown = free(base)
            for binding in unify(base, t, {}, unknown):
                values = tuple((i, binding[i]) for i in sorted(binding, key=lambda i: i.name))
                if unknown <= binding.keys() and all(within(e, i.size, self.context.least) for i, e in values):
                    given = dict(values)
                    whole = Instance(values, equal)
                    return substitute(plain, given), joined(whole, Linear(substitute(base, given), t))
        return None

    def unit(self, t: Term) -> bool:
        """Surely not zero, and no sum: what may be divided by, its powers being no new terms."""
        if surely_positive(t):
            return True
        return self.meaning(t) is None and self.signs.sign(t) in (POSITIVE, NONZERO)

    def positive(self, t: Term) -> bool:
        return key(t) in self.known or self.signs.sign(t) == POSITIVE

    def never_negative(self, t: Term) -> bool:
        return self.positive(t) or bool(self.signs.sign(t) & NONNEGATIVE)


def splits(terms: Iterable[Term]) -> Strides:
    """How the composite sizes of sums and free indices are split; most terms have no such sizes."""
    own = {i.size for t in terms for i in free(t)} | {s.size for t in terms for s in subterms(t) if isinstance(s, Sum)}
    composite = [n for n in own if is_composite(n)]
    return strides(composite, terms) if composite else {}


def is_composite(n: Size) -> bool:
    """A product of numbers and symbols."""
    return len(n.monomials) == 1 and len(n.monomials[0][0]) + (n.monomials[0][1] > 1) > 1


# --- sums of products rewritten by proved equations, with the account that the kernel checks ---


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

    def kinds(self) -> set[type]:
        return set[type]().union(*map(kinds_in, self.current.values()))

    def result(self) -> Term:
        """The current sum as a term, in the order of the keys."""
        return add(*(ordered(self.current[k]) for k in sorted(self.current)))

    def proof(self) -> Proof:
        return Linear(self.start, self.result(), tuple(self.steps))


def ordered(m: Monomial) -> Term:
    """The monomial with its sums in canonical order."""
    return m._replace(dummies=canonical(m)[1]).term()
