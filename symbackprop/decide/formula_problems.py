"""From a claim of a document to the decider: its derivatives worked out, its points, its statement.

`products` bounds how many products a term may become when it is multiplied out, so that nothing hopeless is begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from symbackprop.core.indices import Size
from symbackprop.core.context import Statement
from symbackprop.core.terms import (
    Add, Apply, Diff, Entry, Mul, Power, Predicate, ProofError, Sum, Term, Whole, predicate_key, subterms,
)  # fmt: skip
from symbackprop.decide.decide import Problem
from symbackprop.numbers.refute.points import Question
from symbackprop.prove.equality import has_derivative
from symbackprop.prove.working_out import Value, WorkingOut
from symbackprop.read.notes.statements.claims import Claim

LARGEST = 100


@dataclass(frozen=True, slots=True)
class Worked:
    """A claim with its derivatives worked out; `needs` are the conditions under which these are the derivatives."""

    claim: Claim
    run: WorkingOut
    lhs: Value
    rhs: Value

    @property
    def needs(self) -> tuple[Predicate, ...]:
        found = {c for t in self.run.theorems.values() for c in t.equation.conditions}
        return tuple(sorted(found, key=predicate_key))

    @property
    def differentiable(self) -> bool:
        """Nothing is differentiated, so that kinks are points like any other."""
        return not any(map(has_derivative, (self.claim.lhs, self.claim.rhs))) and not primed(self.claim)

    def question(self) -> Question:
        """For points: the values of the derivatives, where these are the derivatives."""
        c = self.claim
        hypotheses = (*c.context.hypotheses.values(), *self.needs)
        return Question(
            self.lhs.term, self.rhs.term, c.free, hypotheses=hypotheses, definitions=c.context.definitions,
            shapes=c.shapes,
        )  # fmt: skip

    def problem(self) -> Problem:
        """The statement; with the values of the derivatives where these are taken by what has a definition."""
        c = self.claim
        lhs, rhs = (self.lhs.term, self.rhs.term) if self.run.apart else (c.lhs, c.rhs)
        statement = Statement(lhs, rhs, c.context, lengths=self.lengths(), formula=True)
        return Problem(
            statement, c.free, c.shapes, asked=self.question(), kinks_have_values=self.differentiable,
            has_points=not self.too_large,
        )  # fmt: skip

    def lengths(self) -> tuple[Size, ...]:
        return tuple(dict.fromkeys(n for shape in self.claim.shapes.values() for n in shape if n.symbols))

    @property
    def too_large(self) -> bool:
        """A literal size is so large that no point can be looked at."""
        c = self.claim
        sizes = [n for s in c.shapes.values() for n in s] + [i.size for i in c.free]
        for t in (self.lhs.term, self.rhs.term, *(d.body for d in c.context.definitions.values())):
            for s in subterms(t):
                sizes += [s.size] if isinstance(s, Sum) else s.sizes if isinstance(s, Whole) else ()
        return any((n.constant or 0) > LARGEST for n in sizes)


def worked_out(claim: Claim) -> Worked:
    """Raises ProofError where a law refuses a derivative."""
    if any(has_derivative(t.body) for t in claim.context.definitions.values()):
        raise ProofError("a definition that holds a derivative is not supported here")
    run = WorkingOut(claim.context, claim.cut)
    return Worked(claim, run, run.of(claim.lhs), run.of(claim.rhs))


def primed(claim: Claim) -> bool:
    """A derivative of a function occurs (f'), or a step that is one."""
    return any(isinstance(s, Apply) and s.order > 0 for t in (claim.lhs, claim.rhs) for s in subterms(t))


LIMIT = 1_000
_CAP = 10**9


def products(t: Term) -> int:
    """An upper bound for the number of products in t written as a sum of products, or in an argument inside it."""
    return max(size(t)[0], *(products(a) for a in inside(t)), 1)


def size(t: Term) -> tuple[int, int, frozenset[Term]]:
    """(products, degree, factors): two bounds are known, the products of products and all monomials of the degree."""
    match t:
        case Add(args):
            parts = [size(a) for a in args]
            factors = frozenset[Term]().union(*(f for _, _, f in parts))
            return least(sum(n for n, _, _ in parts), max((d for _, d, _ in parts), default=0), factors)
        case Mul(args):
            count, degree, factors = 1, 0, frozenset[Term]()
            for a in args:
                n, d, f = size(a)
                count, degree, factors = min(count * n, _CAP), degree + d, factors | f
            return least(count, degree, factors)
        case Power(base, q) if q.denominator == 1 and q > 0:
            n, d, factors = size(base)
            return least(comb(int(q) + n - 1, int(q)) if n < 10_000 else _CAP, d * int(q), factors)
        case Sum(_, body, _):
            return size(body)
        case Entry() | Power() | Apply() | Whole() | Diff():
            return 1, 1, frozenset((t,))
        case _:
            return 1, 0, frozenset()


def least(count: int, degree: int, factors: frozenset[Term]) -> tuple[int, int, frozenset[Term]]:
    every = comb(degree + len(factors), degree) if degree + len(factors) < 2_000 else _CAP
    return min(count, every, _CAP), degree, factors


def inside(t: Term) -> tuple[Term, ...]:
    """Terms that are multiplied out by themselves: arguments of functions, bases of roots and quotients."""
    match t:
        case Add(args) | Mul(args):
            return tuple(x for a in args for x in inside(a))
        case Power(base, q):
            return inside(base) if q.denominator == 1 and q > 0 else (base,)
        case Apply(_, arg, _):
            return (arg,)
        case Sum(_, body, _) | Whole(_, _, _, body, _, _):
            return (body,) if isinstance(t, Whole) else inside(body)
        case _:
            return ()
