"""Powers and fractions: what comes out of a sum, powers of products, common denominators, functions of fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import floor

from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.monomials import solutions
from symbackprop.core.sums import Expansion, Factors, Monomial, monomial_key
from symbackprop.core.terms import (
    ONE, Apply, Delta, Holds, Key, Mul, Num, Positive, Power, Term, add, free, key, mul, neg, rebuilt, sub, substitute,
    sum_over,
)  # fmt: skip
from symbackprop.prove.normal_form.session import Session, joined, ordered, product_of


def shared_content(
    monomials: list[Monomial], movable: Callable[[Term], bool], unit: Callable[[Term], bool], *, signed: bool
) -> tuple[Monomial, list[Monomial]]:
    """What all monomials share, so that the first by key has coefficient 1; and what is left.

    A unit, which is not zero, is shared with its least power: s^{-2} + 1 = s^{-2} (1 + s^2).
    """
    first = leading(monomials)
    c = first.coefficient if signed else abs(first.coefficient)
    shared: list[tuple[Term, Fraction]] = []
    for b, _ in {f[0]: f for m in monomials for f in m.factors}.values():
        if any(i in free(b) for m in monomials for i in m.dummies) or not movable(b):
            continue
        least = min(exponent(m, b) for m in monomials)
        if least and (unit(b) or all(has(m, b) for m in monomials)):
            shared.append((b, least))
    content = Monomial(c, (), tuple(shared))
    rest = []
    for m in monomials:
        factors = dict(m.factors)
        for b, e in shared:
            factors[b] = factors.get(b, Fraction(0)) - e
        kept: Factors = tuple((b, e) for b, e in factors.items() if e)
        rest.append(Monomial(m.coefficient / c, m.dummies, kept))
    return content, rest


def carry_sign(normal: Session, base: Term, left: Term, content: Monomial) -> None:
    """left = base / content is positive when both are."""
    if key(left) in normal.known or not normal.positive(base):
        return
    base, shown, equal = normal.known.get(key(base), (base, base, None))
    inverse = Power(content.term(), Fraction(-1))
    whole = Mul((inverse, shown))
    first = Inside(whole, ((1, equal),)) if equal is not None else None
    normal.note_sign(left, whole, joined(first, Linear(Mul((inverse, base)), left)))


def leading(monomials: Iterable[Monomial]) -> Monomial:
    return min(monomials, key=monomial_key)


def total(monomials: list[Monomial]) -> Term:
    """The sum as a term, in the order of the keys."""
    return add(*(ordered(m) for m in sorted(monomials, key=monomial_key)))


def has(m: Monomial, b: Term) -> bool:
    return any(f == b for f, _ in m.factors)


def exponent(m: Monomial, b: Term) -> Fraction:
    return next((e for f, e in m.factors if f == b), Fraction(0))


# --- common denominators: a sum of products as one quotient, with the proof ---


Denominator = tuple[tuple[Term, Fraction], ...]
F0, F1 = Fraction(0), Fraction(1)


def common_denominator(monomials: list[Monomial], normal: Session, roots: bool = False) -> Denominator:
    """For each compound base under a fraction, free of the dummies: the integer power that clears it.

    With `roots` the least power that does: 1 - c/√s is (√s - c)/√s.
    """
    needed: dict[Key, tuple[Term, Fraction]] = {}
    for m in monomials:
        for b, e in m.factors:
            if e < 0 and normal.meaning(b) is not None and free(b).isdisjoint(m.dummies):
                k = key(b)
                power = -e if roots else Fraction(-floor(e))
                needed[k] = (needed[k][0] if k in needed else b, max(power, needed.get(k, (b, F0))[1]))
    return tuple(needed[k] for k in sorted(needed))


def over_common_denominator(
    monomials: list[Monomial], denominator: Denominator, run: Expansion
) -> tuple[Term, Term, Proof]:
    """(1/D, numerator, proof of  Σ monomials = 1/D * numerator).  The numerator is not reduced."""
    keys = {key(b): n for n, (b, _) in enumerate(denominator)}
    inverse = mul(*(Power(b, -k) for b, k in denominator))
    steps: list[tuple[tuple[Index, ...], Term, Proof]] = []
    numerator: list[Term] = []
    for m in monomials:
        powers = [F0] * len(denominator)
        rest = []
        for b, e in m.factors:
            n = keys.get(key(b))
            if n is None:
                rest.append((b, e))
            else:
                powers[n] += e
        pairs, laws, raised = [], [], []
        for n, (b, k) in enumerate(denominator):
            p = k + powers[n]  # b^{powers} = b^{-k} b^{p}
            pairs.append(Mul((Power(b, -k), Power(b, p))))
            laws.append((n, By("power_add", (b, -k, p))))
            raised.append(Power(b, p))
        keep = product_of(m.coefficient, tuple(rest))
        steps.append((m.dummies, mul(Num(-F1), keep), Inside(Mul(tuple(pairs)), tuple(laws))))
        numerator.append(sum_over(m.dummies, mul(keep, *raised)))
    total = Mul((inverse, add(*numerator)))
    start = add(*[m.term() for m in monomials])
    return inverse, add(*numerator), Linear(start, total, tuple(steps))


def of_fraction(normal: Session, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """f of a sum of fractions: f of one fraction."""
    denominator = common_denominator(monomials, normal, roots=isinstance(t, Holds))
    if not denominator or len(monomials) < 2:
        return None
    if not (isinstance(t, Power) and t.exponent.denominator == 1) and not all(
        normal.positive(b) for b, _ in denominator
    ):
        return None
    inverse, numerator, proof = over_common_denominator(monomials, denominator, normal.run(arg))
    reduced, by = normal.of(numerator)
    inside = None if by is None else Inside(Mul((inverse, numerator)), ((1, by),))
    into = joined(
        Linear(arg, total(monomials)), Linear(total(monomials), add(*(m.term() for m in monomials))), proof, inside
    )
    if isinstance(t, Power):
        law: Proof = By("power_of_product", ((inverse, reduced), t.exponent))
        return Mul((Power(inverse, t.exponent), Power(reduced, t.exponent))), joined(Inside(t, ((0, into),)), law)
    if isinstance(t, Holds):
        return Holds(Positive(reduced)), joined(Inside(t, ((0, into),)), By("step_scaled", (inverse, reduced)))
    law = By("log_of_product", ((inverse, reduced),))
    return add(Apply("log", inverse), Apply("log", reduced)), joined(Inside(t, ((0, into),)), law)


def by_cases(t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """f(h a + (1-h) b) = h f(a) + (1-h) f(b) for a step or delta h."""
    h = next(
        (b for m in monomials for b, _ in m.factors if isinstance(b, Delta | Holds) and free(b).isdisjoint(m.dummies)),
        None,
    )
    if h is None or (len(monomials) == 1 and monomials[0].factors == ((h, F1),) and isinstance(t, Power)):
        return None
    with_h = [m._replace(factors=tuple(f for f in m.factors if f[0] != h)) for m in monomials if has(m, h)]
    without = [m for m in monomials if not has(m, h)]
    a, b = total([*with_h, *without]), total(without)
    split = add(mul(h, a), mul(sub(ONE, h), b))
    law = By("by_cases", (t, h, a, b))
    there, elsewhere = rebuilt(t, (a,)), rebuilt(t, (b,))
    value = add(mul(h, there), mul(sub(ONE, h), elsewhere))
    proof = joined(Inside(t, ((0, Linear(arg, split)),)), law)
    solved = solutions(h) if isinstance(h, Delta) else ()
    if not solved:
        return value, proof
    one = dict(solved[:1])  # where δ_ij = 1 the functions are those of i alone
    decided = add(mul(h, substitute(there, one)), elsewhere, neg(mul(h, substitute(elsewhere, one))))
    return decided, joined(proof, Linear(value, decided))


def power(normal: Session, base: Term, q: Fraction, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    t = Power(base, q)
    whole = q.denominator == 1
    if not monomials or (len(monomials) == 1 and whole and not monomials[0].dummies):
        return None
    movable = (lambda b: True) if whole else normal.positive
    content, rest = shared_content(monomials, movable, normal.unit, signed=whole)
    if not whole and len(rest) == 1:
        root = root_of_square(base, q, content, rest[0])
        if root is not None:
            return root
    if not content.factors and content.coefficient == 1:
        return None
    left = total(rest)
    carry_sign(normal, base, left, content)
    if len(rest) == 1 and not rest[0].factors and rest[0].coefficient == 1:
        return power_of_content(base, q, content)
    split = Mul((content.term(), left))
    proof = joined(Inside(t, ((0, Linear(base, split)),)), By("power_of_product", ((content.term(), left), q)))
    return Mul((Power(content.term(), q), Power(left, q))), proof


def root_of_square(base: Term, q: Fraction, content: Monomial, square: Monomial) -> tuple[Term, Proof] | None:
    """(c r²)^{n/2} = c^{n/2} |r|ⁿ with |r| = r ([r > 0] - [-r > 0]), for a positive c."""
    plain = square.coefficient == 1 and square.factors and not square.dummies
    if not plain or q.denominator != 2 or any(e % 2 for _, e in square.factors):
        return None
    root = mul(*(b if e == 2 else Power(b, e / 2) for b, e in square.factors))
    size = mul(root, sub(Holds(Positive(root)), Holds(Positive(neg(root)))))
    split = Mul((content.term(), Power(root, Fraction(2))))
    powers = Mul(tuple(Power(a, q) for a in split.args))
    proof = joined(
        Inside(Power(base, q), ((0, Linear(base, split)),)),
        By("power_of_product", (split.args, q)),
        Inside(powers, ((1, By("root_of_square", (root, q))),)),
    )
    return Mul((Power(content.term(), q), Power(size, 2 * q))), proof


def power_of_content(base: Term, q: Fraction, content: Monomial) -> tuple[Term, Proof] | None:
    """A root of a product of positive factors: (s²)^{1/2} = s for s > 0."""
    if q.denominator == 1 or not any(e % 2 == 0 for _, e in content.factors):
        return None
    pairs = ([(Num(content.coefficient), F1)] if content.coefficient != 1 else []) + list(content.factors)
    parts = tuple(b if e == 1 else Power(b, e) for b, e in pairs)
    spread = Mul(tuple(Power(p, q) for p in parts))
    laws = tuple((n, By("power_of_power", (b, e, q))) for n, (b, e) in enumerate(pairs) if e != 1)
    proof = joined(
        Inside(Power(base, q), ((0, Linear(base, Mul(parts))),)),
        By("power_of_product", (parts, q)),
        Inside(spread, laws) if laws else None,
    )
    return Mul(tuple(Power(b, e * q) for b, e in pairs)), proof
