"""A function of JAX's as one that the NumPy reader can call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

from symbackprop.read.numpy import Declared, TraceError
from symbackprop.read.numpy.tracing import symbol

from .evaluation import Copies
from .jaxprs import Program, program, symbolic


class Jittable:
    """function(**arguments) on symbolic arrays, through its jaxpr.

    `source` is the user's function that it stands for; what `copies` does with a stop_gradient see Evaluation.  Such
    an object takes the place of a NumPy function in a check: the tracer calls it as it is.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        names: Sequence[str] | None = None,
        source: Callable[..., Any] | None = None,
        copies: Copies = None,
    ) -> None:
        self.source, self.copies = source or function, copies
        self.__name__ = str(getattr(self.source, "__name__", "function"))
        self.__signature__ = inspect.signature(function) if names is None else signature(names)
        self.function = function if names is not None else in_order(function, self.__signature__)

    def __call__(self, *args: Any, **options: Any) -> Any:
        given = self.__signature__.bind(*args, **options).arguments
        if not any(map(symbolic, given.values())):
            raise TraceError("a function of JAX's is read, not run")
        arrays = [x for x in given.values() if symbolic(x)]
        return program(self.function, given).run(arrays, self.copies)

    def holding(self, copies: Copies) -> Jittable:
        """The same, with another meaning of stop_gradient."""
        found = copy(self)
        found.copies = copies
        return found

    def stops_gradients(self, arguments: Mapping[str, Any]) -> bool:
        """Whether some value is held constant.  Arguments as for `trace`."""
        return self.program(arguments).mentions("stop_gradient")

    def runs(self, arguments: Mapping[str, Any]) -> bool:
        """Whether JAX traces it on these arguments."""
        try:
            self.program(arguments)
        except TraceError:
            return False
        return True

    def program(self, arguments: Mapping[str, Any]) -> Program:
        return program(self.function, {n: symbol(n, x) if isinstance(x, Declared) else x for n, x in arguments.items()})


def in_order(function: Callable[..., Any], expected: inspect.Signature) -> Callable[..., Any]:
    """The function called by position where it can be: what JAX wraps may know no names."""

    def by_name(**given: Any) -> Any:
        bound = expected.bind(**given)
        return function(*bound.args, **bound.kwargs)

    return by_name


def signature(names: Sequence[str]) -> inspect.Signature:
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])
