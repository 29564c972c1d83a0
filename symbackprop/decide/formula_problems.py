"""From a claim of a document to the decider: its derivatives worked out, its points, its statement."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.core.indices import Size
from symbackprop.core.statement import Statement
from symbackprop.core.terms import Apply, Predicate, ProofError, Sum, Whole, predicate_key, subterms
from symbackprop.numbers.refute.search import Question
from symbackprop.prove.working_out import Value, WorkingOut, has_derivative
from symbackprop.read.notes.statements.claims import Claim

from .decide import Problem

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
