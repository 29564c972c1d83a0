"""np.dot, np.einsum, np.linalg.inv, ...: products and linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import layout, linalg, products, reductions
from .array import SymArray, wrap
from .context import noted
from .elementwise import unary
from .errors import ShapeMismatch, TraceError
from .lifting import lifted
from .registry import LINALG, NUMPY, provides
from .scalars import SCALAR
from .ufuncs import finished
from .values import Value, elementwise, shape_text


@provides("dot", method=True)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    return finished(products.dot(lifted(a), lifted(b)), out, True)


@provides("vdot")
def vdot(a: Any, b: Any) -> Any:
    return dot(NUMPY["ravel"](a), NUMPY["ravel"](b))


@provides("vecdot")
@provides("vecdot", table=LINALG)
def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    return NUMPY["sum"](NUMPY["multiply"](a, b), axis)


@provides("matvec")
def matvec(a: Any, b: Any) -> Any:
    return wrap(products.contraction((lifted(a), lifted(b)), *core(a, b, "mn", "n", "m"), "matvec"))


@provides("vecmat")
def vecmat(a: Any, b: Any) -> Any:
    return wrap(products.contraction((lifted(a), lifted(b)), *core(a, b, "m", "mn", "n"), "vecmat"))


def core(a: Any, b: Any, left: str, right: str, out: str) -> tuple[tuple[Any, Any], Any]:
    """Labels with broadcast batch axes in front."""
    extra = (lifted(a).ndim - len(left), lifted(b).ndim - len(right))
    return (([*range(-extra[0], 0), *left], [*range(-extra[1], 0), *right]), [*range(-max(extra), 0), *out])


@provides("inner")
def inner(a: Any, b: Any) -> Any:
    return wrap(products.inner(lifted(a), lifted(b)))


@provides("outer")
@provides("outer", table=LINALG)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    x, y = (layout.reshape(v, [None]) if v.ndim != 1 else v for v in (lifted(a), lifted(b)))
    return finished(products.outer(x, y), out, True)


@provides("einsum")
def einsum(subscripts: Any, *operands: Any, out: Any = None, optimize: Any = None, **_: Any) -> Any:
    if not isinstance(subscripts, str):
        return einsum_lists((subscripts, *operands))
    return finished(products.einsum(subscripts, [lifted(x) for x in operands]), out, True)


def einsum_lists(given: tuple[Any, ...]) -> Any:
    """The form einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    pairs = len(given) // 2
    values = [lifted(given[2 * k]) for k in range(pairs)]
    inputs = [list(given[2 * k + 1]) for k in range(pairs)]
    if any(x is Ellipsis for labels in inputs for x in labels):
        raise TraceError("einsum with lists and an Ellipsis: write the letters as text")
    every = [x for labels in inputs for x in labels]
    output = list(given[-1]) if len(given) % 2 else sorted(x for x in set(every) if every.count(x) == 1)
    return wrap(products.contraction(values, inputs, output, "einsum"))


@provides("einsum_path")
def einsum_path(*_: Any, **__: Any) -> Any:
    return ["einsum_path"], ""


@provides("tensordot")
@provides("tensordot", table=LINALG)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = lifted(a), lifted(b)
    if isinstance(axes, int):
        left, right = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
    return wrap(products.tensordot(x, y, left, right))


@provides("trace", method=True)
@provides("trace", table=LINALG)
def trace(a: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1, **_: Any) -> Any:
    value = lifted(a)
    if offset == 0 and value.shape[axis1] == value.shape[axis2]:
        return wrap(products.trace(value, axis1, axis2))
    return NUMPY["sum"](NUMPY["diagonal"](a, offset, axis1, axis2), -1)


@provides("kron")
def kron(a: Any, b: Any) -> Any:
    wide, shape = products.kron(lifted(a), lifted(b))
    return wrap(layout.reshape(wide, shape))


@provides("cross")
def cross(a: Any, b: Any, *_: Any, **__: Any) -> Any:
    x, y = NUMPY["asarray"](a), NUMPY["asarray"](b)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeMismatch("cross needs vectors of three entries")
    p, q = [x[..., k] for k in range(3)], [y[..., k] for k in range(3)]
    return NUMPY["stack"]([p[(k + 1) % 3] * q[(k + 2) % 3] - p[(k + 2) % 3] * q[(k + 1) % 3] for k in range(3)], -1)


