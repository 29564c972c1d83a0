"""Immutable arrays: a shape and a function from index expressions to the entry there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod
from typing import Literal, NamedTuple, TypeAlias

from symbackprop.core.indices import Index, IndexExpr, Size, sized
from symbackprop.core.syntax import ONE, ZERO, Add, Mul, Num, Power, Sum, Term, substitute
from symbackprop.core.terms import dummy, num

from .algebra import delta, number, plus, summed, times
from .axes import At, Shape, aligned, broadcast, index_of, indices_in, integer_of, replaced, shape_text, somewhere
from .context import ShapeMismatch, TraceError

Dtype: TypeAlias = Literal["bool", "narrow", "int", "real"]  # narrow: int8, uint8, int32, ...: arithmetic may wrap
ORDER: dict[Dtype, int] = {"bool": 0, "narrow": 1, "int": 2, "real": 3}
WHOLE = ("int", "narrow")


class Case(NamedTuple):
    """A whole number: the place, for the values of the dummies at which the mask is 1 (one of them is)."""

    dummies: tuple[Index, ...]
    mask: Term
    place: IndexExpr

    @property
    def term(self) -> Term:
        return summed(self.dummies, times(self.mask, number(self.place)))


Cell: TypeAlias = Term | Case


def exactly(e: IndexExpr) -> Case:
    return Case((), ONE, e)


class Value:
    """shape and entry function.

    An entry is a term, or a whole number whose place is known: an index expression, perhaps by cases, as in a reshaped
    array.  `hole` is 1 where the entry is minus infinity (the term there means nothing), or, with `soft`, where it is a
    number such as -1e9 that masks an exponential (the term there is the number).  `origin` remembers a comparison, for
    hypotheses; integers are `distinct` along the axes on which no two are equal, whatever the data.
    """

    __slots__ = ("_entries", "_entry", "_hole", "_terms", "distinct", "dtype", "origin", "shape", "soft")

    def __init__(
        self,
        shape: Shape,
        dtype: Dtype,
        entry: Callable[[At], Cell],
        hole: Callable[[At], Term] | None = None,
        soft: bool = False,
        origin: tuple[str, Value, Value] | None = None,
    ) -> None:
        self.shape, self.dtype, self.origin, self.soft = shape, dtype, origin, soft
        self._entry, self._hole = entry, hole
        self._entries: dict[At, Cell] = {}
        self._terms: dict[At, Term] = {}
        self.distinct: frozenset[int] = frozenset()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def entry(self, at: At) -> Cell:
        found = self._entries.get(at)
        if found is None:
            found = self._entries[at] = self._entry(at)
        return found

    def term(self, at: At) -> Term:
        found = self._terms.get(at)
        if found is None:
            cell = self.entry(at)
            found = self._terms[at] = cell.term if isinstance(cell, Case) else cell
        return found

    def index(self, at: At) -> IndexExpr | None:
        """An integer entry as an index expression, where it is one."""
        cell = self.entry(at)
        if isinstance(cell, Case) and not cell.dummies and cell.mask == ONE:
            return cell.place
        if self.dtype in WHOLE:
            match self.term(at):
                case Num(value):
                    return index_of(int(value))
                case Size() as size:
                    return index_of(size)
        return None

    def cases(self, at: At) -> Case | None:
        """An integer entry as dummies, mask and index expression."""
        e = self.index(at)
        if e is not None:
            return exactly(e)
        cell = self.entry(at)
        return cell if isinstance(cell, Case) else None

    def chosen(self, dummies: tuple[Index, ...], mask: Term, at: At) -> Cell:
        """The entry at `at` for the values of the dummies at which the mask is 1."""
        inner = self.cases(at) if self.dtype in WHOLE else None
        if inner is None:
            return summed(dummies, times(mask, self.term(at)))
        return Case((*dummies, *inner.dummies), times(mask, inner.mask), inner.place)

    @property
    def holes(self) -> bool:
        return self._hole is not None

    def hole(self, at: At) -> Term:
        return ZERO if self._hole is None else self._hole(at)

    def holes_of(self, f: Callable[[At], Term]) -> Callable[[At], Term] | None:
        """f as the holes of an array that has some where this one has."""
        return f if self.holes else None

    def remap(self, shape: Shape, f: Callable[[At], At]) -> Value:
        """The array whose entry at `at` is this one's at f(at)."""
        holes = self.holes_of(lambda at: self.hole(f(at)))
        return Value(shape, self.dtype, lambda at: self.entry(f(at)), holes, self.soft)

    def marked(self, origin: tuple[str, Value, Value]) -> Value:
        return Value(self.shape, self.dtype, self.entry, self._hole, self.soft, origin)

    @property
    def bare(self) -> Value:
        """The finite entries, without the holes."""
        return Value(self.shape, self.dtype, self.entry)

    def cast(self, dtype: Dtype) -> Value:
        """The same numbers under another dtype (only where no number changes)."""
        return self if dtype == self.dtype else Value(self.shape, dtype, self.entry, self._hole, self.soft)

    def rewritten(self, f: Callable[[Term], Term]) -> Value:
        """f of every entry."""
        holes = self.holes_of(lambda at: f(self.hole(at)))
        return Value(self.shape, self.dtype, lambda at: mapped(self.entry(at), f), holes, self.soft)

    def put(self, values: dict[Index, IndexExpr]) -> Value:
        """Index expressions in place of free indices of the entries."""
        mapping = dict(values)

        def away(at: At) -> tuple[At, dict[Index, IndexExpr]]:
            if all(mapping.keys().isdisjoint(indices_in(e)) for e in at):
                return at, mapping
            stand_ins = tuple(dummy(s, "a") for s in self.shape)
            return stand_ins, {**mapping, **dict(zip(stand_ins, at, strict=True))}

        def entry(at: At) -> Cell:
            inner, swap = away(at)
            return mapped(self.entry(inner), lambda t: substitute(t, swap), lambda e: replaced(e, swap))

        def hole(at: At) -> Term:
            inner, swap = away(at)
            return substitute(self.hole(inner), swap)

        return Value(self.shape, self.dtype, entry, self.holes_of(hole), self.soft)


