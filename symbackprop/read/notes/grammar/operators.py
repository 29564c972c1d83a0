"""Operators with a form of their own: sums, fractions and derivatives, ∇, roots, norms, matrices."""

from __future__ import annotations

from fractions import Fraction

from ..files.place import ReadError
from .cursor import HADAMARD, SUM, shown
from .differentials import Differentials
from .lexer import Token
from .scripts import Range
from .tree import (
    Binder,
    Cases,
    Chain,
    Dots,
    Equated,
    Expr,
    Indicator,
    Matrix,
    Norm,
    Num,
    Ones,
    Over,
    Power,
    Quotient,
    Sum,
    Words,
)

MATRICES = frozenset(
    "matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array psmallmatrix bsmallmatrix".split()
)
ROWS = frozenset(
    "aligned split gathered align gather equation alignedat eqnarray multline displaymath flalign alignat".split()
)


class Operators(Differentials):
    __slots__ = ()

    def chain(self) -> Chain:
        raise NotImplementedError

    # --- Σ, ∏, max ---------------------------------------------------------------------------

    def big(self, kind: str) -> Expr:
        token = self.advance()
        low: Range | None = None
        high: Range | None = None
        while self.tok.kind in ("_", "^"):
            lower = self.advance().kind == "_"
            r = self.group()
            if lower and low is None:
                low = r
            elif not lower and high is None:
                high = r
            else:
                raise self.fail("a second script on the same side", token)
        if low is None:
            raise self.fail(f"{token.text}: over which index? a subscript is missing", token)
        binders = self.binders(low, high)
        for b in binders:
            self.bound[b.name] = self.bound.get(b.name, 0) + 1
        if self.tok.kind in ("end", "}", "close", "rel", "comma"):
            raise self.fail(f"nothing under the {token.text}", token)
        if kind in ("max", "min") and self.tok.kind == "open":
            body = self.prefix()
        else:
            body = self.expression(HADAMARD)
        for b in binders:
            self.bound[b.name] -= 1
            if not self.bound[b.name]:
                del self.bound[b.name]
        span = (token.start, self.end())
        return Sum(binders, body, span) if kind == "sum" else Over(kind, binders, body, span)

    def binders(self, low: Range, high: Range | None) -> tuple[Binder, ...]:
        back = self.i
        self.go(low[0])
        out: list[Binder] = []
        while self.i < low[1]:
            if self.tok.kind in ("comma", "gap"):
                self.advance()
                continue
            token = self.advance()
            if token.kind != "name":
                raise self.fail(f"a sum runs over an index, not over {shown(token)}", token)
            name = self.decl.key(token.text, token.deco)
            while self.tok.kind == "prime" and self.i < low[1]:
                name += self.advance().text
            start: Expr | None = None
            if self.i < low[1] and self.tok.kind == "rel":
                if self.tok.text != "=":
                    raise self.unsupported(f"a condition under a sum ({self.tok.text}) is not supported")
                self.advance()
                stop = next((k for k in range(self.i, low[1]) if self.tokens[k].kind == "comma"), low[1])
                start = self.inside(self.i, stop)
                self.go(stop)
            out.append(Binder(name, start, None, (token.start, token.end)))
        self.go(back)
        if not out:
            raise self.fail("a sum over nothing")
        if len({b.name for b in out}) < len(out):
            raise ReadError("one index is bound twice", out[-1].span)
        if high is not None:
            top = self.inside(*high)
            if len(out) > 1 and any(b.low is None for b in out):
                raise ReadError("one upper limit for several indices", out[-1].span)
            out = [Binder(b.name, b.low, top, b.span) for b in out]
        return tuple(out)

    # --- fractions and derivatives -----------------------------------------------------------

    def fraction(self) -> Expr:
        token = self.advance()
        found = self.derivative_fraction(token)
        if found is not None:
            return found
        self.in_fraction += 1
        top = self.argument()
        bottom = self.argument()
        self.in_fraction -= 1
        return Quotient(top, bottom, (token.start, self.end()))

    # --- roots, bars, matrices ---------------------------------------------------------------

    def root(self) -> Expr:
        token = self.advance()
        degree = 2
        if self.tok.kind == "open" and self.tok.text == "[":
            self.advance()
            digits = self.expect("number", "", "the degree of a root")
            degree = int(digits.text) if digits.text.isdigit() else 0
            self.expect("close", "]", "the degree of a root")
            if not 1 <= degree <= 64:
                raise self.fail("the degree of a root is a whole number up to 64", digits)
        body = self.argument()
        span = (token.start, self.end())
        return Power(body, Num(Fraction(1, degree), span), False, span)

    def norm(self) -> Expr:
        """‖x‖_2, |x|, also as || x ||."""
        token = self.advance()
        double = token.text == "‖"
        if not double and self.tok.kind == "bar" and self.tok.text == "|" and self.tok.start == token.end:
            self.advance()
            double = True
        self.bars += 1
        body = self.expression(SUM)
        self.bars -= 1
        if self.tok.kind not in ("bar", "close") or (self.tok.text not in ("|", "‖")):
            raise self.fail("this bar is never closed", token)
        closing = self.advance()
        if double and closing.text == "|":
            if self.tok.kind != "bar":
                raise self.fail("this double bar is never closed", token)
            self.advance()
        order = "2" if double else "abs"
        back = self.i
        if self.tok.kind == "_":
            self.advance()
            order = self.spelled(self.group())
            if not double and order not in ("1", "2", "F"):  # |x|_i is an entry
                self.go(back)
                return Norm(body, "abs", (token.start, self.end()))
            if order not in ("1", "2", "F", "∞"):
                raise self.unsupported(f"the norm ‖·‖_{order} is not known", token)
        return Norm(body, order, (token.start, self.end()))

    def ones(self) -> Expr:
        """𝟏, 𝟏_N, 𝟏_{n × m}, 𝟏_{i=j}, 𝟏[x > 0]."""
        token = self.advance()
        if self.tok.kind == "_":
            self.advance()
            first, past = self.group()
            if any(self.tokens[k].kind == "rel" for k in range(first, past)):
                return Indicator(self.condition(first, past), (token.start, self.end()))
            size = self.inside(first, past)
            parts = getattr(size, "parts", (size,))
            return self.postfix(Ones(parts, (token.start, self.end())), token.start)
        if self.tok.kind == "open" and self.closes_with_relation():
            self.advance()
            chain = self.chain()
            self.expect("close", "", "the condition")
            return Indicator(chain, (token.start, self.end()))
        return self.postfix(Ones((), (token.start, self.end())), token.start)

    def condition(self, first: int, past: int) -> Chain:
        back = self.i
        self.go(first)
        chain = self.chain()
        if self.i != past:
            raise self.fail(f"{shown(self.tok)} is not expected here")
        self.go(back)
        return chain

    def closes_with_relation(self) -> bool:
        """The bracket here holds a relation at its own level."""
        depth = 0
        for k in range(self.i, len(self.tokens)):
            kind = self.tokens[k].kind
            if kind in ("open", "{"):
                depth += 1
            elif kind in ("close", "}"):
                depth -= 1
                if depth == 0:
                    return False
            elif kind == "rel" and depth == 1:
                return True
            elif kind == "end":
                return False
        return False

    def environment(self) -> Expr:
        token = self.advance()
        name = token.text
        if name == "cases":
            return self.cases(token)
        if name not in MATRICES:
            raise self.fail(f"the environment {name} is not expected inside a formula", token)
        rows: list[tuple[Expr, ...]] = []
        row: list[Expr] = []
        self.deeper()
        bars, self.bars = self.bars, 0
        while True:
            row.append(self.cell())
            kind = self.tok.kind
            if kind == "amp":
                self.advance()
            elif kind == "row":
                self.advance()
                rows.append(tuple(row))
                row = []
                if self.tok.kind == "end" and self.tok.text == name:
                    break
            elif kind == "end" and self.tok.text == name:
                rows.append(tuple(row))
                break
            else:
                raise self.fail(
                    f"{shown(self.tok)} is not expected in a matrix" if kind != "end" else f"\\end{{{name}}} is missing"
                )
        self.bars = bars
        self.depth -= 1
        self.advance()
        return Matrix(tuple(rows), (token.start, self.end()))

    def cell(self) -> Expr:
        token = self.tok
        while self.tok.kind in ("gap", "arrow", "uparrow"):
            self.advance()
        if self.tok.kind in ("amp", "row") or (self.tok.kind == "end"):
            return Dots((token.start, token.end))
        if (
            self.tok.kind == "op"
            and self.tok.text in ("cdot", "*", "times")
            and self.tokens[self.i + 1].kind in ("amp", "row", "end")
        ):
            self.advance()
            return Dots((token.start, token.end))
        if self.tok.kind == "text":
            self.advance()
            return Words(token.text, (token.start, token.end))
        chain = self.chain()
        return Equated(chain, chain.span) if chain.links else chain.subjects[-1]

    def cases(self, token: Token) -> Expr:
        rows: list[tuple[Expr, Chain | None]] = []
        self.deeper()
        while not (self.tok.kind == "end"):
            value = self.expression(SUM)
            while self.tok.kind in ("amp", "gap", "comma"):
                self.advance()
            when: Chain | None = None
            while self.tok.kind == "text":
                self.advance()
            if self.tok.kind not in ("row", "end"):
                when = self.chain()
            rows.append((value, when))
            while self.tok.kind in ("row", "gap", "comma", "dot"):
                self.advance()
        self.depth -= 1
        if self.tok.text != "cases":
            raise self.fail("\\end{cases} is missing", token)
        self.advance()
        return Cases(tuple(rows), (token.start, self.end()))
