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
from itertools import permutations, product
from math import factorial, prod
from typing import NamedTuple, TypeAlias

from .indices import Affine, Index, IndexExpr, Pick, Size, affine, as_affine, at_least_zero, sized
from .ordering import Key, Names, key
from .ranges import always_negative, never_negative, never_zero, split_radix
from .terms import (
    ZERO,
    Add,
    Apply,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Ordinal,
    Positive,
    Power,
    Predicate,
    Sum,
    Term,
    Whole,
    add,
    free,
    mul,
    open_body,
    over,
    require,
    substitute,
)  # fmt: skip

Factors: TypeAlias = tuple[tuple[Term, Fraction], ...]
LIMIT = 100_000  # monomials
LITERAL = 6  # sums over at most so many values are written out
F1 = Fraction(1)


class Monomial(NamedTuple):
    """coefficient * Σ_{dummies} Π base^exponent; no two bases are equal."""

    coefficient: Fraction
    dummies: tuple[Index, ...]
    factors: Factors

    def term(self) -> Term:
        body = mul(*(b if e == 1 else Power(b, e) for b, e in self.factors))
        for i in reversed(self.dummies):
            body = over(i, body)
        return body if self.coefficient == 1 else mul(Num(self.coefficient), body)


class Expansion:
    """One run: hands out new dummies and gathers the conditions."""

    def __init__(self, avoid: Iterable[Index] = (), literal: int = LITERAL) -> None:
        numbers = [int(i.name[1:]) for i in avoid if i.name[0] == "~" and i.name[1:].isdigit()]
        self.count = max(numbers, default=0)
        self.conditions: set[Predicate] = set()
        self.literal = literal

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
        monomials, conditions = looked_at(t)
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
            if not a.factors and not a.dummies:
                out.append(b._replace(coefficient=a.coefficient * b.coefficient))
            elif not b.factors and not b.dummies:
                out.append(a._replace(coefficient=a.coefficient * b.coefficient))
            else:
                both = Monomial(a.coefficient * b.coefficient, a.dummies + b.dummies, (*a.factors, *b.factors))
                out.extend(self.tidy(both))
        return out

    def sum(self, size: Size, body: Term) -> list[Monomial]:
        n = size.constant
        if n is not None and n <= self.literal:
            from_constant = (self.raw(open_constant(body, affine(v, ()))) for v in range(n))
            return [m for ms in from_constant for m in ms]
        i = self.new(size)
        opened = self.raw(open_body(body, (i,)))
        return [out for m in opened for out in self.tidy(m._replace(dummies=(*m.dummies, i)))]

    def power(self, base: Term, q: Fraction) -> list[Monomial]:
        if q == 0:
            return [Monomial(F1, (), ())]
        inner = self.look(base)
        if not inner and q > 0:
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
            rest = Monomial(F1, (), tuple(inside))
        else:
            rest = Monomial(m.coefficient, (), tuple(inside))
        if inside or m.coefficient < 0:
            whole = rest.term()
            if len(inside) == 1 and rest.coefficient == 1 and inside[0][1] == 1:
                whole = inside[0][0]
            spread.append((whole, q))
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
            found[k] = (first, old + e)
            if not surely_positive(first) and not isinstance(first, Delta | Holds):
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
                    if down:
                        c *= b.value**down
                        factors = (*factors[:place], (b, e - down), *factors[place + 1 :])
                        settled = False
                        break
                elif isinstance(b, Delta | Holds):
                    change = contract(b, dummies, factors[:place] + factors[place + 1 :])
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
            if not at_least_zero(i.size):  # Σ_i 1 = n only when n is no negative number
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


def turned(b: Term) -> Holds | None:
    """The complement -e - 1 >= 0 of e >= 0, when that is the one to write."""
    if not isinstance(b, Holds) or not isinstance(b.predicate, NonNegative):
        return None
    constant, _ = as_affine(b.predicate.expr)
    if not constant.monomials or constant.monomials[-1][1] > 0:
        return None
    return Holds(NonNegative(affine(-1, ((b.predicate.expr, -1),))))


