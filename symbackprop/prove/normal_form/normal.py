"""The normal form: every term as one canonical sum of products, with the proof that it is equal.

`Normal.of` works bottom up: the inside of every function is normalised first (`rules/functions.py` names the rules
for functions, roots and steps), then the sum of products is reduced by the relations between its factors
(`rules/relations.py`: denominators, inverses, maxima, hypotheses).
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.clock import check_time
from symbackprop.core.context import Context
from symbackprop.core.indices import affine
from symbackprop.core.kernel import By, Inside, Linear, Proof, UnderSum, UnderWhole, check
from symbackprop.core.signs import NONNEGATIVE, POSITIVE
from symbackprop.core.sums import LITERAL, Monomial, monomial_key
from symbackprop.core.terms import (
    Add,
    Apply,
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
    mul,
    open_body,
    over,
    rebuilt,
    whole,
)

from ..differentiate import Names, differentiate
from ..rules.functions import array_function, function
from ..rules.ranges import join
from ..rules.relations import Relations
from ..rules.summation_ranges import in_range, pinned, split
from .joined import Rewritten, either, joined
from .radix import Strides, digits
from .reduce import Reduction, Rule, ordered
from .session import Session, Way, step_of_steps

F1 = Fraction(1)
SPREAD = (POSITIVE, NONNEGATIVE)  # signs of the factors of a root that is taken apart


class Normal(Session):
    """Normal forms under one context; remembers what it has seen."""

    def __init__(
        self, context: Context, names: Names | None = None, way: Way | None = None, strides: Strides | None = None
    ) -> None:
        super().__init__(context, names, way, strides)
        self.seen: dict[Term, Rewritten] = {}
        self.functions: dict[Term, Rewritten] = {}
        self.relations = Relations(self)

    def against_maxima(self, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        return self.relations.maxima.step(u, monomials)

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
        reduction = self.reduced(inside)
        value = reduction.result()
        return value, None if value == t else joined(proof, reduction.proof())

    def reduced(self, t: Term, *more: Rule) -> Reduction:
        rules = (*self.relations.rules(), *more)
        reduction = Reduction(t, self.run(t))
        reduction.exhaust(rules)
        while join(reduction):
            reduction.exhaust(rules)
        return reduction

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
                return value, joined(By("power_of_product", (args, q)), rest)
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
