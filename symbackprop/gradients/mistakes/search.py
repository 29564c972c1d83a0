"""Which mistake explains the wrong results of a backward function.  Values propose one, and it is proved.

A name says that the result is exactly what the reverse sweep finds with that mistake in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import permutations, product
from typing import Any

import numpy as np

from symbackprop.clock import check_time
from symbackprop.core.indices import sized
from symbackprop.core.kernel import Proof
from symbackprop.core.terms import ProofError, Size, SymbackpropError, indices
from symbackprop.gradients.lemmas import NotProved, term_of
from symbackprop.gradients.mistakes.changed_sweep import Change, ChangedSweep, Shared, said, swept
from symbackprop.gradients.sample import Floats, Sample, same
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import TRACED_NUMPY, Node, size_number

from symbackprop.gradients.derived import BackwardCheck
from ..matching import Matching
from ..reverse import Adjoint, arguments
from ..rules.registry import over, times
from .catalogue import catalogue, held, inner_nodes

NUMBERS = tuple(sign * n for n in map(Fraction, ("1", "2", "1/2", "3", "1/3", "4", "1/4")) for sign in (1, -1))
BLOCKS = (2, 3, 4)
ATTEMPTS = 3  # proposals that are tried to prove
Gradients = Mapping[str, Adjoint]


@dataclass(frozen=True, slots=True)
class Explained:
    """What a wrong result is: the gradient by this variable, with this mistake."""

    name: str
    gradient: Adjoint
    proof: Proof


class Mistakes:
    """Of a backward function; its results that are right must stay so."""

    def __init__(self, check: BackwardCheck) -> None:
        self.check, self.reverse = check, check.reverse
        self.samples = (check.reverse.sample, check.reverse.sample.elsewhere())
        self.worth: dict[tuple[str, Adjoint, Sample], Floats] = {}
        self.shared: Shared = {}
        self.truth = [self.values(check.reverse.gradients, s) for s in self.samples]
        self.claims = [self.values(check.results, s) for s in self.samples]
        self.right = [v for v in check.results if v not in check.wrong]
        self.wrong = tuple(v for v in check.wrong if any(c[v].any() for c in self.claims))
        self.proposed: dict[str, list[tuple[str, Gradients, tuple[str, ...]]]] = {v: [] for v in self.wrong}
        self.matchings: dict[int, Matching | None] = {}
        self.known: dict[str, Explained | None] = {}
        self.pending = self.candidates()

    def values(self, gradients: Gradients, sample: Sample) -> dict[str, Floats]:
        """Raises Undefined."""
        return {v: self.value(v, gradients[v], sample) for v in self.check.results}

    def value(self, variable: str, g: Adjoint, sample: Sample) -> Floats:
        """Raises Undefined."""
        key = variable, g, sample
        if key not in self.worth:
            shape = sample.shape(self.reverse.graph.inputs[variable].shape)
            self.worth[key] = np.broadcast_to(sample.of(g), shape)
        return self.worth[key]

    def keeps(self, gradients: Gradients, sample: Sample, truth: Mapping[str, Floats]) -> bool:
        """Whether what is right stays so.  Raises Undefined."""
        return all(same(self.value(v, gradients[v], sample), truth[v]) for v in self.right)

    def propose(self) -> None:
        """Candidates by wrong variable, one that explains all of them first.

        What is found stays when time is over, and the search goes on from there when it is asked again.
        """
        for made in self.pending:
            name, gradients, fits = self.tried(*made) if isinstance(made[1], Change) else made
            for v in fits:
                place = 0 if len(fits) == len(self.wrong) else len(self.proposed[v])
                self.proposed[v].insert(place, (name, gradients, fits))
            if len(fits) == len(self.wrong):
                self.pending = iter(())
                break

    def explained(self, variable: str) -> Explained | None:
        """The first proposal that is proved."""
        if variable not in self.known:
            several = self.proposed.get(variable, ())
            self.known[variable] = None  # also where that takes too long
            proofs = ((name, g[variable], self.proof(variable, g, fits)) for name, g, fits in several[:ATTEMPTS])
            self.known[variable] = next((Explained(n, g, p) for n, g, p in proofs if p is not None), None)
        return self.known[variable]

    def proof(self, variable: str, gradients: Gradients, fits: tuple[str, ...]) -> Proof | None:
        """That the result is this gradient, checked by the kernel."""
        result, gradient = self.check.results[variable], gradients[variable]
        _, at = indices(result.shape, "w")
        try:
            matching = self.matching(gradients, fits)
            node = gradient if isinstance(gradient, Node) else None
            return None if matching is None else matching.equal(result.value.term(at), term_of(gradient, at), node)
        except (ProofError, NotProved, SymbackpropError):
            return None

    def matching(self, gradients: Gradients, fits: tuple[str, ...]) -> Matching | None:
        """The nodes of all results that the mistake explains, once; none where that failed or took too long."""
        if id(gradients) not in self.matchings:
            self.matchings[id(gradients)] = None
            other = copy(self.reverse)
            other.gradients, other.steps = {**self.reverse.gradients, **gradients}, []
            results = {v: self.check.results[v] for v in fits}
            self.matchings[id(gradients)] = Matching(other, results, self.check.hypotheses)
        return self.matchings[id(gradients)]

    # --- proposals ---------------------------------------------------------------------------------

    def candidates(self) -> Iterator[Any]:
        """Finished ones, or a change with whether it leaves a path out: then its factor is looked for."""
        yield from self.whole_results(self.wrong)
        yield from (("", change) for change in catalogue(self.reverse))
        yield from self.paths()

    def tried(self, path: str, change: Change) -> tuple[str, Gradients, tuple[str, ...]]:
        """What the change explains: as it is, or where it leaves out a path, with a factor on that."""
        check_time()
        sweep = swept(self.reverse, change, self.shared)
        factor = None if sweep is None or not path else self.factor(sweep, self.wrong)
        if factor is not None and factor[0] != 0:
            change = scaled(path, change, factor)
            sweep = swept(self.reverse, change, self.shared)
        if sweep is None or (path and factor is None):
            return "", {}, ()
        return change.name, sweep.gradients, self.fitting(sweep, self.wrong)

    def whole_results(self, wrong: Sequence[str]) -> Iterator[tuple[str, Gradients, tuple[str, ...]]]:
        """The right gradients with a factor, or turned round."""
        found: dict[str, dict[str, Adjoint]] = {}
        for v in wrong:
            ratios = [ratio(c[v], t[v]) for c, t in zip(self.claims, self.truth, strict=True)]
            factor = None if None in ratios else self.simple([c for c in ratios if c is not None])
            if factor is not None and factor[0] != 0:
                made = self.recorded(partial(multiple, factor), v)
                found.setdefault(factor_mistake(factor), {})[v] = made
            for axis in range(self.claims[0][v].ndim):
                if all(same(c[v], np.flip(t[v], axis)) for c, t in zip(self.claims, self.truth, strict=True)):
                    made = self.recorded(partial(TRACED_NUMPY.flip, axis=axis), v)
                    found.setdefault(f"result reversed along axis {axis}", {})[v] = made
            for axis, axis_order in self.block_orders(v):
                made = self.recorded(partial(reordered, axis=axis, order=axis_order), v)
                text = ", ".join(str(k + 1) for k in axis_order)
                found.setdefault(f"blocks along axis {axis} in the order {text}", {})[v] = made
        for name, gradients in found.items():
            yield name, gradients, tuple(gradients)

    def block_orders(self, variable: str) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Along which axis, and in which order, parts of one length stand: the gates of a cell, two halves."""
        for axis, size in enumerate(self.reverse.graph.inputs[variable].shape):
            for count in BLOCKS:
                if any(c.shape[axis] % count for c in (s[variable] for s in self.truth)) or not divides(size, count):
                    continue
                for order in permutations(range(count)):
                    sides = zip(self.claims, self.truth, strict=True)
                    if order != tuple(range(count)) and all(
                        same(c[variable], np.concatenate([np.split(t[variable], count, axis)[k] for k in order], axis))
                        for c, t in sides
                    ):
                        yield axis, order

    def recorded(self, f: Callable[[Any], Any], variable: str) -> Adjoint:
        """f of the right gradient, in the graph."""
        with self.reverse.graph.recording():
            return self.reverse.node(f(self.reverse.array(self.reverse.gradients[variable])))

    def fitting(self, sweep: ChangedSweep | None, wrong: Sequence[str]) -> tuple[str, ...]:
        """The wrong results that have the values of this sweep, where it leaves the right ones as they are."""
        if sweep is None:
            return ()
        agree: list[set[str]] = []
        for sample, truth, claims in zip(self.samples, self.truth, self.claims, strict=True):
            try:
                fits = {v for v in wrong if same(self.value(v, sweep.gradients[v], sample), claims[v])}
                if not fits or not self.keeps(sweep.gradients, sample, truth):
                    return ()
            except (Undefined, ValueError):
                return ()
            agree.append(fits)
        return tuple(v for v in wrong if all(v in a for a in agree))

    def paths(self) -> Iterator[tuple[str, Change]]:
        """Through one node, then into one argument, then both for all nodes that a line made."""
        first = ("mean", "sum", "var", "std")
        nodes = sorted(inner_nodes(self.reverse), key=lambda n: (n.operation not in first, not n.name, n.number))
        edges = [(n, k, a) for n in self.reverse.forward for k, a in self.branching(n)]
        edges.sort(key=lambda e: not e[2].name)
        for n in nodes:
            yield f"on the path through {said(n)}", held([n])
        for n, k, a in edges:
            yield f"on the path from {said(n)} to {said(a)}", one_path([n], k, a)
        for several in by_line(nodes):
            yield f"on the paths through {said(several[0])}", held(several, said(several[0]))
        for k in {k for _, k, _ in edges}:
            at_k = {n: a for n, place, a in edges if place == k}
            for several in by_line(at_k, lambda n, at_k=at_k: at_k[n].shape):  # type: ignore[misc]
                a = next((at_k[n] for n in several if at_k[n].name), at_k[several[0]])
                yield f"on the paths from {said(several[0])}", one_path(several, k, a)

    def branching(self, node: Node) -> list[tuple[int, Node]]:
        """Arguments that get more gradients than the one from this node, or share it."""
        several = [(k, a) for k, a in arguments(node) if a in self.reverse.active]
        return [
            (k, a) for k, a in several
            if len(several) > 1 or sum(r in self.reverse.active for r in self.reverse.readers[a]) > 1
        ]  # fmt: skip

    def factor(self, sweep: ChangedSweep, wrong: Sequence[str]) -> Factor | None:
        """c where the result is the gradient with c times what goes through the nodes."""
        ratios = []
        for sample, truth, claims in zip(self.samples, self.truth, self.claims, strict=True):
            try:
                without = self.values(sweep.gradients, sample)
                if not self.keeps(sweep.gradients, sample, truth):
                    return None
            except (Undefined, ValueError):
                return None
            found = [c for v in wrong if (c := ratio(claims[v] - without[v], truth[v] - without[v])) is not None]
            if not found:
                return None
            ratios.append(found[0])
        return self.simple(ratios)

    def simple(self, ratios: Sequence[float]) -> Factor | None:
        """A number times powers of up to two sizes."""
        if max(map(abs, ratios)) < 1e-9:
            return Fraction(0), ()
        symbols = list(self.samples[0].sizes)
        for powers in sorted(product((0, 1, -1), repeat=len(symbols)), key=lambda p: sum(map(abs, p))):
            if sum(map(abs, powers)) > 2:
                break
            used = list(zip(symbols, powers, strict=True))
            scale = [np.prod([float(s.sizes[n]) ** p for n, p in used]) for s in self.samples]
            for number in NUMBERS:
                if (number != 1 or any(powers)) and np.allclose([float(number) * x for x in scale], ratios, rtol=1e-8):
                    return number, tuple((n, p) for n, p in used if p)
        return None


