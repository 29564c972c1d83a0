"""Values that are held constant while a function is differentiated: stop_gradient, detach.

The value is one of copies of the variables, by which nothing is differentiated; that a copy is the variable is a
hypothesis, which is applied after differentiation.  Where the value cancels, as the shift of a softmax does, there is
nothing to hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from symbackprop.core.context import Context, Same
from symbackprop.core.sums import same
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE, Array, Entry, Index, IndexExpr, Term, arrays, dummy, mul, neg, over, sub, substitute, subterms,
)  # fmt: skip
from symbackprop.functions.request import Function, Request, called, flattened
from symbackprop.core.terms import indices
from symbackprop.prove.equality import prove
from symbackprop.read.numpy import Declared
from symbackprop.read.numpy.steps import renamed

HELD = "{} where a value is held constant ({})"


def copies_of(names: Iterable[str], taken: Iterable[str], form: str = "{}_held") -> dict[str, str]:
    """A new name for a copy of each variable."""
    used = set(taken)
    return {n: next(c for k in range(99) if (c := form.format(n) + "_" * k) not in used) for n in names}


class Holding(Protocol):
    """A forward that may hold values constant: `holding({})` takes them as they are, None refuses them."""

    def holding(self, copies: Mapping[str, str] | None) -> Function: ...


def with_copies(request: Request, forward: Holding, by: str = "stop_gradient") -> Request:
    """The request with the values that its forward holds constant.  Raises what tracing raises."""
    copies = copies_of(request.variables, request.declared)
    outputs = outputs_of(holding(request, forward.holding(copies), copies, by))
    plain = replace(request, forward=forward.holding({}))
    if cancels(outputs, outputs_of(plain), request):
        return plain
    fewer = used(copies, outputs)
    return holding(request, forward.holding(fewer), fewer, by)


def holding(request: Request, forward: Function, copies: Mapping[str, str], by: str = "stop_gradient") -> Request:
    """The request about a forward that takes the copies as they are."""
    declared = {**request.declared, **{c: Declared(request.declared[v].shape) for v, c in copies.items()}}
    notes = (HELD.format(", ".join(f"{c} is {v}" for v, c in copies.items()), by),)
    return replace(request, forward=forward, declared=declared, copies=copies, notes=notes)


def outputs_of(request: Request) -> list[Tensor]:
    return flattened(request.outputs().outputs, called(request.forward))


def used(copies: Mapping[str, str], outputs: Sequence[Tensor]) -> dict[str, str]:
    """Those that the outputs mention."""
    found = frozenset[Array]().union(*(arrays(t.body) for t in outputs))
    return {v: c for v, c in copies.items() if Array(c) in found}


def by_value(t: Tensor, request: Request) -> Tensor:
    """The array with the variables in place of their copies."""
    return Tensor(t.axes, renamed(t.body, {copy: variable for variable, copy in request.copies.items()}))


def without_copies(inputs: Mapping[str, Declared], request: Request) -> dict[str, Declared]:
    return {n: d for n, d in inputs.items() if n not in request.copies.values()}


def cancels(held: Sequence[Tensor], plain: Sequence[Tensor], request: Request) -> bool:
    """Whether the outputs are the same whatever the held values are."""
    context = Context(hypotheses={f"h{k}": h for k, h in enumerate(request.hypotheses(), 1)})
    return all(equal_entries(a, b, context) for a, b in zip(held, plain, strict=True))


def equal_entries(a: Tensor, b: Tensor, context: Context) -> bool:
    if a.shape != b.shape:
        return False
    at = tuple(map(dummy, a.shape))
    return a.at(*at) == b.at(*at) or prove(a.at(*at), b.at(*at), context) is not None


# --- arrays that the hypotheses say are one-hot, read as what they stand for: labels ---
# One entry along an axis is 1 and the others are 0 exactly when there are labels l with t[n,k] = [k = l[n]].


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
