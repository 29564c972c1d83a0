"""Immutable arrays: a shape and a function from index expressions to the entry there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod
from typing import Literal, TypeAlias

from symbackprop.core.indices import Index, IndexExpr, Size, sized
from symbackprop.core.syntax import ONE, ZERO, Add, Mul, Num, Power, Sum, Term, substitute
from symbackprop.core.terms import dummy, num

from .algebra import delta, number, plus, summed, times
from .axes import At, Shape, aligned, broadcast, index_of, indices_in, integer_of, replaced, shape_text, somewhere
from .context import ShapeMismatch, TraceError

Dtype: TypeAlias = Literal["bool", "narrow", "int", "real"]  # narrow: int8, uint8, int32, ...: arithmetic may wrap
Case: TypeAlias = tuple[tuple[Index, ...], Term, IndexExpr]
ORDER: dict[Dtype, int] = {"bool": 0, "narrow": 1, "int": 2, "real": 3}


class Value:
    """shape and entry function.

    `index` gives an integer entry as an index expression, or None where it has none (a count, a product of two
    entries).  `cases` then may give dummies, a mask that is 1 for one value of them, and an index expression in them:
    an entry of a reshaped array.  `hole` is 1 where the entry is minus infinity (the term there means nothing), or,
    with `soft`, where it is a number such as -1e9 that masks an exponential (the term there is the number).
    `origin` remembers a comparison, for hypotheses; integers are `distinct` along the axes on which no two are equal,
    whatever the data.
    """

    __slots__ = ("_cases", "_hole", "_index", "_memo", "_term", "distinct", "dtype", "origin", "shape", "soft")

    def __init__(
        self,
        shape: Shape,
        dtype: Dtype,
        term: Callable[[At], Term] | None = None,
        index: Callable[[At], IndexExpr | None] | None = None,
        hole: Callable[[At], Term] | None = None,
        origin: tuple[str, Value, Value] | None = None,
        cases: Callable[[At], Case | None] | None = None,
        soft: bool = False,
    ) -> None:
        self.shape, self.dtype, self.origin, self.soft = shape, dtype, origin, soft
        self._term, self._index, self._hole, self._cases = term, index, hole, cases
        self._memo: dict[At, Term] = {}
        self.distinct: frozenset[int] = frozenset()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def term(self, at: At) -> Term:
        found = self._memo.get(at)
        if found is None:
            index = self._index(at) if self._index is not None else None
            if index is not None:
                found = number(index)
            elif self._term is not None:
                found = self._term(at)
            else:
                raise TraceError("this integer has no value as a number")
            self._memo[at] = found
        return found

    def index(self, at: At) -> IndexExpr | None:
        if self._index is not None:
            return self._index(at)
        if self.dtype in ("int", "narrow"):
            t = self.term(at)
            if isinstance(t, Num):
                return index_of(int(t.value))
            if isinstance(t, Size):
                return index_of(t)
        return None

    def cases(self, at: At) -> Case | None:
        """An integer entry as dummies, mask and index expression."""
        e = self.index(at)
        if e is not None:
            return (), ONE, e
        return None if self._cases is None else self._cases(at)

    @property
    def holes(self) -> bool:
        return self._hole is not None

    def hole(self, at: At) -> Term:
        return ZERO if self._hole is None else self._hole(at)

    def remap(self, shape: Shape, f: Callable[[At], At]) -> Value:
        """The array whose entry at `at` is this one's at f(at)."""
        index, hole, cases = self._index, self._hole, self._cases
        return Value(
            shape,
            self.dtype,
            lambda at: self.term(f(at)),
            None if index is None else lambda at: self.index(f(at)),
            None if hole is None else lambda at: self.hole(f(at)),
            None,
            None if cases is None else lambda at: cases(f(at)),
            self.soft,
        )

    def marked(self, origin: tuple[str, Value, Value]) -> Value:
        return Value(self.shape, self.dtype, self.term, self._index, self._hole, origin)

    @property
    def bare(self) -> Value:
        """The finite entries, without the holes."""
        return Value(self.shape, self.dtype, self.term, self._index)

    def cast(self, dtype: Dtype) -> Value:
        """The same numbers under another dtype (only where no number changes)."""
        if dtype == self.dtype:
            return self
        return Value(self.shape, dtype, self.term, self._index, self._hole, None, self._cases, self.soft)

    def put(self, values: dict[Index, IndexExpr]) -> Value:
        """Index expressions in place of free indices of the entries."""
        mapping = dict(values)

        def away(at: At) -> tuple[At, dict[Index, IndexExpr]]:
            if all(mapping.keys().isdisjoint(indices_in(e)) for e in at):
                return at, mapping
            stand_ins = tuple(dummy(s, "a") for s in self.shape)
            return stand_ins, {**mapping, **dict(zip(stand_ins, at, strict=True))}

        def term(at: At) -> Term:
            inner, swap = away(at)
            return substitute(self.term(inner), swap)

        def index(at: At) -> IndexExpr | None:
            inner, swap = away(at)
            found = self.index(inner)
            return None if found is None else replaced(found, swap)

        def hole(at: At) -> Term:
            inner, swap = away(at)
            return substitute(self.hole(inner), swap)

        def cases(at: At) -> Case | None:
            inner, swap = away(at)
            case = self.cases(inner)
            return None if case is None else (case[0], substitute(case[1], swap), replaced(case[2], swap))

        return Value(
            self.shape,
            self.dtype,
            term,
            index if self._index is not None else None,
            hole if self.holes else None,
            cases=None if self._cases is None else cases,
            soft=self.soft,
        )


