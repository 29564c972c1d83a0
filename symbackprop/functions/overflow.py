"""Code that is right and overflows: nan for ordinary large values, such as from exp of a score that is not shifted.

Rounding is outside of what is proved, so this is a note.  It is said of nan only, which no number rounds to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.terms import Array, Term, arrays
from symbackprop.numbers.points import Point

from .claims import Claim
from .request import Function, called
from .setting import Setting
from .trial import Run, Runs

LARGE = 1000
SECONDS = 1.0


def overflow_notes(runs: Runs, claim: Claim, setting: Setting) -> list[str]:
    """In a second, or nothing."""
    try:
        with limit(min(SECONDS, setting.seconds)):
            stage("running the functions on large values")
            return list(overflows(runs, claim, setting))
    except OutOfTime:
        return []


def overflows(runs: Runs, claim: Claim, setting: Setting) -> Iterator[str]:
    """What gives nan at one point that satisfies the hypotheses, with entries of 1000 where they say nothing."""
    mentioned = {a for h in setting.hypotheses for t in vars_of(h) for a in arrays(t)}
    free = [n for n in claim.inputs if Array(n) not in mentioned and claim.inputs[n].values is None]
    point = next(runs.points(runs.asked(claim, setting)), None)
    if point is None:
        return
    plain, large = runs.at(point, claim.inputs), Run(runs.request, claim.inputs, enlarged(point, free))
    for function in (runs.request.forward, runs.request.backward):
        if function is not None and gives_nan(large, function) and not gives_nan(plain, function):
            yield f"in real numbers; in floats {called(function)} overflows to nan for entries of {LARGE}"


def vars_of(hypothesis: object) -> Iterator[Term]:
    for name in ("term", "lhs", "rhs"):
        t = getattr(hypothesis, name, None)
        if t is not None:
            yield t


def enlarged(point: Point, names: list[str]) -> Point:
    """The same with entries around 1000 and -1000 in turn, no two alike: a variance of 0 is no overflow."""
    wanted = {Array(n) for n in names}
    changed = {
        a: {k: Fraction((LARGE + n) * (-1) ** n) if a in wanted else v for n, (k, v) in enumerate(entries.items())}
        for a, entries in point.arrays.items()
    }
    return replace(point, arrays=changed)


def gives_nan(at: Run, function: Function) -> bool:
    try:
        results = at.returned(function)
    except Exception:  # nothing is learned
        return False
    return any(bool(np.isnan(x).any()) for x in results.values())
