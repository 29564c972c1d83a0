"""What stands above, below and behind a name or a bracket: labels, indices, powers, transposes."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from ..files.place import ReadError
from .cursor import OPENING, Cursor, shown
from .lexer import Token
from .tree import (
    Add,
    All,
    Annotated,
    Entry,
    Expr,
    IndexName,
    Label,
    Neg,
    Num,
    Power,
    Symbol,
    Transpose,
)

MAX_EXPONENT: Final = 64
MAX_SCRIPTS: Final = 3
USUAL_INDICES: Final = frozenset("ijk")
"""Letters that are indices without being declared, where they stand as subscripts of a declared array."""
Range = tuple[int, int]


class Scripts:
    """What was found around a name: token ranges of the lower and the upper scripts, primes, a bare ⊤."""

    __slots__ = ("primes", "sub", "sups", "top")

    def __init__(self) -> None:
        self.sub: Range | None = None
        self.sups: list[Range] = []
        self.primes, self.top = 0, 0


class ScriptReader(Cursor):
    __slots__ = ()

    def primed(self, key: str) -> str:
        """k' is another index than k."""
        while self.tok.kind == "prime":
            key += self.advance().text
        return key

    def scripts(self) -> Scripts:
        s = Scripts()
        while True:
            kind = self.tok.kind
            if kind == "^":
                caret = self.advance()
                first, past = self.group()
                if past - first == 1 and self.tokens[first].kind == "prime":
                    s.primes += 1
                elif first < past:
                    s.sups.append((first, past))
                    if len(s.sups) > MAX_SCRIPTS:
                        raise self.fail("too many superscripts", caret)
            elif kind == "_":
                low = self.advance()
                if s.sub is not None:
                    raise self.fail("a second subscript", low)
                s.sub = self.group()
                if s.sub[0] == s.sub[1]:
                    s.sub = None
            elif kind == "prime":
                s.primes += len(self.advance().text)
            elif kind == "top" and self.tok.end - self.tok.start == 1:  # Wᵀ, W⊤
                self.advance()
                s.top += 1
                if s.top > MAX_SCRIPTS:
                    raise self.fail("too many transposes")
            else:
                return s

    def spelled(self, r: Range) -> str:
        return "".join(t.text for t in self.tokens[r[0] : r[1]]).strip()

    def below(self, node: Expr, sub: Range, rank: int, start: int) -> Expr:
        tokens = self.tokens
        if any(tokens[k].kind == "op" and tokens[k].text == "times" for k in range(*sub)):
            return Annotated(node, self.inside(*sub), (start, self.end()))
        at = self.subscripts(sub)
        if rank == 2 and len(at) == 1 and isinstance(at[0], Num) and 10 <= at[0].value < 100:
            first, second = divmod(int(at[0].value), 10)  # w_{12}
            at = (Num(Fraction(first), at[0].span), Num(Fraction(second), at[0].span))
        return Entry(node, at, (start, self.end()))

    def subscripts(self, sub: Range) -> tuple[Expr, ...]:
        """Indices, with or without commas: jk, i+1, :, 2, n, y_n."""
        back = self.i
        self.go(sub[0])
        out: list[Expr] = []
        while self.i < sub[1]:
            if self.tok.kind in ("comma", "gap"):
                self.advance()
                continue
            out.append(self.subscript(sub[1]))
        self.go(back)
        return tuple(out)

    def subscript(self, past: int) -> Expr:
        start = self.tok.start
        terms: list[Expr] = []
        sign = 1
        while True:
            if self.tok.kind == "op" and self.tok.text in "+-" and self.tok.text:
                sign = -1 if self.advance().text == "-" else 1
            token = self.advance() if self.i < past else self.tok
            span = (token.start, token.end)
            match token.kind:
                case "number":
                    if "." in token.text:
                        raise self.fail("an index is a whole number", token)
                    term: Expr = Num(Fraction(token.text), span)
                case "colon":
                    return All(span)
                case "op" if token.text in ("*", "cdot"):
                    return All(span)
                case "name":
                    term = self.index(token, past)
                case "text":
                    raise self.fail(f"the subscript {token.text} is part of no declared name", token)
                case "open" if token.text in "([":
                    term = self.subscript(past)
                    self.advance()
                case _:
                    raise self.fail(f"{shown(token)} is no index", token)
            terms.append(Neg(term, span) if sign < 0 else term)
            if self.i >= past or self.tok.kind != "op" or self.tok.text not in ("+", "-"):
                break
        return terms[0] if len(terms) == 1 else Add(tuple(terms), (start, self.end()))

    def index(self, token: Token, past: int) -> Expr:
        name = self.decl.key(token.text, token.deco)
        while self.i < past and self.tok.kind == "prime":
            name += self.advance().text
        span = (token.start, self.end())
        base = name.rstrip("'")
        if name in self.bound or base in self.bound or base in self.decl.indices:
            return IndexName(name, span)
        array = self.decl.arrays.get(name)
        if array is not None and array.integer:
            if self.i < past and self.tok.kind == "_":
                self.advance()
                return Entry(Symbol(name, None, None, span), self.subscripts(self.group()), span)
            return Symbol(name, None, None, span)
        if name in self.decl.layered_sizes and self.i < past and self.tok.kind == "_":
            self.advance()
            return Symbol(name, self.label(self.group()), None, span)
        if name in self.decl.sizes:
            return Symbol(name, None, None, span)
        if self.lenient or (base in USUAL_INDICES and not self.decl.known(base)):
            return IndexName(name, span)
        if name in self.decl.layers:
            raise self.fail(f"{name} counts layers and is no index here", token)
        raise ReadError(f"the index {name} is not declared", span, undeclared=name)

    def two_indices(self, sub: Range) -> tuple[Expr, Expr] | None:
        if any(self.tokens[k].kind in ("text", "colon") for k in range(*sub)):
            return None
        if sub[1] - sub[0] < 2:
            return None
        at = self.subscripts(sub)
        return (at[0], at[1]) if len(at) == 2 else None

    def behind(self, node: Expr, s: Scripts, used_primes: bool = False) -> Expr:
        """Powers, inverses and transposes behind a value."""
        start = node.span[0]
        if s.sub is not None:
            node = self.below(node, s.sub, 0, start)
        if s.primes and not used_primes:
            raise ReadError("a prime on something that is no function", node.span)
        for sup in s.sups:
            node = self.raised(node, sup, start)
        for _ in range(s.top):
            node = Transpose(node, (start, self.end()))
        return node

    def raised(self, node: Expr, sup: Range, start: int) -> Expr:
        sup, transposed = self.without_transpose(sup)
        span = (start, self.end())
        if sup[0] != sup[1]:
            first = self.tokens[sup[0]]
            if first.kind == "op" and first.text == "had" and sup[1] - sup[0] > 1:
                node = Power(node, self.exponent((sup[0] + 1, sup[1])), True, span)
            elif first.kind == "op" and sup[1] - sup[0] == 1 and first.text == "-":  # A^{-T}
                node = Power(node, Num(Fraction(-1), span), False, span)
            else:
                node = Power(node, self.exponent(sup), False, span)
        for _ in range(transposed):
            node = Transpose(node, span)
        return node

    def exponent(self, sup: Range) -> Expr:
        node = self.inside(*sup)
        value = node.arg if isinstance(node, Neg) else node
        if isinstance(value, Num) and value.value > MAX_EXPONENT:
            raise ReadError(f"the exponent {value.value} is above {MAX_EXPONENT}", value.span)
        if isinstance(value, Power) and isinstance(value.base, Num):
            raise ReadError(f"a tower of numbers as exponent: exponents go to {MAX_EXPONENT}", value.span)
        return node

    def is_transpose(self, sup: Range) -> bool:
        if sup[1] - sup[0] != 1:
            return False
        token = self.tokens[sup[0]]
        if token.kind == "top" or (token.kind == "text" and token.text.strip() in ("T", "tr")):
            return True
        if token.kind != "name" or token.text != "T" or "T" in self.bound or "T" in self.decl.layers:
            return False
        if "T" in self.decl.sizes or "T" in self.decl.indices:
            raise self.fail("^T: a transpose, or the T that is declared here? write ^\\top for the transpose", token)
        return True

    def without_transpose(self, sup: Range) -> tuple[Range, int]:
        """Take a T at the end off: [1]T, l\\top, (l),T."""
        first, past = sup
        if past > first and self.is_transpose((past - 1, past)):
            past -= 1
            if past > first and self.tokens[past - 1].kind == "comma":
                past -= 1
            return (first, past), 1
        return sup, 0

    def label(self, r: Range) -> Label | None:
        """One label, in brackets or not; None for anything else."""
        parts = self.label_parts(r)
        return parts[0][0] if parts is not None and len(parts) == 1 else None

    def label_parts(self, r: Range) -> list[tuple[Label, str]] | None:
        """l, l+1, (l), [L-1], 2, [l](i), l,(i): labels with the bracket each stands in; None for anything else."""
        k, past = r
        out: list[tuple[Label, str]] = []
        tokens = self.tokens
        while k < past:
            if tokens[k].kind in ("comma", "{", "}"):
                k += 1
                continue
            bracket = ""
            if tokens[k].kind == "open" and tokens[k].text in ("(", "[", "\\{", "⟨"):
                bracket = tokens[k].text
                k += 1
            if k >= past:
                return None
            token = tokens[k]
            base: str | None = None
            shift = 0
            if token.kind == "name":
                base = self.decl.key(token.text, token.deco)
                k += 1
                if (
                    k + 1 < past
                    and tokens[k].kind == "op"
                    and tokens[k].text in ("+", "-")
                    and tokens[k + 1].kind == "number"
                ):
                    if not tokens[k + 1].text.isdigit():
                        return None
                    shift = int(tokens[k + 1].text) * (1 if tokens[k].text == "+" else -1)
                    k += 2
            elif token.kind == "number" and token.text.isdigit():
                shift = int(token.text)
                k += 1
            else:
                return None
            if bracket:
                if k >= past or tokens[k].kind != "close" or tokens[k].text != OPENING[bracket]:
                    return None
                k += 1
            elif k < past and tokens[k].kind not in ("open", "comma", "}"):
                return None
            out.append((Label(base, shift), bracket))
        return out or None
