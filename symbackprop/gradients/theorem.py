"""One theorem of the kernel for each variable: ∂L/∂x = what the sweep found, every intermediate a definition.

The lemmas telescope: the sum over the outputs becomes a sum over what they were made from, and so on, until only the
tangent of the variable is left, which is a delta.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.core.context import EMPTY, Context, Equation, Hypothesis
from symbackprop.core.indices import Index, IndexExpr, ProofError, affine
from symbackprop.core.kernel import By, Flip, Linear, Proof, Rephrase, Seen, UnderSum, Values, check
from symbackprop.core.sums import LITERAL
from symbackprop.core.terms import (
    ONE, Array, Delta, Diff, Entry, NonNegative, Positive, Term, add, mul, predicate_key, substitute, sum_over,
)  # fmt: skip
from symbackprop.core.terms import indices
from symbackprop.gradients.lemmas import (
    NAMELESS, Lemma, Lemmas, Meanings, Opened, meanings, opened, tangents, term_of, with_variable,
)
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined
from symbackprop.read.numpy import Node

from .congruence import Literal
from .reindexing import as_they_stand, prove_linear
from .reverse import Adjoint, Reverse

ROUNDS = 4
StepOf = tuple[tuple[Index, ...], Term, Proof]


@dataclass(frozen=True, slots=True)
class GradientTheorem:
    """`equation` is ∂loss/∂variable = gradient under `context`, in which every intermediate is defined."""

    variable: str
    proof: Proof
    equation: Equation
    context: Context = field(repr=False)


class Theorems:
    """The theorems of a sweep; what they share is proved once."""

    def __init__(
        self, reverse: Reverse, hypotheses: Mapping[str, Hypothesis] | None = None, more: Iterable[Node] = ()
    ) -> None:
        """`more` are results of which something is to be proved besides."""
        self.reverse = reverse
        self.nodes = needed(reverse, more)
        self.known = meanings(reverse, self.nodes)
        signs = {name: h for name, h in (hypotheses or {}).items() if isinstance(h, Positive)}
        self.lemmas = lemmas_of(reverse, self.known, signs)
        self.literal = Literal(reverse, self.known, self.nodes)
        self.context = Context({**self.known.definitions, **self.literal.definitions}, dict(hypotheses or {}))
        self.seen = Seen(self.context)
        self.totals: dict[object, list[StepOf]] = {}
        self.proofs: dict[str, Proof] = {}

    def theorem(self, variable: str, claimed: Opened | None = None, kept: Collection[Array] = ()) -> GradientTheorem:
        """`claimed` is another term for the gradient at the indices w0, w1, ..., with the proof gradient = it.

        Its conditions are on the variables, and on the nodes that are `kept`.  Raises ProofError, NotProved.
        """
        proof = self.proof(variable, claimed)
        found = check(proof, self.context, self.seen)
        names = {self.literal.names.get(a, a) for a in kept}
        others = [a for a in self.context.definitions if a not in names]
        for _ in range(ROUNDS):  # what restates a condition may have conditions of its own
            restated = self.opened_conditions(proof, found, others)
            if restated is None:
                break
            proof, found = restated, check(restated, self.context, self.seen)
        return GradientTheorem(variable, proof, found, self.context)

    def proof(self, variable: str, claimed: Opened | None = None) -> Proof:
        """The same without its equation, and not checked yet."""
        if claimed is not None:
            return Telescope(self, self.reverse.graph.inputs[variable]).proof(claimed)
        if variable not in self.proofs:
            self.proofs[variable] = Telescope(self, self.reverse.graph.inputs[variable]).proof()
        return self.proofs[variable]

    def opened_conditions(self, proof: Proof, found: Equation, names: Collection[Array]) -> Proof | None:
        """The theorem with its conditions opened: one on a name may say nothing, or what never holds."""
        parts = []
        for c in sorted(found.conditions, key=predicate_key):
            if not isinstance(c, NonNegative):
                _, by_opening = opened(c.term, names, self.context)
                if by_opening is not None:
                    parts.append((c, by_opening))
        return Rephrase(proof, tuple(parts)) if parts else None

    # --- what is shared ------------------------------------------------------------------------

    def loss(self) -> Term:
        return objective(self.reverse)

    def total(self, node: Node, parts: list[Adjoint]) -> list[StepOf]:
        """The contributions to a node add up to its adjoint, as steps under the tangent of the node (by ω)."""
        key = node, tuple(map(id, parts))
        if key not in self.totals:
            self.totals[key] = self.added_up(node, parts)
        return self.totals[key]

    def added_up(self, node: Node, parts: list[Adjoint]) -> list[StepOf]:
        adjoint = next(s.adjoint for s in self.reverse.steps if s.node is node)
        if len(parts) == 1 and parts[0] is adjoint:
            return []
        axes, at = indices(node.shape, NAMELESS)
        tangent = self.lemmas.slope(node, at, [], node.named)[0]
        whole, pieces = term_of(adjoint, at), add(*(term_of(p, at) for p in parts))
        for names in self.levels(adjoint, parts):
            a, b = opened(pieces, names, self.context), opened(whole, names, self.context)
            found = as_they_stand(a[0], b[0]) or prove_equal(a[0], b[0], EMPTY)
            if found is not None:
                return [(axes, tangent, joined(a[1], found[0], b[1] and Flip(b[1])))]
        left, right = (sum_over(axes, mul(t, tangents(tangent))) for t in (a[0], b[0]))
        found = prove_linear(left, right, self.lemmas.shape)
        if found is not None:  # what is put together from slices may be equal under the sum only
            ends_of = [(axes, tangent, p) for p in (a[1], b[1] and Flip(b[1])) if p is not None]
            return [((), ONE, found[0]), *ends_of]
        raise ProofError(f"the gradients that come together at {node} do not add up")

    def levels(self, adjoint: Adjoint, parts: list[Adjoint]) -> Iterator[list[Array]]:
        """Names to open: what adds the parts up, then the parts as well, then everything."""
        nodes = [p for p in parts if isinstance(p, Node)]
        before = set(ancestors(nodes))
        between = [n for n in (adjoint, *ancestors([adjoint])) if n not in before] if isinstance(adjoint, Node) else []
        yield [n.array for n in between if n.named and n not in nodes]
        yield [n.array for n in (*between, *nodes) if n.named]
        yield [n.array for n in self.nodes if n.backward and n.meaning is not None]


def lemmas_of(reverse: Reverse, known: Meanings, signs: Mapping[str, Hypothesis]) -> Lemmas:
    """Those of the steps, found once; what else is known by name makes no difference to them."""
    found = reverse.lemmas
    if not isinstance(found, Lemmas) or found.steps is not reverse.steps or found.assumed.hypotheses != signs:
        found = reverse.lemmas = Lemmas(reverse, known, Context(hypotheses=signs))
    return found


def objective(reverse: Reverse) -> Term:
    """What is differentiated: the scalar output, or the sum over the outputs of upstream * output."""
    if not reverse.upstream:
        return reverse.graph.outputs[0].value.term(())
    parts = []
    for output, g in reverse.upstream.items():
        axes, at = indices(output.shape, "p")
        parts.append(sum_over(axes, mul(g.value.term(at), output.value.term(at))))
    return add(*parts)


class Telescope:
    """The proof for one variable."""

    def __init__(self, shared: Theorems, variable: Node) -> None:
        self.shared, self.reverse, self.variable = shared, shared.reverse, variable
        self.axes, at = indices(variable.shape, "w")
        self.at = at
        self.wrt = Entry(variable.array, at)
        self.moving = {variable}
        for n in self.reverse.forward:
            if not self.moving.isdisjoint(n.parents):
                self.moving.add(n)
        self.steps: list[StepOf] = []
        self.parts: dict[Node, list[Adjoint]] = {}

    def proof(self, claimed: Opened | None = None) -> Proof:
        shared, literal = self.shared, self.shared.literal
        loss = shared.loss()
        start, by_laws = self.slope_of(loss)
        self.begin()
        lemmas = {l.step.node: l for l in shared.lemmas.found}
        for step in self.reverse.steps:
            if step.node not in self.moving:
                continue
            axes, at = indices(step.node.shape, NAMELESS)
            self.steps += with_variable(tuple(shared.total(step.node, self.parts.get(step.node, []))), self.wrt)
            if step.node is self.variable:
                law = By("diff_entry", (Entry(self.variable.array, at), self.wrt))
                self.steps.append((axes, term_of(step.adjoint, at), law))
            elif step.node in lemmas:
                self.use(lemmas[step.node])
        found = next((s.adjoint for s in self.reverse.steps if s.node is self.variable), 0.0)
        steps = tuple(map(self.written_out, self.steps))
        summed_up, contracted = self.deltas_contracted(found)
        telescoped = joined(by_laws, Linear(start, summed_up, steps), contracted)
        final, adjoint = self.gradient(found)
        if claimed is not None:
            final, adjoint = claimed[0], joined(adjoint, claimed[1]) if adjoint or claimed[1] else None
        return literal.theorem(joined(telescoped, adjoint), loss, final, self.wrt)

    def written_out(self, step: StepOf) -> StepOf:
        """Sums over axes of small literal size are written out by the kernel where they are terms: so here."""
        axes, factor, proof = step
        literal = list(filter(is_literal, axes))
        if not literal:
            return step
        equation = check(proof, self.shared.context, self.shared.seen)
        whole: Proof = Linear(mul(factor, equation.lhs), mul(factor, equation.rhs), (((), factor, proof),))
        for i in literal:
            whole = UnderSum(i, whole)
        return tuple(i for i in axes if i not in literal), ONE, whole

    def deltas_contracted(self, found: Adjoint) -> Opened:
        """Σ_p g_p δ(p, w) over axes that are written out, with the proof that it is g_w; else g_w itself."""
        value = term_of(found, self.at)
        literal = [i for i in self.axes if is_literal(i)]
        if not literal or not isinstance(found, Node):
            return value, None
        moved = {i: Index(f"{i.name}'", i.size) for i in literal}
        at = tuple(moved.get(i, i) if isinstance(i, Index) else i for i in self.at)
        deltas = (Delta(moved[i], i) for i in literal)
        total = sum_over(moved.values(), mul(term_of(found, at), *deltas))
        return total, value_by_value(total, value, literal)

    def gradient(self, found: Adjoint) -> Opened:
        """The gradient that is handed over, which may be the adjoint broadcast to the shape of the variable."""
        final = term_of(self.reverse.gradients[str(self.variable.name)], self.at)
        have = term_of(found, self.at)
        if final == have:
            return final, None
        value, proof = opened(final, [n.array for n in self.shared.nodes if n.backward], self.shared.context)
        other, by_opening = opened(have, [n.array for n in self.shared.nodes if n.backward], self.shared.context)
        return final, joined(by_opening, Linear(other, value), proof and Flip(proof))

    def begin(self) -> None:
        if self.reverse.upstream:
            for output, g in self.reverse.upstream.items():
                self.parts.setdefault(output, []).append(g)
                if output not in self.moving and output.array in self.shared.lemmas.kept:
                    axes, at = indices(output.shape, NAMELESS)
                    self.steps.append((axes, term_of(g, at), independence(output, at, self.wrt)))
        else:
            self.parts[self.reverse.graph.outputs[0]] = [1.0]

    def slope_of(self, t: Term) -> tuple[Term, Proof]:
        return differentiate(t, self.wrt, EMPTY, Names(), self.shared.lemmas.kept)

    def tangent(self, node: Node, at: tuple[object, ...]) -> Term:
        entry = node.value.term(at)  # type: ignore[arg-type]
        return Diff(entry, self.wrt) if node.named else self.slope_of(entry)[0]

    def use(self, lemma: Lemma) -> None:
        """The steps that turn Σ g dN into the sums over the nodes that the step hands to."""
        node, wrt = lemma.step.node, self.wrt
        adjoint = term_of(lemma.step.adjoint, lemma.at)
        slope = with_variable(lemma.slope, wrt)
        if node.named and lemma.law is not None:
            self.steps.append((lemma.axes, adjoint, with_variable(lemma.law, wrt)))
        if lemma.left[1] is not None:
            self.steps.append((lemma.axes, slope, lemma.left[1]))
        if lemma.proof is not None:
            self.steps.append(((), ONE, with_variable(lemma.proof, wrt)))
        still = {to for to, *_ in lemma.rights if to not in self.moving}
        for _, axes, (_, by_opening), tangent in lemma.rights:
            if by_opening is not None:
                self.steps.append((axes, with_variable(tangent, wrt), Flip(by_opening)))
        for to, axes, zero in lemma.zeros:
            _, at = indices(to.shape, NAMELESS)
            self.steps.append((axes, self.tangent(to, at), zero))
        for to, g in lemma.step.into:
            if to in still:
                axes, at = indices(to.shape, NAMELESS)
                self.steps.append((axes, term_of(g, at), independence(to, at, wrt)))
            else:
                self.parts.setdefault(to, []).append(g)


def is_literal(i: Index) -> bool:
    """The kernel writes out sums over it."""
    return i.size.constant is not None and i.size.constant <= LITERAL


def value_by_value(lhs: Term, rhs: Term, axes: Sequence[Index]) -> Proof:
    """lhs = rhs as sums of products for each value of these axes."""
    if not axes:
        return Linear(lhs, rhs)
    i = axes[0]
    here: list[dict[Index, IndexExpr]] = [{i: affine(v, ())} for v in range(i.size.constant or 0)]
    each = tuple(value_by_value(substitute(lhs, h), substitute(rhs, h), axes[1:]) for h in here)
    return Values(i, lhs, rhs, each)


def independence(node: Node, at: tuple[object, ...], wrt: Entry) -> Proof:
    """∂c/∂w = 0 for a node that does not depend on w."""
    entry = node.value.term(at)  # type: ignore[arg-type]
    return By("diff_independent", (entry, wrt))


def ancestors(nodes: Iterable[Node]) -> set[Node]:
    """What these are made from."""
    found: set[Node] = set()
    todo = list(nodes)
    while todo:
        for p in todo.pop().parents:
            if p not in found:
                found.add(p)
                todo.append(p)
    return found


def behind(nodes: Collection[Node]) -> list[Node]:
    """What these are made from, and they themselves, in order."""
    return sorted({*nodes, *ancestors(nodes)}, key=lambda n: n.number)


def needed(reverse: Reverse, more: Iterable[Node] = ()) -> list[Node]:
    """The nodes that the outputs, the gradients and the steps rest on, and further ones."""
    todo: list[Node] = [*more, *reverse.graph.outputs, *reverse.upstream.values()]
    todo += [g for g in reverse.gradients.values() if isinstance(g, Node)]
    for s in reverse.steps:
        todo += [g for _, g in (*s.into, *s.dropped) if isinstance(g, Node)] + [s.node, *s.opened]
    return behind(todo)
