"""How a proof is looked for: the ways to a normal form, the quickest first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbackprop.core.terms import Holds, Positive, Term, arguments, subterms


@dataclass(frozen=True, slots=True)
class Way:
    """How a proof is looked for: `WAYS` has the quickest first, as measured on many gradients.

    `whole_exponents`: an exponent of several terms gets one name, so e^{a+b} is one thing (not e^a e^b).
    `rewrite_fractions`: t b^{-1} = 1 - rest b^{-1} for b = t + rest (else only common denominators are used).
    `exponentials`: tanh, sigmoid and their like are fractions of exponentials (else things of their own).
    `negated_steps`: [u > 0] and [-u > 0] are one thing and the other, where u is not 0 (else two things).
    `ranks_kept`: steps of steps (ranks) stay as they are written, which asks for no conditions.
    """

    whole_exponents: bool = False
    rewrite_fractions: bool = True
    exponentials: bool = True
    negated_steps: bool = True
    ranks_kept: bool = False


WAYS = (Way(True, False), Way(True, True), Way(False, True), Way(False, False))
AS_WRITTEN = tuple(replace(way, negated_steps=False) for way in WAYS[:2])
QUICK = Way(True, False, False)  # before these, where there are such functions
RANKS_KEPT = Way(True, False, ranks_kept=True)  # where there are steps of steps


def step_of_steps(t: Term) -> bool:
    """[.. [u > 0] .. > 0]: what is inside compares data."""
    inside = arguments(t)[0] if isinstance(t, Holds) and isinstance(t.predicate, Positive) else None
    within = () if inside is None else subterms(inside)
    return any(isinstance(s, Holds) and isinstance(s.predicate, Positive) for s in within)
