"""What a backward function claims: vector-Jacobian products of all outputs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, Term, add, mul
from symbackprop.read.numpy import Declared

from .claims import Claim, axes_of, by_variable, counted, partial_latex, shown, summed
from .request import Request, called, flattened


def gradient_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """∂(Σ upstream * output)/∂variable = what backward returns.  `note` sees each trace."""
    forward = request.outputs()
    note(forward)
    outputs = flattened(forward.outputs, called(request.forward))
    upstream = request.extra
    if upstream and len(upstream) != len(outputs):
        raise SymbackpropError(
            f"{request.asked}: the forward function has {counted(len(outputs), 'output')}, the backward function takes "
            f"{counted(len(upstream), 'upstream gradient')} ({', '.join(upstream)}): one for each output is needed"
        )
    if not upstream and any(t.axes for t in outputs):
        raise SymbackpropError(
            f"{request.asked}: the forward function returns an array of shape ({shown(outputs[0].shape)}), so the "
            "backward function needs a parameter for its upstream gradient (or use check_jacobian)"
        )
    if not upstream and len(outputs) > 1:
        raise SymbackpropError(f"{request.asked}: several outputs need an upstream gradient for each")
    for g, t in zip(upstream, outputs, strict=bool(upstream)):
        if g in request.declared and request.declared[g].shape != t.shape:
            raise SymbackpropError(
                f"{request.asked}: the upstream gradient {g!r} has shape ({request.declared[g]}) and its output "
                f"({shown(t.shape)})"
            )
    more = {g: Declared(t.shape) for g, t in zip(upstream, outputs, strict=bool(upstream)) if g not in request.declared}
    backward = request.result(more)
    note(backward)
    found = by_variable(request, backward.outputs)
    loss = objective(outputs, upstream)
    inputs = {**request.declared, **more, **forward.draws, **backward.draws}
    claims = []
    for v in request.variables:
        shape = request.declared[v].shape
        axes, at = axes_of(shape, "w")
        lhs = Diff(loss, Entry(Array(v), at))
        claims.append(
            Claim(
                v,
                lhs,
                found[v],
                shape,
                axes,
                at,
                tuple(outputs),
                f"∂L/∂{v}",
                partial_latex("L", v),
                inputs,
            )
        )
    return claims


def objective(outputs: Sequence[Tensor], upstream: Sequence[str]) -> Term:
    """Σ over outputs of Σ upstream * output, whose gradient is the vector-Jacobian product."""
    if not upstream:
        return outputs[0].body
    parts: list[Term] = []
    for g, t in zip(upstream, outputs, strict=True):
        at = tuple(ZERO_INDEX if i.size == UNIT else i for i in t.axes)
        kept = tuple(i for i in t.axes if i.size != UNIT)
        parts.append(summed(kept, mul(Entry(Array(g), at), t.at(*at))))
    return add(*parts)
