"""Places that depend on the order of the data: argmax, argsort, sort, unravel_index.

A place is an integer by cases: for each place the truth value that it is this one.  argmax is the first of the largest
entries, as NumPy has it; the rank of an entry is how many stand before it, equal ones in the order of their places.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symbackprop.core.signs import within
from symbackprop.core.terms import Delta, IndexExpr, Size, Term, dummy, num, whole

from .algebra import delta, gate, minus, negated, number, plus, summed, times
from .array import SymArray, finished, wrap
from .axes import (
    ZERO_AT, At, difference, index_of, indices_in, normal_axes, normal_axis, over_axes, quotient_and_rest, replaced,
    shape_text, shifted, without,
)  # fmt: skip
from .context import NUMPY, TraceError, current, provides
from .layout import flattened
from .lifting import lifted, size_list
from .reductions import largest, named, nonempty, smallest
from .steps import step
from .values import Case, Value, exactly, finite

HALF = num(Fraction(1, 2))


def best_place(v: Value, axis: int | None, keepdims: bool, smallest: bool) -> Value:
    """Where the largest (smallest) entry stands, counted along the axis, or in row-major order of the whole array."""
    finite(v)
    axes = normal_axes(axis, v.ndim)
    nonempty(v, axes, "argmax")
    shape = without(v.shape, axes, keepdims)

    def entry(at: At) -> Case:
        one = place_of_the_one(v, axes[0], keepdims, at) if len(axes) == 1 and not smallest else None
        if one is not None:
            return exactly(one)
        indices, full = over_axes(v.shape, axes, keepdims, at)
        place = flattened([full[k] for k in axes], [v.shape[k] for k in axes])
        entry = v.term(full)
        found = tuple(dummy(i.size) for i in indices)
        chosen = whole("argmax", 0, indices, negated(entry) if smallest else entry, found)
        return Case(found, chosen if found else num(1), replaced(place, dict(zip(indices, found, strict=True))))

    return Value(shape, "int", entry)


def place_of_the_one(v: Value, axis: int, keepdims: bool, at: At) -> IndexExpr | None:
    """Where the 1 of an array of deltas stands, of one_hot(labels) the labels; None of other arrays."""
    i = dummy(v.shape[axis])
    match v.term((*at[:axis], i, *at[axis + keepdims :])):
        case Delta(a, b) if i in (a, b):
            place = b if a == i else a
            return place if i not in indices_in(place) and within(place, i.size) else None
        case _:
            return None


def place_function(name: str) -> None:
    def function(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        return finished(best_place(lifted(a), axis, bool(keepdims), name == "argmin"), out, True)

    named(name, function)


place_function("argmax")
place_function("argmin")


@provides("unravel_index", shape="places that are known by index or by argmax")
def unravel_index(indices: Any, shape: Any) -> Any:
    """The digits of places in row-major order, last axis first."""
    rest: Any = indices
    digits: list[Value] = []
    sizes = size_list(shape)
    for size in reversed(sizes[1:]):
        digits.insert(0, digit(lifted(rest), size, 1))
        rest = wrap(digit(lifted(rest), size, 0))
    first = lifted(rest)
    return tuple(map(wrap, [first, *digits]))


def digit(v: Value, size: Size, which: int) -> Value:
    """Quotient (0) or rest (1) of places by a size."""

    def entry(at: At) -> Case:
        case = v.cases(at)
        found = None if case is None else quotient_and_rest(case.place, size)
        if case is None or found is None:
            raise TraceError(f"the digits of a place to the base {size}: the shape is not that of the array")
        return case._replace(place=found[which])

    return Value(v.shape, "int", entry)


# --- ranks -----------------------------------------------------------------------------------


def rank(v: Value, axis: int, at: At) -> Term:
    """How many entries along the axis stand before the one at `at` when they are sorted.

    Smaller ones, and equal ones before it.  On the diagonal -1 is compared with 0, so that no step is at its kink.
    """
    i, j = at[axis], dummy(v.shape[axis])
    gap = minus(v.term(at), v.term((*at[:axis], j, *at[axis + 1 :])))
    above, below = (step(minus(u, delta(i, j))) for u in (gap, negated(gap)))
    equal = times(gate(shifted(difference(i, j), -1)), plus(num(1), negated(above), negated(below)))
    return plus(summed((j,), above), summed((j,), equal))


def stands_at(v: Value, axis: int, at: At, place: IndexExpr) -> Term:
    """1 where the rank of the entry is this place, else 0: ranks are whole, so neither step is at its kink."""
    apart = minus(rank(v, axis, at), number(place))
    return minus(step(plus(apart, HALF)), step(minus(apart, HALF)))


def sortable(a: Any, axis: Any, kind: Any, name: str) -> tuple[Value, int]:
    v = finite(lifted(a))
    if axis is None:
        v, axis = lifted(NUMPY["reshape"](a, -1)), -1
    if v.ndim == 0:
        raise TraceError(f"{name} of a number")
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable"):
        raise ValueError(f"sort kind must be one of 'quicksort', 'heapsort', or 'stable' (got {kind!r})")
    return v, normal_axis(axis, v.ndim)


def sorted_places(v: Value, axis: int) -> Value:
    def cases(at: At) -> Case:
        i = dummy(v.shape[axis])
        return Case((i,), stands_at(v, axis, (*at[:axis], i, *at[axis + 1 :]), at[axis]), i)

    return permutation(Value(v.shape, "int", cases), axis)


def permutation(v: Value, axis: int) -> Value:
    v.distinct = frozenset({axis})
    return v


def ranks(v: Value, axis: int) -> Value:
    """Where each entry goes: the inverse of `sorted_places`."""

    def cases(at: At) -> Case:
        k = dummy(v.shape[axis])
        return Case((k,), stands_at(v, axis, at, k), k)

    return permutation(Value(v.shape, "int", cases), axis)


TIES = "equal entries keep their order, as with kind='stable'"


@provides("argsort", method=True, where=TIES)
def argsort(a: Any, axis: Any = -1, kind: Any = None, *, stable: Any = None) -> Any:
    v, n = sortable(a, axis, kind, "argsort")
    known = current().sorted_by.get(id(v))
    if known is not None and known[1] == n:  # of places that sort: the ranks
        return wrap(ranks(known[2], n))
    result = wrap(sorted_places(v, n))
    current().sorted_by[id(result.value)] = result.value, n, v
    return result


@provides("sort", where="a copy")
def sort(a: Any, axis: Any = -1, kind: Any = None, *, stable: Any = None) -> Any:
    v, n = sortable(a, axis, kind, "sort")

    def term(at: At) -> Term:
        for end, place in ((smallest, ZERO_AT), (largest, shifted(index_of(v.shape[n]), -1))):
            if at[n] == place:  # smooth at ties of other entries
                return end(v, n).term((*at[:n], *at[n + 1 :]))
        i = dummy(v.shape[n])
        here = (*at[:n], i, *at[n + 1 :])
        return summed((i,), times(stands_at(v, n, here, at[n]), v.term(here)))

    if v.dtype != "real":
        raise TraceError(f"np.sort of {shape_text(v.shape)} {v.dtype} numbers: make them floats")
    return SymArray(Value(v.shape, "real", term))
