"""The functions themselves, run in NumPy at a few points: a witness that what was read is what they compute.

Everything else in a verdict rests on the trace of the functions.  Here the user's own code runs on small arrays of
floats, and must give what its trace gives.  It also shows a result that has no value: nan is not a gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.context import Statement, terms_of
from symbackprop.core.indices import Index
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, SymbackpropError, arrays
from symbackprop.decide.decide import Problem
from symbackprop.decide.outcomes import PROVED, REFUTED, UNKNOWN
from symbackprop.numbers.duals import to_float
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point, size_at
from symbackprop.numbers.refute.points import Sampler
from symbackprop.numbers.refute.report import Counterexample
from symbackprop.read.numpy import Declared
from symbackprop.read.numpy.tracing import Isolated

from .claims import Claim, Setting, named_problem, problem_of
from .request import Function, Request, called, gradient_of
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
    for t, body in zip(claim.forward, statement.forward, strict=False):  # further ones are parts of these
        forward.append(Tensor(tuple(Index(f"i{k}", n) for k, n in enumerate(t.shape)), body))
    return Read(tuple(forward), Tensor(claim.axes, statement.rhs), statement.context.definitions)


class Runs:
    """The functions of a request, run once at each point, whatever is asked of them there."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.places: list[tuple[Sampled, list[Point]]] = []
        self.known: list[tuple[Point, Mapping[str, Declared], Run]] = []

    def at(self, point: Point, inputs: Mapping[str, Declared]) -> Run:
        for p, i, run in self.known:
            if p is point and i is inputs:
                return run
        self.known.append((point, inputs, Run(self.request, inputs, point)))
        return self.known[-1][2]

    def asked(self, claim: Claim, setting: Setting) -> Problem:
        """A long claim with its intermediates, which are evaluated once each."""
        long = named_problem(claim, setting) if setting.sweep is not None and setting.sweep.first else None
        return long or problem_of(claim, setting)

    def points(self, asked: Problem) -> Iterator[Point]:
        """A few points that satisfy the hypotheses, none of them special."""
        sampler = Sampler(asked.question())
        sampled = what_is_sampled(sampler)
        for other, found in self.places:
            if other == sampled:
                yield from found
                return
        found = []
        for attempt in range(2 * POINTS):
            for sizes in sampler.sizes(4)[attempt % 2 : attempt % 2 + 1] or sampler.sizes(1):
                point = sampler.point(sizes, attempt)
                if point is not None:
                    yield point
                    found.append(point)
            if len(found) >= POINTS:
                break
        self.places.append((sampled, found))

    def confirmed(self, claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
        """The verdict, if running the functions agrees with it; "unknown" with the reason if not."""
        problem = None
        asked = self.asked(claim, setting)
        if verdict.status == PROVED and verdict.theorem is not None:
            what = read(claim, verdict.theorem.statement)
            found = (self.disagreement(claim, what, point) for point in self.points(asked))
            problem = next((x for x in found if x is not None), None)
        elif verdict.status == REFUTED and isinstance(verdict.counterexample, Counterexample):
            c = verdict.counterexample
            same = c.rhs_term == asked.statement.rhs
            problem = self.disagreement(claim, read(claim, asked.statement if same else None), c.point)
            if verdict.counterexample.kind == "no value" and NOTHING in (problem or ""):
                return verdict  # that it has no value is what the counterexample says
        if problem is None:
            return verdict
        return Verdict(UNKNOWN, verdict.name, reason=problem, hypotheses=verdict.hypotheses)

    def disagreement(self, claim: Claim, what: Read, point: Point) -> str | None:
        """How running the functions differs from what was read of them at this point."""
        request, run = self.request, self.at(point, claim.inputs)
        outputs = run.outputs
        if outputs is None:
            return None
        gradient = claim.needs_derivative or claim.name in request.variables
        if gradient:
            traced = list(zip(outputs.values(), what.forward, strict=False))
        else:  # two functions, output by output
            traced = [(named(outputs, claim.name, claim.places and claim.places[0]), claim.forward[0])]
        for value, tensor in traced:
            wrong = differs(value, run.values(tensor, what.definitions))
            if wrong:
                return f"running the forward function gives {wrong}, other than its trace; please report this"
        results = run.results
        if results is None or isinstance(results, str):
            return results
        key = claim.name if claim.name in results else gradient_of(results, claim.name)
        found = results[key] if key is not None else result_of(results, request, claim)
        found = found if gradient else named(results, claim.name, claim.places and claim.places[1])
        if found is None:
            return None
        wrong = differs(found, run.values(what.result, what.definitions))
        return f"running the function gives {wrong}, other than its trace; please report this" if wrong else None


Sampled = tuple[Any, ...]


def what_is_sampled(sampler: Sampler) -> Sampled:
    """All that the points of a sampler depend on; a claim by another variable asks for the same ones."""
    q, s = sampler.question, sampler.survey
    shapes = {a: s.declared.get(a, uses) for a, uses in s.arrays.items()}
    return s.symbols, shapes, s.picks, s.functions, s.losses, s.positive, q.hypotheses, q.domains, q.sizes_min


class Run:
    """The functions at one point."""

    def __init__(self, request: Request, inputs: Mapping[str, Declared], point: Point) -> None:
        self.request, self.inputs, self.point = request, inputs, point
        self.evaluations: list[tuple[Mapping[Array, Tensor], FloatEvaluation]] = []

    @cached_property
    def arguments(self) -> dict[str, Any]:
        return {name: filled(name, d, self.point) for name, d in self.inputs.items()}

    def returned(self, function: Function) -> dict[str, Any]:
        request, given = self.request, self.arguments
        drawn = {n: x for n, x in given.items() if n not in (*request.declared, *request.extra)}
        with np.errstate(all="ignore"):
            return run(function, {**request.values, **given}, drawn)

    @cached_property
    def outputs(self) -> dict[str, Any] | None:
        """Of the forward; None where nothing is learned."""
        try:
            outputs = self.returned(self.request.forward)
        except (Undefined, np.linalg.LinAlgError):
            return None
        except (Exception, SystemExit):  # made for other arrays than NumPy's, or for other sizes: nothing is learned
            return None
        return outputs if all(np.isfinite(x).all() for x in outputs.values()) else None

    @cached_property
    def results(self) -> dict[str, Any] | str | None:
        """Of the backward, or what happens; None where nothing is learned."""
        assert self.request.backward is not None
        try:
            return self.returned(self.request.backward)
        except np.linalg.LinAlgError:
            return None
        except (Exception, SystemExit) as error:
            where = ", ".join(f"{s} = {n}" for s, n in sorted(self.point.sizes.items()))
            return f"{type(error).__name__} {NOTHING}{' at ' + where if where else ''}: {error}"

    def values(self, t: Tensor, definitions: Mapping[Array, Tensor]) -> Any:
        """The entries of what was read, where these names mean something."""
        evaluation = next((e for d, e in self.evaluations if d is definitions or d == definitions), None)
        if evaluation is None:
            evaluation = FloatEvaluation(replace(self.point, definitions=definitions), doubt=DOUBT)
            self.evaluations.append((definitions, evaluation))
        try:
            return evaluation.tensor(t.axes, t.body)
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
    if declared.hot is not None:
        label, axis = declared.hot
        table = point.integers.get(label, {})
        array = np.zeros(shape)
        for k in np.ndindex(shape[:axis] + shape[axis + 1 :]):
            array[(*k[:axis], table.get(k, 0), *k[axis:])] = 1
        return array
    if declared.values is not None:
        table = point.integers.get(name, {})
        whole = np.zeros(shape, dtype=int)
        for k, v in table.items():
            whole[k] = v
        return whole if shape else int(whole)
    entries = point.arrays.get(Array(name), {})
    array = np.ones(shape)
    for k, entry in entries.items():
        array[k] = to_float(entry)
    return array if shape else float(array)


# --- code that is right and overflows: nan for ordinary large values ---


LARGE = 1000
SECONDS = 1.0


def overflow_notes(runs: Runs, claim: Claim, setting: Setting) -> list[str]:
    """In a second, or nothing."""
    try:
        with limit(min(SECONDS, setting.seconds)):
            stage("running the functions on large values")
            return list(overflows(runs, claim, setting))
    except OutOfTime:
        return []


def overflows(runs: Runs, claim: Claim, setting: Setting) -> Iterator[str]:
    """What gives nan at one point that satisfies the hypotheses, with entries of 1000 where they say nothing."""
    mentioned = {a for h in setting.hypotheses for t in terms_of(h) for a in arrays(t)}
    free = [n for n in claim.inputs if Array(n) not in mentioned and claim.inputs[n].values is None]
    point = next(runs.points(runs.asked(claim, setting)), None)
    if point is None:
        return
    plain, large = runs.at(point, claim.inputs), Run(runs.request, claim.inputs, enlarged(point, free))
    for function in (runs.request.forward, runs.request.backward):
        if function is not None and gives_nan(large, function) and not gives_nan(plain, function):
            yield f"in real numbers; in floats {called(function)} overflows to nan for entries of {LARGE}"


def enlarged(point: Point, names: list[str]) -> Point:
    """The same with entries around 1000 and -1000 in turn, no two alike: a variance of 0 is no overflow."""
    wanted = {Array(n) for n in names}
    changed = {
        a: {k: Fraction((LARGE + n) * (-1) ** n) if a in wanted else v for n, (k, v) in enumerate(entries.items())}
        for a, entries in point.arrays.items()
    }
    return replace(point, arrays=changed)


def gives_nan(at: Run, function: Function) -> bool:
    try:
        results = at.returned(function)
    except Exception:  # nothing is learned
        return False
    return any(bool(np.isnan(x).any()) for x in results.values())
