"""The reverse sweep with a mistake in it: at some nodes something else is handed on than the derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from symbackprop.core.terms import Power, SymbackpropError
from symbackprop.gradients.reverse import Adjoint, Reverse, Step, arguments
from symbackprop.gradients.rules import NoRule
from symbackprop.gradients.rules.registry import full
from symbackprop.read.numpy import INPUT, Node, SymInt, array_of

# what `node` hands to its argument at `place`, given its adjoint `g`; None for nothing
HandOn: TypeAlias = "Callable[[ChangedSweep, Node, int, Node, Any], Any]"
Shared: TypeAlias = dict[object, Any]  # of the sweeps of one graph: what they have worked out, by what it is made from


@dataclass(frozen=True, slots=True)
class Region:
    """Nodes that are gone over at once: `start` gets what the node at the end hands on."""

    start: Node
    between: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A mistake at some nodes, and what it is called.  Whole regions are gone over from their last node."""

    name: str
    nodes: frozenset[Node]
    hand_on: HandOn
    regions: Mapping[Node, Region] = field(default_factory=dict)


class ChangedSweep(Reverse):
    """Its `gradients` are what someone finds who makes the mistake."""

    change: Change
    shared: Shared

    @classmethod
    def of(cls, other: Reverse, change: Change, shared: Shared | None = None) -> ChangedSweep:
        """Raises NoRule, SymbackpropError, TypeError or ValueError where the change makes no sense."""
        found = cls.anew(other)
        found.change, found.shared = change, {} if shared is None else shared
        with other.graph.recording() as found.recorder:
            found.sweep()
            found.gradients = {v: found.gradient(other.graph.inputs[v]) for v in found.variables}
        found.recorder.line = None
        return found

    def called(self, g: Adjoint, node: Node) -> None:
        """What is wrong gets no name."""

    def hand_on(self, step: Step) -> None:
        region, shift = self.change.regions.get(step.node), self.shifts.get(step.node)
        if region is not None:
            self.done.update(region.between)
            step.into += self.handed(step.node, 0, region.start, step.adjoint)
        elif shift is not None:
            self.done.update(shift.inside)
            step.into += self.through(step.node, step.adjoint, shift.inside).items()
        else:
            step.into += [(to, g) for to, g in self.local(step.node, step.adjoint) if not self.is_zero(g)]

    def once(self, what: object, work: Callable[[], Any]) -> Any:
        """What another sweep of the same graph has worked out, too."""
        if what not in self.shared:
            self.shared[what] = work()
        return self.shared[what]

    def total(self, node: Node, parts: Sequence[Adjoint]) -> Adjoint:
        return self.once(("total", node, *parts), lambda: Reverse.total(self, node, parts))  # type: ignore[no-any-return]

    def is_zero(self, g: Adjoint) -> bool:
        return self.once(("zero", g), lambda: Reverse.is_zero(self, g))  # type: ignore[no-any-return]

    def gradient(self, variable: Node) -> Adjoint:
        g = next((s.adjoint for s in self.steps if s.node is variable), 0.0)
        return self.once(("gradient", variable, g), lambda: Reverse.gradient(self, variable))  # type: ignore[no-any-return]

    def local(self, node: Node, g: Adjoint) -> list[tuple[Node, Adjoint]]:
        if node not in self.change.nodes:
            return self.once(("local", node, g), lambda: Reverse.local(self, node, g))  # type: ignore[no-any-return]
        return [
            c for place, argument in arguments(node) if argument in self.active
            for c in self.handed(node, place, argument, g)
        ]  # fmt: skip

    def handed(self, node: Node, place: int, argument: Node, g: Adjoint) -> list[tuple[Node, Adjoint]]:
        found = self.change.hand_on(self, node, place, argument, self.array(g))
        return [] if found is None else [(argument, self.node(full(found, array_of(argument))))]

    def right(self, node: Node, place: int, argument: Node, g: Any) -> Any:
        """What the rule of the operation hands on."""
        return self.by_rule(node, place, argument, self.node(g) if not isinstance(g, int | float) else g)


def swept(reverse: Reverse, change: Change, shared: Shared | None = None) -> ChangedSweep | None:
    try:
        return ChangedSweep.of(reverse, change, shared)
    except (NoRule, SymbackpropError, TypeError, ValueError, RecursionError):
        return None


# --- what nodes are called in the name of a mistake ---


def listed(nodes: Sequence[Node]) -> str:
    return " and ".join(map(said, nodes))


def said(node: Node) -> str:
    """The user's name, or the operation and where it stands."""
    if node.name:
        return f"`{node.name}`"
    where = f" on line {node.line[1]}" if node.line else ""
    return f"`{node.operation}`{where}"


def factor_text(x: Node | SymInt) -> str:
    """The user's name, or what it is where it is a constant."""
    if isinstance(x, SymInt):
        return str(x.expr)
    if x.name or x.shape or x.operation == INPUT:
        return x.name or f"the {x.operation}"
    match x.entries.body:
        case Power(Power(base, p), q) if p * q == Fraction(-1, 2):
            return f"1/√{base}"
        case Power(base, q) if q.denominator == 2 and abs(q.numerator) == 1:
            return f"{'1/' * (q < 0)}√{base}"
    text = str(x.entries.body)
    return text if text.isalnum() else f"({text})" if len(text) < 30 and "%" not in text else f"the {x.operation}"


def reciprocal(text: str) -> str:
    return text[2:] if text.startswith("1/") else f"1/{text}"
