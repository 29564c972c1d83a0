"""What a run of the tracer has around it: what it remembers and refuses, and the tables of functions it knows.

The tables go from the names of NumPy, its submodules and scipy.special to what tracing runs for them.  What a function
of ours does not take, it refuses: an argument that NumPy has and the table has not is an error unless it is given as
NumPy's own default, or makes no difference to the numbers (`INERT`).
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import wraps
from typing import Any, TypeVar

from symbackprop.core.context import Context
from symbackprop.core.terms import Size, SymbackpropError, Term

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
    iterations at the start and at the end of a loop stand apart; `copier` has the copies that run, `moving` the names
    of the arguments that the result is differentiated by; `large` is set where a factor may be a mask constant."""

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
    copier: Any = None
    moving: frozenset[str] = frozenset()
    large: bool = False


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


class SplitLoop(BaseException):
    """The run is to begin again; nothing in the user's code is meant to catch it."""


def with_loops_split(run: Callable[[], T]) -> T:
    """run(), again for each iteration that a loop is to do apart, from the same state."""
    state = current()
    loops, looped, mark = list(state.loops), len(state.looped), len(state.journal)
    while True:
        try:
            return run()
        except SplitLoop:
            for cell, before in reversed(state.journal[mark:]):
                cell._value = before
            del state.journal[mark:], state.looped[looped:]
            state.loops[:] = loops


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


class TraceError(SymbackpropError):
    """The function cannot be read as index terms; the message has the line of the user's file and why.

    Each is remembered while a function runs: code that catches it would go on with something else than NumPy does.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        if not isinstance(self, AttributeError):
            current().refused.append(self)


class ShapeMismatch(TraceError, ValueError):
    """Shapes that do not conform for all sizes; NumPy would raise a ValueError at some of them.

    `mistake` says what was probably meant, where that is plain.
    """

    def __init__(self, message: str, mistake: str = "") -> None:
        super().__init__(message)
        self.mistake = mistake

    @property
    def meant(self) -> str:
        """The mistake that this error, or one that it stands for, tells."""
        cause = self.__cause__
        return self.mistake or (cause.meant if isinstance(cause, ShapeMismatch) else "")


class NoSuchPlace(ShapeMismatch, IndexError):
    """An index that is out of its axis; NumPy would raise an IndexError."""


class Unsupported(TraceError, AttributeError):
    """A name that NumPy has not got either: an AttributeError, so that hasattr() works."""


class Unread:
    """A number or an array that a function only carries on, such as a running mean: what comes of it is unread, too.

    Whatever else is done with it is an error.
    """

    def carried(self, *others: Any) -> Unread:
        return self

    def refused(self, *others: Any) -> Any:
        raise TraceError("what a function carries from call to call is read")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = carried
    __getitem__ = __neg__ = __pos__ = carried
    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __len__ = __contains__ = refused
    __int__ = __float__ = __index__ = __abs__ = __round__ = __array__ = __str__ = __repr__ = __format__ = refused
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = __matmul__ = __rmatmul__ = refused
    __rpow__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = __setitem__ = refused
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __call__ = __getattr__ = refused
    __hash__ = None  # type: ignore[assignment]


NUMPY: dict[str, Any] = {}
LINALG: dict[str, Any] = {}
SPECIAL: dict[str, Any] = {}
WINDOWS: dict[str, Any] = {}
MATH: dict[str, Any] = {}
METHODS: dict[str, str] = {}
HOMES = (
    (NUMPY, "numpy"),
    (LINALG, "numpy.linalg"),
    (SPECIAL, "scipy.special"),
    (WINDOWS, "numpy.lib.stride_tricks"),
    (MATH, "math"),
)
INERT: dict[str, tuple[Any, ...]] = {  # arguments that change no number, with the values of which that is true
    "subok": (True, False),
    "like": (None,),
    "device": (None, "cpu"),
    "order": ("C", "K", "A", None),
    "casting": ("same_kind", "safe", "unsafe"),
    "optimize": (True, False, "greedy", "optimal"),
    "check_finite": (True, False),
    "overwrite_a": (False,),
    "overwrite_b": (False,),
    "axes": (),
}


@dataclass(frozen=True, slots=True)
class Supported:
    """A function that is read: `where` says to what it is restricted, `arguments` to what single arguments are."""

    home: str
    name: str
    run: Callable[..., Any]
    method: bool
    where: str
    arguments: Mapping[str, str]

    @property
    def original(self) -> Any:
        return original(self.home, self.name)


SUPPORTED: dict[tuple[str, str], Supported] = {}
REFUSED: dict[tuple[str, str], str] = {}
F = TypeVar("F", bound=Callable[..., Any])


def home_of(table: Mapping[str, Any]) -> str:
    return next((home for known, home in HOMES if known is table), "")


def original(home: str, name: str) -> Any:
    """The function itself, or None where this installation has none of the name."""
    try:
        return getattr(importlib.import_module(home), name, None)
    except ImportError:
        return None


@functools.cache
def parameters(home: str, name: str) -> Mapping[str, inspect.Parameter]:
    """As NumPy declares them; empty where it does not say."""
    try:
        return inspect.signature(original(home, name)).parameters
    except (TypeError, ValueError):
        return {}


def provides(
    *names: str, table: dict[str, Any] = NUMPY, method: bool = False, composed: bool = False, where: str = "",
    **arguments: str,
) -> Callable[[F], F]:  # fmt: skip
    """Register a function under these names; `method` makes it an array method as well.

    What is `composed` of other functions is recorded as these.  `where` and the texts by argument say to what it is
    restricted; docs/numpy.md prints them.
    """

    def register(f: F) -> F:
        for name in names:
            home = home_of(table)
            run = strict(f, home, name)
            table[name] = run if composed else noted(names[0])(run)
            SUPPORTED[home, name] = Supported(home, name, f, method, where, arguments)
            if method:
                METHODS[name] = name
        return f

    return register


def rows(
    meanings: Mapping[str, Callable[..., Any]], table: dict[str, Any] = NUMPY, method: bool = False,
    composed: bool = False,
) -> None:  # fmt: skip
    """Functions of one line each, under NumPy's names of their arguments; names of one meaning stand in one key."""
    for names, f in meanings.items():
        first, *more = names.split()
        f.__name__ = f.__qualname__ = first
        provides(first, *more, table=table, method=method, composed=composed)(f)


