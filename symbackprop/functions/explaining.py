"""A gradient explained line by line: of a function, of a typed formula, of a statement in a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.clock import LIMIT, OutOfTime, limit, seconds_of, stage
from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index
from symbackprop.core.terms import Array, Nonzero, SymbackpropError, Whole, free, subterms
from symbackprop.gradients.lemmas import everywhere_in, opened
from symbackprop.prove.equality import prove_equal
from symbackprop.read.formulas.program import Asked, Assuming, Program, asked
from symbackprop.read.formulas.typed import read_typed
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.read.numpy import UNIT, ZERO_AT, Declared
from symbackprop.write.notes.letters import DocumentLatex, DocumentText, author_text
from symbackprop.write.paper.pdf import as_pdf
from symbackprop.write.program.dialects import DIALECTS
from symbackprop.write.program.lines import Derivation
from symbackprop.write.program.notation import Author, Standing
from symbackprop.write.program.pages import WRITERS, aligned, html_body

from .checks import derive
from .claims import Setting
from .derivation import Derivative, NotProved, derivation
from .request import read_request


@dataclass(frozen=True, slots=True)
class Explanation:
    """`derivative` is the gradient with its proof and its code, `plan` its derivation, line by line."""

    derivative: Derivative
    plan: Derivation

    def to(self, form: str, detail: int = 2) -> str:
        """As "text", "markdown", "latex", "fragment", "html", "svg", or as code: "numpy", "jax", "torch".

        `detail` is 1 for results, 2 for the usual steps, 3 for every derivative.  Raises SymbackpropError for another
        form.
        """
        if form in DIALECTS:
            return self.derivative.to(form)
        if form not in WRITERS:
            raise SymbackpropError(f"there is no form {form!r}; there are {', '.join((*WRITERS, *DIALECTS))}")
        return WRITERS[form](self.plan, detail)

    def pdf(self, detail: int = 2) -> bytes:
        """Raises SymbackpropError where pdflatex is missing or fails."""
        return as_pdf(WRITERS["latex"](self.plan, detail), "--to latex")

    def __str__(self) -> str:
        return self.to("text")

    def _repr_html_(self) -> str:
        """For a notebook, which typesets the formulas."""
        return f'<div class="derivation">{html_body(self.plan, notebook=True)}</div>'

    def _repr_latex_(self) -> str:
        return "\n\n".join(f"$$\n{aligned(p)}\n$$" for p in self.plan.passages)


def explain(
    what: str | Callable[..., Any],
    shapes: Mapping[str, Any] | None = None,
    wrt: str | Sequence[str] | None = None,
    assuming: Callable[..., Any] | None = None,
    *,
    title: str = "",
    timeout: float | None = LIMIT,
    **values: Any,
) -> Explanation:
    """The gradient of a function, or of a formula as people type it, derived line by line and proved.

    A formula is read, never executed: `explain("L = sum((tanh(X W + b) - T)^2)", wrt="W")`.  Its shapes are inferred
    where `shapes` does not give them.  Raises SymbackpropError for what cannot be read, derived or proved.
    """
    if not isinstance(what, str):
        found = derive(what, shapes or {}, wrt, assuming, timeout=timeout, **values)
        name = getattr(what, "__name__", "the function")
        return Explanation(found, found.planned(title or f"The gradient of {name}"))
    typed = read_typed(what, shapes)
    standing = Standing("convention: row" in typed.text, paper=True)
    try:
        return explained(typed.asked, wrt, title, typed.notes, timeout, standing)
    except NotProved as problem:
        regular = invertible(typed.asked) if problem.without_value else None
        if regular is None:
            raise
        return explained(regular, wrt, title, typed.notes, timeout, standing)


def invertible(found: Asked) -> Asked | None:
    """With the hypothesis that no determinant in the formula is 0; None where there is none."""
    formulas = found.formulas
    terms = [s for t in formulas.definitions.values() for s in subterms(t.body)]
    determinants = dict.fromkeys(s for s in terms if isinstance(s, Whole) and s.fn == "det" and not free(s))
    if not determinants or formulas.hypotheses:
        return None
    regular = {f"h{k}": Nonzero(d) for k, d in enumerate(determinants)}
    return replace(found, formulas=replace(formulas, hypotheses=regular))


def explain_statement(
    reading: Reading, wrt: str | Sequence[str] | None = None, *, title: str = "", timeout: float | None = LIMIT
) -> Explanation:
    """What a statement of a document differentiates, derived from the definitions that it rests on.

    Raises SymbackpropError for a statement that is about no derivative and defines nothing.
    """
    return explained(asked(reading), wrt, title, (), timeout, standing_of(reading))


def explain_derivative(reading: Reading, *, timeout: float | None = LIMIT) -> Explanation | None:
    """The same for a statement that is about a derivative; None for any other."""
    found = asked(reading)
    return explained(found, None, "", (), timeout, standing_of(reading)) if found.variables else None


def standing_of(reading: Reading) -> Standing:
    """As the section says."""
    said = reading.declarations
    chained = said.layout in ("numerator", "gradient")
    return Standing(said.convention == "row", said.layout == "numerator", True, chained)


def explained(
    found: Asked, wrt: str | Sequence[str] | None, title: str, notes: Sequence[str], timeout: float | None,
    standing: Standing,
) -> Explanation:  # fmt: skip
    program = Program(found.formulas, author_text(found.formulas.output.name))
    names = variables(program, found, wrt)
    assuming = Assuming(program) if found.formulas.hypotheses else None
    request = read_request("explain", program, None, declared(program), names, assuming, {})
    seconds = seconds_of(timeout)
    try:
        with limit(seconds * max(1, len(request.variables))):
            stage("deriving")
            derivative = derivation(request, Setting(request.hypotheses(), repair=False, seconds=seconds), code=False)
    except OutOfTime as late:
        raise SymbackpropError(f"explain: {late}") from None
    refuse_another(program, derivative)
    written = {name: spelled(a) for a, name in program.names.items() if spelled(a)[0] != name}
    by = ", ".join(written.get(n, (n, n))[0] for n in request.variables)
    loss = spelled(found.formulas.output)[0]
    planned = derivative.planned(title or f"The gradient of {loss} by {by}", Author(written, standing), notes)
    return Explanation(derivative, planned)


def refuse_another(program: Program, derivative: Derivative) -> None:
    """The computation that was recorded is the formula, opened down to its variables.  Raises SymbackpropError."""
    found, formulas = derivative.derived, program.formulas
    assert found is not None
    got = found.plain(found.reverse.graph.outputs[0])
    meaning = formulas.definitions[formulas.output]
    axes = tuple(Index(f"axis {k}", s) for k, s in enumerate(got.shape))
    wanted = opened(meaning.at(*axes), tuple(formulas.definitions), Context(formulas.definitions))[0]
    names = {a: Array(n) for a, n in program.names.items()}
    renamed = everywhere_in(wanted, lambda x: names.get(x) if isinstance(x, Array) else None)
    at = tuple(ZERO_AT if i.size == UNIT else i for i in axes)
    if prove_equal(got.at(*at), renamed, EMPTY) is None:
        raise SymbackpropError("the formula could not be shown to be what was differentiated")


def variables(program: Program, found: Asked, wrt: str | Sequence[str] | None) -> list[str] | None:
    if wrt is not None:
        return [program.variable(v) for v in ([wrt] if isinstance(wrt, str) else wrt)]
    return [program.names[a] for a in found.variables if a in program.names] or None


def declared(program: Program) -> dict[str, Any]:
    return {n: Declared(s) for n, s in program.shapes.items()}


def spelled(a: Array) -> tuple[str, str]:
    """As the author writes it, as text and as LaTeX; an array with a copy for each sample without its label."""
    plain = Array(a.name.removesuffix("^{()}"), a.label)
    return DocumentText().array(plain, []), DocumentLatex().array(plain, [])
