"""Writing entries by NumPy's rules, also through index arrays that repeat."""

from __future__ import annotations

from typing import TypeAlias

from symbackprop.core.indices import Index, IndexExpr, Size, affine, as_affine, sized
from symbackprop.core.syntax import ONE, ZERO, Add, Term, substitute
from symbackprop.core.terms import dummy, whole

from .algebra import between, delta, gate, plus, summed, times
from .axes import (
    UNIT, ZERO_AT, At, aligned, constant_of, difference, index_of, indices_in, nonnegative, quotient_and_rest,
    shape_text, shifted, somewhere,
)  # fmt: skip
from .context import ShapeMismatch, TraceError
from .indexing import At1, Many, Plan, Slice, entry_cases, listed, located, places_of
from .layout import squeeze
from .elementwise import masking
from .steps import blend, complement, step, taken
from .values import ORDER, Case, Cell, Value, all_soft, stretched, together

Written: TypeAlias = tuple[tuple[Index, ...], Term, At]


def write(v: Value, p: Plan, new: Value, accumulate: bool = False) -> Value:
    """`v` with new values at the entries the plan names (added there when `accumulate`)."""
    if v.dtype != "real" and new.dtype == "real":
        raise TraceError("real numbers are written into an array of integers, which truncates them: make it float")
    if ORDER[v.dtype] < ORDER[new.dtype]:
        raise TraceError(f"{new.dtype} numbers are written into an array of {v.dtype}, which may cut them")
    new = masking(new)
    if new.ndim > len(p.result):  # leading axes of one entry may be dropped
        if any(s != UNIT for s in new.shape[: new.ndim - len(p.result)]):
            raise ShapeMismatch(f"shape {shape_text(new.shape)} does not fit into {shape_text(p.result)}")
        drop = new.ndim - len(p.result)
        new = new.remap(new.shape[drop:], lambda at, new=new: (ZERO_AT,) * drop + at)  # type: ignore[misc]
    wide = squeeze(stretched(new, p.result), p.new)
    if listed(p):
        for block, q in places_of(p):  # one after the other, as NumPy does

            def piece(at: At, block: At = block) -> At:
                return (*at[: p.front], *block, *at[p.front :])

            v = write(v, q, wide.remap(q.entries, piece), accumulate)
        return v
    places = located(p)
    own = [s for k, s in enumerate((UNIT,) * (len(p.result) - new.ndim) + new.shape) if k not in p.new]
    block_used = any(s != UNIT for s in p.split(tuple(own))[0])
    distinct = injective(p)

    def parts(at: At) -> tuple[Term, At, tuple[Index, ...], tuple[Index, ...], Written]:
        """Mask, index into the new values, dummies of strided slices and of the integer arrays, and the place written
        (with its cases), which is `at` where the mask is 1."""
        mask: Term = ONE
        inner: list[IndexExpr] = []
        here = list(at)
        strided: list[Index] = []
        many: list[tuple[int, Case]] = []
        block = somewhere(p.spread)
        for axis, item in enumerate(p.items):
            match item:
                case Slice(start, length, by):
                    m, e = position(at[axis], start, length, by, strided)
                    if start != ZERO_AT or by != 1 or length != p.shape[axis]:
                        mask = times(mask, m)
                    inner.append(ZERO_AT if length == UNIT else e)
                case At1():
                    here[axis] = places[axis]
                    mask = times(mask, delta(at[axis], places[axis]))
                case Many(array):
                    many.append((axis, entry_cases(array, aligned(array.shape, block), p.shape[axis])))
        by_cases, holds, named = together([case for _, case in many])
        for (axis, _), place in zip(many, named, strict=True):
            here[axis] = place
            mask = times(mask, delta(at[axis], place))
        mask = times(mask, holds)
        inner[p.front : p.front] = block
        dummies = (*(i for i in block if isinstance(i, Index)), *by_cases)
        return mask, tuple(inner), tuple(strided), dummies, (by_cases, holds, tuple(here))

    def old(there: Written) -> Term:
        """What stood at the place written, as `read` has it."""
        by_cases, holds, here = there
        return summed(by_cases, times(holds, v.term(here)))

    def entry(at: At) -> Cell:
        mask, inner, strided, block, there = parts(at)
        if mask == ZERO:
            return v.entry(at)
        if accumulate:
            return plus(v.term(at), summed((*strided, *block), times(mask, wide.term(inner))))
        if not block and not strided and mask == ONE:
            return wide.entry(inner)
        if not block and not strided:
            return blend(mask, wide.term(inner), v.term(at), old(there))
        if distinct or not block:
            rest = taken(wide.term(inner), old(there), Add)
            if rest is not None:  # an in-place sum
                return plus(v.term(at), summed((*strided, *block), times(mask, plus(*rest))))
            covered = summed((*strided, *block), mask)
            kept = ZERO if covered == ONE else times(complement(covered), v.term(at))
            return plus(summed((*strided, *block), times(mask, wide.term(inner))), kept)
        covered = step(summed(block, mask))
        if not block_used and not strided:
            return blend(covered, wide.term(inner), v.term(at))
        if strided:
            raise TraceError("the same entry may be written twice beside a slice with a step: which write is last?")
        return last_written(block, len(block) - len(there[0]), mask, wide.term(inner), v.term(at))

    def hole(at: At) -> Term:
        mask, inner, strided, block, _ = parts(at)
        if strided or block:
            raise TraceError("-inf written through an index array")
        return plus(times(mask, wide.hole(inner)), times(complement(mask), v.hole(at)))

    soft = all_soft(v, wide)
    holes = v.holes or wide.holes
    if soft and (listed(p) or any(isinstance(i, Many) for i in p.items) or accumulate):
        holes = False
    return Value(v.shape, v.dtype, entry, hole if holes else None, soft)


