"""x ** y by NumPy's rules: also for negative x, and for whole numbers that have 64 bits."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.terms import Add, Mul, Ordinal, subterms

from .algebra import (
    ONE,
    IndexExpr,
    Num,
    Size,
    Term,
    affine,
    bounds,
    dummy,
    gate,
    index_of,
    integer_of,
    minus,
    nonnegative,
    num,
    plus,
    power,
    product_over,
    scaled,
    times,
)  # fmt: skip
from .context import TraceError
from .factors import multiplied, positive
from .scalars import exp, log
from .values import At, Dtype, Value, aligned, broadcast, elementwise, finite, fits, known


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
