"""Rules of functions of entries, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.gradients.rules.registry import (
    covered,
    is_number,
    less,
    minus,
    over,
    plus,
    shape,
    times,
    unbroadcast,
    vjp,
)
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special


@vjp("add")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    return unbroadcast(g, (a, b)[k], out)


@vjp("subtract")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    return unbroadcast(minus(g) if k else g, (a, b)[k], out)


@vjp("multiply")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    return unbroadcast(times(g, (b, a)[k]), (a, b)[k], out)


@vjp("divide", "true_divide")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    if k == 0:
        return unbroadcast(over(g, b), a, out)
    return unbroadcast(minus(over(times(g, out), b)), b, out)


@vjp("negative")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return minus(g)


@vjp("positive", "conjugate", "conj", "nan_to_num")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return g


def twice(a: Any, g: Any) -> Any:
    """2 a g, the number with the smaller factor."""
    if is_number(g):
        return times(2 * g, a)
    return np.multiply(times(2, g), a) if shape(g) != shape(a) else times(times(2, a), g)


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


@vjp("square")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return twice(a, g)


@vjp("reciprocal")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return minus(times(g, np.power(out, 2)))


@vjp("sqrt")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return over(g, times(2, out))


@vjp("exp")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, out)


@vjp("expm1")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, plus(out, 1))


@vjp("log")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return over(g, a)


@vjp("log1p")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return over(g, plus(1, a))


@vjp("tanh")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, less(1, np.power(out, 2)))


@vjp("sinh")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, np.cosh(a))


@vjp("cosh")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, np.sinh(a))


@vjp("sin")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, np.cos(a))


@vjp("cos")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return minus(times(g, np.sin(a)))


@vjp("arctan")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return over(g, plus(1, np.power(a, 2)))


@vjp("expit")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(times(g, out), less(1, out))


@vjp("log_expit")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, special.expit(minus(a)))


@vjp("softplus")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, special.expit(a))


@vjp("logaddexp")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    x, y = (a, b) if k == 0 else (b, a)
    return unbroadcast(times(g, special.expit(less(x, y))), x, out)


@vjp("erf")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, np.multiply(np.divide(2, np.sqrt(np.pi)), np.exp(minus(np.power(a, 2)))))


@vjp("absolute")
def _(k: int, g: Any, out: Any, a: Any) -> Any:
    return times(g, np.sign(a))


@vjp("maximum", "fmax")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    x, y = (a, b) if k == 0 else (b, a)
    return unbroadcast(times(g, np.greater(x, y)), x, out)


@vjp("minimum", "fmin")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    x, y = (a, b) if k == 0 else (b, a)
    return unbroadcast(times(g, np.less(x, y)), x, out)


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


# --- rules of functions of one or two numbers that are seldom met in a network, by a table of their slopes ---


Slope = Callable[[Any, Any, Any], Any]  # what reaches the argument, of g, the result and the argument


def square(a: Any) -> Any:
    return np.power(a, 2)


SLOPES: dict[str, Slope] = {
    "tan": lambda g, out, a: over(g, square(np.cos(a))),
    "arcsin": lambda g, out, a: over(g, np.sqrt(less(1, square(a)))),
    "arccos": lambda g, out, a: minus(over(g, np.sqrt(less(1, square(a))))),
    "exp2": lambda g, out, a: times(times(np.log(2), g), out),
    "log2": lambda g, out, a: over(g, times(np.log(2), a)),
    "log10": lambda g, out, a: over(g, times(np.log(10), a)),
    "logit": lambda g, out, a: over(g, times(a, less(1, a))),
    "erfc": lambda g, out, a: minus(times(over(times(2, g), np.sqrt(np.pi)), np.exp(minus(square(a))))),
    "ndtr": lambda g, out, a: over(times(g, np.exp(over(minus(square(a)), 2))), np.sqrt(2 * np.pi)),
    "entr": lambda g, out, a: minus(times(g, plus(np.log(a), 1))),
}


def of_slope(slope: Slope) -> Callable[..., Any]:
    return lambda k, g, out, a: slope(g, out, a)


for operation, slope in SLOPES.items():
    vjp(operation)(of_slope(slope))


@vjp("hypot")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    x = (a, b)[k]
    return unbroadcast(over(times(g, x), out), x, out)


@vjp("xlogy")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    x = (a, b)[k]
    return unbroadcast(times(g, np.log(b) if k == 0 else over(a, b)), x, out)


@vjp("rel_entr")
def _(k: int, g: Any, out: Any, a: Any, b: Any) -> Any:
    x = (a, b)[k]
    return unbroadcast(times(g, plus(np.log(over(a, b)), 1)) if k == 0 else minus(times(g, over(a, b))), x, out)
