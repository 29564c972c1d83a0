"""The gradient by a symmetric matrix: which of three is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.terms import Delta, Diff, Entry, Term, add, mul, neg, num, subterms
from symbackprop.decide.outcomes import PROVED, REFUTED
from symbackprop.functions.claims import Claim
from symbackprop.functions.request import Request
from symbackprop.functions.verdict import Verdict

AMBIENT, SYMMETRIC, ENTRIES = "ambient", "symmetric", "entries"
MEANT = {
    AMBIENT: "{} is symmetric: this is the gradient G among all matrices, taken there",
    SYMMETRIC: "{} is symmetric: this is the gradient among symmetric matrices, (G + Gᵀ)/2",
    ENTRIES: "{} is symmetric: this is the derivative by its entries on and below the diagonal, G + Gᵀ - diag G",
}
INSTEAD = {
    SYMMETRIC: "the gradient among symmetric matrices, (G + Gᵀ)/2, where the one among all matrices is asked",
    ENTRIES: "the derivative by the free entries of a symmetric matrix, where the gradient among all matrices is asked",
}


def kinds_of_gradients(
    request: Request, claims: Sequence[Claim], hypotheses: Sequence[Hypothesis], meant: Mapping[str, str]
) -> dict[str, str]:
    """For each symmetric variable which gradient the claim is about.

    Raises SymbackpropError for a kind that there is not, and for a variable that is not symmetric.
    """
    symmetric = [c.name for c in claims if symmetric_in(hypotheses, c.name) and first_derivative(c)]
    for name, kind in meant.items():
        if kind not in MEANT:
            kinds = ", ".join(MEANT)
            raise SymbackpropError(f"{request.asked}: the gradient by {name} is one of {kinds}, not {kind!r}")
        if name not in symmetric:
            raise SymbackpropError(f"{request.asked}: {name} is not symmetric: say {name} == {name}.T in assuming")
    return {name: meant.get(name, AMBIENT) for name in symmetric}


def first_derivative(claim: Claim) -> bool:
    return isinstance(claim.lhs, Diff) and not any(isinstance(s, Diff) for s in subterms(claim.lhs.body))


def symmetric_in(hypotheses: Iterable[Hypothesis], name: str) -> bool:
    """Whether A_ij = A_ji is assumed."""
    for h in hypotheses:
        match h:
            case Same(Entry(a, (i, j)), Entry(b, at)) if a == b and a.name == name and at == (j, i):
                if isinstance(i, Index) and isinstance(j, Index):
                    return True
    return False


def as_meant(claim: Claim, kind: str) -> Claim:
    """The claim about another gradient by the same matrix."""
    match claim.lhs:
        case Diff(loss, Entry(array, (i, j))) if kind != AMBIENT and isinstance(i, Index) and isinstance(j, Index):
            g, transposed = claim.lhs, Diff(loss, Entry(array, (j, i)))
            term: Term = mul(num(Fraction(1, 2)), add(g, transposed))
            if kind == ENTRIES:
                term = add(g, transposed, neg(mul(Delta(i, j), g)))
            return replace(claim, lhs=term)
        case _:
            return claim


def explained(claim: Claim, verdict: Verdict, kind: str, decide: Callable[[Claim], Verdict]) -> Verdict:
    """The verdict with what is meant, and what the claim is where it is another gradient than that."""
    note = MEANT[kind].format(claim.name)
    if verdict.status == REFUTED and kind == AMBIENT and claim.conforms:
        for other, text in INSTEAD.items():
            if decide(as_meant(claim, other)).status == PROVED:
                hint = f"symmetric={{{claim.name!r}: {other!r}}} asks for it"
                return replace(verdict, mistake=text, reason=hint, notes=(*verdict.notes, note))
    return replace(verdict, notes=(*verdict.notes, note))
