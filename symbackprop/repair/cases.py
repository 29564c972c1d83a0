"""Where a false claim is true all the same: at n = 1, for symmetric A, when Σ t = 1.

Each case is an extra hypothesis under which both sides agree at several points.  That is a guess: prove
it, with the hypothesis, before saying it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.terms import ONE, ZERO, Array, Delta, Entry, Positive, Power, Term, mul, over
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import PI
from symbackprop.numbers.refute.points import Question, Sampler
from symbackprop.numbers.refute.search import schedule
from symbackprop.numbers.refute.survey import Survey

from .trials import close

_AGREE = 4
_ARRAYS = 8


@dataclass(frozen=True, slots=True)
class SpecialCase:
    """'n = 1' or 'W is symmetric', and the hypotheses that say so."""

    text: str
    hypotheses: tuple[Hypothesis, ...]
    vacuous: bool = False  # said only when there is nothing better


def special_cases(question: Question, limit: int = 3) -> list[SpecialCase]:
    """Extra hypotheses under which the claim seems true; the weakest to say first."""
    sampler = Sampler(question)
    found: list[SpecialCase] = []
    for case in cases(sampler):
        if found and case.vacuous:
            break
        implied = any(set(f.hypotheses) <= set(case.hypotheses) for f in found)
        if not implied and agrees(replace(question, hypotheses=(*question.hypotheses, *case.hypotheses))):
            found.append(case)
        if len(found) == limit:
            break
    return found


def agrees(question: Question) -> bool:
    """Both sides are equal at several points, and not only because all is 0."""
    sampler, count, nontrivial = Sampler(question), 0, False
    sampler.failures = 2  # few tries: another case comes next
    for _, sizes, attempt in schedule(sampler, 12):
        point = sampler.point(sizes, attempt)
        if point is None:
            if not count and sampler.failures > 3:
                return False
            continue
        evaluation = FloatEvaluation(point, sampler.reaches)
        try:
            left, right = (evaluation.tensor(question.free, t) for t in (question.lhs, question.rhs))
        except Undefined:
            continue
        if not np.isfinite(left).any():
            continue
        if not close(right, left):
            return False
        count += 1
        nontrivial |= bool(np.nanmax(np.abs(left), initial=0.0) > 1e-9)
        if count >= _AGREE and nontrivial:
            return True
    return count >= 2 and nontrivial


def cases(sampler: Sampler) -> Iterator[SpecialCase]:
    symbols = sampler.symbols
    for s in symbols:
        yield SpecialCase(f"{s} = 1", (Same(sized(s), ONE),))
    shapes = {a: shape(sampler.survey, a) for a in list(sampler.survey.arrays)[:_ARRAYS] if a != PI}
    for a, axes in shapes.items():
        if axes is not None and not axes:
            yield SpecialCase(f"{a} = 1", (Same(Entry(a, ()), ONE),))
    for a, axes in shapes.items():
        if axes:
            yield from array_cases(a, axes)
    for s, t in combinations(symbols, 2):
        yield SpecialCase(f"{s} = {t}", (Same(sized(s), sized(t)),))
        yield SpecialCase(f"{s} = {t} = 1", (Same(sized(s), ONE), Same(sized(t), ONE)))
    for a, axes in shapes.items():
        if axes is not None and not axes:
            yield SpecialCase(f"{a} = 0", (Same(Entry(a, ()), ZERO),))
        if axes:
            whole = Entry(a, indices(axes))
            yield SpecialCase(f"{a} = 1 everywhere", (Same(whole, ONE),))
    for a, axes in shapes.items():
        if axes:
            whole = Entry(a, indices(axes))
            yield SpecialCase(f"{a} = 0", (Same(whole, ZERO),), vacuous=True)


def array_cases(a: Array, axes: tuple[Size, ...]) -> Iterator[SpecialCase]:
    at = indices(axes)
    entry = Entry(a, at)
    if len(axes) == 2 and axes[0] == axes[1]:
        yield SpecialCase(f"{a} is symmetric", (Same(entry, Entry(a, (at[1], at[0]))),))
    for k in reversed(range(len(axes))):
        total: Term = over(at[k], entry)
        yield SpecialCase(f"{a} sums to 1 over axis {k}", (Same(total, ONE),))
        yield SpecialCase(f"{a} sums to 0 over axis {k}", (Same(total, ZERO),))
    yield SpecialCase(f"{a} is 0 or 1 everywhere", (Same(Power(entry, Fraction(2)), entry),))
    yield SpecialCase(f"{a} > 0", (Positive(entry),))
    if len(axes) == 2 and axes[0] == axes[1]:
        inner = Index("k", axes[0])
        product = over(inner, mul(Entry(a, (at[0], inner)), Entry(a, (at[1], inner))))
        yield SpecialCase(f"{a} is orthogonal", (Same(product, Delta(at[0], at[1])),))
        yield SpecialCase(f"{a} is diagonal", (Same(entry, mul(Delta(at[0], at[1]), entry)),))


def indices(axes: tuple[Size, ...]) -> tuple[Index, ...]:
    return tuple(Index(f"axis{k}", s) for k, s in enumerate(axes))


def shape(survey: Survey, a: Array) -> tuple[Size, ...] | None:
    """The sizes of the axes, where all are plain."""
    if a in survey.declared:
        return survey.declared[a]
    found = []
    for uses in survey.arrays[a]:
        plain = {u.parts[0][1] for u in uses if u.exact}
        if len(plain) != 1:
            return None
        found.append(plain.pop())
    return tuple(found)
