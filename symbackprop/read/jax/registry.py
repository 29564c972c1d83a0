"""The table from JAX's primitives to what reads them: calls on symbolic arrays of the NumPy reader.

The functions of the NumPy reader are called by name, so that each operation has one meaning; the table of
docs/jax-primitives.md is printed from this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.core.terms import ONE, ZERO, Add, Holds, Mul, Num, Positive, Power, Term
from symbackprop.read.documented import Table
from symbackprop.read.numpy import SymArray, TraceError, Value
from symbackprop.read.numpy.algebra import positive
from symbackprop.read.numpy.axes import at_least_zero, constant_of, somewhere
from symbackprop.read.numpy.context import HOMES, LINALG, NUMPY, SPECIAL, current
from symbackprop.read.numpy.context import REFUSED as NUMPY_REFUSED
from symbackprop.read.numpy.lifting import expression, lifted
from symbackprop.read.numpy.elementwise import masking
from symbackprop.read.numpy.scalars import affine_of, digits, recognised


@dataclass(frozen=True)
class Step:
    """One equation of a jaxpr: its parameters, and what is known of its results."""

    evaluation: Any
    equation: Any

    @property
    def name(self) -> str:
        return str(self.equation.primitive.name)

    @property
    def params(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.equation.params
        return found

    @cached_property
    def shape(self) -> tuple[Any, ...]:
        """Of the first result, sizes as symbolic whole numbers."""
        return self.sizes(self.equation.outvars[0].aval.shape)

    @cached_property
    def kind(self) -> str:
        """Of the first result: "bool", "int", "narrow" or "real"."""
        return kind_of(self.equation.outvars[0].aval.dtype)

    def size(self, dimension: Any) -> Any:
        """A dimension among the parameters as a whole number, symbolic or not."""
        return self.evaluation.dimensions(dimension)

    def sizes(self, dimensions: Any) -> tuple[Any, ...]:
        return tuple(map(self.size, dimensions))

    def run(self, jaxpr: Any, *operands: Any) -> list[Any]:
        """The results of an inner jaxpr."""
        found: list[Any] = self.evaluation.results(jaxpr, operands)
        return found


LAX = Table()  # run(step, *operands) of a primitive of several results gives a list


def reads_as(primitive: str, name: str, run: Callable[..., Any], where: str = "") -> None:
    """Register a primitive that is this function of the NumPy reader; refused where that refuses it, or has it not."""
    why = [NUMPY_REFUSED[home, name] for _, home in HOMES if (home, name) in NUMPY_REFUSED]
    if why or not any(name in table for table in (NUMPY, SPECIAL, LINALG)):
        LAX.refuses(primitive, because=why[0] if why else "has no counterpart that is read")
    else:
        LAX(primitive, where=where)(run)


def axes(given: Iterable[Any]) -> tuple[int, ...]:
    """As plain numbers, which NumPy's need not be."""
    return tuple(map(int, given))


# --- kinds of numbers: JAX's dtypes as the NumPy reader has them, literals as exact numbers -------


SHORT, LONG = 6, 12  # digits of a float32 that was written as a decimal, and of the same number in 64 bits


def numpy_function(name: str) -> Any:
    """A function of the NumPy reader.  Raises TraceError where it has none of the name."""
    for table in (NUMPY, SPECIAL, LINALG):
        if name in table:
            return table[name]
    raise TraceError(f"{name} is not among the functions that are read")


def call(name: str, *args: Any, **options: Any) -> Any:
    return numpy_function(name)(*args, **options)


def kind_of(dtype: Any) -> str:
    """Precision makes no difference to real numbers; whole numbers of 32 bits hold sizes, places and labels."""
    found = np.dtype(dtype).kind if dtype_is_numpy(dtype) else "V"
    if found == "V" and "float" in str(dtype):  # bfloat16, float8_e4m3fn, ...
        return "real"
    if found in "iu":
        return "int" if found == "i" and np.dtype(dtype).itemsize >= 4 else "narrow"
    if found not in "bf":
        raise TraceError(f"an array of {dtype}, of which no real numbers are read")
    return {"b": "bool", "f": "real"}[found]


