"""A backward function against the derived gradient, node by node.

The backward runs on the same arrays as the forward, into the same graph.  Each of its nodes whose value is that of an
earlier node is proved equal to it, inputs first, with what was proved before as names; as is done for circuits.  At
the end its results are the derived gradients, and the chain is one theorem.  Where a value has no partner, the first
line that made it wrong is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Flip, Instance, Proof, check
from symbackprop.core.ranges import within
from symbackprop.core.terms import Array, Entry, ProofError, SymbackpropError, Term, arrays, neg
from symbackprop.network.rules import Rewrite, everywhere, first_of, repeated, unfolding
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.joined import joined
from symbackprop.read.numpy import CONSTANT, Declared, Node, record

from .lemmas import NotProved, term_of
from .meanings import NAMELESS, Opened, indices
from .reindexing import as_they_stand
from .reverse import Reverse
from .sample import Floats, Sample, Undefined, same
from .theorem import GradientTheorem, Theorems, ancestors
from .wrong_line import WrongLine, find_wrong_line

ATTEMPTS = 12  # steps that may turn out to be no theorem
SAME, TURNED, OPPOSITE = "same", "transposed", "opposite"
PARTNERS, DEPTHS = 3, (0, 1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Checked:
    """`theorems` has what is proved, by variable; `wrong` the variables whose values differ; `line` where it begins."""

    theorems: Mapping[str, GradientTheorem]
    wrong: tuple[str, ...] = ()
    line: WrongLine | None = None
    reverse: Reverse | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """node[q] = other[q] (or its transpose, or -other[q]) with the proof, for `axes` as q."""

    node: Node
    other: Node
    how: str
    axes: tuple[Index, ...]
    proof: Proof

    def at(self, at: tuple[Any, ...]) -> Term:
        return partner_term(self.other, self.how, at)


def partner_term(other: Node, how: str, at: tuple[Any, ...]) -> Term:
    entry = other.value.term(tuple(reversed(at)) if how == TURNED else at)
    return neg(entry) if how == OPPOSITE else entry


def check_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    declared: Mapping[str, Declared],
    variables: Sequence[str],
    values: Mapping[str, Any] | None = None,
    upstream: Sequence[str] = (),
    hypotheses: Mapping[str, Hypothesis] | None = None,
    names: Sequence[str] = (),
) -> Checked:
    """What of a backward function is proved, and its first wrong line.

    `names` are the parameters of the backward.  Raises TraceError where a function cannot be read, SymbackpropError
    where its results are not one for each variable or the gradient cannot be derived.
    """
    refused: set[tuple[int, str]] = set()
    for _ in range(ATTEMPTS):
        try:
            return checked(forward, backward, declared, variables, values or {}, upstream, hypotheses, names, refused)
        except NotProved as problem:
            key = problem.step.node.number, problem.how
            if key in refused:
                break
            refused.add(key)
    return Checked({})


def checked(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    declared: Mapping[str, Declared],
    variables: Sequence[str],
    values: Mapping[str, Any],
    upstream: Sequence[str],
    hypotheses: Mapping[str, Hypothesis] | None,
    names: Sequence[str],
    refused: set[tuple[int, str]],
) -> Checked:
    """The same without these compact forms and rules.  Raises NotProved."""
    given = {**values, **declared}
    inputs = {n: d for n, d in given.items() if n not in upstream}
    known = {n: d for n, d in declared.items() if n not in upstream}
    reverse = Reverse(record(forward, inputs), known, variables, upstream, refused)
    by_name = {**reverse.graph.inputs, **{str(u.name): u for u in reverse.upstream.values()}}
    arguments = {n: by_name.get(n, given.get(n)) for n in names if n in by_name or n in given}
    results = by_variable(reverse.graph.run(backward, arguments), variables)
    wrong = tuple(v for v in variables if not agrees(reverse, v, results[v]))
    if wrong:
        return Checked({}, wrong, blame(reverse, results, wrong), reverse)
    try:
        return Checked(Matching(reverse, results, hypotheses).theorems(), reverse=reverse)
    except ProofError:
        return Checked({}, reverse=reverse)


def blame(reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str]) -> WrongLine | None:
    try:
        return find_wrong_line(reverse, results, wrong)
    except Undefined:
        return None


def by_variable(found: Any, variables: Sequence[str]) -> dict[str, Node]:
    """Results as one array, a sequence in the order of the variables, or a dict by name."""
    if isinstance(found, dict):
        results = {v: found.get(v) for v in variables}
    else:
        items = found if isinstance(found, tuple | list) else (found,)
        results = dict(zip(variables, items, strict=False)) if len(items) == len(variables) else {}
    nodes = {v: r for v, r in results.items() if isinstance(r, Node)}
    if set(nodes) != set(variables):
        raise SymbackpropError("the backward function does not return one array for each variable")
    return nodes


def agrees(reverse: Reverse, variable: str, result: Node) -> bool:
    try:
        wanted = reverse.sample.of(reverse.gradients[variable])
        return same(np.broadcast_to(wanted, reverse.sample.shape(result.shape)), reverse.sample.of(result))
    except (Undefined, ValueError):
        return True  # nothing is known: let the proof decide


class Matching:
    """Partners of the nodes of a backward function, and the theorems that follow."""

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
        self.pairs: dict[Array, Pair] = {}
        self.outside = False  # an entry outside of its array was met: nothing is known of it
        for n in self.own:
            if paired(n):
                self.match(n)

    def theorems(self) -> dict[str, GradientTheorem]:
        """Raises ProofError where a result is not proved to be the derived gradient."""
        found = {}
        for v, r in self.results.items():
            _, at = indices(r.shape, "w")
            g = self.reverse.gradients[v]
            proof = self.equal(r.value.term(at), term_of(g, at), g if isinstance(g, Node) else None)
            if proof is None:
                raise ProofError(f"the gradient by {v} is not proved to be the derived one")
            found[v] = self.shared.theorem(v, (r.value.term(at), Flip(proof)))
        return found

    def match(self, n: Node) -> None:
        """Proves the node equal to an earlier one with its values, if there is one."""
        for other, how in self.pool.like(n):
            axes, at = indices(n.shape, NAMELESS)
            proof = self.equal(n.value.term(at), partner_term(other, how, at), other)
            if proof is not None:
                self.pairs[n.array] = Pair(n, other, how, axes, proof)
                return
        self.pool.add(n)

    def equal(self, left: Term, right: Term, other: Node | None) -> Proof | None:
        """left = right: the own nodes of the left opened up to those that have partners, the right bit by bit."""
        self.outside = False
        mine = [n.array for n in self.own if n.named]
        rule = first_of(self.partner, *([unfolding(*mine)] if mine else []))
        a, by_left = everywhere(left, repeated(rule), self.shared.context) or (left, None)
        by_array = self.reverse.recorder.by_array
        here = [by_array[x] for x in arrays(a) if x in by_array]
        levels = list(zip(self.openings(here), self.openings([other] if other else []), strict=True))
        for near, names in levels[-2:] if self.outside else levels:
            b, by_right = self.opened(right, [*near, *names])
            more, by_more = self.opened(a, [*near, *names])
            found = as_they_stand(more, b) or (prove_equal(more, b, self.assumed) if names else None)
            if found is not None:
                proof = joined(by_left, by_more, found[0], by_right and Flip(by_right))
                check(proof, self.shared.context, self.shared.seen)
                return proof
        return None

    def openings(self, nodes: Sequence[Node]) -> Iterator[list[Array]]:
        """More and more of what these are made from."""
        layer, seen = set(nodes), set(nodes)
        depth = 0
        for wanted in DEPTHS:
            while depth < wanted:
                layer = {p for n in layer for p in n.parents if p not in seen}
                seen |= layer
                depth += 1
            yield [n.array for n in seen if n.meaning is not None] if wanted else []
        behind = ancestors(nodes) | set(nodes)
        yield [n.array for n in behind if n.backward and n.meaning is not None]
        yield [n.array for n in behind if n.meaning is not None]

    def opened(self, t: Term, names: Sequence[Array]) -> Opened:
        known = [a for a in names if a in self.shared.context.definitions]
        if not known:
            return t, None
        return everywhere(t, repeated(unfolding(*known)), self.shared.context) or (t, None)

    def partner(self, t: Term, context: Context) -> Rewrite | None:
        """node[..] = partner[..] inside the array, for what was matched so far."""
        if not isinstance(t, Entry) or t.array not in self.pairs:
            return None
        pair = self.pairs[t.array]
        axes = indices(pair.node.shape, NAMELESS)[1]
        places = {i: e for i, e in zip(axes, t.at, strict=True) if isinstance(i, Index)}
        if not all(within(e, i.size) for i, e in places.items()):
            self.outside = True
            return None
        return pair.at(t.at), Instance(tuple((i, places[i]) for i in pair.axes), pair.proof)


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


__all__ = ["Checked", "WrongLine", "check_backward"]
