"""Terms of a derivation as text and LaTeX: the author's names, and ∂L/∂c for the gradient by c."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from symbackprop.core.indices import Index
from symbackprop.core.matrix import Matrix
from symbackprop.core.terms import Array, Term, substitute
from symbackprop.gradients.lemmas import everywhere_in
from symbackprop.write.notes.letters import author_text
from symbackprop.write.paper.latex import Latex
from symbackprop.write.paper.latex import run_together as latex_subs
from symbackprop.write.paper.letters import latex_name, plain_name
from symbackprop.write.paper.text import Plain, run_together

from .standing import GRADIENT, Standing

ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot", "check": r"\check"}
GREEK = {"mu", "nu", "xi", "pi"}
Both = tuple[str, str]  # text and LaTeX


class Names(Protocol):
    """How names are written, and what the loss is called."""

    loss: str

    def text(self, name: str) -> str: ...
    def latex(self, name: str) -> str: ...


class Notation:
    """`called` says how arrays are called, `written` how an author writes names in LaTeX."""

    def __init__(
        self, called: Mapping[Array, str], written: Mapping[str, Both] | None = None, loss: str = "L",
        standing: Standing = Standing(),  # noqa: B008  it is immutable
    ) -> None:  # fmt: skip
        self.called, self.written, self.loss, self.standing = called, dict(written or {}), loss, standing

    def text(self, name: str) -> str:
        if name in self.written:
            return self.written[name][0]
        return author_text(name) if "\\" in name else plain_name(name)

    def latex(self, name: str) -> str:
        return self.written[name][1] if name in self.written else pretty(name)

    def renamed(self, t: Term, more: Mapping[Array, str] | None = None) -> Term:
        """In the names of the page."""
        table = {**self.called, **(more or {})}

        def name(x: object) -> Array | None:
            return Array(table[x]) if isinstance(x, Array) and x in table else None

        found: Term = everywhere_in(t, name)
        return found

    def of(self, t: Term, axes: Sequence[Index]) -> Both:
        """A term in the names of the page; `axes` are the letters of its free indices."""
        letters = [i.name for i in axes]
        fixed = {i: Index(i.name, i.size) for i in axes}
        shown = substitute(t, fixed)  # type: ignore[arg-type]
        return GradientText(self, letters)(shown), GradientLatex(self, letters)(shown)

    def matrix(self, m: Matrix) -> Both:
        return GradientText(self, ()).matrix(m), GradientLatex(self, ()).matrix(m)

    def name(self, name: str) -> Both:
        return self.text(name), self.latex(name)

    def gradient(self, name: str) -> Both:
        return f"∂{self.text(self.loss)}/∂{self.text(name)}", partial(self.latex(self.loss), self.latex(name))


class GradientText(Plain):
    def __init__(self, names: Names, taken: Sequence[str]) -> None:
        super().__init__(taken)
        self.names = names

    def name(self, name: str) -> str:
        return self.names.text(name)

    def array(self, array: Array, subs: list[str]) -> str:
        of = array.name.removeprefix(GRADIENT)
        subs = [s for s in subs if s != "1"] if "1" in subs else subs
        shown = self.names.text(of) + (f"_{run_together(subs)}" if subs else "")
        return shown if of == array.name else f"∂{self.names.text(self.names.loss)}/∂{shown}"

    def raised(self, base: str, exponent: str) -> str:
        return super().raised(f"({base})" if base[0] == "∂" or raised_already(base) else base, exponent)


class GradientLatex(Latex):
    def __init__(self, names: Names, taken: Sequence[str]) -> None:
        super().__init__(taken)
        self.names = names

    def name(self, name: str) -> str:
        return self.names.latex(name)

    def array(self, array: Array, subs: list[str]) -> str:
        of = array.name.removeprefix(GRADIENT)
        subs = [s for s in subs if s != "1"] if "1" in subs else subs
        name, below = self.names.latex(of), latex_subs(subs)
        shown = f"({name})_{{{below}}}" if below and "_" in name else f"{name}_{{{below}}}" if below else name
        return shown if of == array.name else partial(self.names.latex(self.names.loss), shown)

    def raised(self, base: str, exponent: str) -> str:
        return super().raised(
            rf"\left({base}\right)" if base.startswith(r"\frac") or raised_already(base) else base, exponent
        )


def raised_already(base: str) -> bool:
    """w^l, whose transpose needs brackets."""
    return base[0] != "(" and re.fullmatch(r"[^^ ]*\^(?:\{[^{}]*\}|\w|\([^()]*\)).*", base) is not None


def partial(above: str, below: str) -> str:
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def pretty(name: str) -> str:
    """A name that is LaTeX as it is, xhat as an accent, Wq with a subscript, other names as on paper."""
    if "\\" in name:
        return name
    if name == "eps":
        return r"\varepsilon"
    for ending, accent in ACCENTS.items():
        if name.endswith(ending) and len(name) > len(ending):
            return f"{accent}{{{latex_name(name.removesuffix(ending))}}}"
    if len(name) == 2 and name.isascii() and name.isalpha() and name not in GREEK:
        return f"{name[0]}_{{{name[1]}}}"
    return latex_name(name)
