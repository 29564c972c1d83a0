"""The largest entry: Σ_a argmax_a x_a = max, and masks that compare with it."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Index, ProofError, at_least_zero
from symbackprop.core.kernel import By, Inside, Linear, Proof, UnderSum, UnderWhole, check
from symbackprop.core.sums import Monomial, monomial_key
from symbackprop.core.terms import (
    Entry,
    Holds,
    Ordinal,
    Positive,
    Sum,
    Term,
    Whole,
    arguments,
    free,
    open_body,
    opened_whole,
    over,
    rebuilt,
    subterms,
    whole,
)

from ..differentiate import Names
from ..matching import Pattern, occurrences, unify
from ..normal_form.content import total
from ..normal_form.joined import Rewritten, joined
from ..normal_form.reduce import Move, Rule, product_of
from ..normal_form.session import Session

F1 = Fraction(1)


class Maxima:
    def __init__(self, normal: Session) -> None:
        self.normal = normal

    def rules(self) -> tuple[Rule, ...]:
        return (self.products, self.picked)

    def products(self, m: Monomial) -> Move | None:
        """argmax_a argmax_b = δ_ab argmax_a"""
        chosen = [(b, e) for b, e in m.factors if isinstance(b, Whole) and b.fn == "argmax"]
        for n, (b, e) in enumerate(chosen):
            if e >= 2:
                law = By("argmax_products", (maximum(b), b.at, b.at))
                left = tuple(f for f in m.factors if f[0] != b) + (((b, e - 2),) if e > 2 else ())
                return self.move(m, left, F1, m.dummies, law)
            for c, _ in chosen[n + 1 :]:
                if maximum(b) == maximum(c):
                    law = By("argmax_products", (maximum(b), b.at, c.at))
                    left = tuple(f for f in m.factors if f[0] not in (b, c))
                    return self.move(m, left, F1, m.dummies, law)
        return None

    def picked(self, m: Monomial) -> Move | None:
        """Σ_a argmax_a = 1,  Σ_a argmax_a x_a = max(x)"""
        for b, e in m.factors:
            if not isinstance(b, Whole) or b.fn != "argmax" or e != 1:
                continue
            axes = tuple(a for a in b.at if isinstance(a, Index))
            if len(axes) != len(b.at) or not set(axes) <= set(m.dummies) or len(set(axes)) != len(axes):
                continue
            left = tuple(f for f in m.factors if f[0] != b)
            used = frozenset[Index]().union(*(free(f) for f, _ in left))
            dummies = tuple(d for d in m.dummies if d not in axes)
            fresh = tuple(self.normal.names.new(a.size) for a in axes)
            if used.isdisjoint(axes):
                return self.move(m, left, F1, dummies, By("one_argmax", (maximum(b), fresh)))
            body = opened_whole(b, axes)
            monomials = self.normal.run(body).expand(body)
            if not monomials:
                continue
            lead = max(monomials, key=lambda x: (len(x.factors), monomial_key(x)))
            for binding, rest in occurrences(Pattern(lead.factors, lead.dummies), m._replace(factors=left)):
                gone = {binding[d] for d in lead.dummies}
                if frozenset[Index]().union(*(free(f) for f, _ in rest)).isdisjoint(axes):
                    kept = tuple(d for d in dummies if d not in gone)
                    return self.move(m, rest, 1 / lead.coefficient, kept, By("maximum_picks", (maximum(b), fresh)))
        return None

    def move(
        self, m: Monomial, left: tuple[tuple[Term, Fraction], ...], c: Fraction, dummies: tuple[Index, ...], law: By
    ) -> Move:
        equation = check(law, self.normal.context)
        return Move(dummies, product_of(m.coefficient * c, left), equation.lhs, equation.rhs, law)

    def step(self, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        """[max(x) - x_a > 0] = 1 - argmax(x)_a,  [x_a - max(x) > 0] = 0"""
        n = self.normal
        for m in monomials:
            if len(m.factors) != 1 or m.dummies or abs(m.coefficient) != 1 or m.factors[0][1] != 1:
                continue
            w = m.factors[0][0]
            if not isinstance(w, Whole) or w.fn != "max":
                continue
            others = [o._replace(coefficient=-o.coefficient / m.coefficient) for o in monomials if o is not m]
            target = total(others)
            axes = tuple(n.names.new(s) for s in w.sizes)
            pattern, _ = n.of(opened_whole(w, axes))
            for binding in unify(pattern, target, {}, frozenset(axes)):
                if not set(axes) <= set(binding):
                    continue
                at = tuple(binding[a] for a in axes)
                name = "step_below_max" if m.coefficient > 0 else "step_above_max"
                law = By(name, (w, at))
                try:
                    equation = check(law, n.context)
                except ProofError:  # not plainly an entry of the array
                    continue
                assert isinstance(equation.lhs, Holds) and isinstance(equation.lhs.predicate, Positive)
                first = Inside(Holds(Positive(u)), ((0, Linear(u, equation.lhs.predicate.term)),))
                return equation.rhs, joined(first, law)
        return None


def maximum(b: Whole) -> Whole:
    return Whole("max", 0, b.sizes, b.body, (), b.hints)


def merged(w: Whole, names: Names) -> tuple[Term, Proof] | None:
    """max_i max_j x_ij as one maximum, the axes in the order in which the entries have them."""
    if w.fn != "max":
        return None
    outer = tuple(map(names.new, w.sizes))
    inside = opened_whole(w, outer)
    if not isinstance(inside, Whole) or inside.fn != "max":
        return None
    inner = tuple(map(names.new, inside.sizes))
    body = opened_whole(inside, inner)
    if not all(at_least_zero(i.size - 1) for i in (*outer, *inner)):
        return None
    met = [i for s in subterms(body) if isinstance(s, Entry) for e in s.at for i in sorted(free(Ordinal(e)), key=str)]
    axes = tuple(sorted((*outer, *inner), key=lambda i: met.index(i) if i in met else len(met)))
    return whole("max", 0, axes, body, ()), By("maximum_of_maxima", (outer, inner, axes, body))


def with_merged(t: Term, names: Names) -> Rewritten:
    """The term with its maxima of maxima merged, and the proof."""
    match t:
        case Sum(size, body, _):
            i = names.new(size)
            value, proof = with_merged(open_body(body, (i,)), names)
            return (t, None) if proof is None else (over(i, value), UnderSum(i, proof))
        case Whole(fn, order, sizes, _, at, _):
            axes = tuple(map(names.new, sizes))
            value, proof = with_merged(opened_whole(t, axes), names)
            above = t if proof is None else whole(fn, order, axes, value, at)
            under = None if proof is None else UnderWhole(fn, order, axes, at, proof)
            found = merged(above, names)
            if found is not None:
                return found[0], joined(under, found[1])
            return above, under
        case _:
            results = [with_merged(a, names) for a in arguments(t)]
            parts = tuple((k, p) for k, (_, p) in enumerate(results) if p is not None)
            return (rebuilt(t, tuple(v for v, _ in results)), Inside(t, parts)) if parts else (t, None)
