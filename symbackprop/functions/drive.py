"""From a request to its verdict: claims read for all sizes, else at small literal sizes, where loops unroll.

Those can refute, and prove only what has no size symbol.  Functions and modules of other libraries than NumPy may stand
in the place of NumPy's functions: a library's module is imported when the user has imported the library, and may have

    readable(functions, shapes, differentiated)     functions of the library's arrays as ones of NumPy's, others as
                                                    they are; the first may be one that is to be differentiated
    makes_layer(x) -> bool                          whether this is a module of the library's, or makes one
    layer_forward(asked, make, shapes, params)      its forward as a function, and the shapes of all that it takes
    with_held_values(request, problem)              the request with what its forward holds constant, where that is why
                                                    it could not be read; else None
    check_function(asked) -> Verdict                of objects that bring their own derivative: of one of its classes,
                                                    or a class derived from one
    takes_layer(asked) -> bool                      whether `asked.function` is a layer of the library's: a class, an
                                                    object, or a function that makes one
    check_layer(asked) -> Verdict
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from symbackprop.clock import LIMIT, OutOfTime, limit, stage
from symbackprop.core.context import Hypothesis
from symbackprop.core.indices import SymbackpropError
from symbackprop.core.terms import Array
from symbackprop.decide.outcomes import ILL_FORMED, PROVED, REFUTED, UNKNOWN
from symbackprop.functions.claims import Claim, Setting, gradient_claims
from symbackprop.functions.deciding import are_long, refuted_at_points, together, verdict_of
from symbackprop.functions.derivation import derived_instead
from symbackprop.functions.held_values import with_labels
from symbackprop.functions.jax_reading import through_jax
from symbackprop.functions.request import Request, read_request, reading_of
from symbackprop.functions.sweep import Sweep
from symbackprop.functions.other_results import all_decided, as_meant, explained, kinds_of_gradients, small_sizes
from symbackprop.functions.trial import Runs, overflow_notes
from symbackprop.functions.verdict import Verdict
from symbackprop.numbers.refute.report import ShapeExample
from symbackprop.read.numpy import ShapeMismatch, Traced, TraceError, trace_assumptions
from symbackprop.read.numpy.scalars import EXPRESSIONS, as_expressions, form_of

LIBRARIES: Mapping[str, str] = {
    "torch": "symbackprop.functions.torch_functions",
    "jax": "symbackprop.functions.jax_functions",
}


def libraries(with_function: str) -> Iterator[ModuleType]:
    found = (import_module(home) for root, home in LIBRARIES.items() if root in sys.modules)
    yield from (module for module in found if hasattr(module, with_function))


def readable(functions: Sequence[Any], shapes: Any, differentiated: bool = True) -> list[Any]:
    """Raises SymbackpropError for shapes that cannot be read."""
    found = list(functions)
    for library in libraries("readable") if isinstance(shapes, Mapping) else ():
        found = library.readable(found, shapes, differentiated)
    return found


def with_held_values(request: Any, problem: Exception) -> Any:
    """Raises SymbackpropError where what is held cannot be read."""
    found = (library.with_held_values(request, problem) for library in libraries("with_held_values"))
    return next((r for r in found if r is not None), None)


def layer_forward(asked: str, make: Any, shapes: Any, params: Mapping[str, str] | None) -> tuple[Any, Any]:
    """The forward of a layer with the shapes of what it takes; a function and its shapes as they are.

    What `params` is given for is a layer.
    """
    for library in libraries("layer_forward"):
        if params is not None or library.makes_layer(make):
            found: tuple[Any, Any] = library.layer_forward(asked, make, shapes, params)
            return found
    return make, shapes


@dataclass(frozen=True, slots=True)
class Options:
    """`domains` limit where counterexamples are looked for; `seconds` are for each claim, and for reading them.

    `symmetric` says which gradient is meant by a symmetric matrix.
    """

    domains: Mapping[str, str]
    seek_repair: bool = True
    seconds: float = LIMIT
    symmetric: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a check: `derivative` is the second function where there is one; `params` of layers only."""

    check: str
    function: Any
    derivative: Any
    shapes: Mapping[str, Any]
    wrt: str | Sequence[str] | None
    assuming: Any
    options: Options
    values: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def chosen(self) -> tuple[str, ...] | None:
        """The variables, where they are said."""
        return (self.wrt,) if isinstance(self.wrt, str) else None if self.wrt is None else tuple(self.wrt)

    def request(self) -> Request:
        """Raises SymbackpropError, naming the check, where it makes no sense."""
        return read_request(
            self.check, self.function, self.derivative, self.shapes, self.wrt, self.assuming, self.values
        )

    def hypotheses(self, declared: Mapping[str, Any]) -> tuple[Hypothesis, ...]:
        return () if self.assuming is None else trace_assumptions(self.assuming, {**self.values, **declared})


