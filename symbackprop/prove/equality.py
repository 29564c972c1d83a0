"""Proving an equation, and a gradient: the proofs that the kernel then checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from symbackprop.core.context import EMPTY, Context, Equation
from symbackprop.core.indices import Index, IndexExpr, affine
from symbackprop.core.kernel import Linear, Proof, Rephrase, Seen, UnderDiff, Values, check
from symbackprop.core.laws.functions import IN_EXPONENTIALS
from symbackprop.core.ordering import predicate_key
from symbackprop.core.sums import LITERAL, same
from symbackprop.core.terms import (
    ONE,
    Apply,
    Entry,
    NonNegative,
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
from .normal_form.normal import Normal
from .normal_form.radix import strides
from .normal_form.reduce import TooLarge
from .normal_form.session import QUICK, RANKS_KEPT, WAYS, Way, step_of_steps
from .normal_form.zero import prove_zero
from .rules.whole_arrays import with_merged

ROUNDS = 4


Found = tuple[Proof, Equation]
Ways = tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proof that nobody has checked yet, with what knows the names in it."""

    proof: Proof
    normal: Normal | None = None

    @property
    def plain(self) -> bool:
        return self.normal is None or not self.normal.meanings

    def checked(self, context: Context) -> Found | None:
        """With the theorem, names introduced and conditions on terms whose sign is plain; None where it is no proof."""
        seen = Seen(context)
        try:
            proof = self.proof if self.normal is None else without_names(self.proof, self.normal, seen)
            return proof, check(proof, context, seen)
        except (ProofError, TooLarge):
            return None


def first(candidates: Iterable[Candidate], context: Context) -> Found | None:
    """The first of them that is a proof."""
    return next((found for c in candidates if (found := c.checked(context)) is not None), None)


def prove_equal(lhs: Term, rhs: Term, context: Context = EMPTY, ways: Ways = WAYS) -> Found | None:
    """A proof that the kernel has checked of lhs = rhs, with the theorem, or None when none was found."""
    return first(candidates(lhs, rhs, context, Names(), ways=ways), context)


def by_distributing(lhs: Term, rhs: Term, context: Context) -> Found | None:
    """As sums of products alone, where a normal form would ask for more: that of [-u > 0] asks for u != 0."""
    try:
        return Linear(lhs, rhs), check(Linear(lhs, rhs), context)
    except (ProofError, TooLarge, RecursionError):
        return None


def prove_gradient(loss: Term, wrt: Entry, claimed: Term, context: Context = EMPTY, ways: Ways = WAYS) -> Found | None:
    """A checked proof of ∂loss/∂wrt = claimed, for all sizes and all indices of `wrt`, or None."""
    return first(gradients(loss, wrt, claimed, context, ways), context)


def gradients(loss: Term, wrt: Entry, claimed: Term, context: Context, ways: Ways = WAYS) -> Iterator[Candidate]:
    """Proofs of ∂loss/∂wrt = claimed, as they are found."""
    for shorter in (True, False):
        names = Names()
        try:
            body, before = without_maxima(loss, context, names) if shorter else with_merged(loss, names)
            opened = None if before is None else UnderDiff(wrt, before)
            derivative, by_laws = differentiate(body, wrt, context, names)
            right, after = (
                without_maxima(claimed, context, names) if shorter and has_maximum(claimed) else (claimed, None)
            )
        except (ProofError, TooLarge):
            continue
        yield from candidates(derivative, right, context, names, joined(opened, by_laws), flipped(after), ways)


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


def candidates(
    lhs: Term,
    rhs: Term,
    context: Context,
    names: Names,
    before: Proof | None = None,
    after: Proof | None = None,
    ways: Ways = WAYS,
) -> Iterator[Candidate]:
    """Proofs of lhs = rhs as they are found, between `before`, of something = lhs, and `after`, of rhs = something."""
    by = strides((lhs, rhs))
    usual = (QUICK, *ways) if ways is WAYS and has_exponential_functions(lhs, rhs) else ways
    ranks = ways is WAYS and any(step_of_steps(s) for t in (lhs, rhs) for s in subterms(t))
    for way in (RANKS_KEPT, *usual) if ranks else usual:
        found = attempt(lhs, rhs, Normal(context, names, way, by), before, after)
        if found is not None:
            yield found
    by_values = value_by_value(lhs, rhs, context, names, before, after)
    if by_values is not None:
        yield by_values


def has_exponential_functions(*terms: Term) -> bool:
    return any(isinstance(s, Apply) and s.fn in IN_EXPONENTIALS for t in terms for s in subterms(t))


def value_by_value(
    lhs: Term, rhs: Term, context: Context, names: Names, before: Proof | None, after: Proof | None
) -> Candidate | None:
    """An index of a small literal size: the equation for each of its values."""
    small = [i for i in free(lhs) | free(rhs) if i.size.constant is not None and 1 <= i.size.constant <= LITERAL]
    if not small:
        return None
    i = min(small, key=lambda i: i.name)
    each = []
    for v in range(i.size.constant or 0):
        here: dict[Index, IndexExpr] = {i: affine(v, ())}
        found = first(candidates(substitute(lhs, here), substitute(rhs, here), context, names), context)
        if found is None:
            return None
        each.append(found[0])
    return Candidate(joined(before, Values(i, lhs, rhs, tuple(each)), after))


def attempt(lhs: Term, rhs: Term, normal: Normal, before: Proof | None, after: Proof | None) -> Candidate | None:
    try:
        left, by_left = normal.of(lhs)
        right, by_right = normal.of(rhs)
        steps: tuple[tuple[tuple[Index, ...], Term, Proof], ...] = ()
        if not same(left, right)[0]:
            zero = prove_zero(sub(left, right), normal)
            if zero is None:
                return None
            steps = (((), ONE, zero),)
        return Candidate(joined(before, by_left, Linear(left, right, steps), flipped(by_right), after), normal)
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
        if isinstance(condition, NonNegative):
            continue
        plain, equal = normal.shown(condition.term) or (condition.term, None)
        equal = flipped(equal)
        _, unfolded = normal.unfolded(plain)
        if equal is not None or unfolded is not None:
            parts.append((condition, joined(equal, unfolded)))
    return Rephrase(proof, tuple(parts)) if parts else proof


__all__ = ["Names", "prove_equal", "prove_gradient"]
