"""The gradient found: a proved term, in words and in NumPy code that runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ZERO, Array, indices
from symbackprop.decide.decide import decide, prove_only
from symbackprop.decide.outcomes import PROVED, Condition
from symbackprop.functions.claims import (
    Setting, formula, formula_latex, gradient_claim, hypothesis_text, in_names, objective,
)  # fmt: skip
from symbackprop.functions.sweep import names_of
from symbackprop.gradients.claimed import named_claim
from symbackprop.gradients.derived import Derived, derived
from symbackprop.gradients.reverse import names_of_upstream
from symbackprop.prove.statements import Showing
from symbackprop.prove.working_out import derived as worked_out
from symbackprop.read.numpy import Declared
from symbackprop.write.code.compiled import Compiled
from symbackprop.write.code.index_code import compile_tensors
from symbackprop.write.program.derivation import plan
from symbackprop.write.program.lines import Derivation
from symbackprop.write.program.notation import Author
from symbackprop.write.program.pages import WRITERS
from symbackprop.write.program.rules import RULES
from symbackprop.write.program.source import Program

from .deciding import in_words, together, verdict_of
from .held_values import by_value, without_copies
from .repairs import placed
from .request import Request, called, flattened, reading_of
from .verdict import Formula, Repaired, Verdict


@dataclass(frozen=True, slots=True)
class Derivative:
    """The gradient of a forward function, for all sizes.

    `text` and `latex` show it by variable, `code` is a NumPy function in the names of the forward, `to` gives it for
    jax.numpy and torch; `terms` has the entries of each gradient as a proved index term.  Calling the object with
    arrays by name (those of the forward function, then `upstream`) runs the function: one array where one variable was
    asked for, else a dict by name.
    """

    text: Mapping[str, str]
    latex: Mapping[str, str]
    verdict: Verdict
    upstream: tuple[str, ...]
    compiled: Compiled = field(repr=False)
    flat: Callable[[], Mapping[str, Tensor]] = field(repr=False)
    derived: Derived | None = field(default=None, repr=False)
    name: str = "function"

    @property
    def code(self) -> str:
        return self.compiled.source

    @property
    def terms(self) -> Mapping[str, Tensor]:
        return self.flat()

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(self.text)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.verdict.conditions

    def planned(
        self, title: str = "The gradient", author: Author | None = None, remarks: Sequence[str] = ()
    ) -> Derivation:
        """The derivation line by line, as its author writes; `remarks` go before it.

        Raises SymbackpropError for a gradient that was found by index terms only.
        """
        if self.derived is None:
            raise SymbackpropError("this gradient is known by index terms only: it has no derivation by intermediates")
        return plan(self.derived, title, self.verdict.hypotheses, author, remarks)

    def explained(self, form: str = "text", detail: int = 2, title: str = "The gradient") -> str:
        """The derivation as "text", "markdown", "latex", "fragment", "html" or "svg"; `detail` is 1 to 3.

        Raises SymbackpropError for a gradient that was found by index terms only.
        """
        return WRITERS[form](self.planned(title), detail)

    def to(self, dialect: str) -> str:
        """The source for "numpy", "jax" or "torch"; with the forward for "jax.custom_vjp" or "torch.autograd.Function".

        Raises SymbackpropError where that cannot be written.
        """
        if self.derived is None and dialect != "numpy":
            raise SymbackpropError(
                f"an operation of this forward has no rule: its gradient is NumPy code only, no {dialect}"
            )
        if self.derived is not None and dialect in RULES:
            return RULES[dialect](self.derived.reverse, self.name)
        return self.code if self.derived is None else Program(self.derived.reverse, dialect).source()

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        found = self.compiled(*arrays, **named)
        if len(self.text) == 1:
            (only,) = found.values()
            return only
        return found

    def __str__(self) -> str:
        return "\n".join(self.text.values())

    def _repr_latex_(self) -> str:
        rows = r" \\ ".join(self.latex.values())
        return rf"$\displaystyle \begin{{array}}{{l}} {rows} \end{{array}}$"


def derivation(
    request: Request, setting: Setting, upstream: tuple[str, ...] | None = None, code: bool = True
) -> Derivative:
    """Without `code` what is abstract, such as f(z), may stand in the forward.

    Raises TraceError where the forward cannot be traced, SymbackpropError where no proof was found.
    """
    if not code:
        return through_names(request, setting, upstream, False)
    try:
        return through_names(request, setting, upstream)
    except (SymbackpropError, RecursionError):
        return by_index_terms(request, setting, upstream)


def through_names(
    request: Request, setting: Setting, upstream: tuple[str, ...] | None, code: bool = True
) -> Derivative:
    """Reverse mode over the user's intermediates."""
    found = derived(
        request.forward, request.declared, request.variables, request.concrete, upstream, setting.context.hypotheses
    )
    program = Program(found.reverse)
    inputs = tuple((n, found.reverse.declared[n].shape) for n in program.arguments)
    texts = {v: program.formulas(v) for v in request.variables}
    showing = Showing()
    verdicts = {v: named_verdict(found, v, setting, program, texts[v], showing) for v in request.variables}
    compiled = program.compiled(inputs) if code else Compiled("", abstract, inputs, tuple(request.variables), False)
    return Derivative(
        {v: t for v, (t, _) in texts.items()}, {v: l for v, (_, l) in texts.items()}, together(verdicts),
        tuple(str(u.name) for u in found.reverse.upstream.values()), compiled,
        lambda: {v: found.flat(v) for v in request.variables}, found, name_of(request.forward),
    )  # fmt: skip


