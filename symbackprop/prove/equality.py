"""Proving an equation, and a gradient: the proofs that the kernel then checks."""

from __future__ import annotations

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.kernel import Linear, Proof, Rephrase, Seen, UnderDiff, Values, check
from symbackprop.core.laws.functions import IN_EXPONENTIALS
from symbackprop.core.ordering import predicate_key
from symbackprop.core.sums import LITERAL, same
from symbackprop.core.terms import (
    ONE,
    Apply,
    Diff,
    Entry,
    Nonzero,
    Positive,
    ProofError,
    Term,
    Whole,
    free,
    require,
    sub,
    substitute,
    subterms,
)

from .differentiate import Names, differentiate
from .normal_form.joined import flipped, joined
from .normal_form.normal import QUICK, WAYS, Normal
from .normal_form.radix import strides
from .normal_form.reduce import TooLarge
from .normal_form.zero import prove_zero
from .rules.whole_arrays import with_merged

ROUNDS = 4


def prove_equal(lhs: Term, rhs: Term, context: Context = EMPTY) -> tuple[Proof, Equation] | None:
    """A proof that the kernel has checked of lhs = rhs, with the theorem, or None when none was found."""
    return search(lhs, rhs, context, Names())


def prove_gradient(loss: Term, wrt: Entry, claimed: Term, context: Context = EMPTY) -> tuple[Proof, Equation] | None:
    """A checked proof of ∂loss/∂wrt = claimed, for all sizes and all indices of `wrt`, or None."""
    for shorter in (True, False):
        names = Names()
        try:
            body, before = without_maxima(loss, context, names) if shorter else with_merged(loss, names)
            first = None if before is None else UnderDiff(wrt, before)
            derivative, by_laws = differentiate(body, wrt, context, names)
            right, after = (
                without_maxima(claimed, context, names) if shorter and has_maximum(claimed) else (claimed, None)
            )
        except (ProofError, TooLarge):
            continue
        found = search(derivative, right, context, names, joined(first, by_laws), flipped(after))
        if found is not None:
            assert found[1].lhs == Diff(loss, wrt)
            return found
    return None


def without_maxima(t: Term, context: Context, names: Names) -> tuple[Term, Proof]:
    """The term without the largest entries that only shift exponents: log Σ e^{z - max z} + max z = log Σ e^z.

    Such a loss is differentiable where the maximum is not, and its derivative is much shorter.
    """
    require(has_maximum(t), "no maximum to do without")
    normal = Normal(context, names)
    value, proof = normal.of(t)
    plain, unfolded = normal.unfolded(value)
    require(not has_maximum(plain), "the maximum counts")
    return plain, without_names(joined(proof, unfolded), normal, Seen(context))


def has_maximum(t: Term) -> bool:
    return any(isinstance(s, Whole) and s.fn == "max" for s in subterms(t))


def search(
    lhs: Term, rhs: Term, context: Context, names: Names, before: Proof | None = None, after: Proof | None = None
) -> tuple[Proof, Equation] | None:
    """A checked proof of lhs = rhs, between `before`, a proof of something = lhs, and `after`, of rhs = something."""
    by = strides((lhs, rhs))
    for way in (QUICK, *WAYS) if has_exponential_functions(lhs, rhs) else WAYS:
        normal = Normal(context, names, way, by)
        found = attempt(lhs, rhs, context, normal, before, after)
        if found is not None:
            return found
    return value_by_value(lhs, rhs, context, names, before, after)


def has_exponential_functions(*terms: Term) -> bool:
    return any(isinstance(s, Apply) and s.fn in IN_EXPONENTIALS for t in terms for s in subterms(t))


def value_by_value(
    lhs: Term, rhs: Term, context: Context, names: Names, before: Proof | None, after: Proof | None
) -> tuple[Proof, Equation] | None:
    """An index of a small literal size: the equation for each of its values."""
    small = [i for i in free(lhs) | free(rhs) if i.size.constant is not None and 1 <= i.size.constant <= LITERAL]
    if not small:
        return None
    i = min(small, key=lambda i: i.name)
    each = []
    for v in range(i.size.constant or 0):
        here: dict[Index, IndexExpr] = {i: affine(v, ())}
        found = search(substitute(lhs, here), substitute(rhs, here), context, names)
        if found is None:
            return None
        each.append(found[0])
    proof = joined(before, Values(i, lhs, rhs, tuple(each)), after)
    return proof, check(proof, context)


def attempt(
    lhs: Term, rhs: Term, context: Context, normal: Normal, before: Proof | None, after: Proof | None
) -> tuple[Proof, Equation] | None:
    try:
        left, by_left = normal.of(lhs)
        right, by_right = normal.of(rhs)
        steps: tuple[tuple[tuple[Index, ...], Term, Proof], ...] = ()
        if not same(left, right)[0]:
            zero = prove_zero(sub(left, right), normal)
            if zero is None:
                return None
            steps = (((), ONE, zero),)
        proof = joined(before, by_left, Linear(left, right, steps), flipped(by_right), after)
        seen = Seen(context)
        proof = without_names(proof, normal, seen)
        return proof, check(proof, context, seen)
    except (ProofError, TooLarge):
        return None


def without_names(proof: Proof, normal: Normal, base: Seen) -> Proof:
    """The proof with its conditions on terms whose sign is plain, and every name for a compound term introduced."""
    seen = base
    for array, meaning in normal.meanings.items():
        seen = seen.within(array, meaning)
    theorem = check(proof, seen.context, seen)
    for _ in range(ROUNDS):  # the proofs that restate conditions may have conditions of their own
        restated = with_plain_signs(proof, theorem, normal)
        if restated is proof:
            break
        proof, theorem = restated, check(restated, seen.context, seen)
    return normal.closed(proof)


def with_plain_signs(proof: Proof, theorem: Equation, normal: Normal) -> Proof:
    """Conditions on canonical bases restated on the terms they came from, whose sign is plain to see."""
    parts = []
    for condition in sorted(theorem.conditions, key=predicate_key):
        if not isinstance(condition, Positive | Nonzero):
            continue
        plain, equal = normal.shown(condition.term) or (condition.term, None)
        equal = flipped(equal)
        _, unfolded = normal.unfolded(plain)
        if equal is not None or unfolded is not None:
            parts.append((condition, joined(equal, unfolded)))
    return Rephrase(proof, tuple(parts)) if parts else proof


__all__ = ["Names", "prove_equal", "prove_gradient"]
