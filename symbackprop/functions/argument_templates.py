"""How a call is written: arguments in order, each an array by name, a value, or a container of such.

"(w1, w2)" is a tuple of two arrays, "{'w': w, 'b': b}" a dict, "1e-6" a number.  Texts are parsed, never run; a dotted
name that is no array is looked up where the function was written.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symbackprop.core.indices import SymbackpropError

from .request import called


@dataclass(frozen=True, slots=True)
class Place:
    """The array of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """`args` and `options` of a call, with places for arrays; `notes` say which arguments have other names."""

    args: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def call(self, function: Callable[..., Any], arrays: Mapping[str, Any]) -> Any:
        options = {k: filled(v, arrays) for k, v in self.options.items()}
        return function(*(filled(a, arrays) for a in self.args), **options)

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays, in order."""
        return tuple(dict.fromkeys(p.name for x in (*self.args, *self.options.values()) for p in places(x)))


def filled(x: Any, arrays: Mapping[str, Any]) -> Any:
    match x:
        case Place(name):
            return arrays[name]
        case dict():
            return {k: filled(v, arrays) for k, v in x.items()}
        case tuple() | list():
            return like(x, [filled(v, arrays) for v in x])
        case _:
            return x


def like(container: Any, items: list[Any]) -> Any:
    """These items in a container of the same kind."""
    return type(container)(*items) if hasattr(container, "_fields") else type(container)(items)


def places(x: Any) -> Iterator[Place]:
    match x:
        case Place():
            yield x
        case dict():
            yield from places(list(x.values()))
        case tuple() | list():
            for y in x:
                yield from places(y)


# --- from texts ----------------------------------------------------------------------------------


def written_template(
    asked: str, function: Any, args: Sequence[Any], names: Sequence[str], values: Mapping[str, Any]
) -> Template:
    """The call that `args` writes.  Raises SymbackpropError with the text for what is not understood."""
    if isinstance(args, str) or not isinstance(args, Sequence):
        raise SymbackpropError(f"{asked}: args is a list of arguments such as ['x', '(w1, w2)', '1e-6'], not {args!r}")
    read = Reader(asked, names, values, getattr(inspect.unwrap(function), "__globals__", {}))
    return Template(tuple(map(read, args)))


@dataclass(frozen=True, slots=True)
class Reader:
    """One argument: text, or an object whose texts are names."""

    asked: str
    names: Sequence[str]
    values: Mapping[str, Any]
    home: Mapping[str, Any]

    def __call__(self, x: Any) -> Any:
        match x:
            case str():
                return self.text(x)
            case dict():
                return {k: self(v) for k, v in x.items()}
            case tuple() | list():
                return like(x, list(map(self, x)))
            case _:
                return x

    def text(self, x: str) -> Any:
        try:
            return self.node(ast.parse(x.strip(), mode="eval").body, x)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise self.refusal(x) from None

    def node(self, node: ast.expr, text: str) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.names:
                return Place(name)
            case ast.Name(id=name) if name in self.values:
                return self.values[name]
            case ast.Name(id=name) if name in self.home:
                return self.home[name]
            case ast.Attribute(value=inner, attr=name):
                owner = self.node(inner, text)
                if isinstance(owner, Place) or not hasattr(owner, name):
                    raise self.refusal(text)
                return getattr(owner, name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.Tuple(elts=items):
                return tuple(self.node(i, text) for i in items)
            case ast.List(elts=items):
                return [self.node(i, text) for i in items]
            case ast.Dict(keys=keys, values=items) if all(isinstance(k, ast.Constant) for k in keys):
                found = zip(keys, items, strict=True)
                return {k.value: self.node(i, text) for k, i in found if isinstance(k, ast.Constant)}
        raise self.refusal(text)

    def refusal(self, text: str) -> SymbackpropError:
        known = ", ".join(self.names) or "none"
        return SymbackpropError(
            f"{self.asked}: the argument {text[:80]!r} is not understood: write an array (there are {known}), "
            "a number, or a tuple, list or dict of them"
        )


# --- from names ----------------------------------------------------------------------------------


def named_templates(asked: str, function: Any, names: Sequence[str], values: Mapping[str, Any]) -> list[Template]:
    """Parameters by name; arrays with other names in order.

    Where several arrays are left for one parameter it is a container of them: each kind is a way to read it.  What has
    neither shape nor value is any positive number.  Raises SymbackpropError for what is left over.
    """
    parameters = parameters_of(asked, function)
    own = [p.name for p in parameters]
    waiting = [n for n in names if n not in own]
    open_ = [p.name for p in parameters if p.name not in names and p.name not in values and p.default is p.empty]
    if len(waiting) == len(open_):
        notes = tuple(f"{n} is the argument {p} of {called(function)}" for p, n in zip(open_, waiting, strict=True))
        return [bound(parameters, names, values, dict(zip(open_, map(Place, waiting), strict=True)), notes)]
    if len(open_) == 1 and waiting:
        (only,) = open_
        items = tuple(map(Place, waiting))
        kinds: list[tuple[Any, str]] = [
            (items, f"({', '.join(waiting)})"),
            (list(items), f"[{', '.join(waiting)}]"),
            (dict(zip(waiting, items, strict=True)), f"a dict of {', '.join(waiting)}"),
        ]
        return [bound(parameters, names, values, {only: x}, (f"the argument {only} is {text}",)) for x, text in kinds]
    if waiting:
        raise SymbackpropError(f"{asked}: {unmatched(function, own, waiting, open_)}")
    numbers = {n: Place(n) for n in open_}
    return [bound(parameters, names, values, numbers, tuple(f"the argument {n} is any positive number" for n in open_))]


def bound(
    parameters: Sequence[inspect.Parameter], names: Sequence[str], values: Mapping[str, Any], other: Mapping[str, Any],
    notes: tuple[str, ...],
) -> Template:  # fmt: skip
    args: list[Any] = []
    options: dict[str, Any] = {}
    for p in parameters:
        given = other.get(p.name, Place(p.name) if p.name in names else values.get(p.name, p.default))
        if p.kind is p.KEYWORD_ONLY:
            options[p.name] = given
        else:
            args.append(given)
    return Template(tuple(args), options, notes)


def parameters_of(asked: str, function: Any) -> list[inspect.Parameter]:
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        found = []
    if not found or any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in found):
        raise SymbackpropError(
            f"{asked}: the parameters of {called(function)} cannot be read: write its call as args=['x', 'w']"
        )
    return found


def unmatched(function: Any, own: list[str], waiting: list[str], open_: list[str]) -> str:
    """What fits not together, and what to write."""
    if open_:
        return (
            f"which of {', '.join(waiting)} is the argument {', '.join(open_)} of {called(function)} is not plain: "
            "write its call as args=['(w1, w2)', 'x']"
        )
    return f"{called(function)} has no argument {waiting[0]!r} (it has {', '.join(own)})"


def unread(asked: str, function: Any, template: Template) -> SymbackpropError:
    """Why a call that was found by names is none after all."""
    return SymbackpropError(
        f"{asked}: {called(function)} does not run as it was read ({'; '.join(template.notes)}): add to shapes, give "
        "values by name, or write its call as args=['(w1, w2)', 'x', '1e-6']"
    )
