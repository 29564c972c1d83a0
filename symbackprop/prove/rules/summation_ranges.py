"""Sums over parts of an axis: ends of axes, shifted indices, indices with one value left, windows, joined axes."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Context
from symbackprop.core.deltas import contract
from symbackprop.core.indices import Affine, Index, IndexExpr, ProofError, Size, affine, as_affine, at_least_zero, sized
from symbackprop.core.kernel import By, Chain, Inside, Linear, Proof, check
from symbackprop.core.laws.sums import inside
from symbackprop.core.ordering import Key, key
from symbackprop.core.ranges import bounds, never_negative
from symbackprop.core.sums import Factors, Monomial, monomial_key
from symbackprop.core.terms import (
    ONE,
    Apply,
    Delta,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Num,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    add,
    free,
    mul,
    opened,
    over,
    sub,
    substitute,
    subterms,
    sum_over,
)
from symbackprop.prove.differentiate import Names
from symbackprop.prove.normal_form.reduce import Move, product_of, summed
from symbackprop.prove.normal_form.session import Session

# --- conditions that hold at one end of an axis only: [i <= 0] = δ_{i,0}, and [i <= n-1] = 1 - δ_{i,n} for i <= n ---


class Ends:
    def __init__(self, normal: Session) -> None:
        self.normal = normal

    def rule(self, m: Monomial) -> Move | None:
        for b, _ in m.factors:
            found = end(b)
            if found is None:
                continue
            i, place, value = found
            if place.monomials and i in m.dummies:
                continue  # the sum is cut: shifts.py
            n = self.normal.names
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


# --- sums whose factors leave their dummy one value: Σ_k [2 k <= i] [i <= 2 k + 1] f(k) at i = 2 j is f(j) ---


def pinned(i: Index, body: Term, names: Names) -> Term | None:
    """Σ_i body without the sum, where deltas and ranges among its factors decide i and functions depend on it.

    The sums in the body may stand around those factors.  What would be looked at outside of the range of i stays.
    """
    inner: list[Index] = []
    while isinstance(body, Sum):
        inner.append(names.new(body.size))
        body = opened(body, inner[-1])
    found = decided(i, body)
    return None if found is None else sum_over(tuple(inner), found)


def decided(i: Index, body: Term) -> Term | None:
    args = flattened(body)
    if not any(i in free(a) and is_predicate(a) for a in args):
        return None
    if not any(i in free(a) and not is_predicate(a) and has_functions(a) for a in args):
        return None
    dummies: tuple[Index, ...] = (i,)
    factors: Factors = tuple((a, F1) for a in args)
    while dummies:
        for place, (b, _) in enumerate(factors):
            if not (is_predicate(b) and i in free(b)):
                continue
            assert isinstance(b, Delta | Holds)
            change = contract(b, dummies, factors[:place] + factors[place + 1 :])
            if change is None:
                continue
            dummies, moved = change
            if moved is None or (not dummies and beyond(factors, moved)):
                return None
            factors = moved
            break
        else:
            return None
    return mul(*(b for b, _ in factors))


def beyond(before: Factors, after: Factors) -> bool:
    """Whether the sum had to say that the value is inside the range."""
    return sum(map(is_range, after)) > sum(map(is_range, before))


def is_range(factor: tuple[Term, Fraction]) -> bool:
    return isinstance(factor[0], Holds) and isinstance(factor[0].predicate, NonNegative)


def flattened(t: Term) -> list[Term]:
    return [x for a in t.args for x in flattened(a)] if isinstance(t, Mul) else [t]


def is_predicate(t: Term) -> bool:
    return isinstance(t, Delta) or (isinstance(t, Holds) and isinstance(t.predicate, NonNegative))


def has_functions(t: Term) -> bool:
    return any(
        isinstance(s, Apply | Whole) or (isinstance(s, Power) and (s.exponent.denominator > 1 or s.exponent < 0))
        or (isinstance(s, Holds) and isinstance(s.predicate, Positive))
        for s in subterms(t)
    )  # fmt: skip


# --- functions of windows under a condition on their place: [i >= c] f(i - c) = Σ_m δ_{i, m+c} f(m), for m in ---


def in_range(t: Mul, names: Names) -> Term | None:
    """The product as a sum over places that there are; None where no condition in it leaves out some."""
    args = flattened(t)
    windows = [a for a in args if any(isinstance(s, Whole) and s.fn == "max" for s in subterms(a))]
    bounds = [b for a in args if (b := bound(a)) is not None] if windows else []
    for i in dict.fromkeys(i for i, *_ in bounds):
        if not any(i in free(w) for w in windows):
            continue
        low = max((c for j, c, up in bounds if j == i and not up), key=str, default=sized(0))
        high = min((c for j, c, up in bounds if j == i and up), key=str, default=i.size)
        if not (at_least_zero(high - low - 1) and at_least_zero(low) and at_least_zero(i.size - high)):
            continue
        m = names.new(high - low)
        there = affine(low, ((m, 1),))
        rest = [a for a in args if bound(a) not in ((i, low, False), (i, high, True))]
        return over(m, mul(Delta(i, there), *(substitute(a, {i: there}) for a in rest)))
    return None


def bound(a: Term) -> tuple[Index, Size, bool] | None:
    """(i, c, False) for i >= c, (i, c, True) for i < c."""
    match a:
        case Holds(NonNegative(Index() as i)):
            return i, sized(0), False
        case Holds(NonNegative(Affine() as e)):
            constant, parts = as_affine(e)
            if len(parts) == 1 and isinstance(parts[0][0], Index) and parts[0][1].constant in (1, -1):
                up = parts[0][1].constant == -1
                return parts[0][0], constant + 1 if up else -constant, up
    return None


# --- sums over an axis that was joined of two: Σ_{i < n+m} f(i) = Σ_{i < n} f(i) + Σ_{j < m} f(n + j) ---


def split(i: Index, body: Term, names: Names, context: Context) -> tuple[Term, Proof] | None:
    """Σ_i body in two sums, and the proof; None where nothing in the body says where the axis was joined."""
    cut = joint(i, body)
    if cut is None:
        return None
    halves, laws = [], []
    for start, size in ((sized(0), cut), (cut, i.size - cut)):
        e, k = affine(-start, ((i, 1),)), names.new(size)
        law = By("reindex", (i, k, e, body))
        laws.append(law)
        halves.append(over(i, Mul((*inside(e, k), body))))
    both = add(*halves)
    values = [check(law, context).rhs for law in laws]
    return add(*values), Chain(Linear(over(i, body), both), (Inside(both, tuple(enumerate(laws))),))


def joint(i: Index, body: Term) -> Size | None:
    """The least size c with a condition i < c or i >= c in the body, 0 < c < size."""
    if len(i.size.monomials) < 2:
        return None
    found = set[Size]()
    for s in subterms(body):
        match s:
            case Holds(NonNegative(Affine(constant, ((atom, k),)))) if atom == i and k.constant in (1, -1):
                found.add(-constant if k.constant == 1 else constant + 1)
            case _:
                pass
    cuts = [c for c in found if c.symbols and at_least_zero(c - 1) and at_least_zero(i.size - c - 1)]
    return min(cuts, key=str, default=None)
