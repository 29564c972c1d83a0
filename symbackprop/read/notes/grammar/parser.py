"""A Pratt parser for formulas, driven by the declarations: it never guesses.

A product of matrices (juxtaposition, \\cdot) binds tighter than ∘ and ⊙, which bind tighter than + and -.  An
undeclared symbol, a prime on a layer, an unparenthesised mix that can be read in two ways: a `ReadError` with
the place.  Linear in the number of tokens; nesting is limited, so recursion is too.
"""

from __future__ import annotations

from typing import Final

from ..declared.symbols import Declarations
from ..files.place import Place, ReadError
from .chains import Chains
from .cursor import HADAMARD, STARTS, SUM, shown
from .lexer import MAX_DEPTH, tokenize
from .tree import (
    Add,
    Entry,
    Expr,
    Hadamard,
    Neg,
    Outer,
    Power,
    Product,
    Quotient,
    Shape,
    Statement,
)

MAX_SLASHES: Final = 8


class Parser(Chains):
    __slots__ = ()

    def expression(self, power: int) -> Expr:
        self.deeper()
        start = self.tok.start
        left, times = self.product(start)
        while power <= HADAMARD and self.tok.kind == "op" and self.tok.text == "had":
            left, times = self.hadamard(left, times, start)
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

    def hadamard(self, left: Expr, times: bool, start: int) -> tuple[Expr, bool]:
        factors = [left]
        while self.tok.kind == "op" and self.tok.text == "had":
            sign = self.advance()
            self.after_operator(sign)
            shapes = self.shape_like(factors[0])
            if times and not shapes:
                raise self.fail("× beside ∘: which is first? put parentheses", sign)
            here = self.tok.start
            factor, times = self.product(here, stop_at_times=shapes)
            if times and not self.shape_like(factor):
                raise self.fail("∘ beside ×: which is first? put parentheses", sign)
            factors.append(factor)
        out: Expr = Hadamard(tuple(factors), (start, self.end()))
        if self.tok.kind == "op" and self.tok.text == "times":  # shapes are worked off from left to right
            parts, signs = [out], [""]
            while self.tok.kind == "op" and self.tok.text == "times":
                self.advance()
                parts.append(self.prefix())
                signs.append("times")
            out = Product(tuple(parts), tuple(signs[1:]), (start, self.end()))
        return out, False

    def product(self, start: int, stop_at_times: bool = False) -> tuple[Expr, bool]:
        """Factors beside each other; says whether an × was among the signs."""
        first = self.prefix()
        tok = self.tok
        if tok.kind not in STARTS and tok.kind not in ("op", "gap", "bar"):
            return first, False
        factors, signs, divided, slashes = [first], [""], False, 0
        while True:
            tok = self.tok
            kind = tok.kind
            if kind == "op":
                text = tok.text
                if text in ("cdot", "times", "*", "@", "outer"):
                    if text == "times" and stop_at_times:
                        break
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
                    self.in_fraction += 1
                    bottom = self.prefix()
                    self.in_fraction -= 1
                    factors, signs = [Quotient(top, bottom, (start, self.end()))], [""]
                    divided = not self.constant(bottom) or not self.constant(top)
                else:
                    break
            elif kind in STARTS:
                if divided and not (kind == "text"):
                    raise self.fail("a / b c: is c below? write \\frac or parentheses")
                factors.append(self.prefix())
                signs.append("")
            elif kind == "bar" and not self.bars:
                factors.append(self.prefix())
                signs.append("")
            elif kind == "gap" and self.in_group():
                self.advance()
            else:
                break
        return self.product_of(factors, signs, start), "times" in signs

    def in_group(self) -> bool:
        """A \\quad inside brackets is only space; between whole formulas it separates."""
        return self.depth > 1

    def product_of(self, factors: list[Expr], signs: list[str], start: int) -> Expr:
        if len(factors) == 1:
            return factors[0]
        span = (start, self.end())
        if "outer" in signs:
            if any(s not in ("", "outer") for s in signs):
                raise ReadError("⊗ beside another product: put parentheses", span)
            groups: list[list[Expr]] = [[]]
            for factor, sign in zip(factors, signs, strict=True):
                if sign == "outer":
                    groups.append([])
                groups[-1].append(factor)
            parts = [
                g[0] if len(g) == 1 else Product(tuple(g), ("",) * (len(g) - 1), (g[0].span[0], g[-1].span[1]))
                for g in groups
            ]
            return Outer(tuple(parts), span)
        if "times" in signs and not self.in_fraction:
            groups = [[]]
            for factor, sign in zip(factors, signs, strict=True):
                if sign == "times":
                    groups.append([])
                groups[-1].append(factor)
            if all(self.size_like(f) for f in factors):
                return Shape(tuple(self.plain_product(g) for g in groups), span)
            if len(factors) == 2 and self.size_like(factors[0]) and isinstance(factors[1], Shape):
                return Shape((factors[0], factors[1]), span)
            if len(factors) == 2 and isinstance(factors[0], Shape) and self.size_like(factors[1]):
                return Shape((factors[0], factors[1]), span)
        return Product(tuple(factors), tuple(signs[1:]), span)

    def plain_product(self, group: list[Expr]) -> Expr:
        if len(group) == 1:
            return group[0]
        return Product(tuple(group), ("",) * (len(group) - 1), (group[0].span[0], group[-1].span[1]))


def parse_statement(text: str, declarations: Declarations, where: Place | None = None) -> Statement:
    """The tree of one formula.  Raises ReadError, located in `where`."""
    try:
        return Parser(tokenize(text, declarations.words), declarations).statement()
    except ReadError as error:
        raise error.located(where) from None
    except RecursionError:
        raise ReadError(f"nested deeper than {MAX_DEPTH}", (0, 1), where) from None


def parse_leniently(
    text: str, declarations: Declarations, where: Place | None = None
) -> tuple[Statement, list[tuple[str, object, tuple[int, int]]]]:
    """Like `parse_statement`, but undeclared names become symbols and are listed: for statements that declare."""
    try:
        parser = Parser(tokenize(text, declarations.words), declarations, lenient=True)
        return parser.statement(), list(parser.free)
    except ReadError as error:
        raise error.located(where) from None
    except RecursionError:
        raise ReadError(f"nested deeper than {MAX_DEPTH}", (0, 1), where) from None


def parse_expression(text: str, declarations: Declarations, where: Place | None = None) -> Expr:
    """The tree of one value or shape, as in a declaration."""
    try:
        parser = Parser(tokenize(text, declarations.words), declarations)
        node = parser.expression(SUM)
        if parser.tok.kind != "end" or parser.tok.text:
            raise parser.fail(f"{shown(parser.tok)} is not expected here")
        return node
    except ReadError as error:
        raise error.located(where) from None
    except RecursionError:
        raise ReadError(f"nested deeper than {MAX_DEPTH}", (0, 1), where) from None


__all__ = ["Entry", "Parser", "Power", "parse_expression", "parse_leniently", "parse_statement"]
