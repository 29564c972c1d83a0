"""Functions of whole arrays: the largest entry and masks that compare with it, inverses and determinants, products."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Index, IndexExpr, ProofError, Size, as_affine, at_least_zero
from symbackprop.core.kernel import By, Inside, Linear, Proof, UnderWhole, check
from symbackprop.core.monomials import solutions
from symbackprop.core.signs import within
from symbackprop.core.sums import Monomial, monomial_key, same
from symbackprop.core.terms import (
    ONE, Delta, Entry, Holds, Mul, Num, Ordinal, Positive, Power, Term, Whole, add, free, key, mul, opened_whole, over,
    sub, subterms, sum_over, whole,
)  # fmt: skip
from symbackprop.prove.differentiate import Names
from symbackprop.prove.matching import Pattern, Rewritten, in_parts, occurrences, unify
from symbackprop.prove.normal_form.session import Move, Rule, Session, joined, product_of
from symbackprop.prove.rules.powers import total

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
            return check(law, normal.context).rhs, joined(inside, law)
        if len(m.factors) == 1 and not m.dummies and m.coefficient == 1 and m.factors[0][1] == 1:
            (b, _) = m.factors[0]
            if isinstance(b, Delta) and {b.i, b.j} == set(axes):
                inside = UnderWhole(w.fn, 0, axes, w.at, Linear(opened, Delta(*axes)))
                value = Delta(w.at[0], w.at[1]) if w.at else Num(F1)
                return value, joined(inside, By("of_identity", (axes, w.at)))
            if isinstance(b, Whole) and b.fn == "inv" and b.at == axes and free(b) == frozenset(axes):
                inner = Whole(w.fn, 0, b.sizes, b.body, w.at, b.hints)
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
    right = sum_over(dummies, mul(*(b if e == 1 else Power(b, e) for b, e in rest)))
    return k, first, right


# --- products over an axis without one factor: Π_{b != a} x_b = (Π_b x_b) / x_a ---


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


class Maxima:
    def __init__(self, normal: Session) -> None:
        self.normal = normal

    def rules(self) -> tuple[Rule, ...]:
        return (self.products, self.last, self.picked)

    def products(self, m: Monomial) -> Move | None:
        """argmax_a argmax_b = δ_ab argmax_a"""
        chosen = [(b, e) for b, e in m.factors if isinstance(b, Whole) and b.fn == "argmax"]
        for n, (b, e) in enumerate(chosen):
            if e >= 2:
                law = By("argmax_products", (maximum(b), b.at, b.at))
                left = tuple(f for f in m.factors if f[0] != b) + (((b, e - 2),) if e > 2 else ())
                return self.move(m, left, F1, m.dummies, law)
            for c, _ in chosen[n + 1 :]:
                if maximum(b) == maximum(c):
                    law = By("argmax_products", (maximum(b), b.at, c.at))
                    left = tuple(f for f in m.factors if f[0] not in (b, c))
                    return self.move(m, left, F1, m.dummies, law)
        return None

    def last(self, m: Monomial) -> Move | None:
        """argmax_{n-1} = 1 - Σ_{k < n-1} argmax_k  for axes of literal sizes, over which sums are written out"""
        for b, e in m.factors:
            if isinstance(b, Whole) and b.fn == "argmax" and e == 1:
                if all(constant(a) == size - 1 for a, size in zip(b.at, b.sizes, strict=True)):
                    left = tuple(f for f in m.factors if f[0] != b)
                    fresh = tuple(map(self.normal.names.new, b.sizes))
                    return self.move(m, left, F1, m.dummies, By("one_argmax", (maximum(b), fresh)))
        return None

    def picked(self, m: Monomial) -> Move | None:
        """Σ_a argmax_a = 1,  Σ_a argmax_a x_a = max(x)"""
        for b, e in m.factors:
            if not isinstance(b, Whole) or b.fn != "argmax" or e != 1:
                continue
            axes = tuple(a for a in b.at if isinstance(a, Index))
            if len(axes) != len(b.at) or not set(axes) <= set(m.dummies) or len(set(axes)) != len(axes):
                continue
            left = tuple(f for f in m.factors if f[0] != b)
            used = frozenset[Index]().union(*(free(f) for f, _ in left))
            dummies = tuple(d for d in m.dummies if d not in axes)
            fresh = tuple(self.normal.names.new(a.size) for a in axes)
            if used.isdisjoint(axes):
                return self.move(m, left, F1, dummies, By("one_argmax", (maximum(b), fresh)))
            body = opened_whole(b, axes)
            monomials = self.normal.run(body).expand(body)
            if not monomials:
                continue
            lead = max(monomials, key=lambda x: (len(x.factors), monomial_key(x)))
            for binding, rest in occurrences(Pattern(lead.factors, lead.dummies), m._replace(factors=left)):
                gone = {binding[d] for d in lead.dummies}
                if frozenset[Index]().union(*(free(f) for f, _ in rest)).isdisjoint(axes):
                    kept = tuple(d for d in dummies if d not in gone)
                    return self.move(m, rest, 1 / lead.coefficient, kept, By("maximum_picks", (maximum(b), fresh)))
        return None

    def move(
        self, m: Monomial, left: tuple[tuple[Term, Fraction], ...], c: Fraction, dummies: tuple[Index, ...], law: By
    ) -> Move:
        equation = check(law, self.normal.context)
        return Move(dummies, product_of(m.coefficient * c, left), equation.lhs, equation.rhs, law)

    def step(self, u: Term, monomials: list[Monomial]) -> tuple[Term, Proof] | None:
        """[max(x) - x_a > 0] = 1 - argmax(x)_a,  [x_a - max(x) > 0] = 0"""
        n = self.normal
        for m in monomials:
            if len(m.factors) != 1 or m.dummies or abs(m.coefficient) != 1 or m.factors[0][1] != 1:
                continue
            w = m.factors[0][0]
            if not isinstance(w, Whole) or w.fn != "max":
                continue
            others = [o._replace(coefficient=-o.coefficient / m.coefficient) for o in monomials if o is not m]
            target = total(others)
            axes = tuple(n.names.new(s) for s in w.sizes)
            pattern, _ = n.of(opened_whole(w, axes))
            for binding in unify(pattern, target, {}, frozenset(axes)):
                if not set(axes) <= set(binding):
                    continue
                at = tuple(binding[a] for a in axes)
                name = "step_below_max" if m.coefficient > 0 else "step_above_max"
                law = By(name, (w, at))
                try:
                    equation = check(law, n.context)
                except ProofError:  # not plainly an entry of the array
                    continue
                assert isinstance(equation.lhs, Holds) and isinstance(equation.lhs.predicate, Positive)
                first = Inside(Holds(Positive(u)), ((0, Linear(u, equation.lhs.predicate.term)),))
                return equation.rhs, joined(first, law)
        return None


def constant(e: IndexExpr) -> Size | None:
    """The number that an index is; none of size symbols."""
    known, parts = as_affine(e)
    return None if parts or known.constant is None else known


def maximum(b: Whole) -> Whole:
    return Whole("max", 0, b.sizes, b.body, (), b.hints)


def merged(w: Whole, names: Names) -> tuple[Term, Proof] | None:
    """max_i max_j x_ij as one maximum, the axes in the order in which the entries have them."""
    if w.fn != "max":
        return None
    outer = tuple(map(names.new, w.sizes))
    inside = opened_whole(w, outer)
    if not isinstance(inside, Whole) or inside.fn != "max":
        return None
    inner = tuple(map(names.new, inside.sizes))
    body = opened_whole(inside, inner)
    if not all(at_least_zero(i.size - 1) for i in (*outer, *inner)):
        return None
    met = [i for s in subterms(body) if isinstance(s, Entry) for e in s.at for i in sorted(free(Ordinal(e)), key=str)]
    axes = tuple(sorted((*outer, *inner), key=lambda i: met.index(i) if i in met else len(met)))
    return whole("max", 0, axes, body, ()), By("maximum_of_maxima", (outer, inner, axes, body))


def with_merged(t: Term, names: Names) -> Rewritten:
    """The term with its maxima of maxima merged, and the proof."""
    above, under = in_parts(t, lambda s: with_merged(s, names), names.axes)
    found = merged(above, names) if isinstance(above, Whole) else None
    return (above, under) if found is None else (found[0], joined(under, found[1]))