def position(e: IndexExpr, start: IndexExpr, length: Size, by: int, strided: list[Index]) -> tuple[Term, IndexExpr]:
    """Where in the slice the index e of the whole axis is: a mask, and the index there."""
    offset = difference(e, start)
    if by in (1, -1):
        place = affine(0, [(offset, by)])
        return between(place, length), place
    if by < 0:
        offset, by = affine(0, [(offset, -1)]), -by
    found = quotient_and_rest(offset, sized(by))
    if found is not None and (constant_of(found[1]) is not None):
        return (between(found[0], length), found[0]) if found[1] == ZERO_AT else (ZERO, ZERO_AT)
    o = dummy(length)
    strided.append(o)
    return delta(offset, affine(0, [(o, by)])), o


def injective(p: Plan) -> bool:
    """Whether the integer arrays name no entry twice: each of their axes can be read off one of the indices."""
    block = somewhere(p.spread)
    alone: set[Index] = set()
    for item in p.items:
        if not isinstance(item, Many):
            continue
        e = item.places.index(aligned(item.places.shape, block))
        if e is None:
            continue
        here = indices_in(e)
        parts = as_affine(e)[1]
        if len(here) == 1 and len(parts) == 1 and isinstance(parts[0][0], Index):
            k = parts[0][1]
            if k.constant or nonnegative(index_of(k - 1)) or nonnegative(index_of(-k - 1)):
                alone |= here
    for item in p.items:  # what sorts an array names each place once in each row of it
        if isinstance(item, Many) and item.places.distinct:
            own = block[len(block) - item.places.ndim :]
            rows = {i for k, i in enumerate(own) if k not in item.places.distinct and isinstance(i, Index)}
            if rows <= alone and len(item.places.distinct) == 1:
                alone |= {i for k, i in enumerate(own) if k in item.places.distinct and isinstance(i, Index)}
    return all(i in alone for i in block if isinstance(i, Index))


def last_written(block: tuple[Index, ...], axes: int, mask: Term, new: Term, old: Term) -> Term:
    """Σ_i mask(i) new(i) Π_{j>i} (1 - mask(j)), plus the old value where no mask holds; i and j in row-major order.

    `axes` of the block are those of the integer arrays; the others are cases of a place, one of which holds at each i.
    """
    covered = step(summed(block, mask))
    others = tuple(dummy(i.size) for i in block)
    follows: Term = ZERO
    for i, j in reversed(list(zip(block[:axes], others[:axes], strict=True))):
        follows = plus(gate(shifted(difference(j, i), -1)), times(delta(i, j), follows))
    later = times(follows, substitute(mask, dict(zip(block, others, strict=True))))
    after = whole("prod", 0, others, complement(later), ())
    return plus(summed(block, times(mask, new, after)), times(complement(covered), old))
