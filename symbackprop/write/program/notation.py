"""How an author writes: names, ∂L/∂c for the gradient by c, columns or rows, gradient or numerator layout.

A compact form is found for columns and the gradient layout; here it is turned to how the author writes.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.indices import Index
from symbackprop.core.matrix import (
    UNIT, Diagonal, ElementPower, Elementwise, Given, Hadamard, Leaf, Matrix, Ones, Plus, Scale, Softmax, Transpose,
)  # fmt: skip
from symbackprop.core.terms import ONE, Add, Apply, Array, Mul, Num, Power, Sum, Term, free, mul, substitute
from symbackprop.gradients.lemmas import everywhere_in
from symbackprop.write.code.compact import compact, transposed
from symbackprop.write.code.factoring import product, scaled, symmetrical
from symbackprop.write.paper.matrix_writer import factors, parts_of, with_parts
from symbackprop.write.notes.letters import author_text
from symbackprop.write.paper.latex import Latex
from symbackprop.write.paper.latex import subscripts as latex_subs
from symbackprop.write.paper.matrix_writer import MatrixWriter
from symbackprop.write.paper.term_parts import latex_name, plain_name
from symbackprop.write.paper.term_writer import ATOM, PRODUCT, Text
from symbackprop.write.paper.text import Plain, run_together
from symbackprop.write.program.parts import absolute, positive_part, signed

GRADIENT = "∇"  # begins the name of an array that is the gradient by another


@dataclass(frozen=True, slots=True)
class Standing:
    """`rows`: vectors are rows; `numerator`: ∂s/∂W has the shape of Wᵀ; `paper`: axes of length 1 matter, as on paper.

    `chained`: a Jacobian stands so that the chain rule reads from left to right where gradients are rows, from right
    to left where they are columns; else its rows are those of what is differentiated.
    """

    rows: bool = False
    numerator: bool = False
    paper: bool = False
    chained: bool = False

    @property
    def usual(self) -> bool:
        return not self.rows and not self.numerator

    def is_row(self, gradient: bool) -> bool:
        """A vector, or the gradient by one, stands as a row."""
        return self.rows != (gradient and self.numerator)


@dataclass(frozen=True, slots=True)
class Author:
    """How an author writes.

    `written` has text and LaTeX of names that are not written as they are called, `letters` those of indices by the
    size that they range over ("" for any other), `signals` the names of gradients, by variable.  `jacobians`: of one
    output its Jacobians are asked for, not the gradient that comes from an upstream gradient.  `closed`: gradients of
    inner names that have no signal are put in at the end.  `folds` are names of terms, both as on the page, `cited`
    compact forms whose Jacobian is not worked out again.
    """

    written: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    letters: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, str] = field(default_factory=dict)
    jacobians: bool = False
    closed: bool = False
    folds: Context = EMPTY
    cited: tuple[str, ...] = ()

    def gradient(self, variable: str) -> str:
        """The name of the array that is the gradient by the variable."""
        return self.signals.get(variable, GRADIENT + variable)


ENTRYWISE = Plus | Hadamard | Scale | Elementwise | ElementPower


def stood(form: Matrix, axes: int, s: Standing) -> Matrix:
    """The form of a gradient by an array of so many axes, as the author writes it."""
    found = turned(form, s)
    flips = s.is_row(True) if axes == 1 else s.numerator
    return flipped(found) if flips else found


def flipped(m: Matrix) -> Matrix:
    """The transpose, part by part."""
    if isinstance(m, Plus | Scale | Hadamard):
        return with_parts(m, tuple(map(flipped, parts_of(m))))
    return transposed(m)


def jacobian(form: Matrix, s: Standing) -> Matrix:
    """The same for a Jacobian with a row for each entry of what is differentiated."""
    found = turned(form, s)
    return flipped(found) if s.chained and not s.is_row(True) else found


def turned(m: Matrix, s: Standing) -> Matrix:
    """The same value, in arrays that stand as the author's."""
    match m:
        case Leaf(array, "column", (n, _)):
            return Transpose(Leaf(array, "row", (UNIT, n))) if s.is_row(array.name.startswith(GRADIENT)) else m
        case Leaf(array, "matrix", (n, k)) if s.numerator and array.name.startswith(GRADIENT):
            return Transpose(Leaf(array, "matrix", (k, n)))
        case Given() | Leaf():
            return m
        case Transpose(of):
            return transposed(turned(of, s))
        case Softmax(of, axis):
            inner = turned(of, s)
            return Transpose(Softmax(inner.of, 1 - axis)) if isinstance(inner, Transpose) else Softmax(inner, axis)
        case Diagonal(of):
            inner = turned(of, s)
            return Diagonal(inner.of if isinstance(inner, Transpose) else inner)
    parts = tuple(turned(p, s) for p in parts_of(m))
    if isinstance(m, ENTRYWISE) and all(isinstance(p, Transpose) for p in parts):  # f(zᵀ) as f(z)ᵀ
        return Transpose(with_parts(m, tuple(map(transposed, parts))))
    return with_parts(m, parts)


ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot", "check": r"\check"}
SPELLED = {"eps": r"\varepsilon", "lam": r"\lambda"}
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
        standing: Standing = Standing(),
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


