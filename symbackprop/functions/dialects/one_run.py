"""Code of the user's in another form as a forward and a backward of named arrays, and the verdict about them.

They are traced, proved and run in place of plain functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from symbackprop.clock import OutOfTime, limit, stage
from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import SymbackpropError
from symbackprop.decide.outcomes import ILL_FORMED, UNKNOWN
from symbackprop.functions.claims import gradient_claims
from symbackprop.functions.drive import Asked, sizes_that_hide_little, verdict
from symbackprop.functions.request import Function, read_request
from symbackprop.functions.verdict import Verdict
from symbackprop.read.numpy import Declared, ShapeMismatch, TraceError
from symbackprop.read.numpy.context import Tracing, tracing
from symbackprop.read.numpy.drawing import restarted
from symbackprop.read.numpy.tracing import run_raw


@dataclass(frozen=True, slots=True)
class Pair:
    """`notes` say what was found by its name or place, each of a variable; those of "" are of all."""

    forward: Function
    backward: Function
    shapes: Mapping[str, Any]
    wrt: Sequence[str]
    notes: tuple[tuple[str, str], ...] = ()


def of_all(notes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(("", text) for text in notes)


def judged(asked: Asked, find: Callable[[Asked], Pair]) -> Verdict:
    """The verdict on the pair that is found."""
    try:
        return verdict_on(asked, find(asked))
    except Untraceable as problem:
        return Verdict(problem.status, reason=str(problem))


def verdict_on(asked: Asked, pair: Pair) -> Verdict:
    """The verdict, with the notes."""
    request = read_request(asked.check, pair.forward, pair.backward, pair.shapes, pair.wrt, asked.assuming, {})
    return with_notes(verdict(request, gradient_claims, asked.options), pair.notes)


def with_notes(found: Verdict, notes: Sequence[tuple[str, str]]) -> Verdict:
    """Each variable's verdict with what is said of it; what is said of all, or of others, with the first."""
    if not found.gradients:
        return replace(found, notes=(*found.notes, *(text for _, text in notes)))
    first = next(iter(found.gradients))
    owners = [n if n in found.gradients else first for n, _ in notes]
    gradients = {
        n: replace(v, notes=(*v.notes, *(text for owner, (_, text) in zip(owners, notes, strict=True) if owner == n)))
        for n, v in found.gradients.items()
    }
    return replace(found, gradients=gradients)


T = TypeVar("T")
Run = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]


class OneRun:
    """run(parts, arrays by name), where `parts` are the user's functions and objects.

    Whoever runs it has the parts copied, each time: what the first half of a run leaves on an object the second half
    finds, and the user's own object is as it was.  Random numbers are drawn from the start.
    """

    def __init__(self, title: str, names: Sequence[str], run: Run, parts: Mapping[str, Any]) -> None:
        self.__name__, self.names, self.run, self.parts = title, tuple(names), run, dict(parts)

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(n, kind) for n in self.names])

    @property
    def written(self) -> Any:
        """What has a source text."""
        first = next(iter(self.parts.values()))
        return first if isinstance(first, type) or inspect.isroutine(first) else type(first)

    def __symbackprop_copy__(self, convert: Callable[[Any], Any]) -> OneRun:
        parts = {n: convert(x) for n, x in self.parts.items()}
        return OneRun(self.__name__, self.names, self.run, parts)

    def __call__(self, **given: Any) -> Any:
        restarted()
        return self.run(self.parts, given)


class Untraceable(SymbackpropError):
    """The code cannot be run on symbols; `status` is what is said of it then, the message says why."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def observed(asked: Asked, function: OneRun, declared: Mapping[str, Declared], read: Callable[[Any], T]) -> T:
    """read(result) of one run on symbolic arrays, at small sizes where it cannot be traced for all.

    Raises Untraceable with the reason why it cannot be traced for all sizes, where it cannot be traced at all, and what
    `read` and the run itself raise.
    """
    hypotheses = asked.hypotheses(declared)
    try:
        with limit(asked.options.seconds):
            stage("finding out how the code is used")
            return observed_somewhere(function, declared, read, hypotheses)
    except OutOfTime as late:
        raise Untraceable(UNKNOWN, str(late)) from None
    except TraceError as problem:
        status = ILL_FORMED if isinstance(problem, ShapeMismatch) else UNKNOWN
        raise Untraceable(status, str(problem)) from problem


def observed_somewhere(
    function: OneRun, declared: Mapping[str, Declared], read: Callable[[Any], T], hypotheses: Sequence[Hypothesis]
) -> T:
    try:
        return observed_at(function, declared, read, hypotheses)
    except TraceError as problem:
        symbols = dict.fromkeys(s for d in declared.values() for s in d.symbols)
        for sizes in sizes_that_hide_little(tuple(symbols)) if symbols else ():
            try:
                return observed_at(function, {n: d.at(sizes) for n, d in declared.items()}, read, hypotheses)
            except TraceError:
                continue
        raise problem


def observed_at(
    function: OneRun, declared: Mapping[str, Declared], read: Callable[[Any], T], hypotheses: Sequence[Hypothesis]
) -> T:
    """Raises TraceError where the code is not understood; what is wrong with the request as it is."""
    context = Context(hypotheses={f"h{k}": h for k, h in enumerate(hypotheses, 1)})
    with tracing(Tracing(names=frozenset(declared), context=context)):
        try:
            return run_raw(function, declared, read)
        except TraceError as problem:
            cause = problem.__cause__
            if isinstance(cause, SymbackpropError) and not isinstance(cause, TraceError):
                raise cause from None
            raise
