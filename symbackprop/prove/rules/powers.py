"""Powers: what a power of a sum or product is in normal form."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.kernel import By, Inside, Linear, Proof
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import Holds, Mul, Num, Positive, Power, Term, mul, neg, sub

from ..normal_form.content import carry_sign, shared_content, total
from ..normal_form.joined import joined
from ..normal_form.session import Session

F1 = Fraction(1)


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
