"""What is written on the page of a derivation: names of nodes, terms in these names, lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.terms import Array, Diff, Entry, Term
from symbackprop.gradients.derived import Derived
from symbackprop.gradients.lemmas import opened
from symbackprop.gradients.theorem import ancestors
from symbackprop.prove.equality import has_derivative, prove_equal
from symbackprop.prove.rewriting import everywhere, folding
from symbackprop.read.numpy import INPUT, Node
from symbackprop.write.paper.layout import QUOTED
from symbackprop.write.program.notation import Author
from symbackprop.write.program.parts import worked

from .equations import lettered, plain_letters
from .lines import EVERYTHING, USUAL, Line
from .naming import result
from .notation import Notation
from .parts import IndexLetters
from .source import Program

JOINING = frozenset({"add", "subtract", "multiply", "matmul", "einsum", "sum", "mean", "divide"})
LAWS, LONG = 3, 110  # lines from which a derivative worked out says more than its result, letters that one may have


class Written:
    """The nodes that are shown, what they are called, and how an author writes them."""

    def __init__(self, found: Derived, author: Author) -> None:
        self.found, self.reverse, self.author = found, found.reverse, author
        written, standing = author.written, author.standing
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
                self.adjoint.setdefault(g.array, author.gradient(self.names[n.array]))
        self.names = {a: name for a, name in self.names.items() if a not in self.adjoint}
        loss = "L" if self.reverse.upstream else self.names.get(outputs[0].array, "L")
        self.notation = Notation({**self.names, **self.adjoint}, written, loss, standing)
        upstream = [(o, u) for o, u in self.reverse.upstream.items() if o.array in self.names]
        given = {u.array: author.gradient(self.names[o.array]) for o, u in upstream}
        self.given = Notation({**self.names, **given}, written, loss, standing)
        bare = {n.array for n in self.reverse.forward if n.operation == INPUT or n in outputs}
        own = bare | {n.array for n in self.reverse.forward if self.own_name(n) and n.depth >= 0}
        self.bare, self.own = (
            Notation({**{a: n for a, n in self.names.items() if a in kept}, **given}, written, loss, standing)
            for kept in (bare, own)
        )
        self.taken = {*self.names.values(), *(x for d in self.reverse.declared.values() for x in d.symbols)}
        self.indices = IndexLetters(self.taken, author.letters)

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

    # --- terms ---------------------------------------------------------------------------------

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

    def same(self, t: Term, s: Term) -> bool:
        return prove_equal(self.plain(t), self.plain(s), EMPTY) is not None

    # --- lines ---------------------------------------------------------------------------------

    def meaning(self, n: Node, reason: str) -> Line:
        axes, at = self.indices(n.shape)
        return self.line(Entry(n.array, at), self.body(n, at, self.unshown), axes, reason, USUAL)

    def line(
        self, left: Term | None, right: Term, axes: Sequence[Index], reason: str, level: int,
        called: Mapping[Array, str] | None = None, tidied: bool | None = True,
    ) -> Line:  # fmt: skip
        """The right side is tidied, or stays as it stands, with letters for sums; with None it has its letters."""
        taken = [*(i.name for i in axes), *self.taken]
        right = self.shown_term(right, called)
        if tidied is not None:
            right = (plain_letters if tidied else lettered)(right, 0, taken, self.indices.pool)
        b, q = self.notation.of(right, axes)
        a, p = ("", "") if left is None else self.notation.of(self.notation.renamed(left, called), axes)
        said = QUOTED.sub(lambda m: self.notation.text(m[1]), reason)
        why = QUOTED.sub(lambda m: f"`{self.notation.latex(m[1])}`", reason) if said != reason else ""
        return Line(a, b, p, q, said, level, (), why)

    def shown_term(self, t: Term, called: Mapping[Array, str] | None = None) -> Term:
        """In the names of the page, with those that the author has for some terms."""
        t = self.notation.renamed(t, called)
        for a in self.author.folds.definitions:
            found = everywhere(t, folding(a), self.author.folds)
            t = t if found is None else found[0]
        return t

    def steps(
        self, n: Node, n_at: tuple[IndexExpr, ...], slope: Diff, derivative: Term, axes: Sequence[Index]
    ) -> tuple[Line, ...]:
        """The derivative law by law, where that says more than the line itself."""
        kept = [m for m in self.unshown if slope.wrt.array not in {p.array for p in ancestors([m])}]
        found = worked(self.body(n, n_at, kept), slope.wrt, derivative, self.quoted)
        if not all(self.same(t, derivative) for t, _ in found if not has_derivative(t)):
            return ()
        lines: list[Line] = []
        for t, why in found:
            left, reason = (None, why) if lines else (slope, f"the definition of {self.quoted(n.array)}")
            line = self.line(left, t, axes, reason, EVERYTHING, None, False)
            if not lines or sorted(lines[-1].right) != sorted(line.right):
                lines.append(line)
            else:  # the same in another order: what comes last is how the page has it
                lines[-1] = replace(lines[-1], right=line.right, latex_right=line.latex_right)
        readable = len(lines) >= LAWS and all(len(x.right) <= LONG for x in lines)
        return tuple(lines) if readable else ()

    def said(self, a: Array) -> str:
        return self.notation.text(self.names.get(a, "it"))

    def quoted(self, a: Array) -> str:
        """The name of an array in a reason."""
        return f"`{self.names[a]}`" if a in self.names else "it"
