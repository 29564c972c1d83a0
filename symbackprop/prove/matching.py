"""Finding a product inside a product, what is inside a term, and a term in place of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from typing import TypeAlias

from symbackprop.core.indices import Affine, Bound, Index, IndexExpr, Pick, affine, as_affine, sized
from symbackprop.core.kernel import Inside, Proof, UnderDiff, UnderSum, UnderWhole
from symbackprop.core.region import truth
from symbackprop.core.signs import within
from symbackprop.core.sums import Factors, Monomial
from symbackprop.core.terms import (
    Add, Apply, Delta, Diff, Entry, Holds, Mul, NonNegative, Num, Ordinal, Positive, Power, Size, Sum, Term, Whole,
    arguments, bind, free, map_indices, open_body, places, reach, rebuilt, substitute, subterms,
)  # fmt: skip

# --- finding a product inside a product: which factors of a monomial are an instance of a pattern ---


Binding = dict[Index, IndexExpr]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Π base^exponent, summed over `dummies`, for all values of `universals`."""

    factors: Factors
    dummies: tuple[Index, ...] = ()
    universals: tuple[Index, ...] = ()


def occurrences(pattern: Pattern, m: Monomial) -> Iterator[tuple[Binding, Factors]]:
    """Each way the pattern divides `m`: what its indices stand for, and the factors that are left.

    A dummy of the pattern must be a dummy of `m` that nothing else in `m` uses.
    """
    unknown = frozenset(pattern.dummies) | frozenset(pattern.universals)

    def search(todo: Factors, binding: Binding, left: Factors) -> Iterator[tuple[Binding, Factors]]:
        if not todo:
            yield binding, left
            return
        (base, e), rest = todo[0], todo[1:]
        for place, (b, power) in enumerate(left):
            if type(b) is not type(base) or not divides(e, power):
                continue
            for extended in unify(base, b, binding, unknown):
                remaining = left[:place] + (((b, power - e),) if power != e else ()) + left[place + 1 :]
                yield from search(rest, extended, remaining)

    for binding, left in search(pattern.factors, {}, m.factors):
        images = [binding.get(d) for d in pattern.dummies]
        proper = all(isinstance(i, Index) and i in m.dummies for i in images) and len(set(images)) == len(images)
        if not proper or any(i.size != d.size for i, d in zip(images, pattern.dummies, strict=True)):  # type: ignore[union-attr]
            continue
        used_elsewhere = frozenset[Index]().union(*(free(b) for b, _ in left))
        if used_elsewhere.intersection(images):
            continue
        others = [binding.get(u) for u in pattern.universals]
        if all(e is not None and within(e, u.size) for e, u in zip(others, pattern.universals, strict=True)):
            fixed = frozenset(i for e in others if e is not None for i in free(Ordinal(e)))
            if fixed.isdisjoint(images):
                yield binding, left


def divides(e: Fraction, power: Fraction) -> bool:
    """b^e is a factor of b^power that leaves no power of the other sign."""
    return (e > 0 and power >= e) or (e < 0 and power == e)


def unify(p: Term, t: Term, binding: Binding, unknown: frozenset[Index]) -> Iterator[Binding]:
    """Extensions of `binding` under which the pattern term `p` is `t`, arguments of sums and products in any order."""
    if unknown.isdisjoint(free(p)):
        if p == t:
            yield binding
        return
    match p, t:
        case Entry(a, at), Entry(b, bt) if a == b:
            yield from unify_indices(at, bt, binding, unknown)
        case Ordinal(a), Ordinal(b):
            yield from unify_indices((a,), (b,), binding, unknown)
        case Delta(a, b), Delta(c, d):
            yield from unify_indices((a, b), (c, d), binding, unknown)
            yield from unify_indices((a, b), (d, c), binding, unknown)
        case (Add(a), Add(b)) | (Mul(a), Mul(b)) if len(a) == len(b):
            orders = permutations(b) if len(a) <= 4 else iter((b,))
            for order in orders:
                yield from unify_all(tuple(a), tuple(order), binding, unknown)
        case Power(a, q), Power(b, r) if q == r:
            yield from unify(a, b, binding, unknown)
        case Apply(f, a, q), Apply(g, b, r) if f == g and q == r:
            yield from unify(a, b, binding, unknown)
        case Sum(n, a, _), Sum(m, b, _) if n == m:
            yield from unify(a, b, binding, unknown)
        case Whole(f, q, n, a, at, _), Whole(g, r, m, b, bt, _) if f == g and q == r and n == m:
            for extended in unify_indices(at, bt, binding, unknown):
                yield from unify(a, b, extended, unknown)
        case Holds(Positive(a)), Holds(Positive(b)):
            yield from unify(a, b, binding, unknown)
        case Holds(NonNegative(a)), Holds(NonNegative(b)):
            yield from unify_indices((a,), (b,), binding, unknown)
        case (Diff(), _) | (Num(), _) | (Size(), _):
            return
        case _:
            return


def unify_all(
    ps: tuple[Term, ...], ts: tuple[Term, ...], binding: Binding, unknown: frozenset[Index]
) -> Iterator[Binding]:
    if not ps:
        yield binding
        return
    for extended in unify(ps[0], ts[0], binding, unknown):
        yield from unify_all(ps[1:], ts[1:], extended, unknown)


