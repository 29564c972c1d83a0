"""A Pratt parser for formulas: what is written, without a table of names.

A product of matrices (juxtaposition, \\cdot) binds tighter than ∘ and ⊙, which bind tighter than + and -.  What cannot
be read at all is a `ReadError` with the place; what names mean is settled by `resolve`.  Linear in the number of
tokens; nesting is limited, so recursion is too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Final

from ..files.place import Place, ReadError, Span
from .chains import Chains
from .cursor import HADAMARD, PRODUCT, SHOWN, STARTS, STOPS, SUM, nests, shown
from .lexer import MAX_DEPTH, Token, tokenize
from .walking import Statement, bracketed, grouped, made_of
from .tree import (
    Add, At, Chain, Derivative, Dots, Expr, Hadamard, Link, Name, Neg, Num, Operator, Outer, Paren,
    Product, Quotient, Reals,
)  # fmt: skip
from .vocabulary import FACTORIAL, FUNCTION_WORDS

MAX_SLASHES: Final = 8
MAX_FACTORIAL: Final = 20


class Parser(Chains):
    __slots__ = ()

    def __init__(self, tokens: list[Token], words: Collection[str] = ()) -> None:
        super().__init__(tokens)
        self.words = words

    # --- sums and products -------------------------------------------------------------------

    def expression(self, power: int) -> Expr:
        self.deeper()
        start = self.tok.start
        left = self.product(start)
        if power <= HADAMARD and self.tok.kind == "op" and self.tok.text == "had":
            factors = [left]
            while self.tok.kind == "op" and self.tok.text == "had":
                self.after_operator(self.advance())
                factors.append(self.product(self.tok.start))
            left = Hadamard(tuple(factors), (start, self.end()))
        if power <= SUM and self.tok.kind == "op" and self.tok.text in ("+", "-"):
            terms = [left]
            while self.tok.kind == "op" and self.tok.text in ("+", "-"):
                minus = self.advance()
                self.after_operator(minus)
                term = self.expression(HADAMARD)
                terms.append(Neg(term, (minus.start, self.end())) if minus.text == "-" else term)
            left = Add(tuple(terms), (start, self.end()))
        self.depth -= 1
        return left

    def product(self, start: int) -> Expr:
        """Factors beside each other."""
        factors, signs, slashes, divided = [self.prefix()], [""], 0, False
        while True:
            tok = self.tok
            kind = tok.kind
            if kind == "op":
                text = tok.text
                if text in ("cdot", "times", "*", "@", "outer"):
                    self.advance()
                    self.after_operator(tok)
                    factors.append(self.prefix())
                    signs.append(text)
                    divided = False
                elif text == "/":
                    self.advance()
                    self.after_operator(tok)
                    slashes += 1
                    if slashes > MAX_SLASHES:
                        raise self.fail("too many slashes: use \\frac", tok)
                    top = self.product_of(factors, signs, start)
                    bottom = self.divisor()
                    factors, signs = [Quotient(top, bottom, (start, self.end()))], [""]
                    divided = not (number_like(bottom) or number_like(top))
                else:
                    break
            elif kind in STARTS or (kind == "bar" and not self.bars and not self.evaluated(factors)):
                if divided:
                    raise self.unsupported("a / b c: is c below? write \\frac or parentheses")
                factors.append(self.prefix())
                signs.append("")
            elif kind in ("bar", "close") and self.evaluated(factors):
                factors, signs = [self.at_point(self.product_of(factors, signs, start), start)], [""]
            elif tok.text == "!" and kind == "bad":
                factors[-1] = factorial(factors[-1], (factors[-1].span[0], self.advance().end))
            elif kind == "gap" and self.enclosed():  # a \quad inside brackets is only space
                self.advance()
            else:
                break
        return self.product_of(factors, signs, start)

    def enclosed(self) -> bool:
        """A bracket is open here."""
        return sum(nests(t.kind) for t in self.tokens[: self.i]) > 0

    def divisor(self) -> Expr:
        """What stands behind a slash: one factor, or a function with what it is applied to."""
        start, node = self.tok.start, self.prefix()
        called = isinstance(node, (Name, Operator)) and self.tok.kind == "open" and self.tok.text == "("
        if called or (isinstance(node, Operator) and node.kind == "function" and self.tok.kind in STARTS):
            node = Product((node, self.prefix()), ("",), (start, self.end()))
        return node

    def evaluated(self, factors: Sequence[Expr] = ()) -> bool:
        """|_{x = a} stands here; behind a derivative also |_a."""
        low = self.tokens[self.i + 1] if self.i + 1 < len(self.tokens) else self.tok
        if self.tok.text != "|" or low.kind != "_":
            return False
        if not self.bars and factors and derives(factors[0]) and self.tokens[self.i + 2].text not in ("1", "2", "F"):
            return True
        if self.tokens[self.i + 2].kind != "{":
            return False
        rest = self.tokens[self.i + 3 : self.i + 43]
        return any(t.kind == "rel" for t in rest[: next((n for n, t in enumerate(rest) if t.kind == "}"), len(rest))])

    def at_point(self, node: Expr, start: int) -> Expr:
        """At x = a, at x = a, y = b, which is (x, y) = (a, b), or at a."""
        self.advance()
        self.advance()
        chains = [self.chain_inside(*run) for run in self.split(self.group(), ("comma",))]
        span = (start, self.end())
        if len(chains) == 1:
            return At(node, chains[0], span)
        if any(len(c.links) != 1 or c.links[0].relation != "=" for c in chains):
            raise self.unsupported("a point that is not given as x = a")
        at = (chains[0].span[0], chains[-1].span[1])
        left = replace(bracketed(*(c.subjects[-1] for c in chains)), span=at)
        right = replace(bracketed(*(c.links[0].rhs for c in chains)), span=at)
        return At(node, Chain((left,), (Link("=", right, at, at),), at), span)

    def product_of(self, factors: list[Expr], signs: list[str], start: int) -> Expr:
        if len(factors) == 1:
            return factors[0]
        span = (start, self.end())
        if "outer" in signs:
            if any(s not in ("", "outer") for s in signs):
                raise ReadError("⊗ beside another product: put parentheses", span)
            return Outer(tuple(grouped(factors, signs[1:], "outer")), span)
        return Product(tuple(factors), tuple(signs[1:]), span)

    def after_operator(self, sign: Token) -> None:
        """A line break or a gap behind an operator says nothing."""
        while self.tok.kind in ("gap", "amp", "row"):
            self.advance()
        if self.tok.kind in STOPS and self.tok.kind != "text":
            raise self.fail(f"nothing after {SHOWN.get(sign.text, sign.text)}", sign)

    # --- one factor --------------------------------------------------------------------------

    def prefix(self) -> Expr:
        token = self.tok
        kind = token.kind
        if self.is_indicator(token):
            return self.ones()
        if kind == "name":
            if token.text == "d" and self.looks_like_dl_dw():
                return self.postfix(self.partial(), token.start)
            return self.name()
        if kind == "op" and token.text in ("-", "+"):
            return self.signed()
        if kind in _WHOLE:
            return _WHOLE[kind](self)
        if kind not in _SCRIPTED:
            raise self.unexpected()
        return self.postfix(_SCRIPTED[kind](self), token.start)

    def is_indicator(self, token: Token) -> bool:
        """1{i = j}, 1(i = j), 1_{i = j}, I(i = j), 𝕀[i = j]."""
        if (token.kind, token.text) not in (("number", "1"), ("name", "I")):
            return False
        back, following = self.i, self.tokens[self.i + 1]
        if following.kind == "_":
            self.go(back + 2)
            first, past = self.group()
            self.go(back)
            return any(self.tokens[k].kind == "rel" for k in range(first, past))
        related = following.kind == "open" and following.text != "|" and self.closes_with_relation(back + 1)
        return related or (token.text == "1" and following.text == "\\{")

    def signed(self) -> Expr:
        token, minus = self.tok, False
        while self.tok.kind == "op" and self.tok.text in ("-", "+"):
            minus ^= self.advance().text == "-"
        self.after_operator(token)
        node = self.expression(PRODUCT)
        return Neg(node, (token.start, self.end())) if minus else node

    # --- functions, words, wrappers ----------------------------------------------------------

    def number(self) -> Expr:
        token = self.advance()
        return Num(Fraction(token.text), (token.start, token.end))

    def function(self) -> Expr:
        token = self.tok
        if token.text in ("max", "min") and self.tokens[self.i + 1].kind == "_":
            return self.postfix(self.big(token.text), token.start)
        self.advance()
        name = self.scripted(Name(FUNCTION_WORDS.get(token.text, token.text), span=(token.start, token.end)))
        if name.top:
            raise self.fail("a transpose on a function", token)
        return Operator("function", name.letter, name.sub, name.sups, name.primes, span=name.span)

    def over_under(self) -> Expr:
        """\\underbrace{x}_{note}: the x; \\underbrace{x}_{=1} says that it is 1, too."""
        token = self.advance()
        node = self.argument()
        while self.tok.kind in ("_", "^"):
            self.advance()
            first, past = self.group()
            if self.tokens[first].text == "=" and past - first == 2 and self.tokens[first + 1].kind == "number":
                link = Link("=", self.inside(first + 1, past), self.span_of((first, past)))
                node = Paren((Chain((node,), (link,), node.span),), "(", span=(token.start, self.end()))
        return node

    def unwrap(self) -> Expr:
        if self.advance().kind == "colored":
            self.group()
        return self.argument()

    def stack(self) -> Expr:
        """\\underset{n × m}{W}, \\overset{!}{x}: the second."""
        self.advance()
        self.group()
        return self.inside(*self.group())

    def dots(self) -> Expr:
        token = self.advance()
        return Dots((token.start, token.end))

    def infinite(self) -> Expr:
        raise self.unsupported("∞ is not supported")

    def reals(self) -> Expr:
        token = self.advance()
        shape: Expr | None = None
        if self.tok.kind == "^":
            self.advance()
            shape = self.inside(*self.group())
        elif self.tok.kind == "_":  # ℝ_+
            self.advance()
            self.group()
        if self.tok.kind == "setminus":
            while self.tok.kind not in ("end", "comma", "gap", "}", "text"):
                self.advance()
        return Reals(shape, (token.start, self.end()))


def factorial(node: Expr, span: Span) -> Expr:
    """3! is 6; n! the exponential of a function of n of which no more is known."""
    if isinstance(node, Num) and node.value.denominator == 1 and 0 <= node.value < MAX_FACTORIAL:
        return Num(Fraction(math.factorial(node.value.numerator)), span)
    logarithm = Product((Name(FACTORIAL, span=span), bracketed(node)), ("",), span)
    return Product((Operator("function", "exp", span=span), bracketed(logarithm)), ("",), span)


def derives(node: Expr) -> bool:
    """A derivative, or the beginning of one."""
    return isinstance(node, Derivative) or (isinstance(node, Operator) and node.kind != "function")


def number_like(node: Expr) -> bool:
    """Written as one number, so that what follows a fraction with it stands beside it: 1/N Σ, x/2 y."""
    return made_of(node, lambda n: isinstance(n, Num), Product)


_SCRIPTED: Final[dict[str, Callable[[Parser], Expr]]] = {
    "number": Parser.number, "open": Parser.opened, "frac": Parser.fraction, "partial": Parser.partial,
    "sum": lambda p: p.big("sum"), "prod": lambda p: p.big("prod"), "sqrt": Parser.root, "ones": Parser.ones,
    "begin": Parser.environment, "over": Parser.over_under, "unwrap": Parser.unwrap, "colored": Parser.unwrap,
    "stack": Parser.stack, "bar": Parser.norm, "norm": Parser.norm_command, "abs": Parser.norm_command,
}  # fmt: skip
"""What scripts may stand behind, by the kind of token that it begins with."""
_WHOLE: Final[dict[str, Callable[[Parser], Expr]]] = {
    "{": Parser.braces, "func": Parser.function, "word": Parser.function, "nabla": Parser.nabla, "deco": Parser.marked,
    "reals": Parser.reals, "infty": Parser.infinite, "dots": Parser.dots, "text": Parser.words_here,
}  # fmt: skip
"""What takes its scripts itself, or none."""


@contextmanager
def located(where: Place | None) -> Iterator[None]:
    """Errors of what is read inside are about this place."""
    try:
        yield
    except ReadError as error:
        raise error.located(where) from None
    except RecursionError:
        raise ReadError(f"nested deeper than {MAX_DEPTH}", (0, 1), where) from None


def parse(text: str, words: Collection[str] = (), where: Place | None = None) -> Statement:
    """The loose tree of one formula.  `words` are names of several letters.  Raises ReadError, located in `where`."""
    with located(where):
        return Parser(tokenize(text, words), words).statement()


def parse_value(text: str, words: Collection[str] = (), where: Place | None = None) -> Expr:
    """The loose tree of one value or shape."""
    with located(where):
        parser = Parser(tokenize(text, words), words)
        node = parser.expression(SUM)
        if parser.tok.kind != "end" or parser.tok.text:
            raise parser.fail(f"{shown(parser.tok)} is not expected here")
        return node
