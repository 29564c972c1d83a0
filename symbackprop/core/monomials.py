"""Monomials  coefficient * Σ_{dummies} Π base^exponent,  and when two are one up to the names of their dummies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from .indices import Index, Size
from .ordering import Key, Names, key
from .terms import Add, Apply, Mul, Num, Power, Sum, Term, free, mul, require, sum_over

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
        return ((), tuple((key(b), e) for b, e in m.factors)), ()
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
