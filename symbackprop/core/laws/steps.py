"""Step functions [u > 0] = 1 where u > 0, else 0."""

from __future__ import annotations

from fractions import Fraction

from ..context import Context, Equation
from ..terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Delta,
    Holds,
    Mul,
    Nonzero,
    Positive,
    Power,
    Term,
    add,
    arguments,
    mul,
    neg,
    rebuilt,
    require,
    sub,
)  # fmt: skip
from .registry import law


def step(u: Term) -> Term:
    return Holds(Positive(u))


@law
def step_scaled(context: Context, c: Term, u: Term) -> Equation:
    """[c u > 0]  =  [u > 0],  for c > 0"""
    return Equation(step(Mul((c, u))), step(u), frozenset({Positive(c)}))


@law
def step_negated(context: Context, u: Term) -> Equation:
    """[-u > 0]  =  1 - [u > 0],  where u is not 0"""
    return Equation(step(neg(u)), sub(ONE, step(u)), frozenset({Nonzero(u)}))


@law
def step_negated_outside(context: Context, h: Term, u: Term) -> Equation:
    """(1 - h) [-u > 0]  =  (1 - h) (1 - [u > 0]),  where h is 0 or 1, and u is not 0 where h is 0"""
    require(isinstance(h, Holds | Delta), "{} is not 0 or 1", h)
    outside = sub(ONE, h)
    return Equation(Mul((outside, step(neg(u)))), Mul((outside, sub(ONE, step(u)))), frozenset({Nonzero(add(u, h))}))


@law
def step_of_positive(context: Context, u: Term) -> Equation:
    """[u > 0]  =  1,  for u > 0"""
    return Equation(step(u), ONE, frozenset({Positive(u)}))


@law
def step_of_negative(context: Context, u: Term) -> Equation:
    """[-u > 0]  =  0,  for u > 0"""
    return Equation(step(neg(u)), ZERO, frozenset({Positive(u)}))


@law
def step_of_zero(context: Context) -> Equation:
    """[0 > 0]  =  0"""
    return Equation(step(ZERO), ZERO)


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


@law
def step_times_argument(context: Context, u: Term) -> Equation:
    """[u > 0] [-u > 0]  =  0"""
    return Equation(Mul((step(u), step(neg(u)))), ZERO)


@law
def step_ordered(context: Context, u: Term, c: Term) -> Equation:
    """[u > 0] [u + c > 0]  =  [u > 0],  for c > 0"""
    return Equation(Mul((step(u), step(Add((u, c))))), step(u), frozenset({Positive(c)}))


@law
def step_excluded(context: Context, u: Term, c: Term) -> Equation:
    """[u > 0] [-u - c > 0]  =  0,  for c > 0"""
    return Equation(Mul((step(u), step(sub(neg(u), c)))), ZERO, frozenset({Positive(c)}))


@law
def step_covering(context: Context, u: Term, c: Term) -> Equation:
    """[u > 0] [c - u > 0]  =  [u > 0] + [c - u > 0] - 1,  for c > 0: one of them always holds"""
    one, other = step(u), step(sub(c, u))
    return Equation(Mul((one, other)), add(one, other, neg(ONE)), frozenset({Positive(c)}))


@law
def step_of_product(context: Context, a: Term, b: Term) -> Equation:
    """[a b > 0]  =  [a > 0] [b > 0] + [-a > 0] [-b > 0]"""
    return Equation(step(Mul((a, b))), add(mul(step(a), step(b)), mul(step(neg(a)), step(neg(b)))))


@law
def step_of_reciprocal(context: Context, a: Term) -> Equation:
    """[1/a > 0]  =  [a > 0]"""
    return Equation(step(Power(a, Fraction(-1))), step(a))


@law
def step_of_exponentials(context: Context, a: Term, b: Term) -> Equation:
    """[e^a - e^b > 0]  =  [a - b > 0]"""
    return Equation(step(sub(Apply("exp", a), Apply("exp", b))), step(sub(a, b)))
