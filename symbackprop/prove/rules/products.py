"""Products over an axis without one factor: Π_{b != a} x_b = (Π_b x_b) / x_a."""

from __future__ import annotations

from symbackprop.core.deltas import solutions
from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.kernel import By, Linear, Proof, UnderWhole, check
from symbackprop.core.ranges import within
from symbackprop.core.sums import Monomial, same
from symbackprop.core.terms import ONE, Delta, Ordinal, Term, Whole, add, free, mul, opened_whole, sub

from ..normal_form.joined import joined
from ..normal_form.session import Session


def without_one(w: Whole, normal: Session) -> tuple[Term, Proof] | None:
    """A product whose factor at one place is 1, as the whole product divided by that factor."""
    if w.fn != "prod":
        return None
    axes = tuple(map(normal.names.new, w.sizes))
    opened = opened_whole(w, axes)
    monomials = normal.run(opened).expand(opened)
    for at in dict.fromkeys(place(m, axes) for m in monomials):
        if at is None:
            continue
        here = [Delta(b, a) for a, b in zip(axes, at, strict=True)]
        body = add(*(m.term() for m in monomials if place(m, axes) != at))
        written = add(mul(*here), mul(sub(ONE, mul(*here)), body))
        if same(opened, written)[0]:
            law = By("product_without", (axes, body, at))
            value = check(law, normal.context).rhs
            return value, joined(UnderWhole("prod", 0, axes, (), Linear(opened, written)), law)
    return None


def place(m: Monomial, axes: tuple[Index, ...]) -> tuple[IndexExpr, ...] | None:
    """The indices at which the deltas of a monomial hold the axes."""
    held: dict[Index, IndexExpr] = {}
    for b, _ in m.factors:
        for a, e in solutions(b) if isinstance(b, Delta) else ():
            if a in axes and free(Ordinal(e)).isdisjoint((*axes, *m.dummies)) and within(e, a.size):
                held.setdefault(a, e)
    return tuple(held[a] for a in axes) if len(held) == len(axes) > 0 else None
