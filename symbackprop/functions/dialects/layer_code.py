"""A run of a layer as its author wrote it: how it is made, called, and where its gradients are then."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from symbackprop.core.indices import SymbackpropError, sized
from symbackprop.functions.calling import Slot, Template
from symbackprop.functions.drive import Asked
from symbackprop.read.numpy import Declared, SymArray, size_number
from symbackprop.read.numpy.context import Unread
from symbackprop.read.numpy.kept_state import of_user

RETURNED, PLACE, UPDATED = "returned", "place", "updated"
ZERO = ("zero_grad", "zero_grads", "zero_gradients", "clear_grad", "clear_grads", "reset_grads")
ASKED = "check_layer"
NO_ARGUMENTS = Template()


@dataclass(frozen=True, slots=True)
class Length(Slot):
    """The size n out of an axis of an array that has factor * n + constant entries."""

    array: str
    axis: int
    factor: int
    constant: int

    def value(self, arrays: Mapping[str, Any]) -> Any:
        length = arrays[self.array].shape[self.axis] - self.constant
        return length if self.factor == 1 else length // self.factor


@dataclass(frozen=True, slots=True)
class NewSize(Slot):
    """A size that no array has."""

    symbol: str

    def value(self, arrays: Mapping[str, Any]) -> Any:
        return size_number(sized(self.symbol))


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: `makes` says whether the function is what makes a layer; methods without a name are looked for.

    `declared` are the shapes, read.
    """

    asked: Asked
    makes: bool
    declared: Mapping[str, Declared]
    forward: str
    backward: str

    @property
    def layer(self) -> Any:
        return self.asked.function

    @property
    def title(self) -> str:
        return str(getattr(self.layer, "__name__", type(self.layer).__name__))


class Saved:
    """The first argument of static forwards and backwards: what one saves the other finds."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *arrays: Any) -> None:
        self.saved_tensors = arrays

    @property
    def saved(self) -> tuple[Any, ...]:
        return self.saved_tensors


@dataclass(frozen=True, slots=True)
class LayerCode:
    """`made` is the call that makes the layer (None where it is there), `placed` says where arrays are put on it then.

    `result` is where the output lies when it is not returned, `cached` how many of the things that are returned are
    outputs, when a cache follows.  `gradients` says by variable where each is after the backward: RETURNED with its
    place in the result, PLACE on the layer, or UPDATED with the place
    from which it was subtracted and that of the learning rate (None where the backward is given it: then it is 1).
    """

    forward: str
    backward: str
    made: Template | None
    placed: Mapping[str, Place] = field(default_factory=dict)
    forward_call: Template = NO_ARGUMENTS
    result: Place | None = None
    cached: int | None = None
    backward_call: Template = NO_ARGUMENTS
    upstream: tuple[str, ...] = ()
    gradients: Mapping[str, tuple[str, Any]] = field(default_factory=dict)

    def layer(self, parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        """A layer with the arrays that are given, its gradients set to zero where it has a method for that."""
        owner = parts["layer"]
        if self.made is not None:
            owner = self.made.call(owner, given)
        for name, place in self.placed.items():
            conform(name, place, owner, given[name])
            written(place, owner, given[name])
        for clear in ZERO:
            if callable(getattr(owner, clear, None)) and not isinstance(owner, type):
                getattr(owner, clear)()
        return owner

    def run_forward(self, parts: Mapping[str, Any], owner: Any, given: Mapping[str, Any]) -> Any:
        return self.forward_call.call(method(parts, owner, self.forward), given)

    def outputs(self, owner: Any, returned: Any) -> Any:
        """What the forward gives, without a cache."""
        if self.result is not None:
            return read(self.result, owner)
        if self.cached is None:
            return returned
        return returned[0] if self.cached == 1 else tuple(returned[: self.cached])

    def run_backward(self, parts: Mapping[str, Any], owner: Any, returned: Any, given: Mapping[str, Any]) -> Any:
        cache = None if self.cached is None else returned[self.cached :]
        held = {**given, "(cache)": cache[0] if cache is not None and len(cache) == 1 else cache}
        return self.backward_call.call(method(parts, owner, self.backward), held)

    # --- the two functions ---------------------------------------------------------------------

    def forward_run(self, parts: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        given = with_context(given)
        owner = self.layer(parts, given)
        return self.outputs(owner, self.run_forward(parts, owner, given))

    def backward_run(self, parts: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        given = with_context(given)
        owner = self.layer(parts, given)
        returned = self.run_forward(parts, owner, given)
        before = {v: 1 * read(where[0], owner) for v, (kind, where) in self.gradients.items() if kind == UPDATED}
        back = self.run_backward(parts, owner, returned, given)
        return {v: self.gradient(v, owner, back, before) for v in self.gradients}

    def gradient(self, variable: str, owner: Any, back: Any, before: Mapping[str, Any]) -> Any:
        kind, where = self.gradients[variable]
        match kind:
            case "returned":
                return read(where, back)
            case "updated":
                place, rate = where
                change = before[variable] - read(place, owner)
                return change if rate is None else change / read(rate, owner)
            case _:
                return read(where, owner)


def with_context(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**given, "(context)": Saved()}


def method(parts: Mapping[str, Any], owner: Any, name: str) -> Any:
    """A method of the layer; "forward()" and "backward()" are functions of it that were given."""
    if name.endswith("()"):
        function = parts[name]
        return lambda *args, **options: function(owner, *args, **options)
    return getattr(owner, name)


def conform(name: str, place: Place, owner: Any, new: Any) -> None:
    """Raises SymbackpropError where the layer has an array of other axes there."""
    old = read(place, owner)
    if not isinstance(old, Unread) and hasattr(old, "ndim") and old.ndim != getattr(new, "ndim", 0):
        raise SymbackpropError(f"{ASKED}: {name!r} has {new.ndim} axes in shapes, but {text(place)} has {old.ndim}")


# --- where an object keeps its arrays: self.W, self.params["W"], self.layers[0].W, self.W.value ---


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


def label(place: Place) -> str:
    """What people call the array there: the last name on the way, but for the names of holders of one array."""
    names = [key for _, key in place if isinstance(key, str)]
    if len(names) > 1 and place[-1][1] == names[-1] and names[-1] in VALUE:
        return names[-2]
    return names[-1] if names else ""