Claims = Callable[[Request, Callable[[Any], None]], list[Claim]]
TRIES = 3


def verdict(request: Request, claims: Claims, options: Options) -> Verdict:
    """The answer to a request, in time."""
    try:
        found = verdict_at(request, claims, options)
        other = with_labels(request) if found.status == UNKNOWN else None
        return found if other is None else better(found, verdict_at(other, claims, options))
    except ShapeMismatch as mismatch:
        return answered(mismatch_verdict, request, claims, mismatch, options)
    except TraceError as problem:
        other = otherwise_read(request, problem, options.seconds)
        if other is not None:
            return verdict(other, claims, options)
        return answered(at_small_sizes, request, claims, problem, options)
    except OutOfTime as late:
        return Verdict(UNKNOWN, reason=str(late))


def otherwise_read(request: Request, problem: TraceError, seconds: float) -> Request | None:
    """The same request where another library reads it, or with what its forward holds constant; None if neither."""
    try:
        return through_jax(request, seconds) or with_held_values(request, problem)
    except SymbackpropError:
        return None


def better(one: Verdict, other: Verdict) -> Verdict:
    return one if other.status == UNKNOWN else other


Problem = TypeVar("Problem", bound=SymbackpropError)


def answered(
    ask: Callable[[Request, Claims, Problem, Options], Verdict],
    request: Request, claims: Claims, problem: Problem, options: Options,
) -> Verdict:  # fmt: skip
    """What is said of a problem; the problem itself where there is no time for more."""
    try:
        with limit(options.seconds):
            stage("looking at small sizes")
            return ask(request, claims, problem, options)
    except OutOfTime:
        return Verdict(ILL_FORMED if isinstance(problem, ShapeMismatch) else UNKNOWN, reason=str(problem))


def at_small_sizes(request: Request, claims: Claims, problem: TraceError, options: Options) -> Verdict:
    """What small sizes say where the functions cannot be traced for all sizes: refuted, or unknown with the reason."""
    for sizes in sizes_that_hide_little(request.symbols):
        small = request.at(sizes)
        try:
            small.hypotheses()  # what is assumed of sizes must hold
            verdict = verdict_at(small, claims, replace(options, seek_repair=False), refuted_at_points)
        except ShapeMismatch as mismatch:
            return ill_formed(mismatch, sizes)
        except SymbackpropError:
            continue
        if verdict.status == REFUTED:
            return at_these_sizes(verdict, sizes)
    return Verdict(UNKNOWN, reason=str(problem))


def verdict_at(
    request: Request, claims: Claims, options: Options, decide: Callable[[Claim, Setting], Verdict] = verdict_of
) -> Verdict:
    """The verdict of a request; raises what tracing raises."""
    rounded: list[tuple[float, Any]] = []
    notes: list[str] = [*request.notes]

    def read(traced: Traced) -> None:
        rounded.extend(traced.rounded_constants)
        notes.extend(traced.notes)

    with limit(options.seconds):
        stage("reading the functions")
        found, hypotheses = claims(request, read), request.hypotheses()
    symmetric = bool(hypotheses or options.symmetric)
    meant = kinds_of_gradients(request, found, hypotheses, options.symmetric) if symmetric else {}
    asked, found = found, [as_meant(c, meant[c.name]) if c.name in meant else c for c in found]
    shapes = {Array(n): d.shape for c in found for n, d in c.inputs.items() if d.values is None}
    setting = Setting(
        hypotheses, shapes, tuple(dict.fromkeys(rounded)), dict(options.domains), options.seek_repair, options.seconds
    )
    read_alone = all(n in request.declared or n in request.extra for c in found for n in c.inputs)  # nothing is drawn
    if claims is gradient_claims and decide is verdict_of and read_alone:
        sweep = Sweep(request, setting.context, are_long(found), {c.name: (c.lhs, c.found) for c in asked})
        setting = replace(setting, sweep=sweep)
    alone = len(found) == 1 and found[0].conforms  # there is nothing to be swapped with
    decided = [decide(found[0], setting)] if alone else all_decided(found, setting, decide)
    runs = Runs(request)
    verdicts = {c.name: run_too(runs, c, setting, v) for c, v in zip(found, decided, strict=True)}
    if found and all(v.status == PROVED for v in verdicts.values()):
        notes.extend(overflow_notes(runs, found[0], setting))
    quick = replace(setting, repair=False, small=False)
    for c in asked:
        if c.name in meant:
            verdicts[c.name] = explained(c, verdicts[c.name], meant[c.name], lambda other: decide(other, quick))
    noted, reading = tuple(dict.fromkeys(notes)), reading_of(request)
    answer = together({name: replace(v, notes=(*noted, *v.notes), reading=reading) for name, v in verdicts.items()})
    if answer.status != UNKNOWN or EXPRESSIONS.get() or not any(form_of(abs(x)) for x, _ in rounded):
        return answer
    with as_expressions():
        return better(answer, verdict_at(request, claims, options, decide))


