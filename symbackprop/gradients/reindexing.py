"""Sums of tangents with the tangent at plain indices: Σ_p g_p dc[p + 1] = Σ_q [q >= 1] g_{q-1} dc[q].

Both sides of a step then name the entries of a tangent in one way, and compare as sums of products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, Size, affine, as_affine
from symbackprop.core.kernel import By, Flip, Linear, Proof, UnderSum, check
from symbackprop.core.terms import (
    ONE, Add, Array, Entry, Holds, Mul, NonNegative, ProofError, Sum, Term, add, arrays, dummy, flattened, mul,
    open_body, sum_over,
)  # fmt: skip
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined

Shapes = Callable[[Array], tuple[Size, ...] | None]
Differ = Callable[[Term, Term], bool]
Piece = tuple[tuple[Index, ...], tuple[Term, ...]]
Found = tuple[Proof, Equation]


def prove_linear(
    lhs: Term, rhs: Term, shapes: Shapes, assumed: Context = EMPTY, differ: Differ = lambda lhs, rhs: False
) -> Found | None:
    """A checked proof of an equation that is linear in tangents; `shapes` knows the axes of those.

    None at once for what certainly differs.
    """
    plain = as_they_stand(lhs, rhs)
    if plain is not None or differ(lhs, rhs):
        return plain
    left, right = with_plain_indices(lhs, shapes), with_plain_indices(rhs, shapes)
    if left is not None or right is not None:
        a, by_left = left or (lhs, None)
        b, by_right = right or (rhs, None)
        between = as_they_stand(a, b) or prove_equal(a, b, assumed)
        if between is not None:
            proof = joined(by_left, between[0], by_right and Flip(by_right))
            return proof, check(proof, assumed)
    return prove_equal(lhs, rhs, assumed)


def as_they_stand(lhs: Term, rhs: Term) -> Found | None:
    """One sum of products on both sides."""
    try:
        proof = Linear(lhs, rhs)
        found = check(proof, EMPTY)
    except ProofError:
        return None
    return (proof, found) if not found.conditions else None


def with_plain_indices(t: Term, shapes: Shapes) -> tuple[Term, Proof] | None:
    """The term with every tangent at dummies that run over its own axes; None where nothing changes."""
    changed, steps, parts = False, [], []
    for piece in pieces(t, shapes):
        while (found := moved(piece, shapes)) is not None:
            piece, dummies, law = found
            for i in dummies:  # all written as sums: the kernel writes out those over a small literal size
                law = UnderSum(i, law)
            steps.append(((), ONE, law))
            changed = True
        parts.append(term_of(piece))
    if not changed:
        return None
    value = add(*parts)
    return value, Linear(t, value, tuple(steps))


def pieces(t: Term, shapes: Shapes) -> Iterator[Piece]:
    """The products of a sum that is linear in tangents, with their dummies."""
    match t:
        case Add(args):
            for a in args:
                yield from pieces(a, shapes)
        case Sum(size, body, _):
            i = dummy(size)
            for dummies, factors in pieces(open_body(body, (i,)), shapes):
                yield (i, *dummies), factors
        case Mul(args):
            place = next((k for k, a in enumerate(args) if has_tangent(a, shapes)), None)
            if place is None:
                yield (), args
                return
            rest = (*args[:place], *args[place + 1 :])
            for dummies, factors in pieces(args[place], shapes):
                yield dummies, (*rest, *factors)
        case _:
            yield (), (t,)


def has_tangent(t: Term, shapes: Shapes) -> bool:
    return any(shapes(a) is not None for a in arrays(t))


def moved(piece: Piece, shapes: Shapes) -> tuple[Piece, tuple[Index, ...], Proof] | None:
    """One dummy renamed so that an index of the tangent is plain, with the law under the other dummies."""
    dummies, factors = piece
    for f in factors:
        shape = shapes(f.array) if isinstance(f, Entry) else None
        if shape is None or not isinstance(f, Entry):
            continue
        for e, size in zip(f.at, shape, strict=True):
            i = solvable(e, size, dummies)
            if i is not None:
                return renamed(dummies, factors, i, e, size)
    return None


def solvable(e: IndexExpr, size: Size, dummies: Iterable[Index]) -> Index | None:
    """A dummy with coefficient 1 or -1 in an index that is no dummy over the whole axis."""
    if (isinstance(e, Index) and e.size == size) or size.constant == 1:
        return None
    own = [a for a, c in as_affine(e)[1] if isinstance(a, Index) and a in dummies and c.constant in (1, -1)]
    return min(own, key=lambda i: (i.size.constant is not None, i.name), default=None)


def renamed(
    dummies: tuple[Index, ...], factors: tuple[Term, ...], i: Index, e: IndexExpr, size: Size
) -> tuple[Piece, tuple[Index, ...], Proof] | None:
    k = Index(next(f"{i.name.split('#')[0]}#{n}" for n in count(10**9 + len(dummies)) if fresh(n, dummies)), size)
    inside = {Holds(NonNegative(e)), Holds(NonNegative(affine(size - 1, ((e, -1),))))}
    body = mul(*(f for f in factors if f not in inside))
    law = By("reindex", (i, k, e, body))
    try:
        after = check(law, EMPTY).rhs
    except ProofError:
        return None
    others = tuple(d for d in dummies if d != i)
    assert isinstance(after, Sum)
    return ((*others, k), tuple(flattened(Mul, open_body(after.body, (k,))))), others, law


def fresh(n: int, dummies: tuple[Index, ...]) -> bool:
    return not any(d.name.endswith(f"#{n}") for d in dummies)


def term_of(piece: Piece) -> Term:
    dummies, factors = piece
    return sum_over(dummies, mul(*factors))
