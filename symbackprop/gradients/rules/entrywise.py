"""Rules of functions of entries, with broadcasting: a row for each, of what reaches its arguments.

A row says it of the upstream gradient, the result and the arguments; what was broadcast is summed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.gradients.rules.registry import (
    covered, is_number, less, minus, over, plus, shape, times, unbroadcast, vjp,
)  # fmt: skip
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special

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


for operation, one in OF_ONE.items():
    vjp(operation)(of_one(one))
for operation, two in OF_TWO.items():
    vjp(operation)(of_two(two))


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
