"""Copies of the user's functions that run as they are, so that his objects stay untouched.

Unlike the copies that are traced they see the real NumPy; where arrays are supplied, these are its random numbers.
"""

from __future__ import annotations

import builtins
import functools
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy

from .copying import FOREIGN, STANDARD, Copier, ModuleView
from .drawing import Random, Supplied, generator, replaced
from .frames import home_of

INSTALLED = ("site-packages", "dist-packages")


class Isolated(Copier):
    """`drawn` are the random arrays by name."""

    def __init__(self, drawn: Mapping[str, Any]) -> None:
        super().__init__()
        self.random = Random(Supplied(drawn), numpy) if drawn else None

    def converted(self, x: Any) -> Any:
        if hasattr(type(x), "__symbackprop_copy__"):
            return x.__symbackprop_copy__(self.convert)
        if self.random is not None and generator(x) is not None:
            return replaced(x, self.random)
        match x:
            case types.ModuleType():
                return self.module(x)
            case types.FunctionType():
                return x if installed(x.__module__ or "") else self.function(x)
            case types.MethodType():
                return types.MethodType(self.convert(x.__func__), self.convert(x.__self__))
            case functools.partial():
                keywords = {k: self.convert(v) for k, v in x.keywords.items()}
                return functools.partial(self.convert(x.func), *map(self.convert, x.args), **keywords)
            case type():
                return self.type(x)
            case list() if type(x) is list:
                return self.filled(x, [])
            case tuple() if type(x) is tuple:
                return tuple(self.convert(y) for y in x)
            case dict() if type(x) is dict:
                copy: dict[Any, Any] = {}
                self.remember(x, copy)
                copy.update((k, self.convert(v)) for k, v in x.items())
                return copy
            case numpy.ndarray():
                return x.copy()
        return x if installed(home_of(type(x)) and type(x).__module__) else self.instance(x)

    def module(self, x: types.ModuleType) -> Any:
        if self.random is not None and x.__name__ in ("numpy", "numpy.random"):
            return Drawing(self.random) if x is numpy else self.random
        return x if installed(x.__name__) else ModuleView(x, self)

    def module_globals(self, f: types.FunctionType) -> dict[str, Any]:
        found = super().module_globals(f)
        found["__builtins__"] = builtins
        return found

    def code(self, code: types.CodeType) -> types.CodeType:
        return code

    def type(self, cls: type) -> Any:
        return cls if installed(home_of(cls) and cls.__module__) else super().type(cls)


class Drawing:
    """NumPy with other random numbers."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)


def installed(module: str) -> bool:
    """Whether a module is of a library, whose code is not copied."""
    root = module.split(".")[0]
    path = getattr(sys.modules.get(module), "__file__", None) or ""
    return root == "symbackprop" or root in FOREIGN or root in STANDARD or any(part in path for part in INSTALLED)
