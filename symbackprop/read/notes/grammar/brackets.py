"""Brackets, braces, and the scripts behind them."""

from __future__ import annotations

from dataclasses import replace

from ..files.place import ReadError
from .chains import Chains
from .cursor import OPENING, SUM, nests, shown
from .lexer import Token
from .names import MAX_SCRIPTS, prime_count
from .primes import primed_bracket
from .tree import (
    Chain,
    Dots,
    Entry,
    Expr,
    Inner,
    Name,
    Paren,
    Transpose,
    Words,
)


def lone(node: Expr) -> Chain:
    return Chain((node,), (), node.span)


class Brackets(Chains):
    __slots__ = ()

    def opened(self) -> Expr:
        start = self.tok.start
        if self.tok.text in ("|", "‖"):
            return self.postfix(self.norm(), start)
        return self.postfix(self.bracket(), start)

    def bracket(self) -> Expr:
        opening = self.advance()
        if opening.text == "\\{":
            back = self.i
            depth, bars = self.depth, self.bars
            try:
                return self.bracketed(opening)
            except ReadError:
                self.depth, self.bars = depth, bars
                self.go(back)
                return self.set_of(opening)
        return self.bracketed(opening)

    def bracketed(self, opening: Token) -> Expr:
        bars, self.bars = self.bars, int(self.lone_bar())
        separated = self.bars
        depth, items, bar = self.depth, [], 0
        if self.tok.kind == "op" and self.tok.text == "cdot" and self.tokens[self.i + 1].kind == "close":
            items.append(lone(Dots((self.tok.start, self.tok.end))))  # f(·) speaks of the function itself
            self.advance()
        while self.tok.kind != "close":
            while self.tok.kind == "gap":
                self.advance()
            items.append(self.chain())
            if self.tok.kind == "bar" and separated and not bar:
                bar = len(items)
            elif self.tok.kind not in ("comma", "semi", "gap"):
                break
            self.advance()
        self.bars, self.depth = bars, depth
        if self.tok.kind != "close" or self.tok.text != OPENING[opening.text]:
            if self.tok.kind == "close":
                raise self.fail(f"{opening.text} is closed by {self.tok.text}")
            raise self.fail(f"{opening.text} is not closed before {shown(self.tok)}", opening)
        self.advance()
        span = (opening.start, self.end())
        if not items:
            raise ReadError("nothing stands between these brackets", span)
        if opening.text == "⟨":
            if len(items) != 2 or any(c.links for c in items):
                raise ReadError("⟨ … ⟩ needs two parts", span)
            return Inner(items[0].subjects[-1], items[1].subjects[-1], span)
        return Paren(tuple(items), opening.text, bar, span)

    def lone_bar(self) -> bool:
        """A | that stands between the items of this bracket, as in p(y | x): their number is odd."""
        depth, count = 0, 0
        for token in self.tokens[self.i : self.i + 400]:
            depth += nests(token.kind) if token.text != "|" else 0
            count += token.kind == "bar" and token.text == "|" and depth == 0
            if depth < 0:
                break
        return count % 2 == 1

    def set_of(self, opening: Token) -> Expr:
        depth = 1
        while depth:
            if self.tok.kind == "end":
                raise self.fail("\\{ is not closed", opening)
            depth += (self.tok.kind == "open" and self.tok.text == "\\{") - (
                self.tok.kind == "close" and self.tok.text == "\\}"
            )
            self.advance()
        return Words("{…}", (opening.start, self.end()))

    def braces(self) -> Expr:
        opening = self.advance()
        if self.tok.kind == "}":
            self.advance()
            if self.tok.kind in ("^", "_"):
                raise self.fail("a script on nothing")
            return self.prefix()
        bars, self.bars = self.bars, 0
        node = self.expression(SUM)
        self.bars = bars
        if self.tok.kind != "}":
            raise self.fail(f"{{ is not closed before {shown(self.tok)}", opening)
        self.advance()
        if isinstance(node, Name) and self.tok.kind in ("^", "_", "prime", "top"):  # {W^l}^T
            return self.scripted(node)
        return self.postfix(node, opening.start)

    def postfix(self, node: Expr, start: int) -> Expr:
        """Scripts behind a bracket, a fraction, a root."""
        for _ in range(2 * MAX_SCRIPTS):
            kind = self.tok.kind
            if kind == "^":
                self.advance()
                r = self.group()
                if r[0] == r[1]:  # of a macro without its argument
                    continue
                if r[1] - r[0] == 1 and self.tokens[r[0]].kind == "prime":
                    node = self.primed(node, 1, start)
                    continue
                node = self.raised(node, r, start)
            elif kind == "_":
                self.advance()
                r = self.group()
                script = self.lowered_script(r)
                if script.error:
                    raise self.fail(script.error, self.tokens[r[0]])
                node = Entry(node, script.items, (start, self.end()))
            elif kind == "prime":
                node = self.primed(node, prime_count(self.advance()), start)
            elif kind == "top" and self.tok.end - self.tok.start == 1:
                self.advance()
                node = Transpose(node, (start, self.end()))
            else:
                return node
        raise self.fail("too many scripts")

    def primed(self, node: Expr, primes: int, start: int) -> Expr:
        if isinstance(node, Paren) and len(node.chains) == 1 and isinstance(node.chains[0].subjects[0], Name):
            name = node.chains[0].subjects[0]
            if not name.sups and name.sub is None:
                return replace(name, primes=name.primes + primes, span=(start, self.end()))
        if isinstance(node, Paren) and len(node.chains) == 1 and not node.chains[0].links:
            return primed_bracket(replace(node, span=(start, self.end())), primes)
        raise self.fail("a prime on something that is no function")
