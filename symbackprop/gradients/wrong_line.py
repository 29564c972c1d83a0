"""The line of a backward function at which its values go wrong.

A node is to blame if other values in its place make the wrong results right: a number times its own values (a missing
factor), or the values of a derived intermediate.  The earliest such node that mends most results is named.  A line in a
loop makes a node in each round: all of them get other values, round by round, such as those of the derived
intermediates that belong to one line of the forward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from symbackprop.core.terms import Array, Size, SymbackpropError, sized
from symbackprop.gradients.sample import Floats, Sample, same
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import INPUT, Node

from .reverse import Reverse, Step
from .theorem import ancestors

FACTORS = tuple(Fraction(s * n, d) for n, d in ((2, 1), (1, 2), (3, 1), (1, 3), (4, 1), (1, 4)) for s in (1, -1))


@dataclass(frozen=True, slots=True)
class WrongLine:
    """`place` is file and line, `node` what is wrong there.  It lacks `factor`, or should be `wanted`.

    A factor is a number times a size; the number 0 stands for one over the size.
    """

    place: tuple[str, int] | None
    node: Node
    name: str
    factor: tuple[Fraction, Size] | None = None
    wanted: Node | None = None
    mends: tuple[str, ...] = field(default=())

    @property
    def message(self) -> str:
        at = "" if self.place is None else f"line {self.place[1]}: "
        what = f"`{self.name}`" if self.node.name else f"the result of `{self.name}`"
        if self.factor is not None:
            return f"{at}{what} lacks the factor {factor_text(self.factor)}"
        name = "" if self.wanted is None or self.wanted.name == self.node.name else self.wanted.name
        wanted = f": `{name}` belongs there" if name else ""
        return f"{at}{what} is wrong{wanted}"


def factor_text(factor: tuple[Fraction, Size]) -> str:
    number, size = factor
    if size == sized(1):
        return str(number)
    return str(size) if number else f"1/{size}"


def find_wrong_lines(reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str]) -> dict[str, WrongLine]:
    """By variable: one line for as many as it mends, then others for the rest."""
    found: dict[str, WrongLine] = {}
    while left := [v for v in wrong if v not in found]:
        others = {v: r for v, r in results.items() if v not in found and (v in left or v not in wrong)}
        line = find_wrong_line(reverse, others, left)
        if line is None:
            break
        found |= dict.fromkeys(line.mends, line)
    return found


Factor: TypeAlias = tuple[Fraction, Size]
Rounds: TypeAlias = tuple[Node, ...]  # the nodes of a line, one for each time that it runs


@dataclass(frozen=True, slots=True)
class Instead:
    """What is put in the place of the nodes of a line: multiples of their own values, or the values of other nodes."""

    factor: Factor | None = None
    nodes: Rounds = ()

    def of(self, k: int) -> Factor | Node:
        return self.factor or self.nodes[k]


def find_wrong_line(reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str]) -> WrongLine | None:
    """None where no single line is to blame."""
    steps = [*reverse.steps, *plain_steps(reverse)]
    pool = derived_values(reverse, steps)
    nodes = blamed(reverse, results, wrong)
    alone = [n for n in nodes if n.named]
    right = surely_right(alone, reverse.sample, pool)
    search = Search(reverse, results, wrong, [n for n, _ in pool], derived_rounds(steps))
    suspects = sorted([*((n,) for n in alone), *rounds(nodes)], key=lambda ns: (ns[0].number, -len(ns)))
    return search.best(suspects, right) or search.best(suspects, set())


class Search:
    """Other values in the place of nodes, at a point and again at one of other sizes."""

    def __init__(
        self, reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str], pool: Sequence[Node],
        rounds: Sequence[Rounds] = (),
    ) -> None:  # fmt: skip
        self.reverse, self.results, self.wrong, self.pool, self.rounds = reverse, results, wrong, pool, rounds
        self.samples = [reverse.sample, reverse.sample.elsewhere()]

    def best(self, suspects: Sequence[Rounds], right: set[Node]) -> WrongLine | None:
        """The earliest line whose other values mend most and spoil nothing."""
        best: WrongLine | None = None
        for nodes in suspects:
            for found in self.replacements(nodes):
                if found.factor and right.issuperset(nodes):
                    continue  # a multiple of what seems right: rather the fault of what is made from it
                mended = self.mended(nodes, found, self.samples[0])
                if len(mended) <= (len(best.mends) if best else 0):
                    continue
                if self.mended(nodes, found, self.samples[1]) != mended:
                    continue
                k = len(nodes) - 1 if found.factor else self.first_wrong(nodes, found)
                other = found.nodes[k] if found.nodes else None
                best = WrongLine(nodes[k].line, nodes[k], called(nodes[k]), found.factor, other, mended)
            if best is not None and len(best.mends) == len(self.wrong):
                break
        return best

    def replacements(self, nodes: Rounds) -> Iterator[Instead]:
        """Multiples of its own values, then the values of derived nodes."""
        node, alone = nodes[0], len(nodes) == 1
        if node.named:
            yield from map(Instead, self.multiples(node) if alone else self.factors())
        if alone:
            yield from (Instead(nodes=(other,)) for other in self.others(node))
        else:
            yield from (Instead(nodes=r) for r in self.rounds if len(r) == len(nodes) and r[0].shape == node.shape)

    def factors(self) -> list[Factor]:
        """What a line may lack: numbers, and sizes or one over them."""
        sizes = [(Fraction(n), sized(s)) for s in self.samples[0].sizes for n in (1, 0)]
        return [(Fraction(-1), sized(1)), *((f, sized(1)) for f in FACTORS), *sizes]

    def multiples(self, node: Node) -> list[Factor]:
        """Factors that its values may lack."""
        fits = self.fitting(node)
        if fits is None:
            return self.factors()
        worth = [(f, float(other_values(np.ones(()), f, self.samples[0]))) for f in self.factors()]
        return [f for f, value in worth if any(np.isclose(value, x) for x in fits)]

    def fitting(self, node: Node) -> list[float] | None:
        """What would mend an entry of each wrong result, as far as they are linear in the node; None where not."""
        own, found = self.samples[0].of(node), []
        turned, double = self.wrong_at(node, -own), self.wrong_at(node, 2 * own)
        for v in self.wrong:
            now, wanted = (self.samples[0].of(x) for x in (self.results[v], self.reverse.gradients[v]))
            if v not in turned or v not in double or np.shape(wanted) != now.shape:
                return None
            slope = (now - turned[v]) / 2
            if not same(now + slope, double[v]):
                return None
            if np.any(slope):
                k = np.unravel_index(np.argmax(np.abs(slope)), slope.shape)
                found.append(1 + float((wanted - now)[k] / slope[k]))
        return found

    def others(self, node: Node) -> list[Node]:
        """The derived nodes of its shape, where other values of the node may mend a wrong result."""
        turned = (node.shape, tuple(reversed(node.shape)) if node.ndim == 2 else node.shape)
        found = [n for n in self.pool if n.shape in turned]
        return found if found and (not node.named or self.may_mend(node)) else []

    def may_mend(self, node: Node) -> bool:
        """Whether each wrong entry of some result moves with the node."""
        own = self.samples[0].of(node)
        noise = np.random.default_rng(node.number).normal(size=own.shape)
        moved = [self.wrong_at(node, values) for values in (own + noise, noise - own)]
        for v in self.wrong:
            now, wanted = (self.samples[0].of(x) for x in (self.results[v], self.reverse.gradients[v]))
            if any(v not in m for m in moved) or np.shape(wanted) != now.shape:
                return True
            still = np.logical_and(*(np.isclose(m[v], now, rtol=1e-8, atol=1e-10) for m in moved))
            if not np.any(still & ~np.isclose(now, wanted, rtol=1e-8, atol=1e-10)):
                return True
        return False

    def wrong_at(self, node: Node, values: Floats) -> dict[str, Floats]:
        """The wrong results for these values of the node, as far as they have values."""
        changed, found = self.samples[0].changed({node.array: values}), {}
        for v in self.wrong:
            try:
                found[v] = changed.of(self.results[v])
            except Undefined:
                continue
        return found

    def mended(self, nodes: Rounds, found: Instead, sample: Sample) -> tuple[str, ...]:
        """The wrong variables that are right then; nothing where a right one becomes wrong, or nothing changes."""
        try:
            changed = self.changed(nodes, found, sample)
            if changed is None:
                return ()
            mended = tuple(v for v in self.wrong if self.is_right(v, self.results[v], sample, changed))
            others = (v for v in self.results if v not in self.wrong) if mended else ()
            return mended if all(self.is_right(v, self.results[v], sample, changed) for v in others) else ()
        except (Undefined, ValueError):
            return ()

    def changed(self, nodes: Rounds, found: Instead, sample: Sample) -> Sample | None:
        """The sample with these other values, those of each round with what comes of the ones before."""
        now, same_so_far = sample, True
        for k, n in enumerate(nodes):
            own = now.of(n)
            values = other_values(own, found.of(k), sample)
            if values.shape != own.shape:
                return None
            if same(values, own):
                continue
            same_so_far = False
            instead = {n.array: values} if n.named else self.made_from(n, values, now)
            if instead is None:
                return None
            now = now.changed(instead)
        return None if same_so_far else now

    def made_from(self, n: Node, values: Floats, sample: Sample) -> dict[Array, Floats] | None:
        """What is made from a node that is no array of its own, such as a slice, with other values for it."""
        found = {}
        for c in (c for c in self.reverse.graph.nodes if n in c.parents):
            f = getattr(np, c.operation, None)
            if not (c.named and isinstance(f, np.ufunc) and not c.options):
                return None
            with np.errstate(all="ignore"):
                found[c.array] = np.asarray(f(*(values if a is n else sample.of(a) for a in c.args)))
        return found

    def first_wrong(self, nodes: Rounds, found: Instead) -> int:
        """The first round in which the values are others."""
        sample = self.samples[0]
        places = range(len(nodes))
        return next((k for k in places if not same(sample.of(nodes[k]), other_values(
            sample.of(nodes[k]), found.of(k), sample))), 0)  # fmt: skip

    def is_right(self, variable: str, result: Node, sample: Sample, changed: Sample) -> bool:
        value, wanted = changed.of(result), sample.of(self.reverse.gradients[variable])
        return value.shape == sample.shape(result.shape) and same(value, np.broadcast_to(wanted, value.shape))


def called(node: Node) -> str:
    return node.name or node.operation


def rounds(nodes: Sequence[Node]) -> list[Rounds]:
    """The nodes that a line of a loop makes in the same way, of those that the user gave a name."""
    found: dict[tuple[object, ...], list[Node]] = {}
    for n in nodes:
        if n.name and n.line:
            found.setdefault((n.line, n.operation, n.name, n.shape), []).append(n)
    return [tuple(ns) for ns in found.values() if len(ns) > 1]


def derived_rounds(steps: Sequence[Step]) -> list[Rounds]:
    """The adjoints of what one line of the forward makes in each round, from the last one back."""
    found: dict[tuple[object, ...], list[Node]] = {}
    for s in steps:
        for to, g in ((s.node, s.adjoint), *s.into):
            if isinstance(g, Node) and s.node.line:
                place = s.node.parents.index(to) if to in s.node.parents else None
                found.setdefault((s.node.line, s.node.operation, place, g.shape), []).append(g)
    return list(dict.fromkeys(tuple(dict.fromkeys(gs)) for gs in found.values() if len(gs) > 1))


def plain_steps(reverse: Reverse) -> list[Step]:
    """Those of a sweep without compact forms."""
    try:
        return Reverse.plainly(reverse)
    except SymbackpropError:
        return []


def other_values(own: Floats, found: Factor | Node, sample: Sample) -> Floats:
    if isinstance(found, Node):
        values = sample.of(found)
        return values if values.shape == own.shape else values.T
    number, size = found
    count = size.at(sample.sizes)
    return own * float(number) * count if number else own / count


def surely_right(nodes: Sequence[Node], sample: Sample, pool: Sequence[tuple[Node, Floats]]) -> set[Node]:
    """Nodes with the values of a derived one, and what they are made from."""
    found = []
    for n in nodes:
        values = sample.of(n)
        if np.any(values) and any(same(values, v) or turned_same(values, v) for _, v in pool):
            found.append(n)
    return {*found, *ancestors(found)}


def turned_same(a: Floats, b: Floats) -> bool:
    return a.ndim == 2 and a.shape[0] != a.shape[1] and same(a, b.T)


def blamed(reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str]) -> list[Node]:
    """The nodes of the backward that the wrong results rest on, in order."""
    ends = [results[v] for v in wrong]
    own = {*ends, *ancestors(ends)} - set(reverse.forward) - set(reverse.upstream.values())
    derived = ancestors([g for g in reverse.gradients.values() if isinstance(g, Node)])
    return sorted((n for n in own if n not in derived or n in ends), key=lambda n: n.number)


def derived_values(reverse: Reverse, steps: Sequence[Step]) -> list[tuple[Node, Floats]]:
    """The adjoints of all nodes of the forward, also of those that a compact form goes over; then these nodes."""
    found: dict[Node, Floats] = {}
    for s in steps:
        for g in (s.adjoint, *(c for _, c in s.into)):
            if isinstance(g, Node) and g.operation != INPUT and g not in found:
                try:
                    found[g] = reverse.sample.of(g)
                except Undefined:
                    continue
    for n in reverse.forward:
        if n.named and n.operation != INPUT:
            try:
                found.setdefault(n, reverse.sample.of(n))
            except Undefined:
                continue
    return list(found.items())
