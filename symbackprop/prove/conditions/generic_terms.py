"""Small operations on terms that the search for generic terms is made of."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.core.context import Context, Hypothesis, Same
from symbackprop.core.indices import Bound, Index, IndexExpr
from symbackprop.core.sums import Expansion, Monomial
from symbackprop.core.terms import (
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Num,
    Positive,
    Power,
    Sum,
    Term,
    Whole,
    add,
    free,
    map_indices,
    require,
    substitute,
    subterms,
)


def shared_factors(monomials: list[Monomial]) -> list[tuple[Term, Fraction]]:
    """Factors outside of the sums that all monomials have, with the least of their exponents."""
    dummies = {i for m in monomials for i in m.dummies}
    shared = []
    for b, _ in monomials[0].factors:
        exponents = [dict(m.factors).get(b, Fraction(0)) for m in monomials]
        if all(exponents) and len({e > 0 for e in exponents}) == 1 and free(b).isdisjoint(dummies):
            shared.append((b, min(exponents, key=abs)))
    return shared


def without(monomials: list[Monomial], shared: list[tuple[Term, Fraction]]) -> Term:
    gone = dict(shared)
    rest = []
    for m in monomials:
        factors = ((b, e - gone.get(b, Fraction(0))) for b, e in m.factors)
        rest.append(m._replace(factors=tuple((b, e) for b, e in factors if e)).term())
    return add(*rest)


def assuming(context: Context, u: Term) -> Context:
    """u > 0 as well.  No index is free in u: a hypothesis is meant for all values of its free indices."""
    require(not free(u), "an index is free in {}", u)
    return Context(context.definitions, {**context.hypotheses, f"case {len(context.hypotheses)}": Positive(u)})


def constrained(context: Context) -> frozenset[Array]:
    """Arrays whose values equations restrict; inequalities leave a set with an interior, if they are linear."""
    found: set[Array] = set(context.definitions)
    for h in context.hypotheses.values():
        if isinstance(h, Same):
            found |= arrays_in(h.lhs) | arrays_in(h.rhs)
        elif isinstance(h, AtLeastZero) and not linear(h.term):
            found |= arrays_in(h.term)
    return frozenset(found)


def with_implied(context: Context) -> Context:
    """y y = 1 says that y is not 0: what equations between one product and a number imply for its factors."""
    implied: dict[str, Hypothesis] = {}
    for name, h in context.hypotheses.items():
        if not isinstance(h, Same):
            continue
        product, number = Expansion().expand(h.lhs), Expansion().expand(h.rhs)
        if len(product) == len(number) == 1 and not product[0].dummies and not number[0].factors:
            for n, (b, _) in enumerate(product[0].factors):
                implied[f"{name}, factor {n}"] = Nonzero(b)
    return Context(context.definitions, {**context.hypotheses, **implied}) if implied else context


def arrays_in(t: Term) -> set[Array]:
    return {s.array for s in subterms(t) if isinstance(s, Entry)}


def linear(t: Term) -> bool:
    """A sum of entries and numbers with numbers as coefficients."""
    match t:
        case Num() | Entry():
            return True
        case Add(args):
            return all(map(linear, args))
        case Mul(args):
            return sum(not isinstance(a, Num) for a in args) <= 1 and all(map(linear, args))
        case _:
            return False


def polynomial(t: Term) -> bool:
    match t:
        case Add(args) | Mul(args):
            return all(map(polynomial, args))
        case Sum(_, body, _):
            return polynomial(body)
        case Power(base, q):
            return q.denominator == 1 and q > 0 and polynomial(base)
        case Apply() | Whole() | Diff():
            return False
        case Holds(p):
            return isinstance(p, NonNegative)
        case _:
            return True


def at_units(t: Term) -> Term:
    """A unit matrix for each array with two axes, 0 for the others."""
    match t:
        case Entry(_, at):
            return Delta(*at) if len(at) == 2 and square(at) else ZERO
        case Add(args):
            return Add(tuple(map(at_units, args)))
        case Mul(args):
            return Mul(tuple(map(at_units, args)))
        case Power(base, q):
            return Power(at_units(base), q)
        case Sum(size, body, hint):
            return Sum(size, at_units(body), hint)
        case _:
            return t


def square(at: tuple[IndexExpr, ...]) -> bool:
    """Indices of two different ranges make no unit matrix; bound ones are compared where they are contracted."""
    sizes = [i.size for i in at if isinstance(i, Index)]
    return len(sizes) < 2 or sizes[0] == sizes[1]


def equated(t: Term, b: Delta) -> Term:
    """t where the two sides of the delta are equal."""
    for one, other in ((b.i, b.j), (b.j, b.i)):
        if isinstance(one, Index) and (not isinstance(other, Index) or other.size == one.size):
            return substitute(t, {one: other})
    return t


def closed_in(s: Term) -> bool:
    """No bound index of s points outside it, so that it can be replaced as a whole."""
    dangling = False

    def look(x: IndexExpr, d: int) -> IndexExpr:
        nonlocal dangling
        dangling |= isinstance(x, Bound) and x.depth >= d
        return x

    map_indices(s, look)
    return not dangling


def replaced(t: Term, old: Term, new: Term) -> Term:
    """t with `new` for `old`; both without dangling dummies, and `old` as it is written."""
    if t == old:
        return new
    match t:
        case Add(args):
            return Add(tuple(replaced(a, old, new) for a in args))
        case Mul(args):
            return Mul(tuple(replaced(a, old, new) for a in args))
        case Power(base, q):
            return Power(replaced(base, old, new), q)
        case Apply(fn, arg, order):
            return Apply(fn, replaced(arg, old, new), order)
        case Sum(size, body, hint):
            return Sum(size, replaced(body, old, new), hint)
        case Holds(Positive(term)):
            return Holds(Positive(replaced(term, old, new)))
        case Whole(fn, order, sizes, body, at, hints):
            return Whole(fn, order, sizes, replaced(body, old, new), at, hints)
        case _:
            return t
