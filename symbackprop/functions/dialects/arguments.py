"""Which argument of a function is which array: by name, and those with other names in order."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from symbackprop.core.indices import SymbackpropError

from ..request import called

TRAINING: Mapping[str, Any] = {
    **dict.fromkeys(("train", "training", "is_training", "is_train", "train_flg", "train_mode"), True),
    "mode": "train",
}


def signature(function: Any, asked: str) -> list[inspect.Parameter]:
    """The parameters; those of a ufunc are x0, x1, ...  Raises SymbackpropError where they cannot be read."""
    count = getattr(function, "nin", None)
    if isinstance(count, int):
        kind = inspect.Parameter.POSITIONAL_ONLY
        return [inspect.Parameter(f"x{k}", kind) for k in range(count)]
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise SymbackpropError(
            f"{asked}: the parameters of {called(function)} cannot be read; wrap it in a def"
        ) from None


def required(parameters: Iterable[inspect.Parameter]) -> list[str]:
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


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
