"""Functions of one number as terms, powers by NumPy's rules, and numbers that were computed before anyone could look.

Where a function has a kink it is written with step functions H(u) = 1 where u > 0, else 0:
|x| = x (H(x) - H(-x)),  sign x = H(x) - H(-x).

Libraries whose constants are plain floats (`jnp.pi`, `math.sqrt(2)` in a traced graph) leave nothing but the digits.
A float of 15 digits and more that is the value of a short expression is read as that expression, and a note says so:
0.7978845608028654 is √(2/π).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from symbackprop.core.functions import COMPOSED, ROWS
from symbackprop.core.indices import IndexExpr, Size, affine, sized
from symbackprop.core.sums import in_sizes
from symbackprop.core.syntax import ONE, PI, Add, Array, Entry, Mul, Num, Ordinal, Term
from symbackprop.core.terms import dummy, num, subterms

from .algebra import applied, gate, minus, multiplied, negated, over_by, partial, plus, positive, power, times
from .axes import At, aligned, at_least_zero, bounds, broadcast, index_of, integer_of, nonnegative, scaled
from .context import TraceError, current
from .steps import product_over, rewritten, step
from .values import Dtype, Value, elementwise, finite, fits, known

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


def named(fn: str) -> Scalar:
    return lambda x: applied(fn, x)


def raised_to(q: Fraction | int) -> Scalar:
    return lambda x: power(x, q)


exp, log, sine, cosine = named("exp"), named("log"), named("sin"), named("cos")
sqrt, square = raised_to(Fraction(1, 2)), raised_to(2)


def sign(x: Term) -> Term:
    return ONE if positive(x) and not partial(x) else minus(step(x), step(negated(x)))


def absolute(x: Term) -> Term:
    if isinstance(x, Num):
        return num(abs(x.value))
    return x if positive(x) else times(x, sign(x))


def formula(name: str) -> Scalar:
    """A function that is one for documents, too."""
    u = Array("the argument")
    body = COMPOSED[name].value(Entry(u, ()))
    return lambda x: rewritten(body, {u: lambda at: x, PI.array: lambda at: pi()})


FORMULAS = ("tan", "arcsin", "arccos", "arcsinh", "arccosh", "expm1", "log1p", "logit", "erfc")
SCALAR: dict[str, Scalar] = {
    "negative": negated,
    "positive": lambda x: x,
    **{f.operation: named(f.name) for f in ROWS},
    **{name: formula(name) for name in FORMULAS},
    "exp2": lambda x: exp(times(x, log(num(2)))),
    "log2": lambda x: over_by(log(x), log(num(2))),
    "log10": lambda x: over_by(log(x), log(num(10))),
    "sqrt": sqrt,
    "cbrt": lambda x: times(sign(x), power(absolute(x), Fraction(1, 3))),
    "square": square,
    "reciprocal": lambda x: power(x, -1),
    "sinh": lambda x: times(HALF, minus(exp(x), exp(negated(x)))),
    "cosh": lambda x: times(HALF, plus(exp(x), exp(negated(x)))),
    "arctanh": lambda x: times(HALF, minus(log(plus(ONE, x)), log(minus(ONE, x)))),
    "absolute": absolute,
    "fabs": absolute,
    "sign": sign,
    "sinc": lambda x: over_by(sine(times(pi(), x)), times(pi(), x)),
    "deg2rad": lambda x: times(x, over_by(pi(), num(180))),
    "radians": lambda x: times(x, over_by(pi(), num(180))),
    "rad2deg": lambda x: times(x, over_by(num(180), pi())),
    "degrees": lambda x: times(x, over_by(num(180), pi())),
    "ndtr": lambda x: times(HALF, plus(ONE, applied("erf", times(x, sqrt(HALF))))),
    "log_expit": lambda x: negated(log(plus(ONE, exp(negated(x))))),
    "entr": lambda x: negated(times(x, log(x))),
    "gammaln": lambda x: applied("gammaln", x),
    "loggamma": lambda x: applied("gammaln", x),
    "digamma": lambda x: applied("digamma", x),
    "psi": lambda x: applied("digamma", x),
}


def wrapping(name: str) -> TraceError:
    return TraceError(
        f"np.{name} of integers of less than 64 bits may wrap around: convert them with astype(int) first"
    )


def raised(x: Value, y: Value) -> Value:
    """x ** y: a rational constant exponent is a power, a whole one a product, another one e^{y log x}."""
    exponent = known(y)
    whole_numbers = x.dtype != "real" and y.dtype != "real"
    if whole_numbers:
        checked_whole_power(x, y, exponent)
    kind: Dtype = "int" if whole_numbers else "real"
    if exponent is None:
        finite(x), finite(y)
        shape = broadcast(x.shape, y.shape)

        def entry(at: At) -> Term:
            q = aligned(y.shape, at)
            return power_at(x.term(aligned(x.shape, at)), y.term(q), y.index(q))

        return Value(shape, kind, entry)
    if exponent.denominator != 1 and exponent.denominator > 64:
        return elementwise(lambda a: exp(times(num(exponent), log(a))), x)
    result = elementwise(lambda a: power(a, exponent), x, dtype=kind)
    return fits(result) if whole_numbers else result


def checked_whole_power(x: Value, y: Value, exponent: Fraction | None) -> None:
    """Raises TraceError where the power of whole numbers is refused by NumPy, or outgrows 64 bits."""
    base = known(x)
    if "bool" in (x.dtype, y.dtype) or "narrow" in (x.dtype, y.dtype):
        raise wrapping("power")
    if exponent is not None and exponent < 0:
        raise TraceError("NumPy refuses integers to a negative integer power: write 1 / x**n or x**-1.0")
    if base in (-1, 0, 1) or (exponent is not None and exponent <= 2):
        return
    if exponent is None or base is None or abs(base) ** min(int(exponent), 64) >= 2**63:
        raise TraceError("a power of whole numbers outgrows 64 bits for some sizes: make one of them a float")


def power_at(base: Term, exponent: Term, whole_exponent: IndexExpr | None) -> Term:
    """base ** exponent.  A whole exponent e >= 0 is the product over j < e, which is right for a negative base, too."""
    e = whole_exponent if whole_exponent is not None else affine_of(exponent)
    if e is not None and not positive(base):
        n = integer_of(e)
        if n is not None and abs(n) <= 64:
            return power(base, n)
        if nonnegative(e):
            return repeated_product(base, e)
        if nonnegative(scaled(e, -1)):
            return power(repeated_product(base, scaled(e, -1)), -1)
        raise TraceError(
            "a whole exponent that may be negative: split the power, or use a base that is plainly positive"
        )
    if e is None and counts(exponent) and not positive(base):
        raise TraceError("an exponent that depends on an index and is no whole number: the base may be negative")
    return exp(multiplied(exponent, log(base)))


def repeated_product(base: Term, e: IndexExpr) -> Term:
    longest = bounds(e)[1]
    if longest is None:
        raise TraceError("the largest exponent of a power is not known")
    j = dummy(longest)
    return product_over(j, plus(ONE, times(gate(affine(-1, [(e, 1), (j, -1)])), minus(base, ONE))))


def counts(t: Term) -> bool:
    """Whether an index takes part as a number."""
    return any(isinstance(s, Ordinal) for s in subterms(t))


def affine_of(t: Term) -> IndexExpr | None:
    """The index expression that a term is, when it is plainly one."""
    match t:
        case Ordinal(e):
            return e
        case Size():
            return index_of(t)
        case Num(value) if value.denominator == 1:
            return index_of(int(value))
        case Add(args):
            parts = [affine_of(a) for a in args]
            return None if None in parts else affine(0, [(p, 1) for p in parts if p is not None])
        case Mul((Num(k), rest)) if k.denominator == 1:
            inner = affine_of(rest)
            return None if inner is None else scaled(inner, int(k))
        case _:
            return None


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


FORMS = (
    Form(lambda x: x / math.pi, lambda r: r * math.pi, lambda r: times(num(r), pi()), "{} π"),
    Form(lambda x: x * math.pi, lambda r: r / math.pi, lambda r: times(num(r), power(pi(), -1)), "{} / π"),
    Form(lambda x: x * x, math.sqrt, lambda r: sqrt(num(r)), "√({})"),
    Form(lambda x: x * x / math.pi, lambda r: math.sqrt(r * math.pi), lambda r: sqrt(times(num(r), pi())), "√({} π)"),
    Form(lambda x: x * x * math.pi, lambda r: math.sqrt(r / math.pi),
         lambda r: sqrt(times(num(r), power(pi(), -1))), "√({} / π)"),
    Form(math.exp, math.log, lambda r: log(num(r)), "log {}"),
    Form(lambda x: math.exp(1 / x), lambda r: 1 / math.log(r), lambda r: power(log(num(r)), -1), "1 / log {}"),
    Form(math.log, math.exp, lambda r: exp(num(r)), "exp({})"),
)  # fmt: skip


@cache
def form_of(size: float) -> tuple[Form, Fraction] | None:
    """The form of a positive number, with the fraction in it."""
    if not 1e-3 < size < 1e3 or digits(repr(size)) < PLACES:
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


def digits(number: str) -> int:
    """How many digits a decimal is written with, zeros at the ends apart."""
    return len(number.lower().split("e")[0].replace(".", "").replace("-", "").strip("0"))


EXPRESSIONS: ContextVar[bool] = ContextVar("expressions", default=False)


@contextmanager
def as_expressions() -> Iterator[None]:
    """Floats that are written as decimals are read as short expressions, too."""
    before = EXPRESSIONS.set(True)
    try:
        yield
    finally:
        EXPRESSIONS.reset(before)


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


# --- numbers that are cut to whole ones: int((H - F) / s) + 1 ------------------------------------

ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "int": math.trunc, "rint": round, "round": round,
}  # fmt: skip


def rounded(name: str, v: Value) -> Size | None:
    """floor, ceil, ... of a number that is known up to sizes; None for what depends on the data.

    A polynomial in sizes with whole coefficients and a fraction is cut in the same way for all sizes.  Raises
    TraceError where the sizes decide how it is cut.
    """
    monomials = in_sizes(v.term(())) if v.ndim == 0 and not v.holes else None
    if monomials is None or any(e < 0 for _, powers in monomials for e in powers.values()):
        return None
    rest = sum((c for c, powers in monomials if not powers), Fraction(0))
    parts = [(c, powers) for c, powers in monomials if powers]
    coarsest = max((c.denominator for c, _ in parts), default=1)
    if coarsest > 1:
        raise TraceError(
            f"a part of a size is cut to a whole number: write the size as a product, such as '{coarsest}*n'"
        )
    size = sized(0)
    for c, powers in parts:
        size = size + math.prod((b for b, e in powers.items() for _ in range(e)), start=sized(int(c)))
    if rest.denominator == 1 or name in ("floor", "ceil") or not parts:
        return size + ROUNDINGS[name](rest)
    down, up = size + math.floor(rest), size + math.ceil(rest)
    if name in ("int", "trunc") and (at_least_zero(down) or at_least_zero(-up)):
        return down if at_least_zero(down) else up
    raise TraceError(f"how {size} + {rest} is cut to a whole number depends on the sizes: use // instead")
