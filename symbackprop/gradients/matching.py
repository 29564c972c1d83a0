"""Partners of the nodes of a backward function among those of the derived gradient, and the theorems that follow.

The nodes go in order, each proved with what was proved before as names, as is done for circuits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symbackprop.clock import check_time
from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import Index
from symbackprop.core.kernel import By, Flip, Linear, Proof, check
from symbackprop.core.sums import Expansion
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Entry, ProofError, Term, add, arrays, free, neg, substitute, subterms
from symbackprop.gradients.congruence import Known, rewriting
from symbackprop.gradients.lemmas import NAMELESS, Opened, opened, term_of
from symbackprop.core.terms import indices
from symbackprop.gradients.reindexing import as_they_stand
from symbackprop.gradients.reverse import Reverse
from symbackprop.gradients.sample import Drawn, Floats, Sample, limited, same
from symbackprop.gradients.theorem import GradientTheorem, Theorems, ancestors
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined
from symbackprop.prove.rewriting import Rewrite, Rule, everywhere, first_of, repeated
from symbackprop.read.numpy import CONSTANT, FORMULA, Node

SAME, TURNED, OPPOSITE = "same", "transposed", "opposite"
PARTNERS = 3
WRITTEN = frozenset({FORMULA, "setitem", "add.at", "subtract.at"})


class Matching:
    """For the results of a backward function that have the values of the derived gradients."""

    def __init__(
        self, reverse: Reverse, results: Mapping[str, Node], hypotheses: Mapping[str, Hypothesis] | None = None
    ) -> None:
        self.reverse, self.results = reverse, results
        self.shared = Theorems(reverse, hypotheses, results.values())
        self.assumed = Context(hypotheses=dict(hypotheses or {}))
        own = set(results.values()) | ancestors(results.values())
        derived = [g for g in reverse.gradients.values() if isinstance(g, Node)]
        base = set(reverse.forward) | set(derived) | ancestors(derived) | set(reverse.upstream.values())
        self.own = sorted((n for n in own if n not in base), key=lambda n: n.number)
        self.pool = Pool(reverse.sample, sorted((n for n in base if paired(n)), key=lambda n: n.number))
        self.openings = Openings(reverse, self.shared.context.definitions)
        self.drawn = Drawn(reverse.sample, self.shape, limited(self.assumed))
        self.known: dict[Array, Known] = {}
        self.outside = False  # an entry that may be outside of its array was met: nothing is known of it
        self.sums: dict[Array, Known] = {}  # what was written in place, as the array before it and what was added
        self.ends: dict[str, Opened] = {}
        self.mine = {n.array for n in self.own if n.named}
        partners = rewriting(self.known.get, self.check, self.met_outside)
        self.near = repeated(first_of(partners, self.unfolded))
        self.rule = repeated(first_of(partners, rewriting(self.sums.get, self.check), self.unfolded))
        for n in self.own:
            if paired(n):
                self.match(n)

    def theorem(self, variable: str, kept: Collection[Array] = ()) -> GradientTheorem:
        """Raises ProofError where the result is not proved to be the derived gradient."""
        return self.shared.theorem(variable, self.claimed(variable), kept)

    def proof(self, variable: str) -> Proof:
        """The same not checked yet."""
        return self.shared.proof(variable, self.claimed(variable))

    def claimed(self, variable: str) -> Opened:
        """The result, with the proof that the derived gradient is equal to it."""
        if variable not in self.ends:
            self.ends[variable] = self.end(variable)
        return self.ends[variable]

    def end(self, variable: str) -> Opened:
        r, g = self.results[variable], self.reverse.gradients[variable]
        _, at = indices(r.shape, "w")
        proof = self.equal(r.value.term(at), term_of(g, at), g if isinstance(g, Node) else None)
        if proof is None:
            raise ProofError(f"the gradient by {variable} is not proved to be the derived one")
        return r.value.term(at), Flip(proof)

    def match(self, n: Node) -> None:
        """Proves the node equal to an earlier one with its values, or to a shorter term."""
        check_time()
        for other, how in self.pool.like(n):
            axes, at = indices(n.shape, NAMELESS)
            proof = self.written_alike(n, other) if how == SAME else None
            proof = proof or self.equal(n.value.term(at), partner_term(other, how, at), other)
            if proof is not None:
                self.known[n.array] = Known(at, axes, partner(other, how), proof)
                return
        self.pool.add(n)
        shorter = self.shorter(n) if n.operation in WRITTEN else None
        if shorter is not None:
            self.sums[n.array] = shorter

    def equal(self, left: Term, right: Term, other: Node | None) -> Proof | None:
        """left = right: the own nodes of the left opened up to those that have partners, and more on both sides."""
        self.outside = False
        a, by_left = rewritten(left, self.rule, self.shared.context)
        z, by_rule = rewritten(right, self.rule, self.shared.context)
        levels = list(self.openings.levels(arrays(a), arrays(z), other))
        for names in levels[-2:] if self.outside else levels:
            b, by_more_of_right = self.opened(z, names)
            more, by_more = self.opened(a, names)
            if more != b and self.drawn.differ(more, b):
                continue
            found = as_they_stand(more, b)
            if found is None and (names or len(levels) == 1):
                found = prove_equal(more, b, self.assumed)
            if found is not None:
                back = [Flip(p) for p in (by_more_of_right, by_rule) if p is not None]
                proof = joined(by_left, by_more, found[0], *back)
                self.check(proof)
                return proof
        return None

    def shorter(self, n: Node) -> Known | None:
        """What was written in place as one sum of products: its meaning has the array before it twice."""
        axes, at = indices(n.shape, NAMELESS)
        full, by_opening = rewritten(n.value.term(at), self.near, self.shared.context)
        value = add(*(m.term() for m in Expansion(free(full)).expand(full)))
        if len(subterms(value)) >= len(subterms(full)):
            return None
        proof = joined(by_opening, Linear(full, value))
        try:
            self.check(proof)
        except ProofError:
            return None
        return Known(at, axes, lambda q: at_places(value, axes, at, q), proof)

    def written_alike(self, n: Node, other: Node) -> Proof | None:
        """n = other for two nodes that write the same to the same array."""
        known = self.sums.get(other.array)
        if known is None or n.operation not in WRITTEN:
            return None
        _, at = indices(n.shape, NAMELESS)
        value, by_opening = rewritten(n.value.term(at), self.near, self.shared.context)
        found = None if self.drawn.differ(value, known.at(at)) else as_they_stand(value, known.at(at))
        return None if found is None else joined(by_opening, found[0], Flip(known.proof))

    def unfolded(self, t: Term, context: Context) -> Rewrite | None:
        """An own node without a partner as what it means."""
        if not isinstance(t, Entry) or t.array not in self.mine or t.array in self.known or t.array in self.sums:
            return None
        return context.definitions[t.array].at(*t.at), By("unfold", (t,))

    def check(self, proof: Proof) -> Any:
        return check(proof, self.shared.context, self.shared.seen)

    def shape(self, array: Array) -> Any:
        node = self.reverse.recorder.by_array.get(array)
        return None if node is None else node.shape

    def met_outside(self) -> None:
        self.outside = True

    def opened(self, t: Term, names: Any) -> Opened:
        return opened(t, tuple(names), self.shared.context) if names else (t, None)


def rewritten(t: Term, rule: Rule, context: Context) -> Opened:
    return everywhere(t, rule, context) or (t, None)


def at_places(t: Term, axes: tuple[Index, ...], at: tuple[Any, ...], q: tuple[Any, ...]) -> Term:
    return substitute(t, {i: e for i, e in zip(at, q, strict=True) if i in axes})


def partner(other: Node, how: str) -> Any:
    return lambda at: partner_term(other, how, at)


def partner_term(other: Node, how: str, at: tuple[Any, ...]) -> Term:
    entry = other.value.term(tuple(reversed(at)) if how == TURNED else at)
    return neg(entry) if how == OPPOSITE else entry


def paired(n: Node) -> bool:
    return n.named and n.operation not in (CONSTANT,) and n.dtype == "real"


class Pool:
    """Nodes by their values."""

    def __init__(self, sample: Sample, nodes: Sequence[Node]) -> None:
        self.sample = sample
        self.by_key: dict[Any, list[Node]] = {}
        for n in nodes:
            self.add(n)

    def add(self, n: Node) -> None:
        for key in self.keys(n):
            self.by_key.setdefault(key, []).append(n)

    def like(self, n: Node) -> Iterator[tuple[Node, str]]:
        """Earlier nodes with these values, as they are, transposed or with the other sign."""
        try:
            values = self.sample.of(n)
        except Undefined:
            return
        near = dict.fromkeys(m for key in self.keys(n) for m in self.by_key.get(key, ()) if m is not n)
        found = [(m, how) for m in near for how in hows(n, m) if same(values, turned(self.sample.of(m), how))]
        yield from sorted(found, key=lambda p: (p[1] != SAME, -p[0].number))[:PARTNERS]

    def keys(self, n: Node) -> list[Any]:
        """The same for the same values, for their transpose and for the opposite."""
        try:
            size = float(np.abs(self.sample.of(n)).sum())
        except Undefined:
            return []
        rank = tuple(sorted(map(str, n.shape)))
        scale = f"{size:.6e}"
        return [(rank, scale), (rank, f"{size * (1 + 1e-7):.6e}")]


def hows(n: Node, m: Node) -> list[str]:
    found = [SAME, OPPOSITE] if n.shape == m.shape else []
    if n.ndim == m.ndim == 2 and n.shape == tuple(reversed(m.shape)):
        found.append(TURNED)
    return found


def turned(values: Floats, how: str) -> Floats:
    return values.T if how == TURNED else -values if how == OPPOSITE else values


# --- which names to open so that two terms can be compared: few first, since what is closed need not be worked out ---


Names = frozenset[Array]


class Openings:
    """For terms about the nodes of a graph."""

    def __init__(self, reverse: Reverse, definitions: Mapping[Array, Tensor]) -> None:
        self.reverse, self.definitions = reverse, definitions
        self.node = reverse.recorder.by_array
        self.ancestors: dict[Array, set[Node]] = {}
        self.adjoint_of: dict[Node, Node] = {}
        for s in reverse.steps:
            for to, g in ((s.node, s.adjoint), *s.into):
                if isinstance(g, Node):
                    self.adjoint_of.setdefault(g, to)

    def levels(self, left: Collection[Array], right: Collection[Array], other: Node | None) -> Iterator[Names]:
        """Nothing; what one side alone speaks of; the layer that is gone back through as well; everything."""
        yield Names()
        found = [Names(), self.balanced(left, right, Names(), meeting=True)]
        if found[1]:
            yield found[1]
        layer = self.layer(left, other)
        behind = ancestors([self.node[a] for a in (*left, *right) if a in self.node])
        backward = frozenset(n.array for n in behind if n.backward)
        for first in (Names(), layer, backward, layer | backward, frozenset(n.array for n in behind)):
            names = self.balanced(left, right, first)
            if names not in found:
                found.append(names)
                yield names

    def balanced(self, left: Collection[Array], right: Collection[Array], first: Names, meeting: bool = False) -> Names:
        """`first`, and the latest name that one side alone has, until both speak of the same.

        For `meeting` not a name that the other side comes to: there it is the closest name which comes to it.
        """
        sides = [set(left), set(right)]
        names: set[Array] = set()
        while True:
            one_sided = (sides[0] ^ sides[1]) | (first & (sides[0] | sides[1]))
            known = [a for a in one_sided if a in self.definitions and a in self.node]
            if not known:
                return frozenset(names)
            latest = max(known, key=lambda a: self.node[a].number)
            if meeting:
                latest = self.coming_to(latest, sides[latest in sides[0]]) or latest
            names.add(latest)
            for side in sides:
                if latest in side:
                    side.remove(latest)
                    side |= arrays(self.definitions[latest].body)

    def coming_to(self, name: Array, names: Collection[Array]) -> Array | None:
        """The closest of the names whose meaning rests on this one."""
        node = self.node[name]
        later = (a for a in names if a in self.definitions and a in self.node and node in self.behind(a))
        return min(later, key=lambda a: self.node[a].number, default=None)

    def behind(self, name: Array) -> set[Node]:
        if name not in self.ancestors:
            self.ancestors[name] = ancestors([self.node[name]])
        return self.ancestors[name]

    def layer(self, left: Collection[Array], other: Node | None) -> Names:
        """The nodes of the forward between the one whose gradient this is, and those whose gradients are given."""
        start = None if other is None else self.adjoint_of.get(other)
        given = [self.node[a] for a in left if a in self.node]
        ends = {self.adjoint_of[n] for n in given if n in self.adjoint_of}
        before = ends | ancestors(ends)
        between = [n for n in before if n.named and (start is None or n is start or start in ancestors([n]))]
        return frozenset(n.array for n in between if n is not start)
