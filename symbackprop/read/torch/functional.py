"""Functions of tensors: those whose code names PyTorch."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from inspect import signature
from typing import Any

import torch

from symbackprop.read.numpy import Declared

from .running import TorchCode


def uses_torch(function: Any) -> bool:
    """Whether the code of a function, or code inside it, names PyTorch or something of its."""
    return isinstance(function, torch.nn.Module) or any(
        home == "torch" or isinstance(x, torch.Tensor | torch.nn.Module) for x, home in named_by(function)
    )


def names_no_library(function: Any) -> bool:
    """Whether it is made of operators and methods only, which arrays of every library have."""
    return isinstance(function, types.FunctionType) and all(home not in ARRAYS for _, home in named_by(function))


ARRAYS = frozenset({"numpy", "scipy", "jax", "autograd"})


def named_by(function: Any) -> Iterator[tuple[Any, str]]:
    """What the code of a function names, with the package that it is from."""
    code = getattr(function, "__code__", None)
    if not isinstance(function, types.FunctionType) or code is None:
        return
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    enclosed = {name: c.cell_contents for name, c in cells if filled(c)}
    for name in names_in(code):
        x = enclosed.get(name, function.__globals__.get(name))
        home = x.__name__ if isinstance(x, types.ModuleType) else getattr(x, "__module__", None) or type(x).__module__
        yield x, home.split(".")[0] if isinstance(home, str) else ""


def filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def names_in(code: types.CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_freevars)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from names_in(inner)


def function_code(
    function: Any,
    shapes: Mapping[str, Declared],
    renamed: Mapping[str, str] | None = None,
    differentiated: bool = False,
) -> TorchCode:
    """The function under its own names of arguments, or under others that stand for them."""
    others = renamed or {}
    parameters = list(signature(function).parameters.values())
    arguments = [p.replace(name=others.get(p.name, p.name)) for p in parameters]
    back = {others.get(p.name, p.name): p.name for p in parameters}

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        return function(**{back[n]: x for n, x in given.items()})

    name = str(getattr(function, "__name__", type(function).__name__))
    return TorchCode(name, tuple(arguments), shapes, body, (function,), written=function, differentiated=differentiated)
