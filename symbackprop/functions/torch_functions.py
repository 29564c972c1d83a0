"""What PyTorch's users write: torch.autograd.Function, modules with a backward by hand, functions of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import Parameter, signature
from types import FunctionType
from typing import Any

import numpy
import torch
from torch import nn

from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import ILL_FORMED, REFUTED, UNKNOWN
from symbackprop.gradients.reverse import names_of_upstream
from symbackprop.read.libraries import refers_to
from symbackprop.read.numpy import Declared, ShapeMismatch, TraceError, parse_shapes, trace
from symbackprop.read.torch import (
    Custom, HeldConstant, Maker, TorchCode, backward_names, forward_parameters, function_code, module_code,
)  # fmt: skip

from .calling import Given, Template, written_template
from .claims import gradient_claims
from .deciding import together
from .drive import Asked, verdict
from .held_values import copies_of, with_copies
from .request import Request
from .verdict import Verdict

NUMBERS = ("float", float, Parameter.empty, "Any")  # annotations of an argument that may be any real number


def check_function(asked: Asked) -> Verdict:
    """A torch.autograd.Function: its backward, as autograd uses it, against its forward.

    `asked.values` are the arguments that are no tensors, by their names in forward, and `args`: all arguments in order,
    as they would be written.
    """
    function, values = asked.function, dict(asked.values)
    twice = values.pop("order", 1)
    if twice not in (1, 2):
        raise SymbackpropError(f"check_function: order is 1 or 2, not {twice!r}")
    if function.backward is torch_default(function):
        raise SymbackpropError(f"check_function: {function.__name__} has no backward of its own")
    declared = parse_shapes(dict(asked.shapes))
    template, plain = template_of(function, declared, values)
    everything = {**declared, **{n: Declared(()) for n in plain}}
    wrt = variables(declared, asked)
    custom = Custom(function, template.call, everything, wrt, plain)
    forward = custom.forward()
    try:
        outputs = outputs_of(forward, everything)
    except TraceError as problem:
        return not_read(problem)
    upstream = upstream_names(function, len(outputs), everything)
    backward = custom.backward(upstream)
    whole = replace(asked, function=forward, derivative=backward, shapes=everything, wrt=wrt, values={})
    found = verdict(whole.request(), gradient_claims, asked.options)
    once = differentiable_once(function) if twice == 2 else None
    if twice == 1 or once is not None:
        return found if once is None else with_second_order(found, once)
    shapes = {**everything, **{u: Declared(t.shape) for u, t in zip(upstream, outputs, strict=True)}}
    second = copies_of(wrt, shapes, "d{}_bar")
    first, twofold = custom.first(upstream), custom.second(upstream, list(second.values()))
    again = replace(whole, function=first, derivative=twofold, shapes=shapes, wrt=[*wrt, *upstream])
    return with_second_order(found, verdict(again.request(), gradient_claims, asked.options))


HELD = (
    "what forward saves that is neither an input nor an output is constant in a second backward, and so is what "
    "detach() and no_grad() hold"
)


def with_second_order(first: Verdict, second: Verdict) -> Verdict:
    """Both, the second one's gradients named so."""
    own = {}
    for n, v in parts(second).items():
        name = f"{n}, second order"
        own[name] = replace(v, name=name, notes=(*v.notes, HELD) if v.status == REFUTED else v.notes)
    return together({**parts(first), **own})


def parts(v: Verdict) -> Mapping[str, Verdict]:
    return v.gradients or {v.name or "the backward": v}


def differentiable_once(function: Any) -> Verdict | None:
    """Whether PyTorch refuses to go through its backward."""
    code = getattr(function.backward, "__code__", None)  # of what stands around it, where it is decorated
    if code is None or "once_differentiable" not in code.co_qualname:
        return None
    return Verdict(ILL_FORMED, reason=f"{function.__name__}.backward is @once_differentiable: there is no second order")


