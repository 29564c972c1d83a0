"""From the theorem about forms without a maximum to one about the program as it is written.

Where a node is defined without the maximum that the program computes it with, that node and all that is made from it
have a second name, a°, with the meaning of the program.  Each is proved equal to the first, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, ProofError
from symbackprop.core.kernel import By, Flip, Instance, Linear, Proof, Seen, UnderDiff, check
from symbackprop.core.signs import within
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    Array, Delta, Entry, Holds, Mul, NonNegative, Term, arrays, dummy, flattened, mul, require,
)  # fmt: skip
from symbackprop.gradients.lemmas import Meanings, everywhere_in, opened
from symbackprop.gradients.reverse import Reverse
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined
from symbackprop.prove.rewriting import Rewrite, Rule, everywhere
from symbackprop.read.numpy import Node


class Literal:
    """The second names, their definitions and the proofs that they are equal to the first."""

    def __init__(self, reverse: Reverse, known: Meanings, nodes: Collection[Node]) -> None:
        self.reverse, self.known = reverse, known
        self.changed: set[Node] = set()
        for n in nodes:
            if n in known.shortened or not self.changed.isdisjoint(n.parents):
                self.changed.add(n)
        self.names = {n.array: second_name(n.array) for n in nodes if n in self.changed and n.meaning is not None}
        self.definitions = {self.names[n.array]: self.meant(n) for n in nodes if n.array in self.names}
        self.plain = {b: a for a, b in self.names.items()}
        self.equal: dict[Array, tuple[tuple[Index, ...], Proof]] = {}
        self.context = Context({**known.definitions, **self.definitions})
        seen = Seen(self.context)
        self.first = rewriting(self.first_name, lambda p: check(p, self.context, seen))
        for n in nodes:
            if n.array in self.names:
                self.equal[self.names[n.array]] = self.lemma(n)

    def meant(self, n: Node) -> Tensor:
        assert n.meaning is not None
        return Tensor(n.meaning.axes, self.said(n.meaning.body))

    def said(self, t: Term) -> Term:
        """A term in the second names."""
        found: Term = everywhere_in(t, lambda x: self.names.get(x) if isinstance(x, Array) else None)
        return found

    def lemma(self, n: Node) -> tuple[tuple[Index, ...], Proof]:
        """a°[q] = a[q]"""
        name = self.names[n.array]
        axes = self.definitions[name].axes
        entry = Entry(name, axes)
        plain = Entry(n.array, axes)
        if n not in self.known.shortened:
            value, by_unfolding = self.definitions[name].at(*axes), By("unfold", (entry,))
            rewritten = everywhere(value, self.first, self.context)
            if rewritten is not None and any(a in self.equal for a in arrays(rewritten[0])):
                return axes, self.opened_wholly(entry, plain)
            middle = None if rewritten is None else rewritten[1]
            return axes, joined(by_unfolding, middle, Flip(By("unfold", (plain,))))
        letters, proof = self.known.shortened[n]
        inside = self.reverse.shifts[n].inside
        names = [name, *(self.names.get(m.array, m.array) for m in inside)]
        value, by_opening = opened(entry, names, self.context)
        rewritten = everywhere(value, self.first, self.context)
        values = tuple((i, j) for i in letters for j in axes if int(i.name[1:]) == axes.index(j))
        short = Instance(values, proof)
        middle = None if rewritten is None else rewritten[1]
        return axes, joined(by_opening, middle, short, Flip(By("unfold", (plain,))))

    def opened_wholly(self, one: Entry, other: Entry) -> Proof:
        """a°[q] = a[q] where the meaning has entries outside of their arrays, about which nothing was proved."""
        a, by_left = opened(one, tuple(self.context.definitions), self.context)
        b, by_right = opened(other, tuple(self.context.definitions), self.context)
        found = prove_equal(a, b, EMPTY)
        require(found is not None, "{} is not proved to be {}", one, other)
        assert found is not None
        return joined(by_left, found[0], by_right and Flip(by_right))

    def first_name(self, array: Array) -> Known | None:
        """a°[q] = a[q], for what was proved so far."""
        if array not in self.equal:
            return None
        axes, proof = self.equal[array]
        return Known(axes, axes, lambda at: Entry(self.plain[array], at), proof)

    def theorem(self, proof: Proof, loss: Term, gradient: Term, wrt: Entry) -> Proof:
        """∂loss°/∂w = gradient° from ∂loss/∂w = gradient."""
        if not self.names:
            return proof
        before = everywhere(self.said(loss), self.first, self.context)
        after = everywhere(self.said(gradient), self.first, self.context)
        return joined(before and UnderDiff(wrt, before[1]), proof, after and Flip(after[1]))


def second_name(a: Array) -> Array:
    return Array(f"{a.name}°", a.label)


# --- entries whose index may leave the array, where a factor says that it does not ---
# [0 <= e < n] a[e] = [0 <= e < n] b[e].
# What is known of all entries of an array says nothing of an index outside.  So the product is written as
# Σ_i δ(i, e) [0 <= e < n] a[i], where i stays inside.


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
    factors = flattened(Mul, t)
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
        if isinstance(x, Mul) and a in flattened(Mul, x):
            return Mul((*t.args[:k], with_factor(x, a, new), *t.args[k + 1 :]))
    return t
