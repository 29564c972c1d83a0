"""Code of PyTorch's as a function of arrays: read for arrays of the reader of NumPy, run for arrays of numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from .tensors import for_torch, inside, made, unknown_number

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

    def entry(y: Any) -> Any:
        if isinstance(y, torch.Tensor):
            return SymArray(Reading().lift(y).array.value)
        return y.node.value if isinstance(y, torch.SymInt | torch.SymFloat) else y

    return inside(x, entry)


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
    return inside(x, lambda y: y.detach().numpy() if isinstance(y, torch.Tensor) else y)


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


def function_code(
    function: Any,
    shapes: Mapping[str, Declared],
    renamed: Mapping[str, str] | None = None,
    differentiated: bool = False,
) -> TorchCode:
    """The function under its own names of arguments, or under others that stand for them."""
    others = renamed or {}
    parameters = list(inspect.signature(function).parameters.values())
    arguments = [p.replace(name=others.get(p.name, p.name)) for p in parameters]
    back = {others.get(p.name, p.name): p.name for p in parameters}

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        return function(**{back[n]: x for n, x in given.items()})

    name = str(getattr(function, "__name__", type(function).__name__))
    return TorchCode(name, tuple(arguments), shapes, body, (function,), written=function, differentiated=differentiated)


# --- torch.autograd.Function ---------------------------------------------------------------------

Function = type[torch.autograd.Function]


def forward_parameters(function: Function) -> list[inspect.Parameter]:
    """The arguments of forward, without the context that it has unless setup_context is written apart."""
    found = list(inspect.signature(function.forward).parameters.values())
    apart = function.setup_context is not torch.autograd.function._SingleLevelFunction.setup_context
    return found if apart else found[1:]


def backward_names(function: Function) -> list[str]:
    """What backward calls the upstream gradients."""
    found = list(inspect.signature(inspect.unwrap(function.backward)).parameters.values())[1:]
    return [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]


@dataclass(frozen=True, slots=True)
class Custom:
    """function.apply, which `call` gives its arguments from arrays by name, to be differentiated by `wrt`."""

    function: Function
    call: Callable[[Any, Mapping[str, Any]], Any]
    declared: Mapping[str, Declared]
    wrt: Sequence[str]
    plain: Sequence[str]

    def code(self, name: str, more: Sequence[str], body: Body) -> TorchCode:
        """`more` are the arguments besides those of forward."""
        title, arguments, plain = f"{self.function.__name__}{name}", named(*self.declared, *more), tuple(self.plain)
        return TorchCode(title, arguments, self.declared, body, (self.function,), plain, self.function, draws=True)

    def outputs(self, inputs: Mapping[str, Any]) -> list[torch.Tensor]:
        """Those that have a gradient."""
        found = self.call(self.function.apply, inputs)
        items = found if isinstance(found, tuple | list) else [found]
        return [o for o in items if isinstance(o, torch.Tensor) and o.requires_grad]

    def forward(self) -> TorchCode:
        return self.code("", (), lambda given, sizes: tuple(self.outputs(leaves(given, self.wrt))))

    def backward(self, upstream: Sequence[str]) -> TorchCode:
        """What autograd makes of its backward: None is 0, and what was broadcast is summed."""

        def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
            inputs = leaves(given, self.wrt)
            return gradients(self.outputs(inputs), {v: inputs[v] for v in self.wrt}, [given[u] for u in upstream])

        return self.code(".backward", upstream, body)

    def first(self, upstream: Sequence[str]) -> TorchCode:
        """The gradients that autograd makes of its backward, in order, to be differentiated once more."""
        once = self.backward(upstream)
        return replace(once, body=lambda given, sizes: tuple(once.body(given, sizes)[v] for v in self.wrt))

    def second(self, upstream: Sequence[str], second: Sequence[str]) -> TorchCode:
        """What autograd makes of its backward when it goes through it, too: by variables and upstream gradients."""

        def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
            inputs = leaves(given, [*self.wrt, *upstream])
            by = {v: inputs[v] for v in self.wrt}
            first = gradients(self.outputs(inputs), by, [inputs[u] for u in upstream], create_graph=True)
            moving = {s: g for s, g in zip(second, first.values(), strict=True) if g.requires_grad}
            variables = {v: inputs[v] for v in (*self.wrt, *upstream)}
            if not moving:
                return {v: torch.zeros_like(x) for v, x in variables.items()}
            return gradients(list(moving.values()), variables, [given[s] for s in moving])

        return self.code(".backward, differentiated", [*upstream, *second], body)


def leaves(given: Mapping[str, Any], wrt: Sequence[str]) -> dict[str, Any]:
    """The arguments, those by which is differentiated as tensors that want a gradient."""
    return {n: x.detach().requires_grad_() if n in wrt else x for n, x in given.items()}


def gradients(
    outputs: Sequence[Any], by: Mapping[str, Any], upstream: Sequence[Any], create_graph: bool = False
) -> dict[str, Any]:
    found = torch.autograd.grad(
        list(outputs), list(by.values()), list(upstream), create_graph=create_graph, allow_unused=True
    )
    return {v: torch.zeros_like(x) if g is None else g for (v, x), g in zip(by.items(), found, strict=True)}