def outputs_of(forward: TorchCode, declared: Mapping[str, Declared]) -> Any:
    """What it returns; where it cannot be read for all sizes, at small ones.  Raises TraceError."""
    try:
        return trace(forward, declared).outputs
    except TraceError:
        symbols = dict.fromkeys(s for d in declared.values() for s in d.symbols)
        sizes = {s: 2 + k % 3 for k, s in enumerate(symbols)}
        small = {n: d.at(sizes) for n, d in declared.items()}
        try:
            return trace(forward, small).outputs
        except TraceError:
            pass
        raise


def not_read(problem: TraceError) -> Verdict:
    return Verdict(ILL_FORMED if isinstance(problem, ShapeMismatch) else UNKNOWN, reason=str(problem))


def torch_default(function: Any) -> Any:
    return next(c for c in function.__mro__ if c.__module__.startswith("torch.")).backward


def variables(declared: Mapping[str, Declared], asked: Asked) -> list[str]:
    return [n for n, d in declared.items() if d.values is None] if asked.chosen is None else list(asked.chosen)


def upstream_names(function: Any, count: int, taken: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's own names for the upstream gradients where he has one for each output."""
    own = backward_names(function)
    return tuple(own) if len(own) == count and not set(own) & set(taken) else names_of_upstream(count, taken)


def template_of(
    function: Any, declared: Mapping[str, Declared], values: dict[str, Any]
) -> tuple[Template, tuple[str, ...]]:
    """The call of forward by those declared, and which are numbers that nobody gave."""
    if "args" in values:
        return written_template("check_function", function.forward, values["args"], list(declared), {}), ()
    parameters = forward_parameters(function)
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    for n in values:
        if n not in names:
            raise SymbackpropError(f"check_function: {function.__name__}.forward has no argument {n!r}")
    rest = iter([n for n in declared if n not in names])
    order: list[Any] = []
    plain: list[str] = []
    given = 0  # what stands behind the last one that is given is left to its default, as in a call of apply
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            order.extend(map(Given, rest))
        elif p.name in values:
            order.append(values[p.name])
        elif p.name in declared:
            order.append(Given(p.name))
        elif (other := next(rest, None)) is not None:
            order.append(Given(other))
        elif p.default is not p.empty:
            order.append(p.default)
            continue
        elif p.annotation in NUMBERS and p.name not in declared:
            plain.append(p.name)
            order.append(Given(p.name))
        else:
            where = f"{function.__name__}.forward"
            raise SymbackpropError(f"check_function: the argument {p.name!r} of {where} has no value")
        given = len(order)
    left = list(rest)
    if left:
        raise SymbackpropError(f"check_function: {function.__name__}.forward takes no {', '.join(map(repr, left))}")
    return Template(tuple(order[:given])), tuple(plain)


# --- values that are held constant -----------------------------------------------------------------


def with_held_values(request: Request, problem: BaseException | None) -> Request | None:
    """Where that is why it could not be read: the request with copies in what detach() and no_grad() hold."""
    while problem is not None and not isinstance(problem, HeldConstant):
        problem = problem.__cause__
    forward = request.forward
    if problem is None or not isinstance(forward, TorchCode) or forward.held is not None:
        return None
    return with_copies(request, forward, "detach, no_grad")


# --- modules ---------------------------------------------------------------------------------------


def takes_layer(asked: Asked) -> bool:
    """Whether a module of PyTorch's is asked about: itself, its class, or a function whose code names PyTorch."""
    return makes_layer(asked.function) or refers_to(asked.function, "torch")


def makes_layer(x: Any) -> bool:
    return is_module(x) or makes_module(x)


def is_module(x: Any) -> bool:
    return isinstance(x, nn.Module) or (isinstance(x, type) and issubclass(x, nn.Module))


def makes_module(function: Any) -> bool:
    """Whether a function names a class of modules."""
    code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    return code is not None and any(is_module(names.get(n)) for n in code.co_names)


def check_layer(asked: Asked) -> Verdict:
    """A module as forward, and a function that returns the gradients as its backward, which somebody wrote by hand."""
    if asked.derivative is None:
        raise SymbackpropError("check_layer: a module of PyTorch's needs a backward, as the second argument")
    try:
        forward, declared = layer_forward("check_layer", asked.function, asked.shapes, asked.params)
    except TraceError as problem:
        return not_read(problem)
    wrt = variables(declared, asked)
    backward = by_hand(asked.derivative, forward, declared)
    whole = replace(asked, function=forward, derivative=backward, shapes=declared, wrt=wrt)
    return verdict(whole.request(), gradient_claims, asked.options)


def layer_forward(
    name: str, make: Any, shapes: Mapping[str, Any], params: Mapping[str, str] | None
) -> tuple[TorchCode, dict[str, Declared]]:
    """The forward of a module with the shapes of all that it takes; parameters nobody names have their own names."""
    declared = parse_shapes(dict(shapes))
    maker = Maker(make, declared)
    found = maker.parameters()
    named = dict(params or {})
    for n, path in named.items():
        if path not in found:
            known = ", ".join(found) or "none"
            raise SymbackpropError(f"{name}: {maker.name} has no parameter {path!r} (it has {known})")
        if n not in declared:
            declared[n] = found[path]
        elif declared[n].shape != found[path].shape:
            shapes_differ = f"{n!r} has shape ({declared[n]}) and the parameter {path!r} ({found[path]})"
            raise SymbackpropError(f"{name}: {shapes_differ}")
    for path, shape in found.items():
        if path not in named.values():
            n = path if path in declared and declared[path] == shape else free_name(path, declared)
            named[n], declared[n] = path, shape
    return module_code(Maker(make, declared), named, maker.name), declared


def free_name(path: str, taken: Mapping[str, Any]) -> str:
    """fc1.weight as fc1_weight."""
    name = path.replace(".", "_")
    name = name if name.isidentifier() else f"p_{name}"
    while name in taken:
        name += "_"
    return name


def by_hand(backward: Any, forward: TorchCode, declared: Mapping[str, Declared]) -> Any:
    """The user's backward; arguments that are not called like the arrays are those, in their order."""
    names = list(signature(backward).parameters)
    unnamed = [n for n in declared if n not in names]
    count = len(names) - len(declared)  # of upstream gradients
    in_order = unnamed and count >= 0 and len([n for n in names if n not in declared]) >= len(unnamed) + count
    renamed = dict(zip(names, declared, strict=False)) if in_order else {}
    return function_code(backward, declared, renamed)


def readable(functions: Sequence[Any], shapes: Mapping[str, Any], differentiated: bool) -> list[Any]:
    """Functions of tensors as such of arrays: those that name PyTorch, and what stands beside one and names nothing.

    One that names nothing, in a file that imports PyTorch, names it where it uses a method that only tensors have.
    `differentiated`: the first is, by the laws.
    """
    if not any(refers_to(f, "torch") or (takes_tensors(f) and uses_methods(f)) for f in functions):
        return list(functions)
    declared = parse_shapes(dict(shapes))
    return [
        function_code(f, declared, None, differentiated and k == 0) if takes_tensors(f) else f
        for k, f in enumerate(functions)
    ]


def uses_methods(function: FunctionType) -> bool:
    if not any(x is torch for x in function.__globals__.values()):
        return False
    code = function.__code__
    keywords = {n for c in code.co_consts if isinstance(c, tuple) for n in c}
    return bool(OF_TENSORS & (set(code.co_names) - set(function.__globals__)) or {"dim", "keepdim"} & keywords)


OF_TENSORS = frozenset(dir(torch.Tensor)) - frozenset(dir(numpy.ndarray))


def takes_tensors(function: Any) -> bool:
    """Whether it is PyTorch's, or made of operators and methods only, which arrays of every library have."""
    plain = isinstance(function, FunctionType) and not refers_to(function, "numpy", "scipy", "jax", "autograd")
    return plain or refers_to(function, "torch")
