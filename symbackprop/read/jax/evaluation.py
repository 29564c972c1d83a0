"""A jaxpr on symbolic arrays: equation by equation through the table of primitives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from symbackprop.core.terms import SymbackpropError, arrays, dummy
from symbackprop.read.numpy import SymArray, TraceError, Value
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.lifting import lifted
from symbackprop.read.numpy.steps import renamed
from symbackprop.read.numpy.tracing import at_place

from . import arranging, calls, entries, places  # noqa: F401  they fill the table
from .frames import assigned_name, user_line
from .registry import PRIMITIVES, REFUSED, Step, constant
from .sizes import Dimensions

Copies: TypeAlias = Mapping[str, str] | None


class Evaluation:
    """Evaluates jaxprs whose dimensions are these sizes, by JAX's names.

    `copies` say what a stop_gradient makes of a value: the same value of copies of these arrays, which are not
    differentiated by.  None refuses it.
    """

    def __init__(self, sizes: Mapping[str, Any], copies: Copies = None) -> None:
        self.dimensions, self.copies = Dimensions(sizes), copies
        self.placed: set[int] = set()  # errors that have their place
        self.named: dict[tuple[str, int], Any] = {}

    def results(self, closed: Any, operands: Sequence[Any]) -> list[Any]:
        """The results of a jaxpr, closed or without constants."""
        jaxpr, consts = getattr(closed, "jaxpr", closed), getattr(closed, "consts", ())
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, map(constant, consts), strict=True))
        known.update(zip(jaxpr.invars, operands, strict=True))
        for equation in needed(jaxpr):
            found = self.result(equation, [self.operand(known, v) for v in equation.invars])
            known.update(zip(equation.outvars, found if isinstance(found, list) else [found], strict=True))
        return [self.operand(known, v) for v in jaxpr.outvars]

    def name(self, recorder: Any, found: Any, place: tuple[str, int]) -> None:
        """The user's name for what a line computes last, which stands for it in derivations."""
        name = assigned_name(*place)
        node = recorder.node_of(found) if isinstance(found, SymArray) else None
        if name is None or node is None or node.name is not None:
            return
        before = self.named.get(place)
        if before is not None:
            before.name = None
        node.name, node.depth, self.named[place] = name, 0, node

    def held(self, x: Any) -> Any:
        value = lifted(x)
        if value.dtype != "real":
            return x
        if not self.copies:
            if self.copies is None and arrays(value.term(tuple(map(dummy, value.shape)))):
                raise TraceError("stop_gradient: a value is held constant, which is read by the checks of rules only")
            return x
        copies = self.copies
        hole = value.holes_of(lambda at: renamed(value.hole(at), copies))
        found = Value(value.shape, "real", lambda at: renamed(value.term(at), copies), hole, value.soft)
        return SymArray(found, scalar=not value.shape)

    def operand(self, known: Mapping[Any, Any], variable: Any) -> Any:
        return constant(variable.val) if hasattr(variable, "val") else known[variable]

    def result(self, equation: Any, operands: list[Any]) -> Any:
        step = Step(self, equation)
        place = user_line(equation.source_info.traceback)
        recorder = current().recorder
        if recorder is not None and place is not None:
            recorder.line = place
        try:
            found = run(step, operands)
            if recorder is not None and place is not None:
                self.name(recorder, found, place)
            return found
        except SymbackpropError as error:
            if id(error) in self.placed or place is None:
                raise
            better = type(error)(at_place(str(error), place)) if isinstance(error, TraceError) else error
            self.placed.add(id(better))
            raise better from error
        finally:
            if recorder is not None:
                recorder.line = None


def run(step: Step, operands: list[Any]) -> Any:
    if step.name in REFUSED:
        raise TraceError(f"{step.name} {REFUSED[step.name]}")
    if step.name not in PRIMITIVES:
        raise TraceError(f"JAX's primitive {step.name} is not read")
    return PRIMITIVES[step.name].run(step, *operands)


def mentions(closed: Any, primitive: str) -> bool:
    """Whether a primitive stands in a jaxpr, or in one inside it."""
    jaxpr = getattr(closed, "jaxpr", closed)
    for equation in jaxpr.eqns:
        inner = [y for x in equation.params.values() for y in (x if isinstance(x, tuple | list) else (x,))]
        if equation.primitive.name == primitive or any(mentions(y, primitive) for y in inner if is_jaxpr(y)):
            return True
    return False


def is_jaxpr(x: Any) -> bool:
    return hasattr(getattr(x, "jaxpr", x), "eqns")


def needed(jaxpr: Any) -> list[Any]:
    """The equations that the results depend on, in order."""
    wanted = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if any(v in wanted for v in equation.outvars):
            kept.append(equation)
            wanted.update(v for v in equation.invars if not hasattr(v, "val"))
    return kept[::-1]
