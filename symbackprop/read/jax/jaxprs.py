"""Functions of JAX's traced on symbolic shapes, from Python code to a jaxpr, as ones that the NumPy reader can call."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from symbackprop.core.terms import sized
from symbackprop.read.numpy import Declared, ShapeMismatch, SymArray, SymInt, TraceError, size_number
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.tracing import at_place, symbol
from symbackprop.read.numpy.values import Value

from .evaluation import Copies, Evaluation, mentions
from .sizes import Dimensions, Found, aliases, asked_sizes, dimension, last_user_line

DTYPES = {"real": np.float64, "int": np.int64, "bool": np.bool_, "narrow": np.int8}
LOCK = threading.RLock()
STRUCT: Any = jax.ShapeDtypeStruct


@dataclass(frozen=True, slots=True)
class Program:
    """A jaxpr, the structure of its result, and the sizes by JAX's names."""

    jaxpr: Any
    structure: Any
    sizes: Mapping[str, Any]

    def run(self, arrays: list[Any], copies: Copies = None) -> Any:
        return jax.tree.unflatten(self.structure, Evaluation(self.sizes, copies).results(self.jaxpr, arrays))

    def mentions(self, primitive: str) -> bool:
        return mentions(self.jaxpr, primitive)


def program(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Program:
    """function(**arguments) as a jaxpr, where the symbolic arrays among the arguments are its inputs.

    Raises TraceError, and ShapeMismatch for what JAX refuses at all sizes.
    """
    arrays = {n: lifted(x) for n, x in arguments.items() if symbolic(x)}
    plain = {n: x for n, x in arguments.items() if n not in arrays}
    symbols = sorted({s for v in arrays.values() for size in v.shape for s in size.symbols})
    names = aliases(symbols)
    structs = [struct(v, names) for v in arrays.values()]

    def positional(*given: Any) -> Any:
        return function(**plain, **dict(zip(arrays, given, strict=True)))

    jaxpr, structure = traced(positional, structs, bool(symbols))
    return Program(jaxpr, structure, {names[s]: size_number(sized(s)) for s in symbols})


def symbolic(x: Any) -> bool:
    return isinstance(x, SymArray | SymInt | Value)


def struct(v: Value, names: Mapping[str, str]) -> Any:
    """What JAX needs to know of an argument."""
    return STRUCT(tuple(dimension(s, names) for s in v.shape), DTYPES[v.dtype])


# --- tracing -----------------------------------------------------------------------------------


def traced(function: Callable[..., Any], structs: list[Any], symbols: bool) -> tuple[Any, Any]:
    """The jaxpr, in 64 bits so that constants are what is written, and the structure of the result."""
    try:
        with LOCK, jax.enable_x64(True), asked_sizes():
            jaxpr, shape = jax.make_jaxpr(function, return_shape=True)(*structs)
    except TraceError:
        raise
    except Exception as error:
        raise refusal(function, structs, symbols, error) from error
    return jaxpr, jax.tree.structure(shape)


def refusal(function: Callable[..., Any], structs: list[Any], symbols: bool, error: Exception) -> TraceError:
    """What JAX says, with the user's line.  It is about shapes where JAX refuses the same at plain sizes, too."""
    kind = TraceError
    if about_shapes(error) and (not symbols or refused_at_sizes(function, structs)):
        kind = ShapeMismatch
    message = " ".join(str(error).split("\n\n")[0].splitlines()).strip() or type(error).__name__
    place = last_user_line(error)
    text = f"JAX: {type(error).__name__}: {message}"
    return kind(at_place(text, place))


def about_shapes(error: Exception) -> bool:
    return type(error) in (TypeError, ValueError, IndexError)


def refused_at_sizes(function: Callable[..., Any], structs: list[Any]) -> bool:
    """Whether JAX refuses the function at sizes that are numbers, distinct ones, as well."""
    read = Dimensions(Found(prime))
    at = [STRUCT(tuple(map(read, s.shape)), s.dtype) for s in structs]
    try:
        with LOCK, jax.enable_x64(True):
            jax.make_jaxpr(function)(*at)
    except Exception as error:
        return about_shapes(error)
    return False


def prime(_: str, k: int) -> int:
    """A size of its own for each name."""
    return (5, 7, 11, 13, 17, 19, 23, 29, 31, 37)[k % 10] + 40 * (k // 10)


# --- for the NumPy reader ----------------------------------------------------------------------


class Jittable:
    """function(**arguments) on symbolic arrays, through its jaxpr.

    `source` is the user's function that it stands for; what `copies` does with a stop_gradient see Evaluation.  Such
    an object takes the place of a NumPy function in a check: the tracer calls it as it is.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        names: Sequence[str] | None = None,
        source: Callable[..., Any] | None = None,
        copies: Copies = None,
    ) -> None:
        self.source, self.copies = source or function, copies
        self.__name__ = str(getattr(self.source, "__name__", "function"))
        self.__signature__ = inspect.signature(function) if names is None else signature(names)
        self.function = function if names is not None else in_order(function, self.__signature__)

    def __call__(self, *args: Any, **options: Any) -> Any:
        given = self.__signature__.bind(*args, **options).arguments
        if not any(map(symbolic, given.values())):
            raise TraceError("a function of JAX's is read, not run")
        arrays = [x for x in given.values() if symbolic(x)]
        return program(self.function, given).run(arrays, self.copies)

    def holding(self, copies: Copies) -> Jittable:
        """The same, with another meaning of stop_gradient."""
        found = copy(self)
        found.copies = copies
        return found

    def stops_gradients(self, arguments: Mapping[str, Any]) -> bool:
        """Whether some value is held constant.  Arguments as for `trace`."""
        return self.program(arguments).mentions("stop_gradient")

    def runs(self, arguments: Mapping[str, Any]) -> bool:
        """Whether JAX traces it on these arguments."""
        try:
            self.program(arguments)
        except TraceError:
            return False
        return True

    def program(self, arguments: Mapping[str, Any]) -> Program:
        return program(self.function, {n: symbol(n, x) if isinstance(x, Declared) else x for n, x in arguments.items()})


def in_order(function: Callable[..., Any], expected: inspect.Signature) -> Callable[..., Any]:
    """The function called by position where it can be: what JAX wraps may know no names."""

    def by_name(**given: Any) -> Any:
        bound = expected.bind(**given)
        return function(*bound.args, **bound.kwargs)

    return by_name


def signature(names: Sequence[str]) -> inspect.Signature:
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])
