"""A derivation as a careful author writes it, planned from the graph: nothing here knows a formula.

From the outputs back, for each intermediate that has a name: the definitions of what reads it, the chain rule, the
local derivatives, what is left when the deltas contract, and the matrix form.  Each passage is proved before it is
written: the sum of the chain rule, with the local derivatives put in, is the gradient that the sweep has found, and a
matrix form is lowered to its entries again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index, IndexExpr, ProofError, Size
from symbackprop.core.terms import Array, Delta, Diff, Entry, Term, add, arrays, mul
from symbackprop.gradients.derived import Derived
from symbackprop.gradients.lemmas import term_of
from symbackprop.gradients.meanings import opened, with_entries
from symbackprop.gradients.reverse import MAXIMUM, RULE, Step
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.tidying import Tidy
from symbackprop.read.numpy import INPUT, UNIT, Node
from symbackprop.write.paper.array_text import LETTERS

from .equations import plain_letters
from .matrix_forms import altogether, by_entries, cost, matrix_form
from .naming import result
from .notation import Both, Notation, partial
from .parts import has_delta, indices, read_by, simpler, summed
from .picture import Picture, picture
from .reasons import of_derivative
from .source import Program
from .standing import GRADIENT, Standing, jacobian

WIDE = 90  # letters of a formula that is put together
LOOKED_UP = 7  # what a name that is made up costs beside the letters that it stands for
JOINING = frozenset({"add", "subtract", "multiply", "matmul", "einsum", "sum", "mean", "divide"})
RESULT, USUAL, EVERYTHING = 1, 2, 3
GRADIENTS = re.compile(r"∂\w+/∂\w+")


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
    """All passages, and what is needed for the first line: the names and their sizes, conditions, hypotheses.

    `shapes` has (text, LaTeX) of a name and its sizes, `remarks` what a reader is to know of how it was read.
    """

    title: str
    variables: tuple[str, ...]
    shapes: tuple[tuple[tuple[str, str], tuple[Size, ...]], ...]
    passages: tuple[Passage, ...]
    given: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    picture: Picture = field(default_factory=Picture)


def plan(
    found: Derived, title: str, given: Sequence[str] = (), written: Mapping[str, Both] | None = None,
    remarks: Sequence[str] = (), standing: Standing = Standing(),  # noqa: B008  it is immutable
) -> Derivation:  # fmt: skip
    """`written` has text and LaTeX of names that are not written as they are called."""
    planner = Planner(found, written or {}, standing)
    name = planner.notation
    gradients = {str(u.name): planner.names.get(o.array, "") for o, u in found.reverse.upstream.items()}
    called = {n: name.gradient(of) for n, of in gradients.items() if of}
    declared = found.reverse.declared.items()
    shapes = tuple((called.get(n, (name.text(n), name.latex(n))), d.shape) for n, d in declared)
    passages = tuple(planner.passages())
    seen = picture(found.reverse, planner.shown, planner.names, name)
    return Derivation(title, tuple(found.proofs), shapes, passages, tuple(given), tuple(remarks), seen)


class Planner:
    def __init__(self, found: Derived, written: Mapping[str, Both], standing: Standing) -> None:
        self.found, self.reverse = found, found.reverse
        self.program = Program(found.reverse)
        self.context = Context({**found.reverse.graph.definitions, **found.shared.known.definitions})
        self.step = {s.node: s for s in self.reverse.steps}
        self.lent = {s.adjoint for s in self.reverse.steps if isinstance(s.adjoint, Node) and not s.adjoint.backward
                     and s.adjoint.operation != INPUT and s.adjoint.name == f"d{s.node.name}"}  # fmt: skip
        self.shown = [n for n in self.reverse.forward if self.is_shown(n)]
        self.unshown = [n for n in self.reverse.forward if n.named and n not in self.shown and n.operation != INPUT
                        and self.own_name(n) and n.depth <= 0]  # fmt: skip
        outputs = self.reverse.graph.outputs
        called = [n for n in self.reverse.graph.nodes if n.named]
        self.names = {n.array: name for n in called if (name := self.called(n))}
        self.adjoint: dict[Array, str] = {}
        for n in self.shown:
            if n.array in self.names and (g := self.adjoint_of(n)) is not None:
                self.adjoint.setdefault(g.array, GRADIENT + self.names[n.array])
        self.names = {a: name for a, name in self.names.items() if a not in self.adjoint}
        loss = "L" if self.reverse.upstream else self.names.get(outputs[0].array, "L")
        self.notation = Notation({**self.names, **self.adjoint}, written, loss, standing)
        upstream = [(o, u) for o, u in self.reverse.upstream.items() if o.array in self.names]
        given = {u.array: GRADIENT + self.names[o.array] for o, u in upstream}
        self.given = Notation({**self.names, **given}, written, loss, standing)
        bare = {n.array for n in self.reverse.forward if n.operation == INPUT or n in outputs}
        own = bare | {n.array for n in self.reverse.forward if self.own_name(n) and n.depth >= 0}
        self.bare, self.own = (
            Notation({**{a: n for a, n in self.names.items() if a in kept}, **given}, written, loss, standing)
            for kept in (bare, own)
        )
        self.taken = {*self.names.values(), *(x for d in self.reverse.declared.values() for x in d.symbols)}
        self.letters = [x for x in LETTERS if x not in self.taken]

    def called(self, n: Node) -> str:
        """The author's name, else that of the program for what is worth one: not for a root or an inverse."""
        given = self.program.names.get(n, "")
        if self.own_name(n) or n in self.reverse.graph.outputs:
            return given or n.name or result(self.reverse, n)
        if n in self.lent:
            return ""
        return given if n.backward or (given[:1] == "t" and n.operation in JOINING) else ""

    def is_shown(self, n: Node) -> bool:
        """What has a name in the function itself, and a gradient."""
        named = n.operation == INPUT or (self.own_name(n) and n.depth <= 0) or n in self.reverse.graph.outputs
        return n.named and bool(named) and n in self.step

    def own_name(self, n: Node) -> str:
        """The author's; not that of the gradient which a value of the forward happens to be."""
        return "" if n in self.lent else n.name or ""

    def adjoint_of(self, n: Node) -> Node | None:
        """The node that holds the gradient by n, where that is no argument of the forward."""
        g = self.step[n].adjoint
        own = isinstance(g, Node) and (g.backward or g in self.lent or g in self.reverse.upstream.values())
        known = isinstance(g, Node) and g.named and own
        return g if known and isinstance(g, Node) else None

    def passages(self) -> Iterator[Passage]:
        order = [s.node for s in self.reverse.steps if s.node in self.shown]
        for n in order:
            found = None if n in self.reverse.graph.outputs else self.passage(n)
            if found is not None and found.shown(RESULT):
                yield found

    # --- one gradient --------------------------------------------------------------------------

    def passage(self, c: Node) -> Passage | None:
        readers = self.readers(c)
        g = self.step[c].adjoint
        if c.array not in self.names:
            return None
        axes, at = indices(c.shape, self.letters)
        left = Entry(Array(GRADIENT + self.names[c.array]), at)
        if not isinstance(g, Node):
            lines = [line for n in readers for line in self.definitions(n, c)]
            return self.made(c, [*lines, self.line(left, term_of(g, ()), axes, "put together", RESULT)])
        if not readers:
            result = self.opened(g.at(at), set(self.adjoint) - {g.array})
            return self.made(c, [self.line(left, result, axes, "the outputs have its entries as they are", RESULT)])
        others = self.letters[len(axes) :]
        called = {a.array: GRADIENT + self.names[n.array] for n in readers if (a := self.adjoint_of(n)) is not None}
        lines = [line for n in readers for line in self.definitions(n, c)]
        result = simpler(self.opened(g.at(at), set(called))) if g.array not in called else g.at(at)
        total, chain, local = [], [], []
        for n in readers:
            n_axes, n_at = indices(n.shape, others)
            up = self.gradient_of(n, n_at)
            slope = Diff(Entry(n.array, n_at), Entry(c.array, at))
            chain.append(summed(n_axes, slope if up is None else mul(up, slope)))
            form, derivative = self.derivative(n, n_at, c, at, up is None and len(readers) == 1, result, readers)
            if derivative is None:
                return None
            derivative = Tidy()(derivative)
            reason = of_derivative(form, self.body(n, n_at), c, self.notation, self.names)
            local.append(self.line(slope, derivative, (*n_axes, *axes), reason, EVERYTHING, called))
            total.append((n_axes, derivative, up))
        put_in = add(*(summed(a, d if up is None else mul(up, d)) for a, d, up in total))
        proved = all(prove_equal(self.plain(t), self.plain(g.at(at)), EMPTY) is not None for t in (put_in, result))
        lines.append(self.line(left, add(*chain), axes, "chain rule", USUAL, called))
        lines += local
        said = {line.left for line in lines}
        lines += [line for m in self.abbreviations(result) if (line := self.meaning(m, "abbreviated")).left not in said]
        last = "the deltas contract" if any(has_delta(d) for _, d, _ in total) else "put together"
        lines.append(self.line(left, result, axes, last, RESULT, called))
        at_once = matrix_form(g, self.notation.renamed(result, called), axes, self.given, called)
        if at_once is not None:
            name = self.notation.gradient(self.names[c.array])
            stack = ", ".join(i.name for i in axes[:-2]) if len(axes) > 2 and "einsum" not in at_once[0] else ""
            reason = f"all entries at once, for each {stack}" if stack else "all entries at once"
            lines.append(Line(name[0], at_once[0], name[1], at_once[1], reason, RESULT))
        if c.operation == INPUT and 0 < len(axes) <= 2:
            lines += self.put_in(c, g, axes, at, "" if at_once is None else at_once[0])
        if c.operation == INPUT:
            lines += self.jacobian(c, g)
        return self.made(c, lines, proved)

    def jacobian(self, c: Node, g: Node) -> list[Line]:
        """∂y/∂c for one vector y by a vector: the gradient with a delta for the upstream gradient."""
        if len(self.reverse.upstream) != 1:
            return []
        ((o, u),) = self.reverse.upstream.items()
        if o not in self.shown or not o.ndim == c.ndim == 1 or UNIT in (*o.shape, *c.shape):
            return []
        (i,), (j,) = indices(o.shape, self.letters)[0], indices(c.shape, self.letters[1:])[0]
        hidden = [n.array for n in self.reverse.graph.nodes if n.meaning is not None and n.array not in self.names]
        back = [n.array for n in self.reverse.graph.nodes if n.backward and n.meaning is not None]
        whole = opened(g.at((j,)), [*back, *hidden], self.context)[0]
        term = simpler(Tidy()(with_entries(whole, lambda e: Delta(i, e.at[0]) if e.array == u.array else None)))
        left = Diff(Entry(o.array, (i,)), Entry(c.array, (j,)))
        lines = [self.line(left, term, (i, j), "the Jacobian: a delta for the gradient by the output", RESULT)]
        form = by_entries(self.notation.renamed(term), (i, j))
        if form is not None:
            form = jacobian(form, self.notation.standing)
            (a, p), (b, q) = (self.notation.name(self.names[x.array]) for x in (o, c))
            text, tex = self.notation.matrix(form)
            lines.append(Line(f"∂{a}/∂{b}", text, partial(p, q), tex, "all entries at once", RESULT))
        return lines

    def put_in(
        self, c: Node, g: Node, axes: Sequence[Index], at: tuple[IndexExpr, ...], before: str
    ) -> list[Line]:
        """The gradient by a variable with everything put in, where that is a line and not longer than it must be."""
        forms = [altogether(g, self.everything(g, at), axes, self.bare), altogether(g, None, axes, self.own)]
        whole = min((f for f in forms if f is not None), key=lambda f: cost(f[0]), default=None)
        if whole is None or len(whole[0]) > WIDE or whole[0] == before:
            return []
        to_look_up = self.abbreviated(before) + 4 * len(set(GRADIENTS.findall(before)))
        if before and cost(whole[0]) >= cost(before) + to_look_up:
            return []
        name = self.notation.gradient(self.names[c.array])
        return [Line(name[0], whole[0], name[1], whole[1], "with what is above put in", RESULT)]

    def everything(self, g: Node, at: tuple[IndexExpr, ...]) -> Term | None:
        """The entries of a gradient in terms of the variables and the outputs, if that is proved."""
        outputs = self.reverse.graph.outputs
        inner = [n.array for n in self.reverse.graph.nodes if n.meaning is not None and n not in outputs]
        found = simpler(Tidy()(opened(g.at(at), inner, self.context)[0]))
        if prove_equal(self.plain(found), self.plain(g.at(at)), EMPTY) is None:
            return None
        return self.given.renamed(found)

    def abbreviated(self, text: str) -> int:
        """What the names in a formula cost that the program made up."""
        own = {self.notation.text(self.names[n.array]) for n in self.reverse.forward
               if n.array in self.names and n.operation != INPUT and (n.depth < 0 or not self.own_name(n))}  # fmt: skip
        return LOOKED_UP * len(own & set(re.findall(r"\w+", text)))

    def made(self, c: Node, lines: Sequence[Line], proved: bool = True) -> Passage:
        """Without lines that say nothing, or what a later one says again."""
        said: list[Line] = []
        for k, line in enumerate(lines):
            again = next((x for x in lines[k + 1 :] if (x.left, x.right) == (line.left, line.right)), None)
            if line.left == line.right:
                continue
            before = [x for x in said if (x.left, x.right) == (line.left, line.right)]
            if again is None and not before:
                said.append(line)
            elif again is not None and not before:  # kept where it is first said, at the level of the last
                said.append(Line(line.left, line.right, line.latex_left, line.latex_right, line.reason, again.level))
        name = self.names[c.array]
        return Passage(self.notation.text(name), self.notation.latex(name), tuple(said), proved)

    def readers(self, c: Node) -> list[Node]:
        """The shown nodes that hand a gradient to c, through nodes that are not shown."""
        found = {s.node for s in self.between(c) if s.node in self.shown}
        return sorted(found, key=lambda n: n.number)

    def between(self, c: Node) -> list[Step]:
        """The steps that hand a gradient to c, up to the next nodes that are shown."""
        todo, seen = [c], dict[Node, Step]()
        while todo:
            m = todo.pop()
            for s in self.reverse.steps:
                if any(to is m for to, _ in s.into) and s.node not in seen:
                    seen[s.node] = s
                    todo += [] if s.node in self.shown else [s.node]
        return list(seen.values())

    def gradient_of(self, n: Node, at: tuple[IndexExpr, ...]) -> Term | None:
        """∂L/∂n as an entry; None where n is the loss itself."""
        g = self.step[n].adjoint
        if isinstance(g, Node):
            return self.opened(g.at(at), set(self.adjoint))
        return None if g == 1 else term_of(g, ())

    def abbreviations(self, t: Term) -> list[Node]:
        """Names of the program in a result that have no gradient of their own on the page."""
        used = arrays(t)
        hidden = [n for n in self.reverse.forward if n.meaning is not None and n not in self.shown]
        return [n for n in hidden if n.array in used and n.array in self.names]

    def derivative(
        self, n: Node, n_at: tuple[IndexExpr, ...], c: Node, at: tuple[IndexExpr, ...], alone: bool, result: Term,
        readers: Sequence[Node],
    ) -> tuple[str, Term | None]:  # fmt: skip
        """∂n/∂c, with the compact form that gave it, if one did; `alone`: n is the loss and all that reads c."""
        by_rule = self.by_rule(n, n_at, c, at, len(readers))
        if by_rule is not None:
            return self.step[n].how, by_rule
        forms = [s.how for s in self.between(c) if s.how not in (RULE, MAXIMUM)]
        if alone and forms:
            return forms[0], result
        return "", self.local(n, n_at, c, at)

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

        found = with_entries(self.opened(g.at(at), {own.array}), delta)
        return None if own.array in arrays(found) else found

    def local(self, n: Node, n_at: tuple[IndexExpr, ...], c: Node, at: tuple[IndexExpr, ...]) -> Term | None:
        """∂n/∂c by the laws, in the names that are shown."""
        body = self.body(n, n_at, [m for m in self.unshown if c not in read_by(m)])
        try:
            return differentiate(body, Entry(c.array, at), EMPTY, Names())[0]
        except ProofError:
            return None

    def body(self, n: Node, at: tuple[IndexExpr, ...], kept: Sequence[Node] = ()) -> Term:
        """The definition of n in terms of what is shown, and of what is kept besides."""
        seen = {*self.shown, *kept}
        hidden = [m.array for m in self.reverse.forward if m.meaning is not None and m not in seen]
        return opened(Entry(n.array, at), [n.array, *hidden], self.context)[0]

    def opened(self, t: Term, keep: Collection[Array]) -> Term:
        """A gradient in the names that are shown: the gradients that are kept stay, and names of the user's."""
        back = [
            n.array for n in self.reverse.graph.nodes if n.backward and n.meaning is not None and n.array not in keep
        ]
        known = {*self.names, *keep}
        hidden = [n.array for n in self.reverse.forward if n.meaning is not None and n.array not in known]
        return opened(t, [*back, *hidden], self.context)[0]

    def plain(self, t: Term) -> Term:
        """Compared with nothing hidden."""
        back = [n.array for n in self.reverse.graph.nodes if n.backward and n.meaning is not None]
        forward = [n.array for n in self.reverse.forward if n.meaning is not None]
        return opened(t, [*back, *forward], self.context)[0]

    # --- lines ---------------------------------------------------------------------------------

    def definitions(self, n: Node, c: Node) -> list[Line]:
        """That of n, and those of the author's names on the way to c that the step goes over at once."""
        shortened = n in self.found.shared.known.shortened
        reason = "definition; the shift by the maximum cancels" if shortened else "definition"
        lines = [self.meaning(n, reason)]
        inside = read_by(n)
        jumped = dict.fromkeys(m for s in self.between(c) for m in s.opened if m in self.unshown and m in inside)
        more = sorted([] if shortened else jumped, key=lambda m: -m.number)
        return [*lines, *(self.meaning(m, "definition") for m in more)]

    def meaning(self, n: Node, reason: str) -> Line:
        axes, at = indices(n.shape, self.letters)
        return self.line(Entry(n.array, at), self.body(n, at, self.unshown), axes, reason, USUAL)

    def line(
        self, left: Term, right: Term, axes: Sequence[Index], reason: str, level: int,
        called: Mapping[Array, str] | None = None,
    ) -> Line:  # fmt: skip
        right = plain_letters(self.notation.renamed(right, called), 0, [*(i.name for i in axes), *self.taken])
        (a, p), (b, q) = (self.notation.of(t, axes) for t in (self.notation.renamed(left, called), right))
        return Line(a, b, p, q, reason, level)


__all__ = ["Derivation", "Line", "Passage", "plan"]