Factor = tuple[Fraction, tuple[tuple[str, int], ...]]


def divides(size: Size, count: int) -> bool:
    """Whether an axis has this many parts of one length, whatever the symbols are."""
    return (all(c % count == 0 for _, c in size.monomials) and size.constant is None) or size.constant == count


def reordered(g: Any, axis: int, order: Sequence[int]) -> Any:
    return TRACED_NUMPY.concatenate([TRACED_NUMPY.split(g, len(order), axis=axis)[k] for k in order], axis=axis)


def ratio(top: Floats, bottom: Floats) -> float | None:
    """c with top = c bottom, where bottom is not 0."""
    square = float((bottom**2).sum())
    if not square > 1e-18 or not np.isfinite(square) or not np.isfinite(top).all():
        return None
    c = float((top * bottom).sum()) / square
    return c if same(top, c * bottom) else None


def by_line(found: Iterable[Node], apart: Callable[[Node], object] = lambda n: None) -> list[list[Node]]:
    """Nodes of one operation that the same line made, several times."""
    groups: dict[object, list[Node]] = {}
    for n in found:
        if n.line is not None:
            groups.setdefault((n.line, n.operation, apart(n)), []).append(n)
    return [g for g in groups.values() if len(g) > 1]


def one_path(nodes: Sequence[Node], place: int, argument: Node) -> Change:
    def handed(s: ChangedSweep, n: Node, k: int, a: Node, g: Any) -> Any:
        return None if k == place else s.array(s.right(n, k, a, g))

    name = f"the gradient that comes back to {said(argument)} from {said(nodes[0])} is not added"
    return Change(name, frozenset(nodes), handed)


