"""Entries whose two indices may be exchanged: of a symmetric array, of its inverse, and of an antisymmetric one.

A rewrite A_ji -> A_ij would go round in circles where the indices are dummies, so the whole product
is looked at: of all ways to order these indices, the one with the least key.  A product that is its own opposite in
one of them is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from symbackprop.core.context import Same
from symbackprop.core.kernel import By, Inside, Linear, Proof, UnderWhole, check
from symbackprop.core.sums import Monomial, monomial_key
from symbackprop.core.terms import Array, Entry, Mul, Num, Power, Term, Whole, key, num, opened_whole, whole
from symbackprop.prove.normal_form.session import Move, Session, flipped, joined, product_of

Able: TypeAlias = list[tuple[int, tuple[Term, Proof, int]]]
"""Factors that may be turned: the place, what stands there then, the proof, the sign."""
MOST = 7  # pairs of exchangeable indices in one product


class Symmetry:
    def __init__(self, normal: Session) -> None:
        self.normal = normal
        self.declared: dict[Array, tuple[str, Entry, int]] = {}  # hypothesis, its left side, sign
        for name, h in normal.context.hypotheses.items():
            if isinstance(h, Same) and isinstance(h.lhs, Entry):
                other, sign = signed(h.rhs)
                i = h.lhs.at
                turned = isinstance(other, Entry) and other.array == h.lhs.array and i == other.at[::-1]
                if turned and len(i) == 2 and i[0] != i[1]:
                    self.declared[h.lhs.array] = name, h.lhs, sign

    def exchanged(self, t: Term) -> tuple[Term, Proof, int] | None:
        """The same entry with its indices the other way round, and the sign with which that is equal."""
        match t:
            case Entry(array, (a, b)) if array in self.declared and (a != b or self.declared[array][2] < 0):
                name, lhs, sign = self.declared[array]
                values = tuple(zip(lhs.at, (a, b), strict=True))
                other = Entry(array, (b, a))
                assumed = By("assume", (name, values))
                said = check(assumed, self.normal.context).rhs
                return other, joined(assumed, Linear(said, with_sign(other, sign))), sign
            case Whole("inv", 0, _, _, (a, b), _) if a != b:
                found = self.exchanged_inverse(t)
                return None if found is None else (*found, 1)
            case _:
                return None

    def exchanged_inverse(self, w: Whole) -> tuple[Term, Proof] | None:
        n = self.normal
        axes = (n.names.new(w.sizes[0]), n.names.new(w.sizes[1]))
        opened = opened_whole(w, axes)
        turned = whole("inv", 0, (axes[1], axes[0]), opened, (w.at[1], w.at[0]))
        back = opened_whole(turned, axes)
        one, by_one = n.of(back)
        other, by_other = n.of(opened)
        if key(one) != key(other):
            return None
        inside = UnderWhole("inv", 0, axes, turned.at, joined(by_one, Linear(one, other), flipped(by_other)))
        return whole("inv", 0, axes, opened, turned.at), joined(By("inverse_of_transpose", (w,)), inside)

    def able(self, m: Monomial, most: int = MOST) -> Able:
        """The factors whose indices may be exchanged, by their places."""
        swaps = ((place, self.exchanged(b)) for place, (b, _) in enumerate(m.factors))
        return [(place, s) for place, s in swaps if s is not None][:most]

    def rule(self, m: Monomial) -> Move | None:
        able = self.able(m)
        if not able:
            return None
        own = best = monomial_key(m)
        chosen, part = None, Fraction(1)
        for which in orders(able):
            other, sign = turned(m, which)
            k = monomial_key(other)
            if k == own and sign < 0:  # m = -m: half of it is turned, and nothing is left
                chosen, part = which, Fraction(1, 2)
                break
            if k < best:
                best, chosen = k, which
        return None if chosen is None else turning(m, chosen, part)


def orders(able: Able) -> Iterator[Able]:
    for which in product((False, True), repeat=len(able)):
        yield [swap for use, swap in zip(which, able, strict=True) if use]


def turned(m: Monomial, swaps: Able) -> tuple[Monomial, int]:
    """The product with these factors turned, and its sign."""
    factors, sign = list(m.factors), 1
    for place, (other, _, s) in swaps:
        factors[place] = other, factors[place][1]
        sign *= s ** int(factors[place][1])
    return m._replace(factors=tuple(factors)), sign


def turning(m: Monomial, swaps: Able, part: Fraction = Fraction(1)) -> Move:
    places = {place for place, _ in swaps}
    left = tuple(f for place, f in enumerate(m.factors) if place not in places)
    lhs = Mul(tuple(Power(*m.factors[place]) for place, _ in swaps))
    rhs = Mul(tuple(Power(with_sign(other, s), m.factors[place][1]) for place, (other, _, s) in swaps))
    parts = tuple((k, Inside(Power(*m.factors[p]), ((0, proof),))) for k, (p, (_, proof, _)) in enumerate(swaps))
    return Move(m.dummies, product_of(m.coefficient * part, left), lhs, rhs, Inside(lhs, parts))


def with_sign(t: Term, sign: int) -> Term:
    return t if sign > 0 else Mul((num(-1), t))


def signed(t: Term) -> tuple[Term, int]:
    """u and 1, or of -u as it may be written u and -1."""
    match t:
        case Mul((Num(value), u)) | Mul((u, Num(value))) if value in (1, -1):
            return u, int(value)
        case _:
            return t, 1
