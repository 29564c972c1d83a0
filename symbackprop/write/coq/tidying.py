"""One monomial made simpler: equal bases merged, numbers taken out, deltas contracted, idle dummies counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from symbackprop.core.monomials import compound, contract, solutions, together
from symbackprop.core.signs import (
    always_negative, floor_radix, never_negative, never_zero, quotients, split_radix, within,
)  # fmt: skip

from ...core.indices import Index, IndexExpr, affine, as_affine
from ...core.terms import (
    ZERO, Delta, Holds, NonNegative, Nonzero, Num, Positive, Power, Predicate, Term, free, key, substitute,
)  # fmt: skip
from symbackprop.write.coq.monomials import both, equal, listed, shown
from .monomials import F1, SAME, Factors, Mono, Monomials, Rewritten
from .vocabulary import NotExported

Expand = Callable[[Term], Rewritten]
INDEX = "ltac:(index)"


def zero_or_one(b: Term) -> tuple[str, str]:
    """The name of a factor that is 0 or 1, in lemmas, and their arguments."""
    match b:
        case Holds(Positive()):
            return "step", "_"
        case Holds():
            return "ge0", "R _"
        case _:
            return "delta", "R _ _"


class Tidying(Monomials):
    """`expand` writes a compound factor as a combination; `holds` proves a condition or raises NotExported."""

    expand: Expand
    holds: Callable[[Predicate], str]

    def tidied(self, monos: Sequence[Mono]) -> Rewritten:
        """lin monos = lin of monomials that nothing makes simpler."""
        return self.replaced(monos, [self.tidy(m) for m in monos])

    def tidy(self, m: Mono) -> Rewritten | None:
        found = self.step(m)
        if found is None:
            return None
        rest = self.tidied(found.monos)
        return found if rest.proof == SAME else Rewritten(rest.monos, f"(etrans {found.proof} {rest.proof})")

    def step(self, m: Mono) -> Rewritten | None:
        factors, proof = self.arranged(m.factors)
        if proof is not None:
            return self.same(m, m.dummies, factors, self.under(m.dummies, proof))
        for one in (self.merge, self.constant, self.idempotent, self.expanded, self.index_factor, self.idle):
            found = one(m)
            if found is not None:
                return found
        return None

    def front(self, m: Mono, *places: int) -> tuple[Factors, str]:
        """These factors first, with the proof that the product is the same."""
        order = [*places, *(k for k in range(len(m.factors)) if k not in places)]
        return self.permuted(m.factors, order)

    def with_head(self, m: Mono, places: tuple[int, ...], new: Factors, lemma: str) -> Rewritten:
        """The first factors (at these places) replaced by others."""
        moved, proof = self.front(m, *places)
        after = new + moved[len(places) :]
        step = f"({lemma} : {self.body(moved)} = {self.body(after)})"
        return self.same(m, m.dummies, after, self.under(m.dummies, f"(etrans {proof} {step})"))

    # --- factors -------------------------------------------------------------------------------

    def merge(self, m: Mono) -> Rewritten | None:
        for k in range(len(m.factors) - 1):
            (b, p), (other, q) = m.factors[k], m.factors[k + 1]
            if key(b) != key(other) or (isinstance(b, Num) and (p.denominator == 1) != (q.denominator == 1)):
                continue
            proof = self.merging(b, p, q)
            if proof is None:
                continue
            total = p + q
            if isinstance(b, Delta | Holds):
                total = p
            new: Factors = ((b, total),) if total else ()
            here = f"{self.factor((b, p))} * {self.factor((b, q))}"
            lemma = f"(@mulf_two R _ _ {self.factors(new)} _ {equal(proof, here, self.body(new))})"
            return self.with_head(m, (k, k + 1), new, lemma)
        return None

    def merging(self, b: Term, p: Fraction, q: Fraction) -> str | None:
        """b^p b^q = b^{p+q}, or None where nothing shows that b may be 0 or negative."""
        if isinstance(b, Delta | Holds):
            kind, blanks = zero_or_one(b)
            return f"({kind}_sq {blanks})" if p == q == 1 else None
        x, whole = self.words.text(b), p.denominator == q.denominator == 1
        powers = f"pw {x} {self.words.rational(p)} * pw {x} {self.words.rational(q)}"
        result = f"pw {x} {self.words.rational(p + q)}"
        if whole and p > 0 and q > 0:
            proof = f"(pw_addn {x} {p} {q})"
        elif whole and p < 0 and q < 0:
            proof = f"(pw_subn {x} {-p} {-q})"
        else:
            lemma, needed = ("pw_addz", Nonzero(b)) if whole else ("pw_add", Positive(b))
            try:
                proof = f"({lemma} {self.holds(needed)} erefl)"
            except NotExported:
                return None
        proof = f"({proof} : {powers} = {result})"
        if p == 1 or q == 1:  # a factor b is written without a power
            parts = [f"(esym (pw_1 {x}))" if e == 1 else "erefl" for e in (p, q)]
            proof = f"(etrans (f_equal2 *%R {parts[0]} {parts[1]}) {proof})"
        if p + q == 1:
            return f"(etrans {proof} (pw_1 {x}))"
        return f"(etrans {proof} (pw_0 {x}))" if p + q == 0 else proof

    def constant(self, m: Mono) -> Rewritten | None:
        """A number taken out of the sums."""
        for k, (b, e) in enumerate(m.factors):
            if isinstance(b, Num) and e.denominator > 1 and b.value > 0 and not 0 < e < 1:
                return self.root_of_number(m, k, b, e)
            if not isinstance(b, Num) or e.denominator > 1:
                continue
            moved, proof = self.front(m, k)
            rest = moved[1:]
            c = b.value ** int(e) if b.value or e > 0 else Fraction(0)
            head = f"(const_head {self.words.rational(c)} {self.factors(rest)})"
            if e != 1:
                power = self.number_power(b.value, e)
                head = f"(etrans (f_equal (fun x => mulf (x :: {self.factors(rest)})) {power}) {head})"
            new = Mono(c, (), rest)
            found = Rewritten([new], f"(etrans {proof} ({head} : {self.body(moved)} = {self.lin([new])}))")
            return self.enclosed(m, found)
        return None

    def root_of_number(self, m: Mono, k: int, b: Num, e: Fraction) -> Rewritten:
        """b^e = b^n b^{e-n} with a whole number n, so that equal roots of numbers look alike."""
        down = Fraction(e.numerator // e.denominator)
        new: Factors = ((b, down), (b, e - down))
        x = self.words.text(b)
        split = f"(p := {self.words.rational(down)}) (q := {self.words.rational(e - down)})"
        proof = f"(esym (pw_add {split} (r := {self.words.rational(e)}) {self.holds(Positive(b))} erefl))"
        powers = listed([f"(pw {x} {self.words.rational(q)})" for _, q in new])
        proof = f"({proof} : {self.factor((b, e))} = mulf {powers})"
        if down == 1:
            proof = f"(etrans {proof} (@f_equal _ _ (@mulf R) {powers} {self.factors(new)} (cons_eq (pw_1 _) erefl)))"
        return self.with_head(m, (k,), new, f"(@mulf_head R _ {self.factors(new)} _ {proof})")

    def enclosed(self, m: Mono, found: Rewritten) -> Rewritten:
        """What the body of m is equal to, under the sums of m."""
        body = self.body(m.factors)
        for d in reversed(m.dummies):
            found = self.summed(d, body, found)
            body = self.over((d,), body)
        return found

    def idempotent(self, m: Mono) -> Rewritten | None:
        for k, (b, e) in enumerate(m.factors):
            if not isinstance(b, Delta | Holds) or e == 1:
                continue
            kind, blanks = zero_or_one(b)
            x = self.words.text(b)
            proof = f"(@pw_id R {x} {self.words.rational(e)} ({kind}_sq {blanks}) ({kind}_01 {blanks}) {INDEX})"
            proof = equal(proof, self.factor((b, e)), x)
            return self.with_head(m, (k,), ((b, F1),), f"(@mulf_head R _ [:: {x}] _ {proof})")
        return None

    def expanded(self, m: Mono) -> Rewritten | None:
        """A compound factor with a positive integer exponent is multiplied out."""
        for k, (b, e) in enumerate(m.factors):
            if not compound(b) or e.denominator > 1 or (e < 0 and not isinstance(b, Power)):
                continue
            moved, proof = self.front(m, k)
            inner = self.expand(b if e == 1 else Power(b, e))
            rest = Mono(F1, (), moved[1:])
            if inner.monos == [Mono(F1, (), ((b, e),))]:
                continue
            product = self.product(inner.monos, [rest])
            one = f"(lin_mul {inner.proof} (lin_of {self.sum(rest)}) {product.proof})"
            whole = f"(etrans (mulf_cons _ _) {one} : {self.body(moved)} = {self.lin(product.monos)})"
            return self.enclosed(m, Rewritten(product.monos, f"(etrans {proof} {whole})"))
        return None

    # --- indices -------------------------------------------------------------------------------

    def index_factor(self, m: Mono) -> Rewritten | None:
        for k, (b, _) in enumerate(m.factors):
            rest = m.factors[:k] + m.factors[k + 1 :]
            if isinstance(b, Delta):
                found = self.delta(m, k, b, rest)
            elif isinstance(b, Holds) and isinstance(b.predicate, NonNegative):
                found = self.range(m, k, b.predicate.expr)
            else:
                continue
            if found is not None:
                return found
        return None

    def decided(self, m: Mono, k: int, lemma: str, value: int) -> Rewritten:
        """A factor that is 1 or 0."""
        one = f"(@mulf_head R _ (@nil R) _ ({lemma} : {self.factor(m.factors[k])} = mulf (@nil R)))"
        if value:
            return self.with_head(m, (k,), (), one)
        moved, proof = self.front(m, k)
        zero = f"(etrans (f_equal (fun x => mulf (x :: {self.factors(moved[1:])})) {lemma}) (mulf_0 _))"
        return self.enclosed(m, Rewritten([], f"(etrans {proof} ({zero} : {self.body(moved)} = {self.lin([])}))"))

    def range(self, m: Mono, k: int, e: IndexExpr) -> Rewritten | None:
        if never_negative(e, self.words.least):
            return self.decided(m, k, f"(@ge0_1 R {self.words.at(e)} {INDEX})", 1)
        if always_negative(e, self.words.least):
            return self.decided(m, k, f"(@ge0_0 R {self.words.at(e)} {INDEX})", 0)
        floor = floor_radix(e, self.words.least)
        if floor is not None:
            new = Holds(NonNegative(floor))
            same = f"(@ge0_floor R {self.words.at(e)} {self.digits(e, floor)})"
            return self.with_head(m, (k,), ((new, F1),), f"(@mulf_head R _ {listed([self.words.text(new)])} _ {same})")
        for j, (other, _) in enumerate(m.factors):
            if j != k and (found := self.beside(e, other)) is not None:
                lemma, left = found
                new_ones: Factors = tuple((t, F1) for t in left)
                here = f"{self.factor(m.factors[k])} * {self.factor(m.factors[j])}"
                proof = equal(f"(@{lemma} {INDEX})", here, self.body(new_ones))
                return self.with_head(m, (k, j), new_ones, f"(@mulf_two R _ _ {self.factors(new_ones)} _ {proof})")
        return None

    def digits(self, e: IndexExpr, high: IndexExpr) -> str:
        """e = radix * high + low: the three of them, and why it is so and low is small enough."""
        radix, low = next((s, b) for s, a, b in quotients(e) if a == high)
        return f"{self.words.size(radix)} {self.words.at(high)} {self.words.at(low)} {INDEX} {INDEX}"

    def beside(self, e: IndexExpr, other: Term) -> tuple[str, tuple[Term, ...]] | None:
        """What e >= 0 and this factor together are: the lemma, and the factors that stay."""
        words = self.words
        if isinstance(other, Delta):
            sides = f"{words.at(e)} {words.at(other.i)} {words.at(other.j)}"
            for a, value in solutions(other, words.least):
                constant, parts = as_affine(e)
                there = affine(constant, [(value if atom == a else atom, c) for atom, c in parts])
                if never_negative(there, words.least):
                    return f"ge0_delta_1 R {sides}", (other,)
                if always_negative(there, words.least):
                    return f"ge0_delta_0 R {sides}", (ZERO,)
        if isinstance(other, Holds) and isinstance(other.predicate, NonNegative):
            f = other.predicate.expr
            sides = f"{words.at(e)} {words.at(f)}"
            match together(e, f, words.least):
                case "never":
                    return f"ge0_never R {sides}", (ZERO,)
                case "implied":
                    return f"ge0_implied R {sides}", (other,)
                case "equal":
                    return f"ge0_both R {sides}", (Delta(e, affine(0, ())),)
        return None

    def delta(self, m: Mono, k: int, b: Delta, rest: Factors) -> Rewritten | None:
        difference = affine(0, ((b.i, 1), (b.j, -1)))
        sides = f"{self.words.at(b.i)} {self.words.at(b.j)}"
        if difference == affine(0, ()):
            return self.decided(m, k, f"(@delta_1 R {sides} {INDEX})", 1)
        if never_zero(difference, self.words.least):
            return self.decided(m, k, f"(@delta_0 R {sides} {INDEX})", 0)
        found = solutions(b, self.words.least)
        for a, value in found:
            if a in m.dummies:
                return self.contracted(m, k, a, value)
        digits = split_radix(difference, self.words.least)
        if digits is not None:
            zero = affine(0, ())
            new: Factors = tuple((Delta(d, zero), F1) for d in digits)
            proof = f"(@delta_digits R {sides} {self.digits(difference, digits[0])})"
            return self.with_head(m, (k,), new, f"(@mulf_head R _ {self.factors(new)} _ {proof})")
        if contract(b, m.dummies, rest, self.words.least) is None:
            return None
        free_ones = [(a, value) for a, value in found if any(a in free(f) for f, _ in rest)]
        if not free_ones or max(found, key=lambda p: p[0].name) not in free_ones:
            raise NotExported("what an index is by a delta")
        return self.moved(m, k, *max(free_ones, key=lambda p: p[0].name))

    def innermost(self, m: Mono, a: Index) -> tuple[tuple[Index, ...], str | None]:
        outer = tuple(d for d in m.dummies if d != a)
        return outer, self.reordered(m, (*outer, a))

    def with_value(self, factors: Factors, a: Index, value: IndexExpr) -> tuple[Factors, str | None]:
        """The factors at a = value, and where their text is not what putting it in gives, why the lists are equal."""
        new = tuple((substitute(f, {a: value}), e) for f, e in factors)
        if re.sub(rf"\b{self.words.index(a)}\b", self.words.at(value), self.factors(factors)) == self.factors(new):
            return new, None
        at = f"((fun {self.words.index(a)} => {self.factors(factors)}) {self.words.at(value)})"
        return new, equal("ltac:(reindexed)", at, self.factors(new))

    def contracted(self, m: Mono, k: int, a: Index, value: IndexExpr) -> Rewritten:
        """Σ_a δ(a, value) f(a) = f(value), times the range of a where value may leave it."""
        outer, swapped = self.innermost(m, a)
        moved, front = self.front(m, k)
        head = moved[0][0]
        assert isinstance(head, Delta)
        rest, arithmetic = self.with_value(moved[1:], a, value)
        name, n = self.words.index(a), self.words.size(a.size)
        functions = f"(fun {name} => {self.words.at(head.i)}) (fun {name} => {self.factors(moved[1:])})"
        if within(value, a.size, self.words.least):
            new = rest
            lemma = f"(@Sum_delta R {n} {functions} {self.words.at(value)} {INDEX} {INDEX} {INDEX})"
        else:
            edges = (value, affine(a.size - 1, ((value, -1),)))
            guards: Factors = tuple((Holds(NonNegative(edge)), F1) for edge in edges)
            new = guards + rest
            lo, hi = map(self.words.at, edges)
            proofs = " ".join([INDEX] * 4)
            lemma = f"(@Sum_delta_edges R {n} {functions} {self.words.at(value)} {lo} {hi} {proofs})"
            arithmetic = arithmetic and f"(cons_eq erefl (cons_eq erefl {arithmetic}))"
        inside = f"Sum {n} (fun {name} => {self.body(moved)})"
        if arithmetic is not None:
            lemma = f"(etrans {lemma} (f_equal (@mulf R) {arithmetic}))"
        body = both(f"(Sum_ext ({self.bound(a)} {front}))", equal(lemma, inside, self.body(new)))
        proof = both(swapped, self.under(outer, shown(body)))
        return self.same(m, outer, new, shown(proof))

    def moved(self, m: Mono, k: int, a: Index, value: IndexExpr) -> Rewritten:
        """δ(a, value) f(a) = δ(a, value) f(value)."""
        moved, front = self.front(m, k)
        head = moved[0][0]
        assert isinstance(head, Delta)
        rest, arithmetic = self.with_value(moved[1:], a, value)
        name = self.words.index(a)
        new = (moved[0], *rest)
        s = f"(fun {name} => {self.factors(moved[1:])})"
        lemma = f"(@mulf_delta R {self.words.at(head.i)} {s} {name} {self.words.at(value)} {INDEX})"
        if arithmetic is not None:
            lemma = f"(etrans {lemma} (f_equal (@mulf R) (cons_eq erefl {arithmetic})))"
        step = f"({lemma} : {self.body(moved)} = {self.body(new)})"
        return self.same(m, m.dummies, new, self.under(m.dummies, f"(etrans {front} {step})"))

    def idle(self, m: Mono) -> Rewritten | None:
        """Σ_i 1 = n."""
        used = frozenset[Index]().union(*(free(b) for b, _ in m.factors))
        a = next((d for d in m.dummies if d not in used), None)
        if a is None:
            return None
        outer, swapped = self.innermost(m, a)
        new: Factors = ((a.size, F1), *m.factors)
        here = f"Sum {self.words.size(a.size)} (fun {self.words.index(a)} => {self.body(m.factors)})"
        count = f"(@Sum_const R {self.words.size(a.size)} {self.body(m.factors)} {INDEX})"
        count = equal(f"(etrans {count} (esym (mulf_cons _ _)))", here, self.body(new))
        return self.same(m, outer, new, shown(both(swapped, self.under(outer, count))))
