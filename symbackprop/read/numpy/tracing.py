"""Runs of copies of the user's functions: on symbolic arrays, to read off results as index terms, and as they are.

Copies that run as they are see the real NumPy, and the user's objects stay untouched; where arrays are supplied, these
are its random numbers.
"""

from __future__ import annotations

import builtins
import linecache
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import TracebackType
from typing import Any, TypeVar

import numpy

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import EVERY_SIZE, Index, Least, Pick, Size, SymbackpropError
from symbackprop.core.syntax import ZERO, Array, Entry, Tensor, Term, arrays, free
from symbackprop.core.terms import dummy
from symbackprop.read.numpy.axes import Declared

from .algebra import delta
from .array import SymArray
from .axes import UNIT, ZERO_AT, aligned
from .context import ShapeMismatch, TraceError, Tracing, Unread, current, tracing, with_loops_split
from .copying import FOREIGN, STANDARD, Copier, ModuleView
from .creation import straight
from .drawing import Random, Supplied, generator, replaced
from .kept_state import MARK, asks_for_types, carried_on, frozen, home_of, kept_alike, put, surface
from .lifting import HANDLERS, SymInt, lifted, size_number, whole_number
from .sequences import SymList
from .values import Value, integers

LETTERS = "ijklmnpqrs"
HANDLERS["array"] = lambda x: straight(SymArray(lifted(x)))


@dataclass(frozen=True, slots=True)
class Traced:
    """`outputs` has the structure of the function's result (one, tuple, list, dict) with tensors in place of arrays.

    `constants` are the mathematical constants that occur as arrays without axes ("pi"); `rounded_constants` the floats
    that look like a rounded number, with the fraction they were taken for: a small difference may be due to them.
    `notes` say what was read in another way than it is written, such as a mask constant that is taken for -inf.
    `draws` are the random arrays that occur, by name.
    """

    outputs: Any
    constants: tuple[str, ...] = ()
    rounded_constants: tuple[tuple[float, Fraction], ...] = field(default=())
    notes: tuple[str, ...] = ()
    draws: Mapping[str, Declared] = field(default_factory=dict)


def symbol(name: str, declared: Declared) -> Any:
    """The argument itself: an array whose entries are its entries."""
    shape = declared.shape
    if declared.values is not None:
        size = declared.values
        if not shape:
            return whole_number(Pick(name, (), size))
        return straight(SymArray(integers(shape, lambda at: Pick(name, at, size))))

    def entry(at: tuple[Any, ...]) -> Term:
        if declared.hot is not None:
            label, axis = declared.hot
            return delta(at[axis], Pick(label, (*at[:axis], *at[axis + 1 :]), shape[axis]))
        return Entry(Array(name), aligned(shape, at))

    return straight(SymArray(Value(shape, "real", entry), scalar=not shape))


def trace(
    function: Callable[..., Any],
    arguments: Mapping[str, Declared | Any],
    hypotheses: Sequence[Hypothesis] = (),
    moving: Iterable[str] = (),
    least: Least = EVERY_SIZE,
) -> Traced:
    """The result of function(**arguments) as tensors, equal to it where the hypotheses hold, whatever moves.

    Declared arguments are symbolic arrays named like the argument, a Size is a symbolic whole number, others are passed
    as they are.  Raises TraceError
    (with file, line and cause) for what has no index terms, ShapeMismatch where shapes do not conform.
    """
    results = []
    state = Tracing()
    context = Context(hypotheses={f"h{k}": h for k, h in enumerate(hypotheses, 1)}, least=least)
    for passes in (1, 2):
        state = Tracing(names=frozenset(arguments), passes=passes, context=context, moving=frozenset(moving))
        with tracing(state):
            results.append(run_raw(function, arguments, settled))
            refuse_what_counts_calls(function, arguments, results[-1], state)
        if not state.looped:
            break
    if len(results) == 2 and not alike(results[0], results[1]):
        raise TraceError(
            f"{name_of(function)}: a list over a symbolic range is used in a way that is not understood (its items do "
            "not depend on the index, or it is read by code that is not traced)"
        )
    draws = state.draws.declared if state.draws is not None else {}
    return Traced(
        results[0], tuple(sorted(state.constants)), tuple(sorted(state.rounded.items())), tuple(state.notes), draws
    )


def argument(name: str, value: Any, copier: Copier) -> Any:
    """What the function gets: a symbolic array, a symbolic size, or the traced counterpart of a value."""
    if isinstance(value, Declared):
        return symbol(name, value)
    if isinstance(value, SymArray | SymInt):  # of a recording that goes on
        return value
    return size_number(value) if isinstance(value, Size) else copier.convert(value)


