"""The law `sums`: when two terms are the same sum of products.

`expand` writes a term as a list of monomials  coefficient * Σ_{dummies} Π base^exponent  and
`collect` adds up those that are equal up to the names of their dummies.  It knows the commutative
ring, that sums are linear, powers (b^p b^q = b^{p+q}, with a condition on b where one is needed),
e^{a+b} = e^a e^b, Kronecker deltas, and indices that are out of range.  Everything else is an
opaque base.  1/0 counts as 0, as in most proof assistants.

Two terms with the same collected monomials are equal for all sizes and all values where the
reported conditions hold; that is all the kernel uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import lcm, prod

from .context import Hypothesis, Same
from .monomials import (
    Factors, Monomial, canonical, collect, compound, contract, is_symbol, monomial_key, primes, surely_positive, turned,
)  # fmt: skip
from .indices import EVERY_SIZE, Affine, Index, IndexExpr, Least, Size, affine, as_affine, at_least_zero, sized
from .terms import (
    ZERO, Add, Apply, Delta, Diff, Entry, Holds, Key, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, ProofError, Sum, Term, Whole, add, free, key, mul, open_body, require, substitute, subterms,
)  # fmt: skip

__all__ = [
    "Expansion", "Factors", "Monomial", "canonical", "collect", "compound", "for_all", "in_sizes", "is_symbol",
    "least_sizes", "looked_at", "monomial_key", "numbered", "polynomial", "primes", "same", "surely_positive",
]  # fmt: skip

LIMIT = 100_000  # monomials
BITS = 1_000_000  # of a coefficient
LITERAL = 6  # sums over at most so many values are written out
F1 = Fraction(1)


class Expansion:
    """One run: hands out new dummies and gathers the conditions."""

    def __init__(self, avoid: Iterable[Index] = (), literal: int = LITERAL, least: Least = EVERY_SIZE) -> None:
        self.count = numbered(avoid)
        self.conditions: set[Predicate] = set()
        self.literal = literal
        self.least = least

    def new(self, size: Size) -> Index:
        self.count += 1
        return Index(f"~{self.count}", size)

    def need(self, p: Predicate) -> None:
        self.conditions.add(for_all(p))

    def expand(self, t: Term) -> list[Monomial]:
        """The monomials of `t`, like ones collected."""
        return list(collect(self.raw(t)).values())

    def look(self, t: Term) -> tuple[Monomial, ...]:
        """`expand` for reading only: the same dummies each time, so these monomials may not be multiplied."""
        monomials, conditions = looked_at(t, self.least)
        self.conditions |= conditions
        return monomials

    def raw(self, t: Term) -> list[Monomial]:
        match t:
            case Num(value):
                return [Monomial(value, (), ())] if value else []
            case Size(monomials):
                return [self.size_monomial(names, c) for names, c in monomials]
            case Ordinal(of):
                return self.ordinal(of)
            case Add(args):
                return [m for a in args for m in self.raw(a)]
            case Mul(args):
                if any(a == ZERO for a in args):
                    return []
                total = [Monomial(F1, (), ())]
                for a in args:
                    total = self.times(total, self.raw(a))
                    if not total:
                        break
                return total
            case Power(base, exponent):
                return self.power(base, exponent)
            case Sum(size, body, _):
                return self.sum(size, body)
            case Apply("exp", arg, 0):
                return [self.exponential(arg)]
            case Entry() | Delta() | Holds() | Apply() | Diff() | Whole():
                return self.tidy(Monomial(F1, (), ((t, F1),)))

    def size_monomial(self, names: tuple[str, ...], c: int) -> Monomial:
        return Monomial(Fraction(c), (), self.merged((sized(s), F1) for s in names))

    def ordinal(self, of: IndexExpr) -> list[Monomial]:
        constant, parts = as_affine(of)
        if not isinstance(of, Affine):
            return [Monomial(F1, (), ((Ordinal(of), F1),))]
        return self.raw(add(constant, *(mul(k, Ordinal(a)) for a, k in parts)))

    def times(self, left: list[Monomial], right: list[Monomial]) -> list[Monomial]:
        require(len(left) * len(right) <= LIMIT, "a product of more than {} monomials", LIMIT)
        out: list[Monomial] = []
        for a, b in product(left, right):
            c = b.coefficient if a.coefficient is F1 else a.coefficient * b.coefficient
            if not a.factors and not a.dummies:
                out.append(Monomial(c, b.dummies, b.factors))
            elif not b.factors and not b.dummies:
                out.append(Monomial(c, a.dummies, a.factors))
            else:
                out.extend(self.tidy(Monomial(c, a.dummies + b.dummies, (*a.factors, *b.factors))))
        return out

    def sum(self, size: Size, body: Term) -> list[Monomial]:
        n = size.constant
        if n is not None and n <= self.literal:
            written_out = [m for v in range(n) for m in self.raw(open_body(body, (affine(v, ()),)))]
            require(len(written_out) <= LIMIT, "a sum of more than {} monomials", LIMIT)
            return written_out
        i = self.new(size)
        opened = self.raw(open_body(body, (i,)))
        return [out for m in opened for out in self.summed(m, (i,))]

    def under(self, dummies: tuple[Index, ...], body: Term) -> list[Monomial]:
        """Σ_{dummies} body, for dummies that this run does not hand out itself."""
        monomials = self.raw(body)
        if not dummies:
            return monomials
        return [out for m in monomials for out in self.summed(m, dummies)]

    def summed(self, m: Monomial, dummies: tuple[Index, ...]) -> list[Monomial]:
        """Σ_{dummies} of a tidy monomial: it stays tidy unless a delta can be contracted or a dummy is unused."""
        whole = m._replace(dummies=(*m.dummies, *dummies))
        used = frozenset[Index]().union(*(free(b) for b, _ in m.factors))
        if used.issuperset(dummies) and not any(isinstance(b, Delta) for b, _ in m.factors):
            return [whole]
        return self.tidy(whole)

    def power(self, base: Term, q: Fraction) -> list[Monomial]:
        if q == 0:
            return [Monomial(F1, (), ())]
        inner = self.look(base)
        if not inner:  # 0^q is 0, for negative q too
            return []
        if len(inner) == 1 and not inner[0].dummies:
            return self.monomial_power(inner[0], q)
        if q.denominator == 1 and q > 0:
            require(q <= 64, "a power above 64")
            total = list(collect(self.raw(base)).values())
            for _ in range(int(q) - 1):
                total = list(collect(self.times(total, self.raw(base))).values())
            return total
        return [Monomial(F1, (), ((base, q),))]

    def monomial_power(self, m: Monomial, q: Fraction) -> list[Monomial]:
        """(c Π b^e)^q.  An integer power spreads over all factors, a root only over the positive ones."""
        digits = m.coefficient.numerator.bit_length() + m.coefficient.denominator.bit_length() - 2  # none for 1 and -1
        require(digits * abs(q) <= BITS, "a number of more than {} bits", BITS)
        if q.denominator == 1:
            for b, e in m.factors:
                if e.denominator > 1 and not surely_positive(b):
                    self.need(Positive(b))
            factors = tuple((b, e * q) for b, e in m.factors)
            return self.tidy(Monomial(m.coefficient ** int(q), (), factors))
        inside = [(b, e) for b, e in m.factors if not surely_positive(b)]
        spread = [(b, e * q) for b, e in m.factors if surely_positive(b)]
        if m.coefficient > 0:
            spread += [(Num(Fraction(p)), k * q) for p, k in primes(m.coefficient)]
        if inside or m.coefficient < 0:
            spread.append((Monomial(m.coefficient if m.coefficient < 0 else F1, (), tuple(inside)).term(), q))
        return self.tidy(Monomial(F1, (), tuple(spread)))

    def exponential(self, arg: Term) -> Monomial:
        parts = []
        for m in self.look(arg):  # the sums of m in canonical order, so that equal exponents look alike
            parts.append((Apply("exp", m._replace(coefficient=F1, dummies=canonical(m)[1]).term()), m.coefficient))
        return Monomial(F1, (), self.merged(parts))

    # --- one monomial ------------------------------------------------------------------------

    def merged(self, factors: Iterable[tuple[Term, Fraction]]) -> Factors:
        """Equal bases brought together, sorted.  Adding exponents of both signs needs a nonzero base."""
        found: dict[Key, tuple[Term, Fraction]] = {}
        for b, e in factors:
            k = key(b)
            if k not in found:
                found[k] = (b, e)
                continue
            first, old = found[k]
            if isinstance(first, Delta | Holds):  # 0 or 1, as is every power of it
                continue
            found[k] = (first, old + e)
            if not surely_positive(first):
                if e.denominator > 1 or old.denominator > 1:
                    self.need(Positive(first))
                elif (e > 0) != (old > 0):
                    self.need(Nonzero(first))
        kept = ((k, (b, F1 if isinstance(b, Delta | Holds) else e)) for k, (b, e) in found.items() if e)
        return tuple(pair for _, pair in sorted(kept, key=lambda x: x[0]))

    def tidy(self, m: Monomial) -> list[Monomial]:
        """Deltas contracted, decided factors dropped, dummies that nothing uses counted."""
        c, dummies = m.coefficient, m.dummies
        factors = self.merged(m.factors)
        settled = False
        while not settled:
            settled = True
            for place, (b, e) in enumerate(factors):
                if isinstance(b, Num):
                    if e.denominator == 1:
                        c *= b.value ** int(e)
                        factors = factors[:place] + factors[place + 1 :]
                        settled = False
                        break
                    down = e.numerator // e.denominator
                    if down and b.value > 0:
                        c *= b.value**down
                        factors = (*factors[:place], (b, e - down), *factors[place + 1 :])
                        settled = False
                        break
                elif isinstance(b, Delta | Holds):
                    change = contract(b, dummies, factors[:place] + factors[place + 1 :], self.least)
                    if change is None:
                        continue
                    dummies, moved = change
                    if moved is None:
                        return []
                    factors = self.merged(moved)
                    settled = False
                    break
        unused = [i for i in dummies if not any(i in free(b) for b, _ in factors)]
        out = [Monomial(c, tuple(i for i in dummies if i not in unused), factors)]
        for i in unused:
            if not at_least_zero(i.size, self.least):  # Σ_i 1 = n only when n is no negative number
                self.need(NonNegative(affine(i.size, ())))
            out = self.times(out, self.raw(i.size))
        return self.multiplied_out(out)

    def multiplied_out(self, monomials: list[Monomial]) -> list[Monomial]:
        """A compound base whose exponent has become a positive integer is a polynomial again.

        An index predicate e >= 0 whose constant is negative is 1 minus its complement, so that of
        i < j and j <= i only one occurs.
        """
        out = []
        for m in monomials:
            flip = next((p for p, (b, _) in enumerate(m.factors) if isinstance(b, Holds) and turned(b)), None)
            if flip is not None:
                rest = m._replace(factors=m.factors[:flip] + m.factors[flip + 1 :])
                other = turned(m.factors[flip][0])
                assert other is not None
                out.extend(self.tidy(rest))
                out.extend(self.tidy(Monomial(-m.coefficient, m.dummies, (*rest.factors, (other, F1)))))
                continue
            whole_powers = (p for p, (b, e) in enumerate(m.factors) if e.denominator == 1 and e > 0 and compound(b))
            place = next(whole_powers, None)
            if place is None:
                out.append(m)
                continue
            b, e = m.factors[place]
            rest_of = m._replace(factors=m.factors[:place] + m.factors[place + 1 :])
            whole = self.power(b, e)
            # the base may use the monomial's dummies, so it goes back under them as plain factors
            for w in whole:
                c = rest_of.coefficient * w.coefficient
                out.extend(self.tidy(Monomial(c, rest_of.dummies + w.dummies, rest_of.factors + w.factors)))
        return out


def numbered(indices: Iterable[Index]) -> int:
    """The greatest n for which one of them is called ~n."""
    return max((int(i.name[1:]) for i in indices if i.name[0] == "~" and i.name[1:].isdecimal()), default=0)


def for_all(p: Predicate) -> Predicate:
    """A condition is meant for all values of its indices, so what dummies (~1, ~2, ...) are called does not matter."""
    if isinstance(p, NonNegative):
        return p
    dummies = sorted((i for i in free(p.term) if i.name[0] == "~"), key=lambda i: (len(i.name), i.name))
    if not dummies:
        return p
    names: dict[Index, IndexExpr] = {i: Index(f"~{n}", i.size) for n, i in enumerate(dummies, 1)}
    return type(p)(substitute(p.term, names))


@lru_cache(maxsize=50_000)
def looked_at(t: Term, least: Least = EVERY_SIZE) -> tuple[tuple[Monomial, ...], frozenset[Predicate]]:
    run = Expansion(free(t), least=least)
    monomials = tuple(run.expand(t))
    return monomials, frozenset(run.conditions)


def same(lhs: Term, rhs: Term, least: Least = EVERY_SIZE) -> tuple[bool, frozenset[Predicate]]:
    """Whether both sides are one sum of products, and the conditions under which they are."""
    run = Expansion(free(lhs) | free(rhs), least=least)
    total = [*run.look(lhs), *(m._replace(coefficient=-m.coefficient) for m in run.look(rhs))]
    return not collect(total), frozenset(run.conditions)


# --- what terms and hypotheses say of sizes ------------------------------------------------------


def least_sizes(hypotheses: Iterable[Hypothesis]) -> Least:
    """n >= c from hypotheses n - c >= 0 and n - c > 0."""
    least: dict[str, int] = {}
    for h in hypotheses:
        if isinstance(h, Same | Nonzero):
            continue
        size = compared(h)
        if size is None or len(size.symbols) != 1:
            continue
        (name,) = size.symbols
        rest = (size - sized(name)).constant
        if rest is not None:
            least[name] = max(least.get(name, 1), -rest + (1 if isinstance(h, Positive) else 0))
    return Least({name: n for name, n in least.items() if n > 1})


def compared(c: Predicate) -> Size | None:
    """The polynomial that a condition on sizes alone is about, up to a positive factor."""
    if isinstance(c, NonNegative):
        return c.expr.constant if isinstance(c.expr, Affine) and not c.expr.parts else None
    return polynomial(c.term)


def in_sizes(t: Term) -> list[tuple[Fraction, dict[Size, int]]] | None:
    """The monomials of a term that says nothing but sizes: coefficients, and whole powers of sizes."""
    if any(isinstance(s, Entry | Whole | Holds) for s in subterms(t)) or free(t):
        return None
    try:
        monomials = Expansion().expand(t)
    except ProofError:
        return None
    found = []
    for m in monomials:
        powers = {b: int(e) for b, e in m.factors if isinstance(b, Size) and e.denominator == 1}
        if m.dummies or len(powers) < len(m.factors):
            return None
        found.append((m.coefficient, powers))
    return found


def polynomial(t: Term) -> Size | None:
    """The polynomial in sizes that a term is, up to a positive factor."""
    if isinstance(t, Size):
        return t
    monomials = in_sizes(t)
    if monomials is None:
        return None
    bases = {b for _, powers in monomials for b in powers}
    below = {b: max(0, *(-powers.get(b, 0) for _, powers in monomials)) for b in bases}
    if any(k and not at_least_zero(b - 1) for b, k in below.items()):
        return None
    scale = lcm(*(c.denominator for c, _ in monomials))
    total = sized(0)
    for c, powers in monomials:
        factors = (b for b in bases for _ in range(powers.get(b, 0) + below[b]))
        total = total + prod(factors, start=sized(int(c * scale)))
    return total