def run_too(runs: Runs, claim: Claim, setting: Setting, verdict: Verdict) -> Verdict:
    """The verdict, confirmed by running the functions."""
    try:
        with limit(setting.seconds):
            stage("running the functions")
            return runs.confirmed(claim, setting, verdict)
    except OutOfTime as late:
        return Verdict(UNKNOWN, verdict.name, reason=str(late), hypotheses=verdict.hypotheses)


def mismatch_verdict(request: Request, claims: Claims, mismatch: ShapeMismatch, options: Options) -> Verdict:
    """Shapes that do not conform for all sizes: the smallest sizes where they do not."""
    for sizes in small_sizes(request.symbols, 2 if len(request.symbols) > 4 else 3):
        small = request.at(sizes)
        try:
            small.hypotheses()  # what is assumed of sizes must hold
        except SymbackpropError:
            continue
        try:
            claims(small, lambda _: None)
        except ShapeMismatch:
            return with_derivation(request, options, ill_formed(mismatch, sizes))
        except SymbackpropError:
            continue
    if request.assuming is not None:
        return Verdict(UNKNOWN, reason=f"{mismatch}\nNo small sizes were found where it fails: say it in shapes")
    return Verdict(ILL_FORMED, reason=str(mismatch))


def with_derivation(request: Request, options: Options, verdict: Verdict) -> Verdict:
    if not options.seek_repair or request.asked != "check_gradient":
        return verdict
    try:
        setting = Setting(request.hypotheses(), domains=dict(options.domains), repair=False)
    except SymbackpropError:
        return verdict
    return derived_instead(request, setting, verdict)


def ill_formed(mismatch: ShapeMismatch, sizes: dict[str, int]) -> Verdict:
    where = ", ".join(f"{s} = {n}" for s, n in sizes.items())
    example = ShapeExample(dict(sizes), "the shapes do not conform, and NumPy raises") if sizes else None
    kind = mismatch.meant or "shapes do not conform"
    mistake = f"{kind}, first at {where}" if where else kind
    return Verdict(ILL_FORMED, reason=str(mismatch), counterexample=example, mistake=mistake)


def at_these_sizes(verdict: Verdict, sizes: dict[str, int]) -> Verdict:
    where = ", ".join(f"{s} = {n}" for s, n in sizes.items())
    note = f"shown at the sizes {where}; the functions cannot be traced for all sizes" if where else ""
    gradients = {name: replace(v, reason=note) for name, v in verdict.gradients.items()}
    return replace(verdict, gradients=gradients, reason=note)


def sizes_that_hide_little(symbols: Sequence[str]) -> Iterator[dict[str, int]]:
    """Distinct and above 1 first."""
    for shift in range(TRIES if symbols else 1):
        yield {s: 2 + (k + shift) % 3 for k, s in enumerate(symbols)}


# --- what can be checked besides pairs of NumPy functions, by the library that an object comes from ---


def library_of(x: Any) -> ModuleType | None:
    """The module that checks an object of another library, or None."""
    return next((import_module(LIBRARIES[root]) for root in roots(x) if root in LIBRARIES), None)


def library_with_layer(asked: Asked) -> ModuleType | None:
    """The module whose layer it is; libraries that nobody has imported have none."""
    return next((module for module in libraries("takes_layer") if module.takes_layer(asked)), None)


def roots(x: Any) -> Iterator[str]:
    """The packages in which the class of an object, or a class itself, and those it derives from are defined.

    What is compiled counts as what it wraps; three functions (f, fwd, bwd) are the rule of a jax.custom_vjp.
    """
    if isinstance(x, tuple | list) and len(x) == 3 and all(map(callable, x)):
        yield "jax"
    while x is not None:
        for cls in (x if isinstance(x, type) else type(x)).__mro__:
            yield cls.__module__.split(".")[0]
        x = getattr(x, "__wrapped__", None) if type(x).__module__.startswith("jaxlib") else None
