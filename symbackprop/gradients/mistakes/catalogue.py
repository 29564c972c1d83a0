"""Mistakes that people make in a backward pass, each as a change of the reverse sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from symbackprop.core.context import Context
from symbackprop.gradients.lemmas import opened
from symbackprop.gradients.mistakes.changed_sweep import Change, ChangedSweep, HandOn, Region, listed, said
from symbackprop.gradients.mistakes.operations import diagonal, of_compact_forms, of_operations, of_written_functions
from symbackprop.read.numpy import INPUT, Node, array_of

from ..compact import REDUCTIONS
from ..reverse import Reverse, arguments
from ..rules import RULES

OTHERS = 8  # values that may have been taken for another
ARRANGED = frozenset({"stack", "concatenate", "setitem", "getitem"})


def catalogue(reverse: Reverse) -> Iterator[Change]:
    """The likeliest first; of functions that occur several times also all of them at once."""
    changes = (*of_compact_forms(reverse), *of_written_functions(reverse), *of_operations(reverse))
    yield from together(changes)
    yield from of_other_entries(reverse)
    yield from held_together(reverse)
    yield from together(list(of_saved_values(reverse)))


def together(changes: Sequence[Change]) -> Iterator[Change]:
    """Each by itself, then those of one name all at once."""
    yield from changes
    by_name: dict[str, list[Change]] = {}
    for c in changes:
        by_name.setdefault(c.name, []).append(c)
    for name, several in by_name.items():
        if len(several) > 1:
            rules = {n: c.hand_on for c in several for n in c.nodes}
            regions_of = {n: r for c in several for n, r in c.regions.items()}
            yield Change(name, frozenset(rules), by_node(rules), regions_of)


def by_node(rules: Mapping[Node, HandOn]) -> HandOn:
    return lambda sweep, node, place, argument, g: rules[node](sweep, node, place, argument, g)


# --- held constant ------------------------------------------------------------------------------


def inner_nodes(reverse: Reverse) -> list[Node]:
    """Nodes between the variables and the outputs."""
    ends = {*reverse.graph.outputs, *(reverse.graph.inputs[v] for v in reverse.variables)}
    return [n for n in reverse.forward if n in reverse.active and n not in ends and n.operation != INPUT]


def held(nodes: Sequence[Node], name: str = "") -> Change:
    return Change(
        f"missing path{'s' * (len(nodes) > 1)} through {name or listed(nodes)}: held constant",
        frozenset(nodes), lambda *_: None,
    )  # fmt: skip


def held_together(reverse: Reverse) -> Iterator[Change]:
    """Two statistics at once, as a mean and a variance."""
    statistics = [n for n in inner_nodes(reverse) if n.operation in REDUCTIONS]
    for two in combinations(statistics, 2):
        yield held(two)


# --- other entries, other values -----------------------------------------------------------------


def of_other_entries(reverse: Reverse) -> Iterator[Change]:
    """A result of the shape of a variable, as if each of its entries came from the same entry alone: no later step."""
    if len(reverse.graph.outputs) != 1:
        return
    (out,) = reverse.graph.outputs
    for v in reverse.variables:
        x = reverse.graph.inputs[v]
        if x.shape == out.shape and x.shape:
            between = tuple(n for n in reverse.forward if n in reverse.active and n not in (x, out))
            name = f"missing terms: what an entry of {v} does to other entries of the result, such as later ones"
            yield Change(name, frozenset({out}), wholly_on_the_diagonal, {out: Region(x, between)})


def wholly_on_the_diagonal(s: ChangedSweep, n: Node, place: int, a: Node, g: Any) -> Any:
    names, context = [m.array for m in s.forward if m.named], Context(s.graph.definitions)
    return diagonal(s, n, a, lambda *at: opened(n.value.term(at), names, context)[0], g)


def of_saved_values(reverse: Reverse) -> Iterator[Change]:
    """Another value of this shape, saved or recomputed, in place of an operand."""
    known = [n for n in reverse.forward if n.named and n.name]
    for node in (n for n in reverse.forward if n in reverse.active and n.operation in RULES):
        for k, x in arguments(node):
            if node.operation in ARRANGED:
                continue
            others = [n for n in known if n is not x and n.shape == x.shape]
            for other in others[-OTHERS:]:
                yield Change(taken_for(other, x), frozenset({node}), with_operand(k, other))


def taken_for(other: Node, x: Node) -> str:
    if other.name == x.name:
        return f"`{x.name}` after a change in place of its value before it"
    return f"{said(other)} in place of {said(x)}"


def with_operand(place: int, other: Node) -> HandOn:
    def rule(s: ChangedSweep, n: Node, k: int, a: Node, g: Any) -> Any:
        args = [s.arrays(x) for x in n.args]
        args[place] = array_of(other)
        return RULES[n.operation](k, g, array_of(n), *args, **{o: s.arrays(v) for o, v in n.options.items()})

    return rule
