"""Functions that make arrays: zeros, eye, arange, array, full, ..."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy

from .algebra import (
    ZERO_AT,
    IndexExpr,
    Size,
    affine,
    at_least_zero,
    constant_of,
    delta,
    difference,
    exact_quotient,
    gate,
    index_of,
    shifted,
    sized,
)
from .array import SymArray, wrap
from .errors import TraceError
from .keys import size_list
from .lifting import lifted
from .registry import NUMPY, provides
from .sizes import SymInt, expression, size_number, size_of
from .truth import truth
from .values import At, Dtype, Value, constant, known, stretched

NAMES: dict[str, Dtype] = {"b": "bool", "i": "int", "u": "int", "f": "real"}
PYTHON_TYPES: tuple[tuple[type, Dtype], ...] = ((float, "real"), (int, "int"), (bool, "bool"))
LETTERS: dict[Dtype, str] = {"bool": "bool", "int": "int64", "real": "float64"}


@provides("dtype_of")
def dtype_of(kind: Dtype) -> Any:
    return numpy.dtype(LETTERS[kind])


def dtype_named(dtype: Any, default: Dtype) -> Dtype:
    """A dtype argument; precision makes no difference to real numbers."""
    if dtype is None:
        return default
    plain = getattr(dtype, "original", dtype)
    for python_type, kind in PYTHON_TYPES:
        if plain is python_type:
            return kind
    try:
        letter = numpy.dtype(plain).kind
    except TypeError:
        raise TraceError(f"dtype {dtype!r} is not understood") from None
    if letter not in NAMES:
        raise TraceError(f"arrays of dtype {dtype!r} are not supported")
    return NAMES[letter]


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
        raise TraceError("real numbers are cut to integers, which has no index term")
    return v.cast(kind)


@provides("astype", method=True)
def astype(x: Any, dtype: Any, *_: Any, **__: Any) -> Any:
    value = lifted(x)
    result = converted(value, dtype_named(dtype, value.dtype))
    return wrap(result) if isinstance(x, SymArray) and x.scalar else SymArray(result)


def filled(shape: Any, fill: Value) -> SymArray:
    return SymArray(stretched(fill, size_list(shape)))


@provides("zeros", "empty")
def zeros(shape: Any, dtype: Any = None, order: Any = "C", **_: Any) -> SymArray:
    return filled(shape, constant(0, dtype_named(dtype, "real")))


@provides("ones")
def ones(shape: Any, dtype: Any = None, order: Any = "C", **_: Any) -> SymArray:
    return filled(shape, constant(1, dtype_named(dtype, "real")))


@provides("full")
def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **_: Any) -> SymArray:
    value = lifted(fill_value)
    return filled(shape, converted(value, dtype_named(dtype, value.dtype)))


def like(x: Any, shape: Any) -> Any:
    return tuple(lifted(x).shape) if shape is None else size_list(shape)


@provides("zeros_like", "empty_like")
def zeros_like(a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None) -> SymArray:
    kind = dtype_named(dtype, lifted(a).dtype)
    return SymArray(stretched(constant(0, kind), like(a, shape)))


@provides("ones_like")
def ones_like(a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None) -> SymArray:
    kind = dtype_named(dtype, lifted(a).dtype)
    return SymArray(stretched(constant(1, kind), like(a, shape)))


@provides("full_like")
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None
) -> SymArray:
    kind = dtype_named(dtype, lifted(a).dtype)
    return SymArray(stretched(converted(lifted(fill_value), kind), like(a, shape)))


@provides("eye")
def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, order: Any = "C", **_: Any) -> SymArray:
    rows = size_of(N, "the size of eye")
    columns = rows if M is None else size_of(M, "the size of eye")
    offset = size_of(k, "the diagonal")
    kind = dtype_named(dtype, "real")
    return SymArray(Value((rows, columns), kind, lambda at: delta(shifted(at[0], offset), at[1])))


@provides("identity")
def identity(n: Any, dtype: Any = None, **_: Any) -> SymArray:
    return eye(n, dtype=dtype)


@provides("tri")
def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, **_: Any) -> SymArray:
    rows = size_of(N, "the size of tri")
    columns = rows if M is None else size_of(M, "the size of tri")
    offset = size_of(k, "the diagonal")
    kind = dtype_named(dtype, "real")
    return SymArray(Value((rows, columns), kind, lambda at: gate(shifted(difference(at[0], at[1]), offset))))


def steps(start: Size, stop: Size, by: int) -> Size:
    """How many numbers range(start, stop, by) has."""
    span = stop - start if by > 0 else start - stop
    count = span if abs(by) == 1 else exact_quotient(span, sized(abs(by)))
    if span.constant is not None:
        return sized(max(0, -(-span.constant // abs(by))))
    if count is None:
        raise TraceError(f"a range over {span} in steps of {abs(by)} is not even for all sizes: use '{abs(by)}*n'")
    if not at_least_zero(count + 1):
        raise TraceError(f"a range of {count} entries: that it is not negative is not known for all sizes")
    return count


@provides("arange")
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, **_: Any) -> SymArray:
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

    def place(at: At) -> IndexExpr:
        return affine(0, [(ends[0], 1), (at[0], step)])

    return SymArray(Value((count,), "int", None, place).cast(kind))


@provides("linspace")
def linspace(start: Any, stop: Any, num: Any = 50, endpoint: Any = True, **_: Any) -> Any:
    count = size_of(num, "the number of points")
    gaps = count - 1 if endpoint else count
    place = SymArray(Value((count,), "int", None, lambda at: at[0]))
    divide, multiply, add, subtract = (NUMPY[n] for n in ("divide", "multiply", "add", "subtract"))
    if gaps == sized(0):
        return filled((count,), lifted(start).cast("real"))
    part = divide(place, SymInt(index_of(gaps)) if gaps.constant is None else gaps.constant)
    return add(start, multiply(part, subtract(stop, start)))


def array_of(x: Any, dtype: Any) -> Value:
    value = lifted(x)
    return converted(value, dtype_named(dtype, value.dtype))


@provides("array")
def array(x: Any, dtype: Any = None, copy: Any = True, ndmin: int = 0, **_: Any) -> SymArray:
    value = array_of(x, dtype)
    lead = (sized(1),) * max(0, ndmin - value.ndim)
    return SymArray(value.remap((*lead, *value.shape), lambda at: at[len(lead) :]) if lead else value)


@provides("asarray", "asanyarray", "ascontiguousarray", "asfarray", "asarray_chkfinite", "require")
def asarray(x: Any, dtype: Any = None, *_: Any, **__: Any) -> SymArray:
    value = array_of(x, dtype)
    if isinstance(x, SymArray) and not x.scalar and value is x.value:
        return x
    return SymArray(value)


@provides("copy", method=True)
def copy(x: Any, *_: Any, **__: Any) -> Any:
    return SymArray(lifted(x), scalar=isinstance(x, SymArray) and x.scalar)


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
def copyto(target: SymArray, source: Any, **options: Any) -> None:
    if options.get("where", True) is not True:
        target[options["where"]] = source
    else:
        target.assign(lifted(source))


@provides("putmask", "place")
def putmask(target: SymArray, mask: Any, values: Any) -> None:
    target[mask] = values


@provides("fill_diagonal")
def fill_diagonal(target: SymArray, value: Any, wrap: Any = False) -> None:
    n = target.shape[0]
    rows = arange(n)
    target[rows, rows] = value


@provides("diag_indices")
def diag_indices(n: Any, ndim: int = 2) -> Any:
    return tuple(arange(n) for _ in range(ndim))


@provides("diag_indices_from")
def diag_indices_from(x: Any) -> Any:
    return diag_indices(x.shape[0], x.ndim)


@provides("ix_")
def ix_(*args: Any) -> Any:
    shapes = [tuple(-1 if k == n else 1 for k in range(len(args))) for n in range(len(args))]
    return tuple(NUMPY["reshape"](asarray(a), s) for a, s in zip(args, shapes, strict=True))


@provides("indices")
def indices(dimensions: Any, dtype: Any = None, sparse: bool = False) -> Any:
    sizes = size_list(dimensions)
    grids = [Value(sizes, "int", None, itemgetter(k)) for k in range(len(sizes))]
    return SymArray(lifted([SymArray(g) for g in grids]))


@provides("meshgrid")
def meshgrid(*args: Any, indexing: str = "xy", **_: Any) -> Any:
    values = [lifted(a) for a in args]
    order = list(range(len(values)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = order[1], order[0]
    shape = tuple(values[k].shape[0] for k in order)
    place = {k: n for n, k in enumerate(order)}
    return [SymArray(v.remap(shape, lambda at, k=k: (at[place[k]],))) for k, v in enumerate(values)]  # type: ignore[misc]


@provides("shape")
def shape(x: Any) -> Any:
    return tuple(size_number(s) for s in lifted(x).shape)


@provides("ndim")
def ndim(x: Any) -> int:
    return lifted(x).ndim


@provides("size")
def size(x: Any, axis: int | None = None) -> Any:
    sizes = shape(x)
    return NUMPY["prod"](sizes) if axis is None else sizes[axis]


@provides("isscalar")
def isscalar(x: Any) -> bool:
    return x.scalar if isinstance(x, SymArray) else isinstance(x, SymInt) or bool(numpy.isscalar(x))
