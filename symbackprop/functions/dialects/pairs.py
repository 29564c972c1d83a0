"""Functions that belong together: a loss with its gradients, an elementwise f with its f', two that hand on a cache.

A loss returns (loss, grad), (loss, grads...) or (loss, dict); f' takes x or the output f(x); forward(...) -> (out,
cache) is followed by backward(dout, cache) -> gradients.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.calling import (
    Given, Slot, Template, accepted, by_key, flat, is_cache, is_upstream, matched, named,
)  # fmt: skip
from symbackprop.functions.drive import Asked
from symbackprop.functions.request import called, further_arguments, required, signature
from symbackprop.read.numpy import SymArray, parse_shapes
from symbackprop.read.numpy.branching import every_branch

from .layers import layer_pair
from .one_run import OneRun, Pair, Untraceable, observed, of_all

LOSS = ("loss", "cost", "value", "objective", "j", "l", "nll", "energy", "f", "out", "output")


@dataclass(frozen=True, slots=True)
class LossAt:
    """Where the loss stands in the result, and the variables whose gradients stand beside it."""

    key: Any
    variables: tuple[str, ...]

    def loss(self, result: Any) -> Any:
        return result[self.key]

    def gradients(self, result: Any) -> Any:
        """What stands beside the loss."""
        if isinstance(result, Mapping):
            rest = {k: x for k, x in result.items() if k != self.key}
            inner = [x for x in rest.values() if isinstance(x, Mapping)]
            return inner[0] if len(inner) == 1 else next(iter(rest.values())) if len(rest) == 1 else rest
        others = [x for k, x in enumerate(result) if k != self.key]
        tables = [x for x in others if isinstance(x, Mapping)]
        return tables[0] if len(tables) == 1 else others[0] if len(others) == 1 else tuple(others)


def loss_pair(asked: Asked) -> Pair:
    """The loss as the forward and what comes with it as the backward, both by one run of the function.

    Raises SymbackpropError for a function that returns something else.
    """
    template = matched(asked.check, asked.function, list(asked.shapes), asked.values)
    declared = parse_shapes(asked.shapes)
    real = [n for n in template.names if declared[n].values is None]
    title, parts = called(asked.function), {"function": asked.function}

    def run(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return template.call(parts["function"], given)

    whole = OneRun(title, template.names, run, parts)
    place = observed(asked, whole, declared, lambda result: placed(asked.check, title, result, real, asked.chosen))

    def loss(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return place.loss(run(parts, given))

    def gradients(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return named(place.gradients(run(parts, given)), place.variables, [real])

    notes = [*template.notes]
    if asked.wrt is None and len(place.variables) < len(real):
        notes.append(f"the gradient is taken for that of {', '.join(place.variables)}; wrt= says it otherwise")
    forward, backward = (OneRun(title, template.names, half, parts) for half in (loss, gradients))
    return Pair(forward, backward, asked.shapes, place.variables, of_all(notes))


def placed(asked: str, title: str, result: Any, real: Sequence[str], chosen: tuple[str, ...] | None) -> LossAt:
    """Raises SymbackpropError where no loss with gradients beside it is returned."""
    if isinstance(result, Mapping):
        keys = [k for k, x in result.items() if is_number(x)]
        keys = [k for k in keys if str(k).lower() in LOSS] or keys
    elif isinstance(result, tuple | list):
        keys = [k for k, x in enumerate(result) if is_number(x)]
    else:
        raise SymbackpropError(
            f"{asked}: {title} returns one array, no loss with its gradient; check_gradient takes two functions"
        )
    if not keys or len(result) < 2:
        raise SymbackpropError(f"{asked}: {title} returns no scalar loss with gradients beside it")
    place = LossAt(keys[0], tuple(real if chosen is None else chosen))
    return place if chosen is not None else LossAt(place.key, variables_of(place.gradients(result), real))


def variables_of(gradients: Any, real: Sequence[str]) -> tuple[str, ...]:
    """The first arguments, as many as there are gradients; by their names in a dict."""
    if isinstance(gradients, Mapping):
        return tuple(by_key(gradients, real))
    count = len(flat(gradients)) if isinstance(gradients, tuple | list) else 1
    return tuple(real[:count])


def is_number(x: Any) -> bool:
    return isinstance(x, int | float) or (isinstance(x, SymArray) and not x.ndim)


OUTPUTS = (
    "a", "y", "s", "h", "o", "p", "t", "out", "output", "fx", "act", "activation", "activated", "result", "value",
    "sig", "prob", "probs", "yhat", "y_hat", "f_x", "f", "fz", "sigma", "activations", "outputs",
)  # fmt: skip


def derivative_pair(asked: Asked, of_output: bool) -> Pair:
    """f as the forward, upstream * f' as the backward."""
    f, derivative, shapes = asked.function, asked.derivative, asked.shapes
    variable = variable_of(asked)
    arguments = matched(asked.check, f, list(shapes), asked.values)
    taken = required(signature(derivative, asked.check))
    others = [n for n in shapes if n != variable and (n in taken or len(taken) > 1)]
    slopes = matched(asked.check, derivative, [variable, *others], asked.values)
    upstream = "dy" if "dy" not in shapes else "upstream"

    def output(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return every_branch(lambda: arguments.call(parts["f"], given))

    def slope(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        at = {**given, variable: output(parts, given)} if of_output else given
        return given[upstream] * every_branch(lambda: slopes.call(parts["derivative"], at))

    said = f"{called(derivative)} is taken of {'the output' if of_output else variable}"
    return Pair(
        OneRun(called(f), arguments.names, output, {"f": f, "derivative": derivative}),
        OneRun(called(derivative), (*arguments.names, upstream), slope, {"derivative": derivative, "f": f}),
        shapes, (variable,), of_all((*arguments.notes, said)),
    )  # fmt: skip


def variable_of(asked: Asked) -> str:
    chosen = asked.chosen or tuple(asked.shapes)[:1]
    if len(chosen) != 1:
        raise SymbackpropError(
            f"{asked.check}: an elementwise derivative is by one variable, not {len(chosen)}; wrt= names it"
        )
    if chosen[0] not in asked.shapes:
        raise SymbackpropError(f"{asked.check}: wrt names {chosen[0]!r}, which has no shape")
    return chosen[0]


def may_take_output(asked: Asked) -> bool:
    """Whether the argument of f' is called like an output, and otherwise than that of f."""
    functions = (asked.function, asked.derivative)
    first, second = (next(iter(p.name for p in signature(g, asked.check)), "") for g in functions)
    own = str(getattr(asked.function, "__name__", "?")).lower()
    meant = second.lower() in OUTPUTS or "out" in second.lower() or second.lower().startswith(own)
    return meant and second not in (first, variable_of(asked))


@dataclass(frozen=True, slots=True)
class Handed:
    """`take` gives the outputs of what the forward returns and what each further argument of the backward gets."""

    take: Callable[[Any], tuple[Any, dict[str, Any]]]
    upstream: tuple[str, ...]


def cached_pair(asked: Asked, ordered: bool = False) -> Pair | None:
    """The two as one run, where the backward takes something that the forward returns besides its output.

    Methods of one object are one, too, where the backward does not take what the forward takes.  `ordered`:
    arguments with other names than the shapes are taken in order.
    """
    check, forward, backward, shapes = asked.check, asked.function, asked.derivative, asked.shapes
    if not (callable(forward) and callable(backward) and isinstance(shapes, Mapping)):
        return None  # the request says what is wrong with them
    takes = signature(backward, check)
    known = [p.name for p in signature(forward, check)]
    owner = getattr(forward, "__self__", None)
    if owner is not None and owner is getattr(backward, "__self__", None) and not set(known) <= {p.name for p in takes}:
        try:
            return layer_pair(replace(asked, function=owner), (forward.__name__, backward.__name__))
        except Untraceable:
            return None
    further = further_arguments(check, forward, backward, asked.values)
    if not further or not (any(map(is_cache, further)) or returns_several(forward)):
        return None
    if ordered:
        template = matched(check, forward, [n for n in shapes if n in known or n not in further], asked.values)
    else:
        own = {n: Given(n) for n in shapes if n in known}
        template = Template((), {**accepted(check, forward, asked.values), **own})
    declared = parse_shapes({n: shapes[n] for n in template.names})

    def run(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return template.call(parts["forward"], given)

    first = OneRun(called(forward), template.names, run, {"forward": forward, "backward": backward})
    try:
        plan = observed(asked, first, declared, lambda result: handed(result, further))
    except Untraceable:
        plan = None  # the check of the two says why
    if plan is None:
        return None
    real = [n for n, d in declared.items() if d.values is None]
    chosen = list(asked.chosen or real)
    inputs = {p: x for p, x in template.options.items() if isinstance(x, Slot) and p in {p.name for p in takes}}
    again = Template((), {**accepted(check, backward, asked.values), **inputs})

    def outputs(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return plan.take(run(parts, given))[0]

    def gradients(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        cache = plan.take(run(parts, given))[1]
        upstream = {n: given[n] for n in plan.upstream}
        returned = again.call(functools.partial(parts["backward"], **upstream, **cache), given)
        return named(returned, chosen, (real, template.names))

    return Pair(
        OneRun(called(forward), template.names, outputs, {"forward": forward, "backward": backward}),
        OneRun(called(backward), (*template.names, *plan.upstream), gradients,
               {"backward": backward, "forward": forward}),
        shapes, chosen, of_all(template.notes),
    )  # fmt: skip


def handed(result: Any, further: Sequence[str]) -> Handed | None:
    """How the outputs and the cache are told apart, by what the backward asks for; None where all are outputs."""
    caches = [n for n in further if is_cache(n)]
    if isinstance(result, Mapping):
        return from_table(result, further)
    if not isinstance(result, tuple | list):
        if caches:
            raise SymbackpropError(f"the backward takes {caches[0]!r}, but the forward returns one array and no cache")
        return None
    arrays = [x for x in flat(result) if isinstance(x, SymArray)]
    if not caches:
        caches = [n for n in further if not is_upstream(n)]
        if len(further) == len(arrays) and (len(caches) in (0, len(further)) or len(flat(result)) != len(result)):
            return None
    upstream = tuple(n for n in further if n not in caches)
    count = len(upstream) if len(upstream) <= len(result) - bool(caches) else 1
    count = 1 if isinstance(result[0], tuple | list) else max(1, count)
    return Handed(lambda r: (outputs_of(r[:count]), spread(r[count:], caches)), upstream)


def from_table(result: Mapping[Any, Any], further: Sequence[str]) -> Handed | None:
    """A dict as the result: what the backward asks for by its key, or the entry that is called like a cache."""
    keys = {n: n for n in further if n in result}
    caches = [k for k in result if isinstance(k, str) and is_cache(k)]
    keys.update({n: caches[0] for n in further if n not in keys and is_cache(n) and caches})
    if not keys:
        return None
    outputs = [k for k in result if k not in keys.values()]
    upstream = tuple(n for n in further if n not in keys)
    return Handed(lambda r: (outputs_of([r[k] for k in outputs]), {n: r[k] for n, k in keys.items()}), upstream)


def outputs_of(items: Sequence[Any]) -> Any:
    found = tuple(flat(items))
    return found[0] if len(found) == 1 else found


def spread(items: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """A flat cache over the arguments for it; all of it for the only one."""
    if not names:
        return {}
    if len(names) == 1:
        return {names[0]: items[0] if len(items) == 1 else items}
    parts = items if len(items) == len(names) else flat(items)
    if len(parts) != len(names):
        raise SymbackpropError(
            f"the backward takes {', '.join(names)} from the forward, which returns {len(parts)} things besides "
            "its output"
        )
    return dict(zip(names, parts, strict=True))


def returns_several(function: Any) -> bool:
    """Whether a return statement of the function makes a tuple, a list or a dict."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:
        return True
    steps = [i.opname for i in dis.get_instructions(code)]
    return any(a.startswith("BUILD_") and b == "RETURN_VALUE" for a, b in pairwise(steps))
