"""The computation as a graph: values forward with their shapes, gradients back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.core.indices import Size
from symbackprop.core.terms import Array
from symbackprop.gradients.reverse import Reverse
from symbackprop.read.numpy import CONSTANT, INPUT, Node

from .notation import Notation


@dataclass(frozen=True, slots=True)
class Vertex:
    """A named value: how it is written, its sizes, and whether a gradient by it is found."""

    name: str
    latex: str
    shape: tuple[Size, ...]
    kind: str  # input, value or output
    gradient: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """`edges` are pairs of places in `vertices`, from what is read to what reads it; `back` those that a gradient
    flows along, the other way."""

    vertices: tuple[Vertex, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    back: frozenset[tuple[int, int]] = frozenset()
    loss: str = "L"


def picture(reverse: Reverse, shown: Sequence[Node], names: Mapping[Array, str], notation: Notation) -> Picture:
    """What has a name on the page, and what it is made from through what has none."""
    outputs = reverse.graph.outputs
    inputs = [n for n in reverse.forward if n.operation == INPUT and n not in reverse.upstream.values()]
    nodes = sorted({*shown, *inputs, *outputs}, key=lambda n: n.number)
    place = {n: k for k, n in enumerate(nodes)}
    adjoint = {s.node for s in reverse.steps}
    vertices = []
    for n in nodes:
        name = names.get(n.array, n.name or "")
        kind = "input" if n.operation == INPUT else "output" if n in outputs else "value"
        vertices.append(Vertex(notation.text(name), notation.latex(name), n.shape, kind, n in adjoint))
    edges = sorted({(place[p], place[n]) for n in nodes for p in read_by(n, place)})
    into = {(place[p], place[n]) for n in nodes if n in adjoint for p in handed_to(n, reverse, place)}
    return Picture(tuple(vertices), tuple(edges), frozenset(into & set(edges)), notation.text(notation.loss))


def read_by(n: Node, place: Mapping[Node, int]) -> set[Node]:
    """The shown nodes that n is made from."""
    found: set[Node] = set()
    todo = list(n.parents)
    while todo:
        p = todo.pop()
        if p in place:
            found.add(p)
        elif p.operation != CONSTANT:
            todo += p.parents
    return found


def handed_to(n: Node, reverse: Reverse, place: Mapping[Node, int]) -> set[Node]:
    """The shown nodes that get a part of their gradient from n."""
    into = {s.node: [to for to, _ in s.into] for s in reverse.steps}
    found: set[Node] = set()
    todo = list(into.get(n, ()))
    while todo:
        p = todo.pop()
        if p in place:
            found.add(p)
        else:
            todo += into.get(p, ())
    return found
