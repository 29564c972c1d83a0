"""Code of PyTorch's as a function of arrays: read for arrays of the reader of NumPy, run for arrays of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from inspect import Parameter, Signature
from typing import Any, TypeAlias

import numpy
import torch

from symbackprop.core.terms import Size, SymbackpropError, sized
from symbackprop.read.numpy import Declared, ShapeMismatch, SymArray, SymInt, TraceError, size_number
from symbackprop.read.numpy.axes import constant_of
from symbackprop.read.numpy.drawing import restarted
from symbackprop.read.numpy.lifting import size_of
from symbackprop.read.numpy.tracing import at_place, last_user_frame

from .dispatch import Reading, Supplying
from .standins import as_users, rewritten, users_globals
from .tensors import TracedTensor, for_torch, made, unknown_number

Body: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class TorchCode:
    """`body` takes arguments by name, tensors in place of arrays, and sizes by their symbols, which `shapes` has.

    `plain` are the arguments that it takes as Python numbers, `roots` the user's functions in it, `written` what a
    certificate shows as its text.
    """

    name: str
    arguments: tuple[Parameter, ...]
    shapes: Mapping[str, Declared]
    body: Body
    roots: tuple[Any, ...] = ()
    plain: tuple[str, ...] = ()
    written: Any = None
    symbols: frozenset[str] = frozenset()  # further sizes, on which only what no array has may depend
    differentiated: bool = False  # by the laws: a value must not be held constant
    draws: bool = False  # whether forward and backward are one run, so that random numbers are the same in both
    held: Mapping[str, str] | None = None  # copies of arrays in what is held constant; None refuses that
    random: Any = None  # in a run on numbers: what is drawn

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def __signature__(self) -> Signature:
        return Signature(self.arguments)

    def holding(self, copies: Mapping[str, str] | None) -> TorchCode:
        """The same where what is held constant is made of these copies, which are further arguments."""
        return replace(self, held=copies, arguments=(*self.arguments, *named(*(copies or {}).values())))

    def __symbackprop_copy__(self, convert: Callable[[Any], Any]) -> TorchCode:
        return replace(self, random=getattr(getattr(convert, "__self__", None), "random", None))

    def __call__(self, **given: Any) -> Any:
        traced = any(isinstance(x, SymArray | SymInt) for x in given.values())
        return read(self, given) if traced else run(self, given)


def named(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(n, Parameter.POSITIONAL_OR_KEYWORD) for n in names)


# --- read ------------------------------------------------------------------------------------------


def read(code: TorchCode, arrays: Mapping[str, Any]) -> Any:
    """The result as arrays of the reader.  Raises TraceError or ShapeMismatch with the user's line."""
    if code.draws:
        restarted()
    with as_users(users_globals(*code.roots)), doubles():
        try:
            known = {s: sized(s) for s in code.symbols} | sizes_of(code.shapes, arrays)
            sizes = {s: for_torch(size_number(n)) for s, n in known.items()}
            copies = (code.held or {}).values()
            given = {n: argument(x, n in code.plain) for n, x in arrays.items() if n not in copies}
            with Reading(code.differentiated, code.held), rewritten(), torch.enable_grad():
                return entries(code.body(given, sizes))
        except ShapeMismatch as error:
            raise ShapeMismatch(located(error)) from error
        except RuntimeError as error:
            kind = ShapeMismatch if any(text in str(error) for text in WRONG_SHAPE) else TraceError
            raise kind(located(error, first_line(error))) from error
        except SymbackpropError as error:
            raise TraceError(located(error)) from error
        except (Exception, SystemExit) as error:
            raise TraceError(located(error, f"{type(error).__name__}: {first_line(error)}")) from error


def argument(x: Any, plain: bool) -> Any:
    """A tensor for an array; what the code takes as a number as one."""
    if not isinstance(x, SymArray | SymInt):
        return x
    if isinstance(x, SymInt) and constant_of(x.expr) is not None:
        return for_torch(x)
    array = x if isinstance(x, SymArray) else SymArray(x.value)
    return unknown_number(array) if plain else made(array)


def entries(x: Any) -> Any:
    """Arrays in place of tensors."""
    match x:
        case TracedTensor():
            return SymArray(x.array.value)
        case torch.Tensor():
            return SymArray(Reading().lift(x).array.value)
        case tuple() | list():
            return tuple(map(entries, x))
        case dict():
            return {k: entries(v) for k, v in x.items()}
        case torch.SymInt() | torch.SymFloat():
            return x.node.value
        case _:
            return x


# What autograd says of gradients that fit no input.
WRONG_SHAPE = ("returned an invalid gradient", "returned an incorrect number of gradients")


def located(error: BaseException, message: str = "") -> str:
    return at_place(message or str(error), last_user_frame(error.__traceback__))


def first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "")


@contextmanager
def doubles() -> Iterator[None]:
    """Numbers that the code makes are those that are written."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


# --- run ---------------------------------------------------------------------------------------------


def run(code: TorchCode, arrays: Mapping[str, Any]) -> Any:
    """The result for arrays of numbers, in double precision."""
    copies = (code.held or {}).values()
    own = {n: x for n, x in arrays.items() if n not in copies}
    given = {n: x if n in code.plain else torch.tensor(numpy.asarray(x)) for n, x in own.items()}
    with doubles(), torch.enable_grad(), nullcontext() if code.random is None else Supplying(code.random):
        sizes = dict.fromkeys(code.symbols, 2) | {s: n.constant for s, n in sizes_of(code.shapes, arrays).items()}
        return plain(code.body(given, sizes))


def plain(x: Any) -> Any:
    match x:
        case torch.Tensor():
            return x.detach().numpy()
        case tuple() | list():
            return tuple(map(plain, x))
        case dict():
            return {k: plain(v) for k, v in x.items()}
        case _:
            return x


def sizes_of(shapes: Mapping[str, Declared], arrays: Mapping[str, Any]) -> dict[str, Size]:
    """What each size symbol of the declarations is for these arrays."""
    found: dict[str, Size] = {}
    for name, declared in shapes.items():
        actual = getattr(arrays.get(name), "shape", ())
        for size, n in zip(declared.shape, actual, strict=False):
            symbol, value = solved(size, size_of(n, "a size"))
            if symbol and value is not None:
                found.setdefault(symbol, value)
    return found


def solved(size: Size, actual: Size) -> tuple[str, Size | None]:
    """The symbol of a size k s + c, and its value where the size is `actual`."""
    parts = dict(size.monomials)
    offset = parts.pop((), 0)
    if len(parts) != 1:
        return "", None
    ((symbols, k),) = parts.items()
    rest = actual - offset
    if len(symbols) != 1 or any(c % k for _, c in rest.monomials):
        return "", None
    return symbols[0], Size(tuple((m, c // k) for m, c in rest.monomials))
