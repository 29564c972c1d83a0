"""Steps as constants: how `np.where(x > 0, np.log(x), 0)` is differentiated where x < 0 too.

[x_k > 0] is 0 or 1 and does not move (almost everywhere), so in a derivative it may be an array h of zeros and ones.
Beside a factor h, f(u) may be written f(h u + 1 - h): for h = 1 it is the same and for h = 0 nobody looks.  Where the
forward computation has a value, the argument of such a logarithm is then positive at every index, whatever h is: that
enters as a hypothesis, and the laws for logarithms and roots find what they need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import permutations

from symbackprop.core.context import Context, Hypothesis, Same
from symbackprop.core.indices import Index, Size
from symbackprop.core.ordering import Key, key
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Array,
    Diff,
    Entry,
    Holds,
    Mul,
    Nonzero,
    Num,
    Positive,
    Power,
    Predicate,
    Sum,
    Term,
    Whole,
    add,
    free,
    mul,
    neg,
    open_body,
    opened_whole,
    over,
    sub,
    substitute,
    subterms,
    whole,
)

from ..tidying import Tidy
from .generic import Generic
from .generic_terms import replaced

tidy = Tidy()


@dataclass(frozen=True, slots=True)
class ConstantSteps:
    """A proof about the claim with its steps as arrays of zeros and ones, and what these arrays stand for."""

    proof: object
    steps: tuple[tuple[Array, Tensor], ...]


@dataclass(slots=True)
class Steps:
    """Turns steps into entries of constant arrays; remembers which array stands for which step."""

    generic: Generic
    known: dict[Key, tuple[Array, Tensor]] = field(default_factory=dict)
    facts: list[Predicate] = field(default_factory=list)
    count: int = 0

    def forward(self, t: Term) -> Term:
        """The forward term; what it says of guarded arguments is collected in `facts`."""
        return self.go(t, (), True)

    def claim(self, t: Term) -> Term:
        return self.go(t, (), False)

    def new(self, size: Size) -> Index:
        self.count += 1
        return Index(f"case{self.count}", size)

    def go(self, t: Term, guards: tuple[Term, ...], forward: bool) -> Term:
        match t:
            case Add(args):
                return Add(tuple(self.go(a, guards, forward) for a in args))
            case Mul(args):
                steps = {k: self.step(a) for k, a in enumerate(args) if is_step(a)}
                inner = (*guards, *(s for s in steps.values() if s not in guards))
                return Mul(tuple(steps[k] if k in steps else self.go(a, inner, forward) for k, a in enumerate(args)))
            case Holds(Positive()):
                return self.step(t)
            case Power(base, q) if q.denominator > 1 and self.steps_in(base):
                return self.by_cases(base, q, guards, forward)
            case Power(base, q):
                inside = self.go(base, guards, forward)
                needs = Positive if q.denominator > 1 else Nonzero if q < 0 else None
                return Power(self.guarded(inside, guards, needs, forward) if needs else inside, q)
            case Apply(fn, arg, order):
                inside = self.go(arg, guards, forward)
                return Apply(fn, self.guarded(inside, guards, Positive, forward) if fn == "log" else inside, order)
            case Sum(size, body, _):
                i = self.new(size)
                return over(i, self.go(open_body(body, (i,)), guards, forward))
            case Diff(body, wrt):
                return Diff(self.go(body, guards, forward), wrt)
            case Whole(fn, order, sizes, _, at, _):
                axes = tuple(map(self.new, sizes))
                return whole(fn, order, axes, self.go(opened_whole(t, axes), (), forward), at)
            case _:
                return t

    def steps_in(self, base: Term) -> list[Term]:
        """Steps outside of sums and other functions."""
        match base:
            case Holds(Positive()):
                return [base]
            case Add(args) | Mul(args):
                return [s for a in args for s in self.steps_in(a)]
            case _:
                return []

    def by_cases(self, base: Term, q: Fraction, guards: tuple[Term, ...], forward: bool) -> Term:
        """(B)^q as h B_1^q + (1 - h) B_0^q, where B_1 is B with 1 for the step; 0^q is 0 for q > 0."""
        step = self.steps_in(base)[0]
        h, values = self.step(step), []
        assert isinstance(step, Holds) and isinstance(step.predicate, Positive)
        minus = Holds(Positive(negated(step.predicate.term)))
        opposite = self.generic.nonzero(step.predicate.term)
        for case, value, other in ((h, ONE, ZERO), (sub(ONE, h), ZERO, ONE)):
            inner = replaced(base, step, value)
            inner = tidy(replaced(inner, minus, other) if opposite else inner)
            if inner == ZERO and q > 0:
                continue
            values.append(Mul((case, self.go(Power(inner, q), (*guards, case), forward))))
        return add(*values)

    def guarded(self, u: Term, guards: tuple[Term, ...], needs: type[Positive | Nonzero], forward: bool) -> Term:
        """h u + 1 - h, which is positive (not 0) wherever the forward has a value."""
        if not guards or self.generic.signs.holds(Positive(u)) or self.safe_already(u):
            return u
        guards = tuple(dict.fromkeys(guards))
        h = mul(*guards)
        safe = add(mul(h, u), sub(ONE, h))
        if forward and self.generic.nonzero(u):
            self.facts.append(needs(safe))
        return safe

    def safe_already(self, u: Term) -> bool:
        """A root of something safe."""
        return isinstance(u, Power) and u.exponent.denominator > 1

    def step(self, t: Term) -> Term:
        """The entry that stands for [u > 0]; 1 minus that of [-u > 0], where u is almost nowhere 0."""
        assert isinstance(t, Holds) and isinstance(t.predicate, Positive)
        u = t.predicate.term
        minus, axes = pattern(negated(u))
        if minus in self.known and self.generic.nonzero(u):
            return sub(ONE, Entry(self.known[minus][0], axes))
        k, axes = pattern(u)
        if k not in self.known:
            own = tuple(Index(f"axis{n}", i.size) for n, i in enumerate(axes))
            meaning = Tensor(own, substitute(t, dict(zip(axes, own, strict=True))))
            self.known[k] = Array(f"step{len(self.known) + 1}"), meaning
        return Entry(self.known[k][0], axes)

    def hypotheses(self) -> list[Hypothesis]:
        """h h = h for each step, and what the forward says of guarded arguments."""
        found: list[Hypothesis] = []
        for array, meaning in self.known.values():
            h = Entry(array, meaning.axes)
            found.append(Same(Mul((h, h)), h))
        return [*found, *dict.fromkeys(self.facts)]

    def plain(self, p: Predicate) -> Predicate:
        """A condition with the steps as steps again."""
        if not isinstance(p, Positive | Nonzero):
            return p
        return type(p)(self.restored(p.term))

    def restored(self, t: Term) -> Term:
        meanings = {array: meaning for array, meaning in self.known.values()}
        match t:
            case Entry(array, at) if array in meanings:
                return meanings[array].at(*at)
            case Add(args):
                return Add(tuple(map(self.restored, args)))
            case Mul(args):
                return Mul(tuple(map(self.restored, args)))
            case Power(base, q):
                return Power(self.restored(base), q)
            case Apply(fn, arg, order):
                return Apply(fn, self.restored(arg), order)
            case Sum(size, body, _):
                i = self.new(size)
                return over(i, self.restored(open_body(body, (i,))))
            case _:
                return t


def is_step(t: Term) -> bool:
    return isinstance(t, Holds) and isinstance(t.predicate, Positive)


def has_guarded_function(t: Term) -> bool:
    """A step, and a function that has no value everywhere."""
    parts = subterms(t)
    partial = any(
        (isinstance(s, Apply) and s.fn == "log")
        or (isinstance(s, Power) and (s.exponent < 0 or s.exponent.denominator > 1))
        for s in parts
    )
    return partial and any(map(is_step, parts))


def negated(u: Term) -> Term:
    match u:
        case Mul((Num(value), *rest)) if value == -1:
            return mul(*rest)
        case _:
            return neg(u)


def pattern(u: Term) -> tuple[Key, tuple[Index, ...]]:
    """A key that does not depend on what the free indices are called, and these in the order of the key."""
    indices = sorted(free(u), key=lambda i: i.name)
    best: tuple[Key, tuple[Index, ...]] | None = None
    for order in orders(indices):
        k = (tuple(i.size.monomials for i in order), key(u, {i: n for n, i in enumerate(order)}))
        if best is None or k < best[0]:
            best = k, order
    assert best is not None
    return best


def orders(indices: list[Index]) -> list[tuple[Index, ...]]:
    return list(permutations(indices)) if len(indices) <= 4 else [tuple(indices)]


def constant_steps(lhs: Term, rhs: Term, context: Context) -> tuple[Term, Term, Context, Steps] | None:
    """The claim with its steps as constants, under the context that says so; None where there is nothing to guard."""
    if not isinstance(lhs, Diff) or not (has_guarded_function(lhs.body) or has_guarded_function(rhs)):
        return None
    steps = Steps(Generic(context))
    body = steps.forward(lhs.body)
    claim = steps.claim(rhs)
    more = {f"step {k}": h for k, h in enumerate(steps.hypotheses(), 1)}
    return Diff(body, lhs.wrt), claim, Context(context.definitions, {**context.hypotheses, **more}), steps