def scaled(where: str, change: Change, factor: Factor) -> Change:
    """The same where c times the right contribution is handed on, c a factor too much."""

    def handed(s: ChangedSweep, n: Node, k: int, a: Node, g: Any) -> Any:
        if change.hand_on(s, n, k, a, g) is not None:
            return s.array(s.right(n, k, a, g))
        return multiple(factor, s.array(s.right(n, k, a, g)))

    return Change(f"{factor_mistake(factor)} {where}", change.nodes, handed)


def multiple(factor: Factor, g: Any) -> Any:
    number, sizes = factor
    found = times(float(number) if number.denominator > 1 else int(number), g)
    for symbol, power in sizes:
        found = times(found, size_number(sized(symbol))) if power > 0 else over(found, size_number(sized(symbol)))
    return found


def factor_mistake(factor: Factor) -> str:
    """What is missing, where there is `factor` times the right value."""
    number, sizes = factor
    above, below = [n for n, p in sizes if p < 0], [n for n, p in sizes if p > 0]
    if number == -1 and not sizes:
        return "sign"
    if number == 1 and len(above) == len(below) == 1:
        return f"size {below[0]} in place of {above[0]}"
    missing = 1 / abs(number)
    top = [str(missing.numerator)] * (missing.numerator != 1 or not above) + above
    bottom = [str(missing.denominator)] * (missing.denominator != 1) + below
    text = " ".join(top) + (f"/{bottom[0]}" if len(bottom) == 1 else f"/({' '.join(bottom)})" if bottom else "")
    return f"{'sign and ' if number < 0 else ''}missing factor {text}"
