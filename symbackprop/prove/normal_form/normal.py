"""The normal form: every term as one canonical sum of products, with the proof that it is equal.

`Normal.of` works bottom up: the inside of every function is normalised first (`rules/functions.py` names the rules
for functions, roots and steps), then the sum of products is reduced by the relations between its factors
(`rules/relations.py`: denominators, inverses, maxima, hypotheses).  Before that, sums over parts of an axis are
written as sums over axes: where an index has one value left, in windows, over an axis that was joined of two.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from symbackprop.clock import check_time
from symbackprop.core.context import Context
from symbackprop.core.indices import Affine, Index, Size, affine, as_affine, sized
from symbackprop.core.kernel import By, Chain, Inside, Linear, Proof, UnderSum, UnderWhole, check
from symbackprop.core.laws.arrays import inside
from symbackprop.core.monomials import contract
from symbackprop.core.signs import NONNEGATIVE, POSITIVE
from symbackprop.core.sums import LITERAL, Factors, Monomial, monomial_key
from symbackprop.core.terms import (
    Add, Apply, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Positive, Power, Sum, Term, Whole, add, arguments,
    at_least_zero, flattened, free, mul, open_body, opened, over, rebuilt, substitute, subterms, sum_over, whole,
)  # fmt: skip
from symbackprop.prove.rules.summation_ranges import join
from symbackprop.prove.matching import Rewritten

from ..differentiate import Names, differentiate
from ..rules.functions import array_function, function
from ..rules.relations import Relations
from .session import About, Reduction, Rule, Session, Way, either, joined, ordered, step_of_steps
from .strides import Strides, digits

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

    @cached_property
    def relations(self) -> Relations:
        return Relations(self)

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
        rewritten, proof = self.inner(t)
        reduction = self.reduced(rewritten)
        value = reduction.result()
        return value, None if value == t else joined(proof, reduction.proof())

    def reduced(self, t: Term, *more: Rule) -> Reduction:
        reduction = Reduction(t, self.run(t))
        if not (more or self.context.hypotheses or self.meanings) and reduction.kinds() <= {Entry, Delta}:
            return reduction  # a polynomial: no relation is about it
        rules = (*self.relations.rules, *map(About, more))
        reduction.exhaust(rules)
        while Holds in reduction.kinds() and join(reduction):
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
                pair = digits(i, (opened,), self.strides) if self.strides else None
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
                under = None if proof is None else UnderWhole(fn, order, axes, at, proof)
                return turned, either(under, law)
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


# --- sums whose factors leave their dummy one value: Σ_k [2 k <= i] [i <= 2 k + 1] f(k) at i = 2 j is f(j) ---


def pinned(i: Index, body: Term, names: Names) -> Term | None:
    """Σ_i body without the sum, where deltas and ranges among its factors decide i and functions depend on it.

    The sums in the body may stand around those factors.  What would be looked at outside of the range of i stays.
    """
    inner: list[Index] = []
    while isinstance(body, Sum):
        inner.append(names.new(body.size))
        body = opened(body, inner[-1])
    found = decided(i, body)
    return None if found is None else sum_over(tuple(inner), found)


def decided(i: Index, body: Term) -> Term | None:
    args = flattened(Mul, body)
    if not any(i in free(a) and is_predicate(a) for a in args):
        return None
    if not any(i in free(a) and not is_predicate(a) and has_functions(a) for a in args):
        return None
    dummies: tuple[Index, ...] = (i,)
    factors: Factors = tuple((a, F1) for a in args)
    while dummies:
        for place, (b, _) in enumerate(factors):
            if not (is_predicate(b) and i in free(b)):
                continue
            assert isinstance(b, Delta | Holds)
            change = contract(b, dummies, factors[:place] + factors[place + 1 :])
            if change is None:
                continue
            dummies, moved = change
            if moved is None or (not dummies and beyond(factors, moved)):
                return None
            factors = moved
            break
        else:
            return None
    return mul(*(b for b, _ in factors))


def beyond(before: Factors, after: Factors) -> bool:
    """Whether the sum had to say that the value is inside the range."""
    return sum(map(is_range, after)) > sum(map(is_range, before))


def is_range(factor: tuple[Term, Fraction]) -> bool:
    return isinstance(factor[0], Holds) and isinstance(factor[0].predicate, NonNegative)


def is_predicate(t: Term) -> bool:
    return isinstance(t, Delta) or (isinstance(t, Holds) and isinstance(t.predicate, NonNegative))


def has_functions(t: Term) -> bool:
    return any(
        isinstance(s, Apply | Whole) or (isinstance(s, Power) and (s.exponent.denominator > 1 or s.exponent < 0))
        or (isinstance(s, Holds) and isinstance(s.predicate, Positive))
        for s in subterms(t)
    )  # fmt: skip


# --- functions of windows under a condition on their place: [i >= c] f(i - c) = Σ_m δ_{i, m+c} f(m), for m in ---


def in_range(t: Mul, names: Names) -> Term | None:
    """The product as a sum over places that there are; None where no condition in it leaves out some."""
    args = flattened(Mul, t)
    windows = [a for a in args if any(isinstance(s, Whole) and s.fn == "max" for s in subterms(a))]
    bounds = [b for a in args if (b := bound(a)) is not None] if windows else []
    for i in dict.fromkeys(i for i, *_ in bounds):
        if not any(i in free(w) for w in windows):
            continue
        low = max((c for j, c, up in bounds if j == i and not up), key=str, default=sized(0))
        high = min((c for j, c, up in bounds if j == i and up), key=str, default=i.size)
        if not (at_least_zero(high - low - 1) and at_least_zero(low) and at_least_zero(i.size - high)):
            continue
        m = names.new(high - low)
        there = affine(low, ((m, 1),))
        rest = [a for a in args if bound(a) not in ((i, low, False), (i, high, True))]
        return over(m, mul(Delta(i, there), *(substitute(a, {i: there}) for a in rest)))
    return None


def bound(a: Term) -> tuple[Index, Size, bool] | None:
    """(i, c, False) for i >= c, (i, c, True) for i < c."""
    match a:
        case Holds(NonNegative(Index() as i)):
            return i, sized(0), False
        case Holds(NonNegative(Affine() as e)):
            constant, parts = as_affine(e)
            if len(parts) == 1 and isinstance(parts[0][0], Index) and parts[0][1].constant in (1, -1):
                up = parts[0][1].constant == -1
                return parts[0][0], constant + 1 if up else -constant, up
    return None


# --- sums over an axis that was joined of two: Σ_{i < n+m} f(i) = Σ_{i < n} f(i) + Σ_{j < m} f(n + j) ---


def split(i: Index, body: Term, names: Names, context: Context) -> tuple[Term, Proof] | None:
    """Σ_i body in two sums, and the proof; None where nothing in the body says where the axis was joined."""
    cut = joint(i, body)
    if cut is None:
        return None
    halves, laws = [], []
    for start, size in ((sized(0), cut), (cut, i.size - cut)):
        e, k = affine(-start, ((i, 1),)), names.new(size)
        law = By("reindex", (i, k, e, body))
        laws.append(law)
        halves.append(over(i, Mul((*inside(e, k), body))))
    both = add(*halves)
    values = [check(law, context).rhs for law in laws]
    return add(*values), Chain(Linear(over(i, body), both), (Inside(both, tuple(enumerate(laws))),))


def joint(i: Index, body: Term) -> Size | None:
    """The least size c with a condition i < c or i >= c in the body, 0 < c < size."""
    if len(i.size.monomials) < 2:
        return None
    found = set[Size]()
    for s in subterms(body):
        match s:
            case Holds(NonNegative(Affine(constant, ((atom, k),)))) if atom == i and k.constant in (1, -1):
                found.add(-constant if k.constant == 1 else constant + 1)
            case _:
                pass
    cuts = [c for c in found if c.symbols and at_least_zero(c - 1) and at_least_zero(i.size - c - 1)]
    return min(cuts, key=str, default=None)
