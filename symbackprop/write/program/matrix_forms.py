"""A gradient of at most two axes as a matrix formula: products, Hadamard products, transposes, sums as ones.

A form is found from the index term and lowered to its entries again, which is proved equal; where that needs a
diagonal matrix for what a program broadcasts, the operations of the program are written instead, if they are shorter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.core.indices import Index, IndexExpr
from symbackprop.core.matrix import UNIT, Diagonal, Elementwise, Given, Hadamard, Matrix, Ones, Product, Scale, entry
from symbackprop.core.terms import Array, Entry, Term, dummy, substitute
from symbackprop.gradients.lemmas import with_entries
from symbackprop.read.numpy import INPUT, ZERO_AT, Node
from symbackprop.write.code.compact import compact, proved
from symbackprop.write.code.factoring import factored, symmetrical
from symbackprop.write.code.parts import parts_of
from symbackprop.write.program.notation import GRADIENT, stood
from symbackprop.write.program.products import ONE, coefficient
from symbackprop.write.program.products import Product as Number

from .notation import Both, Notation, raised_already

ATOM, POWER, PRODUCT, HADAMARD, QUOTIENT, SUM = 6, 5, 4, 3, 2, 1
CIRC, BESIDE = (" ∘ ", r" \circ "), (" ", r" \, ")
RELATIONS = {
    "greater": (" > ", " > "), "less": (" < ", " < "), "greater_equal": (" ≥ ", r" \ge "),
    "less_equal": (" ≤ ", r" \le "),
}  # fmt: skip
FUNCTIONS = {
    **{f: (f, rf"\{f}") for f in ("exp", "log", "tanh", "sin", "cos")},
    "sign": ("sign", r"\operatorname{sign}"), "expit": ("σ", r"\sigma"), "mean": ("mean", r"\operatorname{mean}"),
}  # fmt: skip
Form = tuple[str, str, int]  # text, LaTeX, how tightly it binds


def matrix_form(
    g: Node, t: Term, axes: Sequence[Index], notation: Notation, called: Mapping[Array, str]
) -> Both | None:
    """The entries `t` of the node, in the names of the page, as one formula for all of them."""
    if not axes:
        return None
    if called.get(g.array, "").startswith(GRADIENT):  # the gradient by what reads it
        return notation.gradient(called[g.array].removeprefix(GRADIENT))
    usual = notation.standing.usual
    literal = MatrixForms(notation, called).of(g) if usual else None
    if len(axes) > 2:
        return literal
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
    rows, columns = Index("i", axes[0].size), Index("j", axes[1].size) if len(axes) > 1 else None  # in their order
    here: dict[Index, IndexExpr] = dict(zip(axes, (i for i in (rows, columns) if i is not None), strict=True))
    plain = with_entries(substitute(t, here), without_units)
    form = compact(plain, rows, columns)
    if form is None:
        return None
    i, j = rows, columns if columns is not None else dummy(UNIT, "j")
    for short in (slopes_last(factored(symmetrical(form))), slopes_last(factored(form))):
        if short != form and proved(plain, entry(short, i, j)):
            return short
    return form


def slopes_last(m: Matrix) -> Matrix:
    """G ∘ f'(z) where f'(z) ∘ G was found."""
    match m:
        case Hadamard(Elementwise(_, _, order) as slope, Product() as other) if order:
            return Hadamard(other, slope)
        case Scale(factor, of):
            return Scale(factor, slopes_last(of))
        case _:
            return m


def without_units(e: Entry) -> Term | None:
    """An axis of length 1 is none."""
    kept = tuple(i for i in e.at if i != ZERO_AT)
    return Entry(e.array, kept) if len(kept) < len(e.at) else None


def parts(m: Matrix) -> list[Matrix]:
    """The form and those inside it."""
    return [m, *(p for part in parts_of(m) for p in parts(part))]


class NoForm(Exception):
    """No matrix notation for this."""


class MatrixForms:
    def __init__(self, notation: Notation, called: Mapping[Array, str]) -> None:
        self.notation, self.called = notation, {**notation.called, **called}

    def of(self, g: Node) -> tuple[str, str] | None:
        """Text and LaTeX of what a node computes, in the names of the page."""
        if g.ndim == 0:
            return None
        try:
            text, tex, _ = self.whole(*self.value(g))
        except NoForm:
            return None
        return text, tex

    def form(self, x: Any) -> Form:
        if isinstance(x, Node):
            if self.knows(x):
                name = self.called[x.array]
                of = name.removeprefix(GRADIENT)
                return *(self.notation.gradient(of) if of != name else self.notation.name(name)), ATOM
            return self.whole(*self.value(x))
        number = coefficient(x)
        if number is None:
            raise NoForm
        return signed(number, (*number.on_paper, ATOM))

    def whole(self, c: Number, form: Form | None) -> Form:
        """The number in front of the form."""
        if form is None:
            return signed(c, (*c.on_paper, PRODUCT if c.below else ATOM))
        if c.is_plain:
            return form if c == ONE else signed(c, (*bracketed(form, HADAMARD), SUM))
        return signed(c, side_by_side(c.on_paper, bracketed(form, PRODUCT)))

    def value(self, x: Any) -> tuple[Number, Form | None]:
        """A number and what it multiplies; no form for a number alone."""
        if (number := coefficient(x)) is not None:
            return number, None
        if not isinstance(x, Node) or self.knows(x):
            return ONE, self.form(x)
        match x.operation, x.args:
            case "negative", (a,):
                c, form = self.value(a)
                return -c, form
            case "multiply", (a, b) if coefficient(a) is not None or coefficient(b) is not None:
                (c, f), (d, g) = self.value(a), self.value(b)
                return c.times(d), f or g
            case "divide", (a, b) if (below := coefficient(b)) is not None and below.number:
                c, f = self.value(a)
                return c.times(below.inverse), f
            case "multiply", (Node() as a, Node() as b) if a.ndim and b.ndim and as_column(a) is None:
                (c, f), (d, g) = self.value(a), self.value(b)
                assert f is not None and g is not None
                return c.times(d), between(bracketed(f, HADAMARD), CIRC, bracketed(g, HADAMARD), HADAMARD)
            case "matmul", (Node() as a, Node() as b) if a.ndim == 2 or b.ndim == 1 or a.ndim == b.ndim:
                (c, f), (d, g) = self.value(a), self.value(b)
                assert f is not None and g is not None
                chain = b.operation == "matmul" and not self.knows(b)  # A (B C) is A B C
                return c.times(d), side_by_side(bracketed(f, PRODUCT), bracketed(g, PRODUCT + (not chain)))
            case "add" | "subtract", (a, b) if not (isinstance(b, int | float) and b == 0):
                return self.sum(x, a, b)
            case "sum" | "mean", (Node() as a, *_) if a.ndim > 1:
                c, form = self.value(a)
                assert form is not None
                return c, self.reduced(x, a, form)
        return ONE, self.call(x)

    def sum(self, n: Node, a: Any, b: Any) -> tuple[Number, Form]:
        """A number that both have in front; what is negative second."""
        (c, f), (d, g) = self.value(a), self.value(b)
        d = d if n.operation == "add" else -d
        if f is not None and g is not None and abs(c) == abs(d) and not c.is_plain:
            return abs(c), self.added(unit(c), f, unit(d), g)
        return ONE, self.added(c, f, d, g)

    def added(self, c: Number, f: Form | None, d: Number, g: Form | None) -> Form:
        if c.number < 0 < d.number:
            c, f, d, g = d, g, c, f
        minus = d.number < 0
        first, second = self.whole(c, f), bracketed(self.whole(abs(d), g), HADAMARD if minus else SUM)
        return between(bracketed(first, SUM), (" - ", " - ") if minus else (" + ", " + "), second, SUM)

    def within(self, x: Any, binds: int) -> tuple[str, str]:
        return bracketed(self.form(x), binds)

    def raisable(self, x: Any) -> Both:
        """In brackets where an exponent would be misread."""
        text, tex = self.within(x, ATOM)
        if text[0] == "∂" or raised_already(text):
            return f"({text})", rf"\left({tex}\right)"
        return text, tex

    def call(self, n: Node) -> Form:
        match n.operation, n.args:
            case "add" | "subtract", (a, b) if b == 0:
                return self.form(a)
            case "outer", (a, b):
                return side_by_side(self.within(a, PRODUCT), self.transpose(b))
            case "multiply", (Node() as a, Node(ndim=1) as b) if (v := as_column(a)) is not None:
                return side_by_side(self.within(v, PRODUCT), self.transpose(b))
            case "multiply", (a, b):
                number = any(not isinstance(z, Node) or z.ndim == 0 for z in (a, b))
                binds = PRODUCT if number else HADAMARD
                return between(self.within(a, binds), BESIDE if number else CIRC, self.within(b, binds), binds)
            case "divide", (a, b):
                text = f"{self.within(a, PRODUCT)[0]} / {self.within(b, POWER)[0]}"
                return text, rf"\frac{{{self.form(a)[1]}}}{{{self.form(b)[1]}}}", QUOTIENT
            case "matmul", (Node(ndim=1) as a, Node(ndim=2) as b):  # vectors are columns
                return side_by_side(self.transpose(b), self.within(a, PRODUCT))
            case ("T", (Node(ndim=2) as a,)) | ("swapaxes", (a, -1, -2) | (a, -2, -1)) | ("matrix_transpose", (a,)):
                return self.turned(a)
            case "einsum", (str(spec), *operands):
                return self.einsum(spec, operands)
            case "power", (a, int(k)):
                x, p = self.raisable(a)
                return (f"{x}^(∘{k})", rf"{p}^{{\circ {k}}}", POWER) if n.ndim else (f"{x}^{k}", f"{p}^{{{k}}}", POWER)
            case "sqrt", (a,):
                return f"√({self.form(a)[0]})", rf"\sqrt{{{self.form(a)[1]}}}", ATOM
            case "exp", (Node(operation="log", args=(u,)),):
                return self.form(u)
            case operation, (a,) if operation in FUNCTIONS and (operation != "mean" or getattr(a, "ndim", 0) == 1):
                return called(FUNCTIONS[operation], self.form(a))
            case "greater" | "less" | "greater_equal" | "less_equal", (a, b):
                text, tex, _ = between(self.within(a, SUM), RELATIONS[n.operation], self.within(b, SUM), SUM)
                return f"[{text}]", f"[{tex}]", ATOM
        raise NoForm

    def knows(self, n: Node) -> bool:
        name = self.called.get(n.array, "") if n.named else ""
        return bool(name) and (name.startswith(GRADIENT) or not n.backward or n.operation == INPUT)

    def transpose(self, a: Any) -> Both:
        x, p = self.raisable(a)
        return f"{x}^T", rf"{p}^{{\mathsf{{T}}}}"

    def turned(self, a: Any) -> Form:
        """The transpose, of a product factor by factor."""
        match a:
            case Node(operation="T", args=(b,)) if not self.knows(a):
                return self.form(b)
            case Node(operation="matmul", args=(Node(ndim=2) as b, Node(ndim=2) as c)) if not self.knows(a):
                (x, p, i), (y, q, j) = self.turned(c), self.turned(b)
                if min(i, j) >= PRODUCT:
                    return side_by_side((x, p), (y, q))
        return *self.transpose(a), POWER

    def einsum(self, spec: str, operands: Sequence[Any]) -> Form:
        forms = [self.form(x) for x in operands]
        inside = ", ".join(f[0] for f in forms), r",\, ".join(f[1] for f in forms), ATOM
        below = spec.replace("->", r"\to ")
        return called((f"einsum_{{{spec}}}", rf"\operatorname{{einsum}}_{{{below}}}"), inside)

    def reduced(self, n: Node, a: Node, form: Form) -> Form:
        axis = n.options.get("axis", n.args[1] if len(n.args) > 1 else None)
        keeps = bool(n.options.get("keepdims", False))
        if axis not in (0, 1, -1, -2) or (a.ndim > 2 and not (keeps and axis == -1)):
            raise NoForm
        inside, columns = bracketed(form, PRODUCT), axis in (0, -2)
        if n.operation == "sum" and not keeps:
            ones = self.notation.matrix(Ones((a.shape[axis], UNIT)))
            if not columns:
                return side_by_side(inside, ones)
            if self.notation.standing.paper:
                return side_by_side(self.transpose(a), ones)
            return f"1^T {inside[0]}", rf"\mathbf{{1}}^{{\mathsf{{T}}}} {inside[1]}", PRODUCT
        along = "columns" if columns else "rows"
        return called((f"{n.operation}_{along}", rf"\operatorname{{{n.operation}}}_{{\text{{{along}}}}}"), form)


def between(a: Both, sign: Both, b: Both, binds: int) -> Form:
    return f"{a[0]}{sign[0]}{b[0]}", f"{a[1]}{sign[1]}{b[1]}", binds


def side_by_side(a: Both, b: Both) -> Form:
    return between(a, BESIDE, b, PRODUCT)


def called(function: Both, argument: Form) -> Form:
    return f"{function[0]}({argument[0]})", rf"{function[1]}\left({argument[1]}\right)", ATOM


def bracketed(form: Form, binds: int) -> Both:
    text, tex, own = form
    if own >= binds:
        return text, tex
    fraction = own == QUOTIENT and binds <= PRODUCT  # needs brackets in a line only
    return f"({text})", tex if fraction else rf"\left({tex}\right)"


def signed(c: Number, form: Form) -> Form:
    return (f"-{form[0]}", f"-{form[1]}", SUM) if c.number < 0 else form


def unit(c: Number) -> Number:
    return -ONE if c.number < 0 else ONE


def as_column(n: Node) -> Node | None:
    """The vector v of v[:, None]."""
    match n.operation, n.args:
        case "expand_dims", (Node(ndim=1) as v, *axis) if (axis or [n.options.get("axis")])[0] in (-1, 1):
            return v
        case "getitem", (Node(ndim=1) as v, (slice() as s, None)) if s == slice(None):
            return v
        case _:
            return None