def unify_indices(
    ps: tuple[IndexExpr, ...], es: tuple[IndexExpr, ...], binding: Binding, unknown: frozenset[Index]
) -> Iterator[Binding]:
    if len(ps) != len(es):
        return
    out = binding
    for p, e in zip(ps, es, strict=True):
        extended = unify_index(p, e, out, unknown)
        if extended is None:
            return
        out = extended
    yield out


def unify_index(p: IndexExpr, e: IndexExpr, binding: Binding, unknown: frozenset[Index]) -> Binding | None:
    if isinstance(p, Index) and p in unknown:
        if p in binding:
            return binding if binding[p] == e else None
        return None if isinstance(e, Bound) else {**binding, p: e}
    match p, e:
        case Pick(a, at, n), Pick(b, bt, m) if a == b and n == m:
            return next(unify_indices(at, bt, binding, unknown), None)
        case Affine(c, parts), Affine(d, qarts) if c == d and len(parts) == len(qarts):
            if all(k == r for (_, k), (_, r) in zip(parts, qarts, strict=True)):
                one, other = tuple(a for a, _ in parts), tuple(a for a, _ in qarts)
                found = next(unify_indices(one, other, binding, unknown), None)
                if found is not None:
                    return found
            return solved(p, e, binding, unknown)
        case Affine(), _:
            return solved(p, e, binding, unknown)
        case _:
            return binding if p == e else None


def solved(p: Affine, e: IndexExpr, binding: Binding, unknown: frozenset[Index]) -> Binding | None:
    """The one unknown index of p, for which p is e: a + 2 w is 2 w for a = 0."""
    if reach(p) or reach(e):
        return None
    rest: list[tuple[IndexExpr, Size]] = [(e, sized(1))]
    found: list[tuple[Index, Size]] = []
    for a, k in p.parts:
        if isinstance(a, Index) and a in unknown and a not in binding:
            found.append((a, k))
        elif not unknown.isdisjoint(free(Ordinal(a))) and not (isinstance(a, Index) and a in binding):
            return None
        else:
            rest.append((binding.get(a, a) if isinstance(a, Index) else a, -k))
    if not found:
        return binding if affine(-p.constant, rest) == affine(0, ()) else None
    (a, k), more = found[0], found[1:]
    if more or k.constant not in (1, -1):
        return None
    return {**binding, a: affine(-p.constant * k, [(x, c * k) for x, c in rest])}


# --- what is inside a term, and a term in place of another ---


def closed_in(s: Term) -> bool:
    """No bound index of s points outside it, so that it can be replaced as a whole."""
    dangling = False

    def look(x: IndexExpr, d: int) -> IndexExpr:
        nonlocal dangling
        dangling |= isinstance(x, Bound) and x.depth >= d
        return x

    map_indices(s, look)
    return not dangling


def truths(t: Term) -> list[Term]:
    """The steps and deltas in t that stand for themselves."""
    found = (s for s in dict.fromkeys(subterms(t)) if isinstance(s, Holds | Delta) and truth(s) and closed_in(s))
    return sorted(found, key=lambda s: len(subterms(s)))


def fixed_in(t: Term) -> list[Pick]:
    """The integers that stand for indices in t."""
    atoms = (atom for s in subterms(t) for e in places(s) for atom, _ in as_affine(e)[1])
    return [q for q in dict.fromkeys(a for a in atoms if isinstance(a, Pick)) if not q.at]


def at_indices(t: Term, other: Term) -> Iterator[Term]:
    """The term with indices of another one in place of its own."""
    own = sorted(free(t), key=lambda i: i.name)
    choices = ([i for i in sorted(free(other), key=lambda i: i.name) if i.size == k.size] for k in own)
    for values in product(*choices):
        yield substitute(t, dict(zip(own, values, strict=True)))


# --- terms rewritten in their parts, with the proof ---


Rewritten: TypeAlias = tuple[Term, Proof | None]  # None: nothing changed


def in_parts(
    t: Term, rewrite: Callable[[Term], Rewritten], indices: Callable[[Sum | Whole], tuple[Index, ...]]
) -> Rewritten:
    """`t` with each of its parts rewritten by itself; `indices` are new ones for the dummies of a binder."""
    match t:
        case Sum(size, body, letter):
            (i,) = indices(t)
            value, proof = rewrite(open_body(body, (i,)))
            return (t, None) if proof is None else (Sum(size, bind((i,), value), letter), UnderSum(i, proof))
        case Whole(fn, order, sizes, body, at, letters):
            axes = indices(t)
            value, proof = rewrite(open_body(body, axes))
            inside = Whole(fn, order, sizes, bind(axes, value), at, letters)
            return (t, None) if proof is None else (inside, UnderWhole(fn, order, axes, at, proof))
        case Diff(body, wrt):
            value, proof = rewrite(body)
            return (t, None) if proof is None else (Diff(value, wrt), UnderDiff(wrt, proof))
        case _:
            results = [rewrite(a) for a in arguments(t)]
            parts = tuple((k, p) for k, (_, p) in enumerate(results) if p is not None)
            return (rebuilt(t, tuple(v for v, _ in results)), Inside(t, parts)) if parts else (t, None)
