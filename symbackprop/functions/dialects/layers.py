"""Layers: a forward and a backward that share an object."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import UNKNOWN
from symbackprop.functions.request import Function
from symbackprop.read.numpy import parse_shapes, trace_assumptions

from .layer_code import ASKED, Question
from .layer_gradients import Found
from .layer_plan import made, new_sizes, planned
from .one_run import OneRun, Pair, Untraceable, observed


def layer_pair(
    layer: Any,
    shapes: Mapping[str, Any],
    params: Mapping[str, Any],
    wrt: str | Sequence[str] | None,
    assuming: Function | None,
    values: Mapping[str, Any],
    methods: tuple[Any, Any],
    seconds: float,
) -> Pair:
    """The layer's forward and backward, each as one run from its making on.

    Raises SymbackpropError where a name is needed that is not found.
    """
    declared = parse_shapes(shapes)
    chosen = (wrt,) if isinstance(wrt, str) else None if wrt is None else tuple(wrt)
    parts, names = parts_of_question(layer, methods)
    q = Question(layer, makes(layer), declared, chosen, params, *names, values)
    unknown = [n for n in (*(chosen or ()), *params) if n not in declared]
    if unknown:
        raise SymbackpropError(f"{ASKED}: {unknown[0]!r} has no shape")
    trial = OneRun(q.title, tuple(declared), lambda parts, given: planned(q, parts, given), parts)
    hypotheses = () if assuming is None else trace_assumptions(assuming, {**values, **declared})
    try:
        found: Found = observed(trial, declared, lambda plan: plan, hypotheses, seconds)
    except Untraceable as problem:
        raise explained(problem, q) from None
    code, arrays = found.code, tuple(found.declared)
    return Pair(
        OneRun(f"{q.title}.{code.forward}", arrays, code.forward_run, parts),
        OneRun(f"{q.title}.{code.backward}", (*arrays, *code.upstream), code.backward_run, parts),
        found.declared,
        found.variables,
        found.notes,
    )


def explained(problem: Untraceable, q: Question) -> Untraceable:
    """What was taken for a size may be something else."""
    sizes = new_sizes(made(q)) if q.makes else ()
    if not sizes:
        return problem
    verb = "was taken for a size" if len(sizes) == 1 else "were taken for sizes"
    return Untraceable(UNKNOWN, f"{problem}\n{', '.join(sizes)} {verb}; an array needs a shape, anything else a value")


def makes(layer: Any) -> bool:
    """Whether it makes layers: a class whose methods need an object, or a function."""
    if isinstance(layer, type):
        return not isinstance(inspect.getattr_static(layer, "forward", None), staticmethod | classmethod)
    return inspect.isroutine(layer) or isinstance(layer, functools.partial)


def parts_of_question(layer: Any, methods: tuple[Any, Any]) -> tuple[dict[str, Any], tuple[str, str]]:
    """What is copied for a run, and the names of the methods: "forward()" for a function that stands for one."""
    parts, names = {"layer": layer}, []
    for role, given in zip(("forward", "backward"), methods, strict=True):
        if given is None or isinstance(given, str):
            names.append(given or "")
        elif callable(given):
            parts[f"{role}()"] = given
            names.append(f"{role}()")
        else:
            raise SymbackpropError(f"{ASKED}: {role} is the name of a method or a function of the layer, not {given!r}")
    return parts, (names[0], names[1])
