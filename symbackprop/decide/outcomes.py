"""What is said of a statement: its verdict and what comes with it, apart from where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from symbackprop.core.context import Context
from symbackprop.core.kernel import Linear, check
from symbackprop.core.terms import Term
from symbackprop.core.theorem import Theorem
from symbackprop.decide.codes import Rule, rule_of
from symbackprop.numbers.refute.report import Counterexample, ShapeExample
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.working_out import CheckedEquation
from symbackprop.read.notes.files.place import Place, Span
from symbackprop.read.notes.statements.statements import Kind, Reading

from .status import Condition

DIFFER = "the two sides differ"
Status: TypeAlias = Literal["proved", "refuted", "ill-formed", "unknown"]


@dataclass(frozen=True, slots=True)
class Proved:
    """The theorems that show lhs = rhs: one, the statement itself.

    Where derivatives are taken by arrays that are themselves defined (∂L/∂z with z := W a + b) each derivative has a
    theorem, in a context in which its variable is no definition, and the last is that the sides are equal with these
    values in place of the derivatives: `values` are the sides so.  `derivatives` and `equality` are the steps, for a
    reader.
    """

    lhs: Term = field(repr=False)
    rhs: Term = field(repr=False)
    theorems: tuple[Theorem, ...]
    derivatives: tuple[CheckedEquation, ...]
    values: tuple[Term, Term]
    context: Context = field(repr=False)

    def equality(self) -> CheckedEquation:
        """The step in the middle: the sides with their derivatives worked out are equal."""
        left, right = self.values
        found = prove_equal(left, right, self.context) if left != right else None
        if found is not None:
            return CheckedEquation(found[1], found[0], self.context)
        proof = Linear(left, left)
        return CheckedEquation(check(proof, self.context), proof, self.context)

    @property
    def whole(self) -> Theorem | None:
        return self.theorems[0] if len(self.theorems) == 1 else None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a derivation: an expression as LaTeX and why it equals the one before.

    `opens`: it begins a new calculation (or is a definition, complete in itself).
    """

    latex: str
    reason: str = ""
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Repair:
    """A formula that is proved, in the author's notation, and what kind of mistake it mends."""

    latex: str
    mistake: str
    hypotheses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on a statement; None for a remark, which says nothing that could be decided.

    `message` says what is wrong or missing, `span` where (in the formula's text; None: the whole statement).
    `hypotheses` are what the document states and the theorem uses, the readings and the conventions it rests on.
    `special_cases` say when a false claim holds after all ("N = 1").
    """

    verdict: Status | None
    message: str = ""
    span: Span | None = None
    hypotheses: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    mistake: str | None = None
    repair: Repair | None = None
    counterexample: Counterexample | ShapeExample | None = None
    special_cases: tuple[str, ...] = ()
    proof: Proved | None = field(default=None, repr=False)
    elsewhere: Place | None = field(default=None, repr=False)
    """Where the trouble is, when that is not in this formula: in a definition it uses."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement of a document and its outcome."""

    reading: Reading = field(repr=False)
    outcome: Outcome

    @property
    def file(self) -> str:
        return self.reading.where.source.name

    @property
    def cell(self) -> int | None:
        return self.reading.where.source.cell

    @property
    def line(self) -> int:
        return self.reading.line

    @property
    def column(self) -> int:
        return self.reading.column

    @property
    def end(self) -> tuple[int, int]:
        """Line and column past the last character."""
        line, column = self.reading.where.at(max(self.reading.span[0], self.reading.span[1] - 1))
        return line, column + 1

    @property
    def latex(self) -> str:
        return self.reading.latex

    @property
    def kind(self) -> Kind:
        return self.reading.kind

    @property
    def verdict(self) -> Status | None:
        return self.outcome.verdict

    @property
    def rule(self) -> Rule | None:
        """What kind of trouble it is, with its code."""
        o = self.outcome
        return None if o.verdict is None else rule_of(o.verdict, o.mistake, o.message)

    @property
    def ignored(self) -> bool:
        """The author asked to be quiet about this."""
        quiet = self.reading.formula.ignored
        return self.rule is not None and bool(quiet & {"", self.rule.code})

    @property
    def bad(self) -> bool:
        return self.outcome.verdict in ("refuted", "ill-formed") and not self.ignored

    @property
    def open(self) -> bool:
        return self.outcome.verdict == "unknown" and not self.ignored

    @property
    def asked(self) -> bool:
        """∇J = ?: the outcome's repair is the answer, when one was found."""
        return self.reading.note == "asked"

    def trouble(self) -> tuple[Place, Span]:
        """Where to put the carets."""
        if self.outcome.elsewhere is not None:
            return self.outcome.elsewhere, self.outcome.span or (0, 1)
        return self.reading.where, self.outcome.span or self.reading.span
