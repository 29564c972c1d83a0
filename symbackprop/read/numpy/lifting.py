"""From Python and NumPy values to immutable arrays."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

from .algebra import index_of, num, sized
from .context import current
from .errors import TraceError
from .values import Dtype, Value, constant, integer, minus_infinity, stacked

DIGITS = 7  # a decimal with that many digits may be a rounded number
KINDS: dict[str, Dtype] = {"b": "bool", "i": "int", "u": "narrow", "f": "real"}
LIMIT = 100_000


def exact(x: float, written: str | None = None) -> Fraction:
    """The shortest decimal of a float; a rounded third is taken for the third, and remembered as rounded."""
    if not math.isfinite(x):
        raise TraceError(f"the number {x} has no index term")
    if x == int(x) and abs(x) < 2**53:
        return Fraction(int(x))
    text = written or repr(float(x))
    value = Fraction(text)
    digits = text.lower().split("e")[0].replace(".", "").replace("-", "").strip("0")
    if len(digits) >= DIGITS:
        simple = value.limit_denominator(1000)
        if len(digits) >= 15 and float(simple) == x:
            value = simple
        current().rounded[float(x)] = value
    return value


def lifted(x: Any) -> Value:
    """An array-like as a Value.  Raises TraceError for what is neither a number nor an array."""
    value = getattr(x, "value", None)
    if isinstance(value, Value):
        return value
    if isinstance(x, Value):
        return x
    if isinstance(x, bool):
        return constant(x, "bool")
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        return from_numpy(x)
    if isinstance(x, Integral):
        return integer(index_of(int(x)))
    if isinstance(x, Rational):
        return constant(Fraction(int(x.numerator), int(x.denominator)))
    if isinstance(x, list | tuple):
        return stacked([lifted(y) for y in x])
    if isinstance(x, range):
        return stacked([lifted(y) for y in x])
    if isinstance(x, float):
        return minus_infinity() if x == -math.inf else constant(exact(x))
    if isinstance(x, complex):
        raise TraceError("complex numbers are not supported")
    raise TraceError(f"a {type(x).__name__} where a number or an array is needed")


def dtype_kind(dtype: Any) -> Dtype | None:
    """What a NumPy dtype is to us; a float of another width than 64 bits is remembered: casts to it copy."""
    kind = KINDS.get(dtype.kind)
    if kind == "int" and dtype.itemsize != 8:
        return "narrow"
    if kind == "real" and dtype.itemsize != 8:
        current().other_floats = True
    return kind


def from_numpy(x: Any) -> Value:
    kind = dtype_kind(x.dtype)
    if kind is None:
        raise TraceError(f"an array of {x.dtype} where numbers are needed")
    if x.size > LIMIT:
        raise TraceError(f"a constant array of {x.size} numbers; at most {LIMIT} are read")
    if x.ndim:
        if x.shape[0] == 0:
            return Value(tuple(sized(s) for s in x.shape), kind, lambda at: num(0))
        return stacked([from_numpy(row) for row in x])
    if kind == "bool":
        return constant(bool(x), "bool")
    if kind in ("int", "narrow"):
        return integer(index_of(int(x))).cast(kind)
    number = float(x)
    if number == -math.inf:
        return minus_infinity()
    return constant(exact(number, str(x[()] if x.dtype.itemsize < 8 else number)))
