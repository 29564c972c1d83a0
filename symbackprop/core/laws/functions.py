"""Named scalar functions: derivatives, and what they are in terms of the exponential.

Formulas: Abramowitz and Stegun, 4.2 (exp, log), 4.3 (sin, cos), 4.5 (hyperbolic), 7.1 (erf).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ..context import Context, Equation
from ..sums import primes
from ..terms import (
    ONE,
    Add,
    Apply,
    Mul,
    Nonzero,
    Num,
    Positive,
    Power,
    Predicate,
    Term,
    add,
    mul,
    neg,
    num,
    require,
    sub,
)  # fmt: skip
from ..terms import (
    PI as PI,
)
from .registry import law

NONE: frozenset[Predicate] = frozenset()
HALF = Fraction(1, 2)


def exp(u: Term) -> Term:
    return Apply("exp", u)


def minus_one(u: Term) -> Term:
    return Power(u, Fraction(-1))


Slope = Callable[[Term], tuple[Term, frozenset[Predicate]]]

DERIVATIVES: dict[str, Slope] = {
    "exp": lambda u: (exp(u), NONE),
    "log": lambda u: (minus_one(u), frozenset({Nonzero(u)})),
    "tanh": lambda u: (sub(ONE, Power(Apply("tanh", u), Fraction(2))), NONE),
    "sigmoid": lambda u: (mul(Apply("sigmoid", u), sub(ONE, Apply("sigmoid", u))), NONE),
    "softplus": lambda u: (Apply("sigmoid", u), NONE),
    "sin": lambda u: (Apply("cos", u), NONE),
    "cos": lambda u: (neg(Apply("sin", u)), NONE),
    "sinh": lambda u: (Apply("cosh", u), NONE),
    "cosh": lambda u: (Apply("sinh", u), NONE),
    "atan": lambda u: (minus_one(add(ONE, Power(u, Fraction(2)))), NONE),
    "erf": lambda u: (mul(num(2), Power(PI, -HALF), exp(neg(Power(u, Fraction(2))))), NONE),
}

IN_EXPONENTIALS: dict[str, Callable[[Term], Term]] = {
    "tanh": lambda u: mul(sub(exp(mul(num(2), u)), ONE), minus_one(add(exp(mul(num(2), u)), ONE))),
    "sigmoid": lambda u: mul(exp(u), minus_one(add(ONE, exp(u)))),
    "softplus": lambda u: Apply("log", add(ONE, exp(u))),
    "sinh": lambda u: mul(Num(HALF), sub(exp(u), exp(neg(u)))),
    "cosh": lambda u: mul(Num(HALF), add(exp(u), exp(neg(u)))),
}


@law
def in_exponentials(context: Context, fn: str, u: Term) -> Equation:
    """tanh u = (e^{2u} - 1)/(e^{2u} + 1),  σ(u) = e^u/(1 + e^u),  softplus u = log(1 + e^u), ..."""
    require(fn in IN_EXPONENTIALS, "{} is not a rational function of exponentials", fn)
    return Equation(Apply(fn, u), IN_EXPONENTIALS[fn](u))


@law
def log_of_product(context: Context, args: tuple[Term, ...]) -> Equation:
    """log(a b) = log a + log b,  for a, b > 0"""
    needs = frozenset[Predicate](Positive(a) for a in args)
    return Equation(Apply("log", Mul(args)), Add(tuple(Apply("log", a) for a in args)), needs)


@law
def log_of_power(context: Context, base: Term, q: Fraction) -> Equation:
    """log(b^q) = q log b,  for b > 0"""
    return Equation(Apply("log", Power(base, q)), mul(Num(q), Apply("log", base)), frozenset({Positive(base)}))


@law
def log_of_exp(context: Context, u: Term) -> Equation:
    """log(e^u) = u"""
    return Equation(Apply("log", exp(u)), u)


@law
def exp_of_log(context: Context, u: Term) -> Equation:
    """e^{log u} = u,  for u > 0"""
    return Equation(exp(Apply("log", u)), u, frozenset({Positive(u)}))


@law
def log_of_number(context: Context, n: int) -> Equation:
    """log n = Σ k log p over the prime powers p^k of n"""
    require(n >= 1, "a positive integer")
    parts = (mul(num(k), Apply("log", num(p))) for p, k in primes(Fraction(n)))
    return Equation(Apply("log", num(n)), add(*parts))


@law
def sine_squared(context: Context, u: Term) -> Equation:
    """sin² u = 1 - cos² u"""
    return Equation(Power(Apply("sin", u), Fraction(2)), sub(ONE, Power(Apply("cos", u), Fraction(2))))


ODD, EVEN = frozenset({"sin", "erf", "atan", "sinh", "tanh"}), frozenset({"cos", "cosh"})


@law
def parity(context: Context, fn: str, u: Term) -> Equation:
    """f(-u) = -f(u) for sin, erf, atan, sinh, tanh;  f(-u) = f(u) for cos, cosh"""
    require(fn in ODD | EVEN, "{} is neither odd nor even", fn)
    value = Apply(fn, u)
    return Equation(Apply(fn, neg(u)), neg(value) if fn in ODD else value)


@law
def at_zero(context: Context, fn: str) -> Equation:
    """sin 0 = erf 0 = atan 0 = sinh 0 = tanh 0 = 0,  cos 0 = cosh 0 = 1,  log 1 = 0"""
    require(fn in ODD | EVEN, "{} has no value here", fn)
    return Equation(Apply(fn, num(0)), num(1 if fn in EVEN else 0))


@law
def sum_of_angles(context: Context, fn: str, a: Term, b: Term) -> Equation:
    """sin(a + b) = sin a cos b + cos a sin b,  cos(a + b) = cos a cos b - sin a sin b"""
    require(fn in ("sin", "cos"), f"{fn} is not sin or cos")
    sa, sb, ca, cb = Apply("sin", a), Apply("sin", b), Apply("cos", a), Apply("cos", b)
    rhs = add(mul(sa, cb), mul(ca, sb)) if fn == "sin" else sub(mul(ca, cb), mul(sa, sb))
    return Equation(Apply(fn, Add((a, b))), rhs)
