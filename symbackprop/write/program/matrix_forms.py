"""A gradient of at most two axes as a matrix formula: products, Hadamard products, transposes, sums as ones.

A form is found from the index term and lowered to its entries again, which is proved equal; where that needs a
diagonal matrix for what a program broadcasts, the operations of the program are written instead, if they are shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.core.indices import Index
from symbackprop.core.matrix import Diagonal, Given, Matrix
from symbackprop.core.terms import Array, Entry, SymbackpropError, Term
from symbackprop.gradients.meanings import with_entries
from symbackprop.read.numpy import INPUT, ZERO_AT, Node
from symbackprop.write.code.compact import compact
from symbackprop.write.code.einsum import Einsum

from .notation import Both, Notation, raised_already
from .standing import GRADIENT, stood

ATOM, POWER, PRODUCT, HADAMARD, QUOTIENT, SUM = 6, 5, 4, 3, 2, 1
Form = tuple[str, str, int]  # text, LaTeX, how tightly it binds


def matrix_form(
    g: Node, t: Term, axes: Sequence[Index], notation: Notation, called: Mapping[Array, str]
) -> Both | None:
    """The entries `t` of the node, in the names of the page, as one formula for all of them."""
    if not axes or len(axes) > 2:
        return None
    if g.array in called:  # the gradient by what reads it
        return notation.gradient(called[g.array].removeprefix(GRADIENT))
    usual = notation.standing.usual
    literal = MatrixForms(notation, called).of(g) if usual else None
    found = by_entries(t, axes)
    if found is None:
        return literal
    found = found if usual else stood(found, len(axes), notation.standing)
    inside = parts(found)
    if any(isinstance(m, Given) for m in inside):
        return literal
    short = notation.matrix(found)
    if literal is None:
        return short
    diagonal = any(isinstance(m, Diagonal) for m in inside)
    return literal if diagonal or len(short[0]) > len(literal[0]) else short


def altogether(g: Node, notation: Notation) -> Both | None:
    """The formula in what `notation` knows: without names for the gradients by intermediates these are put in."""
    return MatrixForms(notation, {}).of(g) if g.ndim and notation.standing.usual else None


def by_entries(t: Term, axes: Sequence[Index]) -> Matrix | None:
    try:
        form = compact(with_entries(t, without_units), axes[0], axes[1] if len(axes) > 1 else None).form
    except SymbackpropError:
        return None
    return None if isinstance(form, Einsum) else form


def without_units(e: Entry) -> Term | None:
    """An axis of length 1 is none."""
    kept = tuple(i for i in e.at if i != ZERO_AT)
    return Entry(e.array, kept) if len(kept) < len(e.at) else None


def parts(m: Any) -> list[Any]:
    """The forms inside a form."""
    found = [m]
    for name in type(m).__dataclass_fields__:
        value = getattr(m, name)
        for x in value if isinstance(value, tuple) else (value,):
            if hasattr(type(x), "__dataclass_fields__") and type(x).__module__ == type(m).__module__:
                found += parts(x)
    return found


class NoForm(Exception):
    """No matrix notation for this."""


class MatrixForms:
    def __init__(self, notation: Notation, called: Mapping[Array, str]) -> None:
        self.notation, self.called = notation, {**notation.called, **called}

    def of(self, g: Node) -> tuple[str, str] | None:
        """Text and LaTeX of what a node computes, in the names of the page."""
        if g.ndim > 2 or g.ndim == 0:
            return None
        try:
            text, tex, _ = self.call(g)
        except NoForm:
            return None
        return text, tex

    def form(self, x: Any) -> Form:
        if isinstance(x, Node):
            name = self.called.get(x.array) if x.named else None
            if name is not None and name.startswith(GRADIENT):
                return *self.notation.gradient(name.removeprefix(GRADIENT)), ATOM
            if name is not None and (not x.backward or x.operation == INPUT):
                return self.notation.text(name), self.notation.latex(name), ATOM
            return self.call(x)
        if isinstance(x, int | float):
            code = f"{x:g}"
            return code, code, ATOM if x >= 0 else SUM
        expr = getattr(x, "expr", None)
        if expr is not None and not getattr(expr, "parts", ()):
            return str(x), str(x).replace("*", r" \, "), ATOM
        raise NoForm

    def within(self, x: Any, binds: int) -> tuple[str, str]:
        text, tex, own = self.form(x)
        if own >= binds:
            return text, tex
        fraction = own == QUOTIENT and binds <= PRODUCT  # needs brackets in a line only
        return f"({text})", tex if fraction else rf"\left({tex}\right)"

    def raisable(self, x: Any) -> Both:
        """In brackets where an exponent would be misread."""
        text, tex = self.within(x, ATOM)
        if text[0] == "∂" or raised_already(text):
            return f"({text})", rf"\left({tex}\right)"
        return text, tex

    def call(self, n: Node) -> Form:
        if n.ndim > 2:
            raise NoForm
        match n.operation, n.args:
            case "add" | "subtract", (a, b) if b == 0:
                return self.form(a)
            case "T", (Node(operation="T", args=(a,)),):
                return self.form(a)
            case "add" | "subtract", (a, b):
                sign = "+" if n.operation == "add" else "-"
                (x, p), (y, q) = self.within(a, SUM), self.within(b, SUM if sign == "+" else HADAMARD)
                return f"{x} {sign} {y}", f"{p} {sign} {q}", SUM
            case "negative", (a,):
                x, p = self.within(a, HADAMARD)
                return f"-{x}", f"-{p}", SUM
            case "outer", (a, b):
                return self.outer(a, b)
            case "multiply", (Node() as a, Node(ndim=1) as b) if (v := as_column(a)) is not None:
                return self.outer(v, b)
            case "multiply", (a, b):
                number = any(not isinstance(z, Node) or z.ndim == 0 for z in (a, b))
                binds = PRODUCT if number else HADAMARD
                (x, p), (y, q) = self.within(a, binds), self.within(b, binds)
                sign, mark = (" ", r" \, ") if number else (" ∘ ", r" \circ ")
                return f"{x}{sign}{y}", f"{p}{mark}{q}", binds
            case "divide", (a, b):
                (x, p), (y, q) = self.within(a, PRODUCT), self.within(b, POWER)
                return f"{x} / {y}", rf"\frac{{{self.form(a)[1]}}}{{{self.form(b)[1]}}}", QUOTIENT
            case "matmul", (Node(ndim=1) as a, Node(ndim=2) as b):  # vectors are columns
                (x, p), (y, q) = self.within(a, PRODUCT), self.raisable(b)
                return f"{y}^T {x}", rf"{q}^{{\mathsf{{T}}}} \, {p}", PRODUCT
            case "matmul", (a, b):
                (x, p), (y, q) = self.within(a, PRODUCT), self.within(b, PRODUCT + 1)
                return f"{x} {y}", rf"{p} \, {q}", PRODUCT
            case "T", (a,):
                x, p = self.raisable(a)
                return f"{x}^T", rf"{p}^{{\mathsf{{T}}}}", POWER
            case "power", (a, int(k)):
                x, p = self.raisable(a)
                return (f"{x}^(∘{k})", rf"{p}^{{\circ {k}}}", POWER) if n.ndim else (f"{x}^{k}", f"{p}^{{{k}}}", POWER)
            case "sqrt", (a,):
                return f"√({self.form(a)[0]})", rf"\sqrt{{{self.form(a)[1]}}}", ATOM
            case "exp", (Node(operation="log", args=(u,)),):
                return self.form(u)
            case "exp" | "log" | "tanh" | "sin" | "cos", (a,):
                text, tex, _ = self.form(a)
                return f"{n.operation}({text})", rf"\{n.operation}\left({tex}\right)", ATOM
            case "expit", (a,):
                text, tex, _ = self.form(a)
                return f"σ({text})", rf"\sigma\left({tex}\right)", ATOM
            case "sum" | "mean", (a, *_) if isinstance(a, Node) and a.ndim == 2:
                return self.reduced(n, a)
        raise NoForm

    def outer(self, a: Any, b: Any) -> Form:
        """a bᵀ of two vectors."""
        (x, p), (y, q) = self.within(a, PRODUCT), self.raisable(b)
        return f"{x} {y}^T", rf"{p} \, {q}^{{\mathsf{{T}}}}", PRODUCT

    def reduced(self, n: Node, a: Node) -> Form:
        axis = n.options.get("axis", n.args[1] if len(n.args) > 1 else None)
        keeps = bool(n.options.get("keepdims", False))
        x, p = self.within(a, PRODUCT)
        if axis in (0, -2) and n.operation == "sum" and not keeps and self.notation.standing.paper:
            y, q = self.raisable(a)
            return f"{y}^T 1", rf"{q}^{{\mathsf{{T}}}} \, \mathbf{{1}}", PRODUCT
        if axis in (0, -2) and n.operation == "sum" and not keeps:
            return f"1^T {x}", rf"\mathbf{{1}}^{{\mathsf{{T}}}} {p}", PRODUCT
        if axis in (1, -1) and n.operation == "sum" and not keeps:
            return f"{x} 1", rf"{p} \, \mathbf{{1}}", PRODUCT
        if axis not in (0, 1, -1, -2):
            raise NoForm
        along = "rows" if axis in (1, -1) else "columns"
        text, tex, _ = self.form(a)
        called = rf"\operatorname{{{n.operation}}}_{{\text{{{along}}}}}"
        return f"{n.operation}_{along}({text})", rf"{called}\left({tex}\right)", ATOM


def as_column(n: Node) -> Node | None:
    """The vector v of v[:, None]."""
    match n.operation, n.args:
        case "expand_dims", (Node(ndim=1) as v, *axis) if (axis or [n.options.get("axis")])[0] in (-1, 1):
            return v
        case "getitem", (Node(ndim=1) as v, (slice() as s, None)) if s == slice(None):
            return v
        case _:
            return None
