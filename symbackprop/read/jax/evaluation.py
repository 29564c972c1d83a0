"""A jaxpr on symbolic arrays: equation by equation through the table of primitives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symbackprop.core.terms import SymbackpropError
from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.context import current

from . import arranging, calls, contractions, entries, folds, places  # noqa: F401  they fill the table
from .dimensions import Dimensions
from .frames import located, user_line
from .kinds import constant, kind_of
from .registry import PRIMITIVES, REFUSED


@dataclass(frozen=True)
class Equation:
    """One equation of a jaxpr, with the dimensions read; see registry.Step."""

    evaluation: Evaluation
    equation: Any

    @property
    def name(self) -> str:
        return str(self.equation.primitive.name)

    @property
    def params(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.equation.params
        return found

    @cached_property
    def shape(self) -> tuple[Any, ...]:
        return self.sizes(self.equation.outvars[0].aval.shape)

    @cached_property
    def kind(self) -> str:
        return kind_of(self.equation.outvars[0].aval.dtype)

    def size(self, dimension: Any) -> Any:
        return self.evaluation.dimensions(dimension)

    def sizes(self, dimensions: Any) -> tuple[Any, ...]:
        return tuple(map(self.size, dimensions))

    def run(self, jaxpr: Any, *operands: Any) -> list[Any]:
        return self.evaluation.results(jaxpr, operands)


class Evaluation:
    """Evaluates jaxprs whose dimensions are these sizes, by JAX's names."""

    def __init__(self, sizes: Mapping[str, Any]) -> None:
        self.dimensions = Dimensions(sizes)
        self.placed: set[int] = set()  # errors that have their place

    def results(self, closed: Any, operands: Sequence[Any]) -> list[Any]:
        """The results of a jaxpr, closed or without constants."""
        jaxpr, consts = getattr(closed, "jaxpr", closed), getattr(closed, "consts", ())
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, map(constant, consts), strict=True))
        known.update(zip(jaxpr.invars, operands, strict=True))
        for equation in needed(jaxpr):
            found = self.result(equation, [self.operand(known, v) for v in equation.invars])
            many = equation.primitive.multiple_results
            known.update(zip(equation.outvars, found if many else [found], strict=True))
        return [self.operand(known, v) for v in jaxpr.outvars]

    def operand(self, known: Mapping[Any, Any], variable: Any) -> Any:
        return constant(variable.val) if hasattr(variable, "val") else known[variable]

    def result(self, equation: Any, operands: list[Any]) -> Any:
        step = Equation(self, equation)
        place = user_line(equation.source_info.traceback)
        recorder = current().recorder
        if recorder is not None and place is not None:
            recorder.line = place
        try:
            return run(step, operands)
        except SymbackpropError as error:
            if id(error) in self.placed or place is None:
                raise
            better = type(error)(located(str(error), *place)) if isinstance(error, TraceError) else error
            self.placed.add(id(better))
            raise better from error
        finally:
            if recorder is not None:
                recorder.line = None


def run(step: Equation, operands: list[Any]) -> Any:
    if step.name in REFUSED:
        raise TraceError(f"{step.name} {REFUSED[step.name]}")
    if step.name not in PRIMITIVES:
        raise TraceError(f"JAX's primitive {step.name} is not read")
    return PRIMITIVES[step.name].run(step, *operands)


def needed(jaxpr: Any) -> list[Any]:
    """The equations that the results depend on, in order."""
    wanted = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if any(v in wanted for v in equation.outvars):
            kept.append(equation)
            wanted.update(v for v in equation.invars if not hasattr(v, "val"))
    return kept[::-1]
