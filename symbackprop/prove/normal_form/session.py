"""What one search for normal forms has at hand: the ways to look, the rules, context, signs, names given so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import permutations

from symbackprop.core.context import Context
from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Inside, Instance, Let, Linear, Proof, UnderSum, UnderWhole
from symbackprop.core.ordering import Key, key
from symbackprop.core.ranges import within
from symbackprop.core.signs import NONZERO, POSITIVE, Signs
from symbackprop.core.sums import Expansion, Monomial, compound, surely_positive
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    Array,
    Entry,
    Holds,
    Positive,
    Sum,
    Term,
    Whole,
    arguments,
    free,
    open_body,
    over,
    rebuilt,
    substitute,
    subterms,
    whole,
)
from symbackprop.prove.differentiate import Names
from symbackprop.prove.matching import unify

from .joined import Rewritten, either, flipped, joined
from .radix import Strides

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
            case Sum(size, body, _):
                i = self.names.new(size)
                value, proof = self.unfolded(open_body(body, (i,)))
                return (t, None) if proof is None else (over(i, value), UnderSum(i, proof))
            case Whole(fn, order, sizes, body, at, _):
                axes = tuple(self.names.new(n) for n in sizes)
                value, proof = self.unfolded(open_body(body, axes))
                return (t, None) if proof is None else (
                    whole(fn, order, axes, value, at), UnderWhole(fn, order, axes, at, proof))  # fmt: skip
            case _:
                results = [self.unfolded(a) for a in arguments(t)]
                parts = tuple((k, p) for k, (_, p) in enumerate(results) if p is not None)
                return (rebuilt(t, tuple(v for v, _ in results)), Inside(t, parts)) if parts else (t, None)

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
                if unknown <= binding.keys() and all(within(e, i.size) for i, e in values):
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
