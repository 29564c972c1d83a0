"""What symbackprop answers: proved, refuted, ill-formed or unknown, and what comes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symbackprop.core.terms import Predicate, Size, Term
from symbackprop.write import verdict as verdict_report

from .status import PROVED, WORST_FIRST

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, slots=True)
class Condition:
    """Something the theorem needs besides the hypotheses: `text`, and why it costs nothing (or what it costs)."""

    text: str
    why: str = ""
    predicate: Predicate | None = field(default=None, compare=False, repr=False)
    latex: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.text}  ({self.why})" if self.why else self.text


@dataclass(frozen=True, slots=True)
class ShapeExample:
    """Sizes at which a shape is wrong: the smallest found, with what was wanted and what came."""

    sizes: Mapping[str, int]
    message: str

    def describe(self) -> str:
        where = ", ".join(f"{s} = {n}" for s, n in sorted(self.sizes.items()))
        return f"{where}\n{self.message}" if where else self.message

    def as_json(self) -> dict[str, Any]:
        return {"sizes": dict(self.sizes), "message": self.message}


@dataclass(frozen=True, slots=True)
class Repaired:
    """A formula that is right, with its proof: `text` and `latex` in index notation, `code` as a NumPy function."""

    mistake: str
    text: str
    latex: str
    code: str
    term: Term = field(repr=False)
    proof: Any = field(repr=False)
    shape: tuple[Size, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` is "proved", "refuted", "ill-formed" or "unknown"; the verdict is true when it is "proved".

    `gradients` has one verdict for each variable when there are several.  `proof` is the data that the kernel
    checked, `hypotheses` and `conditions` what the theorem rests on, `witness` a point that satisfies them all.
    `counterexample` has exact values where the two sides differ, or sizes where the shapes do; `mistake` says what
    kind of mistake it is, `repair` is a proved formula, `special_cases` say when the claim is true after all.
    `reason` is for "ill-formed" and "unknown": the place, and what is missing.  `notes` say what was read in another
    way than it is written, such as a mask constant of -1e9 that is taken for -inf.
    """

    status: str
    name: str = ""
    gradients: dict[str, Verdict] = field(default_factory=dict)
    proof: Any = field(default=None, repr=False)
    conditions: tuple[Condition, ...] = ()
    hypotheses: tuple[str, ...] = ()
    witness: Any = field(default=None, repr=False)
    counterexample: Any = None
    mistake: str | None = None
    repair: Repaired | None = None
    special_cases: tuple[str, ...] = ()
    reason: str = ""
    statement: str = ""
    statement_latex: str = field(default="", repr=False)
    sides: tuple[str, str] = field(default=("derivative", "backward"), repr=False)
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.status == PROVED

    def __str__(self) -> str:
        return verdict_report.plain(self)

    def __rich__(self) -> RenderableType:
        return verdict_report.rich_text(self)

    def _repr_latex_(self) -> str | None:
        return verdict_report.latex(self)

    def _repr_html_(self) -> str:
        return verdict_report.html(self)

    def as_json(self) -> dict[str, Any]:
        """Only strings, numbers, lists and dicts; the keys are described in `symbackprop check --help`."""
        return verdict_report.as_json(self)


def together(gradients: dict[str, Verdict]) -> Verdict:
    """One verdict for several variables: the worst of them, with the details of the first that is as bad."""
    if len(gradients) == 1:
        (only,) = gradients.values()
        return only
    status = min((v.status for v in gradients.values()), key=WORST_FIRST.index)
    worst = next(v for v in gradients.values() if v.status == status)
    if status == PROVED:
        conditions = tuple(dict.fromkeys(c for v in gradients.values() for c in v.conditions))
        proofs = {name: v.proof for name, v in gradients.items()}
        return Verdict(status, "", gradients, proofs, conditions, worst.hypotheses, worst.witness)
    return Verdict(
        status, "", gradients, None, worst.conditions, worst.hypotheses, worst.witness, worst.counterexample,
        worst.mistake, worst.repair, worst.special_cases, worst.reason,
    )  # fmt: skip
