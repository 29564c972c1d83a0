"""Functions of JAX's that bring their own rule: jax.custom_vjp and jax.custom_jvp, and pairs of functions.

The rule is what JAX makes of it: the check asks `jax.vjp` of the object for its gradient, which runs the user's fwd and
bwd and nothing else, and reads what they compute.  Nothing is run on numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.indices import SymbackpropError
from symbackprop.core.tensor import Tensor
from symbackprop.read.jax import Jittable
from symbackprop.read.numpy import Declared, Traced, parse_shapes

from .argument_templates import Template, named_template, written_template
from .claims import Claim
from .drive import verdict
from .gradient_claims import gradient_claims
from .held_values import cancels, copies_of, holding
from .jvp_claims import jvp_claims, value_claims
from .request import Request, called, flattened, read_variables
from .verdict import Verdict

BY_VALUE: Mapping[str, str] = {}  # what a rule computes counts, however it is differentiated
UPSTREAM = ("g", "ct", "dout", "upstream", "cotangent")


@dataclass(frozen=True)
class Subject:
    """A function of JAX's, how it is called, and the arrays by name: `real` ones have tangents."""

    function: Callable[..., Any]
    template: Template
    declared: Mapping[str, Declared]

    @property
    def real(self) -> list[str]:
        return [n for n in self.template.names if self.declared[n].values is None]

    def outputs(self, **arrays: Any) -> list[Any]:
        """The real arrays among the results, in order."""
        return [x for x in jax.tree.leaves(self.template.call(self.function, arrays)) if is_real(x)]

    def of_real(self, arrays: Mapping[str, Any]) -> tuple[Callable[..., list[Any]], list[Any]]:
        """The outputs as a function of the real arrays, and these."""
        names = self.real

        def function(*given: Any) -> list[Any]:
            return self.outputs(**{**arrays, **dict(zip(names, given, strict=True))})

        return function, [arrays[n] for n in names]

    def gradients(self, upstream: Sequence[str], arrays: Mapping[str, Any]) -> dict[str, Any]:
        """What JAX makes of the rule, by variable."""
        function, given = self.of_real(arrays)
        outputs, pull = jax.vjp(function, *given)
        cotangents = [jnp.asarray(arrays[u], y.dtype) for u, y in zip(upstream, outputs, strict=True)]
        return dict(zip(self.real, pull(cotangents), strict=True))

    def values(self, **arrays: Any) -> list[Any]:
        """The outputs as the rule gives them."""
        function, given = self.of_real(arrays)
        return list(jax.vjp(function, *given)[0])


def is_real(x: Any) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(x), jnp.floating))


# --- the rule as claims --------------------------------------------------------------------------


def gradient_rule(subject: Subject, upstream_name: str, source: Callable[..., Any]) -> Any:
    """The claims of a rule in reverse mode: each gradient, and the value of the function."""

    def claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
        outputs = flattened(request.outputs().outputs, called(request.forward))
        names = numbered(upstream_name, len(outputs), request.declared)

        def gradients(**arrays: Any) -> dict[str, Any]:
            return subject.gradients(names, arrays)

        arguments = [*subject.template.names, *names]
        asked = replace(request, backward=Jittable(gradients, arguments, source, BY_VALUE), extra=names)
        found = gradient_claims(asked, note)
        values = Jittable(subject.values, subject.template.names, source, BY_VALUE)
        given = flattened(traced(request, values, note).outputs, called(source))
        inputs = found[0].inputs if found else request.declared
        return [*found, *value_claims(numbered_values(len(outputs)), outputs, given, dict(inputs))]

    return claims


def traced(request: Request, function: Jittable, note: Callable[[Any], None]) -> Traced:
    found = replace(request, forward=function).outputs()
    note(found)
    return found


def tangent_rule(subject: Subject, source: Callable[..., Any]) -> Any:
    """The claims of a rule in forward mode: the tangents, from those of all variables together, and the value."""

    def claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
        names = {v: free_name(f"{v}_dot", request.declared) for v in request.variables}

        def tangents(**arrays: Any) -> list[Any]:
            function, given = subject.of_real(arrays)
            still = dict(zip(subject.real, map(jnp.zeros_like, given), strict=True))
            values, found = jax.jvp(function, given, [arrays[names[v]] if v in names else still[v] for v in still])
            return [*values, *found]

        arguments = [*subject.template.names, *names.values()]
        rule = Jittable(tangents, arguments, source, BY_VALUE)
        return jvp_claims(replace(request, backward=rule, extra=tuple(names.values())), note)

    return claims


def numbered(name: str, count: int, taken: Mapping[str, Any]) -> tuple[str, ...]:
    if count == 1:
        return (free_name(name, taken),)
    return tuple(free_name(f"{name}{k}", taken) for k in range(count))


