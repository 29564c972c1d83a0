"""Functions of one number as terms.

Where a function has a kink it is written with step functions H(u) = 1 where u > 0, else 0:
|x| = x (H(x) - H(-x)),  sign x = H(x) - H(-x).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from symbackprop.core.functions import ROWS
from symbackprop.core.terms import Array, Entry

from .algebra import ONE, Num, Term, applied, minus, negated, num, plus, power, step, times
from .context import TraceError, current
from .factors import over_by, partial, positive

HALF = num(Fraction(1, 2))
Scalar: TypeAlias = Callable[[Term], Term]


def pi() -> Term:
    """The number π, which stays a symbol."""
    state = current()
    if "pi" in state.names:
        raise TraceError("an argument called pi and the number np.pi: rename the argument")
    state.constants.add("pi")
    return Entry(Array("pi"), ())


# --- one argument ----------------------------------------------------------------------------


def exp(x: Term) -> Term:
    return applied("exp", x)


def log(x: Term) -> Term:
    return applied("log", x)


def sqrt(x: Term) -> Term:
    return power(x, Fraction(1, 2))


def square(x: Term) -> Term:
    return power(x, 2)


def sigmoid(x: Term) -> Term:
    return applied("sigmoid", x)


def sign(x: Term) -> Term:
    return ONE if positive(x) and not partial(x) else minus(step(x), step(negated(x)))


def absolute(x: Term) -> Term:
    if isinstance(x, Num):
        return num(abs(x.value))
    return x if positive(x) else times(x, sign(x))


def sine(x: Term) -> Term:
    return applied("sin", x)


def cosine(x: Term) -> Term:
    return applied("cos", x)


def arcsine(x: Term) -> Term:
    return applied("atan", over_by(x, sqrt(minus(ONE, square(x)))))


def sinc(x: Term) -> Term:
    return over_by(sine(times(pi(), x)), times(pi(), x))


def named(fn: str) -> Scalar:
    return lambda x: applied(fn, x)


SCALAR: dict[str, Scalar] = {
    "negative": negated,
    "positive": lambda x: x,
    **{f.operation: named(f.name) for f in ROWS},
    "exp2": lambda x: exp(times(x, log(num(2)))),
    "expm1": lambda x: minus(exp(x), ONE),
    "log2": lambda x: over_by(log(x), log(num(2))),
    "log10": lambda x: over_by(log(x), log(num(10))),
    "log1p": lambda x: log(plus(ONE, x)),
    "sqrt": sqrt,
    "cbrt": lambda x: times(sign(x), power(absolute(x), Fraction(1, 3))),
    "square": square,
    "reciprocal": lambda x: power(x, -1),
    "tan": lambda x: over_by(sine(x), cosine(x)),
    "sinh": lambda x: times(HALF, minus(exp(x), exp(negated(x)))),
    "cosh": lambda x: times(HALF, plus(exp(x), exp(negated(x)))),
    "arcsin": arcsine,
    "arccos": lambda x: minus(times(HALF, pi()), arcsine(x)),
    "arctanh": lambda x: times(HALF, log(over_by(plus(ONE, x), minus(ONE, x)))),
    "arcsinh": lambda x: log(plus(x, sqrt(plus(square(x), ONE)))),
    "arccosh": lambda x: log(plus(x, sqrt(minus(square(x), ONE)))),
    "absolute": absolute,
    "fabs": absolute,
    "sign": sign,
    "sinc": sinc,
    "deg2rad": lambda x: times(x, over_by(pi(), num(180))),
    "radians": lambda x: times(x, over_by(pi(), num(180))),
    "rad2deg": lambda x: times(x, over_by(num(180), pi())),
    "degrees": lambda x: times(x, over_by(num(180), pi())),
    "erfc": lambda x: minus(ONE, applied("erf", x)),
    "ndtr": lambda x: times(HALF, plus(ONE, applied("erf", times(x, sqrt(HALF))))),
    "logit": lambda x: log(over_by(x, minus(ONE, x))),
    "log_expit": lambda x: negated(log(plus(ONE, exp(negated(x))))),
    "entr": lambda x: negated(times(x, log(x))),
    "gammaln": lambda x: applied("gammaln", x),
    "loggamma": lambda x: applied("gammaln", x),
    "digamma": lambda x: applied("digamma", x),
    "psi": lambda x: applied("digamma", x),
}
