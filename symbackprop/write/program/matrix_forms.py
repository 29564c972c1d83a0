"""A gradient of at most two axes as a matrix formula: products, Hadamard products, transposes, sums as ones."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import INPUT, Node

from .notation import Notation, pretty

ATOM, POWER, PRODUCT, HADAMARD, SUM = 5, 4, 3, 2, 1
Form = tuple[str, str, int]  # text, LaTeX, how tightly it binds


class NoForm(Exception):
    """No matrix notation for this."""


class MatrixForms:
    def __init__(self, notation: Notation) -> None:
        self.notation = notation

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
            name = self.notation.names.get(x.array) if x.named else None
            of = None if name is None else self.notation.gradients.get(name)
            if name is not None and (of is not None or not x.backward or x.operation == INPUT):
                if of is None:
                    return name, pretty(name), ATOM
                return self.notation.plain_gradient(of), self.notation.latex_gradient(of), ATOM
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
        return (text, tex) if own >= binds else (f"({text})", rf"\left({tex}\right)")

    def call(self, n: Node) -> Form:
        if n.ndim > 2:
            raise NoForm
        match n.operation, n.args:
            case "add" | "subtract", (a, b):
                sign = "+" if n.operation == "add" else "-"
                (x, p), (y, q) = self.within(a, SUM), self.within(b, SUM if sign == "+" else HADAMARD)
                return f"{x} {sign} {y}", f"{p} {sign} {q}", SUM
            case "negative", (a,):
                x, p = self.within(a, HADAMARD)
                return f"-{x}", f"-{p}", SUM
            case "multiply", (a, b):
                number = any(not isinstance(z, Node) or z.ndim == 0 for z in (a, b))
                binds = PRODUCT if number else HADAMARD
                (x, p), (y, q) = self.within(a, binds), self.within(b, binds)
                sign, mark = (" ", r" \, ") if number else (" ∘ ", r" \circ ")
                return f"{x}{sign}{y}", f"{p}{mark}{q}", binds
            case "divide", (a, b):
                (x, p), (y, q) = self.within(a, PRODUCT), self.within(b, POWER)
                return f"{x} / {y}", rf"\frac{{{self.form(a)[1]}}}{{{self.form(b)[1]}}}", PRODUCT
            case "matmul", (a, b):
                (x, p), (y, q) = self.within(a, PRODUCT), self.within(b, PRODUCT + 1)
                return f"{x} {y}", rf"{p} \, {q}", PRODUCT
            case "T", (a,):
                x, p = self.within(a, ATOM)
                return f"{x}ᵀ", rf"{p}^{{\mathsf{{T}}}}", POWER
            case "power", (a, int(k)):
                x, p = self.within(a, ATOM)
                return f"{x}^{k}", rf"{p}^{{\circ {k}}}" if n.ndim else f"{p}^{{{k}}}", POWER
            case "sqrt", (a,):
                return f"√({self.form(a)[0]})", rf"\sqrt{{{self.form(a)[1]}}}", ATOM
            case "exp" | "log" | "tanh" | "sin" | "cos", (a,):
                text, tex, _ = self.form(a)
                return f"{n.operation}({text})", rf"\{n.operation}\left({tex}\right)", ATOM
            case "expit", (a,):
                text, tex, _ = self.form(a)
                return f"σ({text})", rf"\sigma\left({tex}\right)", ATOM
            case "sum" | "mean", (a, *_) if isinstance(a, Node) and a.ndim == 2:
                return self.reduced(n, a)
        raise NoForm

    def reduced(self, n: Node, a: Node) -> Form:
        axis = n.options.get("axis", n.args[1] if len(n.args) > 1 else None)
        keeps = bool(n.options.get("keepdims", False))
        x, p = self.within(a, PRODUCT)
        if axis in (0, -2) and n.operation == "sum" and not keeps:
            return f"1ᵀ {x}", rf"\mathbf{{1}}^{{\mathsf{{T}}}} {p}", PRODUCT
        if axis in (1, -1) and n.operation == "sum" and not keeps:
            return f"{x} 1", rf"{p} \, \mathbf{{1}}", PRODUCT
        if axis not in (0, 1, -1, -2):
            raise NoForm
        along = "rows" if axis in (1, -1) else "columns"
        text, tex, _ = self.form(a)
        called = rf"\operatorname{{{n.operation}}}_{{\text{{{along}}}}}"
        return f"{n.operation}_{along}({text})", rf"{called}\left({tex}\right)", ATOM
