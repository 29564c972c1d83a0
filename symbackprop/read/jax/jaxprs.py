"""Functions of JAX's, from Python code to a jaxpr, and a jaxpr on symbolic arrays, for the NumPy reader to call."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import numpy as np

from symbackprop.core.terms import SymbackpropError, arrays, dummy, sized
from symbackprop.read.numpy import Declared, ShapeMismatch, SymArray, SymInt, TraceError, Value, size_number
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.steps import renamed
from symbackprop.read.numpy.tracing import at_place, symbol

from . import arranging, calls, entries  # noqa: F401  they fill the table
from .registry import LAX, Step, constant
from .sizes import Dimensions, Found, aliases, asked_sizes, assigned_name, dimension, last_user_line, user_line

Copies: TypeAlias = Mapping[str, str] | None


class Evaluation:
    """Evaluates jaxprs whose dimensions are these sizes, by JAX's names.

    `copies` say what a stop_gradient makes of a value: the same value of copies of these arrays, which are not
    differentiated by.  None refuses it.
    """

    def __init__(self, sizes: Mapping[str, Any], copies: Copies = None) -> None:
        self.dimensions, self.copies = Dimensions(sizes), copies
        self.placed: set[int] = set()  # errors that have their place
        self.named: dict[tuple[str, int], Any] = {}

    def results(self, closed: Any, operands: Sequence[Any]) -> list[Any]:
        """The results of a jaxpr, closed or without constants."""
        jaxpr, consts = getattr(closed, "jaxpr", closed), getattr(closed, "consts", ())
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, map(constant, consts), strict=True))
        known.update(zip(jaxpr.invars, operands, strict=True))
        for equation in needed(jaxpr):
            found = self.result(equation, [self.operand(known, v) for v in equation.invars])
            known.update(zip(equation.outvars, found if isinstance(found, list) else [found], strict=True))
        return [self.operand(known, v) for v in jaxpr.outvars]

    def name(self, recorder: Any, found: Any, place: tuple[str, int]) -> None:
        """The user's name for what a line computes last, which stands for it in derivations."""
        name = assigned_name(*place)
        node = recorder.node_of(found) if isinstance(found, SymArray) else None
        if name is None or node is None or node.name is not None:
            return
        before = self.named.get(place)
        if before is not None:
            before.name = None
        node.name, node.depth, self.named[place] = name, 0, node

    def held(self, x: Any) -> Any:
        value = lifted(x)
        if value.dtype != "real":
            return x
        if not self.copies:
            if self.copies is None and arrays(value.term(tuple(map(dummy, value.shape)))):
                raise TraceError("stop_gradient: a value is held constant, which is read by the checks of rules only")
            return x
        copies = self.copies
        return SymArray(value.rewritten(lambda t: renamed(t, copies)), scalar=not value.shape)

    def operand(self, known: Mapping[Any, Any], variable: Any) -> Any:
        return constant(variable.val) if hasattr(variable, "val") else known[variable]

    def result(self, equation: Any, operands: list[Any]) -> Any:
        step = Step(self, equation)
        place = user_line(equation.source_info.traceback)
        recorder = current().recorder
        if recorder is not None and place is not None:
            recorder.line = place
        try:
            found = run(step, operands)
            if recorder is not None and place is not None:
                self.name(recorder, found, place)
            return found
        except SymbackpropError as error:
            if id(error) in self.placed or place is None:
                raise
            better = type(error)(at_place(str(error), place)) if isinstance(error, TraceError) else error
            self.placed.add(id(better))
            raise better from error
        finally:
            if recorder is not None:
                recorder.line = None


def run(step: Step, operands: list[Any]) -> Any:
    meaning = LAX.meaning(step.name)
    if meaning is None:
        raise TraceError(f"JAX's primitive {step.name} is not read")
    return meaning.run(step, *operands)


def mentions(closed: Any, primitive: str) -> bool:
    """Whether a primitive stands in a jaxpr, or in one inside it."""
    jaxpr = getattr(closed, "jaxpr", closed)
    for equation in jaxpr.eqns:
        inner = [y for x in equation.params.values() for y in (x if isinstance(x, tuple | list) else (x,))]
        if equation.primitive.name == primitive or any(mentions(y, primitive) for y in inner if is_jaxpr(y)):
            return True
    return False


def is_jaxpr(x: Any) -> bool:
    return hasattr(getattr(x, "jaxpr", x), "eqns")


def needed(jaxpr: Any) -> list[Any]:
    """The equations that the results depend on, in order."""
    wanted = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if any(v in wanted for v in equation.outvars):
            kept.append(equation)
            wanted.update(v for v in equation.invars if not hasattr(v, "val"))
    return kept[::-1]


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
