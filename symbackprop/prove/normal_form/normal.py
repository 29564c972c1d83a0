"""The normal form: every term as one canonical sum of products, with the proof that it is equal.

`Normal.of` works bottom up: the inside of every function is normalised first (`atoms.py` names the rules
for functions, roots and steps), then the sum of products is reduced by the relations between its factors
(`relations.py`: denominators, inverses, maxima, hypotheses).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations

from symbackprop.clock import check_time
from symbackprop.core.context import Context
from symbackprop.core.indices import Index, affine
from symbackprop.core.kernel import By, Inside, Instance, Let, Linear, Proof, UnderSum, UnderWhole, check
from symbackprop.core.ordering import Key, key
from symbackprop.core.ranges import within
from symbackprop.core.signs import NONNEGATIVE, NONZERO, POSITIVE, Signs
from symbackprop.core.sums import LITERAL, Expansion, Monomial, compound, monomial_key, surely_positive
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Diff,
    Entry,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    add,
    arguments,
    free,
    mul,
    open_body,
    over,
    rebuilt,
    substitute,
    subterms,
    whole,
)

from ..differentiate import Names, differentiate
from ..matching import unify
from ..rules.functions import array_function, function
from ..rules.in_range import in_range
from ..rules.joined_axes import split
from ..rules.pinned import pinned
from ..rules.ranges import join
from ..rules.relations import Relations
from .joined import Rewritten, either, flipped, joined
from .radix import Strides, digits
from .reduce import Reduction, ordered

F1 = Fraction(1)
SPREAD = (POSITIVE, NONNEGATIVE)  # signs of the factors of a root that is taken apart


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


class Normal:
    """Normal forms under one context; remembers what it has seen."""

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
        self.seen: dict[Term, Rewritten] = {}
        self.functions: dict[Term, Rewritten] = {}
        self.lets: dict[Key, tuple[Array, Tensor]] = {}  # names given to compound bases, by what they mean
        self.meanings: dict[Array, Tensor] = {}
        self.sides: dict[Term, bool] = {}
        self.relations = Relations(self)

    def other_side(self, u: Term, negative: bool) -> bool:
        """Whether a step, of u or of -u, is the opposite of the one that was met first: [-u > 0] beside [u > 0].

        Only then is it written by the other, which is true for u != 0 alone.  The letters of indices do not count.
        """
        alike = substitute(u, {i: Index("~", i.size) for i in free(u)})
        return self.sides.setdefault(alike, negative) != negative and self.way.negated_steps

    def of(self, t: Term) -> Rewritten:
        """The normal form of `t` and a proof of t = it, None where it is `t`.

        Raises ProofError or TooLarge when a limit is met.
        """
        if t not in self.seen:
            check_time()
            self.seen[t] = self.compute(t)
        return self.seen[t]

    def compute(self, t: Term) -> Rewritten:
        inside, proof = self.inner(t)
        reduction = Reduction(inside, self.run(inside))
        reduction.exhaust(self.relations.rules())
        while join(reduction):
            reduction.exhaust(self.relations.rules())
        value = reduction.result()
        return value, None if value == t else joined(proof, reduction.proof())

    def run(self, *terms: Term) -> Expansion:
        """An expansion whose dummies no term in play uses."""
        run = Expansion(frozenset[Index]().union(*map(free, terms)))
        run.count = max(run.count, self.names.count)
        self.names.count = run.count + 1_000_000  # room for the dummies of this run
        return run

    def inner(self, t: Term) -> Rewritten:
        """`t` with the inside of every function normalised and the rules for functions applied."""
        match t:
            case Mul() if (there := in_range(t, self.names)) is not None:
                value, rest = self.inner(there)
                return value, joined(Linear(t, there), rest)
            case Add(args) | Mul(args):
                return self.arguments(t, args)
            case Sum(size, body, _):
                i = self.names.new(size)
                opened = open_body(body, (i,))
                here = pinned(i, opened, self.names)
                if (self.strides or here is not None) and 0 < (size.constant or 0) <= LITERAL:
                    values = add(*(open_body(body, (affine(v, ()),)) for v in range(size.constant or 0)))
                    value, rest = self.inner(values)
                    return value, joined(Linear(t, values), rest)
                if here is not None:
                    value, rest = self.inner(here)
                    return value, joined(Linear(t, here), rest)
                pair = digits(i, (opened,), self.strides)
                if pair is not None:
                    by_digits = By("by_radix", (i, *map(self.names.new, pair), opened))
                    value, rest = self.inner(check(by_digits, self.context).rhs)
                    return value, joined(by_digits, rest)
                halves = split(i, opened, self.names, self.context)
                if halves is not None:
                    value, rest = self.inner(halves[0])
                    return value, joined(halves[1], rest)
                value, proof = self.inner(opened)
                return (t, None) if proof is None else (over(i, value), UnderSum(i, proof))
            case Power(base, q) if q.denominator == 1 and q > 0:
                return self.arguments(t, (base,))
            case Power(Mul(args), q) if q.denominator == 1:
                value, rest = self.inner(Mul(tuple(Power(a, q) for a in args)))
                return value, joined(By("power_of_product", (args, q)), rest)
            case Power(Mul(args), q) if len(args) > 1 and all(self.signs.sign(a) in SPREAD for a in args):
                value, rest = self.inner(Mul(tuple(Power(a, q) for a in args)))
                return value, joined(By("root_of_product", (args, q)), rest)
            case Power(Power(base, p), q) if q.denominator == 1 and p.denominator == 1:
                value, rest = self.inner(Power(base, p * q))
                return value, joined(By("power_of_power", (base, p, q)), rest)
            case Power(Power(base, p), q) if q.denominator > 1 and self.signs.sign(base) == POSITIVE:
                value, rest = self.inner(Power(base, p * q))
                return value, joined(By("power_of_power", (base, p, q)), rest)
            case Holds(Positive()) if self.way.ranks_kept and step_of_steps(t):
                return t, None
            case Power() | Apply() | Holds(Positive()):
                return self.function(t)
            case Whole(fn, order, sizes, body, at, _):
                axes = tuple(self.names.new(n) for n in sizes)
                value, proof = self.of(open_body(body, axes))
                turned, law = array_function(self, whole(fn, order, axes, value, at))
                inside = None if proof is None else UnderWhole(fn, order, axes, at, proof)
                return turned, either(inside, law)
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
        if t in self.functions:
            return self.functions[t]
        (arg,) = arguments(t)
        value, proof = self.of(arg)
        if isinstance(t, Power):
            self.note_sign(value, arg, proof)
        normal = rebuilt(t, (value,))
        turned, law = function(self, normal)
        done = turned, either(None if proof is None else Inside(t, ((0, proof),)), law)
        if law is None:
            short, named = self.shortened(normal, value)
            if named is not None:
                done = short, joined(done[1], named)
            self.functions[short] = short, None
        self.functions[t] = done
        return done

    def shortened(self, t: Term, arg: Term) -> Rewritten:
        """f(compound argument) with names inside: the base of a fraction or root, the sums in an exponent."""
        if isinstance(t, Power):
            monomials = self.run(arg).expand(arg)
            alone = len(monomials) < 2 and not any(m.dummies for m in monomials)
            short, named = (arg, None) if alone else self.named(arg)
        elif isinstance(t, Apply) and t.fn == "exp":
            short, named = self.sums_named(arg)
        else:
            return t, None
        return (t, None) if named is None else (rebuilt(t, (short,)), Inside(t, ((0, named),)))

    def sums_named(self, arg: Term) -> Rewritten:
        """Each Σ of the exponent by name.  (A sum of exponents stays one, for the law e^{a+b} = e^a e^b.)"""
        monomials = self.run(arg).expand(arg)
        if self.way.whole_exponents and len(monomials) > 1:
            return self.whole_named(arg, monomials)
        parts, steps = [], []
        for m in monomials:
            if not m.dummies:
                parts.append(m.term())
                continue
            entry, proof = self.named(ordered(m._replace(coefficient=F1)))
            if proof is None:
                return arg, None
            parts.append(mul(Num(m.coefficient), entry))
            steps.append(((), Num(m.coefficient), proof))
        if not steps:
            return arg, None
        short = add(*parts)
        return short, Linear(arg, short, tuple(steps))

    def whole_named(self, arg: Term, monomials: list[Monomial]) -> Rewritten:
        """c times a name for the exponent, whose first term has the coefficient 1: e^{2u} and e^{-u} share it."""
        c = min(monomials, key=monomial_key).coefficient
        unit = add(*(ordered(m._replace(coefficient=m.coefficient / c)) for m in sorted(monomials, key=monomial_key)))
        entry, proof = self.named(unit)
        if proof is None:
            return arg, None
        short = mul(Num(c), entry)
        return short, Linear(arg, short, (((), Num(c), proof),))

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
