"""np.linalg: inverse, determinant, norms and what is written with them.  Batch axes stand in front."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from symbackprop.core.terms import Term, dummy, whole

from .algebra import delta
from .array import SymArray, wrap
from .axes import UNIT, ZERO_AT, At, conflict, normal_axes, shape_text
from .context import LINALG, NUMPY, ShapeMismatch, TraceError, provides, refuses, rows
from .elementwise import unary
from .layout import squeeze
from .lifting import lifted
from .products import matmul
from .reductions import add_up, largest, smallest
from .reductions import vector_norm as norm_of_vector
from .scalars import SCALAR
from .values import Value, elementwise, finite


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


def solved(a: Value, b: Value) -> Value:
    """a^-1 b; b is a vector only when it has one axis."""
    square(a, "solve")
    return matmul(inverse(a), b)


def identity(v: Value) -> Value:
    return Value(v.shape, "real", lambda at: delta(at[-2], at[-1]))


def norm_of_matrix(v: Value, order: object, axes: tuple[int, int], keepdims: bool) -> Value:
    rows, columns = axes
    if order == "fro":
        return norm_of_vector(v, None, axes, keepdims)
    sizes = unary("absolute", v.cast("real"))
    if order in (1, -1, float("inf"), float("-inf")):
        first, second = (rows, columns) if order in (1, -1) else (columns, rows)
        sums = add_up(sizes, first, True)
        extreme = largest(sums, second, True) if order in (1, float("inf")) else smallest(sums, second, True)
        return extreme if keepdims else squeeze(extreme, axes)
    raise TraceError(f"the matrix norm {order!r} needs singular values, which have no index term")


# --- under NumPy's names ---------------------------------------------------------------------

rows({
    "inv": lambda a: wrap(inverse(lifted(a))),
    "det": lambda a: wrap(determinant(lifted(a))),
    "pinv": lambda a: wrap(pseudo_inverse(lifted(a))),
    "solve": lambda a, b: wrap(solved(lifted(a), lifted(b))),
    "matrix_transpose": lambda x: NUMPY["swapaxes"](x, -1, -2),
    "diagonal": lambda x, *, offset=0: NUMPY["diagonal"](x, offset, -2, -1),
    "vector_norm": lambda x, *, ord=2, axis=None, keepdims=False: wrap(
        norm_of_vector(lifted(x), ord, axis, bool(keepdims))),
}, table=LINALG)  # fmt: skip


class SlogdetResult(NamedTuple):
    sign: Any
    logabsdet: Any


@provides("slogdet", table=LINALG)
def slogdet(a: Any) -> Any:
    det = determinant(lifted(a))
    return SlogdetResult(wrap(unary("sign", det)), wrap(elementwise(SCALAR["log"], unary("absolute", det))))


def multi_dot(arrays: Any) -> Any:
    return reduce(NUMPY["matmul"], arrays)


@provides("matrix_power", table=LINALG, composed=True)
def matrix_power(a: Any, n: Any) -> Any:
    if not isinstance(n, int):
        if isinstance(n, SymArray) and n.known() is not None and n.known() == int(n.known()):
            n = int(n.known())
        else:
            raise TraceError(f"matrix_power with the exponent {n!r}, which is not a plain number")
    square(lifted(a), "matrix_power")
    if abs(n) > 64:
        raise TraceError(f"matrix_power with exponent {n}; at most 64 is unrolled")
    if n == 0:
        return wrap(identity(lifted(a)))
    return multi_dot([a if n > 0 else LINALG["inv"](a)] * abs(n))


rows({"multi_dot": multi_dot}, table=LINALG, composed=True)


@provides("norm", table=LINALG, ord="not of singular values")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    value = lifted(x)
    if isinstance(ord, SymArray):
        ord = ord.known() if ord.known() is not None else float("-inf") if ord.value.holes else ord
    if axis is None:
        if ord is None:
            return wrap(norm_of_vector(value, None, None, bool(keepdims)))
        axes = tuple(range(value.ndim))
    else:
        axes = normal_axes(axis, value.ndim)
    if len(axes) == 1:
        return wrap(norm_of_vector(value, ord, axes, bool(keepdims)))
    if len(axes) != 2:
        raise ShapeMismatch(f"norm of order {ord!r} of shape {shape_text(value.shape)}")
    if ord is None:
        ord = "fro"
    return wrap(norm_of_matrix(value, ord, (axes[0], axes[1]), bool(keepdims)))


@provides("matrix_norm", table=LINALG)
def matrix_norm(x: Any, *, ord: Any = "fro", keepdims: Any = False) -> Any:
    ndim = lifted(x).ndim
    return wrap(norm_of_matrix(lifted(x), ord, (ndim - 2, ndim - 1), bool(keepdims)))


WRITTEN_OUT = 4  # rows of a matrix that is factored entry by entry


@provides("cholesky", table=LINALG, a=f"one matrix of up to {WRITTEN_OUT} rows", upper="no")
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """L of A = L L^T for a matrix of small literal size, row by row from its lower triangle, as NumPy has it."""
    value = lifted(a)
    square(value, "cholesky")
    n = value.shape[-1].constant
    if n is None or n > WRITTEN_OUT or value.ndim != 2 or upper:
        raise TraceError(
            "a Cholesky factor of a symbolic size is not covered: it is read for one matrix of up to "
            f"{WRITTEN_OUT} rows; solve(A, b), inv(A) and slogdet(A) are read for all sizes"
        )
    x = wrap(value)
    lower: list[list[Any]] = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = x[i, j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = NUMPY["sqrt"](rest) if i == j else rest / lower[j][j]
    return NUMPY["array"](lower)


refuses(
    "eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals", "qr", "lstsq", "matrix_rank", "cond", "expm",
    "tensorinv", "tensorsolve", "lu", "schur", "sqrtm", "logm",
    table=LINALG, because="has no index term: factorisations are not covered, solve, inv, det and slogdet are",
)  # fmt: skip
