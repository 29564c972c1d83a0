"""Arrays that the hypotheses say are one-hot, read as what they stand for: labels.

One entry along an axis is 1 and the others are 0 exactly when there are labels l with t[n,k] = [k = l[n]].
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.core.context import Same
from symbackprop.core.sums import same
from symbackprop.core.terms import (
    ONE,
    Array,
    Entry,
    Index,
    IndexExpr,
    Term,
    mul,
    neg,
    over,
    sub,
    substitute,
    subterms,
)  # fmt: skip
from symbackprop.gradients.lemmas import indices
from symbackprop.read.numpy import Declared

from .request import Request

READ = "{} is one-hot by the hypotheses: it is read as the one-hot array of labels, {}"


def with_labels(request: Request) -> Request | None:
    """The request with labels for its one-hot arrays; None where it has none.

    A variable is not one of them: its derivative is about all arrays near a one-hot one.
    """
    if request.copies or request.labels or request.assuming is None:
        return None
    known = [h for h in request.hypotheses() if isinstance(h, Same)]
    declared = dict(request.declared)
    labels: dict[str, str] = {}
    for name, d in request.declared.items():
        axis = next((k for k in range(len(d.shape)) if is_one_hot(name, d, k, known)), None)
        if axis is not None and d.values is None and name not in request.variables:
            labels[name] = next(c for k in range(99) if (c := f"{name}_label" + "_" * k) not in declared)
            declared[name] = replace(d, hot=(labels[name], axis))
    if not labels:
        return None
    notes = tuple(READ.format(t, n) for t, n in labels.items())
    return replace(request, declared=declared, labels=labels, notes=notes)


def is_one_hot(name: str, declared: Declared, axis: int, known: list[Same]) -> bool:
    """Whether entries are 0 or 1, and sum up to 1 along the axis."""
    _, at = indices(declared.shape, "h")
    entry = Entry(Array(name), at)
    place = at[axis]
    if not isinstance(place, Index):
        return False
    both = sub(mul(entry, entry), entry), sub(over(place, entry), ONE)
    return all(any(says(h, entry, zero) for h in known) for zero in both)


def says(h: Same, entry: Entry, zero: Term) -> bool:
    """Whether the hypothesis, at the indices of this entry, is that the term is 0."""
    gap = at_the_indices_of(entry, sub(h.lhs, h.rhs))
    return any(same(side, zero) == (True, frozenset()) for side in (gap, neg(gap)))


def at_the_indices_of(entry: Entry, t: Term) -> Term:
    """The term with the indices of this entry in place of those that it has at the array."""
    found = next((s for s in subterms(t) if isinstance(s, Entry) and s.array == entry.array), entry)
    places: dict[Index, IndexExpr] = {}
    for own, here in zip(found.at, entry.at, strict=True):
        if isinstance(own, Index):
            places.setdefault(own, here)
    return substitute(t, places)
