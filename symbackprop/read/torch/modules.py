"""nn.Module: built for symbolic sizes, with arrays in the place of its parameters."""

from __future__ import annotations

import copy
import math
import numbers
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes, _get_current_dispatch_mode

from symbackprop.core.terms import SymbackpropError, sized
from symbackprop.read.numpy import Declared, SymArray, TraceError, size_number
from symbackprop.read.numpy.values import constant

from .dispatch import Reading
from .functions import TorchCode, doubles, located, named
from .standins import MATH, as_users, users_globals
from .tensors import TracedTensor, for_torch, made


@dataclass(frozen=True, slots=True)
class Maker:
    """`make` is a module, a class of modules, or a function that builds one.

    Its parameters, and the names that it uses and nobody defines, are sizes by their symbols or arrays by their names;
    a parameter that is neither, and has no default, is a size of its own.
    """

    make: Any
    shapes: Mapping[str, Declared]

    def module(self, given: Mapping[str, Any], sizes: Mapping[str, Any]) -> torch.nn.Module:
        """A module of its own: what happens to it happens to no other."""
        if isinstance(self.make, torch.nn.Module):
            with _disable_current_modes():
                return copy.deepcopy(self.make)
        make = with_names(self.make, sizes)
        known = {**sizes, **given}
        wanted = [p for p in signature(make).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        with building():
            module = make(**{p.name: known[p.name] for p in wanted if p.name in known})
        if not isinstance(module, torch.nn.Module):
            raise SymbackpropError(f"{self.name} makes a {type(module).__name__}, not a module of PyTorch's")
        return module

    @property
    def name(self) -> str:
        made_by = self.make if isinstance(self.make, type) else type(self.make)
        name = getattr(self.make, "__name__", made_by.__name__)
        return name if name.isidentifier() else "the function that makes the module"

    @property
    def roots(self) -> tuple[Any, ...]:
        if isinstance(self.make, torch.nn.Module):
            return tuple({type(m) for m in self.make.modules()})
        return (self.make,)

    @property
    def symbols(self) -> set[str]:
        """The sizes that the module depends on, and its inputs."""
        own = () if isinstance(self.make, torch.nn.Module) else signature(self.make).parameters.values()
        free = [p for p in own if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        known = {s for d in self.shapes.values() for s in d.symbols}
        return known | {p.name for p in free if p.name not in self.shapes}

    @property
    def taken(self) -> set[str]:
        """The arrays that the module is made from."""
        if isinstance(self.make, torch.nn.Module):
            return set()
        return set(signature(self.make).parameters) & set(self.shapes)

    def parameters(self) -> dict[str, Declared]:
        """The shape of each parameter by its path."""
        with as_users(users_globals(*self.roots)), doubles():
            try:
                with Reading():
                    sizes = {s: for_torch(size_number(sized(s))) for s in self.symbols}
                    module = self.module({n: blank(d) for n, d in self.shapes.items() if n in self.taken}, sizes)
            except SymbackpropError as error:
                raise TraceError(located(error)) from error
            except Exception as error:
                raise TraceError(located(error, f"{type(error).__name__}: {error}")) from error
        return {path: Declared(shape_of(p)) for path, p in module.named_parameters()}


def blank(declared: Declared) -> TracedTensor:
    return made(SymArray(constant(0, "real", declared.shape)))


def shape_of(p: torch.Tensor) -> tuple[Any, ...]:
    return p.array.value.shape if isinstance(p, TracedTensor) else tuple(map(sized, p.shape))


def with_names(make: Any, sizes: Mapping[str, Any]) -> Any:
    """The function with the sizes under the global names that nobody defines."""
    if not isinstance(make, types.FunctionType):
        return make
    missing = {n: sizes[n] for n in make.__code__.co_names if n in sizes and n not in make.__globals__}
    if not missing:
        return make
    bound = types.FunctionType(
        make.__code__, {**make.__globals__, **missing}, make.__name__, make.__defaults__, make.__closure__
    )
    bound.__kwdefaults__ = make.__kwdefaults__
    return bound


@contextmanager
def building() -> Iterator[None]:
    """Nothing is drawn: what is random has a shape and no entries, and stays so where a module initialises it."""
    init = torch.nn.init
    replaced: dict[str, Callable[..., Any]] = {
        n: lambda tensor, *_, **__: tensor for n in vars(init) if n.endswith("_") and not n.startswith("_")
    }
    replaced.update({"_calculate_fan_in_and_fan_out": lambda tensor: (1, 1), "_calculate_correct_fan": lambda *_: 1})
    places = [(vars(init), replaced), *of_sizes()]
    before = [(place, {n: place[n] for n in new}) for place, new in places]
    reading = _get_current_dispatch_mode()
    for place, new in places:
        place.update(new)
    if isinstance(reading, Reading):
        reading.building = True
    try:
        yield
    finally:
        if isinstance(reading, Reading):
            reading.building = False
        for place, old in before:
            place.update(old)


def of_sizes() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What PyTorch's modules ask of sizes as plain numbers: their roots, and whether they are whole."""
    for name, module in list(sys.modules.items()):
        if name.startswith("torch.nn.modules.") and vars(module).get("math") is math:
            yield vars(module), {"math": MATH}
    whole = types.SimpleNamespace(Integral=(numbers.Integral, torch.SymInt))
    yield vars(torch.nn.modules.normalization), {"numbers": whole}


def module_code(maker: Maker, params: Mapping[str, str], name: str) -> TorchCode:
    """The module's forward as a function of its parameters, by the names in `params`, and of its inputs."""
    shapes = maker.shapes
    inputs = [n for n in shapes if n not in params and n not in maker.taken]

    def body(given: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
        module = maker.module(given, sizes)
        state = {path: given[n] for n, path in params.items()}
        return torch.func.functional_call(module, state, **called(module, inputs, given))

    return TorchCode(name, named(*shapes), shapes, body, maker.roots, (), source_of(maker.make),
                     frozenset(maker.symbols), differentiated=True)  # fmt: skip


def called(module: torch.nn.Module, inputs: list[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """By name where forward has all the names, else in their order."""
    try:
        names = dict(signature(module.forward).parameters)
    except (TypeError, ValueError):
        names = {}
    if all(n in names and names[n].kind is Parameter.POSITIONAL_OR_KEYWORD for n in inputs):
        return {"args": (), "kwargs": {n: given[n] for n in inputs}}
    return {"args": tuple(given[n] for n in inputs)}


def source_of(make: Any) -> Any:
    return type(make) if isinstance(make, torch.nn.Module) else make
