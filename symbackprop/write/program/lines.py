"""A derivation as data: passages of lines, each with a reason and how much detail must be wanted for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from symbackprop.core.indices import Size
from symbackprop.core.terms import Term
from symbackprop.write.program.drawing import Picture

RESULT, USUAL, EVERYTHING = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Line:
    """`left = right`, with the reason; `level` is how much detail must be wanted for it to be shown.

    A line without a left side goes on from the one before.  `steps` are lines that lead to this one, law by law, and
    stand in its place where every detail is wanted.  `why` is the reason for LaTeX, with formulas between backticks,
    where there are some in it.
    """

    left: str
    right: str
    latex_left: str
    latex_right: str
    reason: str
    level: int
    steps: tuple[Line, ...] = ()
    why: str = ""

    def worked_out(self, detail: int) -> Iterator[Line]:
        if self.level <= detail:
            yield from self.steps if self.steps and detail >= EVERYTHING else (self,)


@dataclass(frozen=True, slots=True)
class Passage:
    """How one gradient is found; `result` are the two sides of the last line by entries, in the names of the page."""

    name: str
    latex_name: str
    lines: tuple[Line, ...]
    proved: bool
    result: tuple[Term, Term] | None = None

    def shown(self, detail: int) -> list[Line]:
        return [shown for line in self.lines for shown in line.worked_out(detail)]


@dataclass(frozen=True, slots=True)
class Derivation:
    """All passages, and what is needed for the first line: the names and their sizes, conditions, hypotheses.

    `shapes` has (text, LaTeX) of a name and its sizes, `remarks` what a reader is to know of how it was read.
    """

    title: str
    variables: tuple[str, ...]
    shapes: tuple[tuple[tuple[str, str], tuple[Size, ...]], ...]
    passages: tuple[Passage, ...]
    given: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    picture: Picture = field(default_factory=Picture)