HANDLERS["symbol"] = symbol
T = TypeVar("T")


def run_raw(function: Callable[..., Any], arguments: Mapping[str, Any], read: Callable[[Any], T]) -> T:
    """read(result) of a copy of the function.  An error gets the line of the user's code where it came up."""
    literal = all(not d.symbols for d in arguments.values() if isinstance(d, Declared))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        result = with_loops_split(lambda: attempt(function, arguments, read))
        if current().loops:
            raise TraceError(f"{name_of(function)}: a loop of symbolic length is left before its end (break, return)")
        caught = [e for e in current().refused if not (literal and isinstance(e, ShapeMismatch))]
        if caught:
            raise caught[0] if not isinstance(caught[0], ShapeMismatch) else TraceError(f"{caught[0]}{CAUGHT}")
        return result
    except ShapeMismatch as error:
        kind = TraceError if handlers_on_the_way(error.__traceback__) else ShapeMismatch
        raise kind(located(function, error, str(error) + (CAUGHT if kind is TraceError else ""))) from error
    except SymbackpropError as error:
        raise TraceError(located(function, error, str(error))) from error
    except RecursionError as error:
        raise TraceError(located(function, error, "the recursion is too deep")) from None
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}"
        raise TraceError(located(function, error, message)) from error
    finally:
        sys.setrecursionlimit(limit)


def attempt(function: Callable[..., Any], arguments: Mapping[str, Any], read: Callable[[Any], T]) -> T:
    copier = current().copier = Copier()
    copy = copier.convert(function)
    given = {k: argument(k, v, copier.for_arguments()) for k, v in arguments.items()}
    copier.before = surface(copier.stores)
    copier.lengths = {key: len(x) for key, x in copier.done.items() if type(x) is list}
    return read(copy(**given))


def refuse_what_counts_calls(
    function: Callable[..., Any], arguments: Mapping[str, Any], first: Any, state: Tracing
) -> None:
    """Raises TraceError where a second call would give another result than the first, or leave other things behind.

    Lists may grow with each call, and numbers and arrays be carried on, such as running means, if nothing else is done
    with them.
    """
    copier = state.copier
    if kept_alike(copier.before, surface(copier.stores[: len(copier.before)]), lambda a, b: a is b):
        return
    logs = {key: x for key, x in copier.done.items() if type(x) is list and len(x) > copier.lengths.get(key, len(x))}
    left = frozen(copier.stores, logs.values())

    def result(run: Copier) -> Any:
        again = replace(state, journal=[], loops=[], looped=[], refused=[], recorder=None, draws=None)
        with tracing(again):
            copy, of_arguments = run.convert(function), run.for_arguments()
            given = {k: argument(k, v, of_arguments) for k, v in arguments.items()}
            try:
                found = settled(copy(**given))
            except Exception as error:
                return error
        caught = (e for e in again.refused if not isinstance(e, ShapeMismatch))  # by code that would go on otherwise
        return next(caught, found)

    unread = Unread()
    carried = [(store, k, put(store, k, unread)) for store, k in carried_on(copier.stores, copier.before, same_entries)]
    same = alike(first, result(copier))
    for store, k, x in carried:
        if (now := put(store, k, x)) is not unread:  # it was written anew
            put(store, k, now)
    same = same and kept_alike(left, frozen(copier.stores, logs.values()), same_entries)
    same = same and not (carried and asks_for_types(copier.codes))
    if not same or (logs and not alike(first, result(Copier(frozenset(logs))))):
        raise TraceError(
            f"{name_of(function)}: what it computes may depend on how often it was called: it changes a list, an "
            "object or a variable that outlives the call"
        )


def same_entries(a: Value, b: Value) -> bool:
    try:
        return a.shape == b.shape and tensor(a) == tensor(b)
    except SymbackpropError:
        return False


CAUGHT = "; the error is handled by try/except, so what is computed depends on the sizes"


def user_code(tb: TracebackType | None) -> Iterator[TracebackType]:
    """The parts of a traceback in the user's code, the innermost last."""
    while tb is not None:
        if MARK in tb.tb_frame.f_globals:
            yield tb
        tb = tb.tb_next


def handlers_on_the_way(tb: TracebackType | None) -> bool:
    """Whether the user's code would have handled NumPy's own error: there is a try around it."""
    return any(part.tb_frame.f_code.co_exceptiontable for part in user_code(tb))


