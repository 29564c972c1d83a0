"""A loop of symbolic length whose body asks whether it is in its first or its last iteration: these stand apart.

`if t > 0:` has no answer for a generic t.  The run is left and begun again, with that iteration done by itself before
or after the loop.
"""

from __future__ import annotations

from typing import Any

from symbackprop.core.terms import Add, Delta, Holds, Mul, NonNegative, Term, substitute

from .algebra import Index, IndexExpr, Num, affine, delta, dummy, free, gate, index_of, plus, times
from .context import SplitLoop, current

MOST = 3  # iterations that stand apart, at each end


def ends_apart(condition: Term, t: Index, apart: tuple[int, int]) -> tuple[int, int] | None:
    """How many iterations are to stand apart at the start and at the end, so that t decides the condition."""
    if free(condition) != {t} or max(apart) >= MOST:
        return None
    rest = t.size - 1
    if known(condition, t, index_of(0)) and known(condition, t, affine(1, [(dummy(rest), 1)])):
        return apart[0] + 1, apart[1]
    if known(condition, t, index_of(rest)) and known(condition, t, dummy(rest)):
        return apart[0], apart[1] + 1
    return apart[0] + 1, apart[1]  # t > 1, or t < n - 2


def known(condition: Term, t: Index, place: IndexExpr) -> bool:
    return isinstance(decided(substitute(condition, {t: place})), Num)


def decided(t: Term) -> Term:
    """A condition on places with what is known of it."""
    match t:
        case Holds(NonNegative(e)):
            return gate(e)
        case Delta(i, j):
            return delta(i, j)
        case Add(args):
            return plus(*map(decided, args))
        case Mul(args):
            return times(*map(decided, args))
        case _:
            return t


def split(key: Any, condition: Term, t: Index) -> None:
    """Leaves the run where the loop can do the iteration apart that the condition is about."""
    apart = current().split.get(key, (0, 0))
    found = ends_apart(condition, t, apart)
    if found is not None:
        current().split[key] = found
        raise SplitLoop