def mapped(cell: Cell, f: Callable[[Term], Term], g: Callable[[IndexExpr], IndexExpr] = lambda e: e) -> Cell:
    return Case(cell.dummies, f(cell.mask), g(cell.place)) if isinstance(cell, Case) else f(cell)


def integers(shape: Shape, place: Callable[[At], IndexExpr]) -> Value:
    return Value(shape, "int", lambda at: exactly(place(at)))


def real(shape: Shape, term: Callable[[At], Term]) -> Value:
    return Value(shape, "real", term)


def constant(value: Fraction | int | bool, dtype: Dtype = "real", shape: Shape = ()) -> Value:
    cell: Cell = exactly(index_of(int(value))) if dtype == "int" else num(Fraction(value))
    return Value(shape, dtype, lambda at: cell)


def minus_infinity() -> Value:
    return Value((), "real", lambda at: ZERO, lambda at: ONE)


def integer(e: IndexExpr) -> Value:
    """A whole number as an array of no axes."""
    return integers((), lambda at: e)


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
    plain = elementwise(f, *vs, dtype="int")

    def entry(at: At) -> Cell:
        known = [c for v in vs if (c := v.cases(aligned(v.shape, at))) is not None]
        if len(known) == len(vs):
            dummies, mask, places = together(known)
            e = g(*places)
            if e is not None:
                return Case(dummies, mask, e)
        return plain.term(at)

    return Value(plain.shape, "int", entry)


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

    def entry(at: At) -> Cell:
        found, alone = here(at)
        return found[0][1].entry(found[0][2]) if alone else plus(*(times(m, v.term(inner)) for m, v, inner in found))

    def hole(at: At) -> Term:
        return plus(*(times(m, v.hole(inner)) for m, v, inner in here(at)[0]))

    return Value(shape, dtype, entry, hole if any(v.holes for v in values) else None, all_soft(*values))


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
