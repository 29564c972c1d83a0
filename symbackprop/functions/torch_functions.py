"""Checks of what PyTorch's users write: torch.autograd.Function, modules with a backward by hand, functions of tensors."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.read.numpy import Declared, parse_shapes, trace
from symbackprop.read.torch import (
    applied,
    backward_code,
    backward_names,
    forward_code,
    forward_parameters,
)

from .drive import verdict
from .gradient_claims import gradient_claims
from .request import read_request
from .verdict import Verdict

Argument = Callable[[Mapping[str, Any]], Any]
NUMBERS = ("float", float, Parameter.empty, "Any")  # annotations of an argument that may be any real number


def check_function(asked: Any) -> Verdict:
    """A torch.autograd.Function: its backward, as autograd uses it, against its forward.

    `asked.values` are the arguments that are no tensors, by their names in forward, and `args`: all arguments in order,
    as they would be written.
    """
    function = asked.function
    if function.backward is torch_default(function):
        raise SymbackpropError(f"check_function: {function.__name__} has no backward of its own")
    declared = parse_shapes(dict(asked.shapes))
    order, plain = arguments(function, declared, dict(asked.values))
    everything = {**declared, **{n: Declared(()) for n in plain}}
    wrt = variables(declared, asked.wrt)
    call = applied(function, order)
    forward = forward_code(function, call, everything, wrt, plain)
    outputs = trace(forward, everything).outputs
    upstream = upstream_names(function, len(outputs), everything)
    backward = backward_code(function, call, everything, wrt, plain, upstream)
    request = read_request("check_function", forward, backward, everything, wrt, asked.assuming, {})
    return verdict(request, gradient_claims, asked.options)


def torch_default(function: Any) -> Any:
    return next(c for c in function.__mro__ if c.__module__.startswith("torch.")).backward


def variables(declared: Mapping[str, Declared], wrt: str | Sequence[str] | None) -> list[str]:
    if wrt is None:
        return [n for n, d in declared.items() if d.values is None]
    return [wrt] if isinstance(wrt, str) else list(wrt)


def upstream_names(function: Any, count: int, taken: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's own names for the upstream gradients where he has one for each output."""
    own = backward_names(function)
    if len(own) == count and not set(own) & set(taken):
        return tuple(own)
    stem = next(s for s in ("g", "upstream", "grad_output", "upstream_gradient") if not any(n.startswith(s) for n in taken))
    return (stem,) if count == 1 else tuple(f"{stem}{k}" for k in range(count))


def arguments(
    function: Any, declared: Mapping[str, Declared], values: dict[str, Any]
) -> tuple[list[Argument], tuple[str, ...]]:
    """How each argument of forward is taken from those declared, and which are numbers that nobody gave."""
    parameters = forward_parameters(function)
    if "args" in values:
        return [written(a, declared) for a in values["args"]], ()
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    for n in values:
        if n not in names:
            raise SymbackpropError(f"check_function: {function.__name__}.forward has no argument {n!r}")
    rest = iter([n for n in declared if n not in names])
    order: list[Argument] = []
    plain: list[str] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            order.extend(taken(n) for n in rest)
        elif p.name in values:
            order.append(lambda given, value=values[p.name]: value)
        elif p.name in declared:
            order.append(taken(p.name))
        elif (other := next(rest, None)) is not None:
            order.append(taken(other))
        elif p.default is not p.empty:
            order.append(lambda given, value=p.default: value)
        elif p.annotation in NUMBERS and p.name not in declared:
            plain.append(p.name)
            order.append(taken(p.name))
        else:
            raise SymbackpropError(f"check_function: the argument {p.name!r} of {function.__name__}.forward has no value")
    left = list(rest)
    if left:
        raise SymbackpropError(f"check_function: {function.__name__}.forward takes no {', '.join(map(repr, left))}")
    return order, tuple(plain)


def taken(name: str) -> Argument:
    return lambda given: given[name]


def written(text: Any, declared: Mapping[str, Declared]) -> Argument:
    """An argument as it would be written: the name of an array, or a plain value."""
    if isinstance(text, str) and text in declared:
        return taken(text)
    try:
        value = ast.literal_eval(text) if isinstance(text, str) else text
    except (ValueError, SyntaxError):
        value = text
    return lambda given: value
