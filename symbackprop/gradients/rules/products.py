"""Rules of matrix products and contractions."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import Node, array_of, node_of

from .registry import covered, full, minus, ndim, times, unbroadcast, vjp


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
