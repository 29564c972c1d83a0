"""Finding reasons for conditions; `core.discharge` checks what is found here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice, product

from symbackprop.clock import Effort, check_time
from symbackprop.core.context import Context
from symbackprop.core.discharge import assuming, established, knowing, like, term_of, truth_case
from symbackprop.core.indices import Index, IndexExpr, Pick
from symbackprop.core.reasons import Base, Fixed, Given, Knowing, Nested, Reason, Sign, Split, Weigh
from symbackprop.core.signs import NONNEGATIVE, POSITIVE, Signs
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import (
    ONE, ZERO, Add, AtLeastZero, Mul, NonNegative, Nonzero, Num, Positive, Power, Predicate, ProofError, Term, Whole,
    add, arrays, free, mul, opened_whole, predicate_key, replaced, sub, substitute, sum_over, whole,
)  # fmt: skip
from symbackprop.prove.equality import by_distributing, prove_equal
from symbackprop.prove.matching import at_indices, fixed_in, truths, unify
from symbackprop.prove.normal_form.session import FAILED

from ..differentiate import Names
from symbackprop.prove.working_out import Tidy
from symbackprop.prove.conditions.restating import F0, F1, Scales, case_name, restated, unused_name

DEPTH = 5  # reasons inside reasons; a split counts twice
SPLITS = 6  # steps that one condition is split by, all together
TRUTHS = 3  # steps that one condition is split by
ROWS = 4  # axes of a maximum that is taken in two steps
PLAIN = (POSITIVE, NONNEGATIVE)
PAIRED = 6  # facts of which two are multiplied
FACTS = 40  # facts that one condition is weighed against


class Seeker(Scales):
    """Reasons in one region; remembers what it looked for."""

    def __init__(self, context: Context, effort: Effort, splits: int = SPLITS) -> None:
        super().__init__(context, effort)
        self.splits = splits
        self.known: dict[tuple[Predicate, int], Reason | None] = {}

    def reason(self, p: Predicate, depth: int = DEPTH) -> Reason | None:
        """A reason that holds, or None."""
        key = (p, depth)
        if key not in self.known:
            self.known[key] = None
            self.known[key] = next(self.holding(p, depth), None)
        return self.known[key]

    def holding(self, p: Predicate, depth: int) -> Iterator[Reason]:
        for r in self.candidates(p, depth):
            check_time()
            try:
                established(r, self.context)
            except FAILED:
                continue
            yield r

    def candidates(self, p: Predicate, depth: int) -> Iterator[Reason]:
        yield Sign(p)
        if isinstance(p, NonNegative) or depth <= 0 or self.effort.left <= 0:
            return
        yield from self.by_factors(p, depth)
        if isinstance(p, Nonzero):
            yield from self.by_written_product(p)
        elif isinstance(p, Positive):
            yield from self.by_rows(p, depth)
            yield from self.by_not_negative(p, depth)
        yield from self.by_scale(p)
        yield from self.by_difference(p)
        if isinstance(p, Nonzero):
            yield from self.by_one_product(p, depth)
            yield from self.by_division(p)
        yield from self.by_two_facts(p)
        if depth > 1:
            yield from self.by_truth(p, depth)

    def by_factors(self, p: Predicate, depth: int) -> Iterator[Reason]:
        match p:
            case Nonzero(Power(base, q)) if q.denominator == 1:
                wanted: tuple[Predicate, ...] = (Nonzero(base),)
            case Nonzero(Power(base, q)) | Positive(Power(base, q)):
                wanted = (Nonzero(base) if q.denominator == 1 and q.numerator % 2 == 0 else Positive(base),)
            case Nonzero(Mul(args)) | Positive(Mul(args)) | AtLeastZero(Mul(args)):
                wanted = tuple(like(p, a) for a in args)
            case _:
                return
        parts = self.all(wanted, depth)
        if parts is not None:
            yield Knowing(p, self.lemmas(depth), parts, Sign(p))

    def lemmas(self, depth: int) -> str:
        """A name for lemmas, which reasons inside of theirs, of less depth, do not use."""
        return f"{case_name(self.context)}.{depth}"

    def all(self, wanted: tuple[Predicate, ...], depth: int) -> tuple[Reason, ...] | None:
        found: list[Reason] = []
        for w in wanted:
            r = self.reason(w, depth - 1)
            if r is None:
                return None
            found.append(r)
        return tuple(found)

    def by_written_product(self, p: Nonzero) -> Iterator[Reason]:
        """A fact is a product, as it is written, of which u is a factor, or a power of u."""
        for fact, v in ((fact, term_of(fact)) for fact in self.facts(p)):
            if isinstance(v, Power) and v.exponent > 0 and v.base == p.term:
                yield Base(p, Sign(fact))
            for k, a in enumerate(v.args if isinstance(v, Mul) else ()):
                for given, scale, weight in islice(self.alike(a, p.term), 1):
                    here = substitute(v, given)
                    assert isinstance(here, Mul)
                    rest = mul(scale, *here.args[:k], *here.args[k + 1 :])
                    yield from self.weigh(p, rest, ((weight, Sign(like(fact, here))),), ZERO)

    def alike(self, pattern: Term, t: Term) -> Iterator[tuple[dict[Index, IndexExpr], Term, Term]]:
        """Where the pattern is t as it is written, or up to factors that are not 0: scale * t = weight * pattern."""
        yield from ((given, ONE, ONE) for given in self.instances(pattern, t))
        one, other = self.primitive(pattern, True), self.primitive(t, True)
        if one is not None and other is not None:
            yield from ((given, other[1], substitute(one[1], given)) for given in self.instances(one[0], other[0]))

    def by_rows(self, p: Positive, depth: int) -> Iterator[Reason]:
        """The largest entry stands alone in its row, and among the largest of the rows."""
        w = p.term
        if not isinstance(w, Whole) or w.fn != "gap" or not 1 < len(w.sizes) <= ROWS:
            return
        names = Names.beside(w)
        order = tuple(map(names.new, w.sizes))
        body = opened_whole(w, order)
        for chosen in product((True, False), repeat=len(order)):
            rows = tuple(i for i, outside in zip(order, chosen, strict=True) if outside)
            row = tuple(i for i in order if i not in rows)
            if rows and row:
                best = whole("max", 0, row, body, ())
                wanted = (Positive(whole("gap", 0, row, body, ())), Positive(whole("gap", 0, rows, best, ())))
                parts = self.all(wanted, depth)
                if parts is not None:
                    yield Nested(p, order, rows, row, body, *parts)

    def by_not_negative(self, p: Positive, depth: int) -> Iterator[Reason]:
        """u >= 0 is plain, and u is not 0."""
        if Signs(self.context).sign(p.term) == NONNEGATIVE:
            why = self.reason(Nonzero(p.term), depth - 1)
            if why is not None and not isinstance(why, Sign):
                yield Knowing(p, self.lemmas(depth), (why,), Sign(p))

    # --- u up to a factor ------------------------------------------------------------------------

    def by_scale(self, p: Predicate) -> Iterator[Reason]:
        """scale * u is plain, or is a fact times something positive (times -1, where u != 0 is asked for)."""
        either = isinstance(p, Nonzero)
        own = self.primitive(term_of(p), either)
        if own is None:
            return
        u, scale = own
        signs = (F1, -F1) if isinstance(p, Nonzero) else (F1,)
        turned = {sign: u if sign == 1 else self.value(mul(Num(-F1), u)) for sign in signs}
        for sign, rest in turned.items():
            if Signs(self.context).holds(Positive(rest) if isinstance(p, Nonzero) else like(p, rest)):
                yield from self.weigh(p, mul(Num(sign), scale) if sign != 1 else scale, (), rest)
        for fact in self.facts(p):
            other = self.primitive(term_of(fact), either)
            if other is None:
                continue
            for sign, target in turned.items():
                for given in islice(self.instances(other[0], target), 2):
                    v = substitute(term_of(fact), given)
                    weight = substitute(other[1], given)
                    part = (weight, Sign(like(fact, v)))
                    yield from self.weigh(p, mul(Num(sign), scale) if sign != 1 else scale, (part,), ZERO)
            for v in self.variants(term_of(fact), term_of(p)) if free(term_of(fact)) and not free(term_of(p)) else ():
                here = self.primitive(v, either)
                for sign, target in turned.items():
                    if here is not None and here[0] == target:
                        part = (here[1], Sign(like(fact, v)))
                        yield from self.weigh(p, mul(Num(sign), scale) if sign != 1 else scale, (part,), ZERO)

    def facts(self, p: Predicate) -> Iterator[Predicate]:
        """Facts that may imply p: of its kind or stronger."""
        kinds = {
            Positive: (Positive,), Nonzero: (Nonzero, Positive), AtLeastZero: (AtLeastZero, Positive),
        }.get(type(p), ())  # fmt: skip
        found = (h for h in self.context.hypotheses.values() if isinstance(h, kinds) and not isinstance(h, NonNegative))
        yield from islice(found, FACTS)

    def instances(self, pattern: Term, t: Term) -> Iterator[dict[Index, IndexExpr]]:
        if pattern == t:
            yield {}
            return
        unknown = free(pattern)
        for binding in unify(pattern, t, {}, unknown):
            if unknown <= binding.keys():
                yield binding

    def by_difference(self, p: Predicate) -> Iterator[Reason]:
        """u = c v + rest for a fact v, c > 0 and a rest that is not negative: p - 1 > 0 says p > 0."""
        if isinstance(p, Nonzero):
            for strict in (Positive(p.term), Positive(mul(Num(-F1), p.term))):
                for r in self.by_difference(strict):
                    if isinstance(r, Weigh):
                        scale = ONE if strict.term == p.term else Num(-F1)
                        yield from self.weigh(p, scale, r.parts, r.rest)
            return
        u = self.monomials(term_of(p))
        if u is None:
            return
        for fact in self.facts(Positive(term_of(p))):
            yield from self.less(p, fact, u)
        for fact in self.facts(AtLeastZero(term_of(p))):
            if isinstance(fact, AtLeastZero):
                yield from self.less(p, fact, u)

    def less(self, p: Predicate, fact: Predicate, u: list[Monomial]) -> Iterator[Reason]:
        """By the fact over a common denominator, times the coefficient that makes one of its terms one of u's.

        Where that is a sum, by the sum of what the fact says of each: x_i > 1 of Σ_i x_i - n.
        """
        for fact_here in dict.fromkeys((*self.variants(term_of(fact), term_of(p)), term_of(fact))):
            own = self.primitive(fact_here)
            v = self.monomials(own[0]) if own is not None else None
            for m, n in product(v or (), u):
                if own is None or not m.factors or m.dummies:
                    continue
                before = tuple(f for f in n.factors if n.dummies and free(f[0]).isdisjoint(n.dummies))
                c = Monomial(n.coefficient / m.coefficient, (), before).term()
                left = tuple(f for f in n.factors if f not in before)
                shape, other = (Monomial(F1, (), factors).term() for factors in (m.factors, left))
                for given in islice(self.instances(shape, other), 1):
                    weight, here = (substitute(t, given) for t in (own[1], fact_here))
                    if n.dummies:
                        weight, here = ONE, sum_over(n.dummies, mul(weight, here))
                    rest = self.size(self.value(sub(term_of(p), mul(weight := mul(c, weight), here))))
                    signs = (Signs(self.context).sign(t) for t in (weight, rest))
                    if free(here) <= free(term_of(p)) and next(signs) == POSITIVE and next(signs) in PLAIN:
                        yield from self.weigh(p, ONE, ((weight, Sign(like(fact, here))),), rest)

    def by_one_product(self, p: Nonzero, depth: int) -> Iterator[Reason]:
        """u is one product in its normal form: none of its factors is 0."""
        monomials = self.monomials(p.term)
        if monomials is None or len(monomials) != 1 or monomials[0].dummies:
            return
        product = Mul(tuple(b if e == 1 else Power(b, e) for b, e in monomials[0].factors))
        if product == p.term or not product.args:
            return
        parts = self.all(tuple(Nonzero(a) for a in product.args), depth)
        if parts is not None:
            known = Knowing(Nonzero(product), self.lemmas(depth), parts, Sign(Nonzero(product)))
            part = (Num(monomials[0].coefficient), known)
            yield from self.weigh(p, ONE, (part,), ZERO)

    def by_division(self, p: Nonzero) -> Iterator[Reason]:
        """A fact is u, or a power of u, times something."""
        u = self.monomials(p.term)
        if u is None or len(u) != 1 or u[0].dummies:
            return
        for fact in self.facts(p):
            for v in self.variants(term_of(fact), p.term):
                m = self.monomials(v)
                if m is None or len(m) != 1 or m[0].dummies:
                    continue
                for given in islice(self.one_inside(m[0], u[0]), 1):
                    yield from self.divided(p, Sign(like(fact, substitute(v, given))), given, m[0], u[0])

    def one_inside(self, m: Monomial, u: Monomial) -> Iterator[dict[Index, IndexExpr]]:
        first = u.factors[0][0] if u.factors else None
        for b, _ in m.factors if first is not None else ():
            assert first is not None
            yield from self.instances(b, first)

    def divided(
        self, p: Nonzero, fact: Sign, given: dict[Index, IndexExpr], m: Monomial, u: Monomial
    ) -> Iterator[Reason]:
        powers = {substitute(b, given): e for b, e in m.factors}
        if not all(powers.get(b, F0) > 0 for b, _ in u.factors):
            return
        if all(powers[b] >= e > 0 for b, e in u.factors):
            rest = {**powers, **{b: powers[b] - e for b, e in u.factors}}
            scale = mul(Num(m.coefficient / u.coefficient), *(Power(b, e) for b, e in rest.items() if e))
            yield from self.weigh(p, scale, ((ONE, fact),), ZERO)
        elif len(u.factors) == 1 and (p.term, F1) == u.factors[0] and u.coefficient == 1:
            power = Power(p.term, powers[p.term])
            scale = mul(Num(m.coefficient), *(Power(b, e) for b, e in powers.items() if b != p.term))
            for r in self.weigh(Nonzero(power), scale, ((ONE, fact),), ZERO):
                yield Base(p, r)

    def by_two_facts(self, p: Predicate) -> Iterator[Reason]:
        """u is the product of two facts, up to its sign where u != 0 is asked for: 1 - x² of 1 + x and 1 - x."""
        u = self.value(term_of(p))
        here = [like(f, t) for f in self.facts(p) for t in at_indices(term_of(f), u)] if isinstance(u, Add) else []
        for one, other in combinations(here[:PAIRED], 2):
            for sign in (F1, -F1) if isinstance(p, Nonzero) else (F1,):
                if self.value(mul(Num(sign), term_of(one), term_of(other))) == u:
                    yield from self.weigh(p, Num(sign), ((term_of(other), Sign(one)),), ZERO)

    # --- steps: both values ------------------------------------------------------------------------

    def by_truth(self, p: Predicate, depth: int) -> Iterator[Reason]:
        u = term_of(p)
        beside = [s for f in self.facts_beside(p) for s in truths(f)]
        if not (truths(u) or beside):
            return
        if free(u):
            names = tuple((i, unused_name(i, self.context)) for i in sorted(free(u), key=lambda i: i.name))
            values: dict[Index, IndexExpr] = {i: Pick(n, (), i.size) for i, n in names}
            goal = like(p, substitute(u, values))
            inner = Seeker(self.context, self.effort, self.splits).reason(goal, depth)
            if inner is not None:
                yield Fixed(p, names, inner)
            return
        for h in list(dict.fromkeys((*truths(u), *beside)))[:TRUTHS]:
            split = self.split(p, h, depth)
            if split is not None:
                yield split

    def split(self, p: Predicate, h: Term, depth: int) -> Reason | None:
        if self.splits <= 0:
            return None
        self.splits -= 1
        u, name = term_of(p), case_name(self.context)
        cases: list[tuple[Term, Reason]] = []
        for on, value in ((True, ONE), (False, ZERO)):
            case = Tidy()(replaced(u, h, value))
            try:
                region = assuming(self.context, name, truth_case(h, on))
            except ProofError:
                return None
            found = known_there(region, like(p, case), depth - 2, self.effort, self.splits // 2)
            if found is None:
                return None
            cases.append((case, found))
        (yes, because), (no, other) = cases
        equation = self.given(u, add(mul(h, yes), mul(sub(ONE, h), no)))
        return None if equation is None else Split(p, name, h, because, other, equation)

    def facts_beside(self, p: Predicate) -> list[Term]:
        """Facts with steps in them about the arrays of p, at its own indices."""
        about = arrays(term_of(p))
        found = (v for f in self.facts(Nonzero(term_of(p))) for v in self.variants(term_of(f), term_of(p)))
        return list(islice((v for v in found if about & arrays(v) and truths(v)), TRUTHS))

    def variants(self, fact: Term, u: Term) -> Iterator[Term]:
        """The fact at the integers that stand for indices in u."""
        if not free(fact):
            if not free(u):
                yield fact
            return
        if free(u):
            yield fact
            return
        picks = fixed_in(u)
        choices = [[q for q in picks if q.size == i.size] for i in sorted(free(fact), key=lambda i: i.name)]
        indices = sorted(free(fact), key=lambda i: i.name)
        for values in islice(product(*choices), TRUTHS):
            yield substitute(fact, dict(zip(indices, values, strict=True)))

    # --- equations ----------------------------------------------------------------------------------

    def weigh(
        self, p: Predicate, scale: Term, parts: tuple[tuple[Term, Reason], ...], rest: Term
    ) -> Iterator[Reason]:
        total = add(*(mul(c, term_of(r.goal)) for c, r in parts), rest)
        equation = self.given(mul(scale, term_of(p)), total)
        if equation is not None:
            yield Weigh(p, scale, parts, rest, equation)

    def given(self, lhs: Term, rhs: Term) -> Given | None:
        if not self.effort.spend():
            return None
        for prove in (by_distributing, prove_equal):
            found = prove(lhs, rhs, self.context)
            conditions = frozenset[Predicate]() if found is None else found[1].conditions
            reasons = [self.reason(c, 1) for c in sorted(conditions, key=predicate_key)]
            if found is not None and None not in reasons:
                return Given(found[0], tuple(r for r in reasons if r is not None))
        return None


def known_there(region: Context, p: Predicate, depth: int, effort: Effort, splits: int) -> Reason | None:
    """A reason in a narrower region, with what it says in the words of the prover."""
    lemmas, name = restated(region), case_name(region)
    wider, _ = knowing(name, lemmas, region)
    found = Seeker(wider, effort, splits).reason(p, depth)
    return found if found is None or not lemmas else Knowing(p, name, lemmas, found)
