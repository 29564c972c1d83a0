"""Numbers that were computed before anyone could look: 0.7978845608028654 is √(2/π).

Libraries whose constants are plain floats (`jnp.pi`, `math.sqrt(2)` in a traced graph) leave nothing but the digits.
A float of 15 digits and more that is the value of a short expression is read as that expression, and a note says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from .algebra import Term, num, power, times
from .context import current
from .scalars import exp, log, pi

LARGEST = 64  # numerators and denominators inside
PLACES = 15  # digits that a short expression is recognised by
CLOSE = 4e-16


@dataclass(frozen=True, slots=True)
class Form:
    """`inverse` gives the fraction of which a number is `value`; `term` is that value, `text` how it is written."""

    inverse: Callable[[float], float]
    value: Callable[[float], float]
    term: Callable[[Fraction], Term]
    text: str


def root(t: Term) -> Term:
    return power(t, Fraction(1, 2))


FORMS = (
    Form(lambda x: x / math.pi, lambda r: r * math.pi, lambda r: times(num(r), pi()), "{} π"),
    Form(lambda x: x * math.pi, lambda r: r / math.pi, lambda r: times(num(r), power(pi(), -1)), "{} / π"),
    Form(lambda x: x * x, math.sqrt, lambda r: root(num(r)), "√({})"),
    Form(lambda x: x * x / math.pi, lambda r: math.sqrt(r * math.pi), lambda r: root(times(num(r), pi())), "√({} π)"),
    Form(lambda x: x * x * math.pi, lambda r: math.sqrt(r / math.pi),
         lambda r: root(times(num(r), power(pi(), -1))), "√({} / π)"),
    Form(math.exp, math.log, lambda r: log(num(r)), "log {}"),
    Form(lambda x: math.exp(1 / x), lambda r: 1 / math.log(r), lambda r: power(log(num(r)), -1), "1 / log {}"),
    Form(math.log, math.exp, lambda r: exp(num(r)), "exp({})"),
)  # fmt: skip


@cache
def form_of(size: float) -> tuple[Form, Fraction] | None:
    """The form of a positive number, with the fraction in it."""
    if not 1e-3 < size < 1e3 or len(significant(size)) < PLACES:
        return None
    for form in FORMS:
        try:
            r = Fraction(form.inverse(size)).limit_denominator(LARGEST)
            fits = 0 < r.numerator <= LARGEST and abs(form.value(float(r)) - size) <= CLOSE * size
        except (OverflowError, ZeroDivisionError, ValueError):
            continue
        if fits:
            return form, r
    return None


def significant(x: float) -> str:
    return repr(x).lower().split("e")[0].replace(".", "").replace("-", "").strip("0")


def recognised(x: float) -> Term | None:
    """The expression that a float is the value of, or None.  What is recognised counts as rounded."""
    if not math.isfinite(x) or float(Fraction(x).limit_denominator(1000)) == x:
        return None  # a fraction, such as 1/3, is one
    found = form_of(abs(x))
    if found is None:
        return None
    form, r = found
    state = current()
    state.rounded[x] = Fraction(repr(x))
    state.notes[f"{abs(x)!r} is read as {form.text.format(r)}"] = None
    t = form.term(r)
    return t if x > 0 else times(num(-1), t)
