"""Inverses and determinants of products, multiples, transposes."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Linear, Proof, UnderWhole
from symbackprop.core.ordering import key
from symbackprop.core.sums import Monomial
from symbackprop.core.terms import Delta, Entry, Mul, Num, Power, Term, Whole, free, mul, opened_whole, over, whole

from ..normal_form.joined import joined
from ..normal_form.reduce import summed
from ..normal_form.session import Session

F1 = Fraction(1)


def taken_apart(w: Whole, normal: Session) -> tuple[Term, Proof] | None:
    """det or inv of a product of square matrices, of a multiple, of an inverse, of the identity; or of a transpose."""
    if w.fn not in ("inv", "det") or len(w.sizes) != 2 or w.sizes[0] != w.sizes[1]:
        return None
    axes = (normal.names.new(w.sizes[0]), normal.names.new(w.sizes[1]))
    opened = opened_whole(w, axes)
    monomials = normal.run(opened).expand(opened)
    if len(monomials) == 1:
        (m,) = monomials
        scaled = scalar_out(w, axes, opened, m)
        if scaled is not None:
            return scaled
        split = chain_split(m, axes)
        if split is not None:
            k, left, right = split
            product = over(k, Mul((left, right)))
            law = By("of_product", (whole(w.fn, 0, axes, product, w.at), axes, k, left, right))
            inside = UnderWhole(w.fn, 0, axes, w.at, Linear(opened, product))
            from symbackprop.core.kernel import check

            return check(law, normal.context).rhs, joined(inside, law)
        if len(m.factors) == 1 and not m.dummies and m.coefficient == 1 and m.factors[0][1] == 1:
            (b, _) = m.factors[0]
            if isinstance(b, Delta) and {b.i, b.j} == set(axes):
                inside = UnderWhole(w.fn, 0, axes, w.at, Linear(opened, Delta(*axes)))
                value = Delta(w.at[0], w.at[1]) if w.at else Num(F1)
                return value, joined(inside, By("of_identity", (axes, w.at)))
            if isinstance(b, Whole) and b.fn == "inv" and b.at == axes and free(b) == frozenset(axes):
                inner = Whole(w.fn, 0, b.sizes, b.body, w.at, b.hints)
                from symbackprop.core.kernel import check

                law = By("inverse_of_inverse", (inner, axes))
                inside = UnderWhole(w.fn, 0, axes, w.at, Linear(opened, b))
                return check(law, normal.context).rhs, joined(inside, law)
    one, other = (key(opened, {axes[0]: a, axes[1]: 1 - a}) for a in (0, 1))
    if one <= other:
        return None
    turned = whole(w.fn, 0, (axes[1], axes[0]), opened, tuple(reversed(w.at)))
    return turned, By("inverse_of_transpose", (w,))


def scalar_out(w: Whole, axes: tuple[Index, Index], opened: Term, m: Monomial) -> tuple[Term, Proof] | None:
    """inv(c A) = inv(A)/c"""
    if w.fn != "inv":
        return None
    linked = reach(m, axes[0])
    outside = [(b, e) for b, e in m.factors if not any(i in linked for i in free(b))]
    if m.coefficient == 1 and not outside:
        return None
    if any(i in free(b) for b, _ in outside for i in m.dummies):
        return None
    c = mul(Num(m.coefficient), *(Power(b, e) for b, e in outside))
    kept = tuple(f for f in m.factors if f not in outside)
    body = Monomial(F1, m.dummies, kept).term()
    if not kept:
        return None
    inside = UnderWhole("inv", 0, axes, w.at, Linear(opened, Mul((c, body))))
    value = Mul((Power(c, Fraction(-1)), whole("inv", 0, axes, body, w.at)))
    return value, joined(inside, By("inverse_scaled", (axes, c, body, w.at)))


def reach(m: Monomial, start: Index) -> frozenset[Index]:
    """The indices that factors link to `start`, free ones that are no dummies apart."""
    found = {start}
    while True:
        more = {
            i for b, _ in m.factors if not free(b).isdisjoint(found) for i in free(b) if i in m.dummies or i == start
        }
        if more <= found:
            return frozenset(found)
        found |= more


def chain_split(m: Monomial, axes: tuple[Index, Index]) -> tuple[Index, Term, Term] | None:
    """A_pk and the rest B_kq, when the product is a path of matrices from p to q: the first link is cut off."""
    p, q = axes
    if m.coefficient != 1 or p.size != q.size:
        return None
    at_p = [(b, e) for b, e in m.factors if p in free(b)]
    if len(at_p) != 1 or at_p[0][1] != 1 or not isinstance(at_p[0][0], Entry | Whole):
        return None
    first = at_p[0][0]
    links = [i for i in free(first) if i in m.dummies]
    if len(links) != 1 or q in free(first) or links[0].size != p.size:
        return None
    k = links[0]
    rest = tuple(f for f in m.factors if f[0] != first)
    if sum(k in free(b) for b, _ in rest) != 1 or q not in frozenset[Index]().union(*(free(b) for b, _ in rest)):
        return None
    dummies = tuple(d for d in m.dummies if d != k)
    right = summed(dummies, mul(*(b if e == 1 else Power(b, e) for b, e in rest)))
    return k, first, right
