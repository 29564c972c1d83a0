"""What a backward function claims, in the names of the user's own intermediates; and its proof by matching.

The claim mentions the nodes of the two functions only.  What the proof needs besides, such as the derived gradient,
is introduced inside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index
from symbackprop.core.kernel import Let, Proof, discharged
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, Term, arrays, require
from symbackprop.gradients.congruence import second_name
from symbackprop.gradients.lemmas import everywhere_in, term_of
from symbackprop.core.terms import indices
from symbackprop.gradients.reverse import Adjoint, Reverse
from symbackprop.gradients.theorem import GradientTheorem, behind, objective
from symbackprop.read.numpy import Node

ARRANGING = frozenset({"reshape", "ravel", "flatten", "transpose", "swapaxes", "moveaxis", "rollaxis"})


@dataclass(frozen=True, slots=True)
class NamedClaim:
    """∂loss/∂variable = result at `axes`, where `definitions` say what the intermediates are.

    `forward` has the outputs, and then what they are made from by another order of its entries alone.
    """

    lhs: Diff
    rhs: Term
    axes: tuple[Index, ...]
    definitions: Mapping[Array, Tensor]
    forward: tuple[Term, ...]


def named_claim(reverse: Reverse, results: Mapping[str, Adjoint], variable: str) -> NamedClaim:
    axes, at = indices(reverse.graph.inputs[variable].shape, "w")
    outputs = reverse.graph.outputs
    lhs = Diff(objective(reverse), Entry(Array(variable), at))
    forward = tuple(o.value.term(indices(o.shape, "i")[1]) for o in (*outputs, *arranged(outputs)))
    ends = [*outputs, *(r for r in results.values() if isinstance(r, Node))]  # the same for all variables
    return NamedClaim(lhs, term_of(results[variable], at), axes, meanings_of(ends), forward)


def arranged(nodes: Collection[Node]) -> list[Node]:
    """What these nodes have all the entries of, in another order: its rows may be other ones than theirs."""
    found = []
    for n in nodes:
        while n.operation in ARRANGING and len(n.parents) == 1 and n.parents[0].named:
            n = n.parents[0]
            found.append(n)
    return found


def meanings_of(nodes: Collection[Node]) -> dict[Array, Tensor]:
    """What these nodes, and all that they are made from, mean."""
    return {n.array: n.meaning for n in behind(nodes) if n.meaning is not None}


def proved_claim(theorem: GradientTheorem, claim: NamedClaim, context: Context) -> tuple[Proof, Equation]:
    """A proof of the claim under `context`, which has its definitions, to be checked with what rests on it.

    The conditions of the theorem are on the names of the claim.  Raises ProofError where it is about another claim.
    """
    proof, names = with_names_inside(theorem.proof, theorem.context, claim)
    found = renamed(theorem.equation, names) if names else theorem.equation
    require((found.lhs, found.rhs) == (claim.lhs, claim.rhs), "the proof is about another claim")
    return proof, discharged(found, context)


def with_names_inside(proof: Proof, context: Context, claim: NamedClaim) -> tuple[Proof, Mapping[Array, Array]]:
    """The proof with the names that are not those of the claim introduced inside it; and what was renamed.

    Raises ProofError where the claim means something else by a name.
    """
    definitions = dict(context.definitions)
    second = {a: b for a in definitions if (b := second_name(a)) in definitions}
    names: dict[Array, Array] = {}
    if second:  # the name alone is for what the program computes
        names = {**{a: Array(f"{a.name}'", a.label) for a in second}, **{b: a for a, b in second.items()}}
        proof, definitions = renamed(proof, names), renamed(definitions, names)
    for array in reversed(in_order(Context(definitions))):
        if array not in claim.definitions:
            proof = Let(array, definitions[array], proof)
        else:
            require(definitions[array] == claim.definitions[array], "{} means something else", array)
    return proof, names


def renamed(x: Any, names: Mapping[Array, Array]) -> Any:
    if isinstance(x, dict):
        return {names.get(a, a): renamed(t, names) for a, t in x.items()}
    return everywhere_in(x, lambda y: names.get(y) if isinstance(y, Array) else None)


def in_order(context: Context) -> list[Array]:
    """The names, each after those that its meaning mentions."""
    found: dict[Array, None] = {}

    def visit(array: Array) -> None:
        if array in found or array not in context.definitions:
            return
        for a in sorted(arrays(context.definitions[array].body), key=lambda a: a.name):
            visit(a)
        found[array] = None

    for array in context.definitions:
        visit(array)
    return list(found)
