"""Derivatives as they are written: fractions of ∂, inline ∂L/∂W, ∂_W L, d/dz, ∇_W L."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ..files.place import ReadError
from .cursor import STARTS, STOPS, Range, shown
from .lexer import Token
from .names import Names
from .tree import Derivative, Expr, Name, Num, Operator, Power
from .walking import product_of


class Differentials(Names):
    __slots__ = ()

    def differential(self, k: int) -> bool:
        r"""Token k begins a differential: ∂, d, \mathrm{d}."""
        token = self.tokens[k]
        return token.kind == "partial" or (token.kind == "name" and token.text == "d")

    def at_differential(self) -> bool:
        r"""A differential here; moves to its d when that is written \mathrm{d}."""
        if self.tok.kind == "deco" and self.tokens[self.i + 1].kind == "name" and self.tokens[self.i + 1].text == "d":
            self.advance()
        return self.differential(self.i)

    def derivative_fraction(self, token: Token) -> Expr | None:
        r"""\frac{∂ a}{∂ b}, \frac{d}{dz}, \frac{∂^2 L}{∂x ∂y}; None when it is a plain fraction."""
        if self.tok.kind != "{" and not self.differential(self.i):
            return None
        back = self.i
        top = self.group()
        if self.tok.kind != "{":
            self.go(back)
            return None
        bottom = self.group()
        past = self.i
        plain = top[0] == top[1] or bottom[0] == bottom[1] or bottom[1] - bottom[0] == 1
        if not plain:
            self.go(bottom[0])
            plain = not self.at_differential()
            start = self.i
            self.go(top[0])
            plain = plain or not self.at_differential() or self.tokens[start].kind != self.tok.kind
        if plain:
            self.go(back)
            return None
        total = self.tok.kind == "name"
        self.advance()
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
        if not text or text in ("T", "⊤"):  # ∇ ∇^T
            return 1
        if not text.isdigit() or not 1 <= int(text) <= 9:
            raise self.fail("the order of a derivative is a small number", caret)
        return int(text)

    def denominator(self, r: Range, order: int) -> tuple[Expr, ...]:
        self.go(r[0])
        return tuple(self.variables(order, lambda: self.i < r[1]))

    def variables(self, order: int, more: Callable[[], bool]) -> Iterator[Expr]:
        while more():
            if self.tok.kind == "gap" or (self.tok.kind == "op" and self.tok.text == "cdot"):
                self.advance()
                continue
            if not self.at_differential():
                raise self.fail(f"∂ is missing before {shown(self.tok)}")
            self.advance()
            yield from self.variable(order)

    def variable(self, order: int) -> list[Expr]:
        """What stands behind the ∂ of a denominator; x^2 is x twice in a second derivative."""
        if self.tok.kind in ("end", "}", "close"):
            raise self.fail("∂ of nothing")
        node = self.prefix()
        if order > 1 and isinstance(node, Name) and node.sups:
            last = node.sups[-1]
            if isinstance(last.value, Num) and not last.transposes and last.value.value == order:
                return [replace(node, sups=node.sups[:-1])] * order
        if order > 1 and isinstance(node, Power) and isinstance(node.exponent, Num) and not node.elementwise:
            return [node.base] * int(node.exponent.value)
        return [node]

    def derivative(self, token: Token, body: Expr | None, wrt: tuple[Expr, ...], order: int, total: bool) -> Expr:
        if len(wrt) != order:
            raise ReadError(f"order {order} above, {len(wrt)} variables below", (token.start, self.end()))
        span = (token.start, self.end())
        if body is None:
            if self.tok.kind in ("end", "}", "close", "rel", "comma"):
                raise self.fail("nothing to differentiate", token)
            return Operator("derivative", wrt=wrt, order=order, total=total, span=span)
        return Derivative(body, wrt, total, span)

    def partial(self) -> Expr:
        """∂L/∂W, ∂^2 L/∂x∂y, ∂_W L, ∂/∂w (…)."""
        token = self.advance()
        total = token.kind == "name"
        if self.tok.kind == "_":
            self.advance()
            wrt = self.inside(*self.group())
            return Operator("nabla", "partial", wrt=(wrt,), span=(token.start, self.end()))
        order = self.order()
        start, factors = self.tok.start, list[Expr]()
        while self.tok.kind in STARTS or self.tok.kind == "bar":
            factors.append(self.prefix())
        body = product_of(factors, (start, self.end())) if factors else None
        if not (self.tok.kind == "op" and self.tok.text == "/"):
            raise self.fail("∂ without / ∂: by which variable?", token)
        self.advance()
        out: list[Expr] = []
        if self.tok.kind == "open" and self.differential(self.i + 1):
            self.advance()
            out += self.variables(order, lambda: self.tok.kind != "close")
            self.advance()
        else:
            while len(out) < order and self.at_differential():
                self.advance()
                out.extend(self.variable(order))
        if not out:
            raise self.fail("∂ … / needs ∂ and a variable below", token)
        return self.derivative(token, body, tuple(out), order, total)

    def looks_like_dl_dw(self) -> bool:
        """dL/dW written inline: d, a factor, a slash, d."""
        for k in range(self.i + 1, min(self.i + 40, len(self.tokens))):
            if self.tokens[k].kind == "op" and self.tokens[k].text == "/":
                return self.differential(k + 1) and self.tokens[k + 1].kind == "name"
            if self.tokens[k].kind in STOPS or self.tokens[k].kind in ("op", "frac", "sum"):
                return False
        return False

    def nabla(self) -> Expr:
        """∇_W, ∇, grad, and the Hessian's ∇_w^2, ∇^2_w, ∇∇, Hess."""
        token = self.advance()
        order = 2 if token.text == "hessian" else self.order()
        wrt: tuple[Expr, ...] = ()
        if self.tok.kind == "_":
            self.advance()
            wrt = (self.inside(*self.group()),)
            if order == 1:
                order = self.order()
        if self.tok.kind == "nabla" and order == 1:
            back = self.i
            second = self.nabla()
            assert isinstance(second, Operator)
            if second.order == 1 and (second.wrt == wrt or not second.wrt or not wrt):
                order, wrt = 2, wrt or second.wrt
            else:
                self.go(back)
        if order > 2:
            raise self.unsupported(f"∇^{order} is not supported", token)
        return Operator("nabla", wrt=wrt, order=order, span=(token.start, self.end()))