def real(shape: Shape, term: Callable[[At], Term]) -> Value:
    return Value(shape, "real", term)


def constant(value: Fraction | int | bool, dtype: Dtype = "real", shape: Shape = ()) -> Value:
    if dtype == "int":
        e = index_of(int(value))
        return Value(shape, dtype, None, lambda at: e)
    t = num(Fraction(value))
    return Value(shape, dtype, lambda at: t)


def minus_infinity() -> Value:
    return Value((), "real", lambda at: ZERO, None, lambda at: ONE)


def integer(e: IndexExpr) -> Value:
    """A whole number as an array of no axes."""
    return Value((), "int", None, lambda at: e)


def known(v: Value) -> Fraction | None:
    """The number, when the array has no axes and its entry is a constant."""
    if v.ndim or (v.holes and not v.soft):
        return None
    t = v.term(())
    return t.value if isinstance(t, Num) else None


def finite(v: Value) -> Value:
    if v.holes and not v.soft:
        raise TraceError("-inf may only be masked away by exp, a softmax, where or maximum")
    return v


def stretched(v: Value, shape: Shape) -> Value:
    """`v` broadcast to `shape`, which must not be smaller."""
    if v.shape == shape:
        return v
    if broadcast(v.shape, shape) != shape:
        raise ShapeMismatch(f"shape {shape_text(v.shape)} does not broadcast to {shape_text(shape)}")
    return v.remap(shape, lambda at: aligned(v.shape, at))


def conformed(*vs: Value) -> list[Value]:
    """All of them broadcast to one shape."""
    shape = broadcast(*(v.shape for v in vs))
    return [stretched(v, shape) for v in vs]


def elementwise(f: Callable[..., Term], *vs: Value, dtype: Dtype = "real") -> Value:
    """f of the entries, after broadcasting."""
    for v in vs:
        finite(v)
    shape = broadcast(*(v.shape for v in vs))
    return Value(shape, dtype, lambda at: f(*(v.term(aligned(v.shape, at)) for v in vs)))


def together(cases: Sequence[Case]) -> tuple[tuple[Index, ...], Term, tuple[IndexExpr, ...]]:
    """Several integers at once: dummies, a mask, and the places.

    The mask of a case is 1 for one value of its dummies, so that integers of one mask (the digits of an argmax) share
    their dummies.
    """
    dummies: tuple[Index, ...] = ()
    masks: list[tuple[tuple[Index, ...], Term]] = []
    places = []
    for own, mask, place in cases:
        sizes = [i.size for i in own]
        for others, known in masks:
            swap: dict[Index, IndexExpr] = dict(zip(own, others, strict=False))
            if own and [i.size for i in others] == sizes and substitute(mask, swap) == known:
                place = replaced(place, swap)
                break
        else:
            dummies += own
            masks.append((own, mask))
        places.append(place)
    return dummies, times(*(m for _, m in masks)), tuple(places)


