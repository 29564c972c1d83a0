"""Random terms of every kind over a few indices, polynomial ones, and ways to rewrite them."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from symbackprop.core.indices import Index, IndexExpr, Pick, affine, sized
from symbackprop.core.terms import (
    Add,
    Apply,
    Array,
    Delta,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Ordinal,
    Positive,
    Power,
    Sum,
    Term,
    arguments,
    free,
    mul,
    num,
    open_body,
    over,
    rebuilt,
    substitute,
    whole,
)

N, M = sized("n"), sized("m")
i, j, p = (Index(s, N) for s in "ijp")
k, b = (Index(s, M) for s in "kb")
UNIT = Index("u", sized(1))
HALF = Fraction(1, 2)


def x(*at: IndexExpr) -> Entry:
    return Entry(Array("x"), at)


def W(*at: IndexExpr) -> Entry:
    return Entry(Array("W"), at)


def exp(t: Term) -> Term:
    return Apply("exp", t)


class Terms:
    """Random terms over some indices."""

    SIZES = (N, N, M, sized(2), N - 1, N * 2, N * M, N - 2, sized(0))

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.count = 0

    def scope(self) -> list[Index]:
        """Some free indices: few enough to try all their values."""
        return self.random.sample(SCOPE, 5)

    def index(self, scope: list[Index]) -> IndexExpr:
        a, c = self.random.choice(scope), self.random.choice(scope)
        match self.random.randrange(12):
            case 0:
                return affine(0, ((a, 1), (c, 1)))
            case 1:
                return affine(0, ((a, 1), (c, -1)))
            case 2:
                return affine(a.size - 1, ((a, -1),))
            case 3:
                return affine(self.random.randint(-1, 2), ((a, self.random.choice((1, 2, -1, N))),))
            case 4:
                return affine(0, ((a, c.size), (c, 1)))
            case 5:
                return Pick("t", (a,), self.random.choice((N, M)))
            case 6:
                return affine(self.random.randint(0, 2), ())
            case _:
                return a

    def atom(self, scope: list[Index]) -> Term:
        one, other = self.index(scope), self.index(scope)
        match self.random.randrange(11):
            case 0:
                return num(Fraction(self.random.randint(-3, 3), self.random.choice((1, 1, 2))))
            case 1:
                return self.random.choice((N, M, N - M, N + 1))
            case 2:
                return Ordinal(one)
            case 3 | 4:
                return Delta(one, other)
            case 5:
                return Holds(NonNegative(affine(self.random.randint(-1, 1), ((one, 1), (other, -1)))))
            case 6:
                return Holds(Positive(x(one)))
            case 7:
                return W(one, other)
            case _:
                return x(one)

    def term(self, scope: list[Index], depth: int) -> Term:
        if depth == 0:
            return self.atom(scope)
        match self.random.randrange(13):
            case 0 | 1 | 2:
                return Mul(tuple(self.term(scope, depth - 1) for _ in range(self.random.randint(1, 3))))
            case 3 | 4:
                return Add(tuple(self.term(scope, depth - 1) for _ in range(self.random.randint(1, 3))))
            case 5 | 6 | 7:
                self.count += 1
                i = Index(f"d{self.count}", self.random.choice(self.SIZES))
                return over(i, self.term([*scope, i, i], depth - 1))
            case 8:
                exponents = (2, 3, -1, -1, -2, HALF, -HALF, Fraction(3, 2))
                return Power(self.term(scope, depth - 1), Fraction(self.random.choice(exponents)))
            case 9:
                return exp(self.term(scope, 0))
            case 10:
                return Apply("f", self.term(scope, depth - 1))
            case 11:
                axis = Index("e", M)
                fn = self.random.choice(("L", "max", "prod"))
                return whole(fn, 0, (axis,), self.term([*scope, axis, axis], depth - 1), ())
            case _:
                return self.atom(scope)


# the last three are called what an implementation might call its dummies
SCOPE = [i, j, k, UNIT, Index("a", N - 1), Index("c", sized(2)), Index("~1", N), Index("~2", M), Index("!1", N)]


class Polynomials(Terms):
    """Without quotients, roots and functions: there the law is complete up to sizes that are not plain symbols."""

    SIZES = (N, N, M, M)

    def index(self, scope: list[Index]) -> IndexExpr:
        return self.random.choice(scope)

    def atom(self, scope: list[Index]) -> Term:
        one, other = self.index(scope), self.index(scope)
        choices = (num(self.random.randint(-2, 3)), N, Ordinal(one), Delta(one, other), W(one, other), x(one), x(other))
        return self.random.choice(choices)

    def term(self, scope: list[Index], depth: int) -> Term:
        if depth == 0:
            return self.atom(scope)
        match self.random.randrange(8):
            case 0 | 1 | 2:
                return Mul(tuple(self.term(scope, depth - 1) for _ in range(self.random.randint(1, 3))))
            case 3 | 4:
                return Add(tuple(self.term(scope, depth - 1) for _ in range(self.random.randint(1, 3))))
            case 5 | 6:
                self.count += 1
                i = Index(f"d{self.count}", self.random.choice(self.SIZES))
                return over(i, self.term([*scope, i, i], depth - 1))
            case _:
                return Power(self.term(scope, 0), Fraction(2))

    def fresh(self, like: Index) -> Index:
        self.count += 1
        return Index(f"d{self.count}", like.size)

    def rewritten(self, t: Term) -> Term:
        """An equal term, changed in one place or in several."""
        r = self.random
        match t:
            case Add(args) if len(args) > 1 and r.random() < 0.3:
                return Add((*args[2:], Add((self.rewritten(args[1]), args[0]))))
            case Mul(args) if len(args) > 1 and r.random() < 0.5:
                first, *rest = r.sample(args, len(args))
                match first:
                    case Add(terms):
                        return Add(tuple(mul(a, *rest) for a in terms))
                    case Sum(size, body, _):
                        d = self.fresh(Index("d", size))
                        return over(d, mul(*rest, open_body(body, (d,))))
                    case _:
                        return Mul((mul(*rest), first))
            case Sum(size, body, _):
                d = self.fresh(Index("d", size))
                inner = self.rewritten(open_body(body, (d,)))
                match inner:
                    case Add(terms):
                        return Add(tuple(over(d, a) for a in terms))
                    case Sum(other, deep, _):
                        c = self.fresh(Index("d", other))
                        return over(c, over(d, open_body(deep, (c,))))
                    case _:
                        return over(d, inner)
            case Power(base, exponent) if exponent == 2:
                return Mul((base, self.rewritten(base)))
        named = sorted(free(t), key=lambda i: i.name)
        if named and r.random() < 0.3:  # t_i = Σ_d δ(d, i) t_d
            one = r.choice(named)
            d = self.fresh(one)
            return over(d, Mul((substitute(t, {one: d}), Delta(one, d))))
        if r.random() < 0.1:
            other = self.atom([i, j])
            return Add((other, t, mul(num(-1), other)))
        args = arguments(t)
        return rebuilt(t, tuple(map(self.rewritten, args))) if args else t


def changed(t: Term, source: Polynomials) -> Term:
    match t:
        case Sum(size, body, _):
            d = source.fresh(Index("d", size))
            return over(d, changed(open_body(body, (d,)), source))
        case Add(args) | Mul(args) if args:
            n = source.random.randrange(len(args))
            return rebuilt(t, (*args[:n], changed(args[n], source), *args[n + 1 :]))
        case _:
            return source.atom(sorted(free(t), key=lambda i: i.name) or [i])
