"""Is a sum of products zero?  What rewriting alone does not see: common denominators, also under a sum."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.kernel import Chain, Inside, Linear, Proof
from symbackprop.core.sums import Monomial, canonical
from symbackprop.core.terms import ONE, ZERO, Key, Mul, Term, add, free, substitute
from symbackprop.prove.rules.powers import common_denominator, over_common_denominator
from symbackprop.prove.rules.summation_ranges import opposite

from .normal import Normal
from .session import joined

F1 = Fraction(1)
DEPTH = 4  # denominators inside numerators inside ...


def prove_zero(t: Term, normal: Normal, depth: int = DEPTH) -> Proof | None:
    """A proof of t = 0, or None."""
    value, proof = normal.of(t)
    if value == ZERO:
        return proof or Linear(t, ZERO)
    if depth == 0:
        return None
    monomials = normal.run(value).expand(value)
    last = (opposite, normal.relations.whole_part)
    if any(rule(m) for m in monomials for rule in last):
        other = normal.reduced(value, *last)
        if other.result() == ZERO:
            return joined(proof, other.proof())
    rest = over_denominator(monomials, normal, depth) or by_scopes(monomials, normal, depth)
    if rest is None:
        return None
    start = add(*(m.term() for m in monomials))
    return joined(proof, Linear(value, start), rest)


def over_denominator(monomials: list[Monomial], normal: Normal, depth: int) -> Proof | None:
    denominator = common_denominator(monomials, normal)
    if not denominator:
        return None
    start = add(*(m.term() for m in monomials))
    inverse, numerator, quotient = over_common_denominator(monomials, denominator, normal.run(start))
    inner = prove_zero(numerator, normal, depth - 1)
    if inner is None:
        return None
    product = Mul((inverse, numerator))
    return Chain(quotient, (Inside(product, ((1, inner),)), Linear(Mul((inverse, ZERO)), ZERO)))


def by_scopes(monomials: list[Monomial], normal: Normal, depth: int) -> Proof | None:
    """Σ_n (..)/d_n + Σ_m (..)/d_m = Σ_n of one fraction: zero when each scope's summand is."""
    groups: dict[Key, list[tuple[tuple[Index, ...], Monomial]]] = {}
    for m in monomials:
        under = tuple((b, F1) for b, e in m.factors if e < 0 and normal.meaning(b) is not None)
        scope = tuple(i for i in m.dummies if any(i in free(b) for b, _ in under))
        if not scope:
            return None
        key, order = canonical(Monomial(F1, scope, under))
        groups.setdefault(key, []).append((order, m))
    steps: list[tuple[tuple[Index, ...], Term, Proof]] = []
    for members in groups.values():
        shared = tuple(normal.names.new(i.size) for i in members[0][0])
        inside = []
        for order, m in members:
            given: dict[Index, IndexExpr] = dict(zip(order, shared, strict=True))
            left = tuple(i for i in m.dummies if i not in order)
            factors = tuple((substitute(b, given), e) for b, e in m.factors)
            inside.append(Monomial(m.coefficient, left, factors).term())
        proof = prove_zero(add(*inside), normal, depth - 1)
        if proof is None:
            return None
        steps.append((shared, ONE, proof))
    return Linear(add(*(m.term() for m in monomials)), ZERO, tuple(steps))
