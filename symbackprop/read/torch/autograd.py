"""Functions with a backward of their own, and gradients that PyTorch computes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from symbackprop.read.numpy import Declared

from .running import Body, TorchCode, named

Custom = type[torch.autograd.Function]
Argument = Callable[[Mapping[str, Any]], Any]


def forward_parameters(function: Custom) -> list[inspect.Parameter]:
    """The arguments of forward, without the context that it has unless setup_context is written apart."""
    found = list(inspect.signature(function.forward).parameters.values())
    return found if apart(function) else found[1:]


def apart(function: Custom) -> bool:
    return function.setup_context is not torch.autograd.function._SingleLevelFunction.setup_context


def backward_names(function: Custom) -> list[str]:
    """What backward calls the upstream gradients."""
    found = list(inspect.signature(inspect.unwrap(function.backward)).parameters.values())[1:]
    return [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]


def applied(function: Custom, order: Sequence[Argument]) -> Argument:
    """function.apply of arguments that are taken from those given."""
    return lambda given: function.apply(*(of(given) for of in order))


def forward_code(
    function: Custom, call: Argument, declared: Mapping[str, Declared], wrt: Sequence[str],
    plain: Sequence[str],
) -> TorchCode:  # fmt: skip
    """The outputs that have a gradient."""

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        return tuple(differentiable(call(leaves(given, wrt))))

    return TorchCode(
        function.__name__, named(*declared), declared, body, (function,), tuple(plain), function, draws=True
    )


def backward_code(
    function: Custom, call: Argument, declared: Mapping[str, Declared], wrt: Sequence[str],
    plain: Sequence[str], upstream: Sequence[str],
) -> TorchCode:  # fmt: skip
    """What autograd makes of its backward: None is 0, and what was broadcast is summed."""

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        inputs = leaves(given, wrt)
        outputs = differentiable(call(inputs))
        return gradients(outputs, {v: inputs[v] for v in wrt}, [given[u] for u in upstream])

    arguments = named(*declared, *upstream)
    title = f"{function.__name__}.backward"
    return TorchCode(title, arguments, declared, body, (function,), tuple(plain), function, draws=True)


def first_code(
    function: Custom, call: Argument, declared: Mapping[str, Declared], wrt: Sequence[str],
    plain: Sequence[str], upstream: Sequence[str],
) -> TorchCode:  # fmt: skip
    """The gradients that autograd makes of its backward, in order, to be differentiated once more."""
    once = backward_code(function, call, declared, wrt, plain, upstream)

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        found = once.body(given, sizes)
        return tuple(found[v] for v in wrt)

    return replace(once, body=body)


def second_code(
    function: Custom, call: Argument, declared: Mapping[str, Declared], wrt: Sequence[str],
    plain: Sequence[str], upstream: Sequence[str], second: Sequence[str],
) -> TorchCode:  # fmt: skip
    """What autograd makes of its backward when it goes through it, too: by the variables and the upstream gradients."""

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        inputs = leaves(given, [*wrt, *upstream])
        outputs = differentiable(call(inputs))
        by = {v: inputs[v] for v in wrt}
        first = gradients(outputs, by, [inputs[u] for u in upstream], create_graph=True)
        moving = {s: g for s, g in zip(second, first.values(), strict=True) if g.requires_grad}
        variables = {v: inputs[v] for v in (*wrt, *upstream)}
        if not moving:
            return {v: torch.zeros_like(x) for v, x in variables.items()}
        return gradients(list(moving.values()), variables, [given[s] for s in moving])

    arguments = named(*declared, *upstream, *second)
    title = f"{function.__name__}.backward, differentiated"
    return TorchCode(title, arguments, declared, body, (function,), tuple(plain), function, draws=True)


def leaves(given: Mapping[str, Any], wrt: Sequence[str]) -> dict[str, Any]:
    """The arguments, those by which is differentiated as tensors that want a gradient."""
    return {n: x.detach().requires_grad_() if n in wrt else x for n, x in given.items()}


def differentiable(outputs: Any) -> list[torch.Tensor]:
    items = outputs if isinstance(outputs, tuple | list) else [outputs]
    return [o for o in items if isinstance(o, torch.Tensor) and o.requires_grad]


def gradients(
    outputs: Sequence[Any], by: Mapping[str, Any], upstream: Sequence[Any], create_graph: bool = False
) -> dict[str, Any]:
    found = torch.autograd.grad(
        list(outputs), list(by.values()), list(upstream), create_graph=create_graph, allow_unused=True
    )
    return {v: torch.zeros_like(x) if g is None else g for (v, x), g in zip(by.items(), found, strict=True)}


__all__ = [
    "Body", "apart", "applied", "backward_code", "backward_names", "first_code", "forward_code", "forward_parameters",
    "second_code",
]  # fmt: skip
