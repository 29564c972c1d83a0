"""What a backward returns, by variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.functions.request import gradient_of


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
