"""A gradient of at most two axes as a matrix formula: products, Hadamard products, transposes, sums as ones.

A form is found from the index term and lowered to its entries again, which is proved equal; where that needs a
diagonal matrix for what a program broadcasts, the operations of the program are written instead, if they are shorter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symbackprop.core.functions import ROWS
from symbackprop.core.indices import Index, IndexExpr, as_affine
from symbackprop.core.matrix import (
    UNIT, Diagonal, ElementPower, Elementwise, Given, Hadamard, Leaf, Matrix, Ones, Plus, Product, Scale, entry,
)  # fmt: skip
from symbackprop.core.terms import ZERO, Array, Entry, Mul, Num, Power, Size, Term, dummy, mul, num, substitute
from symbackprop.gradients.lemmas import with_entries
from symbackprop.read.numpy import INPUT, ZERO_AT, Node, SymInt
from symbackprop.write.code.compact import compact, proved, transposed
from symbackprop.write.code.factoring import factored, rescaled, scaled, symmetrical, without
from symbackprop.write.paper.matrix_writer import parts_of
from symbackprop.write.program.notation import GRADIENT, stood

from .notation import Both, Notation

MINUS = Num(Fraction(-1))
RELATIONS = {"greater": (">", ">"), "less": ("<", "<"), "greater_equal": ("≥", r"\ge"), "less_equal": ("≤", r"\le")}
FUNCTIONS = {"sign": "sign"} | {f.operation: f.name for f in ROWS}  # by what a program calls them


def matrix_form(
    g: Node, t: Term | None, axes: Sequence[Index], notation: Notation, called: Mapping[Array, str]
) -> Both | None:
    """The entries `t` of the node, in the names of the page, as one formula for all of them; or what it computes."""
    if not axes:
        return None
    if called.get(g.array, "").startswith(GRADIENT):  # the gradient by what reads it
        return notation.gradient(called[g.array].removeprefix(GRADIENT))
    usual = notation.standing.usual
    literal = MatrixForms(notation, called).of(g) if usual else None
    found = None if t is None or len(axes) > 2 else by_entries(t, axes)
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
    """What nodes compute as matrix forms.  What no form says, such as a quotient, stands in them under a name."""

    def __init__(self, notation: Notation, called: Mapping[Array, str]) -> None:
        self.called = {**notation.called, **called}
        self.notation = Notation(self.called, notation.written, notation.loss, notation.standing)
        self.bare: dict[Matrix, Both] = {}  # quotients, which need brackets in other forms only

    def of(self, g: Node) -> Both | None:
        """Text and LaTeX of what a node computes, in the names of the page."""
        if g.ndim == 0:
            return None
        try:
            form = self.call(g)
        except NoForm:
            return None
        return self.bare.get(form) or self.notation.matrix(form)

    def form(self, x: Any) -> Matrix:
        if isinstance(x, Node):
            return array(self.called[x.array]) if self.knows(x) else self.call(x)
        number = scalar(x)
        if number is None:
            raise NoForm
        c, rest, _ = scaled(Scale(number, array("1")))
        text, tex = self.notation.of(mul(Num(abs(c)), *rest), ())
        if re.match("-|.* [+-] ", text):
            text, tex = f"({text})", rf"\left({tex}\right)"
        return rescaled(Fraction(-1 if c < 0 else 1), (), self.shown((text, tex)))

    def shown(self, both: Both) -> Matrix:
        name = f"shown {len(self.notation.written)}"
        self.notation.written[name] = both
        return array(name)

    def knows(self, n: Node) -> bool:
        name = self.called.get(n.array, "") if n.named else ""
        return bool(name) and (name.startswith(GRADIENT) or not n.backward or n.operation == INPUT)

    def call(self, n: Node) -> Matrix:
        form, scalars = self.form, [scalar(x) for x in n.args]
        match n.operation, n.args:
            case "negative", (a,):
                return times(MINUS, form(a))
            case "add" | "subtract", (a, b) if isinstance(b, int | float) and b == 0:
                return form(a)
            case "add" | "subtract", (a, b):
                return added(form(a), form(b) if n.operation == "add" else times(MINUS, form(b)))
            case "multiply", (a, b) if (front := scalars[0]) is not None:
                return times(front, form(b))
            case "multiply", (a, b) if (front := scalars[1]) is not None:
                return times(front, form(a))
            case "divide", (a, b) if (below := scalars[1]) is not None and below != ZERO:
                return times(inverted(below), form(a))
            case "outer", (a, b):
                return joined(Product, form(a), transposed(form(b)))
            case "multiply", (Node() as a, Node(ndim=1) as b) if (v := as_column(a)) is not None:
                return joined(Product, form(v), transposed(form(b)))
            case "multiply", (Node() as a, Node() as b) if a.ndim and b.ndim:
                return joined(hadamard, form(a), form(b))
            case "multiply", (a, b):
                number, behind = (a, b) if getattr(a, "ndim", 0) == 0 else (b, a)
                return times(Entry(self.named(form(number)), ()), form(behind))
            case "divide", (a, b):
                return self.quotient(form(a), form(b))
            case "matmul", (Node(ndim=1) as a, Node(ndim=2) as b):  # vectors are columns
                return joined(Product, transposed(form(b)), form(a))
            case "matmul", (Node() as a, Node() as b) if a.ndim == 2 or b.ndim == 1 or a.ndim == b.ndim:
                return joined(Product, form(a), form(b))
            case ("T", (Node(ndim=2) as a,)) | ("swapaxes", (a, -1, -2) | (a, -2, -1)) | ("matrix_transpose", (a,)):
                return transposed(form(a))
            case "sum" | "mean", (Node() as a, *_) if a.ndim > 1:
                c, rest, inside = scaled(form(a))
                return rescaled(c, rest, self.reduced(n, a, inside))
            case "einsum", (str(spec), *operands):
                texts, formulas = zip(*(self.notation.matrix(form(x)) for x in operands), strict=True)
                name = spec.replace("->", r"\to ")
                called = rf"\operatorname{{einsum}}_{{{name}}}\left(" + r",\, ".join(formulas) + r"\right)"
                return self.shown((f"einsum_{{{spec}}}({', '.join(texts)})", called))
            case "power", (a, int(k)):
                return ElementPower(form(a), Fraction(k))
            case "sqrt", (a,):
                text, tex = self.notation.matrix(form(a))
                return self.shown((f"√({text})", rf"\sqrt{{{tex}}}"))
            case "exp", (Node(operation="log", args=(u,)),):
                return form(u)
            case operation, (a,) if operation in FUNCTIONS or (operation == "mean" and getattr(a, "ndim", 0) == 1):
                return Elementwise(FUNCTIONS.get(operation, operation), form(a))
            case operation, (a, b) if operation in RELATIONS:
                (x, p), (y, q), (sign, command) = *map(self.notation.matrix, (form(a), form(b))), RELATIONS[operation]
                return self.shown((f"[{x} {sign} {y}]", f"[{p} {command} {q}]"))
        raise NoForm

    def named(self, form: Matrix) -> Array:
        return form.array if isinstance(form, Leaf) else self.named(self.shown(self.notation.matrix(form)))

    def quotient(self, above: Matrix, below: Matrix) -> Matrix:
        c, rest, form = scaled(above)
        (a, p), (b, q) = self.notation.matrix(form), self.notation.matrix(below)
        a = f"({a})" if isinstance(form, Plus | Hadamard) else a
        text, fraction = f"{a} / {b if isinstance(below, Leaf | Elementwise) else f'({b})'}", rf"\frac{{{p}}}{{{q}}}"
        whole = self.shown((f"({text})", fraction))
        self.bare[whole] = text, fraction
        return rescaled(c, rest, whole)

    def reduced(self, n: Node, a: Node, form: Matrix) -> Matrix:
        axis = n.options.get("axis", n.args[1] if len(n.args) > 1 else None)
        keeps = bool(n.options.get("keepdims", False))
        if axis not in (0, 1, -1, -2) or (a.ndim > 2 and not (keeps and axis == -1)):
            raise NoForm
        columns = axis in (0, -2)
        if n.operation == "sum" and not keeps:
            ones = Ones((a.shape[axis], UNIT))
            if columns and self.notation.standing.paper:
                return Product(transposed(form), ones)
            return Product(transposed(self.shown(("1", r"\mathbf{1}"))), form) if columns else Product(form, ones)
        return Elementwise(f"{n.operation}_{'columns' if columns else 'rows'}", form)


def array(name: str) -> Matrix:
    return Leaf(Array(name), "matrix", (UNIT, UNIT))  # of whatever shape: it is only written


def scalar(x: Any) -> Term | None:
    """What is made of numbers and sizes only."""
    if isinstance(x, Node):
        if x.ndim or x.options:
            return None
        match x.operation, tuple(map(scalar, x.args)):
            case "negative", (a,) if a is not None:
                return mul(MINUS, a)
            case "multiply", (a, b) if a is not None and b is not None:
                return mul(a, b)
            case "divide" | "true_divide", (a, b) if a is not None and b is not None and b != ZERO:
                return mul(a, inverted(b))
        return None
    if isinstance(x, SymInt):
        size, parts = as_affine(x.expr)
        match size.monomials:
            case ((names, c),) if names and c != 1 and not parts:
                return mul(num(c), Size(((names, 1),)))
        return None if parts else size
    if isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x):
        return Num(Fraction(repr(x)))
    return None


def inverted(t: Term) -> Term:
    match t:
        case Num(c):
            return Num(1 / c)
        case Mul(args):
            return mul(*map(inverted, args))
        case _:
            return Power(t, Fraction(-1))


def times(t: Term, m: Matrix) -> Matrix:
    """The numbers together, and no size above and below."""
    c, rest, form = scaled(Scale(t, m))
    return rescaled(c, without(rest, {}), form)


def joined(product: Callable[[Matrix, Matrix], Matrix], a: Matrix, b: Matrix) -> Matrix:
    """The product of two forms with what is in front of either in front of it."""
    (c, s, f), (d, t, g) = scaled(a), scaled(b)
    return rescaled(c * d, without((*s, *t), {}), product(f, g))


def hadamard(a: Matrix, b: Matrix) -> Matrix:
    return Hadamard(hadamard(a, b.left), b.right) if isinstance(b, Hadamard) else Hadamard(a, b)


def added(a: Matrix, b: Matrix) -> Matrix:
    """A number that both have in front; what is negative second."""
    (c, s, f), (d, t, g) = scaled(a), scaled(b)
    if c < 0 < d:
        return added(b, a)
    if s == t and abs(c) == abs(d) and (s or abs(c) != 1):
        return rescaled(abs(c), s, added(rescaled(c / abs(c), (), f), rescaled(d / abs(d), (), g)))
    return Plus((*(a.args if isinstance(a, Plus) else (a,)), b))


def as_column(n: Node) -> Node | None:
    """The vector v of v[:, None]."""
    match n.operation, n.args:
        case "expand_dims", (Node(ndim=1) as v, *axis) if (axis or [n.options.get("axis")])[0] in (-1, 1):
            return v
        case "getitem", (Node(ndim=1) as v, (slice() as s, None)) if s == slice(None):
            return v
        case _:
            return None
