"""A forward and a backward that were made of code in another form, and the verdict about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.functions.claims import gradient_claims
from symbackprop.functions.drive import Options, verdict
from symbackprop.functions.request import Function, read_request

from ..verdict import Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """`notes` say what was found by its name or place, each of a variable; those of "" are of all."""

    forward: Function
    backward: Function
    shapes: Mapping[str, Any]
    wrt: Sequence[str]
    notes: tuple[tuple[str, str], ...] = ()


def judged(asked: str, pair: Pair, assuming: Function | None, options: Options) -> Verdict:
    """The verdict, with the notes."""
    request = read_request(asked, pair.forward, pair.backward, pair.shapes, pair.wrt, assuming, {})
    return with_notes(verdict(request, gradient_claims, options), pair.notes)


def with_notes(found: Verdict, notes: Sequence[tuple[str, str]]) -> Verdict:
    """Each variable's verdict with what is said of it; what is said of all, or of others, with the first."""
    if not found.gradients:
        return replace(found, notes=(*found.notes, *(text for _, text in notes)))
    first = next(iter(found.gradients))
    owners = [n if n in found.gradients else first for n, _ in notes]
    gradients = {
        n: replace(v, notes=(*v.notes, *(text for owner, (_, text) in zip(owners, notes, strict=True) if owner == n)))
        for n, v in found.gradients.items()
    }
    return replace(found, gradients=gradients)
