"""From the theorem about forms without a maximum to one about the program as it is written.

Where a node is defined without the maximum that the program computes it with, that node and all that is made from it
have a second name, a°, with the meaning of the program.  Each is proved equal to the first, in order.
"""

from __future__ import annotations

from collections.abc import Collection

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Flip, Instance, Proof, Seen, UnderDiff, check
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Entry, Term, arrays, require
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined
from symbackprop.prove.rewriting import everywhere
from symbackprop.read.numpy import Node

from .guarded import Known, rewriting
from .lemmas import everywhere_in
from .meanings import Meanings, opened
from .reverse import Reverse


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


__all__ = ["Literal", "second_name"]
