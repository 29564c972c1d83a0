"""A Pratt parser for formulas, driven by the declarations: it never guesses.

A product of matrices (juxtaposition, \\cdot) binds tighter than ∘ and ⊙, which bind tighter than + and -.  An
undeclared symbol, a prime on a layer, an unparenthesised mix that can be read in two ways: a `ReadError` with
the place.  Linear in the number of tokens; nesting is limited, so recursion is too.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .cursor import HADAMARD, OPENING, PRODUCT, STARTS, SUM, shown
from .lexer import Token, tokenize
from .operators import ROWS, Operators
from .place import Place, ReadError
from .symbols import Declarations
from .tree import (
    Add,
    Call,
    Chain,
    Dots,
    Entry,
    Equated,
    Expr,
    Function,
    Hadamard,
    Indicator,
    Inner,
    Link,
    Matrix,
    Missing,
    Neg,
    Num,
    Outer,
    Part,
    Power,
    Product,
    Quotient,
    Reals,
    Shape,
    ShapeWord,
    Statement,
    Symbol,
    Transpose,
    Words,
)
from .vocabulary import FUNCTION_WORDS

_SHAPE_WORD = re.compile(r"(?:an?\s+)?(scalar|row|column|vector|matrix|matrices)(?:[\s-]*vectors?)?s?\Z", re.IGNORECASE)
_CONNECTIVES = {
    "and": "and", "where": "where", "with": "where", "for": "where", "for all": "where", "so": "implies",
    "hence": "implies", "thus": "implies", "therefore": "implies", "if": "where", "when": "where", "i.e.": "implies",
    "that is": "implies", "implies": "implies", "let": "and", "then": "implies", "since": "where", "as": "where", "or": "and",
    "gives": "implies", "so that": "implies", "for every": "where", "in": "where", "by": "where",
}  # fmt: skip
_STOPS = frozenset(("end", "}", "close", "rel", "comma", "semi", "gap", "row", "amp", "arrow", "and", "text", "dot", "tick", "uparrow", "colon", "forall"))


class Parser(Operators):
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

    def after_operator(self, sign: Token) -> None:
        """A line break or a gap behind an operator says nothing."""
        while self.tok.kind in ("gap", "amp", "row"):
            self.advance()
        if self.tok.kind in _STOPS and self.tok.kind != "text":
            raise self.fail(f"nothing after {_SHOWN.get(sign.text, sign.text)}", sign)

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
        factors, signs, divided = [first], [""], False
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

    def constant(self, node: Expr) -> bool:
        return isinstance(node, Num) or (isinstance(node, Symbol) and self.is_size_symbol(node)) or (
            isinstance(node, Product) and all(map(self.constant, node.args))
        )

    def is_size_symbol(self, node: Symbol) -> bool:
        if node.label is not None:
            return node.name in self.decl.layered_sizes and node.name not in self.decl.layered
        return node.name in self.decl.sizes and node.name not in self.decl.arrays

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
            parts = [g[0] if len(g) == 1 else Product(tuple(g), ("",) * (len(g) - 1), (g[0].span[0], g[-1].span[1])) for g in groups]
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

    # --- one factor --------------------------------------------------------------------------

    def prefix(self) -> Expr:
        token = self.tok
        kind = token.kind
        if kind == "name":
            if token.text == "d" and self.differential(self.i) and self.looks_like_dl_dw():
                return self.postfix(self.partial(), token.start)
            node = self.name()
            if type(node) is Function:
                return self.postfix(node, token.start)
            return node
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
        return handler(self)

    def unexpected(self) -> ReadError:
        token = self.tok
        if token.kind == "end" and not token.text:
            return self.fail("the formula ends where a value should be")
        if token.kind == "bad":
            return self.fail(f"{token.text} is not supported")
        if token.kind == "bar":
            return self.fail("a bar that closes nothing")
        if token.kind == "op":
            return self.fail(f"{_SHOWN.get(token.text, token.text)} with nothing before it")
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
            depth += (self.tok.kind == "open" and self.tok.text == "\\{") - (self.tok.kind == "close" and self.tok.text == "\\}")
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
        while True:
            kind = self.tok.kind
            if kind == "^":
                caret = self.advance()
                r = self.group()
                if r[0] == r[1]:
                    raise self.fail("an empty script", caret)
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

    def arguments(self) -> tuple[Expr, ...]:
        opening = self.advance()
        bars, self.bars = self.bars, 0
        fraction, self.in_fraction = self.in_fraction, 0
        out: list[Expr] = []
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
                raise self.fail("a condition | is not supported")
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
            raise self.fail(f"{token.text}: a function, or a product of letters? write \\{token.text}(…) or put spaces between")
        self.advance()
        return self.bare_argument(Function(FUNCTION_WORDS[token.text], span=(token.start, token.end)), token)

    def func(self) -> Expr:
        token = self.tok
        if token.text in ("max", "min") and self.tokens[self.i + 1].kind == "_":
            return self.big(token.text)
        self.advance()
        return self.postfix(self.function(token.text, token, self.scripts()), token.start)

    def marked(self) -> Expr:
        """A mark over more than a letter: \\vec{z^l}, \\mathbf{W}, \\hat{\\mathbf{y}}."""
        token = self.advance()
        if self.tok.kind != "{":
            inner = self.tok
            if inner.kind != "name":
                raise self.fail(f"\\{token.text} needs a name", token)
            self.tokens[self.i] = self.tok = inner._replace(deco=_joined(token.text, inner.deco), start=token.start)
            return self.name()
        first, past = self.group()
        if past - first == 1 and self.tokens[first].kind == "name":
            inner = self.tokens[first]
            self.tokens[self.i - 1] = inner._replace(deco=_joined(token.text, inner.deco), start=token.start, end=self.end())
            self.go(self.i - 1)
            return self.name()
        from_names = "".join(t.text for t in self.tokens[first:past])
        if all(t.kind == "name" for t in self.tokens[first:past]) and self.decl.known(from_names):
            whole = Token("name", from_names, token.start, self.end())
            self.tokens[self.i - 1] = whole
            self.go(self.i - 1)
            return self.name()
        if token.text in ("hat", "widehat", "tilde", "widetilde", "dot", "ddot", "check", "breve", "mathring"):
            raise self.fail(f"\\{token.text} over more than a name is not supported", token)
        return self.postfix(self.inside(first, past), token.start)

    def over_under(self) -> Expr:
        """\\underbrace{x}_{note}: the x."""
        token = self.advance()
        node = self.argument()
        while self.tok.kind in ("_", "^"):
            self.advance()
            self.group()
        return self.postfix(node, token.start)

    def unwrap(self) -> Expr:
        token = self.advance()
        return self.postfix(self.argument(), token.start)

    def colored(self) -> Expr:
        token = self.advance()
        self.group()
        return self.postfix(self.argument(), token.start)

    def stack(self) -> Expr:
        token = self.advance()
        first, past = self.group()
        second = self.group()
        keep = second if token.text != "underset" or True else (first, past)
        return self.postfix(self.inside(*keep), token.start)

    def dots(self) -> Expr:
        token = self.advance()
        return Dots((token.start, token.end))

    def infinite(self) -> Expr:
        raise self.fail("∞ is not supported")

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

    # --- relations and statements ------------------------------------------------------------

    def operand(self) -> Expr:
        self.skip_gaps()
        if self.tok.kind == "text" and self.tokens[self.i + 1].kind != "op":
            return self.words()
        if self.tok.kind in _STOPS and self.tok.kind != "text":
            return Missing((self.tok.start, self.tok.end))
        return self.expression(SUM)

    def relation(self) -> Token | None:
        """The relation here, if any; a line break or gap before it is skipped, ∶= written over = is =."""
        k = self.i
        while self.tokens[k].kind in ("gap", "amp", "row", "tick"):
            k += 1
        token = self.tokens[k]
        if token.kind == "rel":
            self.go(k)
            return self.advance()
        if token.kind == "stack" and self.tokens[k + 1].kind == "{":
            back = self.i
            self.go(k + 1)
            first = self.group()
            if self.tok.kind == "{":
                second = self.group()
            elif self.tok.kind == "rel":
                second = (self.i, self.i + 1)
                self.advance()
            else:
                second = (0, 0)
            inner = self.tokens[second[0] : second[1]]
            if len(inner) == 1 and inner[0].kind == "rel":
                defines = self.spelled(first) in ("def", "!", "Δ", "△") and self.spelled(first) != "!"
                return inner[0]._replace(text=":=") if defines else inner[0]
            self.go(back)
        return None

    def chain(self) -> Chain:
        start = self.tok.start
        first = self.operand()
        if self.tok.kind not in ("rel", "gap", "amp", "row", "stack", "tick"):
            if type(first) is Missing:
                raise self.unexpected()
            return Chain((first,), (), (start, self.end()))
        return self.links((first,), start)

    def links(self, subjects: tuple[Expr, ...], start: int) -> Chain:
        out: list[Link] = []
        while True:
            relation = self.relation()
            if relation is None:
                break
            self.skip_gaps()
            begin = self.tok.start
            rhs = self.operand()
            end = max(self.end(), relation.end)
            out.append(Link(relation.text, rhs, (relation.start, end), (min(begin, end), end)))
        if not out and type(subjects[-1]) is Missing:
            raise self.unexpected()
        return Chain(subjects, tuple(out), (start, self.end()))

    def statement(self) -> Statement:
        parts: list[Part] = []
        joined = ""
        while True:
            joined = self.separators(joined)
            if self.tok.kind == "end" and not self.tok.text:
                break
            self.part(parts, joined)
            joined = "and"
        if not parts:
            raise self.fail("nothing is written here")
        return Statement(tuple(parts), (parts[0].span[0], parts[-1].span[1]))

    def separators(self, joined: str) -> str:
        """What stands between two parts, and how it joins them."""
        while True:
            token = self.tok
            if token.kind == "arrow":
                joined = {"iff": "implies"}.get(token.text, token.text)
            elif token.kind == "forall":
                joined = "where"
            elif token.kind == "text" and (word := " ".join(token.text.lower().split()).strip(" ,.:;")) in _CONNECTIVES:
                joined = _CONNECTIVES[word]
            elif token.kind == "text" and not token.text.strip(" ,.;:"):
                pass
            elif token.kind in ("begin", "end") and token.text in ROWS:
                pass
            elif token.kind not in ("comma", "semi", "gap", "row", "amp", "and", "tick", "uparrow", "dot", "colon"):
                return joined
            self.advance()

    def part(self, parts: list[Part], joined: str) -> None:
        start = self.tok.start
        if self.tok.kind == "rel":  # begins with a relation: the left side stands above
            self.add(parts, joined, self.links((Missing((start, start)),), start))
            return
        subjects = [self.operand()]
        while self.tok.kind == "comma" and self.tokens[self.i + 1].kind not in ("gap", "end", "text"):
            back, after = self.i, self.tokens[self.i + 1].kind
            if after in _STOPS:
                break
            self.advance()
            subjects.append(self.operand())
            k = self.i
            while self.tokens[k].kind in ("gap", "amp"):
                k += 1
            if self.tokens[k].kind == "rel":
                break
            if self.tok.kind != "comma":
                self.go(back)
                subjects.pop()
                break
        chain = self.links(tuple(subjects), start)
        kinds = {"~", "∈", "∝"}
        if chain.links and len(subjects) > 1 and chain.links[0].relation not in kinds:  # a, b = c: two statements
            for one in subjects[:-1]:
                self.add(parts, joined, Chain((one,), (), one.span))
                joined = "and"
            chain = Chain((subjects[-1],), chain.links, chain.span)
        elif not chain.links and len(subjects) > 1:
            for one in subjects:
                self.add(parts, joined, Chain((one,), (), one.span))
                joined = "and"
            return
        self.add(parts, joined, chain)

    def add(self, parts: list[Part], joined: str, chain: Chain) -> None:
        node = chain.subjects[-1]
        if not chain.links and isinstance(node, Matrix) and any(isinstance(c, Equated) for r in node.rows for c in r):
            for row in node.rows:  # statements above each other
                for cell in row:
                    inner = cell.chain if isinstance(cell, Equated) else Chain((cell,), (), cell.span)
                    parts.append(Part(joined, inner, inner.span))
                    joined = "and"
            return
        parts.append(Part(joined, chain, chain.span))


def _joined(outer: str, inner: str) -> str:
    """\\hat{\\mathbf{y}} is a hat: of two marks the telling one counts."""
    from_inner = {"vec", "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "bar", "underline", ""}
    return outer if inner in from_inner else inner


_SHOWN = {"cdot": "·", "times": "×", "had": "∘", "outer": "⊗"}
_HANDLERS = {
    "func": Parser.func, "word": Parser.word, "sum": lambda p: p.postfix(p.big("sum"), p.tok.start),
    "prod": lambda p: p.big("prod"), "nabla": Parser.nabla,
    "sqrt": lambda p: p.postfix(p.root(), p.tok.start), "deco": Parser.marked, "ones": Parser.ones, "reals": Parser.reals,
    "begin": lambda p: p.postfix(p.environment(), p.tok.start), "over": Parser.over_under, "unwrap": Parser.unwrap,
    "colored": Parser.colored, "stack": Parser.stack, "infty": Parser.infinite, "dots": Parser.dots,
    "bar": lambda p: p.postfix(p.norm(), p.tok.start), "text": Parser.words,
}  # fmt: skip


def parse_statement(text: str, declarations: Declarations, where: Place | None = None) -> Statement:
    """The tree of one formula.  Raises ReadError, located in `where`."""
    try:
        return Parser(tokenize(text, declarations.words), declarations).statement()
    except ReadError as error:
        raise error.located(where) from None


def parse_leniently(
    text: str, declarations: Declarations, where: Place | None = None
) -> tuple[Statement, list[tuple[str, object, tuple[int, int]]]]:
    """Like `parse_statement`, but undeclared names become symbols and are listed: for statements that declare."""
    try:
        parser = Parser(tokenize(text, declarations.words), declarations, lenient=True)
        return parser.statement(), list(parser.free)
    except ReadError as error:
        raise error.located(where) from None


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


__all__ = ["Entry", "Parser", "Power", "parse_expression", "parse_leniently", "parse_statement"]
