"""What symbackprop answers: proved, refuted, ill-formed or unknown, and what comes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` is "proved", "refuted", "ill-formed" or "unknown"; true when proved.

    `gradients` has a verdict for each variable when there are several.  `proof` is the data that the kernel
    checked, `conditions` what the theorem needs, `counterexample` exact values where the two sides differ.
    """

    status: str
    name: str = ""
    gradients: dict[str, Verdict] = field(default_factory=dict)
    proof: Any = None
    conditions: tuple[Any, ...] = ()
    counterexample: Any = None
    mistake: str | None = None
    repair: Any = None
    reason: str = ""

    def __bool__(self) -> bool:
        return self.status == "proved"

    def __str__(self) -> str:
        head = f"{self.name}: {self.status}" if self.name else self.status
        lines = [head + (f" ({self.reason})" if self.reason else "")]
        if self.mistake:
            lines.append(f"  mistake: {self.mistake}")
        if self.counterexample is not None:
            lines += ["  " + line for line in self.counterexample.describe().splitlines()]
        if len(self.gradients) > 1:
            lines += ["  " + line for v in self.gradients.values() for line in str(v).splitlines()]
        return "\n".join(lines)


def together(gradients: dict[str, Verdict]) -> Verdict:
    """One verdict for several variables: the worst of them."""
    if len(gradients) == 1:
        (only,) = gradients.values()
        return only
    order = ("refuted", "ill-formed", "unknown", "proved")
    status = min((v.status for v in gradients.values()), key=order.index)
    worst = next(v for v in gradients.values() if v.status == status)
    return Verdict(
        status, "", gradients, worst.proof, worst.conditions, worst.counterexample, worst.mistake, worst.repair,
        worst.reason,
    )  # fmt: skip
