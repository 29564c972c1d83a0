"""Rules of matrix products and contractions, and of sums, means, norms and their like along axes."""

from __future__ import annotations

from typing import Any

from symbackprop.gradients.rules.registry import (
    axes_of, count, covered, full, less, minus, ndim, over, spread_back, times, unbroadcast, vjp,
)  # fmt: skip
from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import Node, array_of, node_of


def is_swap(n: Node | None) -> bool:
    """A transpose of the last two axes."""
    if n is None:
        return False
    match n.operation, n.args[1:]:
        case "T", _:
            return n.ndim == 2
        case "matrix_transpose", _:
            return True
        case "swapaxes", (int(a), int(b)):
            return {a % n.ndim, b % n.ndim} == {n.ndim - 1, n.ndim - 2}
        case _:
            return False


def swap(x: Any) -> Any:
    """The transpose of the last two axes: of a transpose what it is of, of a product that of the factors."""
    n = node_of(x)
    if n is not None and is_swap(n):
        return array_of(n.args[0])
    if n is not None and n.backward and n.operation == "matmul" and all(a.ndim > 1 for a in n.args):
        a, b = map(array_of, n.args)
        return np.matmul(swap(b), swap(a))
    return x.T if ndim(x) == 2 else np.swapaxes(x, -1, -2)


@vjp("matmul", "dot")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    g = full(g, out)
    match ndim(a), ndim(b):
        case 1, 1:
            return times(g, (b, a)[k])
        case n, 1:
            if k == 0:
                return np.multiply(np.expand_dims(g, -1), b)
            covered(n == 2)
            return np.matmul(a.T, g)
        case 1, n:
            covered(n == 2)
            return np.matmul(b, g) if k == 0 else np.outer(a, g)
        case _:
            found = np.matmul(g, swap(b)) if k == 0 else np.matmul(swap(a), g)
            return unbroadcast(found, (a, b)[k], found)


@vjp("einsum")
def _(k: int, g: Any, out: Any, spec: Any, *operands: Any, **_: Any) -> Any:
    covered(k > 0 and isinstance(spec, str) and "." not in spec)
    ins, arrow, result = spec.replace(" ", "").partition("->")
    words = ins.split(",")
    covered(bool(arrow) and len(words) == len(operands))
    mine, others = words[k - 1], [w for n, w in enumerate(words) if n != k - 1]
    rest = [o for n, o in enumerate(operands) if n != k - 1]
    covered(len(set(mine)) == len(mine) and set(mine) <= set(result).union(*others))
    return np.einsum(",".join([result, *others]) + "->" + mine, full(g, out), *rest)


@vjp("outer")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    covered(ndim(a) == ndim(b) == 1)
    g = full(g, out)
    return np.matmul(g, b) if k == 0 else np.matmul(g.T, a)


@vjp("inner", "vdot")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    covered(ndim(a) == ndim(b) == 1)
    return times(g, (b, a)[k])


@vjp("trace")
def _(k: int, g: Any, out: Any, a: Any, *rest: Any) -> Any:
    covered(ndim(a) == 2 and not rest)
    return times(g, np.eye(*a.shape))


@vjp("diag", "diagonal")
def _(k: int, g: Any, out: Any, a: Any, *rest: Any) -> Any:
    covered(ndim(a) <= 2 and not rest)
    if ndim(a) == 1:
        return np.diagonal(full(g, out))
    return times(g, np.eye(a.shape[0]))


@vjp("inv")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    back = swap(out)
    return minus(np.matmul(np.matmul(back, full(g, out)), back))


@vjp("solve")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    covered(ndim(a) == 2 or ndim(a) == ndim(b))
    back = linalg.solve(swap(a), full(g, out))
    if k == 1:
        return back
    return minus(np.outer(back, out) if ndim(b) == 1 else np.matmul(back, swap(out)))


@vjp("slogdet[1]")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(for_matrices(g, a), swap(linalg.inv(a)))


@vjp("det")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(for_matrices(times(g, out), a), swap(linalg.inv(a)))


def for_matrices(g: Any, a: Any) -> Any:
    """A number for each matrix of a stack, with axes to multiply them."""
    return g if ndim(a) == 2 or not ndim(g) else g[..., None, None]


# --- rules of sums, means, norms and their like along axes ---


@vjp("sum")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return spread_back(g, a, axis, keepdims)


@vjp("mean")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return over(spread_back(g, a, axis, keepdims), count(a, axis))


@vjp("var")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Any:
    scale = over(times(2, spread_back(g, a, axis, keepdims)), count(a, axis) - ddof)
    return times(scale, less(a, np.mean(a, axis=axis, keepdims=True)))


@vjp("std")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Any:
    scale = over(spread_back(over(g, out), a, axis, keepdims), count(a, axis) - ddof)
    return times(scale, less(a, np.mean(a, axis=axis, keepdims=True)))


@vjp("max", "min")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return times(spread_back(g, a, axis, keepdims), np.equal(a, spread_back(out, a, axis, keepdims)))


@vjp("logsumexp")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False) -> Any:
    covered(b is None)
    shares = np.exp(less(a, spread_back(out, a, axis, keepdims)))
    return times(spread_back(g, a, axis, keepdims), shares)


@vjp("softmax")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    return times(out, less(g, np.sum(times(g, out), axis=axis, keepdims=True)))


@vjp("log_softmax")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    return less(g, times(np.exp(out), np.sum(full_like(g, out), axis=axis, keepdims=True)))


def full_like(g: Any, out: Any) -> Any:
    return np.broadcast_to(g, out.shape) if ndim(g) < ndim(out) else g


@vjp("norm", "vector_norm")
def _(k: int, g: Any, out: Any, a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    covered(ord in (None, 2) and (axis is None or ndim(a) == 1 or isinstance(axis, int)))
    return times(spread_back(over(g, out), a, axis, keepdims), a)


@vjp("cumsum")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    covered(axis is not None or ndim(a) == 1)
    n = axes_of(0 if axis is None else axis, ndim(a))[0]
    return np.flip(np.cumsum(np.flip(full_like(g, out), axis=n), axis=n), axis=n)