def compound(b: Term) -> bool:
    return isinstance(b, Add | Mul | Power | Sum | Size) and not (isinstance(b, Size) and is_symbol(b))


def is_symbol(s: Size) -> bool:
    return len(s.monomials) == 1 and s.monomials[0][1] == 1 and len(s.monomials[0][0]) == 1


def surely_positive(b: Term) -> bool:
    match b:
        case Apply("exp", _, 0):
            return True
        case Size():
            return is_symbol(b)
        case Num(value):
            return value > 0
        case _:
            return False


def primes(c: Fraction) -> list[tuple[int, int]]:
    """c = Π p^k for a positive rational; a factor without a divisor below 1000 is kept whole."""
    out: list[tuple[int, int]] = []
    for n, sign in ((c.numerator, 1), (c.denominator, -1)):
        p = 2
        while n > 1 and p < 1000:
            k = 0
            while n % p == 0:
                n, k = n // p, k + 1
            if k:
                out.append((p, sign * k))
            p += 1
        if n > 1:
            out.append((n, sign))
    return out


def open_constant(body: Term, value: IndexExpr) -> Term:
    i = Index("~0", sized(1))
    return substitute(open_body(body, (i,)), {i: value})


Change: TypeAlias = tuple[tuple[Index, ...], Factors | None] | None


def contract(b: Delta | Holds, dummies: tuple[Index, ...], rest: Factors) -> Change:
    """What a delta or an index predicate does to the other factors: (dummies, factors), factors None for 0; or None."""
    if isinstance(b, Holds):
        if not isinstance(b.predicate, NonNegative):
            return None
        e = b.predicate.expr
        if never_negative(e):
            return dummies, rest
        if always_negative(e):
            return dummies, None
        for other, _ in rest:
            if isinstance(other, Holds) and isinstance(other.predicate, NonNegative):
                f = other.predicate.expr
                if always_negative(affine(0, ((e, 1), (f, 1)))):
                    return dummies, None
                if never_negative(affine(0, ((e, 1), (f, -1)))) and e != f:  # f >= 0 implies e >= 0
                    return dummies, rest
                if affine(0, ((e, 1), (f, 1))) == affine(0, ()):  # e >= 0 and -e >= 0
                    return dummies, (*((o, x) for o, x in rest if o != other), (Delta(e, affine(0, ())), F1))
        return None
    difference = affine(0, ((b.i, 1), (b.j, -1)))
    constant, parts = as_affine(difference)
    if not parts:
        return (dummies, rest) if not constant.monomials else (dummies, None) if never_zero(difference) else None
    if never_zero(difference):
        return dummies, None
    solvable = [(a, k) for a, k in parts if isinstance(a, Index) and k.constant in (1, -1) and occurs_once(a, parts)]
    for a, k in solvable:
        if a in dummies:
            value = solved(a, k, constant, parts)
            new = list(rest)
            for edge in (value, affine(a.size - 1, ((value, -1),))):
                if not never_negative(edge):
                    new.append((Holds(NonNegative(edge)), F1))
            return tuple(i for i in dummies if i != a), tuple((substitute(f, {a: value}), e) for f, e in new)
    halves = split_radix(difference)
    if halves is not None:
        zero = affine(0, ())
        return dummies, (*rest, (Delta(halves[0], zero), F1), (Delta(halves[1], zero), F1))
    free_ones = [(a, k) for a, k in solvable if a not in dummies]
    if free_ones:
        a, k = max(free_ones, key=lambda p: p[0].name)
        if any(a in free(f) for f, _ in rest):
            value = solved(a, k, constant, parts)
            return dummies, (*((substitute(f, {a: value}), e) for f, e in rest), (b, F1))
    return None


def occurs_once(a: Index, parts: tuple[tuple[IndexExpr, Size], ...]) -> bool:
    return sum(mentions(p, a) for p, _ in parts) == 1