def refuses(*names: str, table: dict[str, Any] = NUMPY, because: str) -> None:
    """Functions that have no index term."""
    for name in names:
        table[name] = refusal(f"np.{name} {because}" if table is NUMPY else f"np.linalg.{name} {because}")
        REFUSED[home_of(table), name] = because
        if table is NUMPY:
            METHODS[name] = name


def refusal(message: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise TraceError(message)

    return refuse


def strict(f: Callable[..., Any], home: str, name: str) -> Callable[..., Any]:
    """f under NumPy's signature, refusing every argument that it does not take."""
    own = inspect.signature(f).parameters
    several = any(p.kind is p.VAR_POSITIONAL for p in own.values())

    @functools.wraps(f)
    def run(*args: Any, **options: Any) -> Any:
        if several or (not options and len(args) == 1):
            kept = {k: v for k, v in options.items() if k in own or not dropped(home, name, k, v)}
            return f(*args, **kept)
        order, renamed = call_names(home, name, tuple(own))
        if len(args) > len(order):
            raise TypeError(f"{name}() takes {len(order)} arguments but {len(args)} were given")
        kept = {}
        for k, v in [*zip(order, args, strict=False), *options.items()]:
            key = renamed.get(k, k)
            if key in kept:
                raise TypeError(f"{name}() got multiple values for the argument {k!r}")
            if key in own or not dropped(home, name, k, v):
                kept[key] = v
        return f(**kept)

    return run


@functools.cache
def call_names(home: str, name: str, own: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    """NumPy's names of positional arguments, in order, and which of ours those mean that we call otherwise."""
    every = parameters(home, name)
    real = [p.name for p in every.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    renamed = {r: p for r, p in zip(real, own, strict=False) if r not in own and p not in every}
    return tuple(real) or own, renamed


def dropped(home: str, name: str, key: str, value: Any) -> bool:
    """Whether an argument may be left out.  Raises TraceError where it would change what is computed."""
    real = parameters(home, name).get(key)
    plain = value is None or isinstance(value, bool | int | float | str)
    if real is not None and (value is real.default or (plain and type(value) is type(real.default)
                                                       and value == real.default)):  # fmt: skip
        return True
    if key in INERT and any(value is v or (isinstance(value, str) and value == v) for v in INERT[key]):
        return True
    raise TraceError(f"{home.replace('numpy', 'np')}.{name}: the argument {key}= is not modelled")
