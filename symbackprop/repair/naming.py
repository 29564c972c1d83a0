"""What to call a mistake that no small change undoes: where, and for which data, the claim is right all the same.

Each look compares values of both sides at a few points.  It names; it does not decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from symbackprop.core.terms import Array, Holds, Positive, Term, subterms
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatArray, FloatEvaluation, close
from symbackprop.numbers.points import PI, Point

from .edits import OVERWRITTEN
from .trials import Trial, Trials

Sides = tuple[FloatArray, FloatArray]  # truth, claim
AT_SPECIAL_POINTS = "wrong at special points only"
LEFT_OUT = " left out:"
_TOLERANCE = 1e-9
_PAIRS = 15


def named(trials: Trials, truth: Term) -> str:
    """The first name that fits at all points, or else by what stands in the right formula; or ''."""
    if trials.fits(trials.question.rhs):
        return AT_SPECIAL_POINTS
    looks = (exchanged, without_scalar, overwritten, reversed_axis, reversed_input, on_a_part)
    name = next((name for look in looks if (name := look(trials))), "")
    return name or by_contents(trials, truth)


def by_contents(trials: Trials, truth: Term) -> str:
    """Arrays that the right formula speaks of, and the claim does not."""
    reaches = trials.sampler.reaches
    unused = sorted(map(str, reaches.of(truth).arrays - reaches.of(trials.question.rhs).arrays - {PI}))
    return f"{', '.join(unused)}{LEFT_OUT} the result does not depend on {'it' if len(unused) == 1 else 'them'}" \
        if unused else ""


def sides(trials: Trials, point: Point) -> Sides | None:
    evaluation = FloatEvaluation(point, trials.sampler.reaches)
    q = trials.question
    try:
        truth, claim = (evaluation.tensor(trials.axes, t) for t in (q.lhs, q.rhs))
    except (Undefined, IndexError, KeyError):
        return None
    return truth, claim


def claim_at(trials: Trials, point: Point) -> FloatArray | None:
    try:
        return FloatEvaluation(point, trials.sampler.reaches).tensor(trials.axes, trials.question.rhs)
    except (Undefined, IndexError, KeyError):
        return None


def all_agree(trials: Trials, changed: Callable[[Trial], Sides | None]) -> bool:
    """Both sides are equal at every changed point, not all of them 0; there are at least two."""
    found = [s for t in trials.trials if (s := changed(t)) is not None]
    some = any(np.nanmax(np.abs(truth), initial=0.0) > _TOLERANCE for truth, _ in found)
    return len(found) > 1 and some and all(close(claim, truth) for truth, claim in found)


def exchanged(trials: Trials) -> str:
    """silu_backward(dy, x) for silu_backward(x, dy)."""
    arrays = sorted((a for a in trials.sampler.survey.arrays if a != PI), key=str)

    def swapped(t: Trial, a: Array, b: Array) -> Sides | None:
        values = t.point.arrays
        if a not in values or b not in values or values[a].keys() != values[b].keys() or values[a] == values[b]:
            return None
        claim = claim_at(trials, replace(t.point, arrays={**values, a: values[b], b: values[a]}))
        return None if claim is None else (t.truth, claim)

    for a, b in list(combinations(arrays, 2))[:_PAIRS]:
        if all_agree(trials, lambda t, a=a, b=b: swapped(t, a, b)):  # type: ignore[misc]
            return f"{a} and {b} exchanged"
    return ""


def without_scalar(trials: Trials) -> str:
    """Right where eps is 0: it is forgotten, or it stands in another place."""
    q = trials.question
    reaches = trials.sampler.reaches
    for a, axes in trials.sampler.survey.arrays.items():
        if axes or a == PI:
            continue

        def at_zero(t: Trial, a: Array = a) -> Sides | None:
            nothing = dict.fromkeys(t.point.arrays[a], Fraction(0))
            return sides(trials, replace(t.point, arrays={**t.point.arrays, a: nothing}))

        if all_agree(trials, at_zero):
            if a not in reaches.of(q.rhs).arrays:
                return f"missing term {a}"
            return f"right only where {a} = 0"
    return ""


def overwritten(trials: Trials) -> str:
    """Right where no integer stands twice: what should add up is overwritten."""

    def distinct(t: Trial) -> Sides | None:
        if not t.point.integers:
            return None
        apart = {name: {at: k for k, at in enumerate(sorted(v))} for name, v in t.point.integers.items()}
        fits = all(max(v.values(), default=0) <= max(t.point.integers[n].values(), default=0) for n, v in apart.items())
        return sides(trials, replace(t.point, integers=apart)) if fits else None

    return OVERWRITTEN if all_agree(trials, distinct) else ""


def reversed_axis(trials: Trials) -> str:
    for k in range(len(trials.axes)):

        def flipped(t: Trial, k: int = k) -> Sides | None:
            claim = trials.values(t, trials.question.rhs)
            return None if claim is None else (t.truth, np.flip(claim, k))

        if all_agree(trials, flipped):
            return f"result reversed along axis {k}"
    return ""


def reversed_input(trials: Trials) -> str:
    """A kernel that should be turned round, or should not."""

    def flipped(t: Trial, a: Array, k: int) -> Sides | None:
        values = t.point.arrays.get(a)
        if not values or len(next(iter(values))) <= k:
            return None
        last = max(at[k] for at in values)
        turned = {(*at[:k], last - at[k], *at[k + 1 :]): x for at, x in values.items()}
        claim = claim_at(trials, replace(t.point, arrays={**t.point.arrays, a: turned}))
        return None if claim is None else (t.truth, claim)

    for a, axes in trials.sampler.survey.arrays.items():
        for k in range(len(axes)):
            if all_agree(trials, lambda t, a=a, k=k: flipped(t, a, k)):  # type: ignore[misc]
                return f"{a} to be reversed along axis {k}"
    return ""


def on_a_part(trials: Trials) -> str:
    """Right in some entries: those that a mask lets through, those of one branch, the diagonal."""
    found = list(compared(trials))
    if not found or not any(right.any() for _, _, right in found):
        return ""
    wrong = [(truth[~right], claim[~right]) for truth, claim, right in found]
    if all((np.abs(truth) < _TOLERANCE).all() for truth, _ in wrong):
        return "missing mask"
    if all((np.abs(claim) < _TOLERANCE).all() for _, claim in wrong):
        return "the gradient is lost where a mask is 0"
    if len(trials.axes) == 2 and trials.axes[0].size == trials.axes[1].size:
        for where, name in ((np.eye, "wrong off the diagonal"), (off_diagonal, "wrong on the diagonal")):
            if all((right == where(len(right)).astype(bool)).all() for _, _, right in found):
                return name
    steps = any(isinstance(s, Holds) and isinstance(s.predicate, Positive) for s in subterms(trials.question.lhs))
    return "wrong on one branch" if steps else ""


def off_diagonal(n: int) -> FloatArray:
    return 1 - np.eye(n)


def compared(trials: Trials) -> Iterator[tuple[FloatArray, FloatArray, Any]]:
    """Both sides where both are numbers, and in which entries they are equal and not 0."""
    for t in trials.trials:
        claim = trials.values(t, trials.question.rhs)
        if claim is None or not (np.isfinite(claim) & np.isfinite(t.truth)).all():
            continue
        scale = np.maximum(np.abs(claim), np.abs(t.truth))
        yield t.truth, claim, np.abs(claim - t.truth) <= _TOLERANCE * np.maximum(scale, _TOLERANCE)