def elementwise_integer(f: Callable[..., Term], g: Callable[..., IndexExpr | None], *vs: Value) -> Value:
    """As `elementwise`; g is the same function on index expressions, None where it has none."""

    def index(at: At) -> IndexExpr | None:
        parts = [v.index(aligned(v.shape, at)) for v in vs]
        return None if any(p is None for p in parts) else g(*parts)

    def cases(at: At) -> Case | None:
        known = [c for v in vs if (c := v.cases(aligned(v.shape, at))) is not None]
        if len(known) < len(vs):
            return None
        dummies, mask, places = together(known)
        e = g(*places)
        return None if e is None else (dummies, mask, e)

    plain = elementwise(f, *vs, dtype="int")
    by_cases = any(v._cases is not None for v in vs)

    def term(at: At) -> Term:
        case = cases(at) if by_cases else None
        return plain.term(at) if case is None else summed(case[0], times(case[1], number(case[2])))

    return Value(plain.shape, "int", term, index, cases=cases if by_cases else None)


def fits(v: Value) -> Value:
    """v, whose whole numbers have 64 bits: constants that outgrow them would wrap around."""
    t = v.term(somewhere(v.shape))
    if magnitude(t) >= 2**63:
        raise TraceError("whole numbers that do not fit into 64 bits: write them as floats")
    return v


def magnitude(t: Term) -> Fraction:
    """How large the constants make a whole number, sizes and entries apart."""
    match t:
        case Num(value):
            return abs(value)
        case Add(args):
            return sum(map(magnitude, args), Fraction(0))
        case Mul(args):
            return prod(map(magnitude, args), start=Fraction(1))
        case Sum(_, body, _):
            return magnitude(body)
        case Power(base, q) if q > 0:
            return magnitude(base) ** int(q)
        case _:
            return Fraction(1)


def promoted(*vs: Value) -> Dtype:
    kinds = {v.dtype for v in vs}
    if "narrow" in kinds and "real" not in kinds:  # Python's whole numbers are as narrow as what they meet
        return "narrow"
    return max(kinds, key=ORDER.__getitem__)


def all_soft(*vs: Value) -> bool:
    """Whether every hole is a number that masks, none a true -inf."""
    return all(v.soft for v in vs if v.holes)


# --- arrays of several -----------------------------------------------------------------------

Piece: TypeAlias = tuple[Term, Value, At]


def pieced(shape: Shape, dtype: Dtype, values: Sequence[Value], pieces: Callable[[At], Sequence[Piece]]) -> Value:
    """The sum of masks times entries of these values; where a mask is 1, the others are 0."""

    def here(at: At) -> tuple[list[Piece], bool]:
        """Those that may be the entry, and whether there is but one."""
        found = [p for p in pieces(at) if p[0] != ZERO]
        return found, len(found) == 1 and found[0][0] == ONE

    def entry(at: At, of: Callable[[Value, At], Term]) -> Term:
        found, alone = here(at)
        return of(*found[0][1:]) if alone else plus(*(times(m, of(v, inner)) for m, v, inner in found))

    def index(at: At) -> IndexExpr | None:
        found, alone = here(at)
        return found[0][1].index(found[0][2]) if alone else None

    return Value(
        shape,
        dtype,
        lambda at: entry(at, Value.term),
        index if dtype in ("int", "narrow") else None,
        (lambda at: entry(at, Value.hole)) if any(v.holes for v in values) else None,
        soft=all_soft(*values),
    )


def stacked(items: Sequence[Value]) -> Value:
    """The items along a new first axis."""
    if not items:
        return Value((sized(0),), "real", lambda at: ZERO)
    shape = items[0].shape
    for v in items:
        if v.shape != shape:
            raise ShapeMismatch(f"a list of arrays of shapes {shape_text(shape)} and {shape_text(v.shape)}")

    def pieces(at: At) -> list[Piece]:
        k = 0 if len(items) == 1 else integer_of(at[0])
        if k is not None:
            return [(ONE, items[k], at[1:])] if 0 <= k < len(items) else []
        return [(delta(at[0], index_of(n)), v, at[1:]) for n, v in enumerate(items)]

    return pieced((sized(len(items)), *shape), promoted(*items), items, pieces)
