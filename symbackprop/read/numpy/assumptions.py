"""Hypotheses written as NumPy comparisons: lambda x, eps: [eps > 0, x.sum(-1) == 1, A == A.T]."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.terms import AtLeastZero, Nonzero, Positive, Term

from .algebra import minus
from .array import SymArray
from .axes import aligned, broadcast
from .context import TraceError, Tracing, tracing
from .shapes import Declared
from .tracing import run_raw, tensor
from .values import Value


def trace_assumptions(assuming: Callable[..., Any], arguments: Mapping[str, Declared | Any]) -> tuple[Hypothesis, ...]:
    """The hypotheses that the function lists, each for all values of its free indices.

    Its parameters are matched by name.  A comparison means all entries; `==` gives an equation.  Raises TraceError
    for a parameter that is not an argument, and for what is no comparison.
    """
    names = list(inspect.signature(assuming).parameters)
    missing = [n for n in names if n not in arguments]
    if missing:
        raise TraceError(f"assuming: the parameter {missing[0]!r} is not an argument of the functions")
    with tracing(Tracing(names=frozenset(arguments))):
        return run_raw(assuming, {n: arguments[n] for n in names}, lambda result: tuple(hypotheses(result)))


def hypotheses(x: Any) -> list[Hypothesis]:
    if isinstance(x, list | tuple):
        return [h for y in x for h in hypotheses(y)]
    if x is True:
        return []
    if x is False:
        raise TraceError("a hypothesis is false for all sizes and values")
    if isinstance(x, SymArray):
        v = x.value
        if v.origin is not None:
            return comparison(*v.origin)
    raise TraceError("a hypothesis is a comparison such as eps > 0 or t.sum(-1) == 1, or a list of them")


def comparison(name: str, left: Value, right: Value) -> list[Hypothesis]:
    if name == "and":
        return [h for v in (left, right) for h in hypotheses(SymArray(v))]
    shape = broadcast(left.shape, right.shape)

    def side(v: Value) -> Value:
        return Value(shape, "real", lambda at: v.term(aligned(v.shape, at)))

    def body(f: Callable[[Term, Term], Term]) -> Term:
        return tensor(Value(shape, "real", lambda at: f(side(left).term(at), side(right).term(at)))).body

    match name:
        case "greater":
            return [Positive(body(minus))]
        case "less":
            return [Positive(body(lambda a, b: minus(b, a)))]
        case "greater_equal":
            return [AtLeastZero(body(minus))]
        case "less_equal":
            return [AtLeastZero(body(lambda a, b: minus(b, a)))]
        case "not_equal":
            return [Nonzero(body(minus))]
        case _:
            return [Same(tensor(side(left)).body, tensor(side(right)).body)]
