"""Functions that hand a cache on: forward(...) -> (out, cache), backward(dout, cache) -> gradients."""

from __future__ import annotations

import dis
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.calling import accepted, call, flat, is_cache, is_upstream, matched, named, renamed
from symbackprop.functions.request import Function, called, further_arguments, required, signature
from symbackprop.read.numpy import SymArray, parse_shapes, trace_assumptions

from .layers import layer_pair
from .one_run import OneRun, Pair, Untraceable, observed


@dataclass(frozen=True, slots=True)
class Handed:
    """`take` gives the outputs of what the forward returns and what each further argument of the backward gets."""

    take: Callable[[Any], tuple[Any, dict[str, Any]]]
    upstream: tuple[str, ...]


def cached_pair(
    asked: str,
    forward: Function,
    backward: Function,
    shapes: Mapping[str, Any],
    wrt: str | Sequence[str] | None,
    assuming: Function | None,
    values: Mapping[str, Any],
    seconds: float,
    ordered: bool = False,
) -> Pair | None:
    """The two as one run, where the backward takes something that the forward returns besides its output.

    Methods of one object are one, too, where the backward does not take what the forward takes.  `ordered`:
    arguments with other names than the shapes are taken in order.
    """
    if not (callable(forward) and callable(backward) and isinstance(shapes, Mapping)):
        return None  # the request says what is wrong with them
    takes = signature(backward, asked)
    known = [p.name for p in signature(forward, asked)]
    owner = getattr(forward, "__self__", None)
    if owner is not None and owner is getattr(backward, "__self__", None) and not set(known) <= {p.name for p in takes}:
        methods = forward.__name__, backward.__name__
        try:
            return layer_pair(owner, shapes, {}, wrt, assuming, values, methods, seconds)
        except Untraceable:
            return None
    further = further_arguments(asked, forward, backward, values)
    if not further or not (any(map(is_cache, further)) or returns_several(forward)):
        return None
    own = [n for n in shapes if n in known or n not in further]
    extra = set(required(takes)) if not ordered else set()
    arguments = matched(asked, forward, own, values, extra) if ordered else {n: n for n in own if n in known}
    declared = parse_shapes({n: shapes[n] for n in arguments})
    more = accepted(forward, values, asked)
    parts = {"forward": forward, "backward": backward}

    def run(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return call(parts["forward"], arguments, given, more)

    first = OneRun(called(forward), tuple(arguments), run, parts)
    hypotheses = () if assuming is None else trace_assumptions(assuming, {**values, **declared})
    try:
        plan = observed(first, declared, lambda result: handed(result, further), hypotheses, seconds)
    except Untraceable:
        plan = None  # the check of the two says why
    if plan is None:
        return None
    chosen = [wrt] if isinstance(wrt, str) else list(wrt or [n for n, d in declared.items() if d.values is None])
    orders = ([n for n, d in declared.items() if d.values is None], list(arguments))
    inputs = {n: arguments.get(n, n) for n in arguments if arguments[n] in {p.name for p in takes}}
    further_values = accepted(backward, values, asked)

    def outputs(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        return plan.take(run(parts, given))[0]

    def gradients(parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        cache = plan.take(run(parts, given))[1]
        again = {p: given[n] for n, p in inputs.items()}
        upstream = {n: given[n] for n in plan.upstream}
        return named(parts["backward"](**again, **upstream, **cache, **further_values), chosen, orders)

    back = {"backward": backward, "forward": forward}
    return Pair(
        OneRun(called(forward), tuple(arguments), outputs, parts),
        OneRun(called(backward), (*arguments, *plan.upstream), gradients, back),
        shapes,
        chosen,
        tuple(renamed(arguments, forward)),
    )


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
    if len(caches) == 1 and len(result) == count + 1:
        (name,) = caches
        return Handed(lambda r: (outputs_of(r[:count]), {name: r[count]}), upstream)
    if len(caches) == 1:
        (name,) = caches
        return Handed(lambda r: (outputs_of(r[:count]), {name: r[count:]}), upstream)
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
    """A flat cache over the arguments for it."""
    if not names:
        return {}
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
