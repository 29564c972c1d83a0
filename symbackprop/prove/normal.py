"""The normal form: every term as one canonical sum of products, with the proof that it is equal.

`Normal.of` works bottom up: the inside of every function is normalised first (`atoms.py` has the rules
for functions, roots and steps), then the sum of products is reduced by the relations between its factors
(`relations.py`: denominators, inverses, maxima, hypotheses).
"""

from __future__ import annotations

from ..core.context import Context
from ..core.indices import Index
from ..core.kernel import By, Chain, Inside, Linear, Proof, UnderSum, UnderWhole
from ..core.ordering import Key, key
from ..core.signs import Signs
from ..core.sums import Expansion
from ..core.terms import (
    Add,
    Apply,
    Diff,
    Entry,
    Holds,
    Mul,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    arguments,
    free,
    open_body,
    over,
    rebuilt,
    whole,
)
from .differentiate import Names, differentiate
from .reduce import Reduction

Rewritten = tuple[Term, Proof | None]  # None: nothing changed


class Normal:
    """Normal forms under one context; remembers what it has seen."""

    def __init__(self, context: Context, names: Names | None = None) -> None:
        from .atoms import Atoms
        from .relations import Relations

        self.context = context
        self.names = names or Names()
        self.signs = Signs(context)
        # what shows that a canonical base is positive, by the key of the base: (base, plain form, proof plain = base)
        self.known: dict[Key, tuple[Term, Term, Proof | None]] = {}
        self.seen: dict[Term, tuple[Term, Proof]] = {}
        self.atoms = Atoms(self)
        self.relations = Relations(self)

    def of(self, t: Term) -> tuple[Term, Proof]:
        """The normal form of `t` and a proof of t = it.  Raises ProofError or TooLarge when a limit is met."""
        if t not in self.seen:
            self.seen[t] = self.compute(t)
        return self.seen[t]

    def compute(self, t: Term) -> tuple[Term, Proof]:
        inside, proof = self.inner(t)
        reduction = Reduction(inside, self.run(inside))
        reduction.exhaust(self.relations.rules())
        value = reduction.result()
        return value, joined(proof, reduction.proof())

    def run(self, *terms: Term) -> Expansion:
        """An expansion whose dummies no term in play uses."""
        run = Expansion(frozenset[Index]().union(*map(free, terms)))
        run.count = max(run.count, self.names.count)
        self.names.count = run.count + 10_000  # room for the dummies of this run
        return run

    def inner(self, t: Term) -> Rewritten:
        """`t` with the inside of every function normalised and the rules for functions applied."""
        match t:
            case Add(args) | Mul(args):
                return self.arguments(t, args)
            case Sum(size, body, _):
                i = self.names.new(size)
                value, proof = self.inner(open_body(body, (i,)))
                return (t, None) if proof is None else (over(i, value), UnderSum(i, proof))
            case Power(base, q) if q.denominator == 1 and q > 0:
                return self.arguments(t, (base,))
            case Power(Mul(args), q) if q.denominator == 1:
                value, rest = self.inner(Mul(tuple(Power(a, q) for a in args)))
                return value, joined(By("power_of_product", (args, q)), rest)
            case Power(Power(base, p), q) if q.denominator == 1 and p.denominator == 1:
                value, rest = self.inner(Power(base, p * q))
                return value, joined(By("power_of_power", (base, p, q)), rest)
            case Power() | Apply() | Holds(Positive()):
                return self.function(t)
            case Whole(fn, order, sizes, body, at, _):
                axes = tuple(self.names.new(n) for n in sizes)
                value, proof = self.of(open_body(body, axes))
                turned, law = self.atoms.whole(whole(fn, order, axes, value, at))
                return turned, joined(UnderWhole(fn, order, axes, at, proof), law)
            case Entry(array, at) if array in self.context.definitions:
                value, rest = self.inner(self.context.definitions[array].at(*at))
                return value, joined(By("unfold", (t,)), rest)
            case Diff(body, wrt):
                derivative, law = differentiate(body, wrt, self.context, self.names)
                value, rest = self.inner(derivative)
                return value, joined(law, rest)
            case _:
                return t, None

    def arguments(self, t: Term, args: tuple[Term, ...]) -> Rewritten:
        results = [self.inner(a) for a in args]
        parts = tuple((k, p) for k, (_, p) in enumerate(results) if p is not None)
        if not parts:
            return t, None
        return rebuilt(t, tuple(v for v, _ in results)), Inside(t, parts)

    def function(self, t: Term) -> Rewritten:
        if t in self.seen:
            return self.seen[t]
        (arg,) = arguments(t)
        value, proof = self.of(arg)
        if isinstance(t, Power):
            self.note_sign(value, arg, proof)
        normal = rebuilt(t, (value,))
        turned, law = self.atoms.function(normal)
        done = turned, joined(Inside(t, ((0, proof),)), law)
        self.seen[t] = done
        return done

    def note_sign(self, base: Term, shown_by: Term, equal: Proof) -> None:
        if self.signs.sign(shown_by) == "positive":
            self.known.setdefault(key(base), (base, shown_by, equal))

    def positive(self, t: Term) -> bool:
        return key(t) in self.known or self.signs.sign(t) == "positive"


def joined(*proofs: Proof | None) -> Proof:
    """The chain of those that are there."""
    kept = [p for p in proofs if p is not None]
    return kept[0] if len(kept) == 1 else Chain(kept[0], tuple(kept[1:]))


def step(lhs: Term, rhs: Term) -> Proof:
    return Linear(lhs, rhs)
