"""Proving an equation, and a gradient: the proofs that the kernel then checks."""

from __future__ import annotations

from ..core.context import EMPTY, Context, Equation
from ..core.kernel import Chain, Linear, Proof, check
from ..core.terms import Diff, Entry, ProofError, Term
from .differentiate import Names, differentiate


def prove_equal(lhs: Term, rhs: Term, context: Context = EMPTY) -> tuple[Proof, Equation] | None:
    """A proof that the kernel has checked of lhs = rhs, with the theorem, or None when none was found."""
    proof = Linear(lhs, rhs)
    try:
        return proof, check(proof, context)
    except ProofError:
        return None


def prove_gradient(loss: Term, wrt: Entry, claimed: Term, context: Context = EMPTY) -> tuple[Proof, Equation] | None:
    """A checked proof of ∂loss/∂wrt = claimed, for all sizes and all indices of `wrt`, or None."""
    derivative, by_laws = differentiate(loss, wrt, context, Names())
    found = prove_equal(derivative, claimed, context)
    if found is None:
        return None
    proof = Chain(by_laws, (found[0],))
    theorem = check(proof, context)
    assert theorem.lhs == Diff(loss, wrt)
    return proof, theorem
