"""Monomials  coefficient * Σ_{dummies} Π base^exponent:  which of them are one, and what deltas do to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from .indices import EVERY_SIZE, Index, IndexExpr, Least, Pick, Size, affine, as_affine, nodes
from .signs import always_negative, floor_radix, never_negative, never_zero, split_radix
from .terms import (
    Add, Apply, Delta, Holds, Key, Mul, Names, NonNegative, Num, Power, Sum, Term, free, key, mul, require, substitute,
    sum_over,
)  # fmt: skip

F1 = Fraction(1)
TRIES = 5_040  # orders of dummies that look alike
Factors: TypeAlias = tuple[tuple[Term, Fraction], ...]


class Monomial(NamedTuple):
    """coefficient * Σ_{dummies} Π base^exponent; no two bases are equal."""

    coefficient: Fraction
    dummies: tuple[Index, ...]
    factors: Factors

    def term(self) -> Term:
        if not self.factors and not self.dummies:
            return Num(self.coefficient)
        body = mul(*(b if e == 1 else Power(b, e) for b, e in self.factors))
        body = sum_over(self.dummies, body)
        return body if self.coefficient == 1 else mul(Num(self.coefficient), body)


def collect(monomials: Iterable[Monomial]) -> dict[Key, Monomial]:
    """Like monomials added; zero ones dropped."""
    total: dict[Key, Monomial] = {}
    for m in monomials:
        k = monomial_key(m)
        old = total.get(k)
        c = m.coefficient if old is None else m.coefficient + old.coefficient
        if c:
            total[k] = m if old is None else old._replace(coefficient=c)
        else:
            total.pop(k, None)
    return total


def monomial_key(m: Monomial) -> Key:
    """The same for monomials equal up to the names of their dummies (the coefficient does not count)."""
    return canonical(m)[0]


def canonical(m: Monomial) -> tuple[Key, tuple[Index, ...]]:
    """The least key over some orders of the dummies, and the order that gives it."""
    if not m.dummies:
        return ((), tuple([(key(b), 1 if e is F1 else e) for b, e in m.factors])), ()  # 1 has the quicker hash
    best: tuple[Key, tuple[Index, ...]] | None = None
    for tries, order in enumerate(orders([list(m.dummies)], m)):
        require(tries < TRIES, "too many interchangeable dummies in one product")
        names = {i: n for n, i in enumerate(order)}
        k = (tuple(i.size.monomials for i in order), tuple(sorted((key(b, names), e) for b, e in m.factors)))
        if best is None or k < best[0]:
            best = (k, order)
    assert best is not None
    return best


def orders(groups: list[list[Index]], m: Monomial) -> Iterator[tuple[Index, ...]]:
    """Orders that are the same set for monomials equal up to the names of their dummies: each of a tie goes first."""
    groups = refined(groups, m)
    tied = next((g for g in groups if len(g) > 1), [])
    if not tied:
        yield tuple(i for g in groups for i in g)
    for k, i in enumerate(tied):
        if not any(twins(i, j, m) for j in tied[:k]):
            yield from orders([h for g in groups for h in (([i], [j for j in g if j != i]) if g is tied else (g,))], m)


def twins(i: Index, j: Index, m: Monomial) -> bool:
    """Exchanged, they leave the monomial as it is: then it does not matter which is first."""
    either = (names := {k: n for n, k in enumerate(m.dummies)}), {**names, i: names[j], j: names[i]}
    return len({tuple(sorted((key(b, given), e) for b, e in m.factors)) for given in either}) == 1


def signature(i: Index, m: Monomial, colours: Names) -> Key:
    """What can be said of a dummy without naming the others: its size and the factors it stands in."""
    names = {j: 1 + colours[j] for j in m.dummies}
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


COMPOUND = frozenset({Add, Mul, Power, Sum, Size})


def compound(b: Term) -> bool:
    return type(b) in COMPOUND and not (isinstance(b, Size) and is_symbol(b))


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


F1 = Fraction(1)
Change: TypeAlias = tuple[tuple[Index, ...], Factors | None] | None


def contract(
    b: Delta | Holds, dummies: tuple[Index, ...], rest: Factors, least: Least = EVERY_SIZE
) -> Change:
    """What a delta or an index predicate does to the other factors: (dummies, factors), factors None for 0; or None."""
    if isinstance(b, Holds):
        if not isinstance(b.predicate, NonNegative):
            return None
        e = b.predicate.expr
        if (settled := decided(e, least)) is not None:
            return dummies, rest if settled else None
        floor = floor_radix(e, least)
        if floor is not None:
            return dummies, (*rest, (Holds(NonNegative(floor)), F1))
        for other, _ in rest:
            for a, value in solutions(other, least) if isinstance(other, Delta) else ():
                constant, parts = as_affine(e)
                there = affine(constant, [(value if atom == a else atom, k) for atom, k in parts])
                if (settled := decided(there, least)) is not None:
                    return dummies, rest if settled else None
            if isinstance(other, Holds) and isinstance(other.predicate, NonNegative):
                match together(e, other.predicate.expr, least):
                    case "never":
                        return dummies, None
                    case "implied":
                        return dummies, rest
                    case "equal":
                        return dummies, (*((o, x) for o, x in rest if o != other), (Delta(e, affine(0, ())), F1))
        return None
    difference = minus(b.i, b.j, least)
    constant, parts = as_affine(difference)
    if not parts:
        return (dummies, rest) if not constant.monomials else (dummies, None) if never_zero(difference, least) else None
    if never_zero(difference, least):
        return dummies, None
    solvable = solutions(b, least)
    for a, value in solvable:
        if a in dummies:
            new = list(rest)
            for edge in (value, affine(a.size - 1, ((value, -1),))):
                if not never_negative(edge, least):
                    new.append((Holds(NonNegative(edge)), F1))
            return tuple(i for i in dummies if i != a), tuple((substitute(f, {a: value}), e) for f, e in new)
    halves = split_radix(difference, least)
    if halves is not None:
        zero = affine(0, ())
        return dummies, (*rest, (Delta(halves[0], zero), F1), (Delta(halves[1], zero), F1))
    if free_ones := [(a, value) for a, value in solvable if a not in dummies]:
        a, value = max(free_ones, key=lambda p: p[0].name)
        others = [v for d, _ in rest if isinstance(d, Delta) for i, v in solutions(d, least) if i == a]
        own, *more = (any(isinstance(n, Pick) for n in nodes(v)) for v in (value, *others))
        if any(more) and not own:
            return None  # δ(i, 0) δ(i, y_k) is δ(y_k, 0) δ(i, y_k): entries of integer arrays stay
        if any(a in free(f) for f, _ in rest):
            return dummies, (*((substitute(f, {a: value}), e) for f, e in rest), (b, F1))
    return None


def decided(e: IndexExpr, least: Least) -> bool | None:
    """Whether e >= 0, if it is one for all values."""
    return True if never_negative(e, least) else False if always_negative(e, least) else None


@lru_cache(maxsize=50_000)
def together(e: IndexExpr, f: IndexExpr, least: Least = EVERY_SIZE) -> str | None:
    """What f >= 0 makes of e >= 0: never, implied, or (e = 0 then) equal; None when nothing."""
    total = affine(0, ((e, 1), (f, 1)))
    if always_negative(total, least):
        return "never"
    if e != f and never_negative(minus(e, f, least), least):
        return "implied"
    return "equal" if total == affine(0, ()) else None


@lru_cache(maxsize=50_000)
def minus(i: IndexExpr, j: IndexExpr, least: Least = EVERY_SIZE) -> IndexExpr:
    return affine(0, ((i, 1), (j, -1)))


@lru_cache(maxsize=50_000)
def solutions(b: Delta, least: Least = EVERY_SIZE) -> tuple[tuple[Index, IndexExpr], ...]:
    """The indices whose value follows from the others where the delta is 1, with the value."""
    constant, parts = as_affine(minus(b.i, b.j, least))
    inside = [set(nodes(p)) for p, _ in parts]
    found = [(a, k) for a, k in parts if isinstance(a, Index) and k.constant in (1, -1)]
    found = [(a, k) for a, k in found if sum(a in p for p in inside) == 1]
    return tuple((a, affine(-constant * k, [(p, -c * k) for p, c in parts if p != a])) for a, k in found)


def turned(b: Term) -> Holds | None:
    """The complement -e - 1 >= 0 of e >= 0, when that is the one to write."""
    if not isinstance(b, Holds) or not isinstance(b.predicate, NonNegative):
        return None
    constant, _ = as_affine(b.predicate.expr)
    if not constant.monomials or constant.monomials[-1][1] > 0:
        return None
    return Holds(NonNegative(affine(-1, ((b.predicate.expr, -1),))))
