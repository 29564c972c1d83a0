"""What a rewriting gives: the new term, and the proof that it is equal to the old one."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.core.kernel import Chain, Flip, Linear, Proof
from symbackprop.core.terms import Term, neg

Rewritten = tuple[Term, Proof | None]  # None: nothing changed


def joined(*proofs: Proof | None) -> Proof:
    """The chain of those that are there, as short as it can be: a = b and b = c by sums of products are one step."""
    links: list[Proof] = []
    for p in (link for q in proofs if q is not None for link in links_of(q)):
        if links and isinstance(p, Linear) and isinstance(last := links[-1], Linear):
            links[-1] = Linear(last.lhs, p.rhs, (*last.steps, *p.steps))
        else:
            links.append(p)
    kept = [p for p in links if not (isinstance(p, Linear) and p.lhs == p.rhs and not p.steps)] or links[:1]
    return kept[0] if len(kept) == 1 else Chain(kept[0], tuple(kept[1:]))


def either(*proofs: Proof | None) -> Proof | None:
    """The chain of those that are there, None where there are none."""
    return joined(*proofs) if any(p is not None for p in proofs) else None


def links_of(p: Proof) -> Iterator[Proof]:
    if isinstance(p, Chain):
        for part in (p.first, *p.rest):
            yield from links_of(part)
    else:
        yield p


def flipped(p: Proof | None) -> Proof | None:
    """From a = b the proof of b = a."""
    match p:
        case None:
            return None
        case Linear(lhs, rhs, steps):
            return Linear(rhs, lhs, tuple((dummies, neg(factor), q) for dummies, factor, q in steps))
        case Chain(first, rest):
            return joined(*(flipped(q) for q in reversed((first, *rest))))
        case Flip(inner):
            return inner
        case _:
            return Flip(p)
