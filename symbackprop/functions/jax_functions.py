"""Functions of JAX's that bring their own rule: jax.custom_vjp and jax.custom_jvp, and pairs of functions.

The rule is what JAX makes of it: the check asks `jax.vjp` of the object for its gradient, which runs the user's fwd and
bwd and nothing else, and reads what they compute.  Nothing is run on numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.calling import named_templates, unread, written_template
from symbackprop.functions.other_claims import jvp_claims, value_claims
from symbackprop.read.jax import Jittable
from symbackprop.read.numpy import Declared, Traced, parse_shapes

from .claims import Claim, gradient_claims
from .drive import Asked, verdict
from .held_values import by_value, copies_of, outputs_of
from .jax_reading import BY_VALUE, with_stopped_values
from .jax_subject import JVP, UPSTREAM, Subject, freed, rule_of, upstream_of, with_rule
from .request import Request, called, flattened, read_variables
from .verdict import Verdict

# --- the rule as claims --------------------------------------------------------------------------


def gradient_rule(subject: Subject, source: Callable[..., Any]) -> Any:
    """The claims of a rule in reverse mode: each gradient, and the value of the function."""

    def claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
        outputs = flattened(request.outputs().outputs, called(request.forward))
        names = numbered(upstream_of(source), len(outputs), request.declared)

        def gradients(**arrays: Any) -> dict[str, Any]:
            return subject.gradients(names, arrays)

        arguments = [*subject.template.names, *names]
        asked = replace(request, backward=Jittable(gradients, arguments, source, BY_VALUE), extra=names)
        found = gradient_claims(asked, note)
        values = Jittable(subject.values, subject.template.names, source, BY_VALUE)
        given = flattened(traced(request, values, note).outputs, called(source))
        plain = [by_value(t, request) for t in outputs]
        return [*found, *value_claims(numbered_values(len(outputs)), plain, given, dict(found[0].inputs))]

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


def second_order(subject: Subject, source: Callable[..., Any]) -> Any:
    """The claims about the second derivative that JAX makes of a rule: the gradients of the first gradients.

    L is Σ over the first gradients of Σ cotangent * gradient; the rule's own upstream gradients are variables, too.
    """

    def claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
        outputs = outputs_of(request)
        names = numbered(upstream_of(source), len(outputs), request.declared)
        variables = [*request.variables, *names]
        declared = {**request.declared, **{n: Declared(t.shape) for n, t in zip(names, outputs, strict=True)}}
        second = copies_of(request.variables, declared, "d{}_bar")

        def first(**arrays: Any) -> list[Any]:
            found = subject.gradients(names, arrays)
            return [found[v] for v in request.variables]

        def gradients(**arrays: Any) -> dict[str, Any]:
            def of(*given: Any) -> list[Any]:
                return first(**{**arrays, **dict(zip(variables, given, strict=True))})

            _, pull = jax.vjp(of, *(arrays[v] for v in variables))
            return dict(zip(variables, pull([arrays[second[v]] for v in request.variables]), strict=True))

        arguments = [*subject.template.names, *names]
        asked = replace(
            request, forward=Jittable(first, arguments, source, BY_VALUE), declared=declared, names=tuple(arguments),
            backward=Jittable(gradients, [*arguments, *second.values()], source, BY_VALUE),
            extra=tuple(second.values()), variables=tuple(variables),
        )  # fmt: skip
        return [replace(c, name=f"{c.name}, second order") for c in gradient_claims(asked, note)]

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


def check_function(asked: Asked) -> Verdict:
    """The verdict on a function with its own rule, as `check_rule` reads it."""
    return check_rule(replace(asked, function=with_rule(asked.function, asked.derivative)))


def check_rule(asked: Asked) -> Verdict:
    """Prove or refute the rule of a jax.custom_vjp or jax.custom_jvp.

    Among the values `args` write the call where it is not plain from the names: ["(w1, w2)", "x", "1e-6"].  With
    `order` 2 the second derivative that JAX makes of it is checked as well.  Raises SymbackpropError for a request that
    makes no sense.
    """
    check, function, values = "check_function", asked.function, dict(asked.values)
    args, order = values.pop("args", None), values.pop("order", 1)
    if order not in (1, 2):
        raise SymbackpropError(f"{check}: order is 1 or 2, not {order!r}")
    rule, source = rule_of(function)
    given = parse_shapes(dict(asked.shapes))
    names = list(given)
    if args is None:
        subject = by_names(check, function, given, values)
    else:
        subject = Subject(function, written_template(check, function, args, names, values), given)
    function, template, declared = subject.function, subject.template, subject.declared
    for n in names:
        if n not in template.names:
            raise SymbackpropError(f"{check}: {n!r} has a shape and is no argument of {called(function)}")
    chosen = asked.wrt if asked.wrt is not None else [n for n in names if declared[n].values is None]
    forward = Jittable(subject.outputs, template.names, inspect.unwrap(function), BY_VALUE)
    first = tangent_rule(subject, source) if rule == JVP else gradient_rule(subject, source)
    second = second_order(subject, source)

    def claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
        return [*first(request, note), *(second(request, note) if order == 2 else ())]

    request = Request(
        check, forward, Jittable(subject.values, template.names, source, BY_VALUE), declared, {}, template.names, (),
        read_variables(check, template.names, declared, chosen), asked.assuming,
        tuple(n for n in template.names if n not in names),
    )  # fmt: skip
    request = with_stopped_values(request, forward, asked.options.seconds)
    return with_notes(verdict(request, claims, asked.options), template.notes)


def by_names(asked: str, function: Any, declared: Mapping[str, Declared], values: Mapping[str, Any]) -> Subject:
    """The call by the names of the arguments; the first way to read it in which the rule runs.

    Raises SymbackpropError where there is none.
    """
    ways = named_templates(asked, function, list(declared), values)
    for template in ways:
        numbers = {n: Declared(()) for n in template.names if n not in declared}
        subject = Subject(freed(function, template), template, {**declared, **numbers})
        if (len(ways) == 1 and not numbers) or Jittable(subject.everything, template.names).runs(subject.declared):
            return subject
    raise unread(asked, function, ways[0])


def with_notes(found: Verdict, notes: Sequence[str]) -> Verdict:
    gradients = {n: with_notes(v, notes) for n, v in found.gradients.items()}
    return replace(found, notes=(*found.notes, *notes), gradients=gradients)
