"""Proving an equation, and a gradient: the proofs that the kernel then checks."""

from __future__ import annotations

from ..core.context import EMPTY, Context, Equation
from ..core.indices import Index
from ..core.kernel import Chain, Flip, Linear, Proof, Rephrase, Seen, check
from ..core.ordering import key, predicate_key
from ..core.sums import same
from ..core.terms import ONE, Diff, Entry, Nonzero, Positive, ProofError, Term, sub
from .differentiate import Names, differentiate
from .normal import Normal
from .reduce import TooLarge
from .zero import prove_zero


def prove_equal(lhs: Term, rhs: Term, context: Context = EMPTY) -> tuple[Proof, Equation] | None:
    """A proof that the kernel has checked of lhs = rhs, with the theorem, or None when none was found."""
    return search(lhs, rhs, context, Normal(context))


def search(lhs: Term, rhs: Term, context: Context, normal: Normal) -> tuple[Proof, Equation] | None:
    try:
        seen: Seen = {}
        left, by_left = normal.of(lhs)
        right, by_right = normal.of(rhs)
        steps: tuple[tuple[tuple[Index, ...], Term, Proof], ...] = ()
        if not same(left, right)[0]:
            zero = prove_zero(sub(left, right), normal)
            if zero is None:
                return None
            steps = (((), ONE, zero),)
        proof: Proof = Chain(by_left, (Linear(left, right, steps), Flip(by_right)))
        theorem = check(proof, context, seen)
    except (ProofError, TooLarge):
        return None
    return with_plain_signs(proof, theorem, context, normal, seen)


def with_plain_signs(proof: Proof, theorem: Equation, context: Context, normal: Normal, seen: Seen) -> tuple[Proof, Equation]:
    """Conditions on canonical bases restated on the terms they came from, whose sign is plain to see."""
    for condition in sorted(theorem.conditions, key=predicate_key):
        if isinstance(condition, Positive | Nonzero) and key(condition.term) in normal.known:
            base, _, equal = normal.known[key(condition.term)]
            if equal is not None:
                proof = Rephrase(proof, condition, Chain(Linear(condition.term, base), (Flip(equal),)))
    return proof, check(proof, context, seen)


def prove_gradient(loss: Term, wrt: Entry, claimed: Term, context: Context = EMPTY) -> tuple[Proof, Equation] | None:
    """A checked proof of ∂loss/∂wrt = claimed, for all sizes and all indices of `wrt`, or None."""
    normal = Normal(context)
    try:
        derivative, by_laws = differentiate(loss, wrt, context, normal.names)
    except ProofError:
        return None
    found = search(derivative, claimed, context, normal)
    if found is None:
        return None
    proof = Chain(by_laws, (found[0],))
    theorem = check(proof, context)
    assert theorem.lhs == Diff(loss, wrt)
    return proof, theorem


__all__ = ["Names", "prove_equal", "prove_gradient"]
