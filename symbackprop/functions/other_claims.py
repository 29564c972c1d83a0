"""Jacobians, Hessians, Hessian-vector products, and two functions that are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbackprop.core.indices import Size, SymbackpropError
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, Term, add, mul, sum_over
from symbackprop.functions.claims import Claim, by_variable, counted, partial_latex, shown, single
from symbackprop.functions.held_values import by_value
from symbackprop.functions.request import Request, called, flattened, parameters
from symbackprop.gradients.lemmas import indices
from symbackprop.read.numpy import Declared


def jacobian_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """∂output_a/∂variable_b = result_ab: the axes of the output, then those of the variable."""
    return entrywise(request, note, "w", lambda v: (f"∂y/∂{v}", partial_latex("y", v)))


def hessian_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """∂²output_a/∂variable_b∂variable_c = result_abc."""
    return entrywise(request, note, "vw", lambda v: (f"∂²y/∂{v}²", rf"\frac{{\partial^2 y}}{{\partial {v}^2}}"))


def entrywise(
    request: Request, note: Callable[[Any], None], letters: str, label: Callable[[str], tuple[str, str]]
) -> list[Claim]:
    """The output differentiated by each variable, once for each letter of its axes."""
    output = one_output(request, note)
    no_extra(request)
    backward = request.result({})
    note(backward)
    found = by_variable(request, backward.outputs)
    claims = []
    for v in request.variables:
        shape = request.declared[v].shape
        axes, at = indices(output.shape, "o")
        lhs = output.at(*at)
        for more, there in (indices(shape, letter) for letter in letters):
            lhs, axes, at = Diff(lhs, Entry(Array(v), there)), (*axes, *more), (*at, *there)
        wanted = (*output.shape, *shape * len(letters))
        claims.append(Claim(v, lhs, found[v], wanted, axes, at, (output,), *label(v), request.declared))
    return claims


def hvp_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """Σ_b ∂²y/∂x_a∂x_b v_b = result_a, where v is the last argument of the backward function."""
    output = one_output(request, note)
    if output.axes:
        raise SymbackpropError(f"{request.asked}: the forward function returns no scalar but ({shown(output.shape)})")
    if len(request.variables) != 1:
        raise SymbackpropError(
            f"{request.asked}: wrt must name one variable (there are {', '.join(request.variables)})"
        )
    (v,) = request.variables
    shape = request.declared[v].shape
    direction = direction_of(request, shape)
    more = {direction: Declared(shape)} if direction not in request.declared else {}
    backward = request.result(more)
    note(backward)
    found = by_variable(request, backward.outputs)
    axes, at = indices(shape, "w")
    inner_axes, inner_at = indices(shape, "v")
    along = mul(Diff(output.body, Entry(Array(v), inner_at)), Entry(Array(direction), inner_at))
    lhs = Diff(sum_over(inner_axes, along), Entry(Array(v), at))
    label = f"∂²y/∂{v}² {direction}"
    text = rf"\frac{{\partial^2 y}}{{\partial {v}^2}} {direction}"
    return [Claim(v, lhs, found[v], shape, axes, at, (output,), label, text, {**request.declared, **more})]


def direction_of(request: Request, shape: tuple[Size, ...]) -> str:
    """The last argument of the backward function."""
    assert request.backward is not None
    last = parameters(request.backward, request.asked)[-1:]
    if not request.extra and last and last[0] in request.declared:  # the forward function takes it too and ignores it
        return last[0]
    if len(request.extra) != 1:
        raise SymbackpropError(
            f"{request.asked}: the last argument of {called(request.backward)} is the direction v, and it alone is "
            f"no argument of the forward function; here there are {', '.join(request.extra) or 'none'}"
        )
    (name,) = request.extra
    if name in request.declared and request.declared[name].shape != shape:
        raise SymbackpropError(
            f"{request.asked}: the direction {name!r} has shape ({request.declared[name]}) "
            f"and the variable ({shown(shape)})"
        )
    return name


def one_output(request: Request, note: Callable[[Any], None]) -> Tensor:
    forward = request.outputs()
    note(forward)
    outputs = flattened(forward.outputs, called(request.forward))
    if len(outputs) != 1:
        raise SymbackpropError(f"{request.asked}: the forward function has {len(outputs)} outputs; one is needed")
    return outputs[0]


def no_extra(request: Request) -> None:
    if request.extra:
        raise SymbackpropError(
            f"{request.asked}: the forward function has no argument {request.extra[0]!r}; "
            "a Jacobian or Hessian has no upstream gradient"
        )


# --- two functions ---------------------------------------------------------------------------


def equality_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """f(...) = g(...), output by output."""
    no_extra_of_second(request)
    first, second = request.outputs(), request.result({})
    note(first)
    note(second)
    assert request.backward is not None
    f, g = (called(x) for x in (request.forward, request.backward))
    left, right = named_outputs(first.outputs, f), named_outputs(second.outputs, g)
    if left.keys() != right.keys():
        raise SymbackpropError(f"{request.asked}: {f} returns {listed(left)} and {g} returns {listed(right)}")
    claims = []
    label = f.removesuffix("()") if f.endswith("()") else "f"
    for name, t in left.items():
        axes, at = indices(t.shape, "w")
        shown_as = label if len(left) == 1 else f"{label} {name}"
        both, latex = (t, right[name]), rf"\text{{{shown_as}}}".replace("_", r"\_")
        claims.append(Claim(
            name, t.at(*at), right[name], t.shape, axes, at, both, shown_as, latex, request.declared,
            ("first", "second"),
        ))  # fmt: skip
    return claims


def no_extra_of_second(request: Request) -> None:
    for n in request.extra:
        if n not in request.declared:
            raise SymbackpropError(f"{request.asked}: the argument {n!r} of the second function has no shape")


def named_outputs(outputs: Any, where: str) -> dict[str, Tensor]:
    if isinstance(outputs, Mapping):
        if len({str(k) for k in outputs}) < len(outputs):
            raise SymbackpropError(f"{where} returns two arrays of one name")
        return {str(k): single(v, where, str(k)) for k, v in outputs.items()}
    found = flattened(outputs, where)
    return {"result" if len(found) == 1 else f"output {k}": t for k, t in enumerate(found)}


def listed(outputs: Mapping[str, Tensor]) -> str:
    return f"{counted(len(outputs), 'array')} ({', '.join(outputs)})"


# --- jacobian-vector products: the tangent of each output from the tangents of all inputs together ---


def jvp_claims(request: Request, note: Callable[[Any], None]) -> list[Claim]:
    """Σ_v Σ_b ∂output_a/∂v_b tangent_vb = result_a, over all variables v.

    The parameters of the second function that the first lacks are the tangents, in the order of the variables.  It
    returns the tangent of each output, or the outputs and the tangents.
    """
    forward = request.outputs()
    note(forward)
    outputs = flattened(forward.outputs, called(request.forward))
    tangents = tangents_of(request)
    second = request.result({t: Declared(request.declared[v].shape) for v, t in tangents.items()})
    note(second)
    assert request.backward is not None
    results = flattened(second.outputs, called(request.backward))
    values: Sequence[Tensor] = ()
    if len(results) == 2 * len(outputs):
        values, results = results[: len(outputs)], results[len(outputs) :]
    if len(results) != len(outputs):
        raise SymbackpropError(
            f"{request.asked}: the function has {counted(len(outputs), 'output')}, and {called(request.backward)} "
            f"gives {counted(len(results), 'tangent')}"
        )
    more = {t: Declared(request.declared[v].shape) for v, t in tangents.items()}
    inputs = {**request.declared, **more}
    names = ["tangent"] if len(outputs) == 1 else [f"tangent {k}" for k in range(len(outputs))]
    rows = enumerate(zip(names, outputs, results, strict=True))
    claims = [
        replace(tangent_claim(name, out, found, tangents, request, inputs), places=(k, k + len(values)))
        for k, (name, out, found) in rows
    ]
    same = ["value"] if len(outputs) == 1 else [f"value {k}" for k in range(len(outputs))]
    return [*claims, *value_claims(same, [by_value(t, request) for t in outputs], values, inputs)]


def tangents_of(request: Request) -> dict[str, str]:
    """The tangent of each variable."""
    extra = tuple(n for n in request.extra if n not in request.declared)
    if len(extra) != len(request.variables):
        raise SymbackpropError(
            f"{request.asked}: there are {counted(len(request.variables), 'variable')} "
            f"({', '.join(request.variables)}), and the rule takes {counted(len(extra), 'tangent')} "
            f"({', '.join(extra) or 'none'}): one for each is needed"
        )
    return dict(zip(request.variables, extra, strict=True))


def tangent_claim(
    name: str, output: Tensor, result: Tensor, tangents: dict[str, str], request: Request, inputs: dict[str, Declared]
) -> Claim:
    axes, at = indices(output.shape, "o")
    parts = [along(output.at(*at), v, t, request.declared[v].shape) for v, t in tangents.items()]
    return Claim(name, add(*parts), result, output.shape, axes, at, (output,), name, rf"\text{{{name}}}", inputs,
                 ("derivative", "rule"))  # fmt: skip


def along(t: Term, variable: str, tangent: str, shape: tuple[Size, ...]) -> Term:
    """Σ_b ∂t/∂variable_b tangent_b"""
    axes, at = indices(shape, f"{variable}.")
    return sum_over(axes, mul(Diff(t, Entry(Array(variable), at)), Entry(Array(tangent), at)))


def value_claims(
    names: Sequence[str], outputs: Sequence[Tensor], values: Sequence[Tensor], inputs: dict[str, Declared]
) -> list[Claim]:
    """That a rule gives the value of the function along with the derivative, where it is not plainly the same."""
    claims = []
    for k, (name, wanted, found) in enumerate(zip(names, outputs, values, strict=False)):
        axes, at = indices(wanted.shape, "o")
        if found.shape == wanted.shape and found.at(*at) == wanted.at(*at):
            continue
        latex, sides = rf"\text{{{name}}}", ("function", "rule")
        both = (wanted, found)
        claims.append(
            Claim(name, wanted.at(*at), found, wanted.shape, axes, at, both, name, latex, inputs, sides, (k, k))
        )
    return claims
