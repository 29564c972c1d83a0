"""Functions whose derivative is written beside them: a loss with its gradients, an elementwise f with its f'.

A loss returns (loss, grad), (loss, grads...) or (loss, dict); f' takes x or the output f(x).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.calling import accepted, by_key, call, flat, matched, named, renamed
from symbackprop.functions.dialects.one_run import OneRun, Pair, observed
from symbackprop.functions.request import Function, called, required, signature
from symbackprop.read.numpy import SymArray, parse_shapes, trace_assumptions
from symbackprop.read.numpy.branching import every_branch

LOSS = ("loss", "cost", "value", "objective", "j", "l", "nll", "energy", "f", "out", "output")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the loss stands in the result, and the variables whose gradients stand beside it."""

    key: Any
    variables: tuple[str, ...]

    def loss(self, result: Any) -> Any:
        return result[self.key]

    def gradients(self, result: Any) -> Any:
        """What stands beside the loss."""
        if isinstance(result, Mapping):
            rest = {k: x for k, x in result.items() if k != self.key}
            inner = [x for x in rest.values() if isinstance(x, Mapping)]
            return inner[0] if len(inner) == 1 else next(iter(rest.values())) if len(rest) == 1 else rest
        others = [x for k, x in enumerate(result) if k != self.key]
        tables = [x for x in others if isinstance(x, Mapping)]
        return tables[0] if len(tables) == 1 else others[0] if len(others) == 1 else tuple(others)


def loss_pair(
    asked: str,
    function: Function,
    shapes: Mapping[str, Any],
    wrt: str | Sequence[str] | None,
    assuming: Function | None,
    values: Mapping[str, Any],
    seconds: float,
) -> Pair:
    """The loss as the forward and what comes with it as the backward, both by one run of the function.

    Raises SymbackpropError for a function that returns something else.
    """
    arguments = matched(asked, function, list(shapes), values)
    declared = parse_shapes(shapes)
    more = accepted(function, values, asked)
    real = [n for n in arguments if declared[n].values is None]
    chosen = (wrt,) if isinstance(wrt, str) else None if wrt is None else tuple(wrt)
    title = called(function)

    def run(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return call(parts["function"], arguments, given, more)

    parts = {"function": function}
    whole = OneRun(title, tuple(arguments), run, parts)
    hypotheses = () if assuming is None else trace_assumptions(assuming, {**values, **declared})
    place = observed(whole, declared, lambda result: placed(asked, title, result, real, chosen), hypotheses, seconds)

    def loss(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return place.loss(run(parts, given))

    def gradients(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return named(place.gradients(run(parts, given)), place.variables, [real])

    notes = renamed(arguments, function)
    if wrt is None and len(place.variables) < len(real):
        notes.append(("", f"the gradient is taken for that of {', '.join(place.variables)}; wrt= says it otherwise"))
    return Pair(
        OneRun(title, tuple(arguments), loss, parts),
        OneRun(title, tuple(arguments), gradients, parts),
        shapes,
        place.variables,
        tuple(notes),
    )


def placed(asked: str, title: str, result: Any, real: Sequence[str], chosen: tuple[str, ...] | None) -> Place:
    """Raises SymbackpropError where no loss with gradients beside it is returned."""
    if isinstance(result, Mapping):
        keys = [k for k, x in result.items() if is_number(x)]
        keys = [k for k in keys if str(k).lower() in LOSS] or keys
    elif isinstance(result, tuple | list):
        keys = [k for k, x in enumerate(result) if is_number(x)]
    else:
        raise SymbackpropError(
            f"{asked}: {title} returns one array, no loss with its gradient; check_gradient takes two functions"
        )
    if not keys or len(result) < 2:
        raise SymbackpropError(f"{asked}: {title} returns no scalar loss with gradients beside it")
    place = Place(keys[0], tuple(real if chosen is None else chosen))
    return place if chosen is not None else Place(place.key, variables_of(place.gradients(result), real))


def variables_of(gradients: Any, real: Sequence[str]) -> tuple[str, ...]:
    """The first arguments, as many as there are gradients; by their names in a dict."""
    if isinstance(gradients, Mapping):
        return tuple(by_key(gradients, real))
    count = len(flat(gradients)) if isinstance(gradients, tuple | list) else 1
    return tuple(real[:count])


def is_number(x: Any) -> bool:
    return isinstance(x, int | float) or (isinstance(x, SymArray) and not x.ndim)


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
