"""The line of a backward function at which its values go wrong.

A node is to blame if other values in its place make the wrong results right: a number times its own values (a missing
factor), or the values of a derived intermediate.  The earliest such node that mends most results is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

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
        if self.factor is not None:
            return f"{at}{self.name} lacks the factor {factor_text(self.factor)}"
        wanted = "" if self.wanted is None or not self.wanted.name else f": {self.wanted.name} belongs there"
        return f"{at}{self.name} is wrong{wanted}"


def factor_text(factor: tuple[Fraction, Size]) -> str:
    number, size = factor
    if size == sized(1):
        return str(number)
    return str(size) if number else f"1/{size}"


def find_wrong_line(reverse: Reverse, results: Mapping[str, Node], wrong: Sequence[str]) -> WrongLine | None:
    """None where no single node is to blame."""
    sample = reverse.sample
    wanted = {v: np.broadcast_to(sample.of(g), sample.shape(results[v].shape)) for v, g in reverse.gradients.items()}
    pool = derived_values(reverse)
    suspects = [n for n in blamed(reverse, results, wrong) if n.named]
    right = surely_right(suspects, sample, pool)
    best = most_mended(suspects, right, sample, pool, results, wanted, wrong)
    return best or most_mended(suspects, set(), sample, pool, results, wanted, wrong)


def most_mended(
    nodes: Sequence[Node],
    right_ones: set[Node],
    sample: Sample,
    pool: Sequence[tuple[Node, Floats]],
    results: Mapping[str, Node],
    wanted: Mapping[str, Floats],
    wrong: Sequence[str],
) -> WrongLine | None:
    best: WrongLine | None = None
    for node in nodes:
        for found, values in replacements(node, sample, pool):
            if node in right_ones and isinstance(found, tuple):
                continue  # a multiple of what seems right: rather the fault of what is made from it
            try:
                right = mends(sample, node, values, results, wanted)
            except Undefined:
                continue
            mended = tuple(v for v in wrong if v in right)
            spoilt = len(wanted) - len(wrong) - (len(right) - len(mended))
            if mended and not spoilt and (best is None or len(mended) > len(best.mends)):
                factor, other = (found, None) if isinstance(found, tuple) else (None, found)
                best = WrongLine(node.line, node, node.name or node.operation, factor, other, mended)
        if best is not None and len(best.mends) == len(wrong):
            break
    return best


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
    """The adjoints of all nodes of the forward, also of those that a compact form goes over."""
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
    return list(found.items())


def replacements(
    node: Node, sample: Sample, pool: Sequence[tuple[Node, Floats]]
) -> Iterator[tuple[tuple[Fraction, Size] | Node, Floats]]:
    """Other values for a node: multiples of its own, then those of derived nodes."""
    own = sample.of(node)
    yield (Fraction(-1), sized(1)), -own
    for f in FACTORS:
        yield (f, sized(1)), own * float(f)
    for symbol, count in sample.sizes.items():
        yield (Fraction(1), sized(symbol)), own * count
        yield (Fraction(0), sized(symbol)), own / count
    for other, values in pool:
        if values.shape == own.shape and not same(values, own):
            yield other, values
        elif values.ndim == own.ndim == 2 and values.shape == own.T.shape and not same(values.T, own):
            yield other, values.T


def mends(
    sample: Sample, node: Node, values: Floats, results: Mapping[str, Node], wanted: Mapping[str, Floats]
) -> tuple[str, ...]:
    """The variables whose results are right with these values for the node."""
    changed = sample.changed({node.array: values})
    found = []
    for v, right in wanted.items():
        value = changed.of(results[v])
        if value.shape == np.shape(right) and same(value, right):
            found.append(v)
    return tuple(found)


__all__ = ["WrongLine", "find_wrong_line"]