def dtype_is_numpy(dtype: Any) -> bool:
    try:
        np.dtype(dtype)
    except TypeError:
        return False
    return True


def is_whole(kind: str) -> bool:
    return kind in ("int", "narrow")


def cast(x: Any, kind: str) -> Any:
    """x as numbers of another kind."""
    value = lifted(x)
    if kind == value.dtype:
        return x
    if kind == "bool":
        return call("not_equal", x, 0)
    if kind == "real" and expression(x) is not None:  # a size: in code that is written it stays one
        return x if current().recorder is not None else SymArray(value.cast("real"), scalar=True)
    if kind == "real":
        return call("astype", as_array(x), float)
    if kind == "int" and value.dtype != "narrow":
        return call("astype", as_array(x), np.int64)
    return call("astype", as_array(x), np.int8 if kind == "narrow" else np.int64)


def as_array(x: Any) -> SymArray:
    return x if isinstance(x, SymArray) else SymArray(lifted(x))


# --- constants -------------------------------------------------------------------------------


def constant(x: Any) -> Any:
    """A literal or a constant array of a jaxpr; a nan is a number without a value."""
    array = np.asarray(x)
    kind = kind_of(array.dtype)
    if kind == "real":
        if array.dtype.kind == "V":
            array = array.astype(np.float32)
        if array.size and not np.isfinite(array).any() and np.isnan(array).all():
            return SymArray(nothing(array.shape))
        array = as_written(array)
        if not array.ndim:
            return real_number(float(array))
    return array if array.ndim else array[()]


def real_number(x: float) -> Any:
    """A number as the expression that it is the value of, where it is seen to be one; in code that is written not."""
    t = recognised(x) if current().recorder is None else None
    return SymArray(masking(lifted(x) if t is None else Value((), "real", lambda at: t)), scalar=True)


def is_minus_infinity(x: Any) -> bool:
    """Whether it is that number, not one that masks."""
    value = lifted(x)
    return value.ndim == 0 and value.holes and not value.soft and value.hole(()) == ONE


def nothing(shape: tuple[int, ...]) -> Value:
    """Entries that are nan: 1/0, which has no value either."""
    return Value(lifted(np.zeros(shape)).shape, "real", lambda at: Power(ZERO, Fraction(-1)))


def as_written(array: Any) -> Any:
    """In 64 bits; a number that JAX has rounded to 32 bits before is the decimal that it was written as."""
    if array.dtype.itemsize < 8:
        return np.vectorize(lambda t: float(str(t)), otypes=[float])(array) if array.size else array.astype(float)
    return np.vectorize(written, otypes=[float])(array) if array.size else array


def written(number: float) -> float:
    """0.1 for 0.10000000149011612, the float32 that is nearest to it."""
    if not math.isfinite(number) or abs(number) > 1e38:
        return number
    short = np.float32(number)
    if float(short) != number or digits(str(short)) > SHORT or digits(repr(number)) < LONG or dyadic(number):
        return number
    return float(str(short))


def dyadic(number: float) -> bool:
    """A small whole number over a power of two, which a float32 has exactly."""
    top = number.as_integer_ratio()[0]
    return abs(top) >> ((top & -top).bit_length() - 1) < 2**16


# --- what the sizes settle -------------------------------------------------------------------


def settled_truth(condition: Any) -> bool | None:
    """True or False where a condition is that for all entries and sizes; None where it depends."""
    if isinstance(condition, bool | np.bool_):
        return bool(condition)
    value = lifted(condition)
    return truth_of(value.term(somewhere(value.shape)))


def truth_of(t: Term) -> bool | None:
    match t:
        case Num(value):
            return bool(value)
        case Holds(Positive(u)):
            e = affine_of(u)
            size = None if e is None else constant_of(e)
            if size is not None and at_least_zero(-size):
                return False
            return True if positive(u) or (size is not None and at_least_zero(size - 1)) else None
        case Add((Mul((Num(k), inner)), Num(one))) if k == -1 and one == 1:
            found = truth_of(inner)
            return None if found is None else not found
        case _:
            return None
