"""Sums over parts of an axis: ends of axes, shifted indices, how often a condition holds, conditions together.

Of the conditions [a >= 0], [b >= 0] and [c >= 0] on places one may follow from the others, or exclude them.  All is by
one law: conditions whose expressions add up to less than 0 do not all hold.  Two ends of a range,

    f g ([a >= 0] + [b >= 0] - 1) = f g [a >= 0] [b >= 0]  where one of them always holds, or does where g does,

are joined: the kernel writes [-1 - a >= 0] as 1 - [a >= 0], which takes such a product apart when an index runs the
other way round; a convolution can only be summed over its other index when both ends are there.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from symbackprop.core.context import Context
from symbackprop.core.indices import (
    Affine, Index, IndexExpr, Least, ProofError, Size, affine, as_affine, at_least_zero, sized,
)  # fmt: skip
from symbackprop.core.kernel import By, Linear, check
from symbackprop.core.signs import always_negative, bounds, never_negative
from symbackprop.core.sums import Factors, Monomial, canonical, monomial_key
from symbackprop.core.terms import (
    ONE, ZERO, Delta, Entry, Holds, Key, Mul, NonNegative, Num, Term, Whole, free, key, mul, sub, subterms, sum_over,
)  # fmt: skip
from symbackprop.prove.normal_form.session import Move, Reduction, Session, product_of

# --- conditions that hold at one end of an axis only: [i <= 0] = δ_{i,0}, and [i <= n-1] = 1 - δ_{i,n} for i <= n ---


def at_end(normal: Session, m: Monomial) -> Move | None:
    for b, _ in m.factors:
        found = end(b)
        if found is None:
            continue
        i, place, value = found
        if place.monomials and i in m.dummies:
            continue  # the sum is cut: `Shifts`
        n = normal.names
        one, k = n.new(sized(1)), n.new(i.size)
        there = affine(place, ((one, 1),))
        law = By("reindex", (one, k, there, Delta(i, there)))  # Σ of one value is δ, Σ of all is the condition
        sign = -1 if isinstance(value, Delta) else 1
        proof = Linear(b, value, (((), Num(Fraction(sign)), law),))
        left = tuple(f for f in m.factors if f[0] != b)
        return Move(m.dummies, product_of(m.coefficient, left), b, value, proof)
    return None


def end(b: Term) -> tuple[Index, Size, Term] | None:
    """The index, the place at its end that decides, and what the condition is."""
    match b:
        case Holds(NonNegative(Affine(constant, ((Index() as i, k),)))) if k.constant == -1:
            if constant == sized(0):
                return i, constant, Delta(i, affine(0, ()))
            if constant == i.size - 2:
                last = i.size - 1
                return i, last, sub(ONE, Delta(i, affine(last, ())))
    return None


# --- how often a condition holds: Σ_j [j <= i] = i + 1 ---


def counted(context: Context, m: Monomial) -> Move | None:
    for i in m.dummies:
        about = [b for b, _ in m.factors if i in free(b)]
        match about:
            case [Holds(NonNegative(e))]:
                law = By("count", (i, e))
                try:
                    equation = check(law, context)
                except ProofError:
                    continue
                left = tuple(f for f in m.factors if f[0] != about[0])
                dummies = tuple(d for d in m.dummies if d != i)
                return Move(dummies, product_of(m.coefficient, left), equation.lhs, equation.rhs, law)
            case _:
                pass
    return None


# --- which index a convolution is summed over: Σ_i f(i) [0 <= c ± i < M] = Σ_k f(±(k - c)) [..] ---


F1 = Fraction(1)
Rank = tuple[int, int, Key]


class Shifts:
    def __init__(self, normal: Session) -> None:
        self.normal = normal
        self.settled: set[Key] = set()  # monomials that are best as they are

    def rule(self, m: Monomial) -> Move | None:
        expressions = [e for b, _ in m.factors for e in index_expressions(b)]
        if not m.dummies:
            return None
        own = written(m)
        if own[2] in self.settled:
            return None
        move = self.best(m, expressions, own)
        if move is None:
            self.settled.add(own[2])
        return move

    def best(self, m: Monomial, expressions: list[IndexExpr], own: Rank) -> Move | None:
        holds = [
            b.predicate.expr for b, _ in m.factors if isinstance(b, Holds) and isinstance(b.predicate, NonNegative)
        ]
        best: tuple[Rank, Move] | None = None
        cut = [i for i in m.dummies if any(i in free(Holds(NonNegative(e))) for e in holds)]
        least = self.normal.context.least
        for e in dict.fromkeys([*holds, *cut, *(e for e in expressions if never_negative(e, least))]):
            for i, sign in as_affine(e)[1]:
                if not isinstance(i, Index) or i not in m.dummies or sign.constant not in (1, -1):
                    continue
                for size in spans(e, holds, least):
                    if e == i and size == i.size:
                        continue
                    move = self.renamed(m, i, e, size)
                    if move is None:
                        continue
                    after = self.normal.run(m.term()).expand(sum_over(move.dummies, mul(move.keep, move.rhs)))
                    rank = max((written(x) for x in after), default=(0, 0, ()))
                    better = rank < own if len(after) == 1 else rank[:2] < own[:2]
                    if better and (best is None or rank < best[0]):
                        best = rank, move
        return None if best is None else best[1]

    def renamed(self, m: Monomial, i: Index, e: IndexExpr, size: Size) -> Move | None:
        """The monomial summed over k = e, which has `size` values, in place of i."""
        k = self.normal.names.new(size)
        drop = {key(Holds(NonNegative(x))) for x in (e, affine(size - 1, ((e, -1),)))}
        body = product_of(F1, tuple(f for f in m.factors if key(f[0]) not in drop))
        law = By("reindex", (i, k, e, body))
        try:
            equation = check(law, self.normal.context)
        except ProofError:
            return None
        dummies = tuple(d for d in m.dummies if d != i)
        return Move(dummies, Num(m.coefficient), equation.lhs, equation.rhs, law)


def spans(e: IndexExpr, holds: list[IndexExpr], least: Least) -> list[Size]:
    """The numbers M for which [e <= M - 1] is there, or holds anyway."""
    found = []
    for f in holds:
        constant, parts = as_affine(affine(1, ((e, 1), (f, 1))))
        if not parts and at_least_zero(constant - 1, least):
            found.append(constant)
    reach = bounds(e, least)
    if reach is not None and at_least_zero(reach[1], least):
        found.append(reach[1] + 1)
    return list(dict.fromkeys(found))


def index_expressions(t: Term) -> list[IndexExpr]:
    """The indices of an entry, where they are no plain index."""
    return [e for e in t.at if isinstance(e, Affine)] if isinstance(t, Entry | Whole) else []


def written(m: Monomial) -> Rank:
    """How much there is to write: what index expressions consist of, then predicates; then the key."""
    expressions = [e for b, _ in m.factors for e in index_expressions(b)]
    weight = sum(len(e.parts) + len(e.constant.monomials) for e in expressions if isinstance(e, Affine) and e.parts)
    return weight, sum(isinstance(b, Holds) for b, _ in m.factors), monomial_key(m)


Found = tuple[Fraction, IndexExpr, Monomial, tuple[Index, ...]]
Places = tuple[IndexExpr, ...]


def places(factors: Factors) -> Places:
    """The expressions of the conditions among the factors."""
    return tuple(b.predicate.expr for b, _ in factors if isinstance(b, Holds) and isinstance(b.predicate, NonNegative))


def no_room(each: Places) -> bool:
    return always_negative(affine(0, [(e, 1) for e in each]))


def not_at(e: IndexExpr) -> IndexExpr:
    return affine(-1, ((e, -1),))


def implied(m: Monomial) -> Move | None:
    """[a >= 0] [b >= 0] [c >= 0] without the last where it follows from the others; 0 where they exclude each other."""
    for three in combinations(places(m.factors), 3):
        if no_room(three):
            return excluded(m, three, three)
        for e in three:
            others = tuple(x for x in three if x != e)
            if no_room((*others, not_at(e))):
                return excluded(m, (*others, e), (*others, not_at(e)), -1)
    return None


def opposite(m: Monomial) -> Move | None:
    """[i - k >= 0] = 1 - [k - i >= 0] + δ_ik: what counts up to i as what counts down to it, i before k."""
    for e in places(m.factors):
        constant, parts = as_affine(e)
        up = [a for a, k in parts if isinstance(a, Index) and k == sized(1)]
        down = [a for a, k in parts if isinstance(a, Index) and k == sized(-1)]
        if not constant.monomials and len(parts) == 2 and up and down and role(up[0], m) < role(down[0], m):
            return excluded(m, (e,), (not_at(e), not_at(affine(0, ((e, -1),)))), -1)
    return None


def role(i: Index, m: Monomial) -> tuple[str, ...]:
    """By what an index is known, whatever it is called: the arrays that a dummy is a place of.  Free ones are first."""
    entries = (s for b, _ in m.factors for s in subterms(b) if isinstance(s, Entry) and i in s.at)
    return tuple(sorted(e.array.name for e in entries)) if i in m.dummies else ()


def excluded(m: Monomial, gone: Places, each: Places, sign: int = 1) -> Move:
    """The monomial (or minus it) with the product of the conditions `each`, which is 0, in place of those `gone`."""
    left = tuple(f for f in m.factors if not any(f[0] == Holds(NonNegative(e)) for e in gone))
    law = By("no_room", (each,))
    return Move(
        m.dummies, product_of(sign * m.coefficient, left), Mul(tuple(Holds(NonNegative(e)) for e in each)), ZERO, law
    )


def join(reduction: Reduction) -> bool:
    """Join one pair of ends; whether there was one."""
    bases: dict[Key, list[Found]] = {}
    for m in reduction.current.values():
        for b, _ in m.factors:
            if isinstance(b, Holds) and isinstance(b.predicate, NonNegative):
                rest = m._replace(factors=tuple(f for f in m.factors if f[0] != b))
                key, order = canonical(rest)
                if set(order) == set(rest.dummies):
                    bases.setdefault(key, []).append((m.coefficient, b.predicate.expr, rest, order))
    for key in sorted(bases):
        base = reduction.current.get(key)
        if base is None:
            continue
        for (c, e, rest, order), (d, f, _, other) in combinations(bases[key], 2):
            if c != d or c != -base.coefficient:
                continue
            ends = not_at(e), not_at(named(f, other, order))
            for known in ((), *((g,) for g in places(rest.factors))):
                if no_room((*ends, *known)):
                    reduction.apply(excluded(rest._replace(coefficient=c), known, (*ends, *known), -1))
                    return True
    return False


def named(e: IndexExpr, old: tuple[Index, ...], new: tuple[Index, ...]) -> IndexExpr:
    """The index expression with the dummies of one monomial in place of those of another."""
    names = dict(zip(old, new, strict=True))
    constant, parts = as_affine(e)
    return affine(constant, [(names.get(a, a) if isinstance(a, Index) else a, k) for a, k in parts])
