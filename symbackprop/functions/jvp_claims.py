"""Jacobian-vector products: the tangent of each output from the tangents of all inputs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.core.indices import Size, SymbackpropError
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, Term, add, mul, sum_over
from symbackprop.read.numpy import Declared

from .claims import Claim, axes_of, counted
from .held_values import by_value
from .request import Request, called, flattened


def jvp_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """Σ_v Σ_b ∂output_a/∂v_b tangent_vb = result_a, over all variables v.

    The parameters of the second function that the first lacks are the tangents, in the order of the variables.  It
    returns the tangent of each output, or the outputs and the tangents.
    """
    forward = request.outputs()
    note(forward)
    outputs = flattened(forward.outputs, called(request.forward))
    tangents = tangents_of(request)
    second = request.result({t: Declared(request.declared[v].shape) for v, t in tangents.items()})
    note(second)
    assert request.backward is not None
    results = flattened(second.outputs, called(request.backward))
    values: Sequence[Tensor] = ()
    if len(results) == 2 * len(outputs):
        values, results = results[: len(outputs)], results[len(outputs) :]
    if len(results) != len(outputs):
        raise SymbackpropError(
            f"{request.asked}: the function has {counted(len(outputs), 'output')}, and {called(request.backward)} "
            f"gives {counted(len(results), 'tangent')}"
        )
    more = {t: Declared(request.declared[v].shape) for v, t in tangents.items()}
    inputs = {**request.declared, **more}
    names = ["tangent"] if len(outputs) == 1 else [f"tangent {k}" for k in range(len(outputs))]
    rows = enumerate(zip(names, outputs, results, strict=True))
    claims = [
        replace(tangent_claim(name, out, found, tangents, request, inputs), places=(k, k + len(values)))
        for k, (name, out, found) in rows
    ]
    same = ["value"] if len(outputs) == 1 else [f"value {k}" for k in range(len(outputs))]
    return [*claims, *value_claims(same, [by_value(t, request) for t in outputs], values, inputs)]


def tangents_of(request: Request) -> dict[str, str]:
    """The tangent of each variable."""
    extra = tuple(n for n in request.extra if n not in request.declared)
    if len(extra) != len(request.variables):
        raise SymbackpropError(
            f"{request.asked}: there are {counted(len(request.variables), 'variable')} "
            f"({', '.join(request.variables)}), and the rule takes {counted(len(extra), 'tangent')} "
            f"({', '.join(extra) or 'none'}): one for each is needed"
        )
    return dict(zip(request.variables, extra, strict=True))


def tangent_claim(
    name: str, output: Tensor, result: Tensor, tangents: dict[str, str], request: Request, inputs: dict[str, Declared]
) -> Claim:
    axes, at = axes_of(output.shape, "o")
    parts = [along(output.at(*at), v, t, request.declared[v].shape) for v, t in tangents.items()]
    return Claim(name, add(*parts), result, output.shape, axes, at, (output,), name, rf"\text{{{name}}}", inputs,
                 ("derivative", "rule"))  # fmt: skip


def along(t: Term, variable: str, tangent: str, shape: tuple[Size, ...]) -> Term:
    """Σ_b ∂t/∂variable_b tangent_b"""
    axes, at = axes_of(shape, f"{variable}.")
    return sum_over(axes, mul(Diff(t, Entry(Array(variable), at)), Entry(Array(tangent), at)))


def value_claims(
    names: Sequence[str], outputs: Sequence[Tensor], values: Sequence[Tensor], inputs: dict[str, Declared]
) -> list[Claim]:
    """That a rule gives the value of the function along with the derivative, where it is not plainly the same."""
    claims = []
    for k, (name, wanted, found) in enumerate(zip(names, outputs, values, strict=False)):
        axes, at = axes_of(wanted.shape, "o")
        if found.shape == wanted.shape and found.at(*at) == wanted.at(*at):
            continue
        latex, sides = rf"\text{{{name}}}", ("function", "rule")
        both = (wanted, found)
        claims.append(
            Claim(name, wanted.at(*at), found, wanted.shape, axes, at, both, name, latex, inputs, sides, (k, k))
        )
    return claims
