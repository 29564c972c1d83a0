"""The gradient found: a proved term, in words and in NumPy code that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symbackprop.core.indices import SymbackpropError
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import Array, Diff, Entry
from symbackprop.decide.status import PROVED
from symbackprop.prove.claims import derived
from symbackprop.read.numpy import Declared
from symbackprop.write.code.compiled import Compiled
from symbackprop.write.code.index_code import compile_tensors

from .claims import Claim, axes_of, partial_latex
from .deciding import verdict_of
from .formulas import formula, formula_latex
from .gradient_claims import objective
from .reading import reading_of
from .repairs import placed
from .request import Request, called, flattened
from .setting import Setting
from .verdict import Condition, Repaired, Verdict, together

UPSTREAM = ("g", "upstream", "dout", "grad_output")


@dataclass(frozen=True, slots=True)
class Derivative:
    """The gradient of a forward function, for all sizes.

    `terms` has the entries of each gradient as a proved index term, `text` and `latex` show them, `code` is a NumPy
    function.  Calling the object with arrays by name (those of the forward function, then `upstream`) runs that
    function: one array where one variable was asked for, else a dict by name.
    """

    terms: Mapping[str, Tensor]
    text: Mapping[str, str]
    latex: Mapping[str, str]
    verdict: Verdict
    upstream: tuple[str, ...]
    compiled: Compiled = field(repr=False)

    @property
    def code(self) -> str:
        return self.compiled.source

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.verdict.conditions

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        found = self.compiled(*arrays, **named)
        if len(self.terms) == 1:
            (only,) = found.values()
            return only
        return found

    def __str__(self) -> str:
        return "\n".join(self.text.values())

    def _repr_latex_(self) -> str:
        rows = r" \\ ".join(self.latex.values())
        return rf"$\displaystyle \begin{{array}}{{l}} {rows} \end{{array}}$"


def derivation(request: Request, setting: Setting, upstream: tuple[str, ...] | None = None) -> Derivative:
    """Raises TraceError where the forward cannot be traced, SymbackpropError where no proof was found."""
    outputs = flattened(request.outputs().outputs, called(request.forward))
    if upstream is None:
        upstream = upstream_names(request, outputs)
    if len(upstream) != len(outputs) and (upstream or outputs[0].axes):
        raise SymbackpropError("one upstream gradient is needed for each output")
    inputs = {**request.declared, **{g: Declared(t.shape) for g, t in zip(upstream, outputs, strict=bool(upstream))}}
    setting = replace(setting, shapes={Array(n): d.shape for n, d in inputs.items() if d.values is None})
    loss = objective(outputs, upstream)
    claims = {}
    for v in request.variables:
        shape = request.declared[v].shape
        axes, at = axes_of(shape, "w")
        lhs = Diff(loss, Entry(Array(v), at))
        term = derived(lhs, setting.context)
        if term is None:
            raise SymbackpropError(f"derive: no law differentiates the forward function by {v}")
        blank = Claim(
            v, lhs, Tensor((), term), shape, axes, at, tuple(outputs), f"∂L/∂{v}", partial_latex("L", v), inputs
        )
        claims[v] = replace(blank, found=Tensor(placed(blank), term))
    verdicts = {v: replace(verdict_of(c, setting), reading=reading_of(request)) for v, c in claims.items()}
    for v, verdict in verdicts.items():
        if verdict.status != PROVED:
            raise SymbackpropError(f"derive: the gradient by {v} was found but not proved: {verdict.reason}")
    terms = {v: c.found for v, c in claims.items()}
    return Derivative(
        terms,
        {v: formula(c, c.rhs) for v, c in claims.items()},
        {v: formula_latex(c, c.rhs) for v, c in claims.items()},
        together(verdicts), upstream, compile_tensors(terms, inputs),
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


def upstream_names(request: Request, outputs: Sequence[Tensor]) -> tuple[str, ...]:
    """None for a scalar; g for one array, g0, g1, ... for several, unless an argument has the name."""
    if len(outputs) == 1 and not outputs[0].axes:
        return ()
    taken = set(request.names)
    for stem in UPSTREAM:
        names = (stem,) if len(outputs) == 1 else tuple(f"{stem}{k}" for k in range(len(outputs)))
        if taken.isdisjoint(names):
            return names
    raise SymbackpropError(f"derive: the arguments take all names for upstream gradients ({', '.join(UPSTREAM)})")
