"""`check_gradient`: is this backward function the gradient of that forward function, for all sizes?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .core.context import Context, Hypothesis
from .core.indices import Index, Size, SymbackpropError
from .core.matrix import UNIT, ZERO_INDEX
from .core.tensor import Tensor
from .core.terms import Array, Diff, Entry, Nonzero, Positive, Predicate, Term, add, mul, over
from .prove.equality import prove_gradient
from .prove.refute import refute, satisfying_point
from .read.numpy import Declared, ShapeMismatch, TraceError, parse_shapes, trace, trace_assumptions
from .verdict import Verdict, together


def check_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    shapes: Mapping[str, str],
    wrt: str | Sequence[str] | None = None,
    assuming: Callable[..., Any] | None = None,
    **values: Any,
) -> Verdict:
    """Prove or refute that `backward` is the gradient of `forward`, for all sizes and all values assumed.

    `shapes` gives each array argument its axes: "B D", "L+K-1", "" for a scalar, "int[V] B" for integers.
    Parameters of `backward` that `forward` lacks are the upstream gradients, in the order of the outputs;
    without any, the forward must be a scalar.  `values` are concrete arguments.  Raises SymbackpropError for a
    request that makes no sense; what cannot be traced or decided gives the verdict "unknown".
    """
    declared = parse_shapes(dict(shapes))
    names = list(inspect.signature(forward).parameters)
    backward_names = list(inspect.signature(backward).parameters)
    given: dict[str, Any] = {**values, **declared}
    unknown = [
        n for n in names if n not in given and inspect.signature(forward).parameters[n].default is inspect._empty
    ]
    if unknown:
        raise SymbackpropError(f"check_gradient: no shape for the argument {unknown[0]!r} of the forward function")
    variables = [n for n in names if n in declared and declared[n].values is None] if wrt is None else wrt
    variables = [variables] if isinstance(variables, str) else list(variables)
    for v in variables:
        if v not in declared:
            raise SymbackpropError(f"check_gradient: wrt names {v!r}, which has no shape")
    try:
        outputs = flattened(trace(forward, {n: given[n] for n in names if n in given}).outputs)
        upstream = [n for n in backward_names if n not in names]
        if upstream and len(upstream) != len(outputs):
            raise SymbackpropError(
                f"check_gradient: {len(outputs)} outputs but {len(upstream)} upstream gradients {upstream}"
            )
        if not upstream and any(t.axes for t in outputs):
            raise SymbackpropError(
                "check_gradient: the forward is no scalar and the backward takes no upstream gradient"
            )
        gs = {g: Declared(t.shape) for g, t in zip(upstream, outputs, strict=bool(upstream)) if g not in given}
        arguments = {**given, **gs}
        traced = trace(backward, {n: arguments[n] for n in backward_names if n in arguments})
        claims = by_variable(traced.outputs, variables)
        hypotheses = () if assuming is None else trace_assumptions(assuming, given)
    except ShapeMismatch as mismatch:
        return Verdict("ill-formed", reason=str(mismatch))
    except TraceError as problem:
        return Verdict("unknown", reason=str(problem))
    loss = objective(outputs, upstream)
    shape_of = {Array(n): d.shape for n, d in arguments.items() if isinstance(d, Declared) and d.values is None}
    return together(
        {
            v: decide(v, loss, declared[v], claims[v], hypotheses, shape_of, bool(traced.rounded_constants))
            for v in variables
        }
    )


def flattened(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    items = outputs.values() if isinstance(outputs, Mapping) else outputs
    return [t for item in items for t in flattened(item)]


def by_variable(outputs: Any, variables: list[str]) -> dict[str, Tensor]:
    if isinstance(outputs, Mapping):
        missing = [v for v in variables if v not in outputs]
        if missing:
            raise SymbackpropError(f"check_gradient: the backward returns no gradient named {missing[0]!r}")
        return {v: outputs[v] for v in variables}
    tensors = flattened(outputs)
    if len(tensors) != len(variables):
        raise SymbackpropError(f"check_gradient: {len(variables)} variables but {len(tensors)} gradients returned")
    return dict(zip(variables, tensors, strict=True))


def objective(outputs: list[Tensor], upstream: list[str]) -> Term:
    """Σ over outputs of Σ upstream * output, whose gradient is the vector-Jacobian product."""
    if not upstream:
        return outputs[0].body
    parts = []
    for g, t in zip(upstream, outputs, strict=True):
        zero = t.axes
        body: Term = mul(Entry(Array(g), zero), t.body)
        for i in reversed(zero):
            body = over(i, body)
        parts.append(body)
    return add(*parts)


def decide(
    name: str,
    loss: Term,
    declared: Declared,
    claim: Tensor,
    hypotheses: Sequence[Hypothesis],
    shapes: Mapping[Array, tuple[Size, ...]],
    rounded: bool,
) -> Verdict:
    if claim.shape != declared.shape:
        wanted, got = (" ".join(map(str, s)) or "scalar" for s in (declared.shape, claim.shape))
        return Verdict("refuted", name, reason=f"the gradient has shape ({got}) where the variable has ({wanted})",
                       mistake="result has another shape")  # fmt: skip
    axes = tuple(Index(f"w{k}", n) for k, n in enumerate(declared.shape) if n != UNIT)
    at = tuple(Index(f"w{k}", n) if n != UNIT else ZERO_INDEX for k, n in enumerate(declared.shape))
    wrt, claimed = Entry(Array(name), at), claim.at(*at)
    context = Context(hypotheses={f"h{k}": h for k, h in enumerate(hypotheses, 1)})
    found = prove_gradient(loss, wrt, claimed, context)
    if found is not None:
        proof, theorem = found
        needs: list[Hypothesis] = [*hypotheses, *(c for c in theorem.conditions if plain(c))]
        if satisfying_point(needs, terms=(loss, claimed), shapes=shapes) is not None:
            return Verdict("proved", name, proof=proof, conditions=tuple(sorted(theorem.conditions, key=repr)))
        return Verdict("unknown", name, reason="no point was found that satisfies the hypotheses and conditions")
    counterexample = refute(Diff(loss, wrt), claimed, axes, hypotheses=hypotheses, shapes=shapes)
    if counterexample is not None and not rounded:
        return Verdict("refuted", name, counterexample=counterexample)
    return Verdict("unknown", name, reason="neither a proof nor a counterexample was found")


def plain(c: Predicate) -> bool:
    return isinstance(c, Positive | Nonzero)