def numbered_values(count: int) -> list[str]:
    return ["value"] if count == 1 else [f"value {k}" for k in range(count)]


def free_name(name: str, taken: Mapping[str, Any]) -> str:
    others = (f"{name}_{k}" for k in range(len(taken) + 1))
    return next(n for n in (name, *UPSTREAM, *others) if n not in taken)


# --- what is asked -------------------------------------------------------------------------------


def check_function(asked: Any) -> Verdict:
    """The verdict on a function with its own rule.  Raises SymbackpropError for a request that makes no sense."""
    values = dict(asked.values)
    args = values.pop("args", None)
    function = with_rule(asked.function, asked.derivative)
    rule, source = rule_of(function)
    declared = parse_shapes(dict(asked.shapes))
    if args is None:
        template = named_template("check_function", function, list(declared), values)
    else:
        template = written_template("check_function", function, args, list(declared), values)
    unused = [n for n in declared if n not in template.names]
    if unused:
        raise SymbackpropError(f"check_function: {unused[0]!r} has a shape and is no argument of {called(function)}")
    subject = Subject(function, template, declared)
    forward = Jittable(subject.outputs, template.names, inspect.unwrap(function), BY_VALUE)
    claims = tangent_rule(subject, source) if rule == "jvp" else gradient_rule(subject, upstream_of(source), source)
    request = Request(
        "check_function", forward, Jittable(subject.values, template.names, source, BY_VALUE), declared, {},
        template.names, (), read_variables("check_function", template.names, declared, asked.wrt), asked.assuming,
    )  # fmt: skip
    request, notes = with_held_values(request, forward, asked.options.seconds)
    return with_notes(verdict(request, claims, asked.options), (*template.notes, *notes))


def with_held_values(request: Request, forward: Jittable, seconds: float) -> tuple[Request, tuple[str, ...]]:
    """The request with the values that the forward holds constant, and what is said of them."""
    unread = replace(request, forward=Jittable(forward.function, request.names, forward.source))
    try:
        with limit(seconds):
            if not forward.stops_gradients(request.declared):
                return request, ()
            stage("reading what is held constant")
            copies = copies_of(request.variables, request.declared)
            found = holding(request, Jittable(forward.function, request.names, forward.source, copies), copies)
            if cancels(outputs_of(found), outputs_of(request), request):
                return request, ()
            return found, found.notes
    except (SymbackpropError, OutOfTime):
        return unread, ()  # what is wrong with it the check itself says


def outputs_of(request: Request) -> list[Tensor]:
    return flattened(request.outputs().outputs, called(request.forward))


def with_rule(function: Any, derivative: Any) -> Any:
    """The object that JAX differentiates by the user's rule."""
    match function, derivative:
        case (f, fwd, bwd), None:
            return ruled(f, fwd, bwd)
        case (fwd, bwd), None:
            return ruled(first_of(fwd), fwd, bwd)
        case f, None:
            return f
        case fwd, (bwd,) | bwd:
            return ruled(first_of(fwd), fwd, bwd)
    raise AssertionError


def first_of(fwd: Callable[..., Any]) -> Callable[..., Any]:
    """The function that a forward rule is the rule of."""

    def function(*args: Any, **options: Any) -> Any:
        return fwd(*args, **options)[0]

    function.__wrapped__ = fwd  # type: ignore[attr-defined]
    function.__name__ = getattr(fwd, "__name__", "function")
    return function


def ruled(f: Any, fwd: Any, bwd: Any) -> Any:
    found = jax.custom_vjp(f)
    found.defvjp(fwd, bwd)
    return found


def rule_of(function: Any) -> tuple[str, Callable[..., Any]]:
    """Whether the rule is a "vjp" or a "jvp", and the user's function that it is."""
    inner = function
    while inner is not None:
        if isinstance(inner, jax.custom_vjp) and inner.bwd is not None:
            return "vjp", inner.bwd
        if isinstance(inner, jax.custom_jvp) and inner.jvp is not None:
            return "jvp", inner.jvp
        inner = getattr(inner, "__wrapped__", None)
    raise SymbackpropError(
        f"check_function: {called(function)} has no rule of its own: a jax.custom_vjp with defvjp, a jax.custom_jvp "
        "with defjvp, or the functions (f, fwd, bwd) are needed"
    )


def upstream_of(bwd: Callable[..., Any]) -> str:
    """What the user calls the cotangent: the last argument that has no default."""
    try:
        found = inspect.signature(bwd).parameters.values()
    except (TypeError, ValueError):
        found = ()  # type: ignore[assignment]
    names = [p.name for p in found if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return names[-1] if names else UPSTREAM[0]


def with_notes(found: Verdict, notes: Sequence[str]) -> Verdict:
    gradients = {n: with_notes(v, notes) for n, v in found.gradients.items()}
    return replace(found, notes=(*found.notes, *notes), gradients=gradients)
