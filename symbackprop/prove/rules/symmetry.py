"""Entries whose two indices may be exchanged: of a symmetric array, and of the inverse of one.

A rewrite A_ji -> A_ij would go round in circles where the indices are dummies, so the whole product
is looked at: of all ways to order these indices, the one with the least key.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from symbackprop.core.context import Same
from symbackprop.core.kernel import By, Inside, Linear, Proof, UnderWhole
from symbackprop.core.ordering import key
from symbackprop.core.sums import Monomial, monomial_key
from symbackprop.core.terms import Array, Entry, Mul, Power, Term, Whole, opened_whole, whole

from ..normal_form.joined import flipped, joined
from ..normal_form.reduce import Move, product_of

if TYPE_CHECKING:
    from ..normal_form.normal import Normal

MOST = 7  # pairs of exchangeable indices in one product


class Symmetry:
    def __init__(self, normal: Normal) -> None:
        self.normal = normal
        self.inverses: dict[Term, Proof | None] = {}
        self.declared: dict[Array, tuple[str, Same]] = {}
        for name, h in normal.context.hypotheses.items():
            if isinstance(h, Same) and isinstance(h.lhs, Entry) and isinstance(h.rhs, Entry):
                i, j = h.lhs.at, h.rhs.at
                if h.lhs.array == h.rhs.array and len(i) == 2 and i[0] != i[1] and i == (j[1], j[0]):
                    self.declared[h.lhs.array] = name, h

    def exchanged(self, t: Term) -> tuple[Term, Proof] | None:
        """The same entry with its indices the other way round, if that is equal."""
        match t:
            case Entry(array, (a, b)) if array in self.declared and a != b:
                name, h = self.declared[array]
                assert isinstance(h.lhs, Entry)
                values = tuple(zip(h.lhs.at, (a, b), strict=True))
                return Entry(array, (b, a)), By("assume", (name, values))
            case Whole("inv", 0, _, _, (a, b), _) if a != b:
                return self.exchanged_inverse(t)
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

    def rule(self, m: Monomial) -> Move | None:
        swaps = [(place, self.exchanged(b)) for place, (b, _) in enumerate(m.factors)]
        able = [(place, s) for place, s in swaps if s is not None][:MOST]
        if not able:
            return None
        best, chosen = monomial_key(m), None
        for which in product((False, True), repeat=len(able)):
            factors = list(m.factors)
            for use, (place, (other, _)) in zip(which, able, strict=True):
                if use:
                    factors[place] = other, factors[place][1]
            k = monomial_key(m._replace(factors=tuple(factors)))
            if k < best:
                best, chosen = k, which
        if chosen is None:
            return None
        used = [(place, s) for use, (place, s) in zip(chosen, able, strict=True) if use]
        places = {place for place, _ in used}
        left = tuple(f for place, f in enumerate(m.factors) if place not in places)
        lhs = Mul(tuple(Power(*m.factors[place]) for place, _ in used))
        rhs = Mul(tuple(Power(other, m.factors[place][1]) for place, (other, _) in used))
        parts = tuple(
            (k, Inside(Power(*m.factors[place]), ((0, proof),))) for k, (place, (_, proof)) in enumerate(used)
        )
        return Move(m.dummies, product_of(m.coefficient, left), lhs, rhs, Inside(lhs, parts))
