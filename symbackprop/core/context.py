"""What a theorem may rest on: definitions, hypotheses; and what it is: an equation with its conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from symbackprop.core.indices import EVERY_SIZE, Index, Least, Node, ProofError, Size, at_least_zero, node, require
from symbackprop.core.syntax import PI, Array, NonNegative, Predicate, Tensor, Term, arrays, free


@node
class Same(Node):
    """The hypothesis lhs = rhs, for all values of its free indices: Σ_k t_nk = 1, A_ij = A_ji."""

    lhs: Term
    rhs: Term


@dataclass(frozen=True, slots=True)
class Recursion:
    """The arrays of a network of any depth: states z^l and signals δ^l for 1 <= l <= L.

    z^{l+1} is `forward` of z^l; the cost is `loss` of z^L, and cost(z^l) is the same as a function of z^l through the
    layers after l.  δ^L is `first` at z^L, and δ^l is `backward` of z^l, z^{l+1} and δ^{l+1}.  Each width has a name
    for layer l, one for l + 1 and one for L.  All other symbols, and arrays without the label, are the same in all
    layers.  An equation about cost(y) and δ^l speaks of the signal at z^l = y.
    """

    cost: str
    label: str
    last: str
    widths: tuple[tuple[str, str, str], ...]
    state: str
    signal: str
    at_last: tuple[Index, ...]  # the axes of z^L
    loss: Term
    first: Term
    above: tuple[Index, ...]  # the axes of z^{l+1}
    forward: Term
    here: tuple[Index, ...]  # the axes of z^l
    backward: Term


Hypothesis: TypeAlias = Same | Predicate


@dataclass(frozen=True, slots=True)
class Context:
    """Definitions (z_i := Σ_k W_ik x_k + b_i), named hypotheses, each for all values of its free indices, least sizes.

    Raises ProofError when a definition depends on more than its axes or, through others, on itself.
    """

    definitions: Mapping[Array, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    hypotheses: Mapping[str, Hypothesis] = field(default_factory=lambda: MappingProxyType({}))
    least: Least = EVERY_SIZE
    recursion: Recursion | None = None  # such a context is only for the step that concludes about it

    named: Mapping[str, list[tuple[Array, Tensor]]] = field(init=False, repr=False, compare=False)
    reached: dict[Array, frozenset[Array] | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "definitions", MappingProxyType(dict(self.definitions)))  # no later change is seen
        object.__setattr__(self, "hypotheses", MappingProxyType(dict(self.hypotheses)))
        object.__setattr__(self, "named", named := dict[str, list[tuple[Array, Tensor]]]())
        object.__setattr__(self, "reached", {})
        for array, meaning in self.definitions.items():
            require(len(set(meaning.axes)) == len(meaning.axes), "{} is defined with an index twice", array)
            require(array.name != PI.array.name, "{} is a number", array)
            require(free(meaning.body) <= frozenset(meaning.axes), "{} depends on more than its axes", array)
            named.setdefault(array.name, []).append((array, meaning))
        for array in self.definitions:
            self.behind(array)

    def knowing(self, more: Mapping[str, Hypothesis]) -> Context:
        """The same with further hypotheses."""
        return Context(self.definitions, {**self.hypotheses, **more}, self.least) if more else self

    def meanings(self, array: Array) -> list[Tensor]:
        """Its definition, and those of arrays that may be the same one (W^l and W^L)."""
        return [t for a, t in self.named.get(array.name, ()) if not apart(a, array, self.least)]

    def behind(self, array: Array) -> frozenset[Array]:
        """The array, and all that its definition looks at."""
        if array not in self.reached:
            self.reached[array] = None  # being looked at
            inside = {b for t in self.meanings(array) for b in arrays(t.body)}
            self.reached[array] = frozenset({array}).union(*map(self.behind, inside))
        found = self.reached[array]
        if found is None:
            raise ProofError(f"the definition of {array} comes back to {array}")
        return found


def apart(a: Array, b: Array, least: Least = EVERY_SIZE) -> bool:
    """Certainly two arrays: W and V, W^l and W^{l+1}; not W^l and W^L, unless l < L is plain."""
    if a.name != b.name:
        return True
    if a.label is None or b.label is None:
        return False
    gap = a.label - b.label
    return at_least_zero(gap - 1, least) or at_least_zero(-gap - 1, least)


def terms_of(h: Hypothesis) -> tuple[Term, ...]:
    """The terms that a hypothesis or a condition speaks of."""
    match h:
        case Same(lhs, rhs):
            return (lhs, rhs)
        case NonNegative():
            return ()
        case _:
            return (h.term,)


EMPTY = Context()


@dataclass(frozen=True, slots=True)
class Equation:
    """lhs = rhs wherever the conditions hold (for all values of their free indices), given the hypotheses named."""

    lhs: Term
    rhs: Term
    conditions: frozenset[Predicate] = frozenset()
    hypotheses: frozenset[str] = frozenset()

    def __str__(self) -> str:
        where = f"  where {', '.join(sorted(map(str, self.conditions)))}" if self.conditions else ""
        given = f"  given {', '.join(sorted(self.hypotheses))}" if self.hypotheses else ""
        return f"{self.lhs} = {self.rhs}{where}{given}"


# --- what is claimed, and what a theorem about it excuses ---


@dataclass(frozen=True, slots=True)
class Statement:
    """lhs = rhs under a context, for all values of the free indices.

    `forward` are the terms whose steps excuse points (for functions); `lengths` are sizes of axes, which are no
    negative numbers.  A `formula` has no forward: both sides are read where they have a value.
    """

    lhs: Term
    rhs: Term
    context: Context
    forward: tuple[Term, ...] = ()
    lengths: tuple[Size, ...] = ()
    formula: bool = False


class Excused(NamedTuple):
    """Points where this does not hold are excused, for what it is about: a kink, a tie, a value, a root."""

    predicate: Predicate
    why: str
