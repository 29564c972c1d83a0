"""Rules for one function at a time: its argument is in normal form, the result is again.

Each rule returns the new term and the proof, or None where it does not apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from ..core.kernel import By, Flip, Inside, Linear, Proof
from ..core.laws.functions import EVEN, IN_EXPONENTIALS, ODD
from ..core.ordering import key
from ..core.sums import Factors, Monomial, primes, surely_positive
from ..core.terms import (
    ONE,
    ZERO,
    Add,
    Apply,
    Delta,
    Holds,
    Mul,
    Num,
    Positive,
    Power,
    Size,
    Term,
    Whole,
    add,
    arguments,
    free,
    mul,
    neg,
    rebuilt,
    sub,
)
from .clearing import common_denominator, over_common_denominator
from .inverses import taken_apart

if TYPE_CHECKING:
    from .normal import Normal, Rewritten

F1 = Fraction(1)


class Atoms:
    def __init__(self, normal: Normal) -> None:
        self.normal = normal

    def function(self, t: Term) -> Rewritten:
        """The first rule that applies to f(normal argument), and what becomes of its result."""
        (arg,) = arguments(t)
        monomials = self.normal.run(arg).expand(arg)
        found = self.rule(t, arg, monomials)
        if found is None:
            return t, None
        value, law = found
        final, rest = self.normal.inner(value)
        from .normal import joined

        return final, joined(law, rest)

    def rule(self, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        cases = self.by_cases(t, arg, monomials)
        if cases is not None:
            return cases
        if (len(monomials) > 1 and isinstance(t, Power | Holds)) or (isinstance(t, Apply) and t.fn == "log"):
            quotient = self.quotient(t, arg, monomials)
            if quotient is not None:
                return quotient
        match t:
            case Apply("exp", _, 0):
                return self.exp_of_log(t, monomials)
            case Apply("log", _, 0):
                return self.log(arg, monomials)
            case Apply(fn, _, 0) if fn in IN_EXPONENTIALS:
                return IN_EXPONENTIALS[fn](arg), By("in_exponentials", (fn, arg))
            case Apply("sin" | "cos" as fn, _, 0) if len(monomials) > 1 or multiple(monomials):
                return self.angles(fn, arg, monomials)
            case Apply(fn, _, 0) if fn in ODD | EVEN:
                return self.parity(fn, arg, monomials)
            case Power(_, q):
                return self.power(arg, q, monomials)
            case Holds(Positive()):
                return self.step(arg, monomials)
            case _:
                return None

    def quotient(self, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        """f of a sum of fractions: f of one fraction."""
        from .normal import joined

        n = self.normal
        denominator = common_denominator(monomials, n)
        if not denominator or len(monomials) < 2:
            return None
        if not (isinstance(t, Power) and t.exponent.denominator == 1) and not all(
            n.positive(b) for b, _ in denominator
        ):
            return None
        inverse, numerator, proof = over_common_denominator(monomials, denominator, n.run(arg))
        reduced, by = n.of(numerator)
        inside = Inside(Mul((inverse, numerator)), ((1, by),))
        into = joined(
            Linear(arg, total(monomials)), Linear(total(monomials), add(*(m.term() for m in monomials))), proof, inside
        )
        if isinstance(t, Power):
            law: Proof = By("power_of_product", ((inverse, reduced), t.exponent))
            return Mul((Power(inverse, t.exponent), Power(reduced, t.exponent))), joined(Inside(t, ((0, into),)), law)
        if isinstance(t, Holds):
            return Holds(Positive(reduced)), joined(Inside(t, ((0, into),)), By("step_scaled", (inverse, reduced)))
        law = By("log_of_product", ((inverse, reduced),))
        return add(Apply("log", inverse), Apply("log", reduced)), joined(Inside(t, ((0, into),)), law)

    # --- f(h a + (1-h) b) --------------------------------------------------------------------

    def by_cases(self, t: Term, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        h = next(
            (
                b
                for m in monomials
                for b, _ in m.factors
                if isinstance(b, Delta | Holds) and free(b).isdisjoint(m.dummies)
            ),
            None,
        )
        if h is None or (len(monomials) == 1 and monomials[0].factors == ((h, F1),) and isinstance(t, Power)):
            return None
        with_h = [m._replace(factors=tuple(f for f in m.factors if f[0] != h)) for m in monomials if has(m, h)]
        without = [m for m in monomials if not has(m, h)]
        a, b = total([*with_h, *without]), total(without)
        split = add(mul(h, a), mul(sub(ONE, h), b))
        law = By("by_cases", (t, h, a, b))
        value = add(mul(h, rebuilt(t, (a,))), mul(sub(ONE, h), rebuilt(t, (b,))))
        from .normal import joined

        return value, joined(Inside(t, ((0, Linear(arg, split)),)), law)

    # --- exponentials and logarithms ---------------------------------------------------------

    def exp_of_log(self, t: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        """e^{c log u + rest} = u^c e^{rest}"""
        for m in monomials:
            if not m.dummies and len(m.factors) == 1 and m.factors[0][1] == 1:
                log = m.factors[0][0]
                if isinstance(log, Apply) and log.fn == "log":
                    rest = total([n for n in monomials if n is not m])
                    power = Power(Apply("exp", log), m.coefficient)
                    split = mul(power, Apply("exp", rest))
                    value = mul(Power(log.arg, m.coefficient), Apply("exp", rest))
                    inside = Inside(split, ((0, Inside(power, ((0, By("exp_of_log", (log.arg,))),))),))
                    from .normal import joined

                    return value, joined(Linear(t, split), inside)
        return None

    def log(self, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        """log of a product: what is surely positive comes out."""
        from .normal import joined

        t = Apply("log", arg)
        if not monomials:
            return None
        content, rest = self.content(monomials, self.normal.positive, signed=False)
        parts: list[tuple[Term, Term, Proof]] = []  # factor, its log, proof
        for b, e in content.factors:
            factor = b if e == 1 else Power(b, e)
            if isinstance(b, Apply) and b.fn == "exp":
                whole = Apply("exp", mul(Num(e), b.arg))
                value = mul(Num(e), b.arg)
                proof = joined(Inside(Apply("log", factor), ((0, Linear(factor, whole)),)), By("log_of_exp", (value,)))
                parts.append((factor, value, proof))
            elif e == 1:
                parts.append((factor, Apply("log", b), Linear(Apply("log", b), Apply("log", b))))
            else:
                parts.append((factor, mul(Num(e), Apply("log", b)), By("log_of_power", (b, e))))
        for p, k in primes(content.coefficient):
            base = Num(Fraction(p))
            factor = Power(base, Fraction(k))
            parts.append((factor, mul(Num(Fraction(k)), Apply("log", base)), By("log_of_power", (base, Fraction(k)))))
        if not parts or (len(rest) == 1 and not rest[0].factors and content.coefficient == 1 and plain(content)):
            return None
        left = total(rest)
        if len(rest) == 1 and not rest[0].factors and rest[0].coefficient == 1:
            factors = tuple(f for f, _, _ in parts)
            logs: list[Proof] = [p for _, _, p in parts]
            values = [v for _, v, _ in parts]
        else:
            factors = (*(f for f, _, _ in parts), left)
            logs = [*(p for _, _, p in parts), Linear(Apply("log", left), Apply("log", left))]
            values = [*(v for _, v, _ in parts), Apply("log", left)]
            self.carry_sign(arg, left, content)
        if isinstance(arg, Num) and len(parts) == 1 and parts[0][0] == Power(arg, F1):
            return None  # the logarithm of a prime
        split = Mul(factors)
        spread = add(*(Apply("log", f) for f in factors)) if len(factors) > 1 else Apply("log", factors[0])
        if len(factors) == 1:
            return values[0], joined(Inside(t, ((0, Linear(arg, factors[0])),)), logs[0])
        proof = joined(
            Inside(t, ((0, Linear(arg, split)),)),
            By("log_of_product", (factors,)),
            Inside(spread, tuple(enumerate(logs))),
        )
        return add(*values), proof

    def parity(self, fn: str, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        from .normal import joined

        if not monomials:
            t = Apply(fn, arg)
            return Num(Fraction(fn in EVEN)), joined(Inside(t, ((0, Linear(arg, ZERO)),)), By("at_zero", (fn,)))
        if leading(monomials).coefficient > 0:
            return None
        u = total([m._replace(coefficient=-m.coefficient) for m in monomials])
        proof = joined(Inside(Apply(fn, arg), ((0, Linear(arg, neg(u))),)), By("parity", (fn, u)))
        value = Apply(fn, u)
        return (neg(value) if fn in ODD else value), proof

    def angles(self, fn: str, arg: Term, monomials: list[Monomial]) -> tuple[Term, Proof]:
        """sin and cos of a sum, one term split off; of 2u, 3u, ... one u."""
        from .normal import joined

        first = leading(monomials)
        rest = [m for m in monomials if m is not first]
        if not rest:
            sign = 1 if first.coefficient > 0 else -1
            rest = [first._replace(coefficient=first.coefficient - sign)]
            first = first._replace(coefficient=Fraction(sign))
        a, b = first.term(), total(rest)
        split = Add((a, b))
        law = By("sum_of_angles", (fn, a, b))
        sa, sb, ca, cb = Apply("sin", a), Apply("sin", b), Apply("cos", a), Apply("cos", b)
        value = add(mul(sa, cb), mul(ca, sb)) if fn == "sin" else sub(mul(ca, cb), mul(sa, sb))
        return value, joined(Inside(Apply(fn, arg), ((0, Linear(arg, split)),)), law)

    # --- powers ------------------------------------------------------------------------------

    def power(self, base: Term, q: Fraction, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        from .normal import joined

        t = Power(base, q)
        whole = q.denominator == 1
        if not monomials or (len(monomials) == 1 and whole and not monomials[0].dummies):
            return None
        movable = (lambda b: True) if whole else self.normal.positive
        content, rest = self.content(monomials, movable, signed=whole)
        trivial = not content.factors and content.coefficient == 1
        if len(rest) == 1 and not rest[0].dummies and not whole:
            (only,) = rest
            if (
                only.coefficient == 1
                and only.factors
                and all(e % 2 == 0 for _, e in only.factors)
                and q.denominator == 2
            ):
                root = mul(*(b if e == 2 else Power(b, e / 2) for b, e in only.factors))
                size = mul(root, sub(Holds(Positive(root)), Holds(Positive(neg(root)))))
                square = Power(root, Fraction(2))
                spread = mul(content.term(), square)
                proof = joined(
                    Inside(t, ((0, Linear(base, Mul((content.term(), square)))),)),
                    By("power_of_product", ((content.term(), square), q)),
                    Inside(Mul((Power(content.term(), q), Power(square, q))), ((1, By("root_of_square", (root, q))),)),
                )
                _ = spread
                return Mul((Power(content.term(), q), Power(size, 2 * q))), proof
        if trivial:
            return None
        left = total(rest)
        self.carry_sign(base, left, content)
        if len(rest) == 1 and not rest[0].factors and rest[0].coefficient == 1:
            return self.power_of_content(base, q, content)
        split = Mul((content.term(), left))
        proof = joined(Inside(t, ((0, Linear(base, split)),)), By("power_of_product", ((content.term(), left), q)))
        return Mul((Power(content.term(), q), Power(left, q))), proof

    def power_of_content(self, base: Term, q: Fraction, content: Monomial) -> tuple[Term, Proof] | None:
        """A root of a product of positive factors: (s²)^{1/2} = s for s > 0."""
        from .normal import joined

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

    def content(self, monomials: list[Monomial], movable: object, *, signed: bool) -> tuple[Monomial, list[Monomial]]:
        """What all monomials share, so that the first by key has coefficient 1; and what is left."""
        first = leading(monomials)
        c = first.coefficient if signed else abs(first.coefficient)
        shared: list[tuple[Term, Fraction]] = []
        for b, _ in {f[0]: f for m in monomials for f in m.factors}.values():
            if any(i in free(b) for m in monomials for i in m.dummies) or not movable(b):  # type: ignore[operator]
                continue
            least = min(exponent(m, b) for m in monomials)
            if least and (surely_positive(b) or all(has(m, b) for m in monomials)):
                shared.append((b, least))
        content = Monomial(c, (), tuple(shared))
        rest = []
        for m in monomials:
            factors = dict(m.factors)
            for b, e in shared:
                factors[b] = factors.get(b, Fraction(0)) - e
            kept: Factors = tuple((b, e) for b, e in factors.items() if e)
            rest.append(Monomial(m.coefficient / c, m.dummies, kept))
        return content, rest

    def carry_sign(self, base: Term, left: Term, content: Monomial) -> None:
        """left = base / content is positive when both are."""
        n = self.normal
        if key(left) in n.known or not n.positive(base):
            return
        base, shown, equal = n.known.get(key(base), (base, base, None))
        inverse = Power(content.term(), Fraction(-1))
        whole = Mul((inverse, shown))
        from .normal import joined

        first = Inside(whole, ((1, equal),)) if equal is not None else None
        n.note_sign(left, whole, joined(first, Linear(Mul((inverse, base)), left)))

    # --- steps -------------------------------------------------------------------------------

    def step(self, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        from .normal import joined

        t = Holds(Positive(u))
        if not monomials:
            return ZERO, joined(Inside(t, ((0, Linear(u, ZERO)),)), By("step_of_zero", ()))
        if self.normal.positive(u):
            return ONE, By("step_of_positive", (u,))
        against_max = self.normal.relations.maxima.step(u, monomials)
        if against_max is not None:
            return against_max
        minus = total([m._replace(coefficient=-m.coefficient) for m in monomials])
        if self.normal.positive(minus):
            return ZERO, joined(Inside(t, ((0, Linear(u, neg(minus))),)), By("step_of_negative", (minus,)))
        content, rest = self.content(monomials, self.normal.positive, signed=False)
        if content.factors or content.coefficient != 1:
            left = total(rest)
            split = Mul((content.term(), left))
            proof = joined(Inside(t, ((0, Linear(u, split)),)), By("step_scaled", (content.term(), left)))
            return Holds(Positive(left)), proof
        if len(monomials) == 1 and not monomials[0].dummies:
            return self.step_of_product(u, monomials[0])
        if leading(monomials).coefficient < 0:
            proof = joined(Inside(t, ((0, Linear(u, neg(minus))),)), By("step_negated", (minus,)))
            return sub(ONE, Holds(Positive(minus))), proof
        return None

    def step_of_product(self, u: Term, m: Monomial) -> tuple[Term, Proof] | None:
        """[a b > 0] by the signs of the factors, of which the first is split off."""
        from .normal import joined

        t = Holds(Positive(u))
        (b, e), rest = m.factors[0], m.factors[1:]
        if e.denominator > 1 or (e == 1 and not rest and m.coefficient == 1):
            return None
        if m.coefficient < 0:
            positive = m._replace(coefficient=-m.coefficient).term()
            flipped = Inside(t, ((0, Linear(u, neg(positive))),))
            return sub(ONE, Holds(Positive(positive))), joined(flipped, By("step_negated", (positive,)))
        one: Term = Power(b, Fraction(-1)) if e < 0 else b
        left = e + 1 if e < 0 else e - 1
        other = m._replace(factors=((b, left), *rest) if left else rest).term()
        split = Mul((one, other))
        if e == -1 and not rest and m.coefficient == 1:
            inverse = Power(b, Fraction(-1))
            return Holds(Positive(b)), joined(Inside(t, ((0, Linear(u, inverse)),)), By("step_of_reciprocal", (b,)))
        law = By("step_of_product", (one, other))
        here, there = Holds(Positive(one)), Holds(Positive(other))
        value = add(mul(here, there), mul(Holds(Positive(neg(one))), Holds(Positive(neg(other)))))
        return value, joined(Inside(t, ((0, Linear(u, split)),)), law)

    # --- functions of arrays -----------------------------------------------------------------

    def whole(self, w: Whole) -> Rewritten:
        from .normal import joined

        found = taken_apart(w, self.normal)
        if found is None:
            return w, None
        value, rest = self.normal.inner(found[0])
        return value, joined(found[1], rest)


def plain(m: Monomial) -> bool:
    """One factor that is no power and no exponential: its logarithm says nothing new."""
    return (
        len(m.factors) == 1
        and m.factors[0][1] == 1
        and not (isinstance(m.factors[0][0], Apply) and m.factors[0][0].fn == "exp")
    )


def multiple(monomials: list[Monomial]) -> bool:
    """2u, -3u, ...: a small whole multiple."""
    return len(monomials) == 1 and monomials[0].coefficient.denominator == 1 and 2 <= abs(monomials[0].coefficient) <= 8


def has(m: Monomial, b: Term) -> bool:
    return any(f == b for f, _ in m.factors)


def exponent(m: Monomial, b: Term) -> Fraction:
    return next((e for f, e in m.factors if f == b), Fraction(0))


def leading(monomials: Iterable[Monomial]) -> Monomial:
    from ..core.sums import monomial_key

    return min(monomials, key=monomial_key)


def total(monomials: list[Monomial]) -> Term:
    """The sum as a term, in the order of the keys."""
    from ..core.sums import monomial_key
    from .reduce import ordered

    return add(*(ordered(m) for m in sorted(monomials, key=monomial_key)))


_ = (Flip, Size)
