"""Rules of matrix products and contractions, and of sums, means, norms and their like along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.gradients.rules.registry import (
    axes_of, count, covered, full, is_number, less, minus, ndim, over, plus, rows, shape, spread_back, times,
    unbroadcast, vjp,
)  # fmt: skip
from symbackprop.read.numpy import Node, array_of, node_of
from symbackprop.read.numpy import TRACED_LINALG as linalg
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special


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


def for_matrices(g: Any, a: Any) -> Any:
    """A number for each matrix of a stack, with axes to multiply them."""
    return g if ndim(a) == 2 or not ndim(g) else g[..., None, None]


rows({
    "slogdet[1]": lambda k, g, out, a: times(for_matrices(g, a), swap(linalg.inv(a))),
    "det": lambda k, g, out, a: times(for_matrices(times(g, out), a), swap(linalg.inv(a))),
})


# --- rules of sums, means, norms and their like along axes ---


def full_like(g: Any, out: Any) -> Any:
    return np.broadcast_to(g, out.shape) if ndim(g) < ndim(out) else g


def at_extreme(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return times(spread_back(g, a, axis, keepdims), np.equal(a, spread_back(out, a, axis, keepdims)))


rows({
    "sum": lambda k, g, out, a, axis=None, keepdims=False: spread_back(g, a, axis, keepdims),
    "mean": lambda k, g, out, a, axis=None, keepdims=False: over(spread_back(g, a, axis, keepdims), count(a, axis)),
    **dict.fromkeys(("max", "min"), at_extreme),
    "softmax": lambda k, g, out, a, axis=None: times(out, less(g, np.sum(times(g, out), axis=axis, keepdims=True))),
    "log_softmax": lambda k, g, out, a, axis=None: less(
        g, times(np.exp(out), np.sum(full_like(g, out), axis=axis, keepdims=True))
    ),
})


@vjp("var")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Any:
    scale = over(times(2, spread_back(g, a, axis, keepdims)), count(a, axis) - ddof)
    return times(scale, less(a, np.mean(a, axis=axis, keepdims=True)))


@vjp("std")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, keepdims: Any = False, ddof: Any = 0) -> Any:
    scale = over(spread_back(over(g, out), a, axis, keepdims), count(a, axis) - ddof)
    return times(scale, less(a, np.mean(a, axis=axis, keepdims=True)))


@vjp("logsumexp")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False) -> Any:
    covered(b is None)
    shares = np.exp(less(a, spread_back(out, a, axis, keepdims)))
    return times(spread_back(g, a, axis, keepdims), shares)


@vjp("norm", "vector_norm")
def _(k: int, g: Any, out: Any, a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    covered(ord in (None, 2) and (axis is None or ndim(a) == 1 or isinstance(axis, int)))
    return times(spread_back(over(g, out), a, axis, keepdims), a)


@vjp("cumsum")
def _(k: int, g: Any, out: Any, a: Any, axis: Any = None) -> Any:
    covered(axis is not None or ndim(a) == 1)
    n = axes_of(0 if axis is None else axis, ndim(a))[0]
    return np.flip(np.cumsum(np.flip(full_like(g, out), axis=n), axis=n), axis=n)


# --- rules of functions of entries, with broadcasting: a row for each, of what reaches its arguments ---
# A row says it of the upstream gradient, the result and the arguments; what was broadcast is summed afterwards.


OfOne = Callable[[Any, Any, Any], Any]  # of g, the result and the argument
OfTwo = Callable[[Any, Any, Any, Any], Any]  # of g, the result and both arguments


def squared(a: Any) -> Any:
    return np.power(a, 2)


def twice(a: Any, g: Any) -> Any:
    """2 a g, the number with the smaller factor."""
    if is_number(g):
        return times(2 * g, a)
    return np.multiply(times(2, g), a) if shape(g) != shape(a) else times(times(2, a), g)


OF_ONE: dict[str, OfOne] = {
    "negative": lambda g, out, a: minus(g),
    "square": lambda g, out, a: twice(a, g),
    "reciprocal": lambda g, out, a: minus(times(g, squared(out))),
    "sqrt": lambda g, out, a: over(g, times(2, out)),
    "exp": lambda g, out, a: times(g, out),
    "exp2": lambda g, out, a: times(times(np.log(2), g), out),
    "expm1": lambda g, out, a: times(g, plus(out, 1)),
    "log": lambda g, out, a: over(g, a),
    "log2": lambda g, out, a: over(g, times(np.log(2), a)),
    "log10": lambda g, out, a: over(g, times(np.log(10), a)),
    "log1p": lambda g, out, a: over(g, plus(1, a)),
    "logit": lambda g, out, a: over(g, times(a, less(1, a))),
    "tanh": lambda g, out, a: times(g, less(1, squared(out))),
    "sinh": lambda g, out, a: times(g, np.cosh(a)),
    "cosh": lambda g, out, a: times(g, np.sinh(a)),
    "sin": lambda g, out, a: times(g, np.cos(a)),
    "cos": lambda g, out, a: minus(times(g, np.sin(a))),
    "tan": lambda g, out, a: over(g, squared(np.cos(a))),
    "arctan": lambda g, out, a: over(g, plus(1, squared(a))),
    "arcsin": lambda g, out, a: over(g, np.sqrt(less(1, squared(a)))),
    "arccos": lambda g, out, a: minus(over(g, np.sqrt(less(1, squared(a))))),
    "expit": lambda g, out, a: times(times(g, out), less(1, out)),
    "log_expit": lambda g, out, a: times(g, special.expit(minus(a))),
    "softplus": lambda g, out, a: times(g, special.expit(a)),
    "erf": lambda g, out, a: times(g, np.multiply(np.divide(2, np.sqrt(np.pi)), np.exp(minus(squared(a))))),
    "erfc": lambda g, out, a: minus(times(over(times(2, g), np.sqrt(np.pi)), np.exp(minus(squared(a))))),
    "ndtr": lambda g, out, a: over(times(g, np.exp(over(minus(squared(a)), 2))), np.sqrt(2 * np.pi)),
    "entr": lambda g, out, a: minus(times(g, plus(np.log(a), 1))),
    "absolute": lambda g, out, a: times(g, np.sign(a)),
    **dict.fromkeys(("positive", "conjugate", "conj", "nan_to_num"), lambda g, out, a: g),
}

OF_TWO: dict[str, tuple[OfTwo, OfTwo]] = {
    "add": (lambda g, out, a, b: g, lambda g, out, a, b: g),
    "subtract": (lambda g, out, a, b: g, lambda g, out, a, b: minus(g)),
    "multiply": (lambda g, out, a, b: times(g, b), lambda g, out, a, b: times(g, a)),
    **dict.fromkeys(("divide", "true_divide"), (
        lambda g, out, a, b: over(g, b), lambda g, out, a, b: minus(over(times(g, out), b)),
    )),
    "hypot": (lambda g, out, a, b: over(times(g, a), out), lambda g, out, a, b: over(times(g, b), out)),
    "xlogy": (lambda g, out, a, b: times(g, np.log(b)), lambda g, out, a, b: times(g, over(a, b))),
    "rel_entr": (
        lambda g, out, a, b: times(g, plus(np.log(over(a, b)), 1)), lambda g, out, a, b: minus(times(g, over(a, b))),
    ),
    "logaddexp": (
        lambda g, out, a, b: times(g, special.expit(less(a, b))),
        lambda g, out, a, b: times(g, special.expit(less(b, a))),
    ),
    **dict.fromkeys(("maximum", "fmax"), (
        lambda g, out, a, b: times(g, np.greater(a, b)), lambda g, out, a, b: times(g, np.greater(b, a)),
    )),
    **dict.fromkeys(("minimum", "fmin"), (
        lambda g, out, a, b: times(g, np.less(a, b)), lambda g, out, a, b: times(g, np.less(b, a)),
    )),
}  # fmt: skip


def of_one(row: OfOne) -> Callable[..., Any]:
    return lambda k, g, out, a: row(g, out, a)


def of_two(row: tuple[OfTwo, OfTwo]) -> Callable[..., Any]:
    return lambda k, g, out, a, b: unbroadcast(row[k](g, out, a, b), (a, b)[k], out)


rows({operation: of_one(row) for operation, row in OF_ONE.items()})
rows({operation: of_two(row) for operation, row in OF_TWO.items()})


@vjp("power", "float_power", "pow")
def _(k: int, g: Any, out: Any, a: Any, n: Any) -> Any:
    if k == 1:
        return unbroadcast(times(times(g, out), np.log(a)), n, out)
    match n:
        case _ if not is_number(n):
            return unbroadcast(times(times(g, n), np.power(a, less(n, 1))), a, out)
        case 2:
            return twice(a, g)
        case -1:
            return minus(times(g, np.power(out, 2)))
        case 0.5:
            return over(g, times(2, out))
        case -0.5:
            return times(-0.5, times(g, np.power(out, 3)))
        case _:
            return times(times(n, np.power(a, n - 1)), g)


@vjp("clip")
def _(k: int, g: Any, out: Any, a: Any, low: Any = None, high: Any = None) -> Any:
    covered(k == 0)
    for limit, inside in ((low, np.greater), (high, np.less)):
        if limit is not None:
            g = times(g, inside(a, limit))
    return unbroadcast(g, a, out)


@vjp("where")
def _(k: int, g: Any, out: Any, c: Any, a: Any, b: Any) -> Any:
    covered(k > 0)
    return unbroadcast(np.where(c, g, 0.0) if k == 1 else np.where(c, 0.0, g), (a, b)[k - 1], out)
