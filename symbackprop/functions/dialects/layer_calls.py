"""What the forward and the backward of a layer are called with."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.core.terms import arrays as occurring
from symbackprop.functions.calling import OUTPUT, TRAINING, Given, Template, flat, is_cache
from symbackprop.functions.request import signature
from symbackprop.read.numpy import SymArray
from symbackprop.read.numpy.context import current
from symbackprop.read.numpy.tracing import tensor

from .layer_code import ASKED, LayerCode, Place, Question, arrays_of, label, parts_of, text

RATES = ("lr", "learning_rate", "eta", "step_size", "rate", "learn_rate", "learningrate")
Parameters = Sequence[inspect.Parameter]
CONTEXT = Given("(context)")


def parameters_of(name: str, parts: Mapping[str, Any], owner: Any) -> Parameters:
    """The parameters of a method without the layer itself."""
    return signature(parts[name], ASKED)[1:] if name.endswith("()") else signature(getattr(owner, name), ASKED)


# --- the forward -----------------------------------------------------------------------------------


def fed(q: Question, code: LayerCode, parts: Mapping[str, Any], owner: Any) -> tuple[LayerCode, tuple[str, ...]]:
    """Which arrays the forward gets, which are put on the layer."""
    parameters = parameters_of(code.forward, parts, owner)
    static = isinstance(owner, type)
    used = () if code.made is None else code.made.names
    rest = [n for n in q.declared if n not in used]
    kept = {} if static else {label(place): place for place, _ in reversed(list(arrays_of(owner)))}
    placed = {n: kept[n] for n in rest if n in kept and n not in {p.name for p in parameters}}
    independent(placed, {} if static else dict(arrays_of(owner)))
    inputs = tuple(n for n in rest if n not in placed)
    context = {parameters[0].name: CONTEXT} if static and parameters else {}
    call = arguments(q, code.forward, parameters[len(context) :], inputs)
    return replace(code, placed=placed, forward_call=replace(call, options={**context, **call.options})), inputs


def independent(placed: Mapping[str, Place], arrays: Mapping[Place, Any]) -> None:
    """Raises SymbackpropError where another array on the layer was made of random numbers that are replaced."""
    made = {place: drawn_in(x) for place, x in arrays.items()}
    for name, place in placed.items():
        for other, drawn in made.items():
            if other not in placed.values() and drawn & made.get(place, set()):
                raise SymbackpropError(
                    f"{ASKED}: {text(other)} was made of {text(place)} before {name!r} is put there; "
                    f"give a function that makes the layer of {name}, as in lambda {name}: ..."
                )


def drawn_in(x: SymArray) -> set[str]:
    """The random arrays that an array was made of."""
    draws = current().draws
    return set() if draws is None else {a.name for a in occurring(tensor(x.value.bare).body)} & set(draws.declared)


def arguments(q: Question, what: str, parameters: Parameters, inputs: Sequence[str]) -> Template:
    """The inputs by name where there is such a parameter, else in order; values; that it trains."""
    plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    waiting = [n for n in inputs if n not in {p.name for p in plain}]
    taken = taken_by(q, plain, inputs, waiting)
    left = [n for n in waiting if n not in Template((), taken).names]
    if left and any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return Template(tuple(map(Given, inputs)))
    if left:
        raise SymbackpropError(
            f"{ASKED}: {left[0]!r} is no array of the layer, and {what}() has no such input: name it as the layer does"
        )
    for p in plain:
        if p.name not in taken and p.default is p.empty:
            raise SymbackpropError(f"{ASKED}: {what}() needs {p.name!r}, which has no shape and no value")
    return Template((), {p.name: taken[p.name] for p in plain if p.name in taken})


def taken_by(q: Question, plain: Parameters, inputs: Sequence[str], waiting: Sequence[str]) -> dict[str, Any]:
    """What each parameter gets; a single one gets all inputs that have no place of their own."""
    found: dict[str, Any] = {p.name: Given(p.name) for p in plain if p.name in inputs}
    found.update({p.name: q.asked.values[p.name] for p in plain if p.name in q.asked.values})
    free = [p for p in plain if p.name not in found]
    needy = [p for p in free if p.default is p.empty]
    if len(waiting) < len(needy):
        training = [p for p in needy if p.name in TRAINING]
        found.update({p.name: TRAINING[p.name] for p in training})
        needy = [p for p in needy if p not in training]
    if len(needy) == 1 and len(waiting) > len(free):
        found[needy[0].name] = tuple(map(Given, waiting))
        return found
    order = needy if len(needy) >= len(waiting) else [p for p in free if p.name not in TRAINING]
    found.update({p.name: Given(n) for p, n in zip(order, waiting, strict=False)})
    return found


# --- the output ------------------------------------------------------------------------------------


def output_of(
    code: LayerCode, parts: Mapping[str, Any], owner: Any, returned: Any, inputs: Sequence[str], known: Sequence[Any]
) -> LayerCode:
    """Where the outputs are."""
    parameters = parameters_of(code.backward, parts, owner)
    if returned is None:
        return replace(code, result=result_place(owner, [id(x) for x in known]))
    caches = [p.name for p in parameters if is_cache(p.name) and p.name not in inputs]
    if caches and isinstance(returned, tuple | list) and len(returned) > 1:
        code = replace(code, cached=len(returned) - 1)
    strange = [o for o in flat([code.outputs(owner, returned)]) if not isinstance(o, SymArray | int | float)]
    if strange:
        raise SymbackpropError(
            f"{ASKED}: {code.forward}() returns a {type(strange[0]).__name__} where arrays are needed"
        )
    return code


def result_place(owner: Any, known: Sequence[int]) -> Place:
    """Where the forward left its output: an array that is new, called like an output, or the only one."""
    new = {str(k): ((kind, k),) for (kind, k), x in parts_of(owner) if isinstance(x, SymArray) and id(x) not in known}
    for name in OUTPUT:
        if name in new:
            return new[name]
    if len(new) == 1:
        return next(iter(new.values()))
    raise SymbackpropError(
        f"{ASKED}: the forward returns nothing, and which of {', '.join(new) or 'no arrays'} is its output is not "
        "clear; forward= may be a function of the layer, as in lambda self, x: (self.forward(x), self.z)[1]"
    )


# --- the backward ----------------------------------------------------------------------------------


def given_back(
    q: Question, code: LayerCode, parts: Mapping[str, Any], owner: Any, inputs: Sequence[str], outputs: Sequence[Any]
) -> LayerCode:
    """The arguments of the backward: upstream gradients, inputs once more, the cache, a rate of learning."""
    parameters = parameters_of(code.backward, parts, owner)
    context = {parameters[0].name: CONTEXT} if isinstance(owner, type) and parameters else {}
    plain = [p for p in parameters[len(context) :] if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    known = known_arguments(q, code, plain, inputs)
    free = [p for p in plain if p.name not in known]
    if free and free[0].name == "dvalues" and len(plain) == len(inputs) > 1:  # so some call what a loss was given
        known[free.pop(0).name] = Given(inputs[0])
    scalar = len(outputs) == 1 and not getattr(outputs[0], "ndim", 0)
    wanted = [p for p in free if p.default is p.empty] or ([] if scalar else free[: len(outputs)])
    if scalar and len(wanted) == len(inputs) > 1:  # of a loss: what its forward took
        known.update({p.name: Given(n) for p, n in zip(wanted, inputs, strict=True)})
        wanted = []
    if not scalar and not wanted and any(p.kind is p.VAR_POSITIONAL for p in parameters):
        names = tuple(unused(f"dout{k}", q.declared) for k in range(len(outputs)))
        return replace(code, upstream=names, backward_call=Template(tuple(map(Given, names))))
    upstream = upstream_names(q, code, [p.name for p in wanted], outputs, scalar)
    if len(wanted) == 1 < len(outputs):
        known[wanted[0].name] = tuple(map(Given, upstream))
    else:
        known.update({p.name: Given(n) for p, n in zip(wanted, upstream, strict=True)})
    return replace(code, upstream=upstream, backward_call=Template((), {**context, **known}))


def known_arguments(q: Question, code: LayerCode, plain: Parameters, inputs: Sequence[str]) -> dict[str, Any]:
    """What arguments of the backward are by their names; the others are upstream gradients."""
    trains = {p.name: TRAINING[p.name] for p in plain if p.name in TRAINING and p.default is p.empty}
    again = {**trains, **code.forward_call.options, **{n: Given(n) for n in inputs}}
    cache = {p.name: Given("(cache)") for p in plain if code.cached is not None and is_cache(p.name)}
    known = {**again, **cache, **dict.fromkeys(RATES, 1), **q.asked.values}
    return {p.name: known[p.name] for p in plain if p.name in known}


def upstream_names(
    q: Question, code: LayerCode, wanted: Sequence[str], outputs: Sequence[Any], scalar: bool
) -> tuple[str, ...]:
    """One for each output, called as the backward calls it."""
    if not wanted:
        if not scalar:
            raise SymbackpropError(f"{ASKED}: {code.backward}() takes no upstream gradient, and the output is an array")
        return ()
    if len(wanted) == 1 < len(outputs):
        return tuple(unused(f"{wanted[0]}{k}", q.declared) for k in range(len(outputs)))
    if len(wanted) != len(outputs):
        raise SymbackpropError(
            f"{ASKED}: {code.backward}() takes {', '.join(wanted)} and the forward has {len(outputs)} "
            f"output{'s' if len(outputs) > 1 else ''}: one upstream gradient for each is needed"
        )
    return tuple(unused(n, q.declared) for n in wanted)


def unused(name: str, names: Iterable[str]) -> str:
    return f"upstream_{name}" if name in names else name
