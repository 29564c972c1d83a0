"""What the names of a derivation mean, and terms with some of them opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index, IndexExpr, Size
from symbackprop.core.kernel import Let, Proof
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Array, Entry, Term, map_opened, subterms
from symbackprop.prove.differentiate import Names
from symbackprop.prove.equality import has_maximum, without_maxima
from symbackprop.prove.rewriting import everywhere, repeated, unfolding
from symbackprop.read.numpy import UNIT, ZERO_AT, Node

from .reverse import Reverse, Step

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
