"""Logarithms of products, and e^{c log u}."""

from __future__ import annotations

from fractions import Fraction
from itertools import starmap

from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.sums import Monomial, primes, surely_positive
from symbackprop.core.terms import Apply, Mul, Num, Power, Term, add, mul

from ..normal_form.content import carry_sign, shared_content, total
from ..normal_form.joined import joined
from ..normal_form.session import Session

F1 = Fraction(1)


Part = tuple[Term, Term, Proof]  # a factor, its logarithm, the proof


def exp_of_log(t: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """e^{c log u + rest} = u^c e^{rest}"""
    for m in monomials:
        if not m.dummies and len(m.factors) == 1 and m.factors[0][1] == 1:
            log = m.factors[0][0]
            if isinstance(log, Apply) and log.fn == "log":
                rest = total([n for n in monomials if n is not m])
                power = Power(Apply("exp", log), m.coefficient)
                split = mul(power, Apply("exp", rest))
                value = mul(Power(log.arg, m.coefficient), Apply("exp", rest))
                inside = Inside(split, ((0, Inside(power, ((0, By("exp_of_log", (log.arg,))),))),))
                return value, joined(Linear(t, split), inside)
    return None


def log(normal: Session, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """log of a product: what is surely positive comes out."""
    if not monomials:
        return None
    content, rest = shared_content(monomials, normal.positive, surely_positive, signed=False)
    parts = [*starmap(log_of_factor, content.factors), *starmap(log_of_prime, primes(content.coefficient))]
    constant = len(rest) == 1 and not rest[0].factors
    if not parts or (constant and content.coefficient == 1 and plain(content)):
        return None
    if not (constant and rest[0].coefficient == 1):
        left = total(rest)
        carry_sign(normal, arg, left, content)
        unchanged = Apply("log", left)
        parts.append((left, unchanged, Linear(unchanged, unchanged)))
    elif isinstance(arg, Num) and len(parts) == 1 and parts[0][0] == Power(arg, F1):
        return None  # the logarithm of a prime
    factors, values, proofs = zip(*parts, strict=True)
    t = Apply("log", arg)
    if len(parts) == 1:
        return values[0], joined(Inside(t, ((0, Linear(arg, factors[0])),)), proofs[0])
    proof = joined(
        Inside(t, ((0, Linear(arg, Mul(factors))),)),
        By("log_of_product", (factors,)),
        Inside(add(*(Apply("log", f) for f in factors)), tuple(enumerate(proofs))),
    )
    return add(*values), proof


def log_of_factor(b: Term, e: Fraction) -> Part:
    """log b^e = e log b, and log e^u = u."""
    if isinstance(b, Apply) and b.fn == "exp":
        factor = b if e == 1 else Power(b, e)
        value = mul(Num(e), b.arg)
        whole = Inside(Apply("log", factor), ((0, Linear(factor, Apply("exp", value))),))
        return factor, value, joined(whole, By("log_of_exp", (value,)))
    log = Apply("log", b)
    if e == 1:
        return b, log, Linear(log, log)
    return Power(b, e), mul(Num(e), log), By("log_of_power", (b, e))


def log_of_prime(p: int, k: int) -> Part:
    base, e = Num(Fraction(p)), Fraction(k)
    return Power(base, e), mul(Num(e), Apply("log", base)), By("log_of_power", (base, e))


def plain(m: Monomial) -> bool:
    """One factor that is no power and no exponential: its logarithm says nothing new."""
    return (
        len(m.factors) == 1
        and m.factors[0][1] == 1
        and not (isinstance(m.factors[0][0], Apply) and m.factors[0][0].fn == "exp")
    )
