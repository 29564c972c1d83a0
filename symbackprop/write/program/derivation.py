"""A derivation as a careful author writes it, planned from the graph: nothing here knows a formula.

From the outputs back, for each intermediate that has a name: the definitions of what reads it, the chain rule, the
local derivatives, what is left when the deltas contract, and the matrix form.  Each passage is proved before it is
written: the sum of the chain rule, with the local derivatives put in, is the gradient that the sweep has found, and a
matrix form is lowered to its entries again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.core.context import EMPTY, Same
from symbackprop.core.indices import Index, IndexExpr, ProofError
from symbackprop.core.kernel import check
from symbackprop.core.terms import Array, Delta, Diff, Entry, Term, add, arrays, free, mul, substitute, sum_over
from symbackprop.gradients.derived import Derived
from symbackprop.gradients.lemmas import everywhere_in, opened, term_of, with_entries
from symbackprop.gradients.reverse import MAXIMUM, RULE, Step
from symbackprop.gradients.theorem import ancestors
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.rewriting import assuming, everywhere
from symbackprop.prove.working_out import Tidy, length
from symbackprop.read.numpy import INPUT, UNIT, Node
from symbackprop.write.program.drawing import picture
from symbackprop.write.program.notation import GRADIENT, Author, Both, jacobian, partial, stood

from .lines import EVERYTHING, RESULT, USUAL, Derivation, Line, Passage
from .matrix_forms import by_entries, cost, matrix_form
from .parts import has_delta, of_derivative, put_together, simpler
from .written import Written

WIDE = 90  # letters of a formula that is put together
LOOKED_UP = 7  # what a name that is made up costs beside the letters that it stands for
GRADIENTS = re.compile(r"∂\w+/∂\w+")


def plan(
    found: Derived, title: str, given: Sequence[str] = (), author: Author | None = None, remarks: Sequence[str] = ()
) -> Derivation:
    planner = Planner(found, author or Author())
    name, signals = planner.notation, planner.author.signals
    gradients = {str(u.name): planner.names.get(o.array, "") for o, u in found.reverse.upstream.items()}
    called = {n: name.name(signals[of]) if of in signals else name.gradient(of) for n, of in gradients.items() if of}
    declared = found.reverse.declared.items()
    shapes = tuple((called.get(n, (name.text(n), name.latex(n))), d.shape) for n, d in declared)
    passages = tuple(planner.passages())
    seen = picture(found.reverse, planner.shown, planner.names, name)
    return Derivation(title, tuple(found.proofs), shapes, passages, tuple(given), tuple(remarks), seen)


class Planner(Written):
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
        axes, at = self.indices(c.shape)
        left = Entry(Array(GRADIENT + self.names[c.array]), at)
        if not isinstance(g, Node):
            lines = [line for n in readers for line in self.definitions(n, c)]
            return self.made(c, [*lines, self.line(left, term_of(g, ()), axes, "put together", RESULT)])
        if not readers:
            result = self.opened(g.at(at), set(self.adjoint) - {g.array})
            return self.made(c, [self.line(left, result, axes, "the outputs have its entries as they are", RESULT)])
        if self.author.jacobians and readers == [*self.reverse.graph.outputs]:
            return self.jacobian_passage(c, g, readers[0])
        called = {a.array: self.author.gradient(self.names[n.array]) for n in readers
                  if (a := self.adjoint_of(n)) is not None}  # fmt: skip
        lines = [line for n in readers for line in self.definitions(n, c)]
        result = simpler(self.opened(g.at(at), set(called))) if g.array not in called else g.at(at)
        total, chain, local = [], [], []
        for n in readers:
            n_axes, n_at = self.indices(n.shape, *axes)
            up = self.gradient_of(n, n_at)
            slope = Diff(Entry(n.array, n_at), Entry(c.array, at))
            chain.append(sum_over(n_axes, slope if up is None else mul(up, slope)))
            form, derivative = self.derivative(n, n_at, c, at, up is None and len(readers) == 1, result, readers)
            if derivative is None:
                return None
            derivative = Tidy()(derivative)
            reason = of_derivative(form, self.body(n, n_at), c, self.said)
            line = self.line(slope, derivative, (*n_axes, *axes), reason, EVERYTHING, called)
            cited = form in self.author.cited
            steps = () if cited else self.steps(n, n_at, slope, derivative, (*n_axes, *axes))
            local.append(replace(line, steps=steps))
            total.append((n_axes, derivative, up))
        put_in = add(*(sum_over(a, d if up is None else mul(up, d)) for a, d, up in total))
        proved = all(prove_equal(self.plain(t), self.plain(g.at(at)), EMPTY) is not None for t in (put_in, result))
        lines.append(self.line(left, add(*chain), axes, "chain rule", USUAL, called, None))
        lines += local
        said = {line.left for line in lines}
        lines += [line for m in self.abbreviations(result) if (line := self.meaning(m, "abbreviated")).left not in said]
        last = "the deltas contract" if any(has_delta(d) for _, d, _ in total) else "put together"
        lines.append(self.line(left, result, axes, last, RESULT, called))
        at_once = matrix_form(g, self.notation.renamed(result, called), axes, self.given, called)
        if at_once is not None:
            lines.append(self.at_once(c, at_once, axes))
        closing = self.closing(c, g, result, called) if c.operation == INPUT else None
        if closing is not None:
            return replace(self.made(c, [*lines, *closing[0]], proved), result=(left, closing[1]))
        if c.operation == INPUT and 0 < len(axes) <= 2:
            lines += self.put_in(c, g, axes, at, "" if at_once is None else at_once[0])
        if c.operation == INPUT and not self.author.closed:
            lines += self.jacobian(c, g)
        return replace(self.made(c, lines, proved), result=(left, self.shown_term(result, called)))

    def at_once(self, c: Node, form: Both, axes: Sequence[Index], reason: str = "all entries at once") -> Line:
        name = self.notation.gradient(self.names[c.array])
        stack = ", ".join(i.name for i in axes[:-2]) if len(axes) > 2 and "einsum" not in form[0] else ""
        return Line(name[0], form[0], name[1], form[1], f"{reason}, for each {stack}" if stack else reason, RESULT)

    def closing(self, c: Node, g: Node, result: Term, called: Mapping[Array, str]) -> tuple[list[Line], Term] | None:
        """With inner gradients put in, where the author does so, and what the hypotheses then say."""
        axes, at = self.indices(c.shape)
        left, context = Entry(Array(GRADIENT + self.names[c.array]), at), self.found.shared.context
        steps: list[tuple[Term, str]] = []
        upstream = {u.array for u in self.reverse.upstream.values()}
        if self.author.closed and arrays(result) & (called.keys() - upstream):
            open_term = self.opened(g.at(at), ())
            whole = min(simpler(Tidy()(open_term)), put_together(open_term), key=length)
            if self.same(whole, g.at(at)):
                steps.append((whole, "with what is above put in"))
        for name, h in context.hypotheses.items():
            found = everywhere(steps[-1][0] if steps else result, assuming(name), context)
            if found is not None and isinstance(h, Same):
                check(found[1], context)
                outer = sorted(free(h.lhs), key=lambda i: i.name)
                axes_of_h, _ = self.indices([i.size for i in outer])
                said = substitute(h.lhs, dict(zip(outer, axes_of_h, strict=True)))
                given = self.line(said, h.rhs, axes_of_h, "", RESULT)
                steps.append((put_together(found[0]), f"{given.left} = {given.right}"))
        if not steps:
            return None
        lines = [self.line(left, t, axes, why, RESULT, called) for t, why in steps]
        last = self.shown_term(steps[-1][0], called)
        form = by_entries(last, axes) if 0 < len(axes) <= 2 else None
        if form is not None:
            lines.append(self.at_once(c, self.notation.matrix(stood(form, len(axes), self.notation.standing)), axes))
        return lines, last

    def jacobian_passage(self, c: Node, g: Node, n: Node) -> Passage | None:
        """∂n/∂c for the only output n, entry by entry and as a matrix."""
        n_axes, n_at = self.indices(n.shape)
        axes, at = self.indices(c.shape, *n_axes)
        slope = Diff(Entry(n.array, n_at), Entry(c.array, at))
        form, derivative = self.derivative(n, n_at, c, at, False, g.at(at), [n])
        if derivative is None:
            return None
        derivative = Tidy()(derivative)
        reason = of_derivative(form, self.body(n, n_at), c, self.said)
        line = self.line(slope, derivative, (*n_axes, *axes), reason, RESULT)
        line = replace(line, steps=self.steps(n, n_at, slope, derivative, (*n_axes, *axes)))
        found = self.made(c, [*self.definitions(n, c), line, *self.jacobian(c, g)[1:]])
        return replace(found, result=(self.shown_term(slope), self.shown_term(derivative)))

    def jacobian(self, c: Node, g: Node) -> list[Line]:
        """∂y/∂c for one vector y by a vector: the gradient with a delta for the upstream gradient."""
        if len(self.reverse.upstream) != 1:
            return []
        ((o, u),) = self.reverse.upstream.items()
        if o not in self.shown or not o.ndim == c.ndim == 1 or UNIT in (*o.shape, *c.shape):
            return []
        (i,), _ = self.indices(o.shape)
        (j,), _ = self.indices(c.shape, i)
        hidden = [n.array for n in self.reverse.graph.nodes if n.meaning is not None and n.array not in self.names]
        back = [n.array for n in self.reverse.graph.nodes if n.backward and n.meaning is not None]
        whole = opened(g.at((j,)), [*back, *hidden], self.context)[0]
        found = simpler(Tidy()(with_entries(whole, lambda e: Delta(i, e.at[0]) if e.array == u.array else None)))
        term = self.output_first(found, (i,), (j,))
        left = Diff(Entry(o.array, (i,)), Entry(c.array, (j,)))
        lines = [self.line(left, term, (i, j), "the Jacobian: a delta for the gradient by the output", RESULT)]
        form = by_entries(self.notation.renamed(term), (i, j))
        if form is not None:
            form = jacobian(form, self.notation.standing)
            (a, p), (b, q) = (self.notation.name(self.names[x.array]) for x in (o, c))
            text, tex = self.notation.matrix(form)
            lines.append(Line(f"∂{a}/∂{b}", text, partial(p, q), tex, "all entries at once", RESULT))
        return lines

    def put_in(self, c: Node, g: Node, axes: Sequence[Index], at: tuple[IndexExpr, ...], before: str) -> list[Line]:
        """The gradient by a variable with everything put in, where that is a line and not longer than it must be."""
        if not self.notation.standing.usual:
            return []
        terms = ((self.everything(g, at), self.bare), (None, self.own))
        forms = [matrix_form(g, t, axes, notation, {}) for t, notation in terms]
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
        said: dict[tuple[str, str], Line] = {}
        for line in lines:
            sides = line.left, line.right
            if line.left != line.right:  # kept where it is first said, at the level of the last
                said[sides] = replace(said.get(sides, line), level=line.level)
        name = self.names[c.array]
        return Passage(self.notation.text(name), self.notation.latex(name), tuple(said.values()), proved)

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
            return self.step[n].how, self.output_first(by_rule, n_at, at)
        forms = [s.how for s in self.between(c) if s.how not in (RULE, MAXIMUM)]
        if alone and forms:
            return forms[0], result
        return "", self.local(n, n_at, c, at)

    def output_first(self, t: Term, n_at: Sequence[IndexExpr], at: Sequence[IndexExpr]) -> Term:
        """A symmetric Jacobian as s_i (δ_ij - s_j) for ∂s_i/∂z_j, not s_j (δ_ji - s_i)."""
        pairs = {i: j for i, j in zip((*n_at, *at), (*at, *n_at), strict=True) if isinstance(i, Index)}
        if [i.size for i in n_at if isinstance(i, Index)] != [i.size for i in at if isinstance(i, Index)]:
            return t
        swapped = everywhere_in(
            substitute(t, pairs), lambda d: Delta(d.j, d.i) if isinstance(d, Delta) and d.j in n_at else None
        )
        return swapped if self.same(swapped, t) else t

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
        body = self.body(n, n_at, [m for m in self.unshown if c not in ancestors([m])])
        try:
            return differentiate(body, Entry(c.array, at), EMPTY, Names())[0]
        except ProofError:
            return None

    # --- lines ---------------------------------------------------------------------------------

    def definitions(self, n: Node, c: Node) -> list[Line]:
        """That of n, and those of the author's names on the way to c that the step goes over at once."""
        shortened = n in self.found.shared.known.shortened
        reason = "definition; the shift by the maximum cancels" if shortened else "definition"
        lines = [self.meaning(n, reason)]
        inside = ancestors([n])
        jumped = dict.fromkeys(m for s in self.between(c) for m in s.opened if m in self.unshown and m in inside)
        more = sorted([] if shortened else jumped, key=lambda m: -m.number)
        return [*lines, *(self.meaning(m, "definition") for m in more)]
