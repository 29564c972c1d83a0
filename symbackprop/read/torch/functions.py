"""Functions of tensors: those whose code names PyTorch, and those with a backward of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from symbackprop.read.numpy import Declared

from .running import Body, TorchCode, named


def function_code(
    function: Any,
    shapes: Mapping[str, Declared],
    renamed: Mapping[str, str] | None = None,
    differentiated: bool = False,
) -> TorchCode:
    """The function under its own names of arguments, or under others that stand for them."""
    others = renamed or {}
    parameters = list(inspect.signature(function).parameters.values())
    arguments = [p.replace(name=others.get(p.name, p.name)) for p in parameters]
    back = {others.get(p.name, p.name): p.name for p in parameters}

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        return function(**{back[n]: x for n, x in given.items()})

    name = str(getattr(function, "__name__", type(function).__name__))
    return TorchCode(name, tuple(arguments), shapes, body, (function,), written=function, differentiated=differentiated)


# --- torch.autograd.Function ---------------------------------------------------------------------

Function = type[torch.autograd.Function]
Argument = Callable[[Mapping[str, Any]], Any]


def forward_parameters(function: Function) -> list[inspect.Parameter]:
    """The arguments of forward, without the context that it has unless setup_context is written apart."""
    found = list(inspect.signature(function.forward).parameters.values())
    apart = function.setup_context is not torch.autograd.function._SingleLevelFunction.setup_context
    return found if apart else found[1:]


def backward_names(function: Function) -> list[str]:
    """What backward calls the upstream gradients."""
    found = list(inspect.signature(inspect.unwrap(function.backward)).parameters.values())[1:]
    return [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]


@dataclass(frozen=True, slots=True)
class Custom:
    """function.apply of arguments that `order` takes from those given, to be differentiated by `wrt`."""

    function: Function
    order: Sequence[Argument]
    declared: Mapping[str, Declared]
    wrt: Sequence[str]
    plain: Sequence[str]

    def code(self, name: str, more: Sequence[str], body: Body) -> TorchCode:
        """`more` are the arguments besides those of forward."""
        title, arguments, plain = f"{self.function.__name__}{name}", named(*self.declared, *more), tuple(self.plain)
        return TorchCode(title, arguments, self.declared, body, (self.function,), plain, self.function, draws=True)

    def outputs(self, inputs: Mapping[str, Any]) -> list[torch.Tensor]:
        """Those that have a gradient."""
        found = self.function.apply(*(of(inputs) for of in self.order))
        items = found if isinstance(found, tuple | list) else [found]
        return [o for o in items if isinstance(o, torch.Tensor) and o.requires_grad]

    def forward(self) -> TorchCode:
        return self.code("", (), lambda given, sizes: tuple(self.outputs(leaves(given, self.wrt))))

    def backward(self, upstream: Sequence[str]) -> TorchCode:
        """What autograd makes of its backward: None is 0, and what was broadcast is summed."""

        def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
            inputs = leaves(given, self.wrt)
            return gradients(self.outputs(inputs), {v: inputs[v] for v in self.wrt}, [given[u] for u in upstream])

        return self.code(".backward", upstream, body)

    def first(self, upstream: Sequence[str]) -> TorchCode:
        """The gradients that autograd makes of its backward, in order, to be differentiated once more."""
        once = self.backward(upstream)
        return replace(once, body=lambda given, sizes: tuple(once.body(given, sizes)[v] for v in self.wrt))

    def second(self, upstream: Sequence[str], second: Sequence[str]) -> TorchCode:
        """What autograd makes of its backward when it goes through it, too: by variables and upstream gradients."""

        def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
            inputs = leaves(given, [*self.wrt, *upstream])
            by = {v: inputs[v] for v in self.wrt}
            first = gradients(self.outputs(inputs), by, [inputs[u] for u in upstream], create_graph=True)
            moving = {s: g for s, g in zip(second, first.values(), strict=True) if g.requires_grad}
            variables = {v: inputs[v] for v in (*self.wrt, *upstream)}
            if not moving:
                return {v: torch.zeros_like(x) for v, x in variables.items()}
            return gradients(list(moving.values()), variables, [given[s] for s in moving])

        return self.code(".backward, differentiated", [*upstream, *second], body)


def leaves(given: Mapping[str, Any], wrt: Sequence[str]) -> dict[str, Any]:
    """The arguments, those by which is differentiated as tensors that want a gradient."""
    return {n: x.detach().requires_grad_() if n in wrt else x for n, x in given.items()}


def gradients(
    outputs: Sequence[Any], by: Mapping[str, Any], upstream: Sequence[Any], create_graph: bool = False
) -> dict[str, Any]:
    found = torch.autograd.grad(
        list(outputs), list(by.values()), list(upstream), create_graph=create_graph, allow_unused=True
    )
    return {v: torch.zeros_like(x) if g is None else g for (v, x), g in zip(by.items(), found, strict=True)}
