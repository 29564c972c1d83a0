"""Each step of the reverse sweep as a small theorem, found once for all variables.

With a tangent dc for each node c, an arbitrary array, the step of a node N with adjoint g says

    Σ_p g_p dN_p  =  Σ_c Σ_q k_c[q] dc[q]        for all tangents,

where dN is what the definition of N gives for the tangents of what it is made from, and k_c is what the step hands
to c.  For a variable x the tangent dc is ∂c/∂x: the proof is data, so this is put in place of the name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from fractions import Fraction
from typing import Any

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index, IndexExpr, Size
from symbackprop.core.kernel import Let, Linear, Proof, UnderDiff
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Array, Diff, Entry, Term, add, arrays, map_opened, mul, num, subterms, sum_over
from symbackprop.core.terms import ZERO as NOTHING
from symbackprop.gradients.reindexing import prove_linear
from symbackprop.gradients.reverse import ZERO, Adjoint, Reverse, Step
from symbackprop.gradients.sample import Drawn, limited
from symbackprop.prove.differentiate import Names, differentiate
from symbackprop.prove.equality import has_maximum, prove_equal, without_maxima
from symbackprop.prove.normal_form.session import joined
from symbackprop.prove.rewriting import everywhere, repeated, unfolding
from symbackprop.read.numpy import INPUT, UNIT, ZERO_AT, Node

Opened = tuple[Term, Proof | None]


NAMELESS = "q"  # the indices of the gradients of inner nodes


def indices(shape: Iterable[Size], letter: str) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
    """Indices for the axes longer than 1, and the index expressions of all axes."""
    axes = [Index(f"{letter}{k}", s) for k, s in enumerate(shape)]
    return tuple(i for i in axes if i.size != UNIT), tuple(ZERO_AT if i.size == UNIT else i for i in axes)


def with_entries(t: Term, f: Callable[[Entry], Term | None]) -> Term:
    """`t` with f(entry) for each entry where it gives something; indices under sums are opened first."""
    return f(t) or t if isinstance(t, Entry) else map_opened(t, lambda s: with_entries(s, f))


def opened(t: Term, arrays: Collection[Array], context: Context) -> Opened:
    """The term with the names of these arrays replaced by what they mean, as often as they occur."""
    known = [a for a in arrays if a in context.definitions]
    if not known:
        return t, None
    return everywhere(t, repeated(unfolding(*known)), context) or (t, None)


def lengths(definitions: Mapping[Array, Tensor]) -> Callable[[Term], int]:
    """How many terms a term has when all names are opened."""
    known: dict[Array, int] = {}

    def of(t: Term) -> int:
        return sum(behind(s.array) if isinstance(s, Entry) else 1 for s in subterms(t))

    def behind(a: Array) -> int:
        if a not in known:
            known[a] = of(definitions[a].body) if a in definitions else 1
        return known[a]

    return of


@dataclass(slots=True)
class Meanings:
    """Definitions in which a node that is computed with a shift by a maximum is defined without it.

    `shortened` has for such a node the proof that what the program computes, its `Shift` opened, is that form.
    """

    definitions: dict[Array, Tensor]
    shortened: dict[Node, tuple[tuple[Index, ...], Proof]] = field(default_factory=dict)

    @property
    def context(self) -> Context:
        return Context(self.definitions)


def meanings(reverse: Reverse, nodes: Collection[Node]) -> Meanings:
    """Raises ProofError where a maximum that should only shift cannot be taken out."""
    found = Meanings({n.array: n.meaning for n in nodes if n.meaning is not None})
    literal = Context(found.definitions)
    for step in reverse.steps:
        shift = reverse.shifts.get(step.node)
        if shift is None or step.node.meaning is None:
            continue
        inside = [n.array for n in (step.node, *shift.inside)]
        axes, at = indices(step.node.shape, "p")
        value, _ = opened(step.node.value.term(at), inside, literal)
        if not has_maximum(value):
            continue
        short, proof = without_maxima(value, EMPTY, Names())
        whole = tuple(Index(f"p{k}", s) for k, s in enumerate(step.node.shape))
        found.definitions[step.node.array] = Tensor(whole, short)
        found.shortened[step.node] = axes, signs_settled(proof)
    return found


def signs_settled(proof: Proof) -> Proof:
    """The proof without the conditions that are plain from signs: under a derivative each would ask for smoothness.

    The kernel settles signs where a name is introduced, so one is, which nothing mentions.
    """
    return Let(Array("%"), Tensor((), ONE), proof)


def inner(step: Step) -> list[Array]:
    """The names that a step opens."""
    return [n.array for n in (step.node, *step.opened) if n.named]


# --- the steps --------------------------------------------------------------------------------


LONGEST = 20_000  # terms of what is proved 0, its names opened
TANGENT = "∂"  # in front of the name of what it is the tangent of
OMEGA = Entry(Array("ω"), ())  # stands for the entry of the variable


@dataclass(slots=True)
class Lemma:
    """Σ_axes left * dN = Σ rights, with the proofs that the parts of it are what they are called.

    `slope` is dN in the tangents of other nodes and `law` its proof; `left` is the adjoint, opened; `rights` has for
    each node of the step its contribution, opened.  Proofs are None where nothing was opened, and `proof` is where the
    sides are one sum of products: the sum of all steps shows that.
    """

    step: Step
    axes: tuple[Index, ...]
    at: tuple[IndexExpr, ...]
    slope: Term
    law: Proof | None
    left: Opened
    rights: list[tuple[Node, tuple[Index, ...], Opened, Term]]
    proof: Proof | None
    zeros: list[tuple[Node, tuple[Index, ...], Proof]]


class NotProved(Exception):
    """A step for which no proof was found; `how` is what to do without."""

    def __init__(self, step: Step, how: str) -> None:
        super().__init__(f"{step.node}: {how}")
        self.step, self.how = step, how


class Lemmas:
    """The lemmas of a sweep."""

    def __init__(self, reverse: Reverse, known: Meanings, assumed: Context = EMPTY) -> None:
        """`assumed` has hypotheses that may settle signs."""
        self.reverse, self.known, self.context, self.assumed = reverse, known, known.context, assumed
        self.steps = reverse.steps
        self.kept = frozenset(n.array for n in reverse.active if n.named)
        self.backward = [n.array for n in reverse.graph.nodes if n.backward and n.meaning is not None]
        self.differ = Drawn(reverse.sample, self.axes, limited(assumed)).differ
        self.heard: set[Array] = set()  # adjoints of the steps so far: their names stay
        self.found = [self.lemma(s) for s in reverse.steps if s.into or s.dropped]

    def lemma(self, step: Step) -> Lemma:
        """Raises NotProved."""
        own = adjoint_arrays(step.adjoint)
        before = set(self.heard)
        self.heard |= own
        ways = (self.heard, before, set[Array]()) if isinstance(step.adjoint, Node) else (self.heard,)
        for aside in dict.fromkeys(((), reused(step), reused(step, deeply=True))):
            for heard in ways:
                found = self.attempt(step, heard, aside)
                if found is not None:
                    return found
        raise NotProved(step, step.how)

    def attempt(self, step: Step, heard: set[Array], aside: Sequence[Array] = ()) -> Lemma | None:
        """`aside` are further values to be opened."""
        node = step.node
        axes, at = indices(node.shape, "p")
        slope, law = self.slope(node, at, inner(step))
        back = [a for a in self.backward if a not in heard]
        later = [*aside, *(n.array for n in self.reverse.forward if n.number > node.number and n.named)]
        left = opened(term_of(step.adjoint, at), [*back, *inner(step), *later], self.context)
        rights = []
        for to, g in (*step.into, *step.dropped):
            axes_to, at_to = indices(to.shape, NAMELESS)
            part = opened(term_of(g, at_to), [*back, *inner(step), *later], self.context)
            rights.append((to, axes_to, part, self.slope(to, at_to, [], to.named)[0]))
        lhs = sum_over(axes, mul(left[0], slope))
        rhs = add(*(sum_over(a, mul(part[0], t)) for _, a, part, t in rights))
        found = prove_linear(tangents(lhs), tangents(rhs), self.shape, self.assumed, self.differ)
        if found is None:
            return None
        zeros = [(to, *self.zero(step, to, g, heard)) for to, g in step.dropped]
        plain = isinstance(found[0], Linear) and not found[0].steps
        return Lemma(step, axes, at, slope, law, left, rights, None if plain else found[0], zeros)

    def shape(self, tangent: Array) -> tuple[Size, ...] | None:
        """The axes of a tangent; None for what is none."""
        if not tangent.name.startswith(TANGENT):
            return None
        return self.reverse.recorder.by_array[Array(tangent.name.removeprefix(TANGENT))].shape

    def axes(self, array: Array) -> tuple[Size, ...] | None:
        """Of a node, or of its tangent."""
        node = self.reverse.recorder.by_array.get(Array(array.name.removeprefix(TANGENT), array.label))
        return None if node is None else node.shape

    def slope(self, node: Node, at: tuple[IndexExpr, ...], names: list[Array], end: bool = False) -> Opened:
        """∂N/∂ω in terms of ∂c/∂ω for the nodes c before, with its proof; at its end the name itself."""
        entry = node.value.term(at)
        if end:
            return Diff(entry, OMEGA), None
        value, by_opening = opened(entry, names, self.context)
        if not isinstance(value, Entry) or value.array not in self.kept or value != entry:
            kept = self.kept - frozenset(names)
            derivative, law = differentiate(value, OMEGA, EMPTY, Names(), kept)
            return derivative, under(by_opening, law)
        return Diff(value, OMEGA), None

    def zero(self, step: Step, to: Node, g: Adjoint, heard: set[Array]) -> tuple[tuple[Index, ...], Proof]:
        """g = 0, with as little opened as is needed."""
        axes, at = indices(to.shape, NAMELESS)
        term = term_of(g, at)
        back = [a for a in self.backward if a not in heard]
        later = [n.array for n in self.reverse.forward if n.meaning is not None]
        near = [n.array for n in (step.node, *step.node.parents) if n.meaning is not None]
        for names in (back, [*back, *near], [*back, *later], [*self.backward, *later]):
            if lengths({a: d for a, d in self.context.definitions.items() if a in names})(term) > LONGEST:
                break
            value, by_opening = opened(term, names, self.context)
            found = prove_equal(value, NOTHING, self.assumed)
            if found is not None:
                return axes, joined(by_opening, found[0])
        raise NotProved(step, ZERO)


def under(by_opening: Proof | None, law: Proof) -> Proof:
    return law if by_opening is None else joined(UnderDiff(OMEGA, by_opening), law)


def reused(step: Step, deeply: bool = False) -> tuple[Array, ...]:
    """Earlier values of the forward in the contributions, which the step is not made from: x^2 beside x^3.

    Deeply, those they are made from as well: the mean of x in x - mean, beside the variance.
    """
    own = {step.node, *step.node.parents}
    found = [p for _, g in step.into if isinstance(g, Node) for p in read_by(g, step.node)]
    for p in found if deeply else ():  # which grows
        found += [q for q in p.parents if q.meaning is not None and q not in own and q not in found]
    return tuple(dict.fromkeys(p.array for p in found if p not in own))


def read_by(g: Node, node: Node) -> Iterator[Node]:
    """What a contribution reads of the forward before the node."""
    for p in g.parents:
        if p.backward:
            yield from read_by(p, node)
        elif p.meaning is not None and p.number < node.number:
            yield p


def term_of(g: Adjoint, at: tuple[IndexExpr, ...]) -> Term:
    return g.at(at) if isinstance(g, Node) else num(Fraction(repr(float(g))))


def adjoint_arrays(g: Adjoint) -> frozenset[Array]:
    """The names whose entries an adjoint has."""
    if not isinstance(g, Node) or g.operation == INPUT:
        return frozenset()
    return arrays(g.value.term(indices(g.shape, "p")[1]))


# --- names for tangents ----------------------------------------------------------------------------


def tangents(t: Any) -> Any:
    """∂c[q]/∂ω as the entry of an array: the search need not know that it is a derivative."""
    return everywhere_in(t, lambda x: tangent(x) if isinstance(x, Diff) and x.wrt == OMEGA else None)


def tangent(d: Diff) -> Entry:
    assert isinstance(d.body, Entry)
    return Entry(Array(TANGENT + d.body.array.name), d.body.at)


def with_variable(x: Any, wrt: Entry) -> Any:
    """A proof or a term with ∂c/∂wrt for the tangent of c, and wrt for ω."""

    def replaced(t: Any) -> Any:
        if isinstance(t, Entry):
            if t == OMEGA:
                return wrt
            if t.array.name.startswith(TANGENT):
                return Diff(Entry(Array(t.array.name.removeprefix(TANGENT)), t.at), wrt)
        return None

    return everywhere_in(x, replaced)


def everywhere_in(x: Any, f: Callable[[Any], Any]) -> Any:
    """Plain data with f(part) in place of each outermost part where f gives something."""
    memo: dict[int, Any] = {}

    def go(y: Any) -> Any:
        if id(y) in memo:
            return memo[id(y)][1]
        result = f(y)
        if result is None:
            if isinstance(y, tuple):
                parts = [go(z) for z in y]
                changed = any(a is not b for a, b in zip(parts, y, strict=True))
                result = tuple(parts) if changed else y
            elif is_dataclass(y) and not isinstance(y, Index | Array | type):
                values = {n.name: getattr(y, n.name) for n in fields(y)}
                new = {k: go(v) for k, v in values.items()}
                changed = any(new[k] is not values[k] for k in values)
                result = type(y)(**new) if changed else y
            else:
                result = y
        memo[id(y)] = y, result
        return result

    return go(x)
