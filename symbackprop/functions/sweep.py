"""The functions of a request as one graph of named intermediates: claims, counterexamples, proofs and mistakes by it.

A claim here says the same as the one without names; its intermediates are definitions of the statement.  It is worked
out when it is asked for, and once for all variables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, TypeVar

from symbackprop.clock import OutOfTime, check_time, limit
from symbackprop.core.context import Context, Equation
from symbackprop.core.kernel import Proof
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, NonNegative, Predicate, ProofError, SymbackpropError, Term
from symbackprop.gradients.derived import BackwardCheck
from symbackprop.gradients.claimed import NamedClaim, named_claim, proved_claim, renamed, with_names_inside
from symbackprop.gradients.lemmas import lengths, opened
from symbackprop.gradients.mistakes.search import Explained, Mistakes
from symbackprop.gradients.theorem import GradientTheorem
from symbackprop.gradients.wrong_line import WrongLine
from symbackprop.prove.equality import Prover
from symbackprop.prove.statements import Showing
from symbackprop.read.numpy import Node
from symbackprop.write.program.mending import Mended, mended
from symbackprop.write.program.source import Program

from .request import Request, gradient_of, parameters

SHORT = 15  # terms of a condition, all names opened
PROPOSING, PROVING = 3.0, 4.0  # seconds: for all variables together, and for the proof of one
FAILED = (SymbackpropError, RecursionError, ValueError, OverflowError, MemoryError)


@dataclass(slots=True)
class Sweep:
    """Of a request; nothing is known where the functions cannot be recorded or their gradient cannot be derived.

    `first` says that its claims are long, so that this is the quicker way; `sides` are those of the claims by variable.
    """

    request: Request
    context: Context
    first: bool = False
    sides: Mapping[str, tuple[Term, Tensor]] = field(default_factory=dict)
    asked: bool = field(default=False, init=False)
    check: BackwardCheck | None = field(default=None, init=False)
    changes: dict[int, Mended | None] = field(default_factory=dict, init=False)
    checks: dict[Any, BackwardCheck | None] = field(default_factory=dict, init=False)
    programs: dict[bool, Program | None] = field(default_factory=dict, init=False)
    mistakes: list[Mistakes] = field(default_factory=list, init=False)
    showing: Showing = field(default_factory=Showing, init=False)
    proposing: float = field(default=0.0, init=False)

    def found(self) -> BackwardCheck | None:
        if not self.asked:
            self.asked = True
            self.check = recorded(self.request, self.context)
        return self.check

    def of(self, variable: str, lhs: Term, result: Tensor) -> BackwardCheck | None:
        """For the claim that this is a variable's gradient: it may be the result for another; None for other claims."""
        if not self.is_own(variable, lhs):
            return None
        name = next((v for v, (_, r) in self.sides.items() if r is result), None)
        check = None if name is None else self.found()
        if name is None or check is None or name == variable:
            return check
        if (variable, name) not in self.checks:
            self.checks[variable, name] = check.returning({variable: check.results[name]})
        return self.checks[variable, name]

    def is_own(self, variable: str, lhs: Term, result: Tensor | None = None) -> bool:
        """Whether the sides are those of the request."""
        sides = self.sides.get(variable)
        return sides is not None and sides[0] is lhs and (result is None or sides[1] is result)

    def line(self, variable: str) -> WrongLine | None:
        """The first wrong line that has to do with this variable."""
        check = self.found()
        return None if check is None else tried(lambda: check.lines.get(variable))

    def explained(self, variable: str) -> Explained | None:
        """The mistake with which the reverse sweep gives the wrong result of this variable, proved."""
        check = self.found()
        if check is None:
            return None
        if not self.mistakes:
            found = tried(Mistakes, check)
            if found is None:
                return None
            self.mistakes.append(found)
        began = monotonic()
        within(PROPOSING - self.proposing, self.mistakes[0].propose)
        self.proposing += monotonic() - began
        return within(PROVING, lambda: tried(self.mistakes[0].explained, variable))

    def mended(self, line: WrongLine) -> Mended | None:
        """The code with this line mended."""
        check = self.found()
        if check is None or self.request.backward is None:
            return None
        if id(line) not in self.changes:
            self.changes[id(line)] = tried(mended, self.request.backward, check.reverse, line)
        return self.changes[id(line)]

    def again(self, line: WrongLine) -> BackwardCheck | None:
        """What the code with this line mended returns."""
        change, check = self.mended(line), self.found()
        if check is None or change is None or change.function is None:
            return None
        if id(line) not in self.checks:
            self.checks[id(line)] = tried(check.again, change.function)
        return self.checks[id(line)]

    def derived(self) -> BackwardCheck | None:
        """The derived gradients in place of what the backward function returns."""
        check = self.found()
        if check is not None and 0 not in self.checks:
            gradients = {v: g for v, g in check.reverse.gradients.items() if isinstance(g, Node)}
            self.checks[0] = check.returning(gradients)
        return self.checks.get(0)

    def program(self, claimed: bool = False) -> Program | None:
        """The code of the derived gradients, or of the claimed ones."""
        check = self.found()
        if check is not None and claimed not in self.programs:
            reverse = copy(check.reverse)
            if claimed:
                reverse.gradients = dict(check.results)
            self.programs[claimed] = tried(Program, reverse)
        return self.programs.get(claimed)