def mentions(e: IndexExpr, a: Index) -> bool:
    if isinstance(e, Pick):
        return any(mentions(x, a) for x in e.at)
    return any(x == a or (isinstance(x, Pick) and mentions(x, a)) for x, _ in as_affine(e)[1])


def solved(a: Index, k: Size, constant: Size, parts: tuple[tuple[IndexExpr, Size], ...]) -> IndexExpr:
    """The value of `a` that makes constant + Σ parts zero, where its coefficient k is 1 or -1."""
    return affine(-constant * k, [(p, -c * k) for p, c in parts if p != a])


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
def looked_at(t: Term) -> tuple[tuple[Monomial, ...], frozenset[Predicate]]:
    run = Expansion(free(t))
    monomials = tuple(run.expand(t))
    return monomials, frozenset(run.conditions)


# --- collecting ------------------------------------------------------------------------------


def collect(monomials: Iterable[Monomial]) -> dict[Key, Monomial]:
    """Like monomials added; zero ones dropped."""
    total: dict[Key, Monomial] = {}
    for m in monomials:
        k = monomial_key(m)
        old = total.get(k)
        c = m.coefficient + (old.coefficient if old else 0)
        if c:
            total[k] = (old or m)._replace(coefficient=c)
        else:
            total.pop(k, None)
    return total


def monomial_key(m: Monomial) -> Key:
    """The same for monomials equal up to the names of their dummies (the coefficient does not count)."""
    return canonical(m)[0]


def canonical(m: Monomial) -> tuple[Key, tuple[Index, ...]]:
    """The least key over the orders of the dummies, and the order that gives it."""
    if not m.dummies:
        return ((), tuple((key(b), e) for b, e in m.factors)), ()
    groups: dict[Key, list[Index]] = {}
    for i in m.dummies:
        groups.setdefault(signature(i, m), []).append(i)
    ordered = [groups[s] for s in sorted(groups)]
    if any(len(g) > 1 for g in ordered):
        ordered = refined(ordered, m)
    tries = prod(factorial(len(g)) for g in ordered)
    require(tries <= 40_320, "too many interchangeable dummies in one product")
    best: tuple[Key, tuple[Index, ...]] | None = None
    for orders in product(*(permutations(g) for g in ordered)):
        order = tuple(i for g in orders for i in g)
        names = {i: n for n, i in enumerate(order)}
        k = (tuple(i.size.monomials for i in order), tuple(sorted((key(b, names), e) for b, e in m.factors)))
        if best is None or k < best[0]:
            best = (k, order)
    assert best is not None
    return best


def signature(i: Index, m: Monomial, colours: Names | None = None) -> Key:
    """What can be said of a dummy without naming the others: its size and the factors it stands in."""
    names = {j: 1 + (colours[j] if colours else 0) for j in m.dummies}
    names[i] = 0
    return (i.size.monomials, tuple(sorted((key(b, names), e) for b, e in m.factors if i in free(b))))


def refined(groups: list[list[Index]], m: Monomial) -> list[list[Index]]:
    """Colour refinement: groups split by the colours of the dummies they meet, until nothing changes."""
    while True:
        colours = {i: n for n, g in enumerate(groups) for i in g}
        finer: list[list[Index]] = []
        for g in groups:
            if len(g) == 1:
                finer.append(g)
                continue
            parts: dict[Key, list[Index]] = {}
            for i in g:
                parts.setdefault(signature(i, m, colours), []).append(i)
            finer.extend(parts[s] for s in sorted(parts))
        if len(finer) == len(groups):
            return groups
        groups = finer


def same(lhs: Term, rhs: Term) -> tuple[bool, frozenset[Predicate]]:
    """Whether both sides are one sum of products, and the conditions under which they are."""
    run = Expansion(free(lhs) | free(rhs))
    total = run.raw(lhs) + [m._replace(coefficient=-m.coefficient) for m in run.raw(rhs)]
    return not collect(total), frozenset(run.conditions)