# --- np.linalg -------------------------------------------------------------------------------


def of_matrix(run: Callable[[Value], Value]) -> Callable[..., Any]:
    return lambda a, *_, **__: wrap(run(lifted(a)))


LINALG["inv"] = noted("inv")(of_matrix(linalg.inverse))
LINALG["det"] = noted("det")(of_matrix(linalg.determinant))
LINALG["pinv"] = noted("pinv")(of_matrix(linalg.pseudo_inverse))
LINALG["matmul"] = NUMPY["matmul"]


class SlogdetResult(tuple[Any, Any]):
    """(sign, logabsdet) by place and by name."""

    @property
    def sign(self) -> Any:
        return self[0]

    @property
    def logabsdet(self) -> Any:
        return self[1]


@provides("slogdet", table=LINALG)
def slogdet(a: Any) -> Any:
    det = linalg.determinant(lifted(a))
    return SlogdetResult((wrap(unary("sign", det)), wrap(elementwise(SCALAR["log"], unary("absolute", det)))))


@provides("solve", table=LINALG)
def solve(a: Any, b: Any, **options: Any) -> Any:
    if options.get("lower") or options.get("assume_a") not in (None, "gen", "sym", "pos") or options.get("transposed"):
        raise TraceError("solve with options")
    return wrap(linalg.solve(lifted(a), lifted(b)))


@provides("matrix_power", table=LINALG)
def matrix_power(a: Any, n: Any) -> Any:
    if not isinstance(n, int):
        if isinstance(n, SymArray) and n.known() is not None and n.known() == int(n.known()):
            n = int(n.known())
        else:
            raise TraceError(f"matrix_power with the exponent {n!r}, which is not a plain number")
    return wrap(linalg.matrix_power(lifted(a), n))


@provides("multi_dot", table=LINALG)
def multi_dot(arrays: Any, **_: Any) -> Any:
    result = arrays[0]
    for a in arrays[1:]:
        result = NUMPY["matmul"](result, a)
    return result


@provides("matrix_transpose", table=LINALG)
def matrix_transpose(a: Any) -> Any:
    return NUMPY["swapaxes"](a, -1, -2)


@provides("diagonal", table=LINALG)
def linalg_diagonal(a: Any, *, offset: Any = 0) -> Any:
    return NUMPY["diagonal"](a, offset, -2, -1)


@provides("norm", table=LINALG)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    value = lifted(x)
    if isinstance(ord, SymArray):
        ord = ord.known() if ord.known() is not None else float("-inf") if ord.value.holes else ord
    if axis is None:
        if ord is None:
            return wrap(reductions.vector_norm(value, None, None, bool(keepdims)))
        axes = tuple(range(value.ndim))
    else:
        axes = reductions.normal_axes(axis, value.ndim)
    if len(axes) == 1:
        return wrap(reductions.vector_norm(value, ord, axes, bool(keepdims)))
    if len(axes) != 2:
        raise ShapeMismatch(f"norm of order {ord!r} of shape {shape_text(value.shape)}")
    if ord is None:
        ord = "fro"
    return wrap(linalg.matrix_norm(value, ord, (axes[0], axes[1]), bool(keepdims)))


@provides("vector_norm", table=LINALG)
def vector_norm(x: Any, *, ord: Any = 2, axis: Any = None, keepdims: Any = False) -> Any:
    return wrap(reductions.vector_norm(lifted(x), ord, axis, bool(keepdims)))


@provides("matrix_norm", table=LINALG)
def matrix_norm(x: Any, *, ord: Any = "fro", keepdims: Any = False) -> Any:
    ndim = lifted(x).ndim
    return wrap(linalg.matrix_norm(lifted(x), ord, (ndim - 2, ndim - 1), bool(keepdims)))


for refused in ("cholesky", "eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals", "qr", "lstsq", "matrix_rank",
                "cond", "expm", "tensorinv", "tensorsolve", "lu", "schur", "sqrtm", "logm"):  # fmt: skip

    def refuse(*_: Any, name: str = refused, **__: Any) -> Any:
        raise TraceError(f"np.linalg.{name} has no index term")

    LINALG[refused] = refuse
