"""Powers and roots of compound terms."""

from __future__ import annotations

from fractions import Fraction

from ..context import Context, Equation
from ..terms import (
    AtLeastZero,
    Holds,
    Mul,
    Nonzero,
    Positive,
    Power,
    Predicate,
    Term,
    mul,
    neg,
    sub,
)  # fmt: skip
from .registry import law


@law
def power_add(context: Context, base: Term, p: Fraction, q: Fraction) -> Equation:
    """b^p b^q  =  b^{p+q},  where b is not 0 (positive for a root)"""
    root = p.denominator > 1 or q.denominator > 1
    needs: frozenset[Predicate] = frozenset({Positive(base) if root else Nonzero(base)})
    return Equation(Mul((Power(base, p), Power(base, q))), Power(base, p + q), needs)


@law
def power_of_product(context: Context, args: tuple[Term, ...], q: Fraction) -> Equation:
    """(a b)^q  =  a^q b^q,  with a, b > 0 for a root"""
    needs = frozenset[Predicate](Positive(a) for a in args) if q.denominator > 1 else frozenset[Predicate]()
    return Equation(Power(Mul(args), q), Mul(tuple(Power(a, q) for a in args)), needs)


@law
def root_of_product(context: Context, args: tuple[Term, ...], q: Fraction) -> Equation:
    """(a b)^q  =  a^q b^q,  with a, b >= 0;  0^q is 0"""
    needs = frozenset[Predicate](AtLeastZero(a) for a in args)
    return Equation(Power(Mul(args), q), Mul(tuple(Power(a, q) for a in args)), needs)


@law
def power_of_power(context: Context, base: Term, p: Fraction, q: Fraction) -> Equation:
    """(b^p)^q  =  b^{pq},  for b > 0 unless p and q are integers"""
    root = p.denominator > 1 or q.denominator > 1
    needs = frozenset[Predicate]({Positive(base)} if root else ())
    return Equation(Power(Power(base, p), q), Power(base, p * q), needs)


@law
def root_of_square(context: Context, base: Term, q: Fraction) -> Equation:
    """(b²)^q  =  |b|^{2q}  =  (b ([b > 0] - [-b > 0]))^{2q}"""
    size = mul(base, sub(Holds(Positive(base)), Holds(Positive(neg(base)))))
    return Equation(Power(Power(base, Fraction(2)), q), Power(size, 2 * q))
