"""Brackets and the scripts behind them, relations and whole statements."""

from __future__ import annotations

import re
from dataclasses import replace

from ..files.place import ReadError
from .cursor import OPENING, SHOWN, STOPS, SUM, nests, shown
from .lexer import Token
from .names import MAX_SCRIPTS, prime_count
from .operators import ROWS, Operators
from .primes import primed_bracket
from .walking import Part, Statement
from .tree import (
    Chain, Dots, Entry, Equated, Expr, Inner, Link, Matrix, Missing, Name, Paren, ShapeWord, Transpose, Words,
)  # fmt: skip
from .means import with_wide_sums

_SHAPE_WORD = re.compile(r"(?:an?\s+)?(scalar|row|column|vector|matrix|matrices)(?:[\s-]*vectors?)?s?\Z", re.IGNORECASE)

_FACTORS = frozenset(("open", "name", "frac", "number", "{", "sqrt"))
"""What a factor begins with."""

_CONNECTIVES = {
    "and": "and", "where": "where", "with": "where", "for": "where", "for all": "where", "so": "implies",
    "hence": "implies", "thus": "implies", "therefore": "implies", "if": "if", "when": "if", "i.e.": "implies",
    "that is": "implies", "implies": "implies", "let": "and", "then": "implies", "since": "where", "as": "where",
    "or": "and",
    "gives": "implies", "so that": "implies", "for every": "where", "in": "where", "by": "where",
}  # fmt: skip


def lone(node: Expr) -> Chain:
    return Chain((node,), (), node.span)


class Chains(Operators):
    __slots__ = ()

    def unexpected(self) -> ReadError:
        token = self.tok
        if token.kind == "end" and not token.text:
            return self.fail("the formula ends where a value should be")
        if token.kind == "bad":
            return self.unsupported(f"{token.text} is not supported")
        if token.kind == "op":
            return self.fail(f"{SHOWN.get(token.text, token.text)} with nothing before it")
        return self.fail(f"{shown(token)} is not expected here")

    def operand(self) -> Expr:
        self.skip_gaps()
        if self.tok.kind == "text" and self.tokens[self.i + 1].kind != "op":
            return self.words_here()
        if self.tok.kind == "question":
            token = self.advance()
            return Words("?", (token.start, token.end))
        if self.tok.kind in STOPS and self.tok.kind != "text":
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
            stack = token
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
                above = self.spelled(first)
                text = {"def": ":=", "Δ": ":=", "△": ":=", "!": "≐", "?": "≐"}.get(above, inner[0].text)
                return inner[0]._replace(text=text, start=stack.start, end=self.end())
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
        return with_wide_sums(Chain(subjects, tuple(out), (start, self.end())))

    def unboxed(self) -> None:
        """A box around an equation says nothing, nor do braces around a sum in front of a factor: nobody sees them."""
        tokens, k = self.tokens, 0
        while k < len(tokens) - 1:
            box = tokens[k].kind == "unwrap" and tokens[k + 1].kind == "{"
            if box or (tokens[k].kind == "{" and k and tokens[k - 1].kind in ("open", "rel")):
                start = k + box + 1
                depth, end, top = 1, start, list[Token]()
                while depth and tokens[end].kind != "end":
                    depth += nests(tokens[end].kind)
                    top += [tokens[end]] * (depth == 1)
                    end += 1
                summed = any(t.kind == "op" and t.text in "+-" for t in top[1:]) and tokens[end].kind in _FACTORS
                if not depth and (any(t.kind == "rel" for t in top) if box else summed):
                    del tokens[end - 1], tokens[k:start]
                    continue
            k += 1
        self.go(0)

    def words_here(self) -> Expr:
        token = self.advance()
        text = " ".join(token.text.split())
        found = _SHAPE_WORD.match(text)
        span = (token.start, token.end)
        if found:
            word = found[1].lower()
            return ShapeWord("matrix" if word == "matrices" else word, span)
        return Words(text, span)

    def statement(self) -> Statement:
        self.unboxed()
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
                joined = token.text
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
            if after in STOPS:
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
        if len(subjects) > 1 and not (chain.links and chain.links[0].relation in {"~", "∈", "∝"}):
            for one in subjects[:-1]:  # a, b = c: two statements
                self.add(parts, joined, lone(one))
                joined = "and"
            chain = replace(chain, subjects=chain.subjects[-1:]) if chain.links else lone(subjects[-1])
        self.add(parts, joined, chain)

    def add(self, parts: list[Part], joined: str, chain: Chain) -> None:
        node = chain.subjects[-1]
        if parts and not chain.links and isinstance(node, Paren) and len(node.chains) == 1 and node.chains[0].links:
            chain = node.chains[0]  # … = … \quad (i \neq j)
        if not chain.links and isinstance(node, Matrix) and any(isinstance(c, Equated) for r in node.rows for c in r):
            for row in node.rows:  # statements above each other
                for cell in row:
                    inner = cell.chain if isinstance(cell, Equated) else lone(cell)
                    parts.append(Part(joined, inner, inner.span))
                    joined = "and"
            return
        parts.append(Part(joined, chain, chain.span))

    # --- brackets ----------------------------------------------------------------------------

    def opened(self) -> Expr:
        if self.tok.text in ("|", "‖"):
            return self.norm()
        opening, kept = self.advance(), (self.i, self.depth, self.bars)
        try:
            return self.bracketed(opening)
        except ReadError:
            if opening.text != "\\{":
                raise
        back, self.depth, self.bars = kept
        self.go(back)
        return self.set_of(opening)

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
            depth += (self.tok.text == "\\{") - (self.advance().text == "\\}")
        return Words("{…}", (opening.start, self.end()))

    def braces(self) -> Expr:
        opening = self.advance()
        if self.tok.kind == "}":
            self.advance()
            if self.tok.kind in ("^", "_"):
                raise self.fail("a script on nothing")
            return self.prefix()
        node = self.braced(opening)
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
