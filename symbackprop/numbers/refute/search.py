"""Looking for a point where a claim is false.

Floats look at all index positions of many points, exact or interval arithmetic confirms, and the
confirmed point is made as small as it can be.  What is returned is certain; nothing found proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from symbackprop.core.context import Hypothesis
from symbackprop.core.indices import Index, Size
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ZERO, Array, Term
from symbackprop.numbers.duals import to_float
from symbackprop.numbers.evaluate import decided
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import Undecided, Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point, size_at

from .judging import judged
from .points import Question, Sampler
from .report import Counterexample
from .shrink import shrunk
from .special import free_values, special_points
from .special_sizes import special_sizes

BUDGET = 40
TOO_LARGE = "sizes in numbers as large as these are not looked at point by point: give them names"
_FEW = 6  # points tried before special ones, which a search for fewer points leaves out
_SPECIAL, _NEAR_ZERO = 120, 40  # special points
_SPECIAL_SIZES = 12
_EXACT_PER_POINT = 3
_ATTEMPTS = 24
_PATIENCE = 2  # attempts at sizes where nothing has a value
_EXACT_ANYWAY, _EXACT_FAR = 2, 6  # points looked at exactly though floats see no difference; and far from 0
_FAR = 12  # from here on floats lose what tanh, sigmoid and erf still have: 1 - tanh(x)**2
_RELATIVE, _NOISE = 1e-9, 1e-13


@dataclass(frozen=True, slots=True)
class Outcome:
    """A counterexample, or why there is none."""

    counterexample: Counterexample | None
    reason: str
    points: int


def search(
    question: Question, budget: int = BUDGET, *, kinks_have_values: bool = False, shrink: bool = True,
    before: Sequence[Point] = (), quick: bool = False,
) -> Outcome:  # fmt: skip
    """Try `budget` points, sizes that hide least first, and special points; report the shrunk counterexample.

    Without `shrink` the first one found: for those who only ask whether there is one.  Small points at which a like
    claim fails may be given to be looked at `before` all others.  A `quick` look leaves out what floats see no
    difference at.

    Special points (zeros, ties, thresholds, sizes such as n = 17) come after the first few and are not counted; a
    budget of less than that leaves them out.  With `kinks_have_values` steps at 0 are looked at too (for claims that
    are no gradients; claims about a derivative have it for the right side).
    """
    run = Search(question, kinks_have_values or bool(question.variables), quick)
    known = next((x for p in before if (x := run.at(p)) is not None), None)
    return run.run(budget, shrink) if known is None else Outcome(known, "", run.satisfying)


class Search:
    """One search: the sampler, and what has been seen so far."""

    def __init__(self, question: Question, kinks_have_values: bool, quick: bool) -> None:
        self.question, self.kinks_have_values, self.quick = question, kinks_have_values, quick
        self.sampler = Sampler(question, kinks_have_values)
        self.axes = question.free
        self.satisfying = self.defined = self.far = 0
        self.barren: set[int] = set()

    def run(self, budget: int, shrink: bool) -> Outcome:
        if not self.sampler.sizes():
            least = {s: max(1, self.question.sizes_min.get(s, 1)) for s in self.sampler.symbols}
            large = self.sampler.possible(least) and not self.sampler.small(least)
            return Outcome(None, TOO_LARGE if large else "no sizes satisfy the declarations and hypotheses", 0)
        planned = schedule(self.sampler, budget, self.barren)
        found = None
        for n, (rank, sizes, attempt) in enumerate(planned):
            found = (self.special() if n == _FEW else None) or self.scheduled(rank, sizes, attempt)
            if found is not None:
                break
        else:
            found = self.special() if budget > _FEW and n < _FEW else None
        if found is not None:
            if shrink:
                found = shrunk(self.question, self.sampler, found, self.kinks_have_values)
            return Outcome(found, "", self.satisfying)
        return Outcome(None, self.reason(), self.satisfying)

    def at(self, point: Point) -> Counterexample | None:
        """At a point that was found for another claim."""
        sampler = self.sampler
        own = replace(
            point, indices={}, functions=sampler.functions, losses=sampler.losses, definitions=self.question.definitions
        )
        if not (sampler.survey.symbols <= point.sizes.keys() and sampler.survey.arrays.keys() <= point.arrays.keys()):
            return None
        try:
            return self.look(own) if sampler.possible(point.sizes) and sampler.satisfies(own) else None
        except Undefined:
            return None

    def reason(self) -> str:
        if not self.satisfying:
            if self.sampler.strictly and self.closed():
                return "the hypotheses have no inner points: they force an equality between variables"
            return "no point that satisfies the hypotheses was found"
        if not self.defined:
            return "no point was found where both sides have a value"
        return f"both sides agree at {self.satisfying} points"

    def closed(self) -> bool:
        """Points satisfy the hypotheses, though none was found inside each u >= 0."""
        sampler = Sampler(self.question)
        sampler.inside = self.question.hypotheses
        return any(sampler.point(sizes, 0) is not None for sizes in sampler.sizes(_PATIENCE))

    def scheduled(self, rank: int, sizes: Mapping[str, int], attempt: int) -> Counterexample | None:
        """One point of the plan; ranks of sizes where nothing has a value are given up."""
        point = self.sampler.point(sizes, attempt)
        if point is None:
            if attempt >= _PATIENCE:
                self.barren.add(rank)
            return None
        before = self.defined
        try:
            found = self.look(point)
        except Undefined:
            self.barren.add(rank)
            return None
        if self.defined == before and attempt >= _PATIENCE:
            self.barren.add(rank)
        return found

    def look(self, point: Point) -> Counterexample | None:
        """The claim at one point: floats choose index values, exact arithmetic decides.  Raises Undefined."""
        self.satisfying += 1
        suspicious, some = candidates(self.question, self.sampler, point, self.axes)
        self.defined += some
        if not (suspicious or self.quick) and (self.defined <= _EXACT_ANYWAY or self.lost_to_floats(point)):
            suspicious = [tuple(self.satisfying % n for n in shape_of(self.axes, point.sizes))]
        for at in suspicious:
            placed = replace(point, indices=dict(zip(self.axes, at, strict=True)))
            found = judged(self.sampler, placed, self.kinks_have_values)
            if found is not None:
                return found
            if not self.defined:  # floats overflow: exp(x - 800)
                self.defined += has_values(placed, (self.question.lhs, self.question.rhs), self.sampler)
        return None

    def lost_to_floats(self, point: Point) -> bool:
        """An array is so far out that floats see no difference where there is one."""
        out = (e and all(abs(to_float(x)) >= _FAR for x in e.values()) for e in point.arrays.values())
        if self.far < _EXACT_FAR and any(out):
            self.far += 1
            return True
        return False

    def special(self) -> Counterexample | None:
        """Zeros, ties, thresholds; then sizes that the claim names."""
        for base in bases(self.sampler):
            for point in islice(special_points(self.question, self.sampler, base), _SPECIAL):
                found = self.looked(point)
                if found is not None:
                    return self.near_zero(found)
        for sizes in special_sizes(self.question, self.sampler)[:_SPECIAL_SIZES]:
            one = self.sampler.point(sizes, 0)
            found = None if one is None else self.looked(one)
            if found is not None:
                return found
        return None

    def near_zero(self, found: Counterexample) -> Counterexample:
        """The same with 0 for all that does not matter, if special points near 0 fail too."""
        free = [a for a in found.point.arrays if free_values(self.sampler, a, found.point)]
        zeros = {a: dict.fromkeys(found.point.arrays[a], Fraction(0)) for a in free}
        base = replace(found.point, arrays={**found.point.arrays, **zeros})
        for point in islice(special_points(self.question, self.sampler, base), _NEAR_ZERO):
            simpler = self.looked(point)
            if simpler is not None and simpler.kind == found.kind:
                return simpler
        return found

    def looked(self, point: Point) -> Counterexample | None:
        try:
            return self.look(point)
        except Undefined:
            return None


def bases(sampler: Sampler) -> Iterator[Point]:
    """A generic point at the first sizes, and one where all sizes are as small as they can be."""
    sizes = sampler.sizes()
    smallest = min(sizes, key=lambda s: sum(s.values()))
    for chosen in sizes[:1] if smallest == sizes[0] else (sizes[0], smallest):
        point = sampler.point(chosen, 0)
        if point is not None:
            yield point


def satisfying_point(
    hypotheses: Sequence[Hypothesis],
    *,
    sizes_min: Mapping[str, int] | None = None,
    definitions: Mapping[Array, Tensor] | None = None,
    domains: Mapping[str, str] | None = None,
    shapes: Mapping[Array, tuple[Size, ...]] | None = None,
    fits: Callable[[Point], bool] = lambda point: True,
    besides: Mapping[str, int] | None = None,
) -> Point | None:
    """A point that satisfies all hypotheses exactly; None where none was found.

    Conditions of a theorem are asked for by passing them as hypotheses.  Every axis has two values or more, unless the
    hypotheses or the shapes leave no such sizes: a point at n = 1 says nothing about a condition on i != j.  `fits` may
    refuse it.  Sizes that are nowhere below those `besides` were tried before.
    """
    sampler = Sampler(
        Question(ZERO, ZERO, (), sizes_min or {}, tuple(hypotheses), definitions or {}, domains or {}, shapes or {})
    )
    tried = set[int]()
    if besides is not None:
        tried = {k for k, x in enumerate(sampler.sizes()) if all(n >= besides.get(s, n) for s, n in x.items())}
    barren = tried | {k for k, sizes in enumerate(sampler.sizes()) if not roomy(sampler, sizes)}
    if len(barren) == len(sampler.sizes()):
        barren = tried
    for rank, sizes, attempt in schedule(sampler, BUDGET, barren):
        point = sampler.point(sizes, attempt)
        if point is None:
            if attempt >= _PATIENCE:
                barren.add(rank)
            continue
        if fits(point):
            return point
    return None


def roomy(sampler: Sampler, sizes: Mapping[str, int]) -> bool:
    """Every axis of a named size has two values or more."""
    lengths = sampler.survey.lengths | sampler.survey.summed
    return all(s.at(sizes) >= 2 for s in lengths if s.constant is None)


def has_values(point: Point, terms: Sequence[Term], sampler: Sampler) -> bool:
    try:
        for t in terms:
            decided(partial(Evaluation(point, sampler.reaches, sampler.strictly).at, t))
    except (Undefined, Undecided):
        return False
    return True


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
    """Positions where floats differ most, then some where the right side has no value; and whether any has one."""
    evaluation = FloatEvaluation(point, sampler.reaches)
    left, right = evaluation.tensor(axes, question.lhs), evaluation.tensor(axes, question.rhs)
    return suspects(left, right)


def suspects(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> tuple[list[tuple[int, ...]], bool]:
    with np.errstate(all="ignore"):
        gap, scale = np.abs(left - right), np.maximum(np.abs(left), np.abs(right))
        relative = gap / np.maximum(scale, 1e-300)
    finite, lost = np.isfinite(gap), np.isfinite(left) & ~np.isfinite(right)
    missing = [tuple(map(int, k)) for k in np.argwhere(lost)][:_EXACT_PER_POINT]
    if not finite.any():
        return missing or [tuple(map(int, k)) for k in np.ndindex(left.shape)][:1], False
    noise = _NOISE * float(scale[finite].max(initial=0.0))
    ratio = np.where(finite, relative, 0.0)
    differs = finite & (gap > _RELATIVE * scale) & (gap > noise)
    places = [tuple(map(int, k)) for k in np.argwhere(differs)]
    places.sort(key=lambda k: (-round(float(ratio[k]), 3), k))
    return places[:_EXACT_PER_POINT] + missing, True
