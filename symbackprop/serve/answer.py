"""What is answered to a forward, and a gradient if one was typed: verdict, derivation, LaTeX, code, as HTML.

Runs in a process of its own (`worker`); formulas and NumPy are read, nothing is executed.
"""

from __future__ import annotations

import re

from symbackprop.clock import OutOfTime
from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import Checked
from symbackprop.documents.judging import Judge
from symbackprop.functions.checks import check_gradient
from symbackprop.functions.explaining import Explanation, explain
from symbackprop.read.formulas.keyboard import in_digits
from symbackprop.read.formulas.numpy_text import NumpyText
from symbackprop.read.formulas.typed import read_claim
from symbackprop.write.notes.page import Statements
from symbackprop.write.program.pages import html_body, pointed_at

from .question import Answer, Question

SECONDS = 8.0  # for each claim
DOLLARS, TYPESET = re.compile(r"\$\$(.*?)\$\$"), r'<div class="tex" data-display="true">\1</div>'
CODE = {"numpy": "NumPy", "jax": "JAX", "torch": "PyTorch"}


def answer(q: Question) -> Answer:
    """Never raises for what a person typed."""
    try:
        found = explained(q)
        derivation = f'<div data-shapes="{pointed_at(found.plan)}">{html_body(found.plan)}</div>'
        answered = Answer("", derivation, dict(texts(found)))
    except (SymbackpropError, OutOfTime) as problem:
        return Answer(problem=str(problem))
    except RecursionError:
        return Answer(problem="this is nested too deeply")
    if not q.gradient.strip():
        return answered
    try:
        return Answer(judged(q), answered.derivation, answered.texts)
    except (SymbackpropError, OutOfTime) as problem:
        return Answer("", answered.derivation, answered.texts, f"the gradient: {problem}")


def explained(q: Question) -> Explanation:
    shapes = read_shapes(q.shapes)
    if q.kind == "numpy":
        return explain(NumpyText(q.forward), shapes, q.variables or None, timeout=SECONDS)
    return explain(q.forward, shapes, q.variables or None, timeout=SECONDS)


def texts(found: Explanation) -> list[tuple[str, str]]:
    made = [("LaTeX", found.to("fragment", 3))]
    for dialect, name in CODE.items():
        try:
            made.append((name, found.to(dialect)))
        except SymbackpropError as problem:
            made.append((name, f"# {problem}"))
    return made


def judged(q: Question) -> str:
    """The verdict on the gradient that was typed."""
    if q.kind == "numpy":
        backward = NumpyText(q.gradient)
        verdict = check_gradient(
            NumpyText(q.forward), backward, read_shapes(q.shapes), q.variables or None, timeout=SECONDS
        )
        return f'<div class="statement {verdict.status}">{DOLLARS.sub(TYPESET, verdict._repr_html_())}</div>'
    reading, names = read_claim(q.forward, read_shapes(q.shapes), q.variables, q.gradient)
    checked = Checked(reading, Judge(seconds=SECONDS).of(reading))
    return in_digits(Statements([checked]).alone(reading.formula), names, latex=True)


def read_shapes(text: str) -> dict[str, str]:
    """X: n m; w: m.  Raises SymbackpropError."""
    shapes: dict[str, str] = {}
    for piece in text.replace("\n", ";").split(";"):
        name, colon, axes = piece.partition(":")
        if not piece.strip():
            continue
        if not colon or not name.strip():
            raise SymbackpropError(f"shapes: {piece.strip()[:40]!r} is not NAME: AXES, as in 'X: n m; w: m'")
        shapes[name.strip()] = axes.strip()
    return shapes
