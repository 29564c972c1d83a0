"""Numbers that filter repairs and name mistakes: both sides at a few points of different sizes, and what fits there.

Nothing here decides; whatever fits is proved afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np

from symbackprop.core.indices import sized
from symbackprop.core.terms import ONE, Array, Entry, Holds, Positive, Power, Term, add, mul, num, subterms
from symbackprop.numbers.duals import Position
from symbackprop.numbers.exact_numbers import Number, Undefined
from symbackprop.numbers.floats import FloatArray, FloatEvaluation, close
from symbackprop.numbers.points import PI, Point
from symbackprop.numbers.refute.points import Question, Sampler
from symbackprop.repair.edits import OVERWRITTEN

_POINTS = 5
_SIMPLE = 1e-6


@dataclass(frozen=True, slots=True)
class Trial:
    """The true side at one point, at all index positions."""

    point: Point
    evaluation: FloatEvaluation
    truth: FloatArray


class Trials:
    """A few points of different sizes; candidates must agree with the left side at all of them."""

    def __init__(self, question: Question, count: int = _POINTS) -> None:
        self.question, self.axes = question, question.free
        self.sampler = Sampler(question)
        self.trials: list[Trial] = []
        for sizes, attempt in self.schedule():
            point = self.sampler.point(sizes, attempt)
            trial = None if point is None else self.trial(point)
            if trial is not None:
                self.trials.append(trial)
            if len(self.trials) == count:
                break

    def schedule(self) -> Iterator[tuple[dict[str, int], int]]:
        """Sizes that are all 2 or more first: at size 1 too much is true."""
        sizes = self.sampler.sizes(least=2) or self.sampler.sizes()
        for attempt in range(6):
            for s in sizes[attempt : 5 + attempt] if len(sizes) > 1 else sizes:
                yield s, attempt

    def trial(self, point: Point) -> Trial | None:
        evaluation = FloatEvaluation(point, self.sampler.reaches)
        try:
            truth = evaluation.tensor(self.axes, self.question.lhs)
        except Undefined:
            return None
        return Trial(point, evaluation, truth) if np.isfinite(truth).any() else None

    def values(self, trial: Trial, t: Term) -> FloatArray | None:
        try:
            return trial.evaluation.tensor(self.axes, t)
        except (Undefined, IndexError):
            return None

    def fits(self, t: Term) -> bool:
        """Whether t has the values of the left side at every point."""
        for trial in self.trials:
            found = self.values(trial, t)
            if found is None or not close(found, trial.truth):
                return False
        return bool(self.trials)

    def zero(self) -> bool:
        """Whether the left side is 0 everywhere."""
        return bool(self.trials) and all(close(np.zeros_like(t.truth), t.truth) for t in self.trials)


# --- factors ---------------------------------------------------------------------------------


def simple(x: float) -> Fraction | None:
    """A rational with a small denominator, if x is one."""
    if not np.isfinite(x) or abs(x) > 1e6:
        return None
    q = Fraction(x).limit_denominator(24)
    return q if abs(float(q) - x) <= _SIMPLE * max(1e-3, abs(x)) else None


def constant_ratio(top: FloatArray, bottom: FloatArray) -> float | None:
    """The number r with top = r bottom at all positions."""
    known = np.isfinite(top) & np.isfinite(bottom)
    with np.errstate(over="ignore"):
        square = float((bottom[known] ** 2).sum())
    if not known.any() or square == 0 or not np.isfinite(square):
        return None
    r = float((top[known] * bottom[known]).sum()) / square
    return r if close(r * bottom[known], top[known]) else None


@dataclass(frozen=True, slots=True)
class Unit:
    """A quantity that factors are made of: a size, a size less 1, a scalar variable."""

    name: str
    term: Term
    values: tuple[float, ...]


def units(trials: Trials) -> list[Unit]:
    found = []
    for s in trials.sampler.symbols:
        for t, name in ((sized(s), s), (sized(s) - 1, f"({s} - 1)")):
            values = tuple(float(t.at(k.point.sizes)) for k in trials.trials)
            if all(values) and len(set(values)) > 1:
                found.append(Unit(name, t, values))
    for array, axes in trials.sampler.survey.arrays.items():
        if not axes and array != PI:
            values = tuple(float(trials.values(k, Entry(array, ())).flat[0]) for k in trials.trials)  # type: ignore[union-attr]
            if all(values) and len(set(values)) > 1:
                found.append(Unit(str(array), Entry(array, ()), values))
    return found


def factor(ratios: Sequence[float], known: Sequence[Unit]) -> tuple[Term, str] | None:
    """A simple formula c u^p v^q with these values at the trials, and its name."""
    if len(ratios) == 0:
        return None
    for count in range(3):
        for chosen in combinations(known, count):
            for powers in product((1, -1, 2, -2), repeat=count):
                rest = []
                for k, r in enumerate(ratios):
                    for u, p in zip(chosen, powers, strict=True):
                        r /= u.values[k] ** p
                    rest.append(r)
                c = simple(rest[0])
                if c is None or any(abs(r - float(c)) > _SIMPLE * max(1e-3, abs(float(c))) for r in rest):
                    continue
                if c == 0 and count:
                    continue
                return formula(c, [(u, p) for u, p in zip(chosen, powers, strict=True)])
    return None


def formula(c: Fraction, parts: Sequence[tuple[Unit, int]]) -> tuple[Term, str]:
    factors: list[Term] = [] if c == 1 and parts else [num(c)]
    top, bottom = list[str](), list[str]()
    for u, p in parts:
        factors.append(u.term if p == 1 else Power(u.term, Fraction(p)))
        (top if p > 0 else bottom).append(u.name if abs(p) == 1 else f"{u.name}^{abs(p)}")
    if abs(c.numerator) != 1 or not top:
        top.insert(0, str(abs(c.numerator)))
    if c.denominator != 1:
        bottom.insert(0, str(c.denominator))
    below = " ".join(bottom) if len(bottom) < 2 else f"({' '.join(bottom)})"
    name = ("-" if c < 0 else "") + " ".join(top) + (f"/{below}" if bottom else "")
    return mul(*factors), name


def combination(
    trials: Trials, parts: Sequence[Term], target: Term | None = None
) -> list[tuple[Term, str] | None] | None:
    """Coefficients c_k, simple formulas, with target = Σ c_k parts_k (the left side where there is no target).

    None where there is no such combination; a coefficient is None where it is no simple formula.
    """
    rows, systems = [], []
    for trial in trials.trials:
        goal = trial.truth if target is None else trials.values(trial, target)
        columns = [trials.values(trial, p) for p in parts]
        if goal is None or any(c is None for c in columns):
            return None
        matrix = np.stack([c.ravel() for c in columns if c is not None], axis=1)
        keep = np.isfinite(goal.ravel()) & np.isfinite(matrix).all(axis=1)
        systems.append((matrix[keep], goal.ravel()[keep]))
        if keep.sum() < len(parts):
            continue
        solution, _, rank, _ = np.linalg.lstsq(matrix[keep], goal.ravel()[keep], rcond=1e-10)
        if rank < len(parts):
            continue
        if not close(matrix[keep] @ solution, goal.ravel()[keep]):
            return None
        rows.append((trial, solution))
    if not rows:
        return of_numbers(systems)
    if len(rows) < 2:
        return None
    kept = [trials.trials.index(t) for t, _ in rows]
    known = [Unit(u.name, u.term, tuple(u.values[k] for k in kept)) for u in units(trials)]
    return [factor([float(s[k]) for _, s in rows], known) for k in range(len(parts))]


def of_numbers(systems: Sequence[tuple[FloatArray, FloatArray]]) -> list[tuple[Term, str] | None] | None:
    """Coefficients that are the same numbers at all points, where no point alone determines them."""
    matrix, goal = np.concatenate([m for m, _ in systems]), np.concatenate([g for _, g in systems])
    solution, _, rank, _ = np.linalg.lstsq(matrix, goal, rcond=1e-10)
    if rank < matrix.shape[1] or not close(matrix @ solution, goal):
        return None
    return [factor([float(c)], ()) for c in solution]


def weighted(parts: Sequence[Term], coefficients: Sequence[tuple[Term, str]]) -> Term:
    """Σ c_k parts_k, without what is multiplied by 0 or 1."""
    kept = []
    for p, (c, name) in zip(parts, coefficients, strict=True):
        if name != "0":
            kept.append(p if c == ONE else mul(c, p))
    return add(*kept)


# --- what to call a mistake that no small change undoes: where, and for which data, the claim is right all the same ---
# Each look compares values of both sides at a few points.  It names; it does not decide.


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


def all_agree(trials: Trials, changed: Callable[[Trial], Sides | None]) -> bool:
    """Both sides are equal at every changed point, not all of them 0; there are at least two."""
    found = [s for t in trials.trials if (s := changed(t)) is not None]
    some = any(np.nanmax(np.abs(truth), initial=0.0) > _TOLERANCE for truth, _ in found)
    return len(found) > 1 and some and all(close(claim, truth) for truth, claim in found)


def agree_where(trials: Trials, changed: Callable[[Point], Point | None], *, both: bool) -> bool:
    """The same at points that are changed for the claim, or for `both` sides."""

    def at(t: Trial) -> Sides | None:
        point = changed(t.point)
        if point is None:
            return None
        evaluation, q = FloatEvaluation(point, trials.sampler.reaches), trials.question
        try:
            truth = evaluation.tensor(trials.axes, q.lhs) if both else t.truth
            return truth, evaluation.tensor(trials.axes, q.rhs)
        except (Undefined, IndexError, KeyError):
            return None

    return all_agree(trials, at)


def with_entries(point: Point, changes: Mapping[Array, Mapping[Position, Number]]) -> Point:
    return replace(point, arrays={**point.arrays, **changes})


def exchanged(trials: Trials) -> str:
    """silu_backward(dy, x) for silu_backward(x, dy)."""
    arrays = sorted((a for a in trials.sampler.survey.arrays if a != PI), key=str)

    def swapped(point: Point, a: Array, b: Array) -> Point | None:
        one, other = (point.arrays.get(x, {}) for x in (a, b))
        return with_entries(point, {a: other, b: one}) if one.keys() == other.keys() and one != other else None

    for a, b in list(combinations(arrays, 2))[:_PAIRS]:
        if agree_where(trials, partial(swapped, a=a, b=b), both=False):
            return f"{a} and {b} exchanged"
    return ""


def without_scalar(trials: Trials) -> str:
    """Right where eps is 0: it is forgotten, or it stands in another place."""

    def at_zero(point: Point, a: Array) -> Point:
        return with_entries(point, {a: dict.fromkeys(point.arrays[a], Fraction(0))})

    for a, axes in trials.sampler.survey.arrays.items():
        if not axes and a != PI and agree_where(trials, partial(at_zero, a=a), both=True):
            forgotten = a not in trials.sampler.reaches.of(trials.question.rhs).arrays
            return f"missing term {a}" if forgotten else f"right only where {a} = 0"
    return ""


def overwritten(trials: Trials) -> str:
    """Right where no integer stands twice: what should add up is overwritten."""

    def distinct(point: Point) -> Point | None:
        if not point.integers:
            return None
        apart = {name: {at: k for k, at in enumerate(sorted(v))} for name, v in point.integers.items()}
        fits = all(max(v.values(), default=0) <= max(point.integers[n].values(), default=0) for n, v in apart.items())
        return replace(point, integers=apart) if fits else None

    return OVERWRITTEN if agree_where(trials, distinct, both=True) else ""


def reversed_axis(trials: Trials) -> str:
    def flipped(t: Trial, k: int) -> Sides | None:
        claim = trials.values(t, trials.question.rhs)
        return None if claim is None else (t.truth, np.flip(claim, k))

    found = (k for k in range(len(trials.axes)) if all_agree(trials, partial(flipped, k=k)))
    return next((f"result reversed along axis {k}" for k in found), "")


def reversed_input(trials: Trials) -> str:
    """A kernel that should be turned round, or should not."""

    def flipped(point: Point, a: Array, k: int) -> Point | None:
        values = point.arrays.get(a)
        if not values or len(next(iter(values))) <= k:
            return None
        last = max(at[k] for at in values)
        return with_entries(point, {a: {(*at[:k], last - at[k], *at[k + 1 :]): x for at, x in values.items()}})

    for a, axes in trials.sampler.survey.arrays.items():
        for k in range(len(axes)):
            if agree_where(trials, partial(flipped, a=a, k=k), both=False):
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
