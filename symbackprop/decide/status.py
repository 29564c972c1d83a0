"""The four answers, and what a proof leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.core.terms import Predicate

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
