"""The line of a backward function at which its values go wrong.

A node is to blame if other values in its place make the wrong results right: a number times its own values (a missing
factor), or the values of a derived intermediate.  The earliest such node that mends most results is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from symbackprop.core.terms import Size, SymbackpropError, sized
from symbackprop.read.numpy import INPUT, Node

from .reverse import Reverse
from .sample import Floats, Sample, Undefined, same
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
        wanted = "" if self.wanted is None or not self.wanted.name else f": `{self.wanted.name}` belongs there"
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


Found: TypeAlias = "tuple[Fraction, Size] | Node"


def find_wrong_line(reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str]) -> WrongLine | None:
    """None where no single node is to blame."""
    pool = derived_values(reverse)
    suspects = [n for n in blamed(reverse, results, wrong) if n.named]
    right = surely_right(suspects, reverse.sample, pool)
    search = Search(reverse, results, wrong, [n for n, _ in pool])
    # a multiple of what seems right comes last: rather what is made from it is at fault
    first = search.best((n, [*(search.multiples(n) if n not in right else ()), *search.others(n)]) for n in suspects)
    return first or search.best((n, search.multiples(n)) for n in suspects if n in right)


class Search:
    """Other values in the place of nodes, at a point and again at one of other sizes."""

    def __init__(
        self, reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str], pool: Sequence[Node]
    ) -> None:
        self.reverse, self.results, self.wrong, self.pool = reverse, results, wrong, pool
        self.samples = [reverse.sample, reverse.sample.elsewhere()]

    def best(self, candidates: Iterable[tuple[Node, Iterable[Found]]]) -> WrongLine | None:
        """The earliest node whose other values mend most and spoil nothing."""
        best: WrongLine | None = None
        for node, others in candidates:
            for found in others:
                mended = self.mended(node, found, self.samples[0])
                if len(mended) <= (len(best.mends) if best else 0):
                    continue
                if self.mended(node, found, self.samples[1]) != mended:
                    continue
                factor, other = (found, None) if isinstance(found, tuple) else (None, found)
                best = WrongLine(node.line, node, node.name or node.operation, factor, other, mended)
            if best is not None and len(best.mends) == len(self.wrong):
                break
        return best

    def multiples(self, node: Node) -> list[Found]:
        """Factors that its values may lack."""
        sizes = self.samples[0].sizes
        known = [(Fraction(n), sized(s)) for s in sizes for n in (1, 0)]
        found: list[tuple[Fraction, Size]] = [(Fraction(-1), sized(1)), *((f, sized(1)) for f in FACTORS), *known]
        fits = self.factors(node)
        if fits is None:
            return list(found)
        worth = [(f, float(other_values(np.ones(()), f, self.samples[0]))) for f in found]
        return [f for f, value in worth if any(np.isclose(value, x) for x in fits)]

    def factors(self, node: Node) -> list[float] | None:
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
        return found if found and self.may_mend(node) else []

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

    def mended(self, node: Node, found: Found, sample: Sample) -> tuple[str, ...]:
        """The wrong variables that are right then; nothing where a right one becomes wrong, or nothing changes."""
        try:
            own = sample.of(node)
            values = other_values(own, found, sample)
            if values.shape != own.shape or same(values, own):
                return ()
            changed = sample.changed({node.array: values})
            mended = tuple(v for v in self.wrong if self.is_right(v, self.results[v], sample, changed))
            others = (v for v in self.results if v not in self.wrong) if mended else ()
            return mended if all(self.is_right(v, self.results[v], sample, changed) for v in others) else ()
        except Undefined:
            return ()

    def is_right(self, variable: str, result: Node, sample: Sample, changed: Sample) -> bool:
        value, wanted = changed.of(result), sample.of(self.reverse.gradients[variable])
        return value.shape == sample.shape(result.shape) and same(value, np.broadcast_to(wanted, value.shape))


def other_values(own: Floats, found: Found, sample: Sample) -> Floats:
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


def derived_values(reverse: Reverse) -> list[tuple[Node, Floats]]:
    """The adjoints of all nodes of the forward, also of those that a compact form goes over; then these nodes."""
    try:
        more = Reverse.plainly(reverse)
    except SymbackpropError:
        more = []
    found: dict[Node, Floats] = {}
    for s in (*reverse.steps, *more):
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


__all__ = ["WrongLine", "find_wrong_line", "find_wrong_lines"]
