"""What is said of a statement: one of four answers, what a proof leaves out, and a code for what can be wrong.

The codes are one table for reports, for `ignore`, and for SARIF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from symbackprop.core.context import Context
from symbackprop.core.kernel import Linear, check
from symbackprop.core.terms import Predicate, Term
from symbackprop.core.theorem import Theorem
from symbackprop.numbers.refute.report import Counterexample, ShapeExample
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.working_out import CheckedEquation
from symbackprop.read.notes.files.place import Place, Span
from symbackprop.read.notes.statements.statements import Kind, Reading

PROVED, REFUTED, ILL_FORMED, UNKNOWN = "proved", "refuted", "ill-formed", "unknown"
WORST_FIRST = (REFUTED, ILL_FORMED, UNKNOWN, PROVED)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something the theorem needs besides the hypotheses: `text`, and why it costs nothing (or what it costs)."""

    text: str
    why: str = ""
    predicate: Predicate | None = field(default=None, compare=False, repr=False)
    latex: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.text} ({self.why})" if self.why else self.text


class Rule(NamedTuple):
    code: str
    name: str
    what: str
    pattern: str
    """Mistakes and messages that are of this kind, by how they begin."""


RULES: Final = tuple(
    Rule(*row)
    for row in (
        ("SB101", "transposed", "A transpose is missing or too much, or two indices are exchanged.",
         r"transpose|extra transpose|result transposed|indices|shape transposed|layout|.+ in place of its transpose"),
        ("SB102", "sign", "A sign is wrong.", r"sign"),
        ("SB103", "order", "Factors stand in the wrong order.", r"factors in the wrong order|put together otherwise"),
        ("SB104", "product", "A Hadamard product stands for a matrix product, or the other way round.",
         r"Hadamard product (for|in place of)|matrix product (for|in place of)"),
        ("SB105", "factor", "A factor is missing or too much.", r"missing factor|extra factor|doubled factor"),
        ("SB106", "term", "A term is missing or too much.",
         r"missing (term|path)|extra term|term missing|the gradient that"),
        ("SB107", "sum", "A sum over an axis is missing or too much.",
         r"sum over|missing sum|extra sum|extra mean|missing mean|summed|wrong axis"),
        ("SB108", "slope", "A function stands where its derivative should, or the other way round.",
         r"\S+ (for|in place of) \S+'|\S+' at the wrong value|extra derivative|missing derivative|diag missing"),
        ("SB109", "index", "An index is wrong.", r"wrong index|1 for δ|the letter"),
        ("SB110", "power", "A power or a fraction is wrong.", r"wrong power|extra power|fraction upside down"),
        ("SB111", "layer", "A letter of another layer.", r"wrong layer"),
        ("SB112", "variable", "The derivative by another variable.", r"∂/∂|∇ by"),
        ("SB113", "letter", "Another letter or number.", r".+ (for|in place of) "),
        ("SB114", "shape", "The two sides have different shapes.", r"shapes differ|wrong shape"),
        ("SB115", "mask", "A mask is missing or is another one.", r"missing mask|mask "),
        ("SB199", "refuted", "The two sides differ: there is a counterexample.", r"$^"),
        ("SB201", "conform", "Shapes do not conform.",
         r"product of|sum of|Hadamard of|division by an array|an array .* on the|a number on the left|a power of"),
        ("SB202", "unclosed", "A formula or a bracket is never closed.", r".*never closed"),
        ("SB203", "free-index", "An index is free on one side, or has two ranges.", r"the index|one subscript"),
        ("SB299", "ill-formed", "No reading of it makes sense.", r"$^"),
        ("SB301", "undeclared", "A name is not known.", r".*is not declared|.*declare it"),
        ("SB302", "ambiguous", "Another reading has another verdict.", r"as read it is"),
        ("SB303", "unread", "It rests on a definition that could not be read.", r"the definition of"),
        ("SB304", "condition", "It holds only under a condition that nothing implies.",
         r"proved only where|it does not hold"),
        ("SB399", "undecided", "Neither a proof nor a counterexample was found.", r"$^"),
    )
)  # fmt: skip
GROUPS: Final = {"refuted": "SB1", "ill-formed": "SB2", "unknown": "SB3"}


def rule_of(verdict: str, mistake: str | None, message: str = "") -> Rule | None:
    """What kind of trouble it is; None for a verdict that is none."""
    group = GROUPS.get(verdict)
    if group is None:
        return None
    if mistake:
        for rule in RULES:
            if rule.code.startswith("SB1") and re.match(rule.pattern, mistake):
                return rule
    of_group = [r for r in RULES if r.code.startswith(group)]
    return next((r for r in of_group if re.match(r.pattern, message)), of_group[-1])


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
    `special_cases` say when a false claim holds after all ("N = 1").  `otherwise` are other readings, in words, with
    their verdicts, where these differ and it is not settled which is meant.
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
    otherwise: tuple[tuple[str, Status | None], ...] = ()
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
