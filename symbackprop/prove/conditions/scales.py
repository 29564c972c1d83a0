"""Terms up to positive factors: over a common denominator, without what all their terms share."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Context
from symbackprop.core.signs import NONZERO
from symbackprop.core.sums import Monomial, monomial_key, polynomial
from symbackprop.core.terms import ONE, ZERO, Num, Power, Term, free, mul
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.normal_form.session import FAILED

F0, F1 = Fraction(0), Fraction(1)
CLEARED = 4  # denominators inside numerators


class Scales:
    """Normal forms and scales in one region; remembers them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.normal = Normal(context)
        self.scaled: dict[tuple[Term, bool], tuple[Term, Term] | None] = {}

    def value(self, t: Term) -> Term:
        """The normal form, in the words of the context."""
        try:
            return self.normal.unfolded(self.normal.of(t)[0])[0]
        except FAILED:
            return t

    def monomials(self, t: Term) -> list[Monomial] | None:
        value = self.value(t)
        try:
            return self.normal.run(value).expand(value)
        except FAILED:
            return None

    def size(self, t: Term) -> Term:
        """n - 1 as a size, or a multiple of one, whose sign is plain."""
        found, own = polynomial(t), self.monomials(t)
        scaled = None if found is None else self.monomials(found)
        if found is None or not own or not scaled:
            return t
        multiple = mul(Num(own[0].coefficient / scaled[0].coefficient), found)
        return multiple if self.value(multiple) == t else t

    def primitive(self, t: Term, either: bool = False) -> tuple[Term, Term] | None:
        """(scale * t, scale) for a positive scale: over a common denominator, without what all terms share.

        With `either` a scale that is not 0 will do.
        """
        if (t, either) not in self.scaled:
            try:
                self.scaled[t, either] = self.cleared(t, either)
            except FAILED:
                self.scaled[t, either] = None
        return self.scaled[t, either]

    def nonzero(self, b: Term, either: bool) -> bool:
        if self.normal.positive(b):
            return True
        return either and self.normal.signs.sign(self.normal.unfolded(b)[0]) == NONZERO

    def cleared(self, t: Term, either: bool) -> tuple[Term, Term]:
        scale: list[Term] = []
        value, _ = self.normal.of(t)
        for _ in range(CLEARED):
            below = self.denominators(value, either)
            if not below:
                break
            scale += [Power(b, -e) for b, e in below]
            value, _ = self.normal.of(mul(value, *scale[-len(below) :]))
        value = self.without_roots(value, either, scale)
        monomials = self.normal.run(value).expand(value)
        if not monomials:
            return ZERO, ONE
        first = min(monomials, key=monomial_key)
        shared: list[Term] = [Num(1 / abs(first.coefficient))]
        inside = frozenset(i for m in monomials for i in m.dummies)
        for b, _ in first.factors:
            exponents = [dict(m.factors).get(b, F0) for m in monomials]
            if all(exponents) and self.nonzero(b, either) and free(b).isdisjoint(inside):
                shared.append(Power(b, -min(exponents)))
        whole, _ = self.normal.unfolded(mul(*scale, *shared))
        return self.value(self.normal.unfolded(mul(*shared, value))[0]), whole

    def without_roots(self, value: Term, either: bool, scale: list[Term]) -> Term:
        """√b x + b as x + √b: over a root that is not 0, where that is shorter."""
        monomials = self.normal.run(value).expand(value)
        roots = [(b, e) for m in monomials for b, e in m.factors if e > 0 and e.denominator > 1 and len(monomials) > 1]
        for b, e in dict.fromkeys(roots):
            if not self.nonzero(b, either) or not all(free(b).isdisjoint(m.dummies) for m in monomials):
                continue
            other, _ = self.normal.of(mul(value, Power(b, -e)))
            if len(self.normal.run(other).expand(other)) < len(monomials):
                scale.append(Power(b, -e))
                return other
        return value

    def denominators(self, value: Term, either: bool) -> list[tuple[Term, Fraction]]:
        """Positive factors (or factors that are not 0) with negative exponents."""
        found: dict[Term, Fraction] = {}
        for m in self.normal.run(value).expand(value):
            for b, e in m.factors:
                if e < 0 and free(b).isdisjoint(m.dummies) and self.nonzero(b, either):
                    found[b] = min(e, found.get(b, F0))
        return sorted(found.items(), key=lambda x: monomial_key(Monomial(F1, (), ((x[0], F1),))))
