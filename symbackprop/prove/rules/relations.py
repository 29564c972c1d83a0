"""Relations between the factors of a product: denominators, inverses, maxima, hypotheses.

Each rule looks at one monomial and says how to rewrite it, with the proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property, partial
from itertools import islice

from symbackprop.core.context import Same
from symbackprop.core.indices import Affine, Index
from symbackprop.core.kernel import By, Chain, Flip, Inside, Linear, Proof, check
from symbackprop.core.laws.arrays import entry_of
from symbackprop.core.sums import Monomial, monomial_key, surely_positive
from symbackprop.core.terms import ONE, Apply, Delta, Entry, Holds, Mul, Power, Term, Whole, free, mul, sub, substitute
from symbackprop.prove.normal_form.session import About, Move, Rule, Session, product_of

from ..matching import Pattern, occurrences
from .steps import Steps
from .summation_ranges import Shifts, at_end, counted, implied
from .symmetry import Symmetry, orders, turned, turning
from .whole_arrays import Maxima

F1 = Fraction(1)
TURNED = 4
"""How many factors of one product are turned in search of an inverse that cancels, or of an equation that applies."""


class Relations:
    def __init__(self, normal: Session) -> None:
        self.normal = normal
        self.leads: dict[Term, tuple[Pattern, Monomial] | None] = {}
        self.lasts: dict[Term, tuple[Term, Monomial] | None] = {}
        self.hypotheses = list(self.from_hypotheses())

    @cached_property
    def rules(self) -> tuple[About, ...]:
        """In the order in which they are tried, with what they are about."""
        n, ranges, wholes = self.normal, frozenset({Holds}), frozenset({Whole})
        return (
            About(self.name, frozenset({Entry})),
            *([About(self.denominator)] if n.way.rewrite_fractions else ()),
            *([About(self.hypothesis)] if self.hypotheses else ()),
            About(self.sine, frozenset({Apply})),
            About(self.inverse, wholes),
            About(lambda m: self.symmetries.rule(m), frozenset() if n.context.hypotheses else wholes),
            About(partial(at_end, n), ranges),
            About(implied, ranges),
            About(lambda m: self.shifts.rule(m), ranges | {Affine}),
            About(partial(counted, n.context), ranges),
            About(self.chosen, wholes),
            About(self.step, ranges),
        )

    # --- rules that most products have no use for ---------------------------------------------

    @cached_property
    def symmetries(self) -> Symmetry:
        return Symmetry(self.normal)

    @cached_property
    def maxima(self) -> Maxima:
        return Maxima(self.normal)

    @cached_property
    def steps(self) -> Steps:
        return Steps(self.normal)

    @cached_property
    def shifts(self) -> Shifts:
        return Shifts(self.normal)

    def chosen(self, m: Monomial) -> Move | None:
        return next((move for rule in self.maxima.rules() if (move := rule(m)) is not None), None)

    def step(self, m: Monomial) -> Move | None:
        return self.steps.rule(m)

    # --- b^q with b = t + rest:  t b^q = b^{q+1} - rest b^q ----------------------------------

    def denominator(self, m: Monomial) -> Move | None:
        for b, q in m.factors:
            meaning = self.normal.meaning(b) if q < 0 else None
            if meaning is None:
                continue
            lead = self.lead(b)
            if lead is None:
                continue
            pattern, t = lead
            others = m._replace(factors=tuple(f for f in m.factors if f[0] != b))
            for binding, left in occurrences(pattern, others):
                images = {binding[d] for d in pattern.dummies}
                units = tuple((u, -e) for u, e in t.factors if surely_positive(u))
                keep = mul(product_of(m.coefficient / t.coefficient, left), product_of(Fraction(1), units))
                dummies = tuple(d for d in m.dummies if d not in images)
                lhs, rhs, proof = self.raised(b, meaning, q)
                return Move(dummies, keep, lhs, rhs, proof)
            move = self.negative_unit(m, b, q)
            if move is not None:
                return move
        return None

    def negative_unit(self, m: Monomial, b: Term, q: Fraction) -> Move | None:
        """u^{-k} b^q with b = r + u^d ...: b b^q = b^{q+1} times u^{-k}/r, when r, free of u, is one unit."""
        last = self.lasts.setdefault(b, self.unit_last(b))
        if last is None:
            return None
        u, r = last
        k = next((e for f, e in m.factors if f == u), Fraction(0))
        if k >= 0:
            return None
        left = tuple(f for f in m.factors if f[0] != b)
        keep = mul(
            product_of(m.coefficient / r.coefficient, left), product_of(F1, tuple((f, -e) for f, e in r.factors))
        )
        meaning = self.normal.meaning(b)
        assert meaning is not None
        lhs, rhs, proof = self.raised(b, meaning, q)
        return Move(m.dummies, keep, lhs, rhs, proof)

    def whole_part(self, m: Monomial) -> Move | None:
        """b^{3/2} = b b^{1/2}, opened: for a last look, since it makes more of what is long."""
        for b, e in m.factors:
            meaning = self.normal.meaning(b) if e > 1 and e.denominator > 1 else None
            if meaning is not None:
                opened, power, proof = self.raised(b, meaning, e - 1)
                left = tuple(f for f in m.factors if f[0] != b)
                return Move(m.dummies, product_of(m.coefficient, left), power, opened, Flip(proof))
        return None

    def raised(self, b: Term, meaning: Term, q: Fraction) -> tuple[Term, Term, Proof]:
        """meaning * b^q = b^{q+1}"""
        law: Proof = By("power_add", (b, F1, q))
        lhs = Mul((b, Power(b, q)))
        rhs = Power(b, q + 1)
        first = Linear(lhs, Mul((Power(b, F1), Power(b, q))))
        if meaning == b:
            return lhs, rhs, Chain(first, (law,))
        out = Mul((meaning, Power(b, q)))
        return out, rhs, Chain(Inside(out, ((0, Flip(By("unfold", (b,)))),)), (first, law))

    def name(self, m: Monomial) -> Move | None:
        """A name that stands in no fraction is what it means."""
        for b, e in m.factors:
            if isinstance(b, Entry) and b.array in self.normal.meanings and e > 0 and e.denominator == 1:
                left = tuple((f, x) for f, x in m.factors if f != b)
                keep = product_of(m.coefficient, (*left, (b, e - 1)) if e != 1 else left)
                return Move(m.dummies, keep, b, self.normal.meanings[b.array].at(*b.at), By("unfold", (b,)))
        return None

    def unit_last(self, b: Term) -> tuple[Term, Monomial] | None:
        """The exponential that the lead of b is a power of, and the only term of b without it, if that is a unit."""
        lead = self.lead(b)
        if lead is None or len(lead[0].factors) != 1 or lead[0].dummies or not surely_positive(lead[0].factors[0][0]):
            return None
        u = lead[0].factors[0][0]
        meaning = self.normal.meaning(b) or b
        without = [m for m in self.normal.run(meaning).expand(meaning) if all(f != u for f, _ in m.factors)]
        if len(without) == 1 and not without[0].dummies and all(surely_positive(f) for f, _ in without[0].factors):
            return u, without[0]
        return None

    def lead(self, b: Term) -> tuple[Pattern, Monomial] | None:
        """The term of b to rewrite: one with a factor that no other term has, else the first by key."""
        if b not in self.leads:
            meaning = self.normal.meaning(b)
            assert meaning is not None
            monomials = self.normal.run(meaning).expand(meaning)
            self.leads[b] = None
            candidates = []
            for m in monomials:
                proper = tuple((f, e) for f, e in m.factors if not surely_positive(f))
                if not proper or any(e < 0 for _, e in proper):
                    if not m.dummies:
                        continue
                if m.dummies:
                    proper = m.factors
                elsewhere = {f for o in monomials if o is not m for f, _ in o.factors}
                private = any(f not in elsewhere for f, _ in proper)
                candidates.append((not private, len(proper), monomial_key(m), proper, m))
            if candidates:
                *_, proper, m = min(candidates, key=lambda c: c[:3])
                self.leads[b] = (Pattern(proper, m.dummies), _without(m, proper))
            else:
                self.leads[b] = self.unit_lead(monomials)
        return self.leads[b]

    def unit_lead(self, monomials: list[Monomial]) -> tuple[Pattern, Monomial] | None:
        """1 + e^u: the term in which some exponential has its greatest power, alone."""
        bases = sorted(
            {f for m in monomials for f, _ in m.factors},
            key=lambda f: monomial_key(Monomial(Fraction(1), (), ((f, Fraction(1)),))),
        )
        for u in bases:
            powers = sorted(
                (next((e for f, e in m.factors if f == u), Fraction(0)), n) for n, m in enumerate(monomials)
            )
            if len(powers) > 1 and powers[-1][0] > powers[-2][0] and powers[0][0] >= 0:
                m = monomials[powers[-1][1]]
                pattern = ((u, powers[-1][0]),)
                return Pattern(pattern), _without(m, pattern)
        return None

    # --- sin² = 1 - cos² ---------------------------------------------------------------------

    def sine(self, m: Monomial) -> Move | None:
        for b, e in m.factors:
            if isinstance(b, Apply) and b.fn == "sin" and e >= 2:
                left = tuple((f, x if f != b else x - 2) for f, x in m.factors if f != b or x != 2)
                law = By("sine_squared", (b.arg,))
                equation = check(law, self.normal.context)
                return Move(m.dummies, product_of(m.coefficient, left), equation.lhs, equation.rhs, law)
        return self.cosine(m)

    def cosine(self, m: Monomial) -> Move | None:
        """cos² = 1 - sin² over a power of the sine."""
        over = [b.arg for b, e in m.factors if isinstance(b, Apply) and b.fn == "sin" and e < 0]
        for b, e in m.factors:
            if isinstance(b, Apply) and b.fn == "cos" and e >= 2 and b.arg in over:
                left = tuple((f, x if f != b else x - 2) for f, x in m.factors if f != b or x != 2)
                square, value = Power(b, Fraction(2)), sub(ONE, Power(Apply("sin", b.arg), Fraction(2)))
                law = Linear(square, value, (((), ONE, By("sine_squared", (b.arg,))),))
                return Move(m.dummies, product_of(m.coefficient, left), square, value, law)
        return None

    # --- Σ_k (A^{-1})_ik A_kj = δ_ij ---------------------------------------------------------

    def inverse(self, m: Monomial) -> Move | None:
        """With factors turned where only then the matrix stands beside its inverse."""
        inverses = any(isinstance(b, Whole) and b.fn == "inv" for b, _ in m.factors)
        return self.turned_for(self.contracted, m) if inverses else None

    def turned_for(self, rule: Rule, m: Monomial) -> Move | None:
        """What the rule says, or factors of symmetric arrays turned so that it says something."""
        move = rule(m)
        for swaps in islice(orders(self.symmetries.able(m, TURNED)), 1, None) if move is None else ():
            if rule(turned(m, swaps)[0]) is not None:
                return turning(m, swaps)
        return move

    def contracted(self, m: Monomial) -> Move | None:
        for w, e in m.factors:
            if not isinstance(w, Whole) or w.fn != "inv" or e != 1:
                continue
            for side in (0, 1):
                k = w.at[1 - side]
                if not isinstance(k, Index) or k not in m.dummies:
                    continue
                move = self.contraction(m, w, side, k)
                if move is not None:
                    return move
        return None

    def contraction(self, m: Monomial, w: Whole, side: int, k: Index) -> Move | None:
        """Σ_k inv_ik A_kj (side 0) or Σ_k A_ik inv_kj (side 1)"""
        n = self.normal
        far = Index("?far", w.sizes[0])
        entry = entry_of(w, (k, far) if side == 0 else (far, k))
        monomials = n.run(entry, w).expand(entry)
        if not monomials:
            return None
        rest = m._replace(factors=tuple(f for f in m.factors if f[0] != w))
        for lead in sorted(monomials, key=lambda x: (diagonal(x), -len(x.factors), monomial_key(x))):
            pattern = Pattern(lead.factors, lead.dummies, (far,))
            for binding, left in occurrences(pattern, rest):
                used = {binding[d] for d in lead.dummies}
                if any(k in free(b) for b, _ in left):
                    continue
                other = binding[far]
                i = w.at[side]
                whole = Whole("inv", 0, w.sizes, w.body, (i, other) if side == 0 else (other, i), w.hints)
                fresh = n.names.new(w.sizes[0])
                law = By("inverse_times" if side == 0 else "times_inverse", (whole, fresh))
                equation = check(law, n.context)
                dummies = tuple(d for d in m.dummies if d not in used and d != k)
                keep = product_of(m.coefficient / lead.coefficient, left)
                return Move(dummies, keep, equation.lhs, equation.rhs, law)
            if len(monomials) > 1:
                break
        return None

    # --- hypotheses --------------------------------------------------------------------------

    def from_hypotheses(self) -> Iterator[tuple[str, Pattern, Monomial, Same]]:
        for name in sorted(self.normal.context.hypotheses):
            h = self.normal.context.hypotheses[name]
            if not isinstance(h, Same):
                continue
            run = self.normal.run(h.lhs, h.rhs)
            monomials = run.expand(h.lhs) + [m._replace(coefficient=-m.coefficient) for m in run.expand(h.rhs)]
            proper = [m for m in monomials if m.factors and not all(surely_positive(f) for f, _ in m.factors)]
            if not proper:
                continue
            lead = max(proper, key=lambda m: (sum(e for _, e in m.factors), len(m.dummies), monomial_key(m)))
            if exchanges(lead, proper):
                continue  # A_ij = A_ji would loop; symmetry.py
            universals = tuple(sorted(free(h.lhs) | free(h.rhs), key=lambda i: i.name))
            if all(any(u in free(f) for f, _ in lead.factors) for u in universals):
                yield name, Pattern(lead.factors, lead.dummies, universals), lead, h

    def hypothesis(self, m: Monomial) -> Move | None:
        """With factors turned where only then an equation such as P P = P applies."""
        return self.turned_for(self.assumed, m)

    def assumed(self, m: Monomial) -> Move | None:
        for name, pattern, lead, h in self.hypotheses:
            for binding, left in occurrences(pattern, m):
                images = {binding[d] for d in pattern.dummies}
                values = tuple((u, binding[u]) for u in pattern.universals)
                given = dict(values)
                dummies = tuple(d for d in m.dummies if d not in images)
                keep = product_of(m.coefficient / lead.coefficient, left)
                law = By("assume", (name, values))
                return Move(dummies, keep, substitute(h.lhs, given), substitute(h.rhs, given), law)
        return None


def _without(m: Monomial, pattern: tuple[tuple[Term, Fraction], ...]) -> Monomial:
    """The factors of m that the pattern leaves: its units."""
    gone = dict(pattern)
    kept = tuple((f, e - gone.get(f, Fraction(0))) for f, e in m.factors if e != gone.get(f, Fraction(0)))
    return Monomial(m.coefficient, (), kept)


def diagonal(m: Monomial) -> bool:
    """λ δ_kj: in a product its δ is summed away before anything can meet it."""
    return any(isinstance(b, Delta) for b, _ in m.factors)


def exchanges(lead: Monomial, monomials: list[Monomial]) -> bool:
    """Both sides are one entry of the same array."""
    arrays = [
        b.array for m in monomials for b, e in m.factors if len(m.factors) == 1 and e == 1 and isinstance(b, Entry)
    ]  # M M = M is no exchange
    return len(monomials) == 2 and len(arrays) == 2 and arrays[0] == arrays[1] and not lead.dummies
