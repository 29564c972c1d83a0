"""Whole numbers that floats of sizes are cut to: int((H - F) / s) + 1.

A float that is a polynomial in sizes with whole coefficients and a fraction is cut in the same way for all sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from symbackprop.core.terms import Add, Affine, Mul, Ordinal, Power

from .algebra import Num, Size, Term, at_least_zero
from .context import TraceError
from .values import Value

Polynomial = dict[tuple[str, ...], Fraction]
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor, "ceil": math.ceil, "trunc": math.trunc, "int": math.trunc, "rint": round, "round": round,
}  # fmt: skip


def polynomial(t: Term) -> Polynomial | None:
    """The term as a polynomial in sizes; None where it is none."""
    match t:
        case Num(value):
            return {(): value}
        case Size(monomials):
            return {names: Fraction(c) for names, c in monomials}
        case Ordinal(Affine(constant, ())):
            return polynomial(constant)
        case Add(args):
            return combined([polynomial(a) for a in args])
        case Mul(args):
            result: Polynomial = {(): Fraction(1)}
            for a in args:
                factor = polynomial(a)
                if factor is None:
                    return None
                result = product(result, factor)
            return result
        case Power(base, q) if q.denominator == 1:
            inner = polynomial(base)
            if inner is None or set(inner) != {()} or not inner[()]:
                return None
            return {(): inner[()] ** int(q)}
        case _:
            return None


def combined(parts: list[Polynomial | None]) -> Polynomial | None:
    total: Polynomial = {}
    for p in parts:
        if p is None:
            return None
        for names, c in p.items():
            total[names] = total.get(names, Fraction(0)) + c
    return total


def product(p: Polynomial, q: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for a, c in p.items():
        for b, d in q.items():
            names = tuple(sorted(a + b))
            result[names] = result.get(names, Fraction(0)) + c * d
    return result


def rounded(name: str, v: Value) -> Size | None:
    """floor, ceil, ... of a number that is known up to sizes; None for what depends on the data.

    Raises TraceError where the sizes decide how it is cut.
    """
    p = polynomial(v.term(())) if v.ndim == 0 and not v.holes else None
    if p is None:
        return None
    rest = p.pop((), Fraction(0))
    whole = {names: c for names, c in p.items() if c}
    if any(c.denominator > 1 for c in whole.values()):
        parts = max(c.denominator for c in whole.values())
        raise TraceError(f"a part of a size is cut to a whole number: write the size as a product, such as '{parts}*n'")
    size = Size(tuple(sorted((names, int(c)) for names, c in whole.items())))
    if rest.denominator == 1 or name in ("floor", "ceil") or not whole:
        return size + ROUNDINGS[name](rest)
    down, up = size + math.floor(rest), size + math.ceil(rest)
    if name in ("int", "trunc") and (at_least_zero(down) or at_least_zero(-up)):
        return down if at_least_zero(down) else up
    raise TraceError(f"how {size} + {rest} is cut to a whole number depends on the sizes: use // instead")
