"""Derivatives as they are written: fractions of ∂, inline ∂L/∂W, ∂_W L, d/dz, ∇_W L."""

from __future__ import annotations

from ..files.place import ReadError
from .cursor import PRODUCT, STARTS, shown
from .lexer import Token
from .names import Names
from .scripts import Range
from .tree import (
    Call,
    Derivative,
    Entry,
    Expr,
    Gradient,
    IndexName,
    Num,
    Power,
    Symbol,
)


class Differentials(Names):
    __slots__ = ()

    def differential(self, k: int) -> bool:
        r"""Token k begins a differential: ∂, d, \mathrm{d}."""
        token = self.tokens[k]
        return token.kind == "partial" or (
            token.kind == "name"
            and token.text == "d"
            and not self.decl.known(self.decl.key("d", token.deco))
            and "d" not in self.bound
        )

    def both_total(self, top: int, bottom: int) -> bool:
        r"""\frac{d f}{d x} where d is a size, which would cancel: a derivative all the same."""
        for k in (top, bottom):
            key = self.decl.key("d", self.tokens[k].deco)
            if self.tokens[k].kind != "name" or self.tokens[k].text != "d" or key not in self.decl.sizes:
                return False
            if key in self.decl.arrays or key in self.decl.functions or key in self.bound:
                return False
        return True

    def derivative_fraction(self, token: Token) -> Expr | None:
        r"""\frac{∂ a}{∂ b}, \frac{d}{dz}, \frac{∂^2 L}{∂x ∂y}; None when it is a plain fraction."""
        if self.tok.kind != "{":
            return None
        back = self.i
        top = self.group()
        if self.tok.kind != "{":
            self.go(back)
            return None
        bottom = self.group()
        past = self.i
        if (
            top[0] == top[1]
            or bottom[0] == bottom[1]
            or not ((self.differential(top[0]) and self.differential(bottom[0])) or self.both_total(top[0], bottom[0]))
        ):
            self.go(back)
            return None
        total = self.tokens[top[0]].kind == "name"
        self.go(top[0] + 1)
        order = self.order()
        body = None if self.i == top[1] else self.inside(self.i, top[1])
        wrt = self.denominator(bottom, order)
        self.go(past)
        return self.derivative(token, body, wrt, order, total)

    def order(self) -> int:
        if self.tok.kind != "^":
            return 1
        caret = self.advance()
        r = self.group()
        text = self.spelled(r)
        if not text:
            return 1
        if not text.isdigit() or not 1 <= int(text) <= 9:
            raise self.fail("the order of a derivative is a small number", caret)
        return int(text)

    def denominator(self, r: Range, order: int) -> tuple[Expr, ...]:
        self.go(r[0])
        out: list[Expr] = []
        while self.i < r[1]:
            if self.tok.kind in ("gap",) or (self.tok.kind == "op" and self.tok.text == "cdot"):
                self.advance()
                continue
            if not (self.differential(self.i) or (not out and self.both_total(self.i, self.i))):
                raise self.fail(f"∂ is missing before {shown(self.tok)}")
            self.advance()
            out.extend(self.variable(order))
        return tuple(out)

    def variable(self, order: int) -> list[Expr]:
        """What stands behind the ∂ of a denominator; x^2 is x twice in a second derivative."""
        if self.tok.kind in ("end", "}", "close"):
            raise self.fail("∂ of nothing")
        node = self.prefix()
        if order > 1 and isinstance(node, Power) and isinstance(node.exponent, Num) and not node.elementwise:
            return [node.base] * int(node.exponent.value)
        return [node]

    def derivative(self, token: Token, body: Expr | None, wrt: tuple[Expr, ...], order: int, total: bool) -> Expr:
        if len(wrt) != order:
            raise ReadError(f"order {order} above, {len(wrt)} variables below", (token.start, self.end()))
        for v in wrt:
            if not isinstance(v, (Symbol, Entry, IndexName)):
                raise ReadError("the derivative is by something that is no variable", v.span)
        if body is None:
            if self.tok.kind in ("end", "}", "close", "rel", "comma"):
                raise self.fail("nothing to differentiate", token)
            body = self.expression(PRODUCT)
        return Derivative(body, wrt, total, (token.start, self.end()))

    def partial(self) -> Expr:
        """∂L/∂W, ∂^2 L/∂x∂y, ∂_W L, ∂/∂w (…)."""
        token = self.advance()
        total = token.kind == "name"
        if self.tok.kind == "_":
            self.advance()
            r = self.group()
            wrt = self.inside(*r)
            return self.derivative(token, self.differentiated(), (wrt,), 1, total)
        order = self.order()
        body: Expr | None = None
        if not (self.tok.kind == "op" and self.tok.text == "/"):
            body = self.prefix()
        if not (self.tok.kind == "op" and self.tok.text == "/"):
            raise self.fail("∂ without / ∂: by which variable?", token)
        self.advance()
        out: list[Expr] = []
        if self.tok.kind == "open" and self.differential(self.i + 1):
            self.advance()
            while self.tok.kind != "close":
                if not self.differential(self.i):
                    raise self.fail(f"∂ is missing before {shown(self.tok)}")
                self.advance()
                out.extend(self.variable(order))
            self.advance()
        else:
            while self.differential(self.i) and len(out) < order:
                self.advance()
                out.extend(self.variable(order))
        if not out:
            raise self.fail("∂ … / needs ∂ and a variable below", token)
        return self.derivative(token, body, tuple(out), order, total)

    def nabla(self) -> Expr:
        """∇_W L, and the Hessian ∇_w^2 L or ∇^2_w L."""
        token = self.advance()
        order = self.order()
        if self.tok.kind != "_":
            raise self.fail("∇ by which variable? write ∇_W", token)
        self.advance()
        wrt = self.inside(*self.group())
        if order == 1:
            order = self.order()
        if order == 1:
            return Gradient(self.differentiated(), wrt, (token.start, self.end()))
        if order > 2:
            raise self.unsupported(f"∇^{order} is not supported", token)
        return self.derivative(token, self.differentiated(), (wrt, wrt), 2, False)

    def differentiated(self) -> Expr:
        """Behind ∇_W or ∂_x: a number's name or a call alone, (∇_z L) x^T; anything else with its whole product."""
        back, first = self.i, self.prefix()
        if isinstance(first, Symbol):
            table = self.decl.arrays if first.label is None else self.decl.layered
            if first.name in table and not table[first.name].shape:
                return first
        goes_on = self.tok.kind in STARTS or (self.tok.kind == "bar" and not self.bars)
        if isinstance(first, Call) or not goes_on:
            return first
        self.go(back)
        return self.expression(PRODUCT)
