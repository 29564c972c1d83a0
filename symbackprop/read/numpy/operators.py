"""Python's operators as the functions of the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .lifting import lifted
from .registry import NUMPY


def binary(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        return NUMPY[name](self, other)

    return method


def swapped(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else NUMPY[name](other, self)

    return method


def unary(name: str) -> Callable[[Any], Any]:
    return lambda self: NUMPY[name](self)


def in_place(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        result = NUMPY[name](self, other)
        if self.scalar:
            return result
        self.assign(lifted(result))
        return self

    return method
