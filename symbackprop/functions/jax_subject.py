"""A function of JAX's with its rule: how it is called on arrays by name, and what JAX makes of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from symbackprop.core.indices import SymbackpropError
from symbackprop.functions.calling import Given, Template, filled, places
from symbackprop.read.numpy import Declared

from .request import called

UPSTREAM = ("g", "ct", "dout", "upstream", "cotangent")
VJP, JVP = "reverse mode", "forward mode"


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
        try:
            return dict(zip(self.real, pull(cotangents), strict=True))
        except (TypeError, ValueError, IndexError):
            found = composed(self.function, self.template, arrays, cotangents)
            if found is None:
                raise
            return {v: found.get(v, jnp.zeros_like(arrays[v])) for v in self.real}

    def everything(self, **arrays: Any) -> list[Any]:
        """Something that needs all of the rule."""
        function, given = self.of_real(arrays)
        outputs, pull = jax.vjp(function, *given)
        return [*outputs, *pull([jnp.ones_like(y) for y in outputs])]

    def values(self, **arrays: Any) -> list[Any]:
        """The outputs as the rule gives them."""
        function, given = self.of_real(arrays)
        return list(jax.vjp(function, *given)[0])


def is_real(x: Any) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(x), jnp.floating))


def composed(
    function: Any, template: Template, arrays: Mapping[str, Any], cotangents: Sequence[Any]
) -> dict[str, Any] | None:
    """bwd after fwd, where JAX refuses to put them together.

    Residuals that are plain numbers, such as a shape, stay so outside of jit; and a gradient of another shape than its
    variable is to be shown.  None for anything else, and where the function is no jax.custom_vjp.
    """
    rule = inner_rule(function)
    if not isinstance(rule, jax.custom_vjp):
        return None
    bound = inspect.signature(rule.fun).bind(*template.args, **template.options)
    bound.apply_defaults()
    written: tuple[Any, ...] = bound.args
    args, fixed = filled(written, arrays), rule.nondiff_argnums
    output, residuals = rule.fwd(*args)  # type: ignore[misc]
    upstream = jax.tree.unflatten(jax.tree.structure(output), cotangents)
    gradients = rule.bwd(*(args[k] for k in fixed), residuals, upstream)  # type: ignore[misc]
    found = collected(tuple(a for k, a in enumerate(written) if k not in fixed), gradients)
    if found is None:
        return None
    plain = not all(hasattr(x, "dtype") for x in jax.tree.leaves(residuals))
    return found if plain or any(jnp.shape(g) != jnp.shape(arrays[v]) for v, g in found.items()) else None


def collected(written: Any, found: Any) -> dict[str, Any] | None:
    """Gradients by name, from where the arrays stand among the arguments; a None is 0.

    None where the gradients are not put together as the arguments are.
    """
    match written:
        case Given(name):
            return {} if found is None else {name: found} if hasattr(found, "dtype") else None
        case dict() | tuple() | list() if found is not None:
            if not alike(written, found):
                return None
            keys = list(written) if isinstance(written, dict) else range(len(written))
            total: dict[str, Any] = {}
            for key in keys:
                part = collected(written[key], found[key])
                if part is None:
                    return None
                for name, g in part.items():
                    total[name] = g if name not in total else total[name] + g
            return total
    return {}


def alike(written: Any, found: Any) -> bool:
    """Whether two containers are of a kind and a length."""
    if isinstance(written, dict):
        return isinstance(found, dict) and found.keys() == written.keys()
    return type(found) is type(written) and len(found) == len(written)


# --- where the rule is -----------------------------------------------------------------------------


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


def freed(function: Any, template: Template) -> Any:
    """The function with arrays allowed where JAX wants plain values (nondiff_argnums), if the call has any there.

    The rule is the same: what is not differentiated by goes from fwd to bwd beside the residuals.
    """
    rule = inner_rule(function)
    fixed = tuple(getattr(rule, "nondiff_argnums", ()))
    if not any(True for k in fixed if k < len(template.args) for _ in places(template.args[k])):
        return function
    return freed_vjp(rule, fixed) if isinstance(rule, jax.custom_vjp) else freed_jvp(rule, fixed)


def freed_vjp(rule: Any, fixed: tuple[int, ...]) -> Any:
    def fwd(*args: Any) -> Any:
        output, residuals = rule.fwd(*args)
        return output, (residuals, tuple(args[k] for k in fixed))

    def bwd(saved: Any, upstream: Any) -> Any:
        residuals, still = saved
        found = list(rule.bwd(*still, residuals, upstream))
        for k in fixed:
            found.insert(k, None)
        return tuple(found)

    return ruled(rule.fun, functools.wraps(rule.fwd)(fwd), functools.wraps(rule.bwd)(bwd))


def freed_jvp(rule: Any, fixed: tuple[int, ...]) -> Any:
    def jvp(primals: Any, tangents: Any) -> Any:
        still = [primals[k] for k in fixed]
        moving = [[x for k, x in enumerate(xs) if k not in fixed] for xs in (primals, tangents)]
        return rule.jvp(*still, *map(tuple, moving))

    found = jax.custom_jvp(rule.fun)
    found.defjvp(functools.wraps(rule.jvp)(jvp))
    return found


def with_tangents(function: Callable[..., Any], jvp: Callable[..., Any], pairs: bool) -> Any:
    """The function with this rule in forward mode; without `pairs` it takes the arguments, then the tangents."""

    def rule(primals: Any, tangents: Any) -> Any:
        found = jvp(primals, tangents) if pairs else jvp(*primals, *tangents)
        output = function(*primals)
        alone = len(jax.tree.leaves(found)) == len(jax.tree.leaves(output))
        return (output, found) if alone else found

    result = jax.custom_jvp(function)
    result.defjvp(functools.wraps(jvp)(rule))
    return result


def inner_rule(function: Any) -> Any:
    """The object with the rule, behind jax.jit and the like; None where there is none."""
    while function is not None:
        if isinstance(function, jax.custom_vjp) and function.bwd is not None:
            return function
        if isinstance(function, jax.custom_jvp) and function.jvp is not None:
            return function
        function = getattr(function, "__wrapped__", None)
    return None


def rule_of(function: Any) -> tuple[str, Any]:
    """In which mode the rule is, and the user's function that it is."""
    rule = inner_rule(function)
    if rule is None:
        raise SymbackpropError(
            f"check_function: {called(function)} has no rule of its own: a jax.custom_vjp with defvjp, "
            "a jax.custom_jvp with defjvp, or the functions (f, fwd, bwd) are needed"
        )
    return (VJP, rule.bwd) if isinstance(rule, jax.custom_vjp) else (JVP, rule.jvp)


def upstream_of(bwd: Callable[..., Any]) -> str:
    """What the user calls the cotangent: the last argument that has no default."""
    try:
        found = inspect.signature(bwd).parameters.values()
    except (TypeError, ValueError):
        found = ()  # type: ignore[assignment]
    names = [p.name for p in found if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return names[-1] if names else UPSTREAM[0]
