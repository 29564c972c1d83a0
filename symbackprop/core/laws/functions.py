"""Named scalar functions, powers and steps: derivatives, and what they are in terms of each other.

Formulas: Abramowitz and Stegun, 4.2 (exp, log), 4.3 (sin, cos), 4.5 (hyperbolic), 7.1 (erf).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ..context import Context, Equation
from ..functions import step
from ..terms import (
    ONE, ZERO, Add, Apply, AtLeastZero, Delta, Holds, Mul, Nonzero, Num, Positive, Power, Predicate, Term, add,
    arguments, mul, neg, num, rebuilt, require, sub,
)  # fmt: skip
from ..terms import PI as PI
from .registry import law, table

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


# --- step functions: [u > 0] is 1 where u > 0, else 0 --------------------------------------------


@law
def step_negated_outside(context: Context, h: Term, u: Term) -> Equation:
    """(1 - h) [-u > 0]  =  (1 - h) (1 - [u > 0]),  where h is 0 or 1, and u is not 0 where h is 0"""
    require(isinstance(h, Holds | Delta), "{} is not 0 or 1", h)
    outside = sub(ONE, h)
    return Equation(Mul((outside, step(neg(u)))), Mul((outside, sub(ONE, step(u)))), frozenset({Nonzero(add(u, h))}))


@law
def by_cases(context: Context, like: Term, h: Term, a: Term, b: Term) -> Equation:
    """f(h a + (1 - h) b)  =  h f(a) + (1 - h) f(b),  where h is 0 or 1;  f is the outermost function of `like`"""
    require(isinstance(h, Holds | Delta), "{} is not 0 or 1", h)
    require(
        isinstance(like, Apply | Power | Holds) and len(arguments(like)) == 1, f"{like} is no function of one argument"
    )
    both = add(mul(h, a), mul(sub(ONE, h), b))
    rhs = add(mul(h, rebuilt(like, (a,))), mul(sub(ONE, h), rebuilt(like, (b,))))
    return Equation(rebuilt(like, (both,)), rhs)


def log(u: Term) -> Term:
    return Apply("log", u)


def root(*exponents: Fraction) -> bool:
    return any(q.denominator > 1 for q in exponents)


table({
    # powers and roots of compound terms
    "log_of_product": ("log(a b)  =  log a + log b,  for a, b > 0", lambda args: (
        log(Mul(args)), Add(tuple(map(log, args))), *map(Positive, args))),
    "log_of_power": ("log(b^q)  =  q log b,  for b > 0", lambda b, q: (
        log(Power(b, q)), mul(Num(q), log(b)), Positive(b))),
    "power_add": ("b^p b^q  =  b^{p+q},  where b is not 0 (positive for a root)", lambda b, p, q: (
        Mul((Power(b, p), Power(b, q))), Power(b, p + q), Positive(b) if root(p, q) else Nonzero(b))),
    "power_of_product": ("(a b)^q  =  a^q b^q,  with a, b > 0 for a root", lambda args, q: (
        Power(Mul(args), q), Mul(tuple(Power(a, q) for a in args)), *(map(Positive, args) if root(q) else ()))),
    "root_of_product": ("(a b)^q  =  a^q b^q,  with a, b >= 0;  0^q is 0", lambda args, q: (
        Power(Mul(args), q), Mul(tuple(Power(a, q) for a in args)), *map(AtLeastZero, args))),
    "power_of_power": ("(b^p)^q  =  b^{pq},  for b > 0 unless p and q are integers", lambda b, p, q: (
        Power(Power(b, p), q), Power(b, p * q), *([Positive(b)] if root(p, q) else []))),
    "root_of_square": ("(b²)^q  =  |b|^{2q}  =  (b ([b > 0] - [-b > 0]))^{2q}", lambda b, q: (
        Power(Power(b, Fraction(2)), q), Power(mul(b, sub(step(b), step(neg(b)))), 2 * q))),
    # functions and steps
    "log_of_exp": ("log(e^u)  =  u", lambda u: (Apply("log", exp(u)), u)),
    "exp_of_log": ("e^{log u}  =  u,  for u > 0", lambda u: (exp(Apply("log", u)), u, Positive(u))),
    "sine_squared": ("sin² u  =  1 - cos² u", lambda u: (
        Power(Apply("sin", u), Fraction(2)), sub(ONE, Power(Apply("cos", u), Fraction(2))))),
    "step_scaled": ("[c u > 0]  =  [u > 0],  for c > 0", lambda c, u: (step(Mul((c, u))), step(u), Positive(c))),
    "step_negated": ("[-u > 0]  =  1 - [u > 0],  where u is not 0", lambda u: (
        step(neg(u)), sub(ONE, step(u)), Nonzero(u))),
    "step_beside": ("u [-u > 0]  =  u (1 - [u > 0])", lambda u: (Mul((u, step(neg(u)))), Mul((u, sub(ONE, step(u)))))),
    "step_of_positive": ("[u > 0]  =  1,  for u > 0", lambda u: (step(u), ONE, Positive(u))),
    "step_of_negative": ("[-u > 0]  =  0,  for u >= 0", lambda u: (step(neg(u)), ZERO, AtLeastZero(u))),
    "step_ordered": ("[u > 0] [u + c > 0]  =  [u > 0],  for c > 0", lambda u, c: (
        Mul((step(u), step(Add((u, c))))), step(u), Positive(c))),
    "step_excluded": ("[u > 0] [-u - c > 0]  =  0,  for c > 0", lambda u, c: (
        Mul((step(u), step(sub(neg(u), c)))), ZERO, Positive(c))),
    "step_covering": ("[u > 0] [c - u > 0]  =  [u > 0] + [c - u > 0] - 1,  for c > 0", lambda u, c: (
        Mul((step(u), step(sub(c, u)))), add(step(u), step(sub(c, u)), neg(ONE)), Positive(c))),
    "step_of_product": ("[a b > 0]  =  [a > 0] [b > 0] + [-a > 0] [-b > 0]", lambda a, b: (
        step(Mul((a, b))), add(mul(step(a), step(b)), mul(step(neg(a)), step(neg(b)))))),
    "step_of_reciprocal": ("[1/a > 0]  =  [a > 0]", lambda a: (step(minus_one(a)), step(a))),
    "step_of_exponentials": ("[e^a - e^b > 0]  =  [a - b > 0]", lambda a, b: (
        step(sub(exp(a), exp(b))), step(sub(a, b)))),
})  # fmt: skip
