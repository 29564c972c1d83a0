"""Functions called with arrays by name, whatever their parameters are called, and what their results are by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from symbackprop.core.indices import SymbackpropError

from .request import called, gradient_of, required, signature

INPUT = ("dinputs", "dinput", "dx", "grad_input", "grad_inputs", "gradinput", "dprev", "grad_x", "d_input", "d_inputs")
CACHE = re.compile(r"cache|(?:^|_)(?:sav|ctx|context|resid|memo|tape|stor|interm|stash|state|hist|kept|bundle|packed)")
UPSTREAM = ("d", "g", "up", "err", "cot", "ct", "seed", "adj", "chain", "nxt", "next", "top", "incoming")
OUTPUT = ("output", "outputs", "out", "result", "results", "y", "a", "activation", "activations", "value", "probs")


def is_cache(name: str) -> bool:
    return name in ("res", "mem", "aux", "fwd", "vals") or CACHE.search(name.lower()) is not None


def is_upstream(name: str) -> bool:
    return name.lower().lstrip("_").startswith(UPSTREAM)


TRAINING: Mapping[str, Any] = {
    **dict.fromkeys(("train", "training", "is_training", "is_train", "train_flg", "train_mode"), True),
    "mode": "train",
}


def matched(
    asked: str, function: Any, names: Sequence[str], values: Collection[str] = (), elsewhere: Collection[str] = ()
) -> dict[str, str]:
    """For each of `names` the parameter of the function that it is: of the same name, else the next one that is free.

    Names that are known `elsewhere` are left out where the function has no such parameter.  Raises SymbackpropError
    for what is left over.
    """
    parameters = signature(function, asked)
    known = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    found = {n: n for n in names if n in known}
    waiting = [n for n in names if n not in found and n not in elsewhere]
    free = [p for p in required(parameters) if p not in found and p not in values]
    if len(waiting) < len(free):
        free = [p for p in free if p not in TRAINING]
    if len(waiting) > len(free):  # arguments with a default, too
        free += [n for n in known if n not in free and n not in found and n not in values and n not in TRAINING]
    if len(waiting) > len(free):
        raise SymbackpropError(
            f"{asked}: {called(function)} has no argument {waiting[len(free)]!r} (it has {', '.join(known) or 'none'})"
        )
    found.update(zip(waiting, free, strict=False))
    missing = [p for p in free[len(waiting) :] if p in required(parameters)]
    if missing:
        raise SymbackpropError(
            f"{asked}: the argument {missing[0]!r} of {called(function)} has no shape; add it to shapes"
        )
    return {n: found[n] for n in names if n in found}


def renamed(arguments: Mapping[str, str], function: Any) -> list[tuple[str, str]]:
    """For the report: which arguments have other names."""
    return [("", f"{n} is the argument {p} of {called(function)}") for n, p in arguments.items() if n != p]


def call(function: Any, arguments: Mapping[str, str], given: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    """function(...) with the arrays that are given; ufuncs take theirs by position."""
    if isinstance(getattr(function, "nin", None), int):
        return function(*(given[n] for n in arguments))
    return function(**{p: given[n] for n, p in arguments.items()}, **more)


def accepted(function: Any, values: Mapping[str, Any], asked: str) -> dict[str, Any]:
    """The concrete values that are arguments of the function, and what says that it trains."""
    parameters = signature(function, asked)
    training = {n: TRAINING[n] for n in required(parameters) if n in TRAINING}
    return {**training, **{p.name: values[p.name] for p in parameters if p.name in values}}


def named(returned: Any, variables: Sequence[str], orders: Sequence[Sequence[str]]) -> Any:
    """A dict by variable where the structure says what is what, else what was returned.

    A sequence is in the order of the variables, or in the first of `orders` that has its length; a dict has the
    variables or the usual names of their gradients as keys.
    """
    if isinstance(returned, Mapping):
        return by_key(returned, variables)
    if not isinstance(returned, tuple | list):
        return {variables[0]: returned} if len(variables) == 1 else returned
    items = flat(returned)
    tables = [x for x in items if isinstance(x, Mapping)]
    if tables:
        found = {k: v for t in tables for k, v in by_key(t, variables).items()}
        rest = [v for v in variables if v not in found]
        plain = [x for x in items if not isinstance(x, Mapping)]
        return {**found, **dict(zip(rest, plain, strict=False))}
    for order in (variables, *orders):
        if len(order) == len(items):
            return {v: x for v, x in zip(order, items, strict=True) if v in variables}
    return returned


def by_key(table: Mapping[Any, Any], variables: Sequence[str]) -> dict[str, Any]:
    keys = {v: v if v in table else gradient_of([k for k in table if isinstance(k, str)], v) for v in variables}
    return {v: table[k] for v, k in keys.items() if k is not None}


def flat(items: Any) -> list[Any]:
    return [y for x in items for y in (flat(x) if isinstance(x, tuple | list) else [x])]
