"""The graph of a derivation as data and as SVG: layers from left to right, gradients back below the edges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from symbackprop.core.indices import Size
from symbackprop.core.terms import Array
from symbackprop.gradients.reverse import Reverse
from symbackprop.read.numpy import CONSTANT, INPUT, Node
from symbackprop.write.program.notation import Notation


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
    handed = {s.node: [to for to, _ in s.into] for s in reverse.steps}

    def made_from(n: Node) -> Iterable[Node]:
        return () if n.operation == CONSTANT else n.parents

    edges = sorted({(place[p], place[n]) for n in nodes for p in met(n.parents, made_from, place)})
    into = {
        (place[p], place[n]) for n in nodes if n in adjoint
        for p in met(handed.get(n, ()), lambda m: handed.get(m, ()), place)
    }  # fmt: skip
    return Picture(tuple(vertices), tuple(edges), frozenset(into & set(edges)), notation.text(notation.loss))


def met(start: Iterable[Node], after: Callable[[Node], Iterable[Node]], place: Mapping[Node, int]) -> set[Node]:
    """The first shown nodes on each way from the start."""
    found: set[Node] = set()
    todo = list(start)
    while todo:
        p = todo.pop()
        if p in place:
            found.add(p)
        else:
            todo += after(p)
    return found


HEIGHT, ROW, GAP, LETTER, MARGIN = 44, 78, 92, 9.2, 14
SWEEPS = 12
STYLE = """
.graph { font: 15px ui-serif, Georgia, "Times New Roman", serif; --ink: #1d1d1f; --line: #77787d; --flow: #b3431f;
  --box: #ffffff; --given: #eef2f7; }
@media (prefers-color-scheme: dark) { .graph { --ink: #ececec; --line: #9a9aa0; --flow: #ff9d73; --box: #202124;
  --given: #2b313a; } }
.graph rect { fill: var(--box); stroke: var(--line); } .graph .input rect { fill: var(--given); }
.graph .output rect { stroke-width: 2.2; stroke: var(--ink); }
.graph text { fill: var(--ink); text-anchor: middle; } .graph .shape { font-size: 11px; fill: var(--line); }
.graph .edge { fill: none; stroke: var(--line); stroke-width: 1.2; }
.graph .flow { fill: none; stroke: var(--flow); stroke-width: 1.4; stroke-dasharray: 5 3; }
.graph .delta { font-size: 11.5px; fill: var(--flow); }
.graph .head { fill: var(--line); } .graph .flowhead { fill: var(--flow); }
"""


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + HEIGHT / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width, self.y + HEIGHT / 2


def as_svg(p: Picture, alone: bool = True) -> str:
    """One drawing; `alone` as a file of its own, else inside a page."""
    boxes, width, height = placed(p)
    body = [edge(p, boxes, a, b) for a, b in p.edges] + [vertex(p, v, boxes[k]) for k, v in enumerate(p.vertices)]
    space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    label = escape(f"the computation of {p.loss} and the flow of its gradients", quote=True)
    return (
        f'<svg{space} class="graph" role="img" aria-label="{label}" {size}>\n<style>{STYLE}</style>\n<defs>'
        f"{marker('head')}{marker('flowhead')}</defs>\n" + "\n".join(body) + "\n</svg>\n"
    )


def marker(name: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="{name}" d="M0,0 L8,4 L0,8 z"/></marker>'
    )


# --- where things stand --------------------------------------------------------------------------


def placed(p: Picture) -> tuple[list[Box], float, float]:
    """Columns by the longest way from an input, which stands just before what reads it; rows by what is joined."""
    column = columns(p)
    layers: list[list[int]] = [[] for _ in range(max(column, default=0) + 1)]
    for k, c in enumerate(column):
        layers[c].append(k)
    layers = untangled(layers, p)
    tallest = max(map(len, layers), default=1)
    boxes: list[Box] = [Box(0, 0, 0)] * len(p.vertices)
    x: float = MARGIN
    for layer in layers:
        wide = max((breadth(p.vertices[k]) for k in layer), default=0)
        start = MARGIN + (tallest - len(layer)) * ROW / 2
        for row, k in enumerate(layer):
            own = breadth(p.vertices[k])
            boxes[k] = Box(x + (wide - own) / 2, start + row * ROW, own)
        x += wide + GAP
    return boxes, x - GAP + MARGIN, tallest * ROW - (ROW - HEIGHT) + 2 * MARGIN + 18


def breadth(v: Vertex) -> float:
    return max(46.0, LETTER * len(v.name) + 22, 6.6 * len(sizes(v)) + 16)


def columns(p: Picture) -> list[int]:
    found = [0] * len(p.vertices)
    for a, b in sorted(p.edges, key=lambda e: e[1]):
        found[b] = max(found[b], found[a] + 1)
    for k, v in enumerate(p.vertices):
        readers = [found[b] for a, b in p.edges if a == k]
        if v.kind == "input" and readers:
            found[k] = min(readers) - 1
    return found


def untangled(layers: list[list[int]], p: Picture) -> list[list[int]]:
    """The barycentre heuristic: each layer in the order of what its vertices are joined to, back and forth."""
    joined: dict[int, list[int]] = {k: [] for k in range(len(p.vertices))}
    for a, b in p.edges:
        joined[a].append(b)
        joined[b].append(a)
    row = {k: float(n) - len(layer) / 2 for layer in layers for n, k in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda k: (mean([row[m] for m in joined[k]], row[k]), k))
            row.update({k: float(n) - len(layer) / 2 for n, k in enumerate(layer)})
    return layers


def mean(values: Sequence[float], otherwise: float) -> float:
    return round(sum(values) / len(values), 6) if values else otherwise


# --- what is drawn -------------------------------------------------------------------------------


def sizes(v: Vertex) -> str:
    return " × ".join(map(str, v.shape))


def vertex(p: Picture, v: Vertex, b: Box) -> str:
    x, y = b.x + b.width / 2, b.y
    shape = sizes(v)
    name = f'<text x="{x:.1f}" y="{y + (20 if shape else 27):.1f}">{escape(v.name)}</text>'
    below = f'<text class="shape" x="{x:.1f}" y="{y + 36:.1f}">{escape(shape)}</text>' if shape else ""
    box = f'<rect x="{b.x:.1f}" y="{y:.1f}" width="{b.width:.1f}" height="{HEIGHT}" rx="7"/>'
    gradient = ""
    if v.gradient and v.kind != "output":
        said = f"∂{p.loss}/∂{v.name}"
        gradient = f'<text class="delta" x="{x:.1f}" y="{y + HEIGHT + 14:.1f}">{escape(said)}</text>'
    title = escape(f"{v.name}: {shape or 'a number'}")
    return f'<g class="{v.kind}"><title>{title}</title>{box}{name}{below}{gradient}</g>'


def edge(p: Picture, boxes: Sequence[Box], a: int, b: int) -> str:
    (x, y), (u, v) = boxes[a].right, boxes[b].left
    forward = f'<path class="edge" marker-end="url(#head)" d="{curve(x, y - 4, u - 1, v - 4)}"/>'
    if (a, b) not in p.back:
        return forward
    return forward + f'<path class="flow" marker-end="url(#flowhead)" d="{curve(u, v + 7, x + 1, y + 7)}"/>'


def curve(x: float, y: float, u: float, v: float) -> str:
    middle = (x + u) / 2
    return f"M{x:.1f},{y:.1f} C{middle:.1f},{y:.1f} {middle:.1f},{v:.1f} {u:.1f},{v:.1f}"
