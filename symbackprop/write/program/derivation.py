"""A derivation as a careful author writes it, planned from the graph: nothing here knows a formula.

From the outputs back, for each intermediate that has a name: the definitions of what reads it, the chain rule, the
local derivatives, what is left when the deltas contract, and the matrix form.  Each passage is proved before it is
written: the sum of the chain rule, with the local derivatives put in, is the gradient that the sweep has found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index, IndexExpr, ProofError, Size
from symbackprop.core.terms import Array, Delta, Diff, Entry, Term, add, arrays, mul, over, subterms
from symbackprop.gradients.derived import Derived
from symbackprop.gradients.lemmas import term_of
from symbackprop.gradients.meanings import opened, with_entries
from symbackprop.gradients.reverse import MAXIMUM, RULE
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.tidying import Tidy
from symbackprop.read.numpy import INPUT, UNIT, ZERO_AT, Node

from .equations import plain_letters
from .matrix_forms import MatrixForms
from .notation import Notation
from .source import Program

LETTERS = "ijklmnpqrstuv"
RESULT, USUAL, EVERYTHING = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Line:
    """`left = right`, with the reason; `level` is how much detail must be wanted for it to be shown."""

    left: str
    right: str
    latex_left: str
    latex_right: str
    reason: str
    level: int


@dataclass(frozen=True, slots=True)
class Passage:
    """How one gradient is found."""

    name: str
    latex_name: str
    lines: tuple[Line, ...]
    proved: bool

    def shown(self, detail: int) -> list[Line]:
        return [line for line in self.lines if line.level <= detail]


@dataclass(frozen=True, slots=True)
class Derivation:
    """All passages, and what is needed for the first line: the names and their sizes, conditions, hypotheses."""

    title: str
    variables: tuple[str, ...]
    shapes: Mapping[str, tuple[Size, ...]]
    passages: tuple[Passage, ...]
    given: tuple[str, ...] = field(default=())


def plan(found: Derived, title: str, given: Sequence[str] = ()) -> Derivation:
    planner = Planner(found)
    shapes = {n: d.shape for n, d in found.reverse.declared.items()}
    return Derivation(title, tuple(found.theorems), shapes, tuple(planner.passages()), tuple(given))


class Planner:
    def __init__(self, found: Derived) -> None:
        self.found, self.reverse = found, found.reverse
        self.program = Program(found.reverse)
        self.context = Context({**found.reverse.graph.definitions, **found.shared.known.definitions})
        self.step = {s.node: s for s in self.reverse.steps}
        self.shown = [n for n in self.reverse.forward if self.is_shown(n)]
        outputs = self.reverse.graph.outputs
        called = [n for n in self.reverse.graph.nodes if n.named]
        called = [n for n in called if n in self.program.names or n.name or n in outputs]
        self.names = {n.array: self.program.names.get(n) or n.name or "L" for n in called}
        adjoints = {n: s.adjoint for n, s in self.step.items() if n in self.shown}
        self.adjoint = {g.array: self.names[n.array] for n, g in adjoints.items()
                        if isinstance(g, Node) and g.named and n.array in self.names}  # fmt: skip
        loss = "L" if self.reverse.upstream else self.names.get(outputs[0].array, "L")
        of = {f"∇{self.names[n.array]}": self.names[n.array] for n in self.shown if n.array in self.names}
        self.notation = Notation({**self.names, **{a: f"∇{c}" for a, c in self.adjoint.items()}}, of, loss)
        self.forms = MatrixForms(self.notation)

    def is_shown(self, n: Node) -> bool:
        """What has a name in the function itself, and a gradient."""
        named = n.operation == INPUT or (n.name is not None and n.depth == 0) or n in self.reverse.graph.outputs
        return n.named and named and n in self.step

    def passages(self) -> list[Passage]:
        order = [s.node for s in self.reverse.steps if s.node in self.shown]
        wanted = [n for n in order if n not in self.reverse.graph.outputs]
        return [p for n in wanted if (p := self.passage(n)) is not None]

    # --- one gradient --------------------------------------------------------------------------

    def passage(self, c: Node) -> Passage | None:
        readers = self.readers(c)
        g = self.step[c].adjoint
        if not isinstance(g, Node):
            return None
        axes, at = letters(c.shape, LETTERS)
        if not readers:
            return self.arranged(c, g, axes, at)
        others = LETTERS[len(axes) :]
        lines = [self.definition(n) for n in readers]
        total, chain, parts = [], [], []
        for n in readers:
            n_axes, n_at = letters(n.shape, others)
            up = self.gradient_of(n, n_at)
            slope = Diff(Entry(n.array, n_at), Entry(c.array, at))
            chain.append(summed(n_axes, slope if up is None else mul(up, slope)))
            derivative = self.by_rule(n, n_at, c, at, len(readers)) or self.local(n, n_at, c, at)
            if derivative is None:
                return None
            parts.append((slope, derivative, (*n_axes, *axes)))
            total.append(summed(n_axes, derivative if up is None else mul(up, derivative)))
        left = Entry(Array(f"∇{self.names[c.array]}"), at)
        result = self.opened(g.at(at), g)
        proved = prove_equal(self.plain(add(*total)), self.plain(g.at(at)), EMPTY) is not None
        lines.append(self.line(left, add(*chain), axes, "chain rule", USUAL))
        lines += [self.line(s, Tidy()(d), a, f"the derivative of {self.names[n.array]}", EVERYTHING)
                  for n, (s, d, a) in zip(readers, parts, strict=True)]  # fmt: skip
        lines += [self.line(Entry(m.array, a), self.body(m, a), i, "abbreviated", USUAL)
                  for m in self.abbreviations(result) for i, a in [letters(m.shape, LETTERS)]]  # fmt: skip
        last = "the deltas contract" if any(has_delta(d) for _, d, _ in parts) else "put together"
        lines.append(self.line(left, result, axes, last, RESULT))
        form = self.forms.of(g)
        if form is not None:
            name = self.notation.plain_gradient(self.names[c.array])
            lines.append(Line(name, form[0], self.notation.latex_gradient(self.names[c.array]), form[1],
                              "the same for all entries at once", RESULT))  # fmt: skip
        name = self.names[c.array]
        said = tuple(line for line in lines if line.left != line.right)
        return Passage(name, self.notation.latex_name(name), said, proved)

    def arranged(self, c: Node, g: Node, axes: tuple[Index, ...], at: tuple[IndexExpr, ...]) -> Passage:
        """Outputs that only have entries of c, each in its place."""
        left = Entry(Array(f"∇{self.names[c.array]}"), at)
        result = self.line(left, self.opened(g.at(at), g), axes, "the outputs have entries of it as they are", RESULT)
        return Passage(self.names[c.array], self.notation.latex_name(self.names[c.array]), (result,), True)

    def readers(self, c: Node) -> list[Node]:
        """The shown nodes that hand a gradient to c, through nodes that are not shown."""
        found, todo, seen = set(), [c], {c}
        while todo:
            m = todo.pop()
            for s in self.reverse.steps:
                if any(to is m for to, _ in s.into) and s.node not in seen:
                    seen.add(s.node)
                    if s.node in self.shown:
                        found.add(s.node)
                    else:
                        todo.append(s.node)
        return sorted(found, key=lambda n: n.number)

    def gradient_of(self, n: Node, at: tuple[IndexExpr, ...]) -> Term | None:
        """∂L/∂n as an entry; None where n is the loss itself."""
        g = self.step[n].adjoint
        if isinstance(g, Node):
            return self.opened(g.at(at), g, False)
        return None if g == 1 else term_of(g, ())

    def abbreviations(self, t: Term) -> list[Node]:
        """Names of the program in a result that have no gradient of their own on the page."""
        used = arrays(t)
        hidden = [n for n in self.reverse.forward if n.meaning is not None and n not in self.shown]
        return [n for n in hidden if n.array in used and n.array in self.names]

    def by_rule(
        self, n: Node, n_at: tuple[IndexExpr, ...], c: Node, at: tuple[IndexExpr, ...], readers: int
    ) -> Term | None:
        """∂n/∂c from a compact form, which is proved for every gradient by n: for a delta in particular."""
        own, g = self.step[n].adjoint, self.step[c].adjoint
        if self.step[n].how in (RULE, MAXIMUM) or readers > 1 or not isinstance(own, Node) or not own.named:
            return None
        if not isinstance(g, Node):
            return None

        def delta(e: Entry) -> Term | None:
            if e.array != own.array:
                return None
            return mul(*(Delta(i, j) for i, j, s in zip(e.at, n_at, n.shape, strict=True) if s != UNIT))

        found = with_entries(self.opened(g.at(at), g), delta)
        return None if own.array in arrays(found) else found

    def local(self, n: Node, n_at: tuple[IndexExpr, ...], c: Node, at: tuple[IndexExpr, ...]) -> Term | None:
        """∂n/∂c by the laws, in the names that are shown."""
        body = self.body(n, n_at)
        try:
            return differentiate(body, Entry(c.array, at), EMPTY, Names())[0]
        except ProofError:
            return None

    def body(self, n: Node, at: tuple[IndexExpr, ...]) -> Term:
        """The definition of n in terms of what is shown."""
        hidden = [m.array for m in self.reverse.forward if m.meaning is not None and m not in self.shown]
        return opened(Entry(n.array, at), [n.array, *hidden], self.context)[0]

    def opened(self, t: Term, g: Node, inside: bool = True) -> Term:
        """A gradient in the names that are shown: gradients of shown nodes stay, and names of the user's."""
        keep = set(self.adjoint) - ({g.array} if inside else set())
        back = [
            n.array for n in self.reverse.graph.nodes if n.backward and n.meaning is not None and n.array not in keep
        ]
        hidden = [n.array for n in self.reverse.forward if n.meaning is not None and n.array not in self.names]
        return opened(t, [*back, *hidden], self.context)[0]

    def plain(self, t: Term) -> Term:
        """Compared with nothing hidden, except the gradients of shown nodes other than the one asked for."""
        back = [n.array for n in self.reverse.graph.nodes if n.backward and n.meaning is not None]
        forward = [n.array for n in self.reverse.forward if n.meaning is not None]
        return opened(t, [*back, *forward], self.context)[0]

    # --- lines ---------------------------------------------------------------------------------

    def definition(self, n: Node) -> Line:
        axes, at = letters(n.shape, LETTERS)
        shortened = n in self.found.shared.known.shortened
        reason = "definition; the shift by the maximum cancels" if shortened else "definition"
        return self.line(Entry(n.array, at), self.body(n, at), axes, reason, USUAL)

    def line(self, left: Term, right: Term, axes: Sequence[Index], reason: str, level: int) -> Line:
        right = plain_letters(right, 0, [i.name for i in axes])
        text, tex = self.notation.both(left, right, axes)
        return Line(text[0], text[1], tex[0], tex[1], reason, level)


def letters(shape: Sequence[Size], names: str) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
    """Indices by these letters for the axes longer than 1, and the index expressions of all axes."""
    pool = iter(names)
    at: tuple[IndexExpr, ...] = tuple(ZERO_AT if s == UNIT else Index(next(pool), s) for s in shape)
    return tuple(i for i in at if isinstance(i, Index)), at


def summed(axes: Sequence[Index], body: Term) -> Term:
    for i in reversed(axes):
        body = over(i, body)
    return body


def has_delta(t: Term) -> bool:
    return any(isinstance(s, Delta) for s in subterms(t))


__all__ = ["Derivation", "Line", "Passage", "plan"]
