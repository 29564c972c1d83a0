"""Reverse mode: adjoints as further nodes of the graph, from the outputs to the variables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Self, TypeAlias

import numpy as np

from symbackprop.core.context import EMPTY
from symbackprop.core.terms import Entry, SymbackpropError, Term, dummy, mul, num, sum_over
from symbackprop.gradients.compact import Shift, candidates, find_shifts, joined_slices, spans
from symbackprop.gradients.rules import RULES, NoRule
from symbackprop.gradients.rules.registry import full, is_number, less, plus
from symbackprop.gradients.sample import Sample, same, vanishes
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.working_out import Tidy
from symbackprop.read.numpy import INPUT, UNIT, ZERO_AT, Declared, Graph, Node, Recorder, SymArray, SymInt, Value
from symbackprop.read.numpy import TRACED_NUMPY as traced

Adjoint: TypeAlias = "Node | float"
RULE, MAXIMUM, ZERO = "rule", "maximum", "zero"
UPSTREAM = ("g", "upstream", "dout", "grad_output")


@dataclass(slots=True)
class Step:
    """The adjoint of a node, handed on to nodes that it was made from.

    `into` has the contributions, of which `dropped` are 0.  `opened` are nodes between this one and those: the step
    goes over them at once.  `how` is RULE, MAXIMUM (the rules of all that is opened) or the name of a compact form.
    """

    node: Node
    adjoint: Adjoint
    into: list[tuple[Node, Adjoint]] = field(default_factory=list)
    dropped: list[tuple[Node, Adjoint]] = field(default_factory=list)
    opened: tuple[Node, ...] = ()
    how: str = RULE


class Refused(set[tuple[int, str]]):
    """Ways to hand on the adjoint of a node, by its number; forms that are avoided for every node."""

    def __init__(self, avoided: Collection[str]) -> None:
        super().__init__()
        self.avoided = avoided

    def __contains__(self, x: object) -> bool:
        return super().__contains__(x) or (isinstance(x, tuple) and x[1] in self.avoided)


class AnyForm(frozenset[tuple[int, str]]):
    """Refuses every compact form, and no rule."""

    def __contains__(self, x: object) -> bool:
        return isinstance(x, tuple) and x[1] not in (RULE, MAXIMUM, ZERO)


ANY_FORM = AnyForm()


class Reverse:
    """The gradients of a graph by its variables.

    `upstream` has the upstream gradient of each output that is not the only output and a scalar, `gradients` the
    result by variable, `steps` what was done, from the outputs back.
    """

    def __init__(
        self,
        graph: Graph,
        declared: Mapping[str, Declared],
        variables: Sequence[str],
        upstream: Sequence[str] | None = None,
        refused: Collection[tuple[int, str]] = (),
    ) -> None:
        self.graph, self.variables, self.refused = graph, tuple(variables), refused
        self.forward = list(graph.nodes)
        self.active = active_nodes(self.forward, self.variables)
        self.readers: dict[Node, list[Node]] = {n: [] for n in self.forward}
        for n in self.forward:
            for p in n.parents:
                self.readers[p].append(n)
        self.steps: list[Step] = []
        self.lemmas: object = None  # what is proved of the steps
        self.parts: dict[Node, list[Adjoint]] = {}
        self.done: set[Node] = set()
        self.declared = dict(declared)
        self.upstream = self.start(upstream)
        self.sample = well_defined_sample(graph, self.declared)
        self.alive = Sample(graph, self.declared, positive=True, shift=1)  # where no chain of relus is 0
        shifts = find_shifts(graph, self.active, self.sample)
        self.shifts = {n: s for n, s in shifts.items() if (n.number, MAXIMUM) not in refused}
        with graph.recording() as self.recorder:
            self.sweep()
            self.gradients = {v: self.gradient(graph.inputs[v]) for v in self.variables}
        self.recorder.line = None

    @classmethod
    def anew(cls, other: Reverse) -> Self:
        """A sweep of the same graph that uses no compact form; it is still to be done."""
        copy = cls.__new__(cls)
        copy.__dict__.update(other.__dict__)
        copy.refused, copy.gradients, copy.lemmas, copy.steps, copy.done = ANY_FORM, {}, None, [], set()
        copy.parts = {o: [u] for o, u in other.upstream.items()} or {other.graph.outputs[0]: [1.0]}
        return copy

    @classmethod
    def plainly(cls, other: Reverse) -> list[Step]:
        """The steps of a sweep of the same graph that uses no compact form."""
        copy = cls.anew(other)
        with other.graph.recording() as copy.recorder:
            copy.sweep()
        copy.recorder.line = None
        return copy.steps

    # --- start and end -------------------------------------------------------------------------

    def start(self, names: Sequence[str] | None) -> dict[Node, Node]:
        """An argument for the upstream gradient of each output; a single scalar needs none."""
        outputs = self.graph.outputs
        if not outputs:
            raise SymbackpropError("the function returns no array")
        if names is None:
            names = upstream_names(outputs, {*self.graph.inputs, *(n.name for n in self.graph.nodes if n.name)})
        if not names:
            self.parts[outputs[0]] = [1.0]
            return {}
        found: dict[Node, Node] = {}
        for output, name in zip(outputs, names, strict=True):
            self.declared[name] = Declared(output.shape)
            found[output] = self.graph.symbol(name, self.declared[name])
            self.parts.setdefault(output, []).append(found[output])
        return found

    def gradient(self, variable: Node) -> Adjoint:
        g = next((s.adjoint for s in self.steps if s.node is variable), 0.0)
        found = self.node(full(self.array(g), self.array(variable)))
        if isinstance(found, Node) and found.name is None:
            found.name = f"d{variable.name}"
        return found

    # --- the sweep -----------------------------------------------------------------------------

    def sweep(self) -> None:
        for node in reversed(self.forward):
            if node not in self.active or node not in self.parts or node in self.done:
                continue
            self.recorder.line = node.line or ("", 0)
            step = Step(node, self.total(node, self.parts[node]))
            self.called(step.adjoint, node)
            self.steps.append(step)
            if node.operation == INPUT:
                continue
            self.hand_on(step)
            for to, g in step.into:
                self.parts.setdefault(to, []).append(g)

    def called(self, g: Adjoint, node: Node) -> None:
        """The adjoint of a node that has a name gets one too."""
        if isinstance(g, Node) and g.operation != INPUT and g.name is None and node.name:
            g.name, g.depth = f"d{node.name}", node.depth

    def hand_on(self, step: Step) -> None:
        shift = self.shifts.get(step.node)
        found = self.compactly(step, shift)
        if found is None and shift is not None:
            boundary = self.through(step.node, step.adjoint, shift.inside)
            found = list(boundary.items()), shift.inside, MAXIMUM
        if found is None:
            found = self.local(step.node, step.adjoint), (), RULE
        contributions, step.opened, step.how = found
        self.done.update(step.opened)
        drops = (step.node.number, ZERO) not in self.refused
        for to, g in contributions:
            (step.dropped if drops and self.is_zero(g) else step.into).append((to, g))

    def local(self, node: Node, g: Adjoint) -> list[tuple[Node, Adjoint]]:
        """What each argument gets by the rule of the operation."""
        found: list[tuple[Node, Adjoint]] = []
        for place, argument in arguments(node):
            if argument in self.active:
                found.append((argument, self.node(self.by_rule(node, place, argument, g))))
        return found

    def by_rule(self, node: Node, place: int, argument: Node, g: Adjoint) -> Any:
        rule = RULES.get(node.operation)
        if rule is not None and (node.number, RULE) not in self.refused:
            args = [self.arrays(a) for a in node.args]
            options = {k: self.arrays(v) for k, v in node.options.items()}
            try:
                return rule(place, self.array(g), self.array(node), *args, **options)
            except (NoRule, TypeError, SymbackpropError):
                pass
        return by_formula(self.recorder, node, argument, g)

    def through(self, node: Node, g: Adjoint, inside: Iterable[Node]) -> dict[Node, Adjoint]:
        """What the nodes before `inside` get, where the maxima inside hand nothing on."""
        region = {node, *inside}
        parts: dict[Node, list[Adjoint]] = {node: [g]}
        for n in sorted(region, key=lambda m: -m.number):
            if n not in parts or self.is_shift(n):
                continue
            total = self.total(n, parts[n])
            for to, c in self.local(n, total):
                if not self.is_zero(c):
                    parts.setdefault(to, []).append(c)
        return {n: self.total(n, p) for n, p in parts.items() if n not in region}

    def is_shift(self, n: Node) -> bool:
        return any(n in s.inside for s in self.shifts.values()) and n.operation in ("max", "min")

    def compactly(
        self, step: Step, shift: Shift | None
    ) -> tuple[list[tuple[Node, Adjoint]], tuple[Node, ...], str] | None:
        """A compact form whose values are those of the rules, over the longest span where there is one."""
        node = step.node
        if not isinstance(step.adjoint, Node) or not node.shape or step.adjoint.ndim != node.ndim:
            return None
        for ancestor, between in reversed(list(spans(node, self.active, self.readers))):
            if shift is not None and not set(shift.inside) <= set(between):
                continue
            if ancestor.value.holes or any(b in self.parts for b in between):
                continue
            try:
                wanted = self.through(node, step.adjoint, between).get(ancestor)
                if wanted is None:
                    continue
                values, n, g = map(self.sample.of, (wanted, node, step.adjoint))
                for form in candidates(node, between):
                    scale = 1.0 if form.scale is None else self.sample.of(form.scale)
                    refused = (node.number, form.name) in self.refused
                    if not refused and same(form.of(np, n, g, scale), values):
                        found = self.node(form.recorded(self.recorder, node, self.array(step.adjoint)))
                        return [(ancestor, found)], tuple(between), form.name
            except (Undefined, SymbackpropError, ValueError):
                continue
        return None

    # --- arrays and nodes ----------------------------------------------------------------------

    def array(self, x: Adjoint) -> Any:
        return self.recorder.array(x) if isinstance(x, Node) else x

    def arrays(self, x: Any) -> Any:
        """Arguments as a rule takes them."""
        match x:
            case Node():
                return self.recorder.array(x)
            case tuple() | list():
                return type(x)(map(self.arrays, x))
            case slice():
                return slice(self.arrays(x.start), self.arrays(x.stop), self.arrays(x.step))
            case _:
                return x

    def node(self, x: Any) -> Adjoint:
        if isinstance(x, SymInt):  # how often a number was added up
            x = traced.asarray(x, dtype=float)
        found: Adjoint = self.recorder.operand(x) if isinstance(x, SymArray) else float(x)
        return found

    def total(self, node: Node, parts: Sequence[Adjoint]) -> Adjoint:
        if len(parts) == 1:
            return parts[0]
        joined = joined_slices(self.recorder, node, parts)
        if joined is not None:
            return joined
        result = self.array(parts[0])
        for part in parts[1:]:
            opposite, negative = opposite_of(part), opposite_of(self.node(result) if not is_number(result) else result)
            if opposite is not None:
                result = less(result, self.array(opposite))
            elif negative is not None:
                result = less(self.array(part), self.array(negative))
            else:
                result = plus(result, self.array(part))
        return self.node(result)

    def is_zero(self, g: Adjoint) -> bool:
        """By its values; what is dropped is proved 0."""
        if not isinstance(g, Node):
            return g == 0
        if g.operation == INPUT or g.dtype != "real":
            return False
        return is_zero_at(self.sample, g, False) and is_zero_at(self.alive, g, True)


def is_zero_at(sample: Sample, g: Node, otherwise: bool) -> bool:
    """By its values; `otherwise` where it has none."""
    try:
        return vanishes(sample.of(g), max([1e-6, *(float(abs(sample.of(p)).max(initial=0)) for p in g.parents)]))
    except Undefined:
        return otherwise


def opposite_of(g: Adjoint) -> Adjoint | None:
    if isinstance(g, Node) and g.operation == "negative" and g.backward:
        return g.args[0]  # type: ignore[no-any-return]
    return None


def active_nodes(nodes: Sequence[Node], variables: Sequence[str]) -> set[Node]:
    """What depends on a variable."""
    active: set[Node] = set()
    for n in nodes:
        if n.value.dtype == "real" and (
            (n.operation == INPUT and n.name in variables) or not active.isdisjoint(n.parents)
        ):
            active.add(n)
    return active


def arguments(node: Node) -> list[tuple[int, Node]]:
    """The arrays among the arguments with their places; those of a list (np.stack) are counted in it."""
    found: list[tuple[int, Node]] = []
    for place, a in enumerate(node.args):
        if isinstance(a, Node):
            found.append((place, a))
        elif isinstance(a, tuple | list) and place == 0:
            found.extend((k, x) for k, x in enumerate(a) if isinstance(x, Node))
    return found


def well_defined_sample(graph: Graph, declared: Mapping[str, Declared]) -> Sample:
    """A point where the outputs have values: any, or one with positive entries."""
    for positive in (False, True):
        sample = Sample(graph, declared, positive)
        try:
            if all(np.isfinite(sample.of(o)).all() for o in graph.outputs):
                break
        except Undefined:
            continue
    return sample


def upstream_names(outputs: Sequence[Node], taken: Collection[str]) -> tuple[str, ...]:
    """None for a scalar; dy for an output y; g, g0, g1, ... for outputs without a name."""
    if len(outputs) == 1 and not outputs[0].shape:
        return ()
    names = tuple(f"d{o.name}" for o in outputs)
    if all(o.name for o in outputs) and len(set(names)) == len(names) and set(names).isdisjoint(taken):
        return names
    return names_of_upstream(len(outputs), taken)


def names_of_upstream(count: int, taken: Collection[str]) -> tuple[str, ...]:
    """g for one output; g0, g1, ... for several, unless an argument has the name."""
    for stem in UPSTREAM:
        names = (stem,) if count == 1 else tuple(f"{stem}{k}" for k in range(count))
        if set(names).isdisjoint(taken):
            return names
    raise SymbackpropError(f"the arguments take all names for upstream gradients ({', '.join(UPSTREAM)})")


# --- the gradient of an operation that has no rule: Σ_p g_p ∂out_p/∂a_q, worked out by the laws ---


def by_formula(recorder: Recorder, node: Node, argument: Node, g: Any) -> SymArray:
    """An array whose entries are that sum.  Raises ProofError where no law differentiates the operation."""
    axes = tuple(dummy(s) for s in node.shape)
    at = tuple(ZERO_AT if i.size == UNIT else i for i in axes)
    upstream: Term = g.at(at) if isinstance(g, Node) else num(Fraction(repr(float(g))))
    term = node.entries.at(*at)

    def entry(to: tuple[Any, ...]) -> Term:
        derivative = chained(term, argument, to)
        return Tidy()(sum_over((i for i in axes if i.size != UNIT), mul(upstream, derivative)))

    return SymArray(Value(argument.shape, "real", entry), scalar=not argument.shape)


def chained(term: Term, argument: Node, to: tuple[Any, ...]) -> Term:
    return differentiate(term, Entry(argument.array, to), EMPTY, Names())[0]