T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """work(), or None when it takes longer.  Raises OutOfTime when all the time of the question is over."""
    try:
        with limit(max(0.0, seconds)):
            return work()
    except OutOfTime:
        check_time()
        return None


def tried(f: Callable[..., T], *args: Any) -> T | None:
    try:
        return f(*args)
    except FAILED:
        return None


def recorded(request: Request, context: Context) -> BackwardCheck | None:
    if request.backward is None:
        return None
    return tried(
        BackwardCheck, request.forward, request.backward, request.declared, request.variables, request.values,
        request.extra, context.hypotheses, parameters(request.backward, request.asked), gradient_of,
    )  # fmt: skip


def named_by(check: BackwardCheck, variable: str) -> NamedClaim | None:
    return tried(named_claim, check.reverse, check.results, variable)


class Proving(Protocol):
    """A derived gradient, or a check of one: None where it is not proved."""

    def theorem(self, variable: str, kept: Collection[Array] = ()) -> GradientTheorem | None: ...
    def proof(self, variable: str) -> tuple[Proof, Context] | None: ...


def by_matching(check: Proving, named: NamedClaim) -> Prover:
    def way(lhs: Term, rhs: Term, context: Context) -> tuple[Proof, Equation] | None:
        if (lhs, rhs) != (named.lhs, named.rhs):
            return None
        theorem = check.theorem(str(named.lhs.wrt.array), named.definitions)
        try:
            return None if theorem is None else proved_claim(theorem, named, context)
        except ProofError:
            return None

    return way


def offered(check: Proving, named: NamedClaim) -> Callable[[], Proof | None]:
    """The proof by matching before it is checked."""

    def offer() -> Proof | None:
        found = check.proof(str(named.lhs.wrt.array))
        try:
            return None if found is None else with_names_inside(*found, named)[0]
        except ProofError:
            return None

    return offer


def in_variables(p: Predicate, context: Context, names: Mapping[Array, Array]) -> Predicate:
    """The predicate with all names opened; a long one with those of the user."""
    if isinstance(p, NonNegative):
        return p
    kept = names if lengths(context.definitions)(p.term) > SHORT else {}
    return type(p)(renamed(opened(p.term, [a for a in context.definitions if a not in kept], context)[0], kept))


def names_of(program: Program | None) -> dict[Array, Array]:
    """What a program calls the intermediates of the forward."""
    names = {} if program is None else program.names
    own = (n for n in names if n.name and n.meaning is not None and not n.backward)  # not those that are made up
    return {n.array: Array(names[n]) for n in own}
