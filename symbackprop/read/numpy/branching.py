"""Branches on data, for functions of numbers: each way through the code is a run, and `where` joins the results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .array import SymArray
from .context import NUMPY, TraceError, current
from .layout import reshape

MOST = 16  # runs


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
