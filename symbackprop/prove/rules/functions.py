"""Rules for one function at a time: its argument is in normal form, the result is again.

Each rule returns the new term and the proof, or None where it does not apply.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import starmap

from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.laws.functions import EVEN, IN_EXPONENTIALS, ODD
from symbackprop.core.sums import Monomial, primes, surely_positive
from symbackprop.core.terms import (
    ZERO, Add, Apply, Holds, Mul, Num, Positive, Power, Term, Whole, add, arguments, mul, neg, sub,
)  # fmt: skip
from symbackprop.prove.normal_form.session import Session, joined
from symbackprop.prove.rules.powers import by_cases, carry_sign, leading, of_fraction, power, shared_content, total
from symbackprop.prove.matching import Rewritten

from .steps import step
from .whole_arrays import merged, taken_apart, without_one

# --- odd and even functions, and the sine and cosine of sums ---


FEW_ANGLES = 8


def parity(fn: str, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    if not monomials:
        t = Apply(fn, arg)
        return Num(Fraction(fn in EVEN)), joined(Inside(t, ((0, Linear(arg, ZERO)),)), By("at_zero", (fn,)))
    if leading(monomials).coefficient > 0:
        return None
    u = total([m._replace(coefficient=-m.coefficient) for m in monomials])
    proof = joined(Inside(Apply(fn, arg), ((0, Linear(arg, neg(u))),)), By("parity", (fn, u)))
    value = Apply(fn, u)
    return (neg(value) if fn in ODD else value), proof


def sum_of_angles(fn: str, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof]:
    """sin and cos of a sum, one term split off; of 2u, 3u, ... one u."""
    first = leading(monomials)
    rest = [m for m in monomials if m is not first]
    if not rest:
        sign = 1 if first.coefficient > 0 else -1
        rest = [first._replace(coefficient=first.coefficient - sign)]
        first = first._replace(coefficient=Fraction(sign))
    a, b = first.term(), total(rest)
    split = Add((a, b))
    law = By("sum_of_angles", (fn, a, b))
    sa, sb, ca, cb = Apply("sin", a), Apply("sin", b), Apply("cos", a), Apply("cos", b)
    value = add(mul(sa, cb), mul(ca, sb)) if fn == "sin" else sub(mul(ca, cb), mul(sa, sb))
    return value, joined(Inside(Apply(fn, arg), ((0, Linear(arg, split)),)), law)


def few_angles(monomials: list[Monomial]) -> bool:
    """a + b, 2a, 3a - b, ...: so few that the products of their sines and cosines do not run away."""
    counts = [abs(m.coefficient) if m.coefficient.denominator == 1 else 1 for m in monomials]
    return 2 <= sum(counts) <= FEW_ANGLES


# --- logarithms of products, and e^{c log u} ---


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
    if arg == Num(F1):  # the product of nothing
        one = Mul(())
        return ZERO, joined(
            Inside(Apply("log", arg), ((0, Linear(arg, one)),)), By("log_of_product", ((),)), Linear(Add(()), ZERO)
        )
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


# --- rules for one function at a time: its argument is in normal form, the result is again ---


def function(normal: Session, t: Term) -> Rewritten:
    """The first rule that applies to f(normal argument), and what becomes of its result."""
    (arg,) = arguments(t)
    found = rule(normal, t, arg, normal.run(arg).expand(arg))
    return (t, None) if found is None else settled(normal, *found)


def array_function(normal: Session, w: Whole) -> Rewritten:
    """The same for a function of a whole array."""
    found = taken_apart(w, normal) or without_one(w, normal) or merged(w, normal.names)
    return (w, None) if found is None else settled(normal, *found)


def settled(normal: Session, value: Term, law: Proof) -> Rewritten:
    final, rest = normal.inner(value)
    return final, joined(law, rest)


def rule(normal: Session, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    cases = by_cases(t, arg, monomials)
    if cases is not None:
        return cases
    if (len(monomials) > 1 and isinstance(t, Power | Holds)) or (isinstance(t, Apply) and t.fn == "log"):
        fraction = of_fraction(normal, t, arg, monomials)
        if fraction is not None:
            return fraction
    match t:
        case Apply("exp", _, 0):
            return exp_of_log(t, monomials)
        case Apply("log", _, 0):
            return log(normal, arg, monomials)
        case Apply(fn, _, 0) if fn in IN_EXPONENTIALS and normal.way.exponentials:
            return IN_EXPONENTIALS[fn](arg), By("in_exponentials", (fn, arg))
        case Apply("sin" | "cos" as fn, _, 0) if few_angles(monomials):
            return sum_of_angles(fn, arg, monomials)
        case Apply(fn, _, 0) if fn in ODD | EVEN:
            return parity(fn, arg, monomials)
        case Power(_, q):
            return power(normal, arg, q, monomials)
        case Holds(Positive()):
            return step(normal, arg, monomials)
        case _:
            return None
