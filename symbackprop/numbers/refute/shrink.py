"""Making a counterexample small: fewer index values, then zeros, ones and small integers.

Every step is confirmed exactly and keeps the hypotheses, so the result is as certain as the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np

from symbackprop.core.terms import Array
from symbackprop.numbers.duals import Loss, Polynomial, Position, to_float
from symbackprop.numbers.exact_numbers import Number, Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point, size_at

from .arrays import allowed
from .judging import judged
from .points import Question, Sampler
from .report import Counterexample

_SIZE_TRIALS = 24
_VALUE_TRIALS = 60
_SIMPLE_FUNCTIONS = (
    Polynomial((Fraction(0), Fraction(0), Fraction(1))),
    Polynomial((Fraction(0), Fraction(1), Fraction(1))),
    Polynomial((Fraction(0), Fraction(0), Fraction(0), Fraction(1))),
    Polynomial((Fraction(0), Fraction(1), Fraction(1), Fraction(1))),
)


class Shrinker:
    """Counts its trials; `best` is always a confirmed counterexample."""

    def __init__(self, question: Question, sampler: Sampler, best: Counterexample, kinks_have_values: bool) -> None:
        self.question, self.sampler, self.best = question, sampler, best
        self.kinks_have_values = kinks_have_values
        self.trials = 0
        self.failed: set[tuple[Array, tuple[Number, ...]]] = set()  # entries that were tried in the best point

    def accept(self, point: Point) -> bool:
        """Keep the point if it is a counterexample."""
        self.trials += 1
        q, s = self.question, self.sampler
        found = judged(s, point, self.kinks_have_values)
        if found is None or found.kind != self.best.kind or (q.hypotheses and not s.satisfies(point)):
            return False
        self.best = found
        return True

    # --- sizes ---------------------------------------------------------------------------------

    def sizes(self) -> None:
        """The smallest total of sizes with a counterexample among a few points."""
        now = self.best.sizes
        total = sum(now.values())
        smaller = [s for s in self.smaller() if sum(s.values()) < total]
        smaller.sort(key=lambda s: (sum(s.values()), tuple(s.items())))
        for sizes in smaller[:_SIZE_TRIALS]:
            for point in self.at(sizes):
                if point is not None and self.somewhere(point):
                    return

    def at(self, sizes: Mapping[str, int]) -> Iterator[Point | None]:
        """The best point cut to smaller sizes, and a few others."""
        for ends in (False, True):
            try:
                cut = self.cut(sizes, ends)
            except (Undefined, KeyError):
                continue
            if self.sampler.satisfies(cut) and all(self.allowed(a, dict(e)) for a, e in cut.arrays.items()):
                yield cut
        yield from (self.sampler.point(sizes, attempt) for attempt in (0, 1, 2))

    def cut(self, sizes: Mapping[str, int], ends: bool) -> Point:
        """The first entries of each array, or the last."""
        best, arrays = self.best.point, {}
        for array, entries in best.arrays.items():
            shape, old = (self.sampler.survey.shape(array, s) for s in (sizes, best.sizes))
            offset = tuple(n - m if ends else 0 for n, m in zip(old, shape, strict=True))
            arrays[array] = {
                k: entries[tuple(i + o for i, o in zip(k, offset, strict=True))] for k in product(*map(range, shape))
            }
        below = {n: size_at(self.sampler.survey.picks[n][0], sizes) for n in best.integers}
        shapes = {n: self.sampler.survey.pick_shape(n, sizes) for n in best.integers}
        integers = {
            n: {k: min(e[k], below[n] - 1) for k in product(*map(range, shapes[n]))} for n, e in best.integers.items()
        }
        return replace(best, sizes=sizes, arrays=arrays, integers=integers)

    def smaller(self) -> Iterator[dict[str, int]]:
        names = self.sampler.symbols
        low = [max(1, self.question.sizes_min.get(s, 1)) for s in names]
        ranges = [range(lo, max(lo, self.best.sizes[s]) + 1) for s, lo in zip(names, low, strict=True)]
        count = 0
        for values in product(*ranges):
            count += 1
            if count > 3000:
                return
            sizes = dict(zip(names, values, strict=True))
            if self.sampler.possible(sizes):
                yield sizes

    def somewhere(self, point: Point) -> bool:
        """Whether the claim fails at some index of the point; floats choose where to look."""
        axes = self.question.free
        try:
            evaluation = FloatEvaluation(point, self.sampler.reaches)
            left, right = (evaluation.tensor(axes, t) for t in (self.question.lhs, self.question.rhs))
        except Undefined:
            return False
        bad = abs(left - right) > 1e-7 * (abs(left) + abs(right))
        if self.best.kind == "no value":
            bad = np.isfinite(left) & ~np.isfinite(right)
        for at in [k for k in product(*map(range, left.shape)) if bad[k]][:2]:
            if self.accept(replace(point, indices=dict(zip(axes, map(int, at), strict=True)))):
                return True
        return False

    # --- values --------------------------------------------------------------------------------

    def meanings(self) -> None:
        """Simple polynomials for abstract functions."""
        for name in self.best.point.functions:
            for p in _SIMPLE_FUNCTIONS:
                if self.accept(replace(self.best.point, functions={**self.best.point.functions, name: p})):
                    break
        for name in self.best.point.losses:
            self.accept(replace(self.best.point, losses={**self.best.point.losses, name: Loss(name, simple=True)}))

    def array(self, array: Array) -> None:
        """A whole array at once: zeros, ones, 1 -1 2 -2 ..., rounded."""
        entries = self.best.point.arrays[array]
        places = sorted(entries)
        counted = [Fraction((k // 2 + 1) * (-1) ** k) for k in range(len(places))]
        for values in (
            [Fraction(0)] * len(places),
            [Fraction(1)] * len(places),
            counted,
            [Fraction(k + 1) for k in range(len(places))],
            [Fraction(round(to_float(entries[k]))) for k in places],
        ):
            made: dict[Position, Number] = dict(zip(places, values, strict=True))
            if made == dict(entries) or self.fits(array, made):
                return

    def entry(self, array: Array, place: Position) -> None:
        """One entry: the simplest value that keeps the difference."""
        entries = self.best.point.arrays[array]
        now = entries[place]
        for value in (0, 1, -1, 2):
            if now == value or cost(now) <= cost(Fraction(value)):
                return
            if self.trials >= _VALUE_TRIALS:
                return
            if self.fits(array, {**entries, place: Fraction(value)}):
                return

    def fits(self, array: Array, entries: dict[Position, Number]) -> bool:
        """Whether the best point may have these entries; then it has them."""
        if not self.allowed(array, entries):
            return False
        key = array, tuple(entries[k] for k in sorted(entries))
        if key in self.failed:
            self.trials += 1
            return False
        fits = self.accept(replace(self.best.point, arrays={**self.best.point.arrays, array: entries}))
        self.failed = set() if fits else {*self.failed, key}
        return fits

    def values(self) -> None:
        movable = [a for a in self.best.point.arrays if self.allowed(a, dict(self.best.point.arrays[a]))]
        for array in movable:
            self.array(array)
        for array in movable:
            for place in sorted(self.best.point.arrays[array]):
                if self.trials < _VALUE_TRIALS and not self.sampler.constrained(array):
                    self.entry(array, place)

    def allowed(self, array: Array, entries: dict[Position, Number]) -> bool:
        return array not in self.best.point.discrete and allowed(self.sampler.hint(array), entries)


def cost(x: Number) -> tuple[int, int]:
    """How much there is to read: 0 before 1 before -1 before 2 before 3/2."""
    if type(x) is not Fraction:
        return (1000, 0)
    return (abs(x.numerator) + 10 * (x.denominator - 1), int(x < 0))


def shrunk(
    question: Question, sampler: Sampler, found: Counterexample, kinks_have_values: bool = False
) -> Counterexample:
    """A smaller counterexample, or the one found."""
    s = Shrinker(question, sampler, found, kinks_have_values)
    s.sizes()
    s.trials = 0
    s.meanings()
    s.values()
    return s.best
