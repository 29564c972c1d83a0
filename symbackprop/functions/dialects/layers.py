"""Layers: a forward and a backward that share an object."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import UNKNOWN
from symbackprop.functions.calling import Given, Template, flat
from symbackprop.functions.dialects.layer_calls import RATES, fed, given_back, output_of
from symbackprop.functions.dialects.layer_code import (
    ASKED, RETURNED, LayerCode, Length, NewSize, Place, Question, arrays_of, parts_of, read, with_context,
)  # fmt: skip
from symbackprop.functions.dialects.layer_gradients import Found, located
from symbackprop.functions.dialects.one_run import OneRun, Pair, Untraceable, observed, of_all
from symbackprop.functions.drive import Asked
from symbackprop.functions.request import signature
from symbackprop.read.numpy import Declared, ShapeMismatch, SymArray, parse_shapes
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.lifting import HANDLERS


def layer_pair(asked: Asked, methods: tuple[Any, Any]) -> Pair:
    """The layer's forward and backward, each as one run from its making on.

    Raises SymbackpropError where a name is needed that is not found.
    """
    declared = parse_shapes(asked.shapes)
    parts, names = parts_of_question(asked.function, methods)
    q = Question(asked, makes(asked.function), declared, *names)
    unknown = [n for n in (*(asked.chosen or ()), *asked.params) if n not in declared]
    if unknown:
        raise SymbackpropError(f"{ASKED}: {unknown[0]!r} has no shape")
    trial = OneRun(q.title, tuple(declared), lambda parts, given: planned(q, parts, given), parts)
    try:
        found: Found = observed(asked, trial, declared, lambda plan: plan)
    except Untraceable as problem:
        raise explained(problem, q) from None
    code, arrays = found.code, tuple(found.declared)
    return Pair(
        OneRun(f"{q.title}.{code.forward}", arrays, code.forward_run, parts),
        OneRun(f"{q.title}.{code.backward}", (*arrays, *code.upstream), code.backward_run, parts),
        found.declared, found.variables, found.notes,
    )  # fmt: skip


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


# --- finding out how a layer is used: by the names of its methods, arguments and attributes, in one run on symbols ---


FORWARD = (
    "forward", "__call__", "fprop", "feedforward", "feed_forward", "forward_pass", "forward_propagation",
    "forward_prop", "loss", "calculate", "compute", "apply", "predict", "activate", "call",
)  # fmt: skip
BACKWARD = (
    "backward", "bprop", "backprop", "backward_pass", "back_propagation", "backpropagate", "backward_propagation",
    "backward_prop", "back_prop", "grad", "gradient", "gradients", "back", "derivative",
)  # fmt: skip


def planned(q: Question, parts: Mapping[str, Any], given: Mapping[str, Any]) -> Found:
    """One run, and what it showed.  Raises SymbackpropError with what to say where something is not found."""
    given = with_context(given)
    code = LayerCode(q.forward, q.backward, made(q) if q.makes else None)
    owner = code.layer(parts, given)
    forward, backward = named_method(q.forward, owner, FORWARD), named_method(q.backward, owner, BACKWARD)
    code, inputs = fed(q, replace(code, forward=forward, backward=backward), parts, owner)
    owner = code.layer(parts, given)
    before = {} if isinstance(owner, type) else dict(arrays_of(owner))
    returned = code.run_forward(parts, owner, given)
    code = output_of(code, parts, owner, returned, inputs, [*before.values(), *given.values()])
    outputs = flat([code.outputs(owner, returned)])
    code = given_back(q, code, parts, owner, inputs, outputs)
    upstream = {n: upstream_of(n, o) for n, o in zip(code.upstream, outputs, strict=False)}
    known = [*given.values(), *before.values(), *(x for _, x in ([] if isinstance(owner, type) else arrays_of(owner)))]
    values = {place: array.value for place, array in before.items()}
    try:
        back = code.run_backward(parts, owner, returned, {**given, **upstream})
    except ShapeMismatch:  # the check says where
        current().refused.clear()
        variable = (q.asked.chosen or [n for n, d in q.declared.items() if d.values is None])[0]
        return Found(replace(code, gradients={variable: (RETURNED, ())}), q.declared, (variable,), ())
    changed = dict(updates(owner, values, not code.backward_call.options.keys().isdisjoint(RATES)))
    return with_sizes(located(q, code, owner, inputs, before, back, given, changed, known))


def updates(owner: Any, values: Mapping[Place, Any], rated: bool) -> Iterator[tuple[Place, Place | None]]:
    """The arrays that are others now, with the place of the learning rate; None where it was given to the backward."""
    for place, old in values.items():
        rate = None if rated else rate_place(owner, place)
        if (rated or rate is not None) and value_at(place, owner) is not old:
            yield place, rate


def made(q: Question) -> Template:
    """How the layer is made: arrays by their names, values, and sizes; the rest has a default."""
    call: dict[str, Any] = {}
    for p in signature(q.layer, ASKED):
        if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
            continue
        if p.name in q.declared and (p.default is p.empty or p.name not in fed_to(q)):
            call[p.name] = Given(p.name)
        elif p.name in q.asked.values:
            call[p.name] = q.asked.values[p.name]
        elif p.default is p.empty:
            call[p.name] = size_in(q.declared, p.name) or NewSize(p.name)
    return Template((), call)


def fed_to(q: Question) -> list[str]:
    """The arguments of the forward of a class."""
    name = q.forward or "forward"
    method = getattr(q.layer, name, None) if isinstance(q.layer, type) else None
    return [] if method is None else [p.name for p in signature(method, ASKED)]


def new_sizes(call: Template | None) -> tuple[str, ...]:
    """The arguments of what makes the layer that are in no shape: they are taken for sizes."""
    return () if call is None else tuple(x.symbol for x in call.options.values() if isinstance(x, NewSize))


def with_sizes(found: Found) -> Found:
    """New sizes are those of the parameters that were found; what is still in no shape is said."""
    call = found.code.made
    if call is None:
        return found
    sizes = {p: x for p, n in call.options.items() if isinstance(n, NewSize) and (x := size_in(found.declared, p))}
    call = Template((), {**call.options, **sizes})
    taken = of_all(f"{n} has no shape: it was taken for a size, one whole number" for n in new_sizes(call))
    return replace(found, code=replace(found.code, made=call), notes=(*found.notes, *taken))


def size_in(declared: Mapping[str, Declared], symbol: str) -> Length | None:
    """An axis that gives the value of a size symbol."""
    for name, d in declared.items():
        for axis, size in enumerate(d.shape):
            factors = {symbols: k for symbols, k in size.monomials if symbols}
            if set(factors) == {(symbol,)}:
                constant = next((k for symbols, k in size.monomials if not symbols), 0)
                return Length(name, axis, factors[(symbol,)], constant)
    return None


def named_method(name: str, owner: Any, usual: Sequence[str]) -> str:
    """The method of that name, or else the first of the usual ones."""
    what = getattr(owner, "__name__", type(owner).__name__)
    if name:
        if not name.endswith("()") and not callable(getattr(owner, name, None)):
            raise SymbackpropError(f"{ASKED}: {what} has no method {name!r}")
        return name
    found = [n for n in usual if callable(getattr(owner, n, None))]
    if usual is FORWARD and callable(getattr(owner, "calculate", None)):
        found.insert(0, "calculate")  # of a loss: the mean of what its forward gives
    if not found:
        raise SymbackpropError(
            f"{ASKED}: {what} has no method {usual[0]!r}; {usual[0]}= names it, or is a function of the layer"
        )
    return found[0]


def rate_place(owner: Any, place: Place) -> Place | None:
    """The learning rate that is kept beside an array, or on the way to it."""
    for depth in range(len(place) - 1, -1, -1):
        for step, x in parts_of(read(place[:depth], owner)):
            if str(step[1]).lower() in RATES and isinstance(x, int | float | SymArray):
                return (*place[:depth], step)
    return None


def value_at(place: Place, owner: Any) -> Any:
    try:
        return getattr(read(place, owner), "value", None)
    except (AttributeError, LookupError):
        return None


def upstream_of(name: str, output: Any) -> Any:
    return HANDLERS["symbol"](name, Declared(output.value.shape if isinstance(output, SymArray) else ()))
