"""What all claims of a request share: hypotheses, shapes, constants that were rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import Size
from symbackprop.core.terms import Array
from symbackprop.prove.conditions.restating import restated


@dataclass(frozen=True, slots=True)
class Setting:
    """What all claims of a request share."""

    hypotheses: tuple[Hypothesis, ...] = ()
    shapes: Mapping[Array, tuple[Size, ...]] = field(default_factory=dict)
    rounded: tuple[tuple[float, Fraction], ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)
    repair: bool = True

    @property
    def context(self) -> Context:
        """The hypotheses, and some of them once more in the words that the prover meets."""
        named: dict[str, Hypothesis] = {}
        for k, h in enumerate(self.hypotheses, 1):
            named[f"h{k}"] = h
            named |= {f"h{k}.{n}": again for n, again in enumerate(restated(h), 1)}
        return Context(hypotheses=named)
