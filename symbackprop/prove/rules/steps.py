"""Steps [u > 0]: one by the sign of u and of its factors, and two in one product."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations, product

from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Chain, Flip, Inside, Linear, Proof
from symbackprop.core.sums import Monomial, monomial_key, surely_positive
from symbackprop.core.terms import (
    ONE, ZERO, Add, Apply, Delta, Holds, Mul, Num, Positive, Power, Term, add, free, mul, neg, sub, substitute,
)  # fmt: skip
from symbackprop.prove.normal_form.session import Move, Session, joined, ordered, product_of
from symbackprop.prove.rules.powers import leading, shared_content, total
from symbackprop.prove.rules.truths import step_of_truth

F1 = Fraction(1)

# --- two steps in one product: [a > 0] [b > 0] where one implies, excludes or completes the other ---


class Steps:
    def __init__(self, normal: Session) -> None:
        self.normal = normal

    def rule(self, m: Monomial) -> Move | None:
        found = [b for b, _ in m.factors if isinstance(b, Holds) and isinstance(b.predicate, Positive)]
        for one, (b, e) in product(found, m.factors):
            if argument(one) == neg(b) and e > 0 and e.denominator == 1:
                return self.beside(m, b, e, one)
        for one, other in permutations(found, 2):
            rewrite = self.related(one, other)
            if rewrite is not None:
                rhs, proof = rewrite
                left = tuple(f for f in m.factors if f[0] not in (one, other))
                return Move(m.dummies, product_of(m.coefficient, left), Mul((one, other)), rhs, proof)
        return None

    def beside(self, m: Monomial, b: Term, e: Fraction, one: Holds) -> Move:
        """b [-b > 0] = b (1 - [b > 0]), also where b is 0"""
        left = tuple((f, x - 1 if f == b else x) for f, x in m.factors if f != one and (f, x) != (b, F1))
        value = Mul((b, sub(ONE, Holds(Positive(b)))))
        return Move(m.dummies, product_of(m.coefficient, left), Mul((b, one)), value, By("step_beside", (b,)))

    def related(self, one: Holds, other: Holds) -> tuple[Term, Proof] | None:
        """[a > 0] [b > 0] = [a > 0] if b - a > 0;  0 if -a - b > 0;  [a > 0] + [b > 0] - 1 if a + b > 0

        For k a in place of a as well, with a number k > 0 that makes a term of a and one of b equal up to the sign.
        """
        a, b = argument(one), argument(other)
        for k in self.scales(a, b):
            found = self.compared(other, a if k == 1 else Mul((Num(k), a)), b)
            if found is not None:
                value, proof = found
                if k == 1:
                    return value, proof
                scaled = Holds(Positive(Mul((Num(k), a))))
                law = By("step_scaled", (Num(k), a))
                before = Inside(Mul((one, other)), ((0, Flip(law)),))
                if value == scaled:
                    return one, Chain(before, (proof, law))
                if isinstance(value, Add):
                    return add(one, *value.args[1:]), Chain(before, (proof, Inside(value, ((0, law),))))
                return value, Chain(before, (proof,))
        return None

    def scales(self, a: Term, b: Term) -> list[Fraction]:
        """1, and the ratios of the coefficients that stand at the same terms."""
        left, right = ({monomial_key(m): m.coefficient for m in self.normal.run(t).look(t)} for t in (a, b))
        ratios = sorted({abs(right[k] / c) for k, c in left.items() if k in right})
        return [Fraction(1), *(k for k in ratios if k != 1)]

    def compared(self, other: Holds, a: Term, b: Term) -> tuple[Term, Proof] | None:
        one = Holds(Positive(a))
        gaps = (("step_ordered", sub(b, a)), ("step_excluded", neg(add(a, b))), ("step_covering", add(a, b)))
        for law, gap in gaps:
            monomials = self.normal.run(gap).expand(gap)
            c = add(*(ordered(x) for x in monomials))
            if not monomials or not self.normal.positive(c):
                continue
            written = {"step_ordered": Add((a, c)), "step_excluded": sub(neg(a), c), "step_covering": sub(c, a)}[law]
            second = Holds(Positive(written))
            rewrite = Inside(other, ((0, Linear(b, written)),))
            product = Mul((one, other))
            proof: Proof = Chain(Inside(product, ((1, rewrite),)), (By(law, (a, c)),))
            if law == "step_ordered":
                return one, proof
            if law == "step_excluded":
                return ZERO, proof
            back = Inside(add(one, second, neg(ONE)), ((1, Flip(rewrite)),))
            return add(one, other, neg(ONE)), Chain(proof, (back,))
        return None


def argument(step: Holds) -> Term:
    assert isinstance(step.predicate, Positive)
    return step.predicate.term


# --- one step [u > 0] by the sign of u and of its factors ---


def step(normal: Session, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    t = Holds(Positive(u))
    if not monomials:
        return ZERO, at_zero(u)
    if normal.positive(u):
        return ONE, By("step_of_positive", (u,))
    of_truth = step_of_truth(normal, u, monomials)
    if of_truth is not None:
        return of_truth
    against_max = normal.against_maxima(u, monomials)
    if against_max is not None:
        return against_max
    minus = total([m._replace(coefficient=-m.coefficient) for m in monomials])
    if normal.never_negative(minus):
        return ZERO, joined(Inside(t, ((0, Linear(u, neg(minus))),)), By("step_of_negative", (minus,)))
    content, rest = shared_content(monomials, normal.positive, normal.unit, signed=False)
    if content.factors or content.coefficient != 1:
        left = total(rest)
        split = Mul((content.term(), left))
        proof = joined(Inside(t, ((0, Linear(u, split)),)), By("step_scaled", (content.term(), left)))
        return Holds(Positive(left)), proof
    if len(monomials) == 1 and not monomials[0].dummies:
        return step_of_product(normal, u, monomials[0])
    content, rest = shared_content(monomials, lambda b: True, surely_positive, signed=False)
    if content.factors:
        return split_off(u, content._replace(coefficient=F1).term(), total(rest))
    compared = exponents_compared(u, monomials)
    if compared is not None:
        return compared
    negative = leading(monomials).coefficient < 0
    places = diagonal(normal, minus) if negative and normal.way.negated_steps else None
    if places is not None or normal.other_side(minus if negative else total(monomials), negative):
        return turned(u, minus, places)
    return None


def at_zero(u: Term) -> Proof:
    """[u > 0] = 0 for u = 0"""
    return joined(Inside(Holds(Positive(u)), ((0, Linear(u, neg(ZERO))),)), By("step_of_negative", (ZERO,)))


def turned(u: Term, minus: Term, places: tuple[Index, Index] | None = None) -> tuple[Term, Proof]:
    """[u > 0] = 1 - [-u > 0] where u is not 0; without δ_ij where u is 0 for i = j."""
    written = Inside(Holds(Positive(u)), ((0, Linear(u, neg(minus))),))
    value = sub(ONE, Holds(Positive(minus)))
    if places is None:
        return value, joined(written, By("step_negated", (minus,)))
    return sub(value, Delta(*places)), joined(written, negated_off(minus, *places))


def step_of_product(normal: Session, u: Term, m: Monomial) -> tuple[Term, Proof] | None:
    """[a b > 0] by the signs of the factors, of which the first is split off."""
    (b, e), rest = m.factors[0], m.factors[1:]
    alone = e == 1 and not rest and abs(m.coefficient) == 1
    if e.denominator > 1 or (alone and not normal.other_side(b, m.coefficient < 0)):
        return None
    if alone or (m.coefficient < 0 and normal.way.negated_steps):
        return turned(u, m._replace(coefficient=-m.coefficient).term())
    one: Term = Power(b, Fraction(-1)) if e < 0 else b
    left = e + 1 if e < 0 else e - 1
    other = m._replace(factors=((b, left), *rest) if left else rest).term()
    if e == -1 and not rest and m.coefficient == 1:
        inverse = Power(b, Fraction(-1))
        return Holds(Positive(b)), joined(
            Inside(Holds(Positive(u)), ((0, Linear(u, inverse)),)), By("step_of_reciprocal", (b,))
        )
    return split_off(u, one, other)


def split_off(u: Term, one: Term, other: Term) -> tuple[Term, Proof]:
    """[u > 0] for u = one * other by the signs of both."""
    law = By("step_of_product", (one, other))
    here, there = Holds(Positive(one)), Holds(Positive(other))
    value = add(mul(here, there), mul(Holds(Positive(neg(one))), Holds(Positive(neg(other)))))
    return value, joined(Inside(Holds(Positive(u)), ((0, Linear(u, Mul((one, other)))),)), law)


def exponents_compared(u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
    """[e^a - e^b > 0] = [a - b > 0]; one of the two may be 1."""
    if len(monomials) != 2 or {m.coefficient for m in monomials} != {F1, -F1} or any(m.dummies for m in monomials):
        return None
    if not all(isinstance(f, Apply) and f.fn == "exp" for m in monomials for f, _ in m.factors):
        return None
    a, b = (
        add(*(mul(Num(e), f.arg) for f, e in m.factors if isinstance(f, Apply)))
        for m in sorted(monomials, key=lambda m: -m.coefficient)
    )
    written = sub(Apply("exp", a), Apply("exp", b))
    proof = joined(Inside(Holds(Positive(u)), ((0, Linear(u, written)),)), By("step_of_exponentials", (a, b)))
    return Holds(Positive(sub(a, b))), proof


def negated_off(u: Term, i: Index, j: Index) -> Proof:
    """[-u > 0] = 1 - [u > 0] - δ_ij for u that is 0 where i = j: on the diagonal, and off it."""
    here, t = Delta(i, j), Holds(Positive(neg(u)))
    steps: list[tuple[tuple[Index, ...], Term, Proof]] = [((), ONE, By("step_negated_outside", (here, u)))]
    for side in (u, neg(u)):
        there = substitute(side, {j: i})
        steps.append(((), here, at_zero(there)))
    return Linear(t, sub(sub(ONE, Holds(Positive(u))), here), tuple(steps))


def diagonal(normal: Session, u: Term) -> tuple[Index, Index] | None:
    """The indices i, j of a term such as x_i - x_j, which is 0 where they are equal."""
    found = [
        (i, j)
        for i, j in combinations(sorted(free(u), key=lambda i: i.name), 2)
        if i.size == j.size and not normal.run(u).expand(substitute(u, {j: i}))
    ]
    return found[0] if len(found) == 1 else None
