"""Functions of JAX's traced on symbolic shapes: from Python code to a jaxpr."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import export

from symbackprop.core.terms import Size, sized
from symbackprop.read.numpy import ShapeMismatch, SymArray, SymInt, TraceError, size_number
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.values import Value

from .dimensions import Dimensions, aliases, written
from .evaluation import Copies, Evaluation, mentions
from .frames import last_user_line, located
from .sizes import SCOPE, asked_sizes

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


def dimension(size: Size, names: Mapping[str, str]) -> Any:
    if size.constant is not None:
        return size.constant
    return export.symbolic_shape(written(size, names), scope=SCOPE)[0]


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
    return kind(located(text, *place) if place else text)


def about_shapes(error: Exception) -> bool:
    return type(error) in (TypeError, ValueError, IndexError)


def refused_at_sizes(function: Callable[..., Any], structs: list[Any]) -> bool:
    """Whether JAX refuses the function at sizes that are numbers, distinct ones, as well."""
    read = Dimensions(Prime())
    at = [STRUCT(tuple(map(read, s.shape)), s.dtype) for s in structs]
    try:
        with LOCK, jax.enable_x64(True):
            jax.make_jaxpr(function)(*at)
    except Exception as error:
        return about_shapes(error)
    return False


class Prime(dict[str, int]):
    """A size of its own for each name."""

    def __missing__(self, name: str) -> int:
        self[name] = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37)[len(self) % 10] + 40 * (len(self) // 10)
        return self[name]
