"""A gradient of at most two axes as a matrix formula: products, Hadamard products, transposes, sums as ones.

A form is found from the index term and lowered to its entries again, which is proved equal; where that needs a
diagonal matrix for what a program broadcasts, the operations of the program are written instead, if they are shorter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symbackprop.core.context import EMPTY
from symbackprop.core.indices import Index, Size
from symbackprop.core.matrix import UNIT, Diagonal, Given, Matrix, dummy, entry
from symbackprop.core.terms import Array, Entry, SymbackpropError, Term
from symbackprop.gradients.meanings import with_entries
from symbackprop.read.numpy import INPUT, ZERO_AT, Node
from symbackprop.write.code.compact import compact, proved
from symbackprop.write.code.einsum import Einsum
from symbackprop.write.code.factoring import factored, symmetrical

from .notation import Both, Notation, raised_already
from .standing import GRADIENT, stood

ATOM, POWER, PRODUCT, HADAMARD, QUOTIENT, SUM = 6, 5, 4, 3, 2, 1
RELATIONS = {
    "greater": (">", ">"), "less": ("<", "<"), "greater_equal": ("≥", r"\ge"), "less_equal": ("≤", r"\le"),
}  # fmt: skip
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
    return literal if diagonal or cost(short[0]) > cost(literal[0]) else short


def altogether(g: Node, t: Term | None, axes: Sequence[Index], notation: Notation) -> Both | None:
    """The shorter formula in what `notation` knows: operation by operation, or from the entries `t`."""
    if not g.ndim or not notation.standing.usual:
        return None
    literal = MatrixForms(notation, {}).of(g)
    form = None if t is None else by_entries(t, axes)
    if form is None or any(isinstance(m, Given) for m in parts(form)):
        return literal
    short = notation.matrix(form)
    return short if literal is None or cost(short[0]) <= cost(literal[0]) else literal


def cost(text: str) -> float:
    """How much there is to read: names, and a little for brackets, exponents and numbers."""
    names = re.findall(r"∂[^\W_]+/∂[^ )]+|[^\W\d_]\w*|(?<!\^)\b1_", text)
    return len(names) + 0.4 * text.count("(") + 0.2 * (text.count("^") + len(re.findall(r"\b\d", text)))


def by_entries(t: Term, axes: Sequence[Index]) -> Matrix | None:
    """The form with these entries, with common factors outside where that is proved to be the same."""
    rows, columns = axes[0], axes[1] if len(axes) > 1 else None
    plain = with_entries(t, without_units)
    try:
        form = compact(plain, rows, columns).form
    except SymbackpropError:
        return None
    if isinstance(form, Einsum):
        return None
    i, j = rows, columns if columns is not None else dummy(UNIT, "j")
    for short in (factored(symmetrical(form)), factored(form)):
        if short != form and proved(plain, entry(short, i, j), EMPTY) is not None:
            return short
    return form


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
        if (known := constant(n)) is not None:
            return in_line(*known)
        match n.operation, n.args:
            case "add" | "subtract", (a, b) if b == 0:
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
                chain = isinstance(b, Node) and b.operation == "matmul"  # A (B C) is A B C
                (x, p), (y, q) = self.within(a, PRODUCT), self.within(b, PRODUCT + (not chain))
                return f"{x} {y}", rf"{p} \, {q}", PRODUCT
            case "T", (a,):
                return self.turned(a)
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
            case "sign", (a,):
                text, tex, _ = self.form(a)
                return f"sign({text})", rf"\operatorname{{sign}}\left({tex}\right)", ATOM
            case "expit", (a,):
                text, tex, _ = self.form(a)
                return f"σ({text})", rf"\sigma\left({tex}\right)", ATOM
            case "sum" | "mean", (a, *_) if isinstance(a, Node) and a.ndim == 2:
                return self.reduced(n, a)
            case "mean", (a,) if isinstance(a, Node) and a.ndim == 1:
                text, tex, _ = self.form(a)
                return f"mean({text})", rf"\operatorname{{mean}}\left({tex}\right)", ATOM
            case "greater" | "less" | "greater_equal" | "less_equal", (a, b):
                (x, p), (y, q) = self.within(a, SUM), self.within(b, SUM)
                sign, mark = RELATIONS[n.operation]
                return f"[{x} {sign} {y}]", rf"[{p} {mark} {q}]", ATOM
        raise NoForm

    def knows(self, n: Node) -> bool:
        return n.named and n.array in self.called

    def turned(self, a: Any) -> Form:
        """The transpose, of a product factor by factor."""
        match a:
            case Node(operation="T", args=(b,)) if not self.knows(a):
                return self.form(b)
            case Node(operation="matmul", args=(Node(ndim=2) as b, Node(ndim=2) as c)) if not self.knows(a):
                (x, p, i), (y, q, j) = self.turned(c), self.turned(b)
                if min(i, j) >= PRODUCT:
                    return f"{x} {y}", rf"{p} \, {q}", PRODUCT
        x, p = self.raisable(a)
        return f"{x}^T", rf"{p}^{{\mathsf{{T}}}}", POWER

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


Number = tuple[Fraction, tuple[str, ...], tuple[str, ...]]  # and sizes above and below


def constant(x: Any) -> Number | None:
    """What is made of numbers and sizes only."""
    if isinstance(x, Node) and x.ndim == 0 and not x.options:
        match x.operation, tuple(map(constant, x.args)):
            case "multiply", ((a, p, q), (b, r, s)):
                return a * b, p + r, q + s
            case "divide", ((a, p, q), (b, r, s)) if b:
                return a / b, p + s, q + r
            case "negative", ((a, p, q),):
                return -a, p, q
    if isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x):
        return Fraction(repr(x)), (), ()
    expr = getattr(x, "expr", None)
    if isinstance(expr, Size):
        text = str(expr).replace("*", " ")
        return Fraction(1), (text if len(expr.monomials) == 1 else f"({text})",), ()
    return None


def in_line(c: Fraction, above: tuple[str, ...], below: tuple[str, ...]) -> Form:
    """2/n; a number that is no quotient as a decimal or a fraction."""
    top = [str(abs(c.numerator))] * (abs(c.numerator) != 1) + list(above) or ["1"]
    under = [str(c.denominator)] * (c.denominator != 1) + list(below)
    sign = "-" if c < 0 else ""
    a, b = " ".join(top), " ".join(under)
    text = a if not under else f"{a}/{b}" if len(under) == 1 else f"{a}/({b})"
    tex = a if not under else rf"\frac{{{a}}}{{{b}}}"
    return sign + text, sign + tex, SUM if sign else PRODUCT if under else ATOM


def as_column(n: Node) -> Node | None:
    """The vector v of v[:, None]."""
    match n.operation, n.args:
        case "expand_dims", (Node(ndim=1) as v, *axis) if (axis or [n.options.get("axis")])[0] in (-1, 1):
            return v
        case "getitem", (Node(ndim=1) as v, (slice() as s, None)) if s == slice(None):
            return v
        case _:
            return None
