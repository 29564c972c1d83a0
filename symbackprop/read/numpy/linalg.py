"""Inverse, determinant and what is written with them.  Batch axes stand in front."""

from __future__ import annotations

from collections.abc import Callable

from .algebra import ZERO_AT, Term, delta, dummy, whole
from .elementwise import unary
from .errors import ShapeMismatch, TraceError
from .products import matmul
from .reductions import add_up, largest, smallest, vector_norm
from .values import UNIT, At, Value, conflict, finite, shape_text


def square(v: Value, what: str) -> None:
    if v.ndim < 2:
        raise ShapeMismatch(f"{what} of an array with {v.ndim} axes")
    if v.shape[-1] != v.shape[-2]:
        raise ShapeMismatch(f"{what} of shape {shape_text(v.shape)}: {conflict(v.shape[-2], v.shape[-1])}")


def of_matrix(v: Value, batch: At, at: At, fn: str) -> Term:
    p, q = dummy(v.shape[-2], "p"), dummy(v.shape[-1], "q")
    return whole(fn, 0, (p, q), v.term((*batch, p, q)), at)


def scalar_case(v: Value, what: str) -> Callable[[At], Term] | None:
    """The only entry of a 1 x 1 matrix."""
    square(v, what)
    return (lambda batch: v.term((*batch, ZERO_AT, ZERO_AT))) if v.shape[-1] == UNIT else None


def determinant(v: Value) -> Value:
    finite(v)
    only = scalar_case(v, "det")
    return Value(v.shape[:-2], "real", only or (lambda at: of_matrix(v, at, (), "det")))


def inverse(v: Value) -> Value:
    finite(v)
    if scalar_case(v, "inv"):
        return unary("reciprocal", v.cast("real"))
    return Value(v.shape, "real", lambda at: of_matrix(v, at[:-2], at[-2:], "inv"))


def pseudo_inverse(v: Value) -> Value:
    """A function of its own: the tables know no law for it."""
    finite(v)
    shape = (*v.shape[:-2], v.shape[-1], v.shape[-2])
    return Value(shape, "real", lambda at: of_matrix(v, at[:-2], at[-2:], "pinv"))


def solve(a: Value, b: Value) -> Value:
    """a^-1 b; b is a vector only when it has one axis."""
    square(a, "solve")
    return matmul(inverse(a), b)


def identity(v: Value) -> Value:
    return Value(v.shape, "real", lambda at: delta(at[-2], at[-1]))


def matrix_power(v: Value, n: int) -> Value:
    square(v, "matrix_power")
    if abs(n) > 64:
        raise TraceError(f"matrix_power with exponent {n}; at most 64 is unrolled")
    base = inverse(v) if n < 0 else v
    if n == 0:
        return identity(v)
    result = base
    for _ in range(abs(n) - 1):
        result = matmul(result, base)
    return result


def matrix_norm(v: Value, order: object, axes: tuple[int, int], keepdims: bool) -> Value:
    rows, columns = axes
    if order == "fro":
        return vector_norm(v, None, axes, keepdims)
    sizes = unary("absolute", v.cast("real"))
    if order in (1, -1, float("inf"), float("-inf")):
        first, second = (rows, columns) if order in (1, -1) else (columns, rows)
        sums = add_up(sizes, first, True)
        extreme = largest(sums, second, True) if order in (1, float("inf")) else smallest(sums, second, True)
        if keepdims:
            return extreme
        gone = set(axes)

        def full(at: At) -> At:
            rest = iter(at)
            return tuple(ZERO_AT if k in gone else next(rest) for k in range(v.ndim))

        return extreme.remap(tuple(s for k, s in enumerate(v.shape) if k not in gone), full)
    raise TraceError(f"the matrix norm {order!r} needs singular values, which have no index term")
