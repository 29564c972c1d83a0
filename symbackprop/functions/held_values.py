"""Values that are held constant while a function is differentiated: stop_gradient, detach.

The value is one of copies of the variables, by which nothing is differentiated; that a copy is the variable is a
hypothesis, which is applied after differentiation.  Where the value cancels, as the shift of a softmax does, there is
nothing to hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from symbackprop.core.context import Context
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, arrays, dummy
from symbackprop.prove.equality import prove
from symbackprop.read.numpy import Declared
from symbackprop.read.numpy.steps import renamed

from .request import Function, Request, called, flattened

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
    return all(same(a, b, context) for a, b in zip(held, plain, strict=True))


def same(a: Tensor, b: Tensor, context: Context) -> bool:
    if a.shape != b.shape:
        return False
    at = tuple(map(dummy, a.shape))
    return a.at(*at) == b.at(*at) or prove(a.at(*at), b.at(*at), context) is not None