def name_of(function: Any) -> str:
    return str(getattr(function, "__name__", function))


def located(function: Any, error: BaseException, message: str) -> str:
    place = last_user_frame(error.__traceback__)
    return at_place(message, place) if place else f"{name_of(function)}: {message}"


def at_place(message: str, place: tuple[str, int] | None) -> str:
    """file:line, the cause, and the line itself where it can be read."""
    if place is None:
        return message
    text = linecache.getline(*place).strip()
    return f"{place[0]}:{place[1]}: {message}" + (f"\n    {text}" if text else "")


def last_user_frame(tb: TracebackType | None) -> tuple[str, int] | None:
    *_, last = None, *user_code(tb)
    code = None if last is None else last.tb_frame.f_code
    return None if last is None or code is None else (code.co_filename, last.tb_lineno or code.co_firstlineno)


# --- results ---------------------------------------------------------------------------------


def settled(x: Any) -> Any:
    """Read the result while errors still belong to the run: immutable values, tuples, lists and dicts."""
    if isinstance(x, dict):
        return {k: settled(v) for k, v in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return tuple(settled(v) for v in x)
    if isinstance(x, tuple | list):
        return type(x)(settled(v) for v in x)
    if x is None or isinstance(x, str):
        return x
    if isinstance(x, SymArray | SymInt | SymList) or isinstance(x, int | float) or hasattr(x, "dtype"):
        return tensor(lifted(x))
    raise TraceError(f"the function returns a {type(x).__name__}, not arrays")


def tensor(v: Value) -> Tensor:
    """Entries at fresh indices, with the holes and leftover loop indices refused."""
    axes = tuple(Index(axis_name(k), s) for k, s in enumerate(v.shape))
    hidden = tuple(dummy(s) for s in v.shape)
    at = tuple(ZERO_AT if s == UNIT else i for i, s in zip(hidden, v.shape, strict=True))
    if v.holes and not v.soft and v.hole(at) != ZERO:
        raise TraceError("a result is -inf at some entries")
    inner = Tensor(hidden, v.term(at))
    if free(inner.body) - set(hidden):
        raise TraceError("a result depends on the index of a loop of symbolic length, which has ended")
    if any(a.name.startswith("carry#") for a in arrays(inner.body)):
        raise TraceError("a result carries a value from one iteration to the next")
    return Tensor(axes, inner.at(*axes))


def axis_name(k: int) -> str:
    return LETTERS[k] if k < len(LETTERS) else f"i{k}"


def alike(a: Any, b: Any) -> bool:
    """The same structure with equal tensors: bound indices are nameless, so == is equality up to their names."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(alike, a, b))
    return bool(a == b)


# --- copies that run as they are -------------------------------------------------------------


INSTALLED = ("site-packages", "dist-packages")


class Isolated(Copier):
    """`drawn` are the random arrays by name."""

    def __init__(self, drawn: Mapping[str, Any]) -> None:
        super().__init__()
        self.random = Random(Supplied(drawn), numpy) if drawn else None

    def converted(self, x: Any) -> Any:
        if hasattr(type(x), "__symbackprop_copy__"):
            return x.__symbackprop_copy__(self.convert)
        if self.random is not None and generator(x) is not None:
            return replaced(x, self.random)
        match x:
            case types.ModuleType():
                return self.module(x)
            case types.FunctionType():
                return x if installed(x.__module__ or "") else self.function(x)
            case numpy.ndarray():
                return x.copy()
        if (copy := self.of_parts(x)) is not None:
            return copy
        return x if installed(home_of(type(x)) and type(x).__module__) else self.instance(x)

    def module(self, x: types.ModuleType) -> Any:
        if self.random is not None and x.__name__ in ("numpy", "numpy.random"):
            return Drawing(self.random) if x is numpy else self.random
        return x if installed(x.__name__) else ModuleView(x, self)

    def module_globals(self, f: types.FunctionType) -> dict[str, Any]:
        found = super().module_globals(f)
        found["__builtins__"] = builtins
        return found

    def code(self, code: types.CodeType) -> types.CodeType:
        return code

    def type(self, cls: type) -> Any:
        return cls if installed(home_of(cls) and cls.__module__) else super().type(cls)


class Drawing:
    """NumPy with other random numbers."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)


def installed(module: str) -> bool:
    """Whether a module is of a library, whose code is not copied."""
    root = module.split(".")[0]
    path = getattr(sys.modules.get(module), "__file__", None) or ""
    return root == "symbackprop" or root in FOREIGN or root in STANDARD or any(part in path for part in INSTALLED)
