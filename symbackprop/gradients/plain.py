"""A theorem about named intermediates as one about the variables alone, in the words of a claim.

The names are introduced inside the proof, each by its meaning, and do not occur in the equation.
"""

from __future__ import annotations

from collections.abc import Callable

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.kernel import Flip, Let, Linear, Proof, UnderDiff, check
from symbackprop.core.terms import Array, Diff, ProofError, Term, arrays, require
from symbackprop.prove.equality import prove_equal
from symbackprop.prove.normal_form.session import joined

from .meanings import opened
from .reindexing import as_they_stand
from .theorem import GradientTheorem


def through(theorem: GradientTheorem) -> Callable[[Term, Term, Context], tuple[Proof, Equation] | None]:
    """A way of proving the claim of this theorem, and nothing else."""

    def way(lhs: Term, rhs: Term, context: Context) -> tuple[Proof, Equation] | None:
        try:
            return in_words_of(theorem, lhs, rhs, context) if isinstance(lhs, Diff) else None
        except (ProofError, RecursionError):
            return None

    return way


def in_words_of(theorem: GradientTheorem, lhs: Diff, rhs: Term, context: Context) -> tuple[Proof, Equation]:
    """A checked proof under `context` of lhs = rhs, which are the sides of the theorem with nothing named.

    Raises ProofError where they are not.
    """
    named = theorem.equation
    assert isinstance(named.lhs, Diff)
    require(named.lhs.wrt == lhs.wrt, "{} is no derivative by {}", lhs, named.lhs.wrt)
    loss = same_opened(lhs.body, named.lhs.body, theorem.context)
    result = same_opened(rhs, named.rhs, theorem.context)
    proof = joined(UnderDiff(lhs.wrt, loss), theorem.proof, Flip(result))
    for array in reversed(in_order(theorem.context)):
        proof = Let(array, theorem.context.definitions[array], proof)
    found = check(proof, context)
    require((found.lhs, found.rhs) == (lhs, rhs), "the proof is about another claim")
    return proof, found


def same_opened(plain: Term, named: Term, context: Context) -> Proof:
    """plain = named, whose names are opened."""
    value, by_opening = opened(named, tuple(context.definitions), context)
    if value == plain:
        return (by_opening and Flip(by_opening)) or Linear(plain, named)
    found = as_they_stand(plain, value) or prove_equal(plain, value, EMPTY)
    if found is None:
        raise ProofError(f"{plain} is not what {named} means")
    return joined(found[0], by_opening and Flip(by_opening))


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
