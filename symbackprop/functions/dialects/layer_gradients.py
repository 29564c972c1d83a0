"""Where the gradients are after the backward of a layer: in what it returns, on the layer, in an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.calling import INPUT, Given
from symbackprop.functions.dialects.layer_calls import drawn_in, independent
from symbackprop.functions.dialects.layer_code import (
    ASKED, PLACE, RESULT, RETURNED, UPDATED, LayerCode, Place, Question, arrays_of, label, parsed, parts_of, read, text,
)  # fmt: skip
from symbackprop.functions.request import gradient_of, plain
from symbackprop.read.numpy import Declared, SymArray

Where = dict[str, tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """The plan, the arrays that it takes (with parameters that were not named before), the variables, what to say."""

    code: LayerCode
    declared: Mapping[str, Declared]
    variables: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


def located(
    q: Question, code: LayerCode, owner: Any, inputs: Sequence[str], before: Mapping[Place, Any], back: Any,
    given: Mapping[str, Any], changed: Mapping[Place, Place | None], known: Sequence[Any],
) -> Found:  # fmt: skip
    """The plan with the place of each gradient.  Raises SymbackpropError for one that is not found.

    `changed` are the arrays of the layer that the backward updated, with the place of the learning rate; `known` are
    the arrays that were there before.
    """
    real = [n for n, d in q.declared.items() if d.values is None]
    asked = real if q.asked.chosen is None else list(q.asked.chosen)
    own, parameters = [n for n in real if n in inputs], [n for n in real if n not in inputs]
    homes = {n: place for n in parameters if (place := home(n, code, before, given)) is not None}
    found: Where = {n: said(n, q.asked.params[n]) for n in asked if n in q.asked.params}
    found.update({n: (RETURNED, place) for n, place in from_result(back, asked, own, parameters, found).items()})
    for name in [n for n in asked if n not in found]:
        place = on_layer(name, owner, code, own, homes, [n for n in own if n in asked] == [name])
        if place is not None:
            found[name] = PLACE, place
        elif homes.get(name) in changed:
            found[name] = UPDATED, (homes[name], changed[homes[name]])
    waiting = [n for n in own if n in asked and n not in found]
    if len(waiting) == 1 and not isinstance(owner, type):
        found.update(the_only_one_left(owner, waiting[0], found, given[waiting[0]], known))
    declared = dict(q.declared)
    if q.asked.chosen is None and not isinstance(owner, type):
        code = with_unnamed(code, owner, before, list(given.values()), found, declared, changed)
    missing = [n for n in asked if n not in found and (q.asked.chosen is not None or n in parameters)]
    if missing or not found:
        raise SymbackpropError(not_found([*missing, *asked][0], owner, code))
    variables = q.asked.chosen or tuple(n for n in declared if n in found)
    code = replace(code, gradients={n: found[n] for n in variables})
    left_out = (*unchecked(code, before), *unasked(code, back)) if q.asked.chosen is None else ()
    said_of = (*notes(code, homes), *left_out)
    return Found(code, declared, variables, said_of)


def home(name: str, code: LayerCode, before: Mapping[Place, Any], given: Mapping[str, Any]) -> Place | None:
    """Where the layer keeps an array that it was given."""
    if name in code.placed:
        return code.placed[name]
    return next((place for place, array in before.items() if same(array, given.get(name))), None)


def same(a: Any, b: Any) -> bool:
    return isinstance(a, SymArray) and isinstance(b, SymArray) and (a is b or a.value is b.value)


def said(name: str, where: Any) -> tuple[str, Any]:
    if not isinstance(where, str):
        raise SymbackpropError(f'{ASKED}: params says where gradients are as text, as in {{{name!r}: "self.d{name}"}}')
    place = parsed(ASKED, name, where)
    return (RETURNED, place[1:]) if place[0] == RESULT else (PLACE, place)


def on_layer(
    name: str, owner: Any, code: LayerCode, own: Sequence[str], homes: Mapping[str, Place], alone: bool
) -> Place | None:
    """Where the layer leaves the gradient: of an input by the name that the forward has for it, too.

    `alone`: it is the only input whose gradient is asked for.
    """
    if isinstance(owner, type):
        return None
    if name in own:
        names = [p for p, x in code.forward_call.options.items() if x == Given(name)]
        return input_place(owner, [*names, name], alone)
    return gradient_place(owner, homes[name], (name,)) if name in homes else input_place(owner, (name,), False)


def from_result(
    back: Any, asked: Sequence[str], own: Sequence[str], parameters: Sequence[str], known: Mapping[str, Any]
) -> dict[str, Place]:
    """What of the result is which gradient: by key, or in the order of the inputs, the parameters after them."""
    wanted = [n for n in asked if n not in known]
    if isinstance(back, dict):
        steps = {n: in_table(back, (("attribute", n),), (n,)) for n in wanted}
        return {n: (step,) for n, step in steps.items() if step is not None}
    inputs = [n for n in own if n not in known]
    if not isinstance(back, tuple | list):
        first = [n for n in inputs if n in asked] or inputs
        return {} if back is None else {n: () for n in first[:1]}
    found: dict[str, Place] = {}
    places: list[Place] = []
    for k, item in enumerate(back):
        if isinstance(item, dict):
            inner = from_result(item, wanted, own, parameters, known)
            found.update({n: (("item", k), *place) for n, place in inner.items()})
        elif isinstance(item, tuple | list):
            places += [(("item", k), ("item", j)) for j in range(len(item))]
        else:
            places.append((("item", k),))
    inputs, wanted = [n for n in inputs if n not in found], [n for n in wanted if n not in found]
    others = [n for n in parameters if n not in found and n not in known]
    orders = (inputs, [*inputs, *others], wanted, others)
    order = next((o for o in orders if len(o) == len(places)), inputs)
    found.update(zip(order, places, strict=False))
    return {n: place for n, place in found.items() if read(place, back) is not None}


def with_unnamed(
    code: LayerCode, owner: Any, before: Mapping[Place, Any], given: Sequence[Any], found: Where,
    declared: dict[str, Declared], changed: Mapping[Place, Place | None],
) -> LayerCode:  # fmt: skip
    """Parameters that the layer made itself, with a gradient beside them, under the names that they have there."""
    placed = dict(code.placed)
    where: dict[Place, tuple[str, Any]] = {p: (PLACE, g) for p, g in parameters_on(owner, before, given)}
    for place, rate in changed.items():
        if not any(before[place] is x for x in given):
            where.setdefault(place, (UPDATED, (place, rate)))
    new = {p: w for p, w in where.items() if p not in placed.values()}
    for place, gradient in new.items():
        name = label(place)
        if sum(label(p) == name for p in new) > 1 or not name.isidentifier() or name in declared:
            name = f"{name}_{sum(n.startswith(f'{name}_') for n in declared)}"
        placed[name], found[name] = place, gradient
        declared[name] = Declared(before[place].value.shape)
    independent(placed, before)
    return replace(code, placed=placed)


def the_only_one_left(owner: Any, name: str, found: Where, array: Any, known: Sequence[Any]) -> Where:
    """For the one input without a gradient the one array of its shape that the backward left, whatever its name is."""
    ids, taken = [id(x) for x in known], [where for kind, where in found.values() if kind == PLACE]
    new = [place for place, x in arrays_of(owner) if id(x) not in ids and same_shape(x, array)]
    left = [place for place in new if place not in taken]
    return {name: (PLACE, left[0])} if len(left) == 1 else {}


def same_shape(a: Any, b: Any) -> bool:
    return isinstance(a, SymArray) and isinstance(b, SymArray) and a.value.shape == b.value.shape


def not_found(name: str, owner: Any, code: LayerCode) -> str:
    there = [] if isinstance(owner, type) else [text(place) for place, _ in arrays_of(owner)]
    return (
        f"{ASKED}: after {code.backward}() no gradient of {name!r} is found (there are "
        f"{', '.join(there[:12]) or 'none'}); say where it is, as in params={{{name!r}: 'self.d{name}'}}, or name the "
        "variables with wrt="
    )


def unchecked(code: LayerCode, before: Mapping[Place, Any]) -> Iterator[tuple[str, str]]:
    """Weights that were drawn and for which no gradient was found."""
    for place, x in before.items():
        if place not in code.placed.values() and drawn_in(x):
            yield "", f"no gradient of {text(place)} was found: it is not checked"


def unasked(code: LayerCode, back: Any) -> Iterator[tuple[str, str]]:
    """What the backward returns besides the gradients that are checked."""
    asked = [place[:1] for kind, place in code.gradients.values() if kind == RETURNED]
    for k, x in back.items() if isinstance(back, dict) else enumerate(back if isinstance(back, tuple | list) else ()):
        if isinstance(x, SymArray) and (("item", k),) not in asked:
            where = text((("item", k),), "")
            yield "", f"what {code.backward}() returns{where} is not checked: nothing with a shape goes with it"


def notes(code: LayerCode, homes: Mapping[str, Place]) -> Iterator[tuple[str, str]]:
    """Which array is what."""
    for parameter, x in code.forward_call.options.items():
        if isinstance(x, Given) and x.name not in (parameter, "(context)"):
            yield x.name, f"{x.name} is the argument {parameter} of {code.forward}()"
    for name, (kind, place) in code.gradients.items():
        where: str
        kept = homes.get(name, code.placed.get(name, ()))
        held = f"{name} is {text(kept)}, and " if kept and label(kept) != name else ""
        match kind:
            case "returned":
                where = f"what {code.backward}() returns{text(place, '')}"
            case "updated":
                home, rate = place
                where = f"what is subtracted from {text(home)} at a learning rate of {text(rate) if rate else 1}"
            case _:
                where = text(place)
        yield name, f"{held}its gradient is {where}"


# --- finding the gradient of a parameter on an object, by the usual names ---


TABLES = (
    "grads", "gradients", "grad", "gradient", "dparams", "gradparams", "paramsgrad", "deltas", "dweights", "paramgrads",
    "derivatives", "nabla", "dtheta", "gradbuffer",
)  # fmt: skip
HELD = ("grad", "gradient", "d", "g", "delta", "dvalue", "grad_value", "dw")  # beside the array that a holder holds


def gradient_place(owner: Any, place: Place, names: Sequence[str]) -> Place | None:
    """Where the gradient of the array at `place` is: beside it, or in a table of gradients on the way to it.

    `names` are other names of the array.
    """
    called = [n for n in dict.fromkeys([label(place), *names]) if n]
    for depth in range(len(place) - 1, -1, -1):
        holder = place[:depth]
        found = beside(owner, holder, place[depth:], called)
        if found is not None:
            return found
    return None


def beside(owner: Any, holder: Place, rest: Place, names: Sequence[str]) -> Place | None:
    """In one object: under its own name there, in a table, or at the same place of a list."""
    parts = dict(parts_of(read(holder, owner)))
    arrays = {str(k): (kind, k) for (kind, k), x in parts.items() if isinstance(x, SymArray)}
    if len(rest) == 1:
        single = [n for n in HELD if n in arrays and label((*holder, *rest)) != str(rest[-1][1])]
        if single:
            return (*holder, arrays[single[0]])
    for name in names:
        key = gradient_of(arrays, name)
        if key is not None:
            return (*holder, arrays[key])
    for (kind, key), table in parts.items():
        if plain(str(key)) in TABLES or (
            isinstance(key, str) and len(rest) > 1 and key == gradient_of([key], str(rest[0][1]))
        ):
            found = in_table(table, rest, names)
            if found is not None:
                return (*holder, (kind, key), found)
    for step, table in parts.items():  # a dict of anything, with a gradient in it
        if isinstance(table, dict):
            found = in_table(table, (("attribute", "?"),), names, own=False)
            if found is not None:
                return (*holder, step, found)
    return None


def in_table(table: Any, rest: Place, names: Sequence[str], own: bool = True) -> tuple[str, Any] | None:
    """grads["W"] (its `own` name), grads["dW"], grads[0] for params[0]."""
    parts = {key: (kind, key) for (kind, key), x in parts_of(table) if isinstance(x, SymArray)}
    for name in names:
        if own and name in parts:
            return parts[name]
        key = gradient_of([k for k in parts if isinstance(k, str)], name)
        if key is not None:
            return parts[key]
    last = rest[-1][1]
    return parts.get(last) if isinstance(last, int) and len(rest) > 1 else None


def input_place(owner: Any, names: Sequence[str], alone: bool) -> Place | None:
    """Where an object leaves the gradient of an input that is called so; `alone`: it has no other input."""
    found = beside(owner, (), (("attribute", names[0]),), names)
    if found is not None or not alone:
        return found
    arrays = (step for step, x in parts_of(owner) if isinstance(x, SymArray))
    return next(((step,) for step in arrays if str(step[1]).lower() in INPUT), None)


def parameters_on(owner: Any, before: Mapping[Place, Any], taken: Sequence[Any]) -> Iterator[tuple[Place, Place]]:
    """Arrays that were there before the forward ran and have a gradient now, with its place; not those `taken`."""
    gradients: set[Place] = set()
    found = []
    for place, array in before.items():
        if any(array is t for t in taken):
            continue
        gradient = gradient_place(owner, place, ())
        if gradient is not None and gradient != place:
            gradients.add(gradient)
            found.append((place, gradient))
    yield from ((p, g) for p, g in found if p not in gradients)
