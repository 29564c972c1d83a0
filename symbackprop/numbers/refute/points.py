"""Points that satisfy the hypotheses exactly, and whether a claim fails there.

They are drawn by makers and corrected by solving linear equations.  Everything is drawn from seeds made of sizes and
attempt numbers, so runs repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import chain, islice, product
from math import prod
from random import Random

from symbackprop.clock import check_time
from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, Pick, Size, nodes
from symbackprop.core.region import strict
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, ZERO, Array, AtLeastZero, Diff, NonNegative, Positive, Term, free, sub
from symbackprop.numbers import exact_numbers as numbers
from symbackprop.numbers.duals import Loss, Polynomial, Position
from symbackprop.numbers.evaluate import Evaluations, decided, holds_now
from symbackprop.numbers.exact_numbers import Undecided, Undefined
from symbackprop.numbers.points import Point, Reaches, Scope, Survey, size_at, survey

from .arrays import DISCRETE, MAKERS, Entries, Source, allowed, integers, maker_names, positions, solved

_STYLES = (
    ("mixed", "mixed"), ("mixed", "pos"), ("pos", "pos"), ("unit", "unit"), ("small", "small"), ("wide", "wide"),
    ("inside", "unit"), ("neg", "above"), ("grid", "grid"),
)  # fmt: skip
_AT_KINKS = (("grid", "grid"), ("zeros", "mixed"), ("zeros", "zeros"))
_TRIES, _FORCED = 24, 2
_LAST = 32  # points, or three at each of the sizes, before some are forced
QUICK_POINT, LARGEST_POINT = 4_000, 20_000  # entries of all arrays together


@dataclass(frozen=True, slots=True)
class Question:
    """A claim lhs = rhs for all values of `axes`, and all that limits the points to look at.

    `domains` hints at arrays by name: pos, unit, prob, bin, onehot, sym, spd, inv, nonzero, int:V, pi, e.
    `shapes` declares arrays; what is not declared is inferred from its indices.

    `moving` holds the variables of a claim about a derivative (by default that of the left side).  Then points at the
    border of a >= are outside, steps of the claim have values at their kinks, and a point counts where every step of
    `forward` (terms; their free indices take all values) that a variable acts through has a value and a derivative:
    there the right side must have a value too.
    """

    lhs: Term
    rhs: Term
    axes: tuple[Index, ...] = ()
    sizes_min: Mapping[str, int] = field(default_factory=dict)
    hypotheses: tuple[Hypothesis, ...] = ()
    definitions: Mapping[Array, Tensor] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[Array, tuple[Size, ...]] = field(default_factory=dict)
    forward: tuple[Term, ...] = ()
    moving: frozenset[Array] = frozenset()

    @property
    def variables(self) -> frozenset[Array]:
        """The arrays with respect to which the claim is about a derivative; none for other claims."""
        if self.moving or not isinstance(self.lhs, Diff):
            return self.moving
        return frozenset({self.lhs.wrt.array})

    @property
    def free(self) -> tuple[Index, ...]:
        """The axes and any other free index of the claim, which is universally quantified too."""
        others = sorted((free(self.lhs) | free(self.rhs)) - set(self.axes), key=lambda i: i.name)
        return (*self.axes, *others)


class Sampler:
    """Draws points for one question; `kinks` asks for zeros and equal entries early."""

    def __init__(self, question: Question, kinks: bool = False) -> None:
        self.question, self.strictly = question, bool(question.variables)
        self.styles = (_STYLES[0], *_AT_KINKS, *_STYLES[1:]) if kinks else _STYLES
        self.reaches = Reaches(question.definitions)
        self.survey: Survey = survey(
            (question.lhs, question.rhs, *question.forward),
            question.free,
            question.hypotheses,
            question.definitions,
            question.shapes,
        )
        self.hypotheses = [(h, mentions(h, self.reaches)) for h in question.hypotheses]
        self.inside = tuple(strict(h, question.hypotheses) if self.strictly else h for h in question.hypotheses)
        self.choices: dict[tuple[object, ...], str | None] = {}
        self.tried: dict[tuple[int, int], list[dict[str, int]]] = {}
        self.functions = {f: polynomial(f) for f in self.survey.functions}
        self.losses = {f: Loss(f) for f in self.survey.losses}
        self.failures = 0
        self.symbols = tuple(sorted(self.survey.symbols))

    # --- sizes ---------------------------------------------------------------------------------

    def sizes(self, limit: int = 40, least: int = 1) -> list[dict[str, int]]:
        """Sizes to try, none below `least`: distinct and above 1 first, because they hide least; then by total."""
        if (limit, least) not in self.tried:
            self.tried[limit, least] = self.sizes_now(limit, least)
        return self.tried[limit, least]

    def sizes_now(self, limit: int, least: int) -> list[dict[str, int]]:
        minimum = {s: max(1, self.question.sizes_min.get(s, 1)) for s in self.symbols}
        tuples = size_tuples(len(self.symbols))
        each = [{s: minimum[s] - 1 + v for s, v in zip(self.symbols, values, strict=True)} for values in tuples]
        each = [sizes for sizes in each if min(sizes.values(), default=least) >= least]
        for largest in (QUICK_POINT, LARGEST_POINT):
            found = list(islice((s for s in each if self.small(s, largest) and self.possible(s)), limit))
            if found:
                return found
        return list(self.larger(minimum, least))

    def larger(self, minimum: Mapping[str, int], least: int) -> Iterator[dict[str, int]]:
        """Where relations such as L-K+1 >= 1 leave nothing small."""
        draw = Random("sizes")
        for _ in range(200):
            sizes = {s: m - 1 + draw.randint(1, 6) for s, m in minimum.items()}
            if min(sizes.values(), default=least) >= least and self.small(sizes) and self.possible(sizes):
                yield sizes

    def small(self, sizes: Mapping[str, int], largest: int = LARGEST_POINT) -> bool:
        """All entries together are few enough to be looked at."""
        try:
            shapes = [self.survey.shape(a, sizes) for a in self.survey.arrays]
            shapes.append(tuple(size_at(i.size, sizes) for i in self.question.free))
        except Undefined:
            return False
        return sum(map(prod, shapes)) <= largest

    def possible(self, sizes: Mapping[str, int]) -> bool:
        """Every axis has a value, and hypotheses about sizes alone hold."""
        if not self.survey.possible(sizes):
            return False
        for h, arrays in self.hypotheses:
            if not arrays and not any(isinstance(n, Pick) for n in nodes(h)):
                try:
                    if not satisfied(h, Point(sizes=sizes), self.reaches):
                        return False
                except (Undefined, Undecided):
                    return False
        return True

    # --- points --------------------------------------------------------------------------------

    @cached_property
    def patience(self) -> int:
        """Failures after which points are forced, which takes long."""
        return min(_LAST, 3 * len(self.sizes())) - 1

    def point(self, sizes: Mapping[str, int], attempt: int) -> Point | None:
        """A point that satisfies every hypothesis exactly, or None where none was found."""
        asked = bool(self.question.hypotheses)
        tries = max(3, _TRIES >> self.failures) if asked else 1
        for k in range(tries + (_FORCED if asked and self.failures >= self.patience else 0)):
            check_time()
            try:
                point = self.draw(sizes, attempt + 7 * k, f"{attempt}.{k}", k >= tries)
                if point is not None:
                    return point
            except (Undefined, Undecided):
                continue
        self.failures += 1
        return None

    def satisfies(self, point: Point) -> bool:
        at = Evaluations(point, self.reaches)
        try:
            return all(satisfied(h, point, self.reaches, at) for h in self.inside)
        except (Undefined, Undecided):
            return False

    def draw(self, sizes: Mapping[str, int], style: int, seed: str, forced: bool = False) -> Point | None:
        """Makers array by array, then linear equations for hypotheses that still fail; None where some do after all.

        If that is `forced`, u > 0 is among these as the equation u = 1.
        """
        label = ",".join(f"{s}={sizes[s]}" for s in self.symbols)
        source = Source(f"{label};{seed}")
        others, rooted = self.styles[style % len(self.styles)]
        picks = {name: self.pick(name, sizes, source) for name in self.survey.picks}
        point = Point(sizes, {}, picks, {}, self.functions, self.losses, self.question.definitions)
        arrays: dict[Array, Entries] = {}
        discrete = set()
        for array in self.survey.arrays:
            shape = self.survey.shape(array, sizes)
            hint = self.hint(array)
            if hint in ("pi", "e"):
                arrays[array] = {(): numbers.constant(hint)}
                continue
            name = self.maker(array, shape, hint, point, rooted if array in self.survey.positive else others)
            made = integers(bound(hint, sizes))(source, shape) if hint.startswith("int:") else None
            made = made or MAKERS[name](source, shape) or MAKERS["mixed"](source, shape)
            assert made is not None
            arrays[array] = made
            if name in DISCRETE or hint.startswith("int:"):
                discrete.add(array)
        point = replace(point, arrays=arrays, discrete=frozenset(discrete))
        if self.question.hypotheses and not self.satisfies(point):
            return self.corrected(point, forced)
        return point

    def pick(self, name: str, sizes: Mapping[str, int], source: Source) -> dict[Position, int]:
        """Random labels; while there is room, different ones."""
        below = size_at(self.survey.picks[name][0], sizes)
        places = positions(self.survey.pick_shape(name, sizes))
        if len(places) <= below:
            return dict(zip(places, source.random.sample(range(below), len(places)), strict=True))
        return {k: source.random.randrange(below) for k in places}

    def maker(self, array: Array, shape: Position, hint: str, point: Point, style: str) -> str:
        """The first maker whose arrays satisfy all hypotheses about this array alone."""
        own = [h for h, a in self.hypotheses if a == {array}]
        hinted = maker_names(hint, len(shape))
        free_style = hinted == ["mixed"]
        if not own:
            return style if free_style else next((m for m in hinted if MAKERS[m](Source(""), shape)), "mixed")
        if free_style and self.suits(style, array, shape, own, point):
            return style
        key = (array, shape, tuple(sorted(point.sizes.items())))
        if key not in self.choices:
            fitting = (m for m in MAKERS if free_style or self.belongs(m, hint, shape))
            order = chain(() if free_style else hinted, fitting)
            self.choices[key] = next((m for m in order if self.suits(m, array, shape, own, point)), None)
        return self.choices[key] or ("mixed" if free_style else hinted[0])

    def belongs(self, name: str, hint: str, shape: Position) -> bool:
        """Whether what a maker makes is in a domain."""
        made = MAKERS[name](Source("belongs"), shape)
        return made is not None and allowed(hint, made)

    def hint(self, array: Array) -> str:
        domains = self.question.domains
        return domains.get(str(array), domains.get(array.name, "")) if domains else ""

    def suits(self, name: str, array: Array, shape: Position, own: list[Hypothesis], point: Point) -> bool:
        for seed in ("first", "second"):
            made = MAKERS[name](Source(seed), shape)
            if made is None:
                return False
            trial = replace(point, arrays={array: made})
            try:
                if not all(satisfied(h, trial, self.reaches) for h in own):
                    return False
            except (Undefined, Undecided):
                return False
        return True

    def corrected(self, point: Point, forced: bool = False) -> Point | None:
        """Solve the equations that fail for the entries of one array after another."""
        for _ in range(2):
            for array in self.survey.arrays:
                if array in point.discrete:
                    continue
                about = [h for h, a in self.hypotheses if array in a]
                wanted = [(h, e) for h in about if (e := equation(h, forced)) is not None]
                wrong = [(h, e) for h, e in wanted if not satisfied(h, point, self.reaches)]
                kept = [e for h, e in wanted if isinstance(h, Same) and (h, e) not in wrong]
                entries = solved([*(e for _, e in wrong), *kept], array, point, self.reaches) if wrong else None
                if entries is not None:
                    point = replace(point, arrays={**point.arrays, array: entries})
                    if self.satisfies(point):
                        return point
        return None

    def constrained(self, array: Array) -> bool:
        """Whether an equation speaks about the array, so that its entries are not free."""
        return any(isinstance(h, Same) and array in a for h, a in self.hypotheses)


def equation(h: Hypothesis, forced: bool) -> Same | None:
    match h:
        case Same():
            return h
        case Positive(u) | AtLeastZero(u) if forced:
            return Same(u, ONE)
        case _:
            return None


def bound(hint: str, sizes: Mapping[str, int]) -> int:
    name = hint.removeprefix("int:").strip()
    return int(name) if name.isdigit() else sizes.get(name, 3)


def mentions(h: Hypothesis, reaches: Reaches) -> set[Array]:
    """The arrays without definition that a hypothesis looks at."""
    if isinstance(h, Same):
        found = reaches.of(h.lhs).arrays | reaches.of(h.rhs).arrays
    elif isinstance(h, NonNegative):
        found = frozenset()
    else:
        found = reaches.of(h.term).arrays
    return {a for a in found if a not in reaches.definitions}


def quantified(h: Hypothesis) -> tuple[Index, ...]:
    """The free indices of a hypothesis, which holds for all their values."""
    return tuple(sorted({n for n in nodes(h) if isinstance(n, Index)}, key=lambda i: i.name))


def instances(h: Hypothesis, point: Point) -> Iterator[dict[Index, int]]:
    axes = quantified(h)
    for values in product(*(range(size_at(i.size, point.sizes)) for i in axes)):
        yield dict(zip(axes, values, strict=True))


def satisfied(h: Hypothesis, point: Point, reaches: Reaches | None = None, at: Evaluations | None = None) -> bool:
    """Whether a hypothesis holds exactly at a point, for all values of its free indices.

    `at` is given where several are asked for at one point.  Raises Undefined and Undecided.
    """
    known = at or Evaluations(point, reaches)
    wanted = Same(sub(h.lhs, h.rhs), ZERO) if isinstance(h, Same) else h

    def ask() -> bool:
        evaluation = known.now()
        for i in instances(h, point):
            evaluation.root = Scope(i)
            if isinstance(wanted, Same):
                if numbers.sign(evaluation.at(wanted.lhs)):
                    return False
            elif not holds_now(wanted, evaluation):
                return False
        return True

    return decided(ask)


def polynomial(name: str) -> Polynomial:
    """The meaning of an abstract function: a quartic with small coefficients that depend on its name."""
    draw = Random(f"function {name}")
    halves = [Fraction(draw.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)), d) for d in (4, 3, 4, 8, 24)]
    return Polynomial(tuple(halves))


@cache
def size_tuples(count: int) -> tuple[tuple[int, ...], ...]:
    """Small sizes, those that hide least first."""
    if count == 0:
        return ((),)
    if count <= 4:
        pool = list(product((1, 2, 3, 4) if count <= 2 else (1, 2, 3), repeat=count))
    else:
        draw = Random("sizes")
        pool = [tuple(2 + (k + j) % 2 for j in range(count)) for k in range(2)]
        pool += [tuple(1 + (k + j) % 3 for j in range(count)) for k in range(3)]
        pool += [(1,) * count, (2,) * count]
        pool += [tuple(1 + (j in (k, k + 1, k + 2)) + (j == k) for j in range(count)) for k in range(count)]
        pool += [tuple(draw.choice((1, 2, 2, 3)) for _ in range(count)) for _ in range(40)]
        pool = list(dict.fromkeys(pool))

    def rank(values: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
        repeats = len(values) - min(len(set(values)), 3)
        return (2 * values.count(1) + repeats, sum(values), values)

    return tuple(sorted(pool, key=rank))
