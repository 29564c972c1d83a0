"""Functions called with arrays by name, whatever their parameters are called, and what their results are by name."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.request import called, gradient_of, required, signature

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


# --- how a call is written: arguments in order, each an array by name, a value, or a container of such ---
# "(w1, w2)" is a tuple of two arrays, "{'w': w, 'b': b}" a dict, "1e-6" a number.  Texts are parsed, never run; a
# dotted name that is no array is looked up where the function was written.


class Slot:
    """What is known when the arrays are."""

    def value(self, arrays: Mapping[str, Any]) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Given(Slot):
    """The array of this name."""

    name: str

    def value(self, arrays: Mapping[str, Any]) -> Any:
        return arrays[self.name]


@dataclass(frozen=True, slots=True)
class Template:
    """`args` and `options` of a call, with places for arrays; `notes` say which arguments have other names."""

    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def call(self, function: Callable[..., Any], arrays: Mapping[str, Any]) -> Any:
        options = {k: filled(v, arrays) for k, v in self.options.items()}
        return function(*(filled(a, arrays) for a in self.args), **options)

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays, in order."""
        found = (p for x in (*self.args, *self.options.values()) for p in places(x))
        return tuple(dict.fromkeys(p.name for p in found if isinstance(p, Given)))


def filled(x: Any, arrays: Mapping[str, Any]) -> Any:
    match x:
        case Slot():
            return x.value(arrays)
        case dict() if any(True for _ in places(x)):
            return {k: filled(v, arrays) for k, v in x.items()}
        case tuple() | list() if any(True for _ in places(x)):
            return like(x, [filled(v, arrays) for v in x])
        case _:
            return x


def like(container: Any, items: list[Any]) -> Any:
    """These items in a container of the same kind."""
    return type(container)(*items) if hasattr(container, "_fields") else type(container)(items)


def places(x: Any) -> Iterator[Slot]:
    match x:
        case Slot():
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
                return Given(name)
            case ast.Name(id=name) if name in self.values:
                return self.values[name]
            case ast.Name(id=name) if name in self.home:
                return self.home[name]
            case ast.Attribute(value=inner, attr=name):
                owner = self.node(inner, text)
                if isinstance(owner, Given) or not hasattr(owner, name):
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


def matched(
    asked: str, function: Any, names: Sequence[str], values: Mapping[str, Any], elsewhere: Collection[str] = ()
) -> Template:
    """The call with each of `names` as the parameter of the same name, else as the next one that is free.

    It has the values that are arguments of the function, too, and what says that it trains.  Names that are known
    `elsewhere` are left out where the function has no such parameter.  Raises SymbackpropError for what is left over.
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
    arguments = {found[n]: Given(n) for n in names if n in found}
    notes = tuple(f"{x.name} is the argument {p} of {called(function)}" for p, x in arguments.items() if x.name != p)
    if isinstance(getattr(function, "nin", None), int):  # ufuncs take theirs by position
        return Template(tuple(arguments.values()), notes=notes)
    return Template((), {**accepted(asked, function, values), **arguments}, notes)


def accepted(asked: str, function: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The concrete values that are arguments of the function, and what says that it trains."""
    parameters = signature(function, asked)
    training = {n: TRAINING[n] for n in required(parameters) if n in TRAINING}
    return {**training, **{p.name: values[p.name] for p in parameters if p.name in values}}


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
        return [bound(parameters, names, values, dict(zip(open_, map(Given, waiting), strict=True)), notes)]
    if len(open_) == 1 and waiting:
        (only,) = open_
        items = tuple(map(Given, waiting))
        kinds: list[tuple[Any, str]] = [
            (items, f"({', '.join(waiting)})"),
            (list(items), f"[{', '.join(waiting)}]"),
            (dict(zip(waiting, items, strict=True)), f"a dict of {', '.join(waiting)}"),
        ]
        return [bound(parameters, names, values, {only: x}, (f"the argument {only} is {text}",)) for x, text in kinds]
    if waiting:
        raise SymbackpropError(f"{asked}: {unmatched(function, own, waiting, open_)}")
    numbers = {n: Given(n) for n in open_}
    return [bound(parameters, names, values, numbers, tuple(f"the argument {n} is any positive number" for n in open_))]


def bound(
    parameters: Sequence[inspect.Parameter], names: Sequence[str], values: Mapping[str, Any], other: Mapping[str, Any],
    notes: tuple[str, ...],
) -> Template:  # fmt: skip
    args: list[Any] = []
    options: dict[str, Any] = {}
    for p in parameters:
        given = other.get(p.name, Given(p.name) if p.name in names else values.get(p.name, p.default))
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
