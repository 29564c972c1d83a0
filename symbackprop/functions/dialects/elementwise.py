"""Elementwise functions with their derivatives: f and f', where f' takes x or the output f(x)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.request import Function, accepted, call, called, matched, renamed, required, signature
from symbackprop.read.numpy.branching import every_branch

from .one_run import OneRun
from .pair import Pair

OUTPUTS = (
    "a", "y", "s", "h", "o", "p", "t", "out", "output", "fx", "act", "activation", "activated", "result", "value",
    "sig", "prob", "probs", "yhat", "y_hat", "f_x", "f", "fz", "sigma", "activations", "outputs",
)  # fmt: skip


def derivative_pair(
    asked: str, f: Function, derivative: Function, shapes: Mapping[str, Any], wrt: str | Sequence[str] | None,
    values: Mapping[str, Any], of_output: bool,
) -> Pair:  # fmt: skip
    """f as the forward, upstream * f' as the backward."""
    variable = variable_of(asked, shapes, wrt)
    arguments = matched(asked, f, list(shapes), values)
    taken = required(signature(derivative, asked))
    others = [n for n in shapes if n != variable and (n in taken or len(taken) > 1)]
    slopes = matched(asked, derivative, [variable, *others], values)
    more, further = accepted(f, values, asked), accepted(derivative, values, asked)
    upstream = "dy" if "dy" not in shapes else "upstream"

    def output(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return every_branch(lambda: call(parts["f"], arguments, given, more))

    def slope(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        at = {**given, variable: output(parts, given)} if of_output else given
        return given[upstream] * every_branch(lambda: call(parts["derivative"], slopes, at, further))

    said = f"{called(derivative)} is taken of {'the output' if of_output else variable}"
    notes = [*renamed(arguments, f), ("", said)]
    parts = {"f": f, "derivative": derivative}
    return Pair(
        OneRun(called(f), tuple(arguments), output, parts),
        OneRun(called(derivative), (*arguments, upstream), slope, {"derivative": derivative, "f": f}),
        shapes,
        (variable,),
        tuple(notes),
    )


def variable_of(asked: str, shapes: Mapping[str, Any], wrt: str | Sequence[str] | None) -> str:
    chosen = (wrt,) if isinstance(wrt, str) else tuple(wrt or list(shapes)[:1])
    if len(chosen) != 1:
        raise SymbackpropError(
            f"{asked}: an elementwise derivative is by one variable, not {len(chosen)}; wrt= names it"
        )
    if chosen[0] not in shapes:
        raise SymbackpropError(f"{asked}: wrt names {chosen[0]!r}, which has no shape")
    return chosen[0]


def may_take_output(asked: str, f: Function, derivative: Function, variable: str) -> bool:
    """Whether the argument of f' is called like an output, and otherwise than that of f."""
    first, second = (next(iter(p.name for p in signature(g, asked)), "") for g in (f, derivative))
    own = str(getattr(f, "__name__", "?")).lower()
    meant = second.lower() in OUTPUTS or "out" in second.lower() or second.lower().startswith(own)
    return meant and second not in (first, variable)
