"""Proofs of claims: first and second derivatives, entry by entry over short literal axes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index
from symbackprop.core.instances import instance
from symbackprop.core.kernel import Chain, Inside, Proof, UnderDiff, UnderSum, check
from symbackprop.core.terms import (
    ZERO,
    Add,
    Diff,
    Entry,
    Holds,
    Mul,
    Num,
    ProofError,
    Sum,
    Term,
    Whole,
    add,
    arguments,
    arrays,
    mul,
    open_body,
    over,
    rebuilt,
    subterms,
)

from .conditions.guards import simpler_forward
from .differentiate import Names, differentiate
from .equality import Candidate, candidates, first, gradients, prove_equal, prove_gradient
from .normal_form.normal import Normal
from .normal_form.reduce import TooLarge
from .normal_form.session import AS_WRITTEN, WAYS, Way
from .tidying import Tidy, length

Found = tuple[Proof, Equation]
WORTH = 1.6  # a formula in the forward's own words may be so much longer than its normal form


def prove(lhs: Term, rhs: Term, context: Context, ways: tuple[Way, ...] = WAYS) -> Found | None:
    """A checked proof of lhs = rhs, where lhs may be a derivative of a derivative; or None."""
    try:
        return search(lhs, rhs, context, ways)
    except (ProofError, TooLarge, RecursionError):
        return None


def prove_as_written(lhs: Term, rhs: Term, context: Context) -> Found | None:
    """The same where no step is turned round, which would need that its argument is not 0."""
    if not any(isinstance(s, Holds) for t in (lhs, rhs) for s in subterms(t)):
        return None
    return prove(lhs, rhs, context, AS_WRITTEN)


def prove_simplified(lhs: Term, rhs: Term, context: Context) -> Found | None:
    """The same for a first derivative, after the forward term is written in a way whose derivative needs less."""
    if not isinstance(lhs, Diff) or derivatives(lhs.body):
        return None
    loss = simpler_forward(lhs.body, context)
    if loss is None:
        return None
    try:
        rewritten = prove_equal(lhs.body, loss, context)
        found = prove_gradient(loss, lhs.wrt, rhs, context)
        if rewritten is None or found is None:
            return None
        proof: Proof = Chain(UnderDiff(lhs.wrt, rewritten[0]), (found[0],))
        return proof, check(proof, context)
    except (ProofError, TooLarge, RecursionError):
        return None


def search(lhs: Term, rhs: Term, context: Context, ways: tuple[Way, ...]) -> Found | None:
    simple = unchecked(lhs, rhs, context, ways)
    if simple is not None:
        return first(simple, context)
    assert isinstance(lhs, Diff)
    body, inner = without_derivatives(lhs.body, context, Names())
    found = prove_gradient(body, lhs.wrt, rhs, context, ways)
    if found is None or inner is None:
        return found
    proof: Proof = Chain(UnderDiff(lhs.wrt, inner), (found[0],))
    return proof, check(proof, context)


def unchecked(lhs: Term, rhs: Term, context: Context, ways: tuple[Way, ...] = WAYS) -> Iterator[Candidate] | None:
    """The proofs that `prove` checks one after the other; None where it goes another way."""
    if not isinstance(lhs, Diff):
        return candidates(lhs, rhs, context, Names(), ways=ways)
    return None if derivatives(lhs.body) else gradients(lhs.body, lhs.wrt, rhs, context, ways)


def derivatives(t: Term) -> bool:
    return any(isinstance(s, Diff) for s in subterms(t))


def without_derivatives(t: Term, context: Context, names: Names) -> tuple[Term, Proof | None]:
    """`t` with its derivatives worked out, and the proof that it is the same.  Raises ProofError."""
    if not derivatives(t):
        return t, None
    match t:
        case Diff(body, wrt):
            inside, before = without_derivatives(body, context, names)
            value, law = differentiate(inside, wrt, context, names)
            return value, law if before is None else Chain(UnderDiff(wrt, before), (law,))
        case Sum(size, body, _):
            i: Index = names.new(size)
            value, proof = without_derivatives(open_body(body, (i,)), context, names)
            return over(i, value), None if proof is None else UnderSum(i, proof)
        case Add(args) | Mul(args):
            results = [without_derivatives(a, context, names) for a in args]
            parts = tuple((k, p) for k, (_, p) in enumerate(results) if p is not None)
            return rebuilt(t, tuple(v for v, _ in results)), Inside(t, parts)
        case _:
            raise ProofError("a derivative inside a function")


def derived(lhs: Term, context: Context) -> Term | None:
    """What a right-hand side should be: by the rules of differentiation, or in normal form if that is much shorter.

    None where no law applies.  What comes out is still to be proved.
    """
    try:
        names = Names()
        value, _ = without_derivatives(lhs, context, names)
    except (ProofError, RecursionError):
        return None
    found = Tidy()(value)
    try:
        normal = Normal(context, names)
        found = without_zeros(found, normal)
        reduced = normal.unfolded(normal.of(value)[0])[0]
        return found if length(found) <= WORTH * length(reduced) else reduced
    except (ProofError, TooLarge, RecursionError):
        return found


def in_names(t: Term, context: Context, names: Names) -> Term:
    """With the letters of definitions for what they stand for: p_k for e^{z_k} / Σ_j e^{z_j}.  It proves nothing."""
    if isinstance(t, Sum):
        i = names.new(t.size)
        t = over(i, in_names(open_body(t.body, (i,)), context, names))
    elif arguments(t) and not isinstance(t, Whole | Diff):
        t = rebuilt(t, tuple(in_names(s, context, names) for s in arguments(t)))
    for array, meaning in context.definitions.items():
        if array in arrays(t) or isinstance(meaning.body, Entry | Num):
            continue
        for taken, rest in parted(t, meaning.body):
            found = instance(meaning.body, taken, context.least)
            if found is not None and found.keys() >= set(meaning.axes):
                return mul(*rest, Entry(array, tuple(found[i] for i in meaning.axes)))
    return t


def parted(t: Term, like: Term) -> Iterator[tuple[Term, tuple[Term, ...]]]:
    """The term, or as many of its factors as `like` has, and the others."""
    if isinstance(t, Mul) and isinstance(like, Mul):
        for taken in combinations(t.args, len(like.args)):
            yield mul(*taken), tuple(a for a in t.args if a not in taken)
    else:
        yield t, ()


def without_zeros(t: Term, normal: Normal) -> Term:
    """The terms of a sum that are 0, such as those with Σ (x - mean) in them, left out."""
    match t:
        case Add(args):
            return add(*(without_zeros(a, normal) for a in args if normal.of(a)[0] != ZERO))
        case Mul(args):
            return mul(*(without_zeros(a, normal) for a in args))
        case Sum(size, body, _):
            i = normal.names.new(size)
            return over(i, without_zeros(open_body(body, (i,)), normal))
        case _:
            return t
