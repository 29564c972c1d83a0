"""Rules of functions of one or two numbers that are seldom met in a network, by a table of their slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np

from .registry import less, minus, over, plus, times, unbroadcast, vjp

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
