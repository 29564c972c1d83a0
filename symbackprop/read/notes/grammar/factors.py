"""One factor of a product: names, numbers, brackets, marks, words, and the scripts behind them."""

from __future__ import annotations

import re
from fractions import Fraction

from ..files.place import ReadError
from .cursor import OPENING, PRODUCT, SUM, shown
from .lexer import Token
from .marks import Marks
from .scripts import MAX_SCRIPTS
from .tree import (
    Add,
    Call,
    Dots,
    Equated,
    Expr,
    Function,
    Hadamard,
    Indicator,
    Inner,
    Neg,
    Num,
    Product,
    Reals,
    Shape,
    ShapeWord,
    Symbol,
    Transpose,
    Words,
)
from .vocabulary import FUNCTION_WORDS

_SHAPE_WORD = re.compile(r"(?:an?\s+)?(scalar|row|column|vector|matrix|matrices)(?:[\s-]*vectors?)?s?\Z", re.IGNORECASE)
STOPS = frozenset(
    (
        "end",
        "}",
        "close",
        "rel",
        "comma",
        "semi",
        "gap",
        "row",
        "amp",
        "arrow",
        "and",
        "text",
        "dot",
        "tick",
        "uparrow",
        "colon",
        "forall",
    )
)


class Factors(Marks):
    __slots__ = ()

    def constant(self, node: Expr) -> bool:
        return (
            isinstance(node, Num)
            or (isinstance(node, Symbol) and self.is_size_symbol(node))
            or (isinstance(node, Product) and all(map(self.constant, node.args)))
        )

    def is_size_symbol(self, node: Symbol) -> bool:
        if node.label is not None:
            return node.name in self.decl.layered_sizes and node.name not in self.decl.layered
        return node.name in self.decl.sizes and node.name not in self.decl.arrays

    def size_like(self, node: Expr) -> bool:
        match node:
            case Num(value):
                return value.denominator == 1
            case Symbol():
                return self.is_size_symbol(node) or (self.lenient and not self.decl.known(node.name))
            case Add(args) | Product(args):
                return all(map(self.size_like, args))
            case Neg(arg):
                return self.size_like(arg)
            case _:
                return False

    def shape_like(self, node: Expr) -> bool:
        match node:
            case Shape():
                return True
            case Transpose(arg):
                return self.shape_like(arg)
            case Product(args) | Hadamard(args):
                return all(map(self.shape_like, args))
            case _:
                return False

    def prefix(self) -> Expr:
        token = self.tok
        kind = token.kind
        if kind == "name":
            if token.text == "d" and self.differential(self.i) and self.looks_like_dl_dw():
                return self.postfix(self.partial(), token.start)
            return self.name()
        if kind == "number":
            self.advance()
            node = Num(Fraction(token.text), (token.start, token.end))
            return self.postfix(node, token.start) if self.tok.kind in ("^", "_", "prime") else node
        if kind == "open":
            if token.text in ("|", "‖"):
                return self.postfix(self.norm(), token.start)
            return self.postfix(self.bracket(), token.start)
        if kind == "{":
            return self.postfix(self.braces(), token.start)
        if kind == "frac":
            return self.postfix(self.fraction(), token.start)
        if kind == "partial":
            return self.postfix(self.partial(), token.start)
        if kind == "op" and token.text in ("-", "+"):
            return self.signed()
        handler = _HANDLERS.get(kind)
        if handler is None:
            raise self.unexpected()
        found: Expr = handler(self)
        return found

    def after_operator(self, sign: Token) -> None:
        """A line break or a gap behind an operator says nothing."""
        while self.tok.kind in ("gap", "amp", "row"):
            self.advance()
        if self.tok.kind in STOPS and self.tok.kind != "text":
            raise self.fail(f"nothing after {SHOWN.get(sign.text, sign.text)}", sign)

    def unexpected(self) -> ReadError:
        token = self.tok
        if token.kind == "end" and not token.text:
            return self.fail("the formula ends where a value should be")
        if token.kind == "bad":
            return self.unsupported(f"{token.text} is not supported")
        if token.kind == "bar":
            return self.fail("a bar that closes nothing")
        if token.kind == "op":
            return self.fail(f"{SHOWN.get(token.text, token.text)} with nothing before it")
        return self.fail(f"{shown(token)} is not expected here")

    def signed(self) -> Expr:
        token, minus = self.tok, False
        while self.tok.kind == "op" and self.tok.text in ("-", "+"):
            minus ^= self.advance().text == "-"
        self.after_operator(token)
        node = self.expression(PRODUCT)
        return Neg(node, (token.start, self.end())) if minus else node

    def looks_like_dl_dw(self) -> bool:
        """dL/dW written inline: d, a factor, a slash, d."""
        for k in range(self.i + 1, min(self.i + 40, len(self.tokens))):
            if self.tokens[k].kind == "op" and self.tokens[k].text == "/":
                return self.differential(k + 1)
            if self.tokens[k].kind in ("rel", "op", "end", "comma"):
                return False
        return False

    def bracket(self) -> Expr:
        opening = self.advance()
        if opening.text == "\\{":
            return self.set_of(opening)
        bars, self.bars = self.bars, 0
        bound_fraction, self.in_fraction = self.in_fraction, 0
        first = self.chain()
        items = [first]
        while self.tok.kind in ("comma", "semi"):
            self.advance()
            items.append(self.chain())
        while self.tok.kind == "gap":
            self.advance()
        self.bars, self.in_fraction = bars, bound_fraction
        if self.tok.kind != "close" or self.tok.text != OPENING[opening.text]:
            if self.tok.kind == "close":
                raise self.fail(f"{opening.text} is closed by {self.tok.text}")
            raise self.fail(f"{opening.text} is not closed before {shown(self.tok)}", opening)
        self.advance()
        span = (opening.start, self.end())
        if len(items) > 1:
            parts = tuple(c.subjects[-1] for c in items)
            if opening.text == "⟨" and len(items) == 2 and not any(c.links for c in items):
                return Inner(parts[0], parts[1], span)
            if all(not c.links and self.size_like(c.subjects[-1]) for c in items):
                return Shape(parts, span)
            raise ReadError("a list where a value is expected", span)
        if opening.text == "⟨":
            raise ReadError("⟨ … ⟩ needs two parts", span)
        if first.links:
            return Indicator(first, span) if opening.text == "[" else Equated(first, span)
        return first.subjects[-1]

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
        return node

    def postfix(self, node: Expr, start: int) -> Expr:
        """Scripts behind a bracket, a fraction, a call; a bracket behind a function is its argument."""
        for _ in range(2 * MAX_SCRIPTS):
            kind = self.tok.kind
            if kind == "^":
                self.advance()
                r = self.group()
                if r[0] == r[1]:  # of a macro without its argument
                    continue
                if r[1] - r[0] == 1 and self.tokens[r[0]].kind == "prime" and isinstance(node, Function):
                    node = Function(node.name, node.primes + 1, node.label, (start, self.end()))
                    continue
                node = self.raised(node, r, start)
            elif kind == "_":
                self.advance()
                r = self.group()
                node = self.below(node, r, 0, start)
            elif kind == "prime":
                if not isinstance(node, Function):
                    raise self.fail("a prime on something that is no function")
                primes = node.primes + len(self.advance().text)
                node = Function(node.name, primes, node.label, (start, self.end()))
            elif kind == "top" and self.tok.end - self.tok.start == 1:
                self.advance()
                node = Transpose(node, (start, self.end()))
            elif kind == "open" and self.tok.text == "(" and type(node) is Function:
                node = Call(node, self.arguments(), (start, self.end()))
            else:
                return node
        raise self.fail("too many scripts")

    def arguments(self) -> tuple[Expr, ...]:
        opening = self.advance()
        bars, self.bars = self.bars, 0
        fraction, self.in_fraction = self.in_fraction, 0
        out: list[Expr] = []
        if self.tok.kind == "op" and self.tok.text == "cdot" and self.tokens[self.i + 1].text == ")":
            out.append(Dots((self.tok.start, self.tok.end)))  # f(·) speaks of the function itself
            self.go(self.i + 2)
            self.bars, self.in_fraction = bars, fraction
            return tuple(out)
        while True:
            while self.tok.kind == "gap":
                self.advance()
            chain = self.chain()
            out.append(Equated(chain, chain.span) if chain.links else chain.subjects[-1])
            if self.tok.kind not in ("comma", "semi"):
                break
            self.advance()
        self.bars, self.in_fraction = bars, fraction
        if self.tok.kind != "close" or self.tok.text != ")":
            if self.tok.kind == "bar":
                raise self.unsupported("a condition | is not supported")
            raise self.fail(f"( is not closed before {shown(self.tok)}", opening)
        self.advance()
        return tuple(out)

    def word(self) -> Expr:
        """A function word without backslash."""
        token = self.tok
        if self.tokens[self.i + 1].kind in ("open", "^", "_", "prime"):
            self.advance()
            return self.function(FUNCTION_WORDS[token.text], token, self.scripts())
        if all(self.decl.known(c) for c in token.text):
            raise self.fail(
                f"{token.text}: a function, or a product of letters? write \\{token.text}(…) or put spaces between"
            )
        self.advance()
        return self.bare_argument(Function(FUNCTION_WORDS[token.text], span=(token.start, token.end)), token)

    def func(self) -> Expr:
        token = self.tok
        if token.text in ("max", "min") and self.tokens[self.i + 1].kind == "_":
            return self.big(token.text)
        self.advance()
        return self.postfix(self.function(token.text, token, self.scripts()), token.start)

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
        return Reals(shape, (token.start, self.end()))

    def words(self) -> Expr:
        token = self.advance()
        text = " ".join(token.text.split())
        found = _SHAPE_WORD.match(text)
        span = (token.start, token.end)
        if found:
            word = found[1].lower()
            return ShapeWord("matrix" if word == "matrices" else word, span)
        return Words(text, span)


SHOWN = {"cdot": "·", "times": "×", "had": "∘", "outer": "⊗"}
_HANDLERS = {
    "func": Factors.func, "word": Factors.word, "sum": lambda p: p.postfix(p.big("sum"), p.tok.start),
    "prod": lambda p: p.big("prod"), "nabla": Factors.nabla,
    "sqrt": lambda p: p.postfix(p.root(), p.tok.start), "deco": Factors.marked, "ones": Factors.ones,
    "reals": Factors.reals,
    "begin": lambda p: p.postfix(p.environment(), p.tok.start), "over": Factors.over_under, "unwrap": Factors.unwrap,
    "colored": Factors.colored, "stack": Factors.stack, "infty": Factors.infinite, "dots": Factors.dots,
    "bar": lambda p: p.postfix(p.norm(), p.tok.start), "text": Factors.words,
}  # fmt: skip
