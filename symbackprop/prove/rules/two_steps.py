"""Two steps in one product: [a > 0] [b > 0] where one implies, excludes or completes the other."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from symbackprop.core.kernel import By, Chain, Flip, Inside, Linear, Proof
from symbackprop.core.sums import Monomial, monomial_key
from symbackprop.core.terms import ONE, ZERO, Add, Holds, Mul, Num, Positive, Term, add, neg, sub

from ..normal_form.reduce import Move, ordered, product_of
from ..normal_form.session import Session


class Steps:
    def __init__(self, normal: Session) -> None:
        self.normal = normal

    def rule(self, m: Monomial) -> Move | None:
        found = [b for b, _ in m.factors if isinstance(b, Holds) and isinstance(b.predicate, Positive)]
        for one, other in permutations(found, 2):
            rewrite = self.related(one, other)
            if rewrite is not None:
                rhs, proof = rewrite
                left = tuple(f for f in m.factors if f[0] not in (one, other))
                return Move(m.dummies, product_of(m.coefficient, left), Mul((one, other)), rhs, proof)
        return None

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
