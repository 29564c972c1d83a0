"""Which index a convolution is summed over: Σ_i f(i) [0 <= c ± i < M] = Σ_k f(±(k - c)) [..].

Of the ways to name the summation index, the normal form has the one that leaves least to write.
"""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.indices import Affine, Index, IndexExpr, ProofError, Size, affine, as_affine, at_least_zero
from symbackprop.core.kernel import By, check
from symbackprop.core.ordering import Key, key
from symbackprop.core.ranges import bounds, never_negative
from symbackprop.core.sums import Monomial, monomial_key
from symbackprop.core.terms import Entry, Holds, NonNegative, Num, Term, Whole, free, mul

from ..normal_form.reduce import Move, product_of, summed
from ..normal_form.session import Session

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
        for e in dict.fromkeys([*holds, *cut, *(e for e in expressions if never_negative(e))]):
            for i, sign in as_affine(e)[1]:
                if not isinstance(i, Index) or i not in m.dummies or sign.constant not in (1, -1):
                    continue
                for size in spans(e, holds):
                    if e == i and size == i.size:
                        continue
                    move = self.renamed(m, i, e, size)
                    if move is None:
                        continue
                    after = self.normal.run(m.term()).expand(summed(move.dummies, mul(move.keep, move.rhs)))
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


def spans(e: IndexExpr, holds: list[IndexExpr]) -> list[Size]:
    """The numbers M for which [e <= M - 1] is there, or holds anyway."""
    found = []
    for f in holds:
        constant, parts = as_affine(affine(1, ((e, 1), (f, 1))))
        if not parts and at_least_zero(constant - 1):
            found.append(constant)
    reach = bounds(e)
    if reach is not None and at_least_zero(reach[1]):
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
