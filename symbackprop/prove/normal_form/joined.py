"""What a rewriting gives: the new term, and the proof that it is equal to the old one."""

from __future__ import annotations

from symbackprop.core.kernel import Chain, Proof
from symbackprop.core.terms import Term

Rewritten = tuple[Term, Proof | None]  # None: nothing changed


def joined(*proofs: Proof | None) -> Proof:
    """The chain of those that are there."""
    kept = [p for p in proofs if p is not None]
    return kept[0] if len(kept) == 1 else Chain(kept[0], tuple(kept[1:]))
