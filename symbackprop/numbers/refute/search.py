"""Looking for a point where a claim is false.

Floats look at all index positions of many points, exact or interval arithmetic confirms, and the
confirmed point is made as small as it can be.  What is returned is certain; nothing found proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from symbackprop.core.context import Hypothesis
from symbackprop.core.indices import Index, Size
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import ZERO, Add, Array, Term

from ..evaluate import Evaluation, decided, difference
from ..exact_numbers import Undecided, Undefined
from ..floats import FloatEvaluation
from ..points import Point, size_at
from .points import Question, Sampler
from .report import Counterexample, recheck
from .shrink import shrunk

__all__ = ["Counterexample", "Outcome", "Question", "recheck", "refute", "satisfying_point", "search"]

BUDGET = 40
_EXACT_PER_POINT = 3
_ATTEMPTS = 24
_PATIENCE = 2  # attempts at sizes where nothing has a value
_EXACT_ANYWAY = 2  # points looked at exactly though floats see no difference
_RELATIVE, _NOISE = 1e-9, 1e-13


@dataclass(frozen=True, slots=True)
class Outcome:
    """A counterexample, or why there is none."""

    counterexample: Counterexample | None
    reason: str
    points: int


def search(question: Question, budget: int = BUDGET, *, kinks_have_values: bool = False) -> Outcome:
    """Try `budget` points, sizes that hide least first; report the shrunk counterexample.

    With `kinks_have_values` steps at 0 are looked at too (for claims that are no gradients).
    """
    sampler = Sampler(question, kinks_have_values)
    axes, satisfying, defined = question.free, 0, 0
    barren: set[int] = set()
    if not sampler.sizes(1):
        return Outcome(None, "no sizes satisfy the declarations and hypotheses", 0)
    for rank, sizes, attempt in schedule(sampler, budget, barren):
        point = sampler.point(sizes, attempt)
        if point is None:
            if attempt >= _PATIENCE:
                barren.add(rank)
            continue
        satisfying += 1
        try:
            suspicious, some = candidates(question, sampler, point, axes)
        except Undefined:
            barren.add(rank)
            continue
        defined += some
        if not some and attempt >= _PATIENCE:
            barren.add(rank)
        if not suspicious and defined <= _EXACT_ANYWAY:
            suspicious = [tuple(satisfying % n for n in shape_of(axes, sizes))]
        for at in suspicious:
            placed = replace(point, indices=dict(zip(axes, at, strict=True)))
            found = confirmed(question, sampler, placed, kinks_have_values)
            if found is not None:
                return Outcome(shrunk(question, sampler, found, kinks_have_values), "", satisfying)
    if not satisfying:
        return Outcome(None, "no point that satisfies the hypotheses was found", 0)
    if not defined:
        return Outcome(None, "no point was found where both sides have a value", satisfying)
    return Outcome(None, f"both sides agree at {satisfying} points", satisfying)


def refute(
    lhs: Term,
    rhs: Term,
    axes: Sequence[Index] = (),
    *,
    sizes_min: Mapping[str, int] | None = None,
    hypotheses: Sequence[Hypothesis] = (),
    definitions: Mapping[Array, Tensor] | None = None,
    domains: Mapping[str, str] | None = None,
    shapes: Mapping[Array, tuple[Size, ...]] | None = None,
    budget: int = BUDGET,
    kinks_have_values: bool = False,
) -> Counterexample | None:
    """A point, satisfying the hypotheses exactly, where lhs and rhs certainly differ; None where none was found."""
    question = Question(
        lhs, rhs, tuple(axes), sizes_min or {}, tuple(hypotheses), definitions or {}, domains or {}, shapes or {}
    )
    return search(question, budget, kinks_have_values=kinks_have_values).counterexample


def satisfying_point(
    hypotheses: Sequence[Hypothesis],
    *,
    terms: Sequence[Term] = (),
    sizes_min: Mapping[str, int] | None = None,
    definitions: Mapping[Array, Tensor] | None = None,
    domains: Mapping[str, str] | None = None,
    shapes: Mapping[Array, tuple[Size, ...]] | None = None,
    budget: int = BUDGET,
) -> Point | None:
    """A point that satisfies all hypotheses exactly and where all terms have a value; None where none was found.

    Conditions of a theorem are asked for by passing them as hypotheses.  Free indices of `terms` are 0 there.
    """
    question = Question(
        Add(tuple(terms)), ZERO, (), sizes_min or {}, tuple(hypotheses), definitions or {}, domains or {}, shapes or {}
    )
    sampler = Sampler(question)
    barren: set[int] = set()
    for rank, sizes, attempt in schedule(sampler, budget, barren):
        point = sampler.point(sizes, attempt)
        if point is None:
            if attempt >= _PATIENCE:
                barren.add(rank)
            continue
        placed = replace(point, indices=dict.fromkeys(question.free, 0))
        try:
            for t in terms:
                decided(partial(Evaluation(placed, sampler.reaches).at, t))
        except (Undefined, Undecided):
            continue
        return placed
    return None


def schedule(
    sampler: Sampler, budget: int, barren: set[int] | None = None
) -> Iterator[tuple[int, dict[str, int], int]]:
    """(rank, sizes, attempt) by diagonals: several points at the first sizes, then more sizes.

    Ranks that the caller adds to `barren` are not tried again.
    """
    sizes, skipped = sampler.sizes(), barren if barren is not None else set()
    for step in range(_ATTEMPTS + len(sizes)):
        for rank in range(min(step + 1, len(sizes))):
            if step - rank < _ATTEMPTS and rank not in skipped:
                yield rank, sizes[rank], step - rank
                budget -= 1
                if budget <= 0:
                    return


def shape_of(axes: tuple[Index, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size_at(i.size, sizes) for i in axes)


def candidates(
    question: Question, sampler: Sampler, point: Point, axes: tuple[Index, ...]
) -> tuple[list[tuple[int, ...]], bool]:
    """Positions where floats differ most, then some where floats have no value; and whether any has one."""
    evaluation = FloatEvaluation(point, sampler.reaches)
    left, right = evaluation.tensor(axes, question.lhs), evaluation.tensor(axes, question.rhs)
    return suspects(left, right)


def suspects(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> tuple[list[tuple[int, ...]], bool]:
    with np.errstate(all="ignore"):
        gap = np.abs(left - right)
    scale = np.maximum(np.abs(left), np.abs(right))
    finite = np.isfinite(gap)
    if not finite.any():
        return [tuple(map(int, k)) for k in np.ndindex(left.shape)][:1], False
    noise = _NOISE * float(scale[finite].max(initial=0.0))
    ratio = np.where(finite, gap / np.maximum(scale, 1e-300), 0.0)
    differs = finite & (gap > _RELATIVE * scale) & (gap > noise)
    places = [tuple(map(int, k)) for k in np.argwhere(differs)]
    places.sort(key=lambda k: (-round(float(ratio[k]), 3), k))
    return places[:_EXACT_PER_POINT], True


def confirmed(question: Question, sampler: Sampler, point: Point, kinks_have_values: bool) -> Counterexample | None:
    """The counterexample at a point with index values, if exact arithmetic agrees that it is one."""
    try:
        both = difference(
            question.lhs, question.rhs, point, reaches=sampler.reaches, kinks_have_values=kinks_have_values
        )
    except Undefined:
        return None
    return None if both is None else Counterexample(point, *both, question.lhs, question.rhs)
