"""The functions themselves, run in NumPy at a few points: a witness that what was read is what they compute.

Everything else in a verdict rests on the trace of the functions.  Here the user's own code runs on small arrays of
floats, and must give what its trace gives.  It also shows a result that has no value: nan is not a gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symbackprop.core.indices import Index
from symbackprop.core.statement import Statement
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import Array, SymbackpropError
from symbackprop.decide.decide import Problem
from symbackprop.decide.status import PROVED, REFUTED, UNKNOWN
from symbackprop.numbers.exact_numbers import Undefined, approximate
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point, size_at
from symbackprop.numbers.refute.points import Question, Sampler
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.read.numpy import Declared
from symbackprop.read.numpy.isolating import Isolated

from .claims import Claim, named_problem, problem_of
from .gradient_names import gradient_of
from .request import Function, Request
from .setting import Setting
from .verdict import Verdict

POINTS = 3
DOUBT = 1e-9  # what may be zero but for rounding
NOTHING = "when the function runs"
TOLERANCE = 1e-3  # a misread function is off by more, rounding by less


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of the functions: the arrays of the forward and the result, with the names that these are in."""

    forward: tuple[Tensor, ...]
    result: Tensor
    definitions: Mapping[Array, Tensor] = field(default_factory=dict)


def read(claim: Claim, statement: Statement | None) -> Read:
    """What the statement says that was decided, which may name intermediates; else what the claim says."""
    if statement is None or not statement.context.definitions:
        return Read(claim.forward, Tensor(claim.axes, claim.rhs))
    forward = []
    for t, body in zip(claim.forward, statement.forward, strict=True):
        forward.append(Tensor(tuple(Index(f"i{k}", n) for k, n in enumerate(t.shape)), body))
    return Read(tuple(forward), Tensor(claim.axes, statement.rhs), statement.context.definitions)


