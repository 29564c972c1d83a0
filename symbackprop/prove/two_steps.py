"""Two steps in one product: [a > 0] [b > 0] where one implies, excludes or completes the other."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from ..core.kernel import By, Chain, Flip, Inside, Linear, Proof
from ..core.sums import Monomial
from ..core.terms import ONE, ZERO, Add, Holds, Mul, Positive, Term, add, neg, sub
from .reduce import Move, ordered, product_of

if TYPE_CHECKING:
    from .normal import Normal


class Steps:
    def __init__(self, normal: Normal) -> None:
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
        """[a > 0] [b > 0] = [a > 0] if b - a > 0;  0 if -a - b > 0;  [a > 0] + [b > 0] - 1 if a + b > 0"""
        a, b = argument(one), argument(other)
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
