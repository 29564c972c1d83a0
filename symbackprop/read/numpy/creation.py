"""Functions that make arrays: zeros, eye, arange, array, full, ..."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy

from symbackprop.core.terms import IndexExpr, Size, Term, affine, sized

from .algebra import delta, gate
from .array import SymArray, wrap
from .axes import ZERO_AT, At, at_least_zero, constant_of, difference, exact_quotient, index_of, shifted
from .context import NUMPY, TraceError, current, provides, rows
from .indexing import Places
from .lifting import SymInt, dtype_kind, expression, length, length_of, lengths, lifted, size_number, size_of
from .elementwise import masking
from .scalars import rounded
from .steps import logical_not, truth
from .values import ORDER, Dtype, Value, constant, integer, integers, known, stretched

PYTHON_TYPES: tuple[tuple[type, Dtype], ...] = ((float, "real"), (int, "int"), (bool, "bool"))
LETTERS: dict[Dtype, str] = {"bool": "bool", "int": "int64", "real": "float64"}
DOUBLE = (None, float, numpy.float64, "float", "float64", "d", "f8")


def dtype_of(kind: Dtype) -> Any:
    if kind == "narrow":
        raise TraceError("the dtype of integers of less than 64 bits is asked for")
    if current().other_floats and kind == "real":
        raise TraceError("the dtype of floats is asked for where floats of another width than 64 bits occur")
    return numpy.dtype(LETTERS[kind])


NUMPY["dtype_of"] = dtype_of


def dtype_named(dtype: Any, default: Dtype) -> Dtype:
    """A dtype argument; precision makes no difference to real numbers."""
    if dtype is None:
        return default
    plain = getattr(dtype, "original", dtype)
    for python_type, own in PYTHON_TYPES:
        if plain is python_type:
            return own
    try:
        kind = dtype_kind(numpy.dtype(plain))
    except TypeError:
        raise TraceError(f"dtype {dtype!r} is not understood") from None
    if kind is None:
        raise TraceError(f"arrays of dtype {dtype!r} are not supported")
    return kind


def computed_in(v: Value, dtype: Any, name: str) -> Value:
    """An operand under the option dtype=, where the cast changes no number."""
    if dtype is None:
        return v
    kind = dtype_named(dtype, v.dtype)
    if ORDER[kind] < ORDER[v.dtype] or kind in ("bool", "narrow"):
        raise TraceError(f"np.{name} with dtype={dtype!r}, which cuts or wraps numbers")
    return v.cast(kind)


def is_double(dtype: Any) -> bool:
    """Whether a cast of floats to this dtype keeps them as they are, as far as they have 64 bits themselves."""
    plain = getattr(dtype, "original", dtype)
    return not current().other_floats and (plain in DOUBLE or plain == numpy.dtype(float))


def converted(v: Value, kind: Dtype) -> Value:
    """astype: to wider numbers, or to truth values."""
    if v.dtype == kind:
        return v
    if kind == "bool":
        return truth(v)
    if kind == "int" and v.dtype == "real":
        number = known(v)
        if number is not None:
            return constant(int(number), "int")
        size = rounded("int", v)
        if size is not None:
            return integer(index_of(size))
        raise TraceError("real numbers are cut to integers, which has no index term")
    if kind == "narrow" and v.dtype != "bool":
        raise TraceError("numbers are cast to integers of less than 64 bits, where they may wrap around")
    return v.cast(kind)


@provides("astype", method=True, dtype="to integers of less than 64 bits only from booleans",
          copy="copy=False is the array itself where NumPy says so")  # fmt: skip
def astype(x: Any, dtype: Any, copy: Any = True) -> Any:
    value = lifted(x)
    if not copy and isinstance(x, SymArray) and not x.scalar:
        return aliased(x, dtype)
    result = converted(value, dtype_named(dtype, value.dtype))
    return wrap(result) if isinstance(x, SymArray) and x.scalar else SymArray(result)


def aliased(x: SymArray, dtype: Any) -> SymArray:
    """x itself where the dtype is the one it has; a copy, or what may be either, otherwise."""
    kind = dtype_named(dtype, x.value.dtype)
    if kind != x.value.dtype or kind == "narrow":
        return SymArray(converted(x.value, kind))
    if kind != "real" or dtype is None or is_double(dtype):
        return x
    return loose(x)


def loose(x: SymArray) -> SymArray:
    """The same entries, in an array that may be the same or a copy."""
    result = x.view(lambda v: v, lambda old, new: new)
    result._straight, result._loose = x._straight, True
    return result


def filled(shape: Any, fill: Value) -> SymArray:
    return straight(SymArray(stretched(fill, lengths(shape))))


def straight(x: SymArray) -> SymArray:
    """An array that NumPy has just laid out in row-major order."""
    x._straight = True
    return x


@provides("zeros", "empty", where="np.empty is read as zeros")
def zeros(shape: Any, dtype: Any = None) -> SymArray:
    return filled(shape, constant(0, dtype_named(dtype, "real")))


@provides("full")
def full(shape: Any, fill_value: Any, dtype: Any = None) -> SymArray:
    value = lifted(fill_value)
    return filled(shape, masking(converted(value, dtype_named(dtype, value.dtype))))


def alike(x: Any, fill: Value, shape: Any) -> SymArray:
    """The fill in the shape of x, and in its memory order where that is known."""
    result = SymArray(stretched(fill, tuple(lifted(x).shape) if shape is None else lengths(shape)))
    if isinstance(x, SymArray):
        result._straight = x._straight or result.ndim < 2
    return result


@provides("full_like")
def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> SymArray:
    kind = dtype_named(dtype, lifted(a).dtype)
    return alike(a, masking(converted(lifted(fill_value), kind)), shape)


def grid(N: Any, M: Any, k: Any, dtype: Any, entry: Callable[[IndexExpr, IndexExpr], Term]) -> SymArray:
    """A matrix whose entries are those of row + k and column."""
    rows = length_of(N, "the number of rows")
    columns = rows if M is None else length_of(M, "the number of columns")
    offset = size_of(k, "the diagonal")
    return SymArray(Value((rows, columns), dtype_named(dtype, "real"), lambda at: entry(shifted(at[0], offset), at[1])))


def steps(start: Size, stop: Size, by: int) -> Size:
    """How many numbers range(start, stop, by) has."""
    span = stop - start if by > 0 else start - stop
    count = span if abs(by) == 1 else exact_quotient(span, sized(abs(by)))
    if span.constant is not None:
        return sized(max(0, -(-span.constant // abs(by))))
    if count is None:
        raise TraceError(f"a range over {span} in steps of {abs(by)} is not even for all sizes: use '{abs(by)}*n'")
    return length(count, "a range")


@provides("arange", where="whole numbers")
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> SymArray:
    first, last = (0, start) if stop is None else (start, stop)
    e, f = expression(first), expression(last)
    if isinstance(step, float) and step == int(step):
        step, dtype = int(step), dtype or float
    ends: list[IndexExpr] = []
    for given, found in ((first, e), (last, f)):
        if found is None:
            number = known(lifted(given))
            if number is None or number.denominator != 1:
                raise TraceError("arange of numbers that are not whole")
            found, dtype = index_of(int(number)), dtype or float
        ends.append(found)
    if not isinstance(step, int) or step == 0:
        raise TraceError("arange with a step that is not a plain whole number")
    span = constant_of(difference(ends[1], ends[0]))
    if span is None:
        raise TraceError("an arange whose length depends on a loop index or on the data")
    count = steps(sized(0), span, step)
    kind = dtype_named(dtype, "int")
    if kind in ("bool", "narrow"):
        raise TraceError(f"np.arange with dtype={dtype!r}, whose numbers may not fit")

    def place(at: At) -> IndexExpr:
        return affine(0, [(ends[0], 1), (at[0], step)])

    return SymArray(integers((count,), place).cast(kind))


@provides("linspace", num="at least two points for all sizes, as in 'n+1'")
def linspace(start: Any, stop: Any, num: Any = 50, endpoint: Any = True) -> Any:
    count = length_of(num, "the number of points")
    gaps = count - 1 if endpoint else count
    if gaps.constant is None and not at_least_zero(gaps - 1):
        raise TraceError(f"linspace of {count} points, which may be one point for some sizes: write 'n+1' points")
    place = SymArray(integers((count,), lambda at: at[0]))
    divide, multiply, add, subtract = (NUMPY[n] for n in ("divide", "multiply", "add", "subtract"))
    if gaps == sized(0):
        return filled((count,), lifted(start).cast("real"))
    part = divide(place, SymInt(index_of(gaps)) if gaps.constant is None else gaps.constant)
    return add(start, multiply(part, subtract(stop, start)))


def array_of(x: Any, dtype: Any) -> Value:
    value = lifted(x)
    return converted(value, dtype_named(dtype, value.dtype))


@provides("array", copy="True, or None or False, which give the array itself where NumPy does")
def array(x: Any, dtype: Any = None, copy: Any = True, ndmin: int = 0) -> SymArray:
    if copy is not True and not ndmin:
        return asarray(x, dtype)
    value = array_of(x, dtype)
    lead = (sized(1),) * max(0, ndmin - value.ndim)
    result = SymArray(value.remap((*lead, *value.shape), lambda at: at[len(lead) :]) if lead else value)
    return straight(result) if not isinstance(x, SymArray) or x._straight else result


@provides("asarray", "asanyarray", "asarray_chkfinite")
def asarray(x: Any, dtype: Any = None, copy: Any = None) -> SymArray:
    if isinstance(x, SymArray) and not x.scalar and not copy:
        return aliased(x, dtype)
    return SymArray(array_of(x, dtype))


@provides("ascontiguousarray", where="written to only where the array is known to lie in row-major order")
def ascontiguousarray(x: Any, dtype: Any = None) -> SymArray:
    result = asarray(x, dtype)
    if result.ndim == 0:
        return result.view(
            lambda v: v.remap((sized(1),), lambda at: ()), lambda old, new: new.remap((), lambda at: (ZERO_AT,))
        )
    return result if result is not x or result._straight else loose(result)


@provides("asfortranarray", where="not written to")
def asfortranarray(x: Any, dtype: Any = None) -> SymArray:
    result = ascontiguousarray(x, dtype)
    return result if result is not x else loose(result)


@provides("copy", method=True)
def copy(x: Any) -> Any:
    result = SymArray(lifted(x), scalar=isinstance(x, SymArray) and x.scalar)
    return straight(result) if isinstance(x, SymArray) and x._straight else result


@provides("item", method=True)
def item(x: Any, *args: Any) -> Any:
    if args:
        return x[args[0] if len(args) == 1 else args]
    value = lifted(x)
    if any(s != sized(1) for s in value.shape):
        raise TraceError("item() of an array with more than one entry")
    return wrap(value.remap((), lambda at: (ZERO_AT,) * value.ndim))


@provides("tolist", method=True)
def tolist(x: Any) -> Any:
    if x.ndim == 0:
        return x
    return [tolist(row) if isinstance(row, SymArray) else row for row in x]


@provides("fill", method=True)
def fill(x: SymArray, value: Any) -> None:
    x.assign(lifted(value))


@provides("copyto")
def copyto(target: SymArray, source: Any, where: Any = True) -> None:
    target[... if where is True else where] = source


@provides("putmask", "place")
def putmask(target: SymArray, mask: Any, values: Any) -> None:
    target[mask] = values


@provides("fill_diagonal")
def fill_diagonal(target: SymArray, value: Any) -> None:
    if target.ndim != 2 or lifted(value).ndim:
        raise TraceError("fill_diagonal of an array with two axes, and with one number, is understood")
    rows = arange(target.shape[0])
    target[rows, rows] = value


ONE_INDEX = "of symbolic sizes it is one index, as in x[np.triu_indices(n)]"


@provides("tril_indices", where=ONE_INDEX)
def tril_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    if isinstance(n, int) and isinstance(m, int | None):
        return numpy.tril_indices(n, k, m)
    return Places(grid(n, m, k, bool, at_or_below).value)


@provides("triu_indices", where=ONE_INDEX)
def triu_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    if isinstance(n, int) and isinstance(m, int | None):
        return numpy.triu_indices(n, k, m)
    return Places(logical_not(grid(n, m, k - 1, bool, at_or_below).value))


def at_or_below(i: IndexExpr, j: IndexExpr) -> Term:
    return gate(difference(i, j))


@provides("ix_")
def ix_(*args: Any) -> Any:
    shapes = [tuple(-1 if k == n else 1 for k in range(len(args))) for n in range(len(args))]
    return tuple(NUMPY["reshape"](asarray(a), s) for a, s in zip(args, shapes, strict=True))


@provides("indices")
def indices(dimensions: Any) -> Any:
    sizes = lengths(dimensions)
    grids = [integers(sizes, itemgetter(k)) for k in range(len(sizes))]
    return SymArray(lifted([SymArray(g) for g in grids]))


@provides("meshgrid")
def meshgrid(*args: Any, indexing: str = "xy") -> Any:
    values = [lifted(a) for a in args]
    if any(v.ndim != 1 for v in values):
        raise TraceError("meshgrid of arrays with one axis each is understood")
    order = list(range(len(values)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = order[1], order[0]
    shape = tuple(values[k].shape[0] for k in order)
    place = {k: n for n, k in enumerate(order)}
    return [SymArray(v.remap(shape, lambda at, k=k: (at[place[k]],))) for k, v in enumerate(values)]  # type: ignore[misc]


@provides("size")
def size(x: Any, axis: int | None = None) -> Any:
    sizes = shape(x)
    return NUMPY["prod"](sizes) if axis is None else sizes[axis]


def shape(a: Any) -> Any:
    return tuple(size_number(s) for s in lifted(a).shape)


rows({
    "ones": lambda shape, dtype=None: filled(shape, constant(1, dtype_named(dtype, "real"))),
    "ones_like": lambda a, dtype=None, shape=None: alike(a, constant(1, dtype_named(dtype, lifted(a).dtype)), shape),
    "zeros_like empty_like":
        lambda a, dtype=None, shape=None: alike(a, constant(0, dtype_named(dtype, lifted(a).dtype)), shape),
    "eye": lambda N, M=None, k=0, dtype=None: grid(N, M, k, dtype, delta),
    "tri": lambda N, M=None, k=0, dtype=None: grid(N, M, k, dtype, at_or_below),
    "identity": lambda n, dtype=None: grid(n, None, 0, dtype, delta),
    "diag_indices": lambda n, ndim=2: tuple(arange(n) for _ in range(ndim)),
    "tril_indices_from": lambda arr, k=0: tril_indices(arr.shape[0], k, arr.shape[1]),
    "triu_indices_from": lambda arr, k=0: triu_indices(arr.shape[0], k, arr.shape[1]),
    "diag_indices_from": lambda arr: tuple(arange(arr.shape[0]) for _ in range(arr.ndim)),
    "shape": shape,
    "ndim": lambda a: lifted(a).ndim,
    "isscalar":
        lambda element: element.scalar if isinstance(element, SymArray)
        else isinstance(element, SymInt) or bool(numpy.isscalar(element)),
})  # fmt: skip
