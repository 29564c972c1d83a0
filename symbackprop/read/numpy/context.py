"""What one run of the tracer remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import wraps
from typing import Any, TypeVar

from symbackprop.core.context import Context
from symbackprop.core.terms import Size, Term

T = TypeVar("T")


@dataclass(slots=True)
class Tracing:
    """`rounded` holds floats that look like a rounded irrational or third; `merged` how a size was made of factors;
    `journal` the arrays written in place with their value before; `loops` the open loops of symbolic length.
    `refused` holds the errors that were raised, should the traced code have caught one.
    `recorder`, if any, notes each call.
    `passes` is how often a comprehension runs its body: the result must not depend on it.
    `other_floats` is set where floats of another width than 64 bits occur, whose casts copy; `mixed` where Python's
    max or min chose between numbers of two kinds, so that the kind of the result depends on the data; `notes` say how
    something was read that could be read in another way.  `context` has the
    hypotheses, `partial` the terms known to have a value everywhere or not, `sorted_by` what sorts an array (kept, so
    that its id stays its own), with the axis and the array.  `draws` has the random arrays of runs that may draw,
    `branches` what decides branches on data where a function is run on each way through it, `split` how many
    iterations at the start and at the end of a loop stand apart."""

    constants: set[str] = field(default_factory=set)
    rounded: dict[float, Fraction] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    merged: dict[Size, tuple[Size, ...]] = field(default_factory=dict)
    journal: list[tuple[Any, Any]] = field(default_factory=list)
    loops: list[Any] = field(default_factory=list)
    looped: list[Any] = field(default_factory=list)
    refused: list[Exception] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    context: Context = field(default_factory=Context)
    partial: dict[Term, bool] = field(default_factory=dict)
    sorted_by: dict[int, tuple[Any, int, Any]] = field(default_factory=dict)
    other_floats: bool = False
    mixed: bool = False
    passes: int = 1
    serial: int = 0
    recorder: Any = None
    draws: Any = None
    branches: Any = None
    split: dict[Any, tuple[int, int]] = field(default_factory=dict)


_stack: list[Tracing] = [Tracing()]


def current() -> Tracing:
    return _stack[-1]


@contextmanager
def tracing(state: Tracing) -> Iterator[Tracing]:
    _stack.append(state)
    try:
        yield state
    finally:
        _stack.pop()


def noted(operation: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorates a function whose calls a recorder sees."""

    def decorated(function: Callable[..., T]) -> Callable[..., T]:
        @wraps(function)
        def run(*args: Any, **options: Any) -> T:
            recorder = current().recorder
            if recorder is None:
                return function(*args, **options)
            return recorder.call(operation, function, args, options)  # type: ignore[no-any-return]

        return run

    return decorated
