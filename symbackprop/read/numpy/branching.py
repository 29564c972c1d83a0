"""Conditions that have no answer: on data, and on whether a loop of symbolic length is in its first or last iteration.

Where a function of numbers branches on data, each way through the code is a run, and `where` joins the results.
`if t > 0:` has no answer for a generic t: the run is left and begun again, with that iteration done by itself before or
after the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.syntax import Delta, Holds, NonNegative, Num, Term, free, substitute
from symbackprop.core.terms import dummy

from .algebra import delta, gate
from .array import SymArray
from .axes import index_of
from .context import NUMPY, SplitLoop, TraceError, current
from .layout import reshape
from .steps import through

MOST = 16  # runs
APART = 3  # iterations that stand apart, at each end


class Branches:
    """The branches of one run: those of `decisions` first, then always true; `conditions` are what they ask."""

    def __init__(self, decisions: tuple[bool, ...]) -> None:
        self.decisions = decisions
        self.conditions: list[SymArray] = []

    def decide(self, condition: SymArray) -> bool:
        taken = len(self.conditions)
        self.conditions.append(SymArray(reshape(condition.value, [])))
        return self.decisions[taken] if taken < len(self.decisions) else True


def every_branch(run: Callable[[], Any]) -> Any:
    """run(), with the results of all branches joined.  Raises TraceError for too many of them."""
    runs = 0

    def explored(decisions: tuple[bool, ...]) -> Any:
        nonlocal runs
        runs += 1
        if runs > MOST:
            raise TraceError(f"more than {MOST} ways through branches that depend on the data")
        branches, before = Branches(decisions), current().branches
        current().branches = branches
        try:
            result = run()
        finally:
            current().branches = before
        taken = (*decisions, *(True for _ in branches.conditions[len(decisions) :]))
        for k in reversed(range(len(decisions), len(taken))):
            result = joined(branches.conditions[k], result, explored((*taken[:k], False)))
        return result

    return explored(())


def joined(condition: SymArray, one: Any, other: Any) -> Any:
    """The one where the condition holds, else the other."""
    if isinstance(one, tuple | list) and isinstance(other, tuple | list) and len(one) == len(other):
        return type(one)(joined(condition, a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return {k: joined(condition, one[k], other[k]) for k in one}
    if shape_of(one) != shape_of(other):
        raise TraceError("a function returns arrays of different shapes in branches that depend on the data")
    return NUMPY["where"](condition, one, other)


def shape_of(x: Any) -> Any:
    return x.value.shape if isinstance(x, SymArray) else getattr(x, "shape", ())


# --- the ends of loops -----------------------------------------------------------------------


def ends_apart(condition: Term, t: Index, apart: tuple[int, int]) -> tuple[int, int] | None:
    """How many iterations are to stand apart at the start and at the end, so that t decides the condition."""
    if free(condition) != {t} or max(apart) >= APART:
        return None
    rest = t.size - 1
    if known(condition, t, index_of(0)) and known(condition, t, affine(1, [(dummy(rest), 1)])):
        return apart[0] + 1, apart[1]
    if known(condition, t, index_of(rest)) and known(condition, t, dummy(rest)):
        return apart[0], apart[1] + 1
    return apart[0] + 1, apart[1]  # t > 1, or t < n - 2


def known(condition: Term, t: Index, place: IndexExpr) -> bool:
    return isinstance(through(substitute(condition, {t: place}), decided), Num)


def decided(t: Term) -> Term:
    """A condition on places with what is known of it."""
    match t:
        case Holds(NonNegative(e)):
            return gate(e)
        case Delta(i, j):
            return delta(i, j)
        case _:
            return t


def split(key: Any, condition: Term, t: Index) -> None:
    """Leaves the run where the loop can do the iteration apart that the condition is about."""
    apart = current().split.get(key, (0, 0))
    found = ends_apart(condition, t, apart)
    if found is not None:
        current().split[key] = found
        raise SplitLoop