def confirmed(request: Request, claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    """The verdict, if running the functions agrees with it; "unknown" with the reason if not."""
    problem = None
    asked = long_problem(claim, setting) or problem_of(claim, setting)
    if verdict.status == PROVED and verdict.theorem is not None:
        what = read(claim, verdict.theorem.statement)
        found = (disagreement(request, claim, what, point) for point in points(asked.question()))
        problem = next((x for x in found if x is not None), None)
    elif verdict.status == REFUTED and isinstance(verdict.counterexample, Counterexample):
        c = verdict.counterexample
        same = c.rhs_term == asked.statement.rhs
        problem = disagreement(request, claim, read(claim, asked.statement if same else None), c.point)
        if verdict.counterexample.kind == "no value" and NOTHING in (problem or ""):
            return verdict  # that it has no value is what the counterexample says
    if problem is None:
        return verdict
    return Verdict(UNKNOWN, verdict.name, reason=problem, hypotheses=verdict.hypotheses)


def long_problem(claim: Claim, setting: Setting) -> Problem | None:
    """A long claim with its intermediates, which are evaluated once each."""
    return named_problem(claim, setting) if setting.sweep is not None and setting.sweep.first else None


def points(q: Question) -> Iterator[Point]:
    """A few points that satisfy the hypotheses, none of them special."""
    sampler = Sampler(q)
    found = 0
    for attempt in range(2 * POINTS):
        for sizes in sampler.sizes(4)[attempt % 2 : attempt % 2 + 1] or sampler.sizes(1):
            point = sampler.point(sizes, attempt)
            if point is not None:
                yield point
                found += 1
        if found >= POINTS:
            return


def disagreement(request: Request, claim: Claim, what: Read, point: Point) -> str | None:
    """How running the functions differs from what was read of them at this point."""
    point = replace(point, definitions=what.definitions)
    try:
        given = {name: filled(name, d, point) for name, d in claim.inputs.items()}
        arguments = {**request.values, **given}
        drawn = {n: x for n, x in given.items() if n not in (*request.declared, *request.extra)}
        with np.errstate(all="ignore"):
            outputs = run(request.forward, arguments, drawn)
    except (Undefined, np.linalg.LinAlgError):
        return None
    except (Exception, SystemExit):  # made for other arrays than NumPy's, or for other sizes: nothing is learned
        return None
    if not all(np.isfinite(x).all() for x in outputs.values()):
        return None
    gradient = claim.needs_derivative or claim.name in request.variables
    if gradient:
        traced = list(zip(outputs.values(), what.forward, strict=False))
    else:  # two functions, output by output
        traced = [(named(outputs, claim.name, claim.places and claim.places[0]), claim.forward[0])]
    for value, tensor in traced:
        wrong = differs(value, tensor_values(point, tensor.axes, tensor.body))
        if wrong:
            return f"running the forward function gives {wrong}, other than its trace; please report this"
    assert request.backward is not None
    try:
        with np.errstate(all="ignore"):
            results = run(request.backward, arguments, drawn)
    except np.linalg.LinAlgError:
        return None
    except (Exception, SystemExit) as error:
        where = ", ".join(f"{s} = {n}" for s, n in sorted(point.sizes.items()))
        return f"{type(error).__name__} {NOTHING}{' at ' + where if where else ''}: {error}"
    key = claim.name if claim.name in results else gradient_of(results, claim.name)
    found = results[key] if key is not None else result_of(results, request, claim)
    found = found if gradient else named(results, claim.name, claim.places and claim.places[1])
    if found is None:
        return None
    expected = tensor_values(point, what.result.axes, what.result.body)
    wrong = differs(found, expected)
    return f"running the function gives {wrong}, other than its trace; please report this" if wrong else None


def tensor_values(point: Point, axes: Any, body: Any) -> Any:
    try:
        return FloatEvaluation(point, doubt=DOUBT).tensor(axes, body)
    except (Undefined, SymbackpropError):
        return None


def differs(value: Any, expected: Any) -> str:
    """The value, where it is certainly another number than expected."""
    if expected is None:
        return ""
    found = np.asarray(value, dtype=float)
    if found.size != expected.size:
        return f"an array of shape {found.shape}"
    found = found.reshape(expected.shape)
    lost = np.isfinite(expected) & ~np.isfinite(found)
    if lost.any():
        return f"{found[lost][0]} where {expected[lost][0]:.6g} is expected"
    known = np.isfinite(found) & np.isfinite(expected)
    scale = max(1.0, float(np.abs(expected[known]).max(initial=0.0)))
    bad = known & (np.abs(found - expected) > TOLERANCE * scale)
    return f"{found[bad][0]:.6g} where {expected[bad][0]:.6g} is expected" if bad.any() else ""


def result_of(results: Mapping[str, Any], request: Request, claim: Claim) -> Any:
    order = list(request.variables)
    items = list(results.values())
    return items[order.index(claim.name)] if claim.name in order and len(items) == len(order) else None


def named(outputs: Mapping[str, Any], name: str, at: int | None = None) -> Any:
    """An output by its place or its key, or the only one."""
    if at is not None:
        return list(outputs.values())[at]
    if name in outputs:
        return outputs[name]
    items = list(outputs.values())
    place = name.removeprefix("output ")
    return items[int(place)] if place.isdigit() and int(place) < len(items) else items[0]


def run(function: Function, arguments: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays that a copy of the function returns, by name or by place; `drawn` are its random numbers."""
    names = inspect.signature(function).parameters
    copy = Isolated(drawn).convert(function)
    return flattened(copy(**{n: copied(arguments[n]) for n in names if n in arguments}))


def copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def flattened(x: Any, name: str = "0") -> dict[str, Any]:
    if isinstance(x, Mapping):
        return {k: v for key, y in x.items() for k, v in flattened(y, str(key)).items()}
    if isinstance(x, Sequence) and not isinstance(x, str):
        return {k: v for n, y in enumerate(x) for k, v in flattened(y, f"{name}.{n}").items()}
    return {name: np.asarray(x, dtype=float)}


def filled(name: str, declared: Declared, point: Point) -> Any:
    """The argument at a point; entries that no claim looks at are 1 (0 for integers)."""
    shape = tuple(size_at(n, {**dict.fromkeys(n.symbols, 2), **point.sizes}) for n in declared.shape)
    if declared.values is not None:
        table = point.integers.get(name, {})
        whole = np.zeros(shape, dtype=int)
        for k, v in table.items():
            whole[k] = v
        return whole if shape else int(whole)
    entries = point.arrays.get(Array(name), {})
    array = np.ones(shape)
    for k, entry in entries.items():
        array[k] = approximate(entry)
    return array if shape else float(array)
