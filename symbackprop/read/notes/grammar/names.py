"""Names as they are written: a letter or word, its mark, and the scripts around it, before they mean anything."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from typing import Final

from ..files.place import ReadError
from .cursor import OPENING, Cursor, Range, shown
from .lexer import Token
from .tree import Add, All, Expr, Label, Name, Neg, Num, Paren, Power, Script, Sum, Words
from .vocabulary import BOLD, DISTINCT, SUBSCRIPT_WORDS
from .walking import transposed

MAX_SCRIPTS: Final = 3
TRANSPOSES: Final = frozenset(("T", "tr"))
_PLAIN_MARKS: Final = frozenset(("vec", "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "underline", ""))


_LABELS = re.compile(r"(?:[,{}]|o(?:nsd|n|d)c|(?:nsd|n|d)(?=[o,}]|$))*")
_LABEL = re.compile(r"(?P<bracket>o)?(?:(?P<name>n)(?:sd)?|d)c?")


def label_code(token: Token) -> str:
    """One letter for what a token is in a label: a name, digits, a sign, brackets around it."""
    match token.kind:
        case "name" | "close" | "{" | "}":
            return token.kind[0]
        case "comma":
            return ","
        case "number" if token.text.isdigit():
            return "d"
        case "op" if token.text in ("+", "-"):
            return "s"
        case "open" if token.text in ("(", "[", "\\{", "⟨"):
            return "o"
    return "?"


def prime_count(token: Token) -> int:
    return 1 if token.text == "prime" else len(token.text)


class Names(Cursor):
    __slots__ = ("words",)
    words: Collection[str]

    def name(self) -> Expr:
        return self.scripted(self.letter())

    def scripted(self, name: Name) -> Name:
        """The name with the scripts that follow it here."""
        sub, sups, primes, top, start = name.sub, list(name.sups), name.primes, name.top, name.span[0]
        while True:
            kind = self.tok.kind
            if kind == "^":
                caret = self.advance()
                r = self.group()
                while r[1] > r[0] and self.tokens[r[1] - 1].kind == "prime":  # f^{\prime}, f^{l\prime}
                    primes += prime_count(self.tokens[r[1] - 1])
                    r = (r[0], r[1] - 1)
                if r[0] < r[1]:
                    sups.append(self.raised_script(r))
                    if len(sups) > MAX_SCRIPTS:
                        raise self.fail("too many superscripts", caret)
            elif kind == "_":
                low = self.advance()
                if sub is not None:
                    raise self.fail("a second subscript", low)
                r = self.group()
                sub = self.lowered_script(r) if r[0] < r[1] else None
            elif kind == "prime":
                primes += prime_count(self.advance())
            elif kind == "top" and self.tok.end - self.tok.start == 1:  # Wᵀ, W⊤
                self.advance()
                top += 1
                if top > MAX_SCRIPTS:
                    raise self.fail("too many transposes")
            else:
                break
        if sub is name.sub and len(sups) == len(name.sups) and primes == name.primes and top == name.top:
            return name
        return replace(name, sub=sub, sups=tuple(sups), primes=primes, top=top, span=(start, self.end()))

    # --- scripts -----------------------------------------------------------------------------

    def span_of(self, r: Range) -> tuple[int, int]:
        return self.tokens[r[0]].start, self.tokens[r[1] - 1].end

    def lowered_script(self, r: Range) -> Script:
        span, text = self.span_of(r), self.spelled(r)
        if any(self.tokens[k].kind == "op" and self.tokens[k].text == "times" for k in range(*r)):
            return Script(text, value=self.inside(*r), span=span)  # x_{1 × n}
        labels = self.label_parts(r)
        try:
            return Script(text, self.items(r), None if labels is None else tuple(labels), span=span)
        except ReadError as error:
            return Script(text, (), None if labels is None else tuple(labels), error=error.message, span=span)

    def raised_script(self, whole: Range) -> Script:
        r, transposes = self.without_transpose(whole)
        text, span = self.spelled(whole), self.span_of(whole)
        if r[0] == r[1]:
            labels = self.label_parts(whole)
            return Script(text, labels=None if labels is None else tuple(labels), transposes=transposes, span=span)
        labels, first = self.label_parts(r), self.tokens[r[0]]
        known = None if labels is None else tuple(labels)
        if first.kind == "op" and r[1] - r[0] == 1:
            if first.text == "-" and transposes:  # A^{-T}
                return Script(text, value=Num(Fraction(-1), span), transposes=transposes, span=span)
            return Script(text, labels=known, transposes=transposes, error="a sign alone", span=span)
        elementwise = first.kind == "op" and first.text == "had"
        try:
            value: Expr | None = self.inside(r[0] + elementwise, r[1])
            error = ""
        except ReadError as caught:
            value, error = None, caught.message
            if transposes and self.tokens[whole[1] - 1].kind == "name":  # e^{z/T}: T is a letter there
                try:
                    return Script(text, (), None, self.inside(*whole), span=span)
                except ReadError:
                    pass
        return Script(text, (), known, value, transposes, elementwise, error, span)

    def is_transpose(self, r: Range) -> bool:
        if r[1] - r[0] != 1:
            return False
        token = self.tokens[r[0]]
        return token.kind == "top" or (token.kind in ("text", "name") and token.text.strip() in TRANSPOSES)

    def without_transpose(self, r: Range) -> tuple[Range, int]:
        """Take a T at the end off: [1]T, l\\top, (l),T, \\mathrm{T}."""
        first, past = r
        if past - first == 4 and self.tokens[first].kind == "deco" and self.is_transpose((past - 2, past - 1)):
            return (past, past), 1
        if past - first == 2 and self.tokens[first].kind == "deco" and self.is_transpose((past - 1, past)):
            return (past, past), 1
        if past > first and self.is_transpose((past - 1, past)):
            past -= 1
            if past > first and self.tokens[past - 1].kind == "comma":
                past -= 1
            return (first, past), 1
        return r, 0

    def items(self, r: Range) -> tuple[Expr, ...]:
        """Indices, with or without commas: jk, i+1, :, 2, n, y_n, out."""
        back = self.i
        self.go(r[0])
        out: list[Expr] = []
        try:
            while self.i < r[1]:
                if self.tok.kind in ("comma", "gap"):
                    self.advance()
                    continue
                out.append(self.item(r[1]))
        finally:
            self.go(back)
        return tuple(out)

    def item(self, past: int) -> Expr:
        start = self.tok.start
        terms: list[Expr] = []
        sign = 1
        while True:
            if self.tok.kind == "op" and self.tok.text in ("+", "-"):
                sign = -1 if self.advance().text == "-" else 1
            token = self.tok
            if self.i >= past:
                raise self.fail("a script without anything in it", token)
            term = self.item_term(token, past)
            terms.append(Neg(term, term.span) if sign < 0 else term)
            sign = 1
            if self.i >= past or self.tok.kind != "op" or self.tok.text not in ("+", "-"):
                break
        return terms[0] if len(terms) == 1 else Add(tuple(terms), (start, self.end()))

    def item_term(self, token: Token, past: int) -> Expr:
        span = (token.start, token.end)
        match token.kind:
            case "number":
                self.advance()
                if "." in token.text:
                    raise self.fail("an index is a whole number", token)
                return Num(Fraction(token.text), span)
            case "colon":
                self.advance()
                return All(span)
            case "op" if token.text in ("*", "cdot"):
                self.advance()
                return All(span)
            case "name":
                if self.tokens[self.i + 1].text == "[":  # s_{a[i]}: a belongs to the name
                    self.advance()
                    return Words(token.text, span)
                if self.i + 1 == past and self.tokens[past].kind == "^":  # h_t^2: the square is not that of t
                    return self.letter()
                return self.word(token, past) or self.name()
            case "deco":
                return self.marked()
            case "text" | "word" | "func":
                self.advance()
                return Words(token.text, span)
            case "open" if token.text in ("(", "["):
                self.advance()
                term = self.item(past)
                self.advance()
                return term
            case _:
                raise self.fail(f"{shown(token)} is not an index", token)

    def word(self, token: Token, past: int) -> Words | None:
        """c_{prev}: letters that are a word together."""
        end = next((k for k in range(self.i, past) if self.tokens[k].kind != "name"), past)
        text = "".join(t.text for t in self.tokens[self.i : end])
        if text not in SUBSCRIPT_WORDS:
            return None
        self.go(end)
        return Words(text, (token.start, self.tokens[end - 1].end))

    def label_parts(self, r: Range) -> list[tuple[Label, str]] | None:
        """l, l+1, (l), [L-1], 2, [l](i), l,(i): labels with the bracket each stands in; None for anything else."""
        code = "".join(map(label_code, self.tokens[r[0] : r[1]]))
        out: list[tuple[Label, str]] = []
        for m in _LABEL.finditer(code) if _LABELS.fullmatch(code) else ():
            texts = [t.text for t in self.tokens[r[0] + m.start() : r[0] + m.end()]]
            bracket = texts.pop(0) if m["bracket"] else ""
            if bracket and texts.pop() != OPENING[bracket]:
                return None
            base = texts.pop(0) if m["name"] else None
            out.append((Label(base, int("".join(texts) or "0")), bracket))
        return out or None

    # --- marks -------------------------------------------------------------------------------

    def marked(self) -> Expr:
        """A mark over a name with or without scripts: \\vec{z^l}, \\mathbf{W}, \\hat{\\mathbf{y}}, \\hat{x_i}."""
        token = self.advance()
        if self.tok.kind == "deco":
            self.deeper()
            inner = self.marked()
            self.depth -= 1
            if not isinstance(inner, Name):
                raise self.fail("a mark over more than a name")
            return self.scripted(self.with_mark(inner, token, self.end()))
        if self.tok.kind != "{":
            if self.tok.kind != "name":
                raise self.fail(f"\\{token.text} needs a name", token)
            return self.scripted(self.with_mark(self.letter(), token, self.end()))
        first, past = self.group()
        if all(t.kind == "name" for t in self.tokens[first:past]) and past - first > 1:
            word = "".join(t.text for t in self.tokens[first:past])
            if word in self.words:
                return self.scripted(Name(word, "", span=(token.start, self.end())))
        node = self.inside(first, past)
        while isinstance(node, Paren) and len(node.chains) == 1 and not node.chains[0].links:
            node = node.chains[0].subjects[0]
        squared = isinstance(node, Name) and any(isinstance(x.value, Num) for x in node.sups)
        if isinstance(node, Name) and not (squared and token.text == "overline"):
            return self.scripted(self.with_mark(node, token, self.end()))
        if token.text in ("overline", "bar"):
            return self.postfix(Sum((), node, (), (token.start, self.end()), "mean"), token.start)
        if token.text in DISTINCT and token.text not in ("mathcal", "mathscr", "mathfrak", "mathbb", "mathbbm", "cal"):
            raise self.unsupported(f"\\{token.text} over more than a name is not supported", token)
        return self.postfix(node, token.start)

    def with_mark(self, name: Name, token: Token, end: int) -> Name:
        mark = token.text if name.mark in _PLAIN_MARKS else name.mark
        if name.mark and mark in _PLAIN_MARKS:
            mark = name.mark
        return replace(name, mark=mark, bold=name.bold or token.text in BOLD, span=(token.start, end))

    # --- scripts behind anything else --------------------------------------------------------

    def raised(self, node: Expr, r: Range, start: int) -> Expr:
        script, span = self.raised_script(r), (start, self.end())
        if script.value is None and not script.transposes:
            raise self.fail(script.error or "a script that is no exponent", self.tokens[r[0]])
        if script.value is not None:
            node = Power(node, script.value, script.elementwise, span)
        return transposed(node, script.transposes, span)