def abstract(*_: Any) -> Any:
    raise SymbackpropError('this gradient was asked for without code: to("numpy") writes it')


def name_of(function: Any) -> str:
    name = str(getattr(function, "__name__", ""))
    return name if name.isidentifier() else "function"


class NotProved(SymbackpropError):
    """A gradient was found, and is not the gradient everywhere or could not be shown to be."""

    def __init__(self, variable: str, verdict: Verdict) -> None:
        self.without_value = verdict.counterexample is not None and verdict.counterexample.kind == "no value"
        why = verdict.counterexample.why if verdict.counterexample is not None else verdict.reason
        said = f"{verdict.statement} has no value where the gradient exists: {why}" if self.without_value else why
        super().__init__(f"derive: the gradient by {variable} was found but not proved: {said}")


def named_verdict(
    found: Derived, variable: str, setting: Setting, program: Program, texts: tuple[str, str], showing: Showing
) -> Verdict:
    """The theorem through the intermediates, which are definitions of what it states.  Raises NotProved."""
    reverse = found.reverse
    named = named_claim(reverse, reverse.gradients, variable)
    axes, _ = indices(reverse.declared[variable].shape, "w")
    claim = gradient_claim(variable, named.lhs.body, Tensor(axes, named.rhs), (), reverse.declared)
    shapes = {Array(n): d.shape for n, d in reverse.declared.items() if d.values is None}
    problem = in_names(named, found, claim, replace(setting, shapes=shapes), showing)
    proved = prove_only(problem)
    verdict = in_words(proved if proved.theorem else decide(problem), claim, setting, names_of(program))
    assumed = tuple(map(hypothesis_text, setting.hypotheses))
    verdict = replace(verdict, name=variable, hypotheses=assumed, formula=Formula(lambda: texts), sides=claim.sides)
    if verdict.status != PROVED:
        raise NotProved(variable, verdict)
    return verdict


def by_index_terms(request: Request, setting: Setting, upstream: tuple[str, ...] | None = None) -> Derivative:
    """The gradient as one index term for each variable, without names for what is between."""
    outputs = flattened(request.outputs().outputs, called(request.forward))
    if upstream is None:
        scalar = len(outputs) == 1 and not outputs[0].axes
        upstream = () if scalar else names_of_upstream(len(outputs), request.names)
    if len(upstream) != len(outputs) and (upstream or outputs[0].axes):
        raise SymbackpropError("one upstream gradient is needed for each output")
    inputs = {**request.declared, **{g: Declared(t.shape) for g, t in zip(upstream, outputs, strict=bool(upstream))}}
    setting = replace(setting, shapes={Array(n): d.shape for n, d in inputs.items() if d.values is None})
    loss = objective(outputs, upstream)
    claims = {}
    for v in request.variables:
        blank = gradient_claim(v, loss, Tensor((), ZERO), outputs, inputs)
        term = worked_out(blank.lhs, setting.context)
        if term is None:
            raise SymbackpropError(f"derive: no law differentiates the forward function by {v}")
        term = by_value(Tensor((), term), request).body
        claims[v] = replace(blank, found=Tensor(placed(blank), term))
    verdicts = {v: replace(verdict_of(c, setting), reading=reading_of(request)) for v, c in claims.items()}
    for v, verdict in verdicts.items():
        if verdict.status != PROVED:
            raise SymbackpropError(f"derive: the gradient by {v} was found but not proved: {verdict.reason}")
    terms = {v: c.found for v, c in claims.items()}
    return Derivative(
        {v: formula(c, c.rhs) for v, c in claims.items()},
        {v: formula_latex(c, c.rhs) for v, c in claims.items()},
        together(verdicts), upstream, compile_tensors(terms, without_copies(inputs, request)), lambda: terms,
    )  # fmt: skip


def derived_instead(request: Request, setting: Setting, verdict: Verdict) -> Verdict:
    """For a backward function that cannot be read at all: the gradients that it should return."""
    try:
        found = derivation(request, setting, request.extra)
    except SymbackpropError:
        return verdict
    gradients = {}
    for v, term in found.terms.items():
        own = found.verdict.gradients.get(v, found.verdict)
        fixed = Repaired(
            verdict.mistake or "", found.text[v], found.latex[v], found.code, term.body, own.theorem, term.shape
        )
        gradients[v] = replace(verdict, name=v, repair=fixed)
    return together(gradients)
