"""What all claims of a request share: hypotheses, shapes, constants that were rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic

from symbackprop.clock import LIMIT
from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import Size
from symbackprop.core.terms import Array
from symbackprop.prove.conditions.sizes import least_sizes
from symbackprop.prove.statements import Way

from .sweep import Sweep

REPAIRS = 0.4  # of the time for a claim, for the repairs of all claims together


@dataclass(slots=True)
class Repairing:
    """The time that repairs have: as long as all else took, and some seconds at least; a little for each of them."""

    began: float = field(default_factory=monotonic)
    spent: float = 0.0

    def left(self, seconds: float) -> float:
        elapsed = monotonic() - self.began - self.spent
        return max(max(REPAIRS * seconds, elapsed) - self.spent, REPAIRS * seconds / 10)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all claims of a request share; `seconds` are for each, `ways` how their equations may be proved besides.

    `sweep` is the `Sweep` of the request where its claims are gradients.
    """

    hypotheses: tuple[Hypothesis, ...] = ()
    shapes: Mapping[Array, tuple[Size, ...]] = field(default_factory=dict)
    rounded: tuple[tuple[float, Fraction], ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)
    repair: bool = True
    seconds: float = LIMIT
    ways: tuple[Way, ...] = ()
    sweep: Sweep | None = None
    repairing: Repairing = field(default_factory=Repairing)

    @property
    def context(self) -> Context:
        """The hypotheses by name."""
        named = {f"h{k}": h for k, h in enumerate(self.hypotheses, 1)}
        return Context(hypotheses=named, least=least_sizes(self.hypotheses))