class Compactly(MatrixWriter):
    """A sum that is a factor of a matrix form is a form, too: x^T x."""

    inside = False

    def __init__(self, names: Names, taken: Sequence[str]) -> None:
        super().__init__(taken)
        self.names = names

    @abstractmethod
    def modulus(self, text: str) -> str: ...
    @abstractmethod
    def subscripted(self, name: str, subs: list[str]) -> str: ...
    @abstractmethod
    def by(self, shown: str) -> str: ...

    def array(self, array: Array, subs: list[str]) -> str:
        of = array.name.removeprefix(GRADIENT)
        shown = self.subscripted(self.name(of), [s for s in subs if s != "1"])
        return shown if of == array.name else self.by(shown)

    def matrix(self, m: Matrix) -> str:
        self.inside = True
        return super().matrix(m)

    def term(self, t: Term, used: frozenset[str]) -> Text:
        match t:
            case Add() if (u := signed(t)) is not None:
                return f"{self.operator('sign')}{self.brackets(super().term(u, used)[0])}", ATOM
            case Mul(args) if (found := absolute(args)) is not None:
                u, rest = found
                size = Apply("abs", u)
                return self.term(mul(*rest, size), used) if rest else (self.modulus(self.term(u, used)[0]), ATOM)
            case Mul(args) if (found := positive_part(args)) is not None:
                u, rest = found
                part = f"{self.operator('max')}{self.brackets('0, ' + self.term(u, used)[0])}"
                return (f"{self.at_level(mul(*rest), PRODUCT, used)} {part}", PRODUCT) if rest else (part, ATOM)
            case Apply("abs", u, 0):
                return self.modulus(self.term(u, used)[0]), ATOM
        if self.inside and isinstance(t, Sum) and not free(t):
            form = compact(t)
            if form is not None:
                text, binds = self.form(symmetrical(form))
                return text, int(binds)
        return super().term(t, used)

    def ones(self, row: bool, column: bool, n: str, k: str) -> str:
        return super().ones(row, column, n, k) if row or column else "1"

    def form(self, m: Matrix) -> tuple[str, float]:
        found = averaged(m)
        if found is None:
            return super().form(m)
        factor, v, ones = found
        text = f"{self.operator('mean')}{self.brackets(self.form(v)[0])} {self.form(ones)[0]}"
        return (text if factor == ONE else f"{self.term(factor, self.taken)[0]} {text}"), PRODUCT


def averaged(m: Matrix) -> tuple[Term, Matrix, Matrix] | None:
    """A number, v and 1 where the form is that number times 1 1^T v / n."""
    c, scalars, form = scaled(m)
    match factors(form):
        case (Ones((n, _)) as ones, Ones(), *rest) if rest and (inverse := Power(n, Fraction(-1))) in scalars:
            return mul(*[Num(c)] * (c != 1), *(s for s in scalars if s != inverse)), product(rest), ones
        case _:
            return None


class GradientText(Compactly, Plain):
    def modulus(self, text: str) -> str:
        return f"|{text}|"

    def name(self, name: str) -> str:
        return self.names.text(name)

    def subscripted(self, name: str, subs: list[str]) -> str:
        return name + (f"_{run_together(subs)}" if subs else "")

    def by(self, shown: str) -> str:
        return f"∂{self.name(self.names.loss)}/∂{shown}"

    def raised(self, base: str, exponent: str) -> str:
        return super().raised(f"({base})" if base[0] == "∂" or raised_already(base) else base, exponent)


class GradientLatex(Compactly, Latex):
    def modulus(self, text: str) -> str:
        return rf"\left|{text}\right|"

    def name(self, name: str) -> str:
        return self.names.latex(name)

    def subscripted(self, name: str, subs: list[str]) -> str:
        below = latex_subs(subs)
        return f"({name})_{{{below}}}" if below and "_" in name else f"{name}_{{{below}}}" if below else name

    def by(self, shown: str) -> str:
        return partial(self.name(self.names.loss), shown)

    def raised(self, base: str, exponent: str) -> str:
        raised = base.startswith(r"\frac") or raised_already(base)
        return super().raised(rf"\left({base}\right)" if raised else base, exponent)


def raised_already(base: str) -> bool:
    """w^l, whose transpose needs brackets."""
    if base.startswith(("(", r"\left(")):
        return False
    return re.fullmatch(r"[^^ ]*\^(?:\{[^{}]*\}|\w|\([^()]*\)).*", base) is not None


def partial(above: str, below: str) -> str:
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def pretty(name: str) -> str:
    """A name that is LaTeX as it is, xhat as an accent, Wq with a subscript, other names as on paper."""
    if "\\" in name:
        return name
    if name in SPELLED:
        return SPELLED[name]
    for ending, accent in ACCENTS.items():
        if name.endswith(ending) and len(name) > len(ending):
            return f"{accent}{{{latex_name(name.removesuffix(ending))}}}"
    if len(name) == 2 and name.isascii() and name.isalpha() and name not in GREEK:
        return f"{name[0]}_{{{name[1]}}}"
    return latex_name(name)
