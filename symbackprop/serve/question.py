"""What a person asks, and what is answered: plain data between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LIMIT = 20_000  # characters of one field


@dataclass(frozen=True, slots=True)
class Question:
    """`kind` is "formula" or "numpy", `shapes` is "X: n m; w: m", `wrt` names with commas."""

    forward: str = ""
    kind: str = "formula"
    wrt: str = ""
    shapes: str = ""
    gradient: str = ""

    @property
    def variables(self) -> list[str]:
        return [n.strip() for n in self.wrt.split(",") if n.strip()]


@dataclass(frozen=True, slots=True)
class Answer:
    """`verdict` and `derivation` are HTML, `texts` what can be copied, by its heading; `problem` is in words."""

    verdict: str = ""
    derivation: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
