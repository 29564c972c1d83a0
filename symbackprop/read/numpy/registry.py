"""Tables from the names of NumPy, its submodules and scipy.special to what tracing runs for them.

What a function of ours does not take, it refuses: an argument that NumPy has and the table has not is an error unless
it is given as NumPy's own default, or makes no difference to the numbers (`INERT`).
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .context import noted
from .errors import TraceError

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
    *names: str, table: dict[str, Any] = NUMPY, method: bool = False, where: str = "", **arguments: str
) -> Callable[[F], F]:
    """Register a function under these names; `method` makes it an array method as well.

    `where` and the texts by argument say to what it is restricted; docs/numpy.md prints them.
    """

    def register(f: F) -> F:
        seen = noted(names[0])
        for name in names:
            home = home_of(table)
            table[name] = seen(strict(f, home, name))
            SUPPORTED[home, name] = Supported(home, name, f, method, where, arguments)
            if method:
                METHODS[name] = name
        return f

    return register


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
