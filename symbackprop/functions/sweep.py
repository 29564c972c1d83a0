"""The functions of a request as one graph of named intermediates: claims, counterexamples, proofs and mistakes by it.

A claim here says the same as the one without names; its intermediates are definitions of the statement.  It is worked
out when it is asked for, and once for all variables.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.core.context import Context, Equation
from symbackprop.core.kernel import Proof
from symbackprop.core.terms import Predicate, ProofError, SymbackpropError, Term
from symbackprop.gradients.checking import BackwardCheck
from symbackprop.gradients.claimed import NamedClaim, named_claim, proved_claim
from symbackprop.gradients.meanings import opened
from symbackprop.gradients.wrong_line import WrongLine
from symbackprop.prove.statements import Way

from .request import Function, Request, parameters

FAILED = (SymbackpropError, RecursionError, ValueError, OverflowError, MemoryError)


@dataclass(slots=True)
class Sweep:
    """`of` a request; nothing is known where the functions cannot be recorded or their gradient cannot be derived."""

    request: Request
    context: Context
    asked: bool = field(default=False, init=False)
    check: BackwardCheck | None = field(default=None, init=False)

    def found(self) -> BackwardCheck | None:
        if not self.asked:
            self.asked = True
            self.check = recorded(self.request, self.context)
        return self.check

    def is_wrong(self, variable: str) -> bool:
        """The values of the result differ from those of the derived gradient: to be looked at exactly."""
        check = self.found()
        return check is not None and variable in check.wrong

    def line(self, variable: str) -> WrongLine | None:
        """The first wrong line that has to do with this variable."""
        check = self.found()
        try:
            line = None if check is None or variable not in check.wrong else check.line
        except FAILED:
            return None
        return line if line is not None and variable in line.mends else None

    def again(self, backward: Function) -> BackwardCheck | None:
        """Another backward function for the same forward."""
        check = self.found()
        try:
            return None if check is None else check.again(backward)
        except FAILED:
            return None


def recorded(request: Request, context: Context) -> BackwardCheck | None:
    if request.backward is None:
        return None
    try:
        return BackwardCheck(
            request.forward, request.backward, request.declared, request.variables, request.values, request.extra,
            context.hypotheses, parameters(request.backward, request.asked),
        )  # fmt: skip
    except FAILED:
        return None


def named_by(check: BackwardCheck, variable: str) -> NamedClaim | None:
    try:
        return named_claim(check, variable)
    except FAILED:
        return None


def by_matching(check: BackwardCheck, named: NamedClaim) -> Way:
    def way(lhs: Term, rhs: Term, context: Context) -> tuple[Proof, Equation] | None:
        if (lhs, rhs) != (named.lhs, named.rhs):
            return None
        theorem = check.theorem(str(named.lhs.wrt.array), named.definitions)
        try:
            return None if theorem is None else proved_claim(theorem, named, context)
        except ProofError:
            return None

    return way


def in_variables(p: Predicate, context: Context) -> Predicate:
    """The predicate with all names opened."""
    return p if not hasattr(p, "term") else type(p)(opened(p.term, tuple(context.definitions), context)[0])


__all__ = ["Sweep", "by_matching", "in_variables", "named_by"]
