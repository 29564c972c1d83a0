"""Terms rewritten in their parts, with the proof."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from symbackprop.core.indices import Index
from symbackprop.core.kernel import Inside, Proof, UnderDiff, UnderSum, UnderWhole
from symbackprop.core.terms import Diff, Sum, Term, Whole, arguments, bind, open_body, rebuilt

Rewritten: TypeAlias = tuple[Term, Proof | None]  # None: nothing changed


def in_parts(
    t: Term, rewrite: Callable[[Term], Rewritten], indices: Callable[[Sum | Whole], tuple[Index, ...]]
) -> Rewritten:
    """`t` with each of its parts rewritten by itself; `indices` are new ones for the dummies of a binder."""
    match t:
        case Sum(size, body, letter):
            (i,) = indices(t)
            value, proof = rewrite(open_body(body, (i,)))
            return (t, None) if proof is None else (Sum(size, bind((i,), value), letter), UnderSum(i, proof))
        case Whole(fn, order, sizes, body, at, letters):
            axes = indices(t)
            value, proof = rewrite(open_body(body, axes))
            inside = Whole(fn, order, sizes, bind(axes, value), at, letters)
            return (t, None) if proof is None else (inside, UnderWhole(fn, order, axes, at, proof))
        case Diff(body, wrt):
            value, proof = rewrite(body)
            return (t, None) if proof is None else (Diff(value, wrt), UnderDiff(wrt, proof))
        case _:
            results = [rewrite(a) for a in arguments(t)]
            parts = tuple((k, p) for k, (_, p) in enumerate(results) if p is not None)
            return (rebuilt(t, tuple(v for v, _ in results)), Inside(t, parts)) if parts else (t, None)
