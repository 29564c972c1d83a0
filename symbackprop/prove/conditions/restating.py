"""What a region says, in the words of the prover: in the order of the normal form, and one by one over short axes.

Each is a lemma with its proof: the same statement up to the laws of sums and products, or one case of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import prod

from symbackprop.clock import Effort
from symbackprop.core.context import EMPTY, Context, Hypothesis, Same, terms_of
from symbackprop.core.discharge import knowing, like, picked, term_of
from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.kernel import By, Chain, Linear
from symbackprop.core.reasons import Base, Given, Knowing, Reason, Sign, Weigh
from symbackprop.core.signs import NONZERO
from symbackprop.core.sums import Monomial, monomial_key, polynomial, same
from symbackprop.core.terms import (
    ONE, ZERO, AtLeastZero, Mul, Nonzero, Num, Positive, Power, ProofError, Term, add, free, mul, substitute,
)  # fmt: skip
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.normal_form.session import FAILED, TooLarge

CASES = 36


Values = tuple[tuple[Index, IndexExpr], ...]


def restated(context: Context) -> tuple[Reason | Given, ...]:
    """Lemmas about the hypotheses of a context that are written in another way than the prover writes."""
    said = set(context.hypotheses.values())
    found: dict[Hypothesis, Reason | Given] = {}
    for part in (p for h in context.hypotheses.values() for p in parts(h)):
        if part.goal not in said and holds(part, context):
            found.setdefault(part.goal, part)
            roots = AtLeastZero(term_of(part.goal))
            if roots in said:
                positive = Positive(roots.term)
                found.setdefault(positive, Knowing(positive, "positive", (part,), Sign(positive)))
    for name, h in context.hypotheses.items():
        for again, values in other_words(h):
            lemma = again if again in said or again in found else None
            if lemma is None:
                made = lemma_of(name, h, again, values)
                if made is not None and holds(made, context):
                    found[again] = made
    return tuple(found.values())


def parts(h: Hypothesis) -> Iterator[Reason]:
    """A product is not 0, so its factors are not; a root is not 0, so what is under it is not."""
    if not isinstance(h, Nonzero | Positive):
        return
    match h.term:
        case Mul(args):
            for k, a in enumerate(args):
                if not isinstance(a, Num):
                    rest = mul(*args[:k], *args[k + 1 :])
                    equal = Given(Linear(mul(rest, a), add(mul(ONE, h.term), ZERO)))
                    yield from within(Weigh(Nonzero(a), rest, ((ONE, Sign(h)),), ZERO, equal))
        case Power():
            yield from within(Sign(Nonzero(h.term)))
        case _:
            pass


def within(r: Reason) -> Iterator[Reason]:
    """The reason, and what it says of the base of a power."""
    yield r
    match term_of(r.goal):
        case Power(base, q) if q > 0:
            yield from within(Base(Nonzero(base), r))
        case _:
            pass


def holds(lemma: Reason | Given, context: Context) -> bool:
    try:
        knowing("tried", (lemma,), context)
    except ProofError:
        return False
    return True


def lemma_of(name: str, h: Hypothesis, again: Hypothesis, values: Values) -> Reason | Given | None:
    given = dict(values)
    match h, again:
        case Same(lhs, rhs), Same(left, right):
            here = By("assume", (name, values))
            return Given(Chain(Linear(left, substitute(lhs, given)), (here, Linear(substitute(rhs, given), right))))
        case (Positive(u), Positive(v)) | (Nonzero(u), Nonzero(v)) | (AtLeastZero(u), AtLeastZero(v)):
            u = substitute(u, given)
            assert not isinstance(h, Same) and not isinstance(again, Same)
            part = (ONE, Sign(like(h, u)))
            return Weigh(again, ONE, (part,), ZERO, Given(Linear(mul(ONE, v), add(mul(ONE, u), ZERO))))
        case _:
            return None


@lru_cache(maxsize=2000)
def other_words(h: Hypothesis) -> tuple[tuple[Hypothesis, Values], ...]:
    found: dict[Hypothesis, Values] = {}
    for case, values in (*([] if isinstance(h, Same) and short(h) else [(h, ())]), *cases(h)):
        again = expanded(case)
        if again is not None and again != h:
            found.setdefault(again, values)
    return tuple(found.items())


def expanded(h: Hypothesis) -> Hypothesis | None:
    match h:
        case Positive(t) | Nonzero(t) | AtLeastZero(t):
            value = sum_of_products(t)
            return None if value is None else type(h)(value)
        case Same(lhs, rhs):
            left, right = sum_of_products(lhs), sum_of_products(rhs)
            return None if left is None or right is None else Same(left, right)
        case _:
            return None


def sum_of_products(t: Term) -> Term | None:
    """The normal form, if it is the same by the laws of sums and products alone."""
    try:
        value = Normal(EMPTY).of(t)[0]
        equal, conditions = same(t, value)
    except (ProofError, TooLarge):
        return None
    return value if equal and not conditions else None


def short(h: Same | Positive | Nonzero | AtLeastZero) -> list[Index]:
    """Its indices over axes of literal size, where there are not too many values."""
    indices = free(h.lhs) | free(h.rhs) if isinstance(h, Same) else free(h.term)
    found = sorted((i for i in indices if i.size.constant is not None), key=lambda i: i.name)
    return found if prod(i.size.constant or 1 for i in found) <= CASES else []


def cases(h: Hypothesis) -> list[tuple[Hypothesis, Values]]:
    """h for each value of its indices over axes of literal size."""
    if not isinstance(h, Same | Positive | Nonzero | AtLeastZero) or not short(h):
        return []
    found: list[tuple[Hypothesis, Values]] = []
    for numbers in product(*(range(i.size.constant or 1) for i in short(h))):
        values: Values = tuple((i, affine(v, ())) for i, v in zip(short(h), numbers, strict=True))
        given = dict(values)
        if isinstance(h, Same):
            found.append((Same(substitute(h.lhs, given), substitute(h.rhs, given)), values))
        else:
            found.append((type(h)(substitute(h.term, given)), values))
    return found


def unused_name(i: Index, region: Context) -> str:
    """A name for an integer in the range of i that no hypothesis speaks of."""
    taken = {n for h in region.hypotheses.values() for t in terms_of(h) for n in picked(t)}
    return next(n for n in (f"!{i.name}{'*' * r}" for r in range(len(taken) + 2)) if n not in taken)


def case_name(region: Context) -> str:
    """A name that no hypothesis has."""
    return f"case {len(region.hypotheses)}"


# --- terms up to positive factors: over a common denominator, without what all their terms share ---


F0, F1 = Fraction(0), Fraction(1)
CLEARED = 4  # denominators inside numerators


class Scales:
    """Normal forms and scales in one region, which all who look for reasons there share."""

    def __init__(self, context: Context, effort: Effort) -> None:
        self.context, self.effort = context, effort
        here = tuple(context.definitions.items()), frozenset(context.hypotheses.values()), context.least
        if here not in effort.found:
            effort.found[here] = Normal(context), {}
        found: tuple[Normal, dict[tuple[Term, bool], tuple[Term, Term] | None]] = effort.found[here]
        self.normal, self.scaled = found

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
