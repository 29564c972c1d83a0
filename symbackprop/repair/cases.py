"""Where a false claim is true all the same: at n = 1, for symmetric A, when Σ t = 1.

Each case is an extra hypothesis under which both sides agree at several points.  That is a guess: prove
it, with the hypothesis, before saying it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Size, sized
from symbackprop.core.terms import ONE, ZERO, Array, Delta, Entry, Positive, Power, Term, mul, over
from symbackprop.numbers.exact_numbers import Undecided, Undefined
from symbackprop.numbers.floats import FloatArray, FloatEvaluation, close
from symbackprop.numbers.points import PI, Point, Survey
from symbackprop.numbers.refute.arrays import MAKERS, Source
from symbackprop.numbers.refute.points import Question, Sampler, satisfied
from symbackprop.numbers.refute.search import schedule

_AGREE, _SIZES, _TRIES = 4, 3, 12
_ARRAYS = 8


@dataclass(frozen=True, slots=True)
class SpecialCase:
    """'n = 1' or 'W is symmetric', and the hypotheses that say so."""

    text: str
    hypotheses: tuple[Hypothesis, ...]
    makers: tuple[tuple[Array, str], ...] = ()  # how arrays are made that satisfy them; sizes alone need none
    vacuous: bool = False  # said only when there is nothing better


def special_cases(question: Question, limit: int = 3) -> list[SpecialCase]:
    """Extra hypotheses under which the claim seems true; the weakest to say first."""
    sampler = Sampler(question)
    prepared = Prepared(sampler)
    found: list[SpecialCase] = []
    for case in cases(sampler):
        if found and case.vacuous:
            break
        implied = any(set(f.hypotheses) <= set(case.hypotheses) for f in found)
        if not implied and prepared.agrees(case):
            found.append(case)
        if len(found) == limit:
            break
    return found


class Prepared:
    """A few points, each drawn once and changed to fit case after case."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler, self.question = sampler, sampler.question
        self.points: dict[tuple[object, int], Point | None] = {}

    def agrees(self, case: SpecialCase) -> bool:
        """Both sides are equal at several points where the case holds, and not only because all is 0."""
        count, nontrivial = 0, False
        for point in self.points_of(case):
            sides = self.sides(point)
            if sides is None:
                continue
            left, right = sides
            if not close(right, left):
                return False
            count += 1
            nontrivial |= bool(np.nanmax(np.abs(left), initial=0.0) > 1e-9)
            if count >= _AGREE and nontrivial:
                return True
        return count >= 2 and nontrivial

    def sides(self, point: Point) -> tuple[FloatArray, FloatArray] | None:
        evaluation = FloatEvaluation(point, self.sampler.reaches)
        try:
            left, right = (evaluation.tensor(self.question.free, t) for t in (self.question.lhs, self.question.rhs))
        except Undefined:
            return None
        return (left, right) if np.isfinite(left).any() else None

    def points_of(self, case: SpecialCase) -> Iterator[Point]:
        """Changed points; where nothing changes them so that the hypotheses hold, points drawn for the case."""
        fitting = [s for s in self.sampler.sizes() if possible(case, s, self.sampler)][:_SIZES]
        some = False
        for attempt in range(_TRIES // max(1, len(fitting))):
            for sizes in fitting:
                point = self.made(case, sizes, attempt)
                some |= point is not None
                if point is not None:
                    yield point
            if not some:
                break
        if not some and fitting:
            yield from drawn(replace(self.question, hypotheses=(*self.question.hypotheses, *case.hypotheses)))

    def made(self, case: SpecialCase, sizes: Mapping[str, int], attempt: int) -> Point | None:
        key = (tuple(sizes.values()), attempt)
        if key not in self.points:
            self.points[key] = self.sampler.point(sizes, attempt)
        point = self.points[key]
        if point is None or not case.makers:
            return point
        arrays = dict(point.arrays)
        for array, name in case.makers:
            maker = MAKERS.get(name)
            made = maker and maker(Source(f"{name}{attempt}"), self.sampler.survey.shape(array, sizes))
            if not made or self.sampler.hint(array):
                return None
            arrays[array] = made
        changed = replace(point, arrays=arrays)
        return changed if self.sampler.satisfies(changed) else None


def possible(case: SpecialCase, sizes: Mapping[str, int], sampler: Sampler) -> bool:
    """Hypotheses about sizes alone hold; other cases are looked at where every size is 2 or more."""
    if case.makers:
        return min(sizes.values(), default=2) > 1
    try:
        return all(satisfied(h, Point(sizes=sizes), sampler.reaches) for h in case.hypotheses)
    except (Undefined, Undecided):
        return False


def drawn(question: Question) -> Iterator[Point]:
    sampler, some = Sampler(question), False
    sampler.failures = 2  # few tries: another case comes next
    for _, sizes, attempt in schedule(sampler, _TRIES):
        point = sampler.point(sizes, attempt)
        if point is not None:
            some = True
            yield point
        elif not some and sampler.failures > 3:
            return


def cases(sampler: Sampler) -> Iterator[SpecialCase]:
    symbols = sampler.symbols
    for s in symbols:
        yield SpecialCase(f"{s} = 1", (Same(sized(s), ONE),))
    shapes = {a: shape(sampler.survey, a) for a in list(sampler.survey.arrays)[:_ARRAYS] if a != PI}
    for a, axes in shapes.items():
        if axes is not None and not axes:
            yield SpecialCase(f"{a} = 1", (Same(Entry(a, ()), ONE),), ((a, "ones"),))
    for a, axes in shapes.items():
        if axes:
            yield from array_cases(a, axes)
    for s, t in combinations(symbols, 2):
        yield SpecialCase(f"{s} = {t}", (Same(sized(s), sized(t)),))
        yield SpecialCase(f"{s} = {t} = 1", (Same(sized(s), ONE), Same(sized(t), ONE)))
    for a, axes in shapes.items():
        if axes is not None and not axes:
            yield SpecialCase(f"{a} = 0", (Same(Entry(a, ()), ZERO),), ((a, "zeros"),))
        if axes:
            whole = Entry(a, indices(axes))
            yield SpecialCase(f"{a} = 1 everywhere", (Same(whole, ONE),), ((a, "ones"),))
    for a, axes in shapes.items():
        if axes:
            whole = Entry(a, indices(axes))
            yield SpecialCase(f"{a} = 0", (Same(whole, ZERO),), ((a, "zeros"),), vacuous=True)


def array_cases(a: Array, axes: tuple[Size, ...]) -> Iterator[SpecialCase]:
    at = indices(axes)
    entry = Entry(a, at)
    if len(axes) == 2 and axes[0] == axes[1]:
        yield SpecialCase(f"{a} is symmetric", (Same(entry, Entry(a, (at[1], at[0]))),), ((a, "sym"),))
    for k in reversed(range(len(axes))):
        total: Term = over(at[k], entry)
        yield SpecialCase(f"{a} sums to 1 over axis {k}", (Same(total, ONE),), ((a, f"prob{k}"),))
        yield SpecialCase(f"{a} sums to 0 over axis {k}", (Same(total, ZERO),), ((a, f"centred{k}"),))
    yield SpecialCase(f"{a} is 0 or 1 everywhere", (Same(Power(entry, Fraction(2)), entry),), ((a, "bin"),))
    yield SpecialCase(f"{a} > 0", (Positive(entry),), ((a, "pos"),))
    if len(axes) == 2 and axes[0] == axes[1]:
        inner = Index("k", axes[0])
        product = over(inner, mul(Entry(a, (at[0], inner)), Entry(a, (at[1], inner))))
        yield SpecialCase(f"{a} is orthogonal", (Same(product, Delta(at[0], at[1])),), ((a, "orthogonal"),))
        yield SpecialCase(f"{a} is diagonal", (Same(entry, mul(Delta(at[0], at[1]), entry)),), ((a, "diagonal"),))


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
