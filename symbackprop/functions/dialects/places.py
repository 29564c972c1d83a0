"""Where an object keeps its arrays: self.W, self.params["W"], self.layers[0].W, self.W.value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from symbackprop.core.indices import SymbackpropError
from symbackprop.read.numpy import SymArray
from symbackprop.read.numpy.kept_state import home_of

Step: TypeAlias = tuple[str, Any]  # ("attribute", name) or ("item", key)
Place: TypeAlias = tuple[Step, ...]
RESULT: Step = ("result", None)  # in front of a place in what the backward returns
RETURN = re.compile(r"\s*return(?:ed)?\b")
DEPTH = 8
# where holders of one array keep it
VALUE = ("value", "data", "val", "array", "param", "tensor", "values", "weight_value")


def read(place: Place, x: Any) -> Any:
    for kind, key in place:
        x = getattr(x, key) if kind == "attribute" else x[key]
    return x


def written(place: Place, owner: Any, value: Any) -> None:
    """owner.place = value"""
    *way, (kind, key) = place
    holder = read(tuple(way), owner)
    if kind == "attribute":
        setattr(holder, key, value)
    else:
        holder[key] = value


def text(place: Place, owner: str = "self") -> str:
    return owner + "".join(f".{key}" if kind == "attribute" else f"[{key!r}]" for kind, key in place)


def parsed(asked: str, name: str, place: str) -> Place:
    """self.W.grad, self.grads["W"], self.grads[0], return, return[1].  Raises SymbackpropError with what is wrong."""
    wrong = SymbackpropError(
        f'{asked}: params says where gradients are, as in {{{name!r}: "self.d{name}"}} or \'self.grads["{name}"]\'; '
        f"{place!r} is not understood"
    )
    result = RETURN.match(place)
    try:
        node = ast.parse(RETURN.sub("result", place).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise wrong from None
    steps: list[Step] = []
    while True:
        match node:
            case ast.Attribute(value=inner, attr=attribute):
                steps.append(("attribute", attribute))
            case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
                steps.append(("item", key))
            case ast.Subscript(value=inner, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(key)))):
                steps.append(("item", -key))
            case ast.Name() if result is not None:
                return (RESULT, *reversed(steps))
            case ast.Name() if steps:
                return tuple(reversed(steps))
            case _:
                raise wrong
        node = inner


def arrays_of(owner: Any) -> Iterator[tuple[Place, Any]]:
    """Every array that an object keeps, with its place; nearer ones first."""
    seen: set[int] = set()
    waiting: list[tuple[Place, Any]] = [((), owner)]
    for _ in range(DEPTH):
        further: list[tuple[Place, Any]] = []
        for place, x in waiting:
            for step, part in parts_of(x):
                if isinstance(part, SymArray):
                    yield (*place, step), part
                elif id(part) not in seen:
                    seen.add(id(part))
                    further.append(((*place, step), part))
        waiting = further


def parts_of(x: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(x, SymArray):
        return
    if isinstance(x, dict):
        yield from ((("item", k), v) for k, v in x.items() if isinstance(k, str | int))
    elif isinstance(x, tuple | list):
        yield from ((("item", k), v) for k, v in enumerate(x))
    elif not isinstance(x, type) and isinstance(getattr(x, "__dict__", None), dict) and of_user(x):
        yield from ((("attribute", k), v) for k, v in vars(x).items())


def of_user(x: Any) -> bool:
    return home_of(type(x)) not in ("symbackprop", "builtins", "numpy", "types", "functools")


def label(place: Place) -> str:
    """What people call the array there: the last name on the way, but for the names of holders of one array."""
    names = [key for _, key in place if isinstance(key, str)]
    if len(names) > 1 and place[-1][1] == names[-1] and names[-1] in VALUE:
        return names[-2]
    return names[-1] if names else ""
