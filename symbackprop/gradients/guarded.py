"""Entries whose index may leave the array, where a factor says that it does not: [0 <= e < n] a[e] = [0 <= e < n] b[e].

What is known of all entries of an array says nothing of an index outside.  So the product is written as
Σ_i δ(i, e) [0 <= e < n] a[i], where i stays inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index, IndexExpr, ProofError
from symbackprop.core.kernel import Instance, Linear, Proof
from symbackprop.core.signs import within
from symbackprop.core.terms import Array, Delta, Entry, Holds, Mul, NonNegative, Term, dummy, mul
from symbackprop.prove.rewriting import Rewrite, Rule


@dataclass(frozen=True, slots=True)
class Known:
    """array[q] = `at`(q) by the proof, for all values of `axes`; `q` are these, and 0 for axes of length 1."""

    q: tuple[IndexExpr, ...]
    axes: tuple[Index, ...]
    at: Callable[[tuple[IndexExpr, ...]], Term]
    proof: Proof

    def places(self, at: Sequence[IndexExpr]) -> dict[Index, IndexExpr]:
        return {i: e for i, e in zip(self.q, at, strict=True) if isinstance(i, Index)}

    def inside(self, at: Sequence[IndexExpr]) -> bool:
        return all(within(e, i.size) for i, e in self.places(at).items())

    def instance(self, at: Sequence[IndexExpr]) -> Proof:
        places = self.places(at)
        return Instance(tuple((i, places[i]) for i in self.axes), self.proof)


Lookup = Callable[[Array], Known | None]
Check = Callable[[Proof], Equation]


def rewriting(known: Lookup, check: Check, met_outside: Callable[[], None] = lambda: None) -> Rule:
    """Entries of known arrays as what they are; `met_outside` hears of one that may be outside of its array."""

    def rewrite(t: Term, context: Context) -> Rewrite | None:
        if isinstance(t, Mul):
            return under_guards(t, known, check)
        found = known(t.array) if isinstance(t, Entry) else None
        if found is None:
            return None
        assert isinstance(t, Entry)
        if not found.inside(t.at):
            met_outside()
            return None
        return found.at(t.at), found.instance(t.at)

    return rewrite


def under_guards(t: Mul, known: Lookup, check: Check) -> Rewrite | None:
    """One factor that may be outside, where the other factors keep it inside."""
    factors = list(flat(t))
    if not any(isinstance(a, Holds) and isinstance(a.predicate, NonNegative) for a in factors):
        return None
    for k, a in enumerate(factors):
        found = known(a.array) if isinstance(a, Entry) else None
        if found is None:
            continue
        assert isinstance(a, Entry)
        if not found.inside(a.at):
            rewritten = guarded(t, a, [*factors[:k], *factors[k + 1 :]], found, check)
            if rewritten is not None:
                return rewritten
    return None


def flat(t: Term) -> Iterator[Term]:
    """The factors of a product of products."""
    if isinstance(t, Mul):
        for a in t.args:
            yield from flat(a)
    else:
        yield t


def guarded(t: Mul, a: Entry, rest: Sequence[Term], found: Known, check: Check) -> Rewrite | None:
    letters: dict[IndexExpr, Index] = {}
    moved: list[IndexExpr] = []
    for q, e in zip(found.q, a.at, strict=True):
        if isinstance(q, Index) and not within(e, q.size):
            moved.append(letters.setdefault(e, dummy(q.size)))
        else:
            moved.append(e)
    if any(i.size.constant is not None for i in letters.values()):
        return None  # a sum over numbers is written out: then its range is no longer seen
    value = with_factor(t, a, found.at(a.at))
    inside = found.instance(moved)
    factor = mul(*(Delta(i, e) for e, i in letters.items()), *rest)
    proof = Linear(t, value, ((tuple(letters.values()), factor, inside),))
    try:
        return (value, proof) if check(proof).conditions <= check(inside).conditions else None
    except ProofError:
        return None


def with_factor(t: Term, a: Entry, new: Term) -> Term:
    """The product with another term in the place of the first such factor."""
    assert isinstance(t, Mul)
    for k, x in enumerate(t.args):
        if x == a:
            return Mul((*t.args[:k], new, *t.args[k + 1 :]))
        if isinstance(x, Mul) and a in flat(x):
            return Mul((*t.args[:k], with_factor(x, a, new), *t.args[k + 1 :]))
    return t


__all__ = ["Known", "rewriting"]
